"""Trainings that are run once and looked at by many tests."""

import os
from pathlib import Path

# Before anything imports torch: small matrices are slower on two threads, and no test may ask a hub.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import pytest
from tiny_training import pairs, save_base, spec_for, write_dataset

from llm_twin_assets.training.spec import TrainingSpec
from llm_twin_assets.training.train import train


@pytest.fixture(scope="session")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_base(tmp_path_factory.mktemp("bases") / "llama")


@pytest.fixture(scope="session")
def gpt2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_base(tmp_path_factory.mktemp("bases") / "gpt2", "gpt2")


@pytest.fixture(scope="session")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_dataset(tmp_path_factory.mktemp("dataset"), pairs(24), pairs(30)[24:])


@pytest.fixture(scope="session")
def trained(llama: Path, dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> TrainingSpec:
    """A LoRA training of six steps on the Llama, run in this process; its output stands at `spec.output`."""
    spec = spec_for(llama, dataset, tmp_path_factory.mktemp("trained") / "output")
    train(spec, lambda line: None)
    return spec
