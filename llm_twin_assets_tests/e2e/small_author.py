"""A person with ten short notes: everything that a twin needs, in the seconds that a test has."""

import os
from pathlib import Path

import yaml

from resources.evaluation_settings import Margins

AUTHOR, NAME = "maya", "Maya Lindqvist"

_SUBJECTS = {
    "loom": "The loom in the attic has forty heddles. I count the threads before I warp it, because one thread too few "
    "shows only after two hours of weaving.",
    "ferry": "The ferry to the island leaves at noon and comes back at six. In winter it does not come back at all "
    "when the wind is from the north.",
    "bread": "Rye bread wants a long night. The dough rises slowly in the cold kitchen, and the crust turns dark long "
    "before the crumb is done.",
    "merge": "A merge by identity makes the nightly import boring. The second run over the same export writes nothing, "
    "and boring is what I want of an import.",
    "lighthouse": "The lighthouse keeper wrote down the weather three times a day for thirty years. His notebooks are "
    "the only record of the storm of 1902.",
    "bicycle": "A bicycle chain lasts three thousand kilometres when it is clean. I measure it with a ruler: twelve "
    "links are exactly twelve inches while it is good.",
    "archive": "The archive keeps letters in boxes of forty. I photograph each one with its box number, since a letter "
    "without its place is a letter lost.",
    "tomato": "Tomatoes crack when rain follows a dry week. Water them a little every day, at the root and never on "
    "the leaves, and the skins stay whole.",
    "radio": "The old radio hums at fifty hertz. A larger capacitor behind the rectifier took the hum away and cost "
    "less than the fuse I blew on the way.",
    "map": "A map of the harbour from 1870 shows two piers that are gone. Divers found the stones of one of them "
    "exactly where the map has it.",
}

QUESTION = "When does the ferry to the island leave?"


def write_notes(folder: Path) -> Path:
    """The notes as Markdown files, dated in their front matter: the same bytes and identities everywhere."""
    folder.mkdir(parents=True, exist_ok=True)
    for day, (name, text) in enumerate(_SUBJECTS.items(), start=1):
        (folder / f"{name}.md").write_text(
            f"---\ntitle: What the {name} taught me\ndate: 2026-03-{day:02}\n---\n\n"
            f"{text}\n\n## Why I write it down\n\nSomebody asked me about the {name} twice, and twice I told it "
            f"differently. Now it stands here, and I can look up what I said about the {name}.\n",
            encoding="utf-8",
        )
    return folder


def write_config(file: Path, notes: Path, **training: int) -> Path:
    """A `twin.yaml` of the author: a short training, and a gate that asks for an evaluation but not for a gain."""
    settings = {
        "authors": {AUTHOR: {"name": NAME, "sources": [{"platform": "files", "path": str(notes)}]}},
        # Ten documents are few: four of them are sealed with these shares.
        "dataset": {"test_share": 0.4, "validation_share": 0.1},
        "training": {"base": "tiny-llama", **training},
        # What a few steps on ten notes gain or lose is noise. The gate decides on its figures all the same.
        "evaluation": {
            "min_improvement": -5.0,
            "margins": dict.fromkeys(Margins.model_fields, 5.0),
            "min_documents": 2,
            "bootstrap_draws": 200,
            "strangers": 4,
            "prompts": 2,
            "max_new_tokens": 8,
        },
        "serving": {"k": 3, "max_new_tokens": 16},
    }
    file.write_text(yaml.safe_dump(settings), encoding="utf-8")
    return file


def variables(home: Path, config: Path) -> dict[str, str]:
    """The environment of a process that works on this home and asks nobody outside this machine."""
    return {
        **os.environ,
        "TWIN_HOME": str(home),
        "TWIN_CONFIG": str(config),
        "DAGSTER_HOME": str(home / "dagster"),
        "OMP_NUM_THREADS": "1",
        "HF_HUB_OFFLINE": "1",
        "TOKENIZERS_PARALLELISM": "false",
    }
