"""Packing changes no loss and no gradient, or it is not done."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from conftest import Order
from families import FAMILIES
from tiny_training import AUTHOR_NAME, pairs

from llm_twin_assets.training.conversation import load_tokenizer
from llm_twin_assets.training.distributed import uses_every_weight
from llm_twin_assets.training.encoding import Encoded, encode
from llm_twin_assets.training.hardware import Hardware
from llm_twin_assets.training.packing import Rows, why_not_packed
from llm_twin_assets.training.plan import TrainingPlan
from llm_twin_assets.training.train import train
from llm_twin_assets.training.verification import load_model

if TYPE_CHECKING:
    import torch

PACKING = [name for name, family in FAMILIES.items() if family.packs]


def loss_and_gradient(base: Path, plan: TrainingPlan, folder: Path, *, packing: bool) -> tuple[float, "torch.Tensor"]:
    """Of one batch with all samples, through the trainer's own collator and loss."""
    # Here, since every worker reads every test file, and these take ten seconds.
    import torch

    from llm_twin_assets.training.trainer import make_trainer

    tokenizer, _ = load_tokenizer(base, AUTHOR_NAME)
    samples = encode(pairs(6), tokenizer, AUTHOR_NAME, plan.max_length).samples
    rows = Rows.laid_out(samples, plan, packing=packing)
    nothing = Encoded(())
    hardware = Hardware("cpu", "float32", 1)
    model = load_model(base, base)
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):  # GPT-2 has some: each layout would draw its own
            module.p = 0.0
    trainer = make_trainer(model, plan, rows, nothing, tokenizer, folder, hardware)
    batch = trainer.data_collator([trainer.train_dataset[index] for index in range(len(trainer.train_dataset))])
    trainer.model.train()
    loss = trainer.compute_loss(trainer.model, batch, num_items_in_batch=sum(sample.learned for sample in samples))
    loss.backward()
    gradients = [each.grad.flatten() for each in trainer.model.parameters() if each.grad is not None]
    return float(loss), torch.cat(gradients)


@pytest.mark.parametrize("family", PACKING)
def test_packed_samples_cost_and_teach_what_they_do_alone(
    family: str, base: Path, order: Order, tmp_path: Path
) -> None:
    import torch

    plan = order(method="full", batch_size=6).plan

    loss, gradient = loss_and_gradient(base, plan, tmp_path / "alone", packing=False)
    packed_loss, packed_gradient = loss_and_gradient(base, plan, tmp_path / "packed", packing=True)

    assert packed_loss == pytest.approx(loss, rel=1e-5)
    assert torch.nn.functional.cosine_similarity(gradient, packed_gradient, dim=0) > 1 - 1e-6
    assert float(packed_gradient.norm()) == pytest.approx(float(gradient.norm()), rel=1e-4)


@pytest.mark.parametrize("family", FAMILIES)
def test_it_is_known_of_an_architecture_whether_it_packs(family: str, base: Path) -> None:
    why_not = why_not_packed(load_model(base, base), "float32")

    assert (why_not is None) is FAMILIES[family].packs


@pytest.mark.parametrize("family", FAMILIES)
def test_only_a_mixture_may_leave_weights_without_a_gradient(family: str, base: Path) -> None:
    assert uses_every_weight(load_model(base, base)) is (family != "gpt_oss")


@pytest.mark.parametrize("family", ["gpt_oss"])
def test_where_packing_would_leak_it_is_off_and_it_is_said(family: str, order: Order) -> None:
    metrics = train(order(packing=True, method="lora"), lambda line: None)

    assert not metrics.packed
    assert any("packing is off: samples in one row see one another" in note for note in metrics.notes)


@pytest.mark.parametrize("family", ["llama"])
def test_a_packed_training_makes_as_many_steps_from_the_same_samples(family: str, order: Order) -> None:
    alone = train(order(max_steps=-1, epochs=1), lambda line: None)
    packed = train(order(max_steps=-1, epochs=1, packing=True), lambda line: None)

    assert packed.packed
    assert packed.samples == alone.samples == 8
    assert packed.steps == alone.steps == 2
    assert packed.tokens <= alone.tokens
