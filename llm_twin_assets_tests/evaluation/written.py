"""Sealed samples and what a model wrote to them, in a line each; and the shipped sample author's own prose."""

import re
from functools import cache
from pathlib import Path

import yaml

import llm_twin_assets.sample
from llm_twin_assets.domain.sample import Sample, Split
from llm_twin_assets.evaluation.exam.generation import Output, Prompt
from llm_twin_assets.inference.prompts import messages

AUTHOR_NAME = "Maya Lindqvist"
PASSAGE = "I split samples at random, so half of every page was in training and the other half in the test set."


def sample(
    answer: str = PASSAGE,
    *,
    document: str = "d1",
    start: int = 0,
    instruction: str = "How should samples be split?",
    language: str | None = "en",
) -> Sample:
    return Sample(
        sample_id=f"{document}-{start}-{len(answer)}",
        split=Split.TEST,
        kind="question",
        instruction=instruction,
        answer=answer,
        document_id=document,
        start=start,
        end=start + len(answer),
        language=language,
    )


def output(text: str, of: Sample | None = None, *, finished: bool = True, special_tokens: int = 0) -> Output:
    of = of or sample()
    prompt = Prompt(of, tuple(messages(of.instruction, author_name=AUTHOR_NAME)))
    return Output(prompt, text, finished, special_tokens, 10, len(text.split()))


@cache
def author_texts() -> dict[str, str]:
    """The sample author's articles and posts, by name."""
    folder = Path(llm_twin_assets.sample.__file__).parent / "text"
    texts = {
        file.stem: re.sub(r"\A---\n.*?\n---\n", "", file.read_text(encoding="utf-8"), flags=re.DOTALL)
        for file in sorted(folder.glob("articles/**/*.md"))
    }
    posts = yaml.safe_load((folder / "posts.yaml").read_text(encoding="utf-8"))
    return texts | {f"post-{number}": post["text"] for number, post in enumerate(posts)}
