"""Which family a language model is of: judges favour their own style (Panickssery et al., NeurIPS 2024)."""

import json
import re
from pathlib import Path

from resources.errors import ConfigurationError
from resources.judge_settings import Judge

# By what stands in a model's name; those of one maker are one family.
_FAMILIES = {
    "claude": r"claude",
    "cohere": r"command-?[ra]|aya|c4ai|cohere",
    "deepseek": r"deepseek",
    "falcon": r"falcon",
    "glm": r"glm",
    "google": r"gemma|gemini|palm",
    "gpt": r"gpt|(?<![a-z0-9])o[134](?![a-z0-9])|davinci",
    "granite": r"granite",
    "grok": r"grok",
    "kimi": r"kimi|moonlight",
    "llama": r"llama|vicuna|alpaca",
    "mistral": r"mistral|mixtral|ministral|codestral|devstral|magistral|pixtral|zephyr",
    "nova": r"(?:amazon|aws).*nova",
    "olmo": r"olmo",
    "phi": r"(?<![a-z])phi(?![a-z])",
    "qwen": r"qwen|qwq",
    "smollm": r"smollm",
    "yi": r"(?<![a-z])yi(?![a-z])",
}


def families(name: str) -> frozenset[str]:
    """Every family that a name speaks of: a distilled model has two."""
    return frozenset(family for family, pattern in _FAMILIES.items() if re.search(pattern, name.lower()))


def candidate_families(base: str, folder: Path) -> frozenset[str]:
    """The families of a candidate by the name of its base and the architecture of its files."""
    config = folder / "config.json"
    stated = json.loads(config.read_text(encoding="utf-8")) if config.is_file() else {}
    return families(base) | families(str(stated.get("model_type", "")))


def check_family(judge: Judge, candidate: frozenset[str]) -> None:
    """Raises `ConfigurationError` where the judge is of the candidate's family, or of none that is known."""
    own = frozenset({judge.family.lower()}) if judge.family else families(judge.model)
    if not own:
        raise ConfigurationError(
            f"the family of the judge '{judge.model}' is not known",
            where="twin.yaml: evaluation.judge",
            mend="Say it: `family: qwen`, for example.",
        )
    if shared := sorted(own & candidate):
        raise ConfigurationError(
            f"the judge '{judge.model}' is of the candidate's own family ({', '.join(shared)})",
            where="twin.yaml: evaluation.judge",
            mend="Name a judge of another family: a model favours what it could have written itself.",
        )
