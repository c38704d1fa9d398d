"""`twin plan`: what fits where, as a table or as JSON, and the files that launch it."""

import json
from pathlib import Path

from llm_twin_assets_tests.commands.typed import Twin, said


def test_a_base_that_fits_says_how_and_what_takes_the_memory(twin: Twin) -> None:
    shown = twin("plan", "--base", "llama-2-7b", "--gpus", "24GB").stdout

    assert "fits: 15." in shown
    assert "the base's weights             13.48 GB" in shown


def test_json_has_the_same_figures_in_bytes(twin: Twin, tmp_path: Path) -> None:
    arguments = (
        "plan",
        "--parameters",
        "70B",
        "--method",
        "lora",
        "--gpus",
        "8x80GB,2",
        "--write",
        str(tmp_path),
        "--json",
    )
    planned = json.loads(twin(*arguments).stdout)

    assert (planned["strategy"], planned["nodes"], planned["processes"]) == ("fsdp2", 2, 16)
    assert abs(sum(planned["bytes"].values()) - planned["total_bytes"]) < 10  # rounded one by one
    assert planned["total_bytes"] < planned["device_bytes"]
    assert Path(planned["config"]).is_file()


def test_without_a_base_all_usual_sizes_are_shown(twin: Twin) -> None:
    shown = twin("plan", "--gpus", "80GB").stdout
    found = json.loads(twin("plan", "--gpus", "80GB", "--json").stdout)

    assert [line.split()[0] for line in shown.splitlines() if line[:1].isdigit()] == ["7B", "14B", "30B", "70B"]
    assert {entry["strategy"] for entry in found if entry["size"] == "7B"} == {"single", None}
    assert len(found) == 12


def test_preferences_take_a_copy_of_the_adapter_and_two_answers_at_once(twin: Twin) -> None:
    arguments = ("plan", "--base", "llama-2-7b", "--gpus", "24GB", "--json")
    alone, held = (json.loads(twin(*arguments, *more).stdout) for more in ((), ("--preferences",)))

    assert held["bytes"]["adapter"] == 2 * alone["bytes"]["adapter"]
    assert (alone["batch"], held["batch"]) == (1, 2)
    assert held["total_bytes"] > alone["total_bytes"]


def test_what_does_not_fit_is_one_line_that_names_what_would(twin: Twin) -> None:
    line = said(twin("plan", "--parameters", "70B", "--gpus", "80GB"))

    assert "does not fit into 1×80.0 GB" in line
    assert "What would fit: qlora (4" in line


def test_what_cannot_be_read_is_one_line(twin: Twin) -> None:
    assert "names no GPUs" in said(twin("plan", "--base", "llama-2-7b", "--gpus", "many"))
    assert "no number of machines" in said(twin("plan", "--base", "llama-2-7b", "--gpus", "8x80GB,two"))
    assert "reads 1024 tokens at most" in said(twin("plan", "--base", "tiny-llama", "--context", "2048"))
    assert "is not known here" in said(twin("plan", "--base", "nobody/nothing", "--gpus", "24GB"))
