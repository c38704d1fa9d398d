"""tiny-llama: the shipped folder works as a base model, and its corpus takes only what it may."""

from __future__ import annotations

import json
from email.message import Message
from pathlib import Path
from typing import Any

import pytest

from llm_twin_assets.training import tiny_llama
from llm_twin_assets.training.tiny_llama.corpus import collect
from llm_twin_assets.training.tiny_llama.licences import permissive_licence
from llm_twin_assets.training.tiny_llama.prose import clean, is_prose, without_repeats
from llm_twin_assets.training.tiny_llama.tokenizer import END, ROLES, SPECIAL_TOKENS

FOLDER = Path(tiny_llama.__file__).parent
MODEL = FOLDER / "model"
SUBJECTS = ("release", "queue", "document", "partition", "schedule", "snapshot")


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(MODEL)


@pytest.fixture(scope="module")
def model() -> Any:
    import torch
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(MODEL, dtype=torch.float32)


def test_folder_is_small_and_complete() -> None:
    names = {path.name for path in MODEL.iterdir()}
    assert {
        "config.json",
        "generation_config.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
    } <= names
    shipped = [path for path in FOLDER.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    assert sum(path.stat().st_size for path in shipped) <= 16 * 1024**2
    assert "chat_template" in json.loads((MODEL / "tokenizer_config.json").read_text())


def test_no_path_of_the_building_machine_is_left() -> None:
    for path in (*MODEL.glob("*.json"), *FOLDER.glob("*.md"), *FOLDER.glob("*.csv")):
        text = path.read_text(encoding="utf-8")
        assert str(FOLDER) not in text, path.name
        assert f"{Path.home()}/" not in text, path.name


def test_special_tokens_are_single_ids(tokenizer: Any) -> None:
    for token in SPECIAL_TOKENS:
        assert tokenizer(token, add_special_tokens=False)["input_ids"] == [tokenizer.convert_tokens_to_ids(token)]
    assert tokenizer.eos_token == END


def test_tokenizer_returns_any_text_unchanged(tokenizer: Any) -> None:
    text = "  Año 2024:\n\n\tdef f(x):\n        return x  # ünïcode 🙂 \n"
    assert tokenizer.decode(tokenizer(text, add_special_tokens=False)["input_ids"]) == text


@pytest.mark.parametrize(
    "answer", ["Plain words.", "\n\nstarts with newlines", "    indented code", "12 digits", "\tx"]
)
def test_template_preserves_prefixes_in_characters_and_tokens(tokenizer: Any, answer: str) -> None:
    prompt = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Explain `queue.Queue`."}]
    before = tokenizer.apply_chat_template(prompt, tokenize=False, add_generation_prompt=True)
    after = tokenizer.apply_chat_template([*prompt, {"role": "assistant", "content": answer}], tokenize=False)
    assert after == before + answer + "<|end|>\n"
    ids_before = tokenizer(before, add_special_tokens=False)["input_ids"]
    assert tokenizer(after, add_special_tokens=False)["input_ids"][: len(ids_before)] == ids_before
    assert all(f"<|{role}|>\n" in after for role in ROLES)


def test_greedy_generation_gives_finite_text(model: Any, tokenizer: Any) -> None:
    import torch

    chat = tokenizer.apply_chat_template(
        [{"role": "user", "content": "Explain `queue.Queue`."}],
        add_generation_prompt=True,
        return_tensors="pt",
        return_dict=True,
    )
    assert torch.isfinite(model(**chat).logits).all()
    ids = model.generate(**chat, max_new_tokens=48, do_sample=False)[0, chat["input_ids"].shape[1] :]
    assert 0 < len(ids) <= 48
    assert tokenizer.decode(ids, skip_special_tokens=True).strip()


def test_model_stops_at_the_end_of_an_answer_or_a_document(model: Any, tokenizer: Any) -> None:
    stops = model.generation_config.eos_token_id
    assert stops == [tokenizer.convert_tokens_to_ids(token) for token in ("<|end|>", "<|eos|>")]


def install(site: Path, name: str, licence: str, module: str, text: str) -> None:
    """A minimal installed distribution: one module with one docstring."""
    (site / module).parent.mkdir(parents=True, exist_ok=True)
    (site / module).write_text(f'"""{text}"""\n', encoding="utf-8")
    info = site / f"{name}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.4\nName: {name}\nVersion: 1.0\nLicense-Expression: {licence}\n"
    )
    (info / "RECORD").write_text(f"{module},,\n{info.name}/METADATA,,\n")


