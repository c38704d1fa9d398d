"""The card of a version of preference pairs, in the form that model hubs read."""

from collections.abc import Mapping
from typing import Any

from llm_twin_assets.domain.identity import Json


def card(manifest: Mapping[str, Json]) -> str:
    """README.md of a version, with the YAML header that `datasets.load_dataset` understands."""
    import yaml

    found: Any = manifest
    header = yaml.safe_dump(_header(found), sort_keys=False, allow_unicode=True)
    return f"""---
{header}---
# Preference pairs of {found["author"]}

Version `{found["digest"]}`, made of the instruct dataset `{found["dataset"] or "(none)"}`.

{_said(found)}

- `default`: `prompt`, `chosen`, `rejected` as plain text.
- `conversational`: the same as conversations, which TRL's DPOTrainer reads as they are.
- `thumbs`: `prompt`, `completion`, `label`, for KTO.

## Left out

{_listed(found["dropped"]) or "Nothing."}
"""


def _said(manifest: Any) -> str:  # noqa: ANN401 - JSON
    if manifest["why_empty"]:
        return f"It is empty: {manifest['why_empty']}."
    pairs, thumbs = manifest["pairs"], manifest["thumbs"]
    rejected = ", ".join(manifest["rejected_by"]) or "nobody"
    return f"""{pairs["train"]} pairs to train on and {pairs["validation"]} to validate with; {thumbs["up"]} thumbs up \
and {thumbs["down"]} down.

`chosen` is the author's own text, verbatim: the characters `start` to `end` of the cleaned document `document_id`; in
a pair of the source `correction` it is what the answer was corrected to, and has no document. `rejected` is what a
model answered to the same prompt (here: {rejected}), cut at the end of a sentence where it was longer: neither has more
than {manifest["settings"]["length_ratio"]} times the words of the other. No pair is of a sealed document."""


def _header(manifest: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    if manifest["why_empty"]:
        return {"pretty_name": f"Preference pairs of {manifest['author']}"}
    kept = [split for split, count in manifest["pairs"].items() if count]
    configs = [
        {
            "config_name": name,
            **({"default": True} if name == "default" else {}),
            "data_files": [{"split": split, "path": f"{folder}{split}.parquet"} for split in kept],
        }
        for name, folder in (("default", ""), ("conversational", "conversational/"))
        if kept
    ]
    if any(manifest["thumbs"].values()):
        configs.append({"config_name": "thumbs", "data_files": [{"split": "train", "path": "thumbs.parquet"}]})
    return {
        "pretty_name": f"Preference pairs of {manifest['author']}",
        "task_categories": ["text-generation"],
        "tags": ["dpo", "trl"],
        "configs": configs,
    }


def _listed(counts: Mapping[str, int]) -> str:
    return "\n".join(f"- {name}: {count}" for name, count in counts.items())
