"""Batch answers as a file for other programs."""

import csv
import json
from pathlib import Path
from typing import Any

from llm_twin_assets.batch.answers import BATCH_ANSWERS_SCHEMA, BATCH_ANSWERS_TABLE
from resources.warehouse import Warehouse


def export(warehouse: Warehouse, author: str, out: Path) -> int:
    """Write an author's answers as CSV or, by any other name, as JSON lines; returns how many."""
    found = warehouse.read(BATCH_ANSWERS_TABLE, author).to_pylist()
    rows = [{**row, "answered_at": row["answered_at"].isoformat()} for row in found]
    rows.sort(key=lambda row: row["question_id"])
    with out.open("w", encoding="utf-8", newline="") as file:
        if out.suffix.lower() == ".csv":
            writer = csv.DictWriter(file, BATCH_ANSWERS_SCHEMA.names)
            writer.writeheader()
            writer.writerows(rows)
        else:
            file.writelines(f"{_json(row)}\n" for row in rows)
    return len(rows)


def _json(row: dict[str, Any]) -> str:
    return json.dumps({**row, "citations": json.loads(row["citations"])}, ensure_ascii=False)