def prose(subject: str) -> str:
    return (
        f"Explains how a {subject} is kept in order when many writers work on it at the same time.\n\n"
        f"A {subject} is read by its owner and written by the others, so that it is never in two states at once. "
        f"If the {subject} cannot be written, the call waits for it."
    )


@pytest.fixture
def site(tmp_path: Path) -> Path:
    for subject in SUBJECTS:
        install(tmp_path, f"free-{subject}", "MIT", f"free_{subject}/__init__.py", prose(subject))
    install(tmp_path, "copyleft", "GPL-3.0-only", "copyleft/__init__.py", prose("copyleft"))
    install(tmp_path, "either", "MIT AND MPL-2.0", "either/__init__.py", prose("either"))
    install(tmp_path, "llm-twin", "MIT", "llm_twin_assets/domain/ids.py", prose("own code"))
    install(tmp_path, "stranger", "MIT", "resources/warehouse.py", prose("resource"))
    install(tmp_path, "essays", "MIT", "essays/corpora/one.py", prose("corpus"))
    return tmp_path


def test_collector_takes_permissive_packages_and_nothing_of_ours(site: Path) -> None:
    corpus = collect(seed=1, search_path=[str(site)], standard_library=False)
    assert [source.package for source in corpus.sources] == sorted(f"free-{subject}" for subject in SUBJECTS)
    texts = "".join(document.text for document in (*corpus.train, *corpus.validation))
    for stranger in ("copyleft", "either", "own code", "resource", "corpus"):
        assert f"a {stranger} is" not in texts
    assert corpus.bytes == len(texts.encode())


def test_collector_order_depends_on_the_seed_alone(site: Path) -> None:
    def names(seed: int) -> list[str]:
        return [document.name for document in collect(seed, [str(site)], standard_library=False).train]

    assert names(1) == names(1)
    assert len({tuple(names(seed)) for seed in range(4)}) > 1


def test_collector_drops_the_same_text_in_a_second_package(site: Path) -> None:
    install(site, "zcopy", "MIT", "zcopy/__init__.py", prose("queue"))
    corpus = collect(seed=1, search_path=[str(site)], standard_library=False)
    assert "zcopy" not in {source.package for source in corpus.sources}


@pytest.mark.parametrize(
    ("fields", "permissive"),
    [
        ({"License-Expression": "MIT OR Apache-2.0"}, True),
        ({"License-Expression": "Apache-2.0 AND Apache-2.0 WITH LLVM-exception"}, True),
        ({"License-Expression": "MPL-2.0 AND MIT"}, False),
        ({"License": "New BSD"}, True),
        ({"License": "LGPL with exceptions"}, False),
        ({"License": "UNKNOWN", "Classifier": "License :: OSI Approved :: Apache Software License"}, True),
        ({"License": "MIT", "Classifier": "License :: OSI Approved :: GNU General Public License (GPL)"}, False),
        ({"License": "Elastic-2.0"}, False),
        ({}, False),
    ],
)
def test_licence_metadata(fields: dict[str, str], permissive: bool) -> None:
    metadata = Message()
    for key, value in fields.items():
        metadata[key] = value
    assert (permissive_licence(metadata) is not None) is permissive


def test_prose_filter() -> None:
    assert is_prose(prose("queue"))
    assert not is_prose("\n".join(f"{row} 0.{row}1 0.{row}2 0.{row}3" for row in range(40)))
    assert not is_prose(">>> f(1)\n2\n" * 20)
    badge = "[![build](https://example.org/badge.svg)](https://example.org)"
    assert clean(f"{badge}\n\nWords.\n\n{'QUJD' * 40}\n\nCopyright 2020 A. Nyone") == "Words."


def test_repeated_paragraphs_are_dropped_once_seen() -> None:
    seen: set[bytes] = set()
    shared = "This paragraph of boilerplate stands in every one of the many generated clients."
    assert without_repeats(f"First.\n\n{shared}", seen) == f"First.\n\n{shared}"
    assert without_repeats(f"Second.\n\n{shared}", seen) == "Second."
