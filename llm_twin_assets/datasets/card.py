"""The dataset card: what a dataset version holds, in the form that model hubs read."""

from typing import cast

from llm_twin_assets.domain.identity import Json

_KINDS = {
    "title_opening": "a title → the opening of the article",
    "heading_section": "a heading → the section below it",
    "topic_post": "a topic → a post",
    "docstring_code": "a docstring → the function",
}


def card(manifest: dict[str, Json]) -> str:
    """README.md of a dataset version, with the YAML header that `datasets.load_dataset` understands."""
    samples = cast("dict[str, int]", manifest["samples"])
    kinds = cast("dict[str, int]", manifest["kinds"])
    documents = cast("dict[str, list[str]]", manifest["documents"])
    files = "\n".join(f"  - split: {split}\n    path: {split}.parquet" for split in documents)
    splits = "\n".join(f"| {split} | {len(ids)} | {samples.get(split, 0)} |" for split, ids in documents.items())
    made_of = "\n".join(f"- {_KINDS.get(kind, kind)}: {count}" for kind, count in sorted(kinds.items()))
    return f"""---
configs:
- config_name: default
  data_files:
{files}
---
# Instruct dataset of {manifest["author"]}

Version `{manifest["digest"]}`.

Every `answer` is the author's own text, verbatim: the characters `start` to `end` of the cleaned document
`document_id`. Only the `instruction` is made up, by rule, without a model.

| split | documents | samples |
|---|---|---|
{splits}

{made_of}

Documents were split before any sample was made, by a hash of their identity, so that a document never changes
sides. The test split is sealed: training and parameter search never read it. `test_documents.parquet` holds its
documents whole.
"""
