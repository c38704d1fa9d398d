"""What is read in training is what is read in serving, and the answer alone is learned: the same for every family."""

from pathlib import Path

import pytest
from families import FAMILIES
from tiny_training import AUTHOR_NAME, pairs

from llm_twin_assets.inference.prompts import messages
from llm_twin_assets.training.conversation import load_tokenizer
from llm_twin_assets.training.encoding import IGNORED, encode
from llm_twin_assets.training.spec import TrainingOutput, TrainingSpec

pytestmark = pytest.mark.parametrize("family", FAMILIES)


def test_serving_renders_the_prompt_that_training_learned_from(
    family: str, base: Path, adapted: dict[str, TrainingSpec]
) -> None:
    from transformers import AutoTokenizer

    trained_with, _ = load_tokenizer(base, AUTHOR_NAME)
    served_with = AutoTokenizer.from_pretrained(TrainingOutput(adapted[family].output).model)
    question, answer = pairs(1)[0]
    encoded = encode([(question, answer)], trained_with, AUTHOR_NAME, 256)
    sample = encoded.samples[0]

    served = served_with.apply_chat_template(
        messages(question, author_name=AUTHOR_NAME), add_generation_prompt=True, return_dict=True
    )["input_ids"]

    assert encoded.shifted == 0
    assert sample.input_ids[: len(served)] == served
    assert AUTHOR_NAME in served_with.decode(served)
    assert sample.labels[: len(served)] == [IGNORED] * len(served)
    assert answer in served_with.decode(sample.labels[-sample.learned :])


def test_the_answer_ends_in_the_token_that_stops_the_service(
    family: str, base: Path, adapted: dict[str, TrainingSpec]
) -> None:
    from transformers import AutoTokenizer

    served_with = AutoTokenizer.from_pretrained(TrainingOutput(adapted[family].output).model)
    sample = encode(pairs(1), load_tokenizer(base, AUTHOR_NAME)[0], AUTHOR_NAME, 256).samples[0]

    assert served_with.eos_token_id in sample.labels[-2:]  # some templates have a line end behind it
    assert served_with.pad_token_id is not None


def test_a_prompts_words_are_read_but_never_learned(family: str, base: Path) -> None:
    """The gradient of a loss by labels does not know the prompt as a target: other targets there change nothing."""
    import torch

    from llm_twin_assets.training.verification import load_model

    sample = encode(pairs(1), load_tokenizer(base, AUTHOR_NAME)[0], AUTHOR_NAME, 256).samples[0]
    model = load_model(base, base)
    start = len(sample.labels) - sample.learned
    logits = model(input_ids=torch.tensor([sample.input_ids])).logits[0]
    logits.retain_grad()

    torch.nn.functional.cross_entropy(logits[:-1], torch.tensor(sample.labels[1:])).backward()

    assert logits.grad is not None
    assert not logits.grad[: start - 1].any()
    assert logits.grad[start - 1 : -1].abs().sum(dim=-1).gt(0).all()


def test_scoring_the_answers_alone_costs_and_teaches_what_scoring_all_does(family: str, base: Path) -> None:
    """On a processor our head takes the place of TRL's; two samples of different lengths, so that one is padded."""
    import torch
    from trl.trainer.utils import add_fused_lm_head

    from llm_twin_assets.training.answer_head import score_answers_alone
    from llm_twin_assets.training.verification import load_model

    tokenizer, _ = load_tokenizer(base, AUTHOR_NAME)
    short, long = encode([("Why?", "Count it."), pairs(1)[0]], tokenizer, AUTHOR_NAME, 256).samples
    room = len(long.labels) - len(short.labels)
    ids = torch.tensor([short.input_ids + [0] * room, long.input_ids])
    mask = torch.tensor([[1] * len(short.input_ids) + [0] * room, [1] * len(long.input_ids)])
    labels = torch.tensor([short.labels + [IGNORED] * room, long.labels])
    model = load_model(base, base).eval()
    add_fused_lm_head(model, outputs=("log_probs", "entropy", "is_top1"))
    heads: list[torch.Size] = []
    model.get_output_embeddings().register_forward_hook(lambda _, __, logits: heads.append(logits.shape))

    def scored() -> tuple[list[float], torch.Tensor]:
        model.zero_grad()
        output = model(input_ids=ids, attention_mask=mask, labels=labels, fused_lm_head=True)
        (-output.log_probs.sum()).backward()
        sums = [output.log_probs.sum(), output.entropy.sum(), output.is_top1.sum(), output.label_mask.sum()]
        return [float(each.detach()) for each in sums], torch.cat([each.grad.flatten() for each in model.parameters()])

    expected, gradient = scored()
    score_answers_alone(model)
    found, own_gradient = scored()

    assert found == pytest.approx(expected, rel=1e-4)
    assert torch.nn.functional.cosine_similarity(own_gradient, gradient, dim=0) > 1 - 1e-5
    assert float(own_gradient.norm()) == pytest.approx(float(gradient.norm()), rel=1e-4)
    assert [shape[1] for shape in heads] == [int((labels[:, 1:] != IGNORED).any(dim=0).sum())]
