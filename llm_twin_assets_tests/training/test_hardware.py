from pathlib import Path

import pytest

from llm_twin_assets.training.hardware import machine_memory, this_machine


def write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def test_a_containers_limit_counts_and_not_its_machines_memory(tmp_path: Path) -> None:
    write(tmp_path / "sys/fs/cgroup/memory.max", "1000000\n")

    assert machine_memory(tmp_path) == 1_000_000


def test_the_narrowest_of_nested_limits_counts(tmp_path: Path) -> None:
    write(tmp_path / "proc/self/cgroup", "0::/pod/container\n")
    write(tmp_path / "sys/fs/cgroup/pod/memory.max", "2000000\n")
    write(tmp_path / "sys/fs/cgroup/pod/container/memory.max", "max\n")

    assert machine_memory(tmp_path) == 2_000_000


def test_the_first_version_of_control_groups_counts_too(tmp_path: Path) -> None:
    write(tmp_path / "sys/fs/cgroup/memory/memory.limit_in_bytes", "3000000\n")

    assert machine_memory(tmp_path) == 3_000_000


def test_without_limits_it_is_what_is_installed(tmp_path: Path) -> None:
    write(tmp_path / "sys/fs/cgroup/memory.max", "max\n")

    assert machine_memory(tmp_path) > 10**8


def test_every_process_on_a_processor_is_a_device(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)

    assert this_machine().processes == 1
    assert this_machine(2).processes == 2
    assert this_machine().on_cpu
