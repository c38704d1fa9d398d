"""The optional extra: what Microsoft Presidio finds, names of people included."""

import re
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from importlib import import_module
from typing import Any

from llm_twin_assets.domain.scrub.allowed import Allowed
from resources.errors import ConfigurationError

# Neither a date nor a link nor a nationality points at one person; places are what people write about.
_LEFT_IN = frozenset({"DATE_TIME", "URL", "NRP", "LOCATION", "ORGANIZATION"})
_MODELS = ("en_core_web_lg", "en_core_web_md", "en_core_web_trf", "en_core_web_sm")
# Presidio scores a bare run of digits far below this, a name that the model is sure of above it.
_SCORE = 0.6
# spaCy holds several times its input in memory and refuses a million characters.
_PIECE = re.compile(r"(?:[^\n]*\n){1,200}|[^\n]+", re.DOTALL)
_MAX_PIECE = 50_000
_PLACEHOLDER = re.compile(r"\[[a-z ]{1,40}\]")


def analyzed(text: str, allowed: Allowed, counts: Counter[str]) -> str:
    """Replace what Presidio finds by `[person]`, `[crypto]`, …; counts it as `presidio`."""
    return "".join(_replaced(piece, allowed, counts) for piece in _pieces(text))


def _pieces(text: str) -> Iterator[str]:
    for match in _PIECE.finditer(text):
        said = match.group()
        yield from (said[start : start + _MAX_PIECE] for start in range(0, len(said), _MAX_PIECE))


def _replaced(text: str, allowed: Allowed, counts: Counter[str]) -> str:
    engine, entities = _engine()
    taken = [match.span() for match in _PLACEHOLDER.finditer(text)]
    results = engine.analyze(text=text, language="en", entities=entities, score_threshold=_SCORE)
    pieces: list[str] = []
    kept = 0
    for result in sorted(results, key=lambda each: (each.start, -each.end)):
        ours = any(result.start < end and start < result.end for start, end in taken)
        if ours or result.start < kept or allowed.allows("presidio", text[result.start : result.end]):
            continue
        pieces += (text[kept : result.start], f"[{result.entity_type.lower().replace('_', ' ')}]")
        kept = result.end
        counts["presidio"] += 1
    return "".join((*pieces, text[kept:]))


@lru_cache(maxsize=1)
def _engine() -> tuple[Any, list[str]]:
    """Presidio on a spaCy model that is installed: left to itself it would download one without asking."""
    try:
        spacy, analyzer = import_module("spacy"), import_module("presidio_analyzer")
        provider = import_module("presidio_analyzer.nlp_engine").NlpEngineProvider
    except ImportError as error:
        raise ConfigurationError(
            "collection.scrub names 'presidio', which is not installed",
            where="twin.yaml",
            mend='Install the extra (pip install "llm-twin[presidio]"), or take presidio out of collection.scrub.',
        ) from error
    model = next((name for name in _MODELS if spacy.util.is_package(name)), None)
    if model is None:
        raise ConfigurationError(
            "collection.scrub names 'presidio', which has no language model to work with",
            where="twin.yaml",
            mend=f"Install one (python -m spacy download {_MODELS[0]}), or take presidio out of collection.scrub.",
        )
    configuration = {"nlp_engine_name": "spacy", "models": [{"lang_code": "en", "model_name": model}]}
    nlp_engine = provider(nlp_configuration=configuration).create_engine()
    engine = analyzer.AnalyzerEngine(nlp_engine=nlp_engine, supported_languages=["en"])
    return engine, sorted(set(engine.get_supported_entities(language="en")) - _LEFT_IN)
