"""The dataset card: what a dataset version holds, in the form that model hubs read."""

from collections.abc import Mapping
from typing import Any

from llm_twin_assets.domain.identity import Json
from llm_twin_assets.domain.preview import markdown_table

KINDS = {
    "title_opening": "a title → the opening of the article",
    "heading_section": "a heading → the section below it",
    "outline_section": "the outline of an article → one of its sections",
    "continuation": "a passage → what comes next",
    "question": "a question made of a heading → the section below it",
    "topic_post": "a topic → a post",
    "readme_opening": "the name of a project → the opening of its README",
    "readme_section": "a heading → the section of a README",
    "readme_code": "a heading → the code below it in a README",
    "docstring_code": "a docstring or comment → the definition",
    "commit": "a commit message → the diff",
    "correction": "a question that somebody asked → what the author wrote in the place of the answer",
    "back_translation": "an instruction that a teacher model found for a passage → the passage",
    "paraphrase": "an instruction in a teacher model's words → the same passage",
    "knowledge_question": "a teacher model's question → the sentences or paragraph that answer it",
}
# The hub's own steps: https://huggingface.co/docs/hub/datasets-cards, `size_categories`.
_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))


def card(manifest: Mapping[str, Json]) -> str:
    """README.md of a dataset version, with the YAML header that `datasets.load_dataset` understands."""
    import yaml

    found: Any = manifest
    header = yaml.safe_dump(_header(found), sort_keys=False, allow_unicode=True)
    splits = markdown_table(
        ("split", "documents", "samples"),
        [(split, len(ids), found["samples"].get(split, 0)) for split, ids in found["documents"].items()],
    )
    return f"""---
{header}---
# Instruct dataset of {found["author"]}

Version `{found["digest"]}`.

Every `answer` is the author's own text, verbatim: the characters `start` to `end` of the cleaned document
`document_id`. Only the `instruction` is made up.

{splits}

{_listed({f"{KINDS.get(kind, kind)} (`{kind}`)": count for kind, count in found["kinds"].items()})}

## Split

Documents were split before any sample was made, by a hash of their identity; near-duplicates lie together, as strictly
as the most sealed of them would by itself ({len(found["clusters"])} such clusters). What was sealed once stays sealed
in every later version: training and parameter search never read the test split. `test_documents.parquet` holds its
documents whole (configuration `sealed_documents`).

## Decontamination

A sample goes if it shares 13 words in a row with a document of a more sealed split, or too large a share of its
8-grams.

{_decontamination(found["decontamination"])}

## Left out

{_listed(found["dropped"]) or "Nothing."}

## Tiers

Each holds the one before it; the column `tier` names the smallest one that a sample is in. Every beginning is balanced
over documents and kinds. This version holds `{found["settings"]["tier"]}`.

{_listed({f"`{tier}`, train samples": count for tier, count in found["tiers"].items()})}
"""


def _header(manifest: Mapping[str, Any]) -> dict[str, Any]:
    samples = sum(manifest["samples"].values())
    # `datasets` knows no empty split.
    files = [
        {"split": split, "path": f"{split}.parquet"}
        for split in manifest["documents"]
        if manifest["samples"].get(split)
    ]
    sealed = [{"split": "test", "path": "test_documents.parquet"}] if manifest["documents"]["test"] else []
    return {
        "pretty_name": f"Instruct dataset of {manifest['author']}",
        "language": list(manifest["languages"]),
        "task_categories": ["text-generation"],
        "size_categories": [next((name for size, name in _SIZES if samples < size), "1M<n<10M")],
        "configs": [
            {"config_name": name, "data_files": paths}
            for name, paths in (("default", files), ("sealed_documents", sealed))
            if paths
        ],
    }


def _decontamination(report: Mapping[str, Mapping[str, int]]) -> str:
    header = ("splits", "samples", "dropped for a 13-gram", "dropped for 8-grams", "kept with some 8-gram")
    return markdown_table(header, [(pair, *counts.values()) for pair, counts in report.items()])


def _listed(counts: Mapping[str, int]) -> str:
    return "\n".join(f"- {name}: {count}" for name, count in counts.items())
