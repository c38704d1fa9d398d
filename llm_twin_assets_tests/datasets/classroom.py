"""A teacher behind a real HTTP server: what it says to each kind of question can be replaced by a test."""

import re

from llm_twin_assets_tests.resources.fake_openai import Asked, Behaviour, FakeOpenAi, completion

_ENCLOSED = r"<{name}-([0-9a-f]{{12}})>\n(.*?)\n</{name}-\1>"
# By the form that each kind of question asks for.
_KINDS = {
    "back_translation": '"instruction":',
    "paraphrases": '"instructions":',
    "questions": '"questions":',
    "answerable": '"answerable":',
    "score": '"score":',
}


def enclosed(asked: Asked, name: str = "text") -> str:
    return re.search(_ENCLOSED.format(name=name), asked.user, re.DOTALL)[2]


def kind_of(asked: Asked) -> str:
    form = next(line for line in asked.user.splitlines() if line.startswith("Form:"))
    return next(kind for kind, mark in _KINDS.items() if mark in form)


class Classroom:
    """Says something good to every question, unless `says[kind]` holds something else."""

    def __init__(self, server: FakeOpenAi) -> None:
        self.says: dict[str, object] = {}
        self.server = server
        server.answer = self.answer

    @property
    def asked(self) -> list[Asked]:
        return self.server.asked

    def asked_for(self, kind: str) -> list[Asked]:
        return [each for each in self.asked if kind_of(each) == kind]

    def answer(self, asked: Asked) -> Behaviour:
        kind = kind_of(asked)
        said = self.says.get(kind, getattr(self, f"_{kind}"))
        said = said(asked) if callable(said) else said
        return said if isinstance(said, Behaviour) else completion(said)

    def _back_translation(self, asked: Asked) -> object:
        subject = " ".join(re.findall(r"\w+", enclosed(asked))[:4])
        return {"instruction": f"Tell us what you know of {subject}."}

    def _paraphrases(self, asked: Asked) -> object:
        return {"instructions": [f"Please: {enclosed(asked, 'instruction')}", f"Could you: {asked.user[-30:-20]}?"]}

    def _questions(self, asked: Asked) -> object:
        sentence = enclosed(asked).split(". ")[0].strip()
        return {"questions": [{"question": f"What of {sentence.split()[-1]}?", "quote": sentence}]}

    def _answerable(self, asked: Asked) -> object:
        return {"answerable": True, "quote": enclosed(asked).split(". ")[0]}

    def _score(self, _: Asked) -> object:
        return {"score": 5}
