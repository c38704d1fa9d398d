"""The gate on models that are trained to be better and to be worse, twenty times over.

Both start from the shipped base and are compared with it, as an author's first candidate is. The better one is trained
on the sample author's articles and posts, the worse one on the same texts with their words in any order. Every seed
splits the documents anew and trains both. Measured is what needs no index: prose, style, choice, speech, secrets
(answers with passages need a whole home: `twin run`).
"""

import os
import random
import tempfile
import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from llm_twin_assets_tests.benchmarks.measuring import Row

if TYPE_CHECKING:
    from llm_twin_assets.domain.sample import Sample
    from llm_twin_assets.evaluation.comparison import Scores
    from llm_twin_assets.evaluation.gate import Decision
    from llm_twin_assets.evaluation.measures.authorship import Verifier
    from resources.bases import Base
    from resources.evaluation_settings import Evaluation

_SEEDS = 20
_AUTHOR = "Maya Lindqvist"
_STEPS = {"better": 100, "worse": 20}
_PROMPTS, _NEW_TOKENS = 16, 32
_SEALED_SHARE = 0.3
_LONGEST = 900
# What so few new tokens come to, in characters.
_WINDOW = 120


def measure(seeds: int = _SEEDS) -> list[Row]:
    """How often the gate decides rightly."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    began = time.perf_counter()
    rounds = []
    for seed in range(seeds):
        with tempfile.TemporaryDirectory(prefix="bench-gate-") as scratch:
            rounds.append(_Round(seed, Path(scratch)).decided())
        print(f"seed {seed}: {rounds[-1]}", flush=True)  # noqa: T201 -- it takes minutes
    seconds = time.perf_counter() - began
    accepted = sum(found["better"].passed for found in rounds)
    refused = sum(not found["worse"].passed for found in rounds)
    return [
        Row("truly better candidates that pass", f"{accepted} of {seeds}", f"{seeds}", accepted == seeds),
        Row("truly worse candidates that are refused", f"{refused} of {seeds}", f"{seeds}", refused == seeds),
        Row("a round of two trainings and three exams", f"{seconds / seeds:.0f} s"),
    ]


@dataclass(frozen=True)
class _Round:
    """One split of the sample author's texts, and what is trained and measured on it."""

    seed: int
    folder: Path

    def decided(self) -> "dict[str, Decision]":
        from llm_twin_assets.evaluation.comparison import compare
        from llm_twin_assets.evaluation.gate import decide
        from resources.bases import find_base

        base = find_base("tiny-llama")
        reference = self._scores("base", base.folder)
        found = {}
        for name, steps in _STEPS.items():
            scores = self._scores(name, self._trained(name, steps, base))
            comparisons = compare(scores, reference, self._rules)
            found[name] = decide(comparisons, base.id, len(self._parts[1]), self._rules)
        return found

    @property
    def _rules(self) -> "Evaluation":
        from resources.evaluation_settings import Evaluation

        return Evaluation(seed=self.seed, prompts=_PROMPTS, max_new_tokens=_NEW_TOKENS)

    @cached_property
    def _parts(self) -> tuple[dict[str, str], dict[str, str]]:
        """Texts to learn from, and sealed ones."""
        from llm_twin_assets_tests.evaluation.written import author_texts

        texts = author_texts()
        names = random.Random(self.seed).sample(sorted(texts), len(texts))  # noqa: S311
        sealed = names[: round(len(names) * _SEALED_SHARE)]
        return {name: texts[name] for name in names if name not in sealed}, {name: texts[name] for name in sealed}

    def _trained(self, name: str, steps: int, base: "Base") -> Path:
        from llm_twin_assets.training.plan import plan_for
        from llm_twin_assets.training.spec import TrainingOutput, TrainingSpec
        from llm_twin_assets.training.train import train
        from llm_twin_assets_tests.training.tiny_training import write_dataset
        from resources.training_settings import Training

        pairs = [(_instruction(key), _shuffled(text, self.seed) if name == "worse" else text[:_LONGEST])
                 for key, text in self._parts[0].items()]  # fmt: skip
        plan = plan_for(base.folder, Training(method="full", max_steps=steps, max_length=256, seed=self.seed))
        output = TrainingOutput(self.folder / name)
        spec = TrainingSpec(
            base=base.id, base_folder=base.folder, base_revision=None, author_name=_AUTHOR, plan=plan,
            dataset_folder=write_dataset(self.folder / f"{name}-dataset", pairs, ()), output=output.folder,
        )  # fmt: skip
        train(spec, lambda line: None)
        return output.model

    def _scores(self, name: str, model: Path) -> "Scores":
        from llm_twin_assets.domain.scrub.scrubber import Scrubber
        from llm_twin_assets.evaluation.comparison import BITS_PER_BYTE, Scores
        from llm_twin_assets.evaluation.exam import generation
        from llm_twin_assets.evaluation.measures import authorship, choice, secrets, speech
        from llm_twin_assets.evaluation.measures.bits_per_byte import score_documents
        from llm_twin_assets.evaluation.measures.choice_likelihood import Likelihood

        learnt, sealed = self._parts
        samples = [_sample(key, text) for key, text in sealed.items()]
        prompts = generation.unaided(samples[:_PROMPTS], _AUTHOR)
        decoding = generation.Decoding(_NEW_TOKENS)
        written = generation.outputs(model, prompts, decoding, self.folder / "answers" / name)
        asked = choice.choices(samples[:_PROMPTS], samples, self._strangers.values())
        trained = secrets.VerbatimIndex.of(learnt.values())
        return Scores(
            {
                BITS_PER_BYTE: score_documents(model, sealed, self.folder / f"{name}.jsonl"),
                **authorship.authorship(self._verifier, written, self._rules.min_auc),
                **choice.choice_measures(asked, Likelihood(model), _AUTHOR),
                **speech.speech_measures(written),
                **secrets.secret_measures(written, trained, Scrubber.of(("secrets", "email", "phone"))),
            },
            {key: float(len(text.encode())) for key, text in sealed.items()},
        )

    @cached_property
    def _verifier(self) -> "Verifier":
        from llm_twin_assets.evaluation.measures.authorship import Text, train_verifier

        own = [Text(key, text) for key, text in self._parts[0].items()]
        return train_verifier([*own, *(Text(key, text, "packages") for key, text in self._strangers.items())], _WINDOW)

    @cached_property
    def _strangers(self) -> dict[str, str]:
        from llm_twin_assets.evaluation.measures.authorship_others import package_prose

        return package_prose(self._rules.strangers)


def _instruction(name: str) -> str:
    return f"Write about {name.replace('-', ' ')}."


def _shuffled(text: str, seed: int) -> str:
    words = text[:_LONGEST].split()
    return " ".join(random.Random(seed).sample(words, len(words)))  # noqa: S311


def _sample(name: str, text: str) -> "Sample":
    from llm_twin_assets.domain.sample import Sample, Split

    answer = text[:_LONGEST]
    return Sample(name, Split.TEST, "topic", _instruction(name), answer, name, 0, len(answer), "en")
