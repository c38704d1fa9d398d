"""What a training runs on and what it takes; a GPU's counter is read where there is one."""

from pathlib import Path

from llm_twin_assets.training.energy import EnergyMeter, hardware_name, processor
from llm_twin_assets.training.provenance import template_digest


def test_energy_is_what_the_counter_went_up_by() -> None:
    readings = iter([1000.0, 1000.0 + 250.04])
    assert EnergyMeter(lambda: next(readings)).joules() == 250.0


def test_what_is_not_counted_is_not_made_up() -> None:
    readings = iter([1000.0, None])
    assert EnergyMeter(lambda: next(readings)).joules() is None
    assert EnergyMeter(lambda: None).joules() is None


def test_the_hardware_has_a_name(tmp_path: Path) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text("processor : 0\nmodel name\t: Fast Processor 9\nmodel name\t: Fast Processor 9\n")
    assert processor(cpuinfo) == "Fast Processor 9"
    assert processor(tmp_path / "none")
    assert hardware_name()


def test_a_template_has_a_digest_wherever_it_stands(tmp_path: Path) -> None:
    (tmp_path / "tokenizer_config.json").write_text('{"chat_template": "{{ messages }}"}')
    in_config = template_digest(tmp_path)
    (tmp_path / "tokenizer_config.json").write_text("{}")
    assert template_digest(tmp_path) == ""
    (tmp_path / "chat_template.jinja").write_text("{{ messages }}")
    assert template_digest(tmp_path) == in_config
