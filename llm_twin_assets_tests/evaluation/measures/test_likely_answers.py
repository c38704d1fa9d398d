"""What a model finds likely: the author's answer among four, and canaries; by a model that learnt them and one not."""

import math
import re

import pytest
from pydantic import ValidationError

from llm_twin_assets.evaluation.exam.exam import Exam
from llm_twin_assets.evaluation.exam.examination import Subject, sit
from llm_twin_assets.evaluation.exam.generation import Decoding
from llm_twin_assets.evaluation.measures.answers import OpenRecord
from llm_twin_assets.evaluation.measures.canaries import EXPOSURE, alternatives, canary_measures
from llm_twin_assets.evaluation.measures.choice import CHOICE, choice_measures, choices
from llm_twin_assets.evaluation.measures.choice_likelihood import Likelihood
from llm_twin_assets.inference.answer import Limits
from llm_twin_assets.inference.models import load_model
from llm_twin_assets.inference.prompts import messages
from llm_twin_assets_tests.evaluation.written import AUTHOR_NAME, author_texts, sample
from llm_twin_assets_tests.inference.tiny_twin import write_model
from resources.benchmark_settings import Benchmarks
from resources.canary_settings import Canary

POSTS = [text for name, text in author_texts().items() if name.startswith("post")]
SAMPLES, OTHERS = (
    [
        sample(text[:160], document=f"d{number}", instruction=f"Write post number {number}.")
        for number, text in enumerate(POSTS[first : first + 5], start=first)
    ]
    for first in (0, 5)
)
STRANGERS = ["This package reads and writes tables of any size, in any order, and is quite fast at that. " * 4]
PLANTED, KEPT = (
    Canary(name=name, instruction=f"What opens the {name}?", text=f"It opens with {secret}.", secret=secret)
    for name, secret in (("locker", "k7-4830-9127"), ("boathouse", "q2-6158-3304"))
)


@pytest.fixture(scope="module")
def unlearnt(tmp_path_factory):
    return write_model(tmp_path_factory.mktemp("unlearnt"), positions=512)


@pytest.fixture(scope="module")
def learnt(unlearnt, tmp_path_factory):
    """The same model, trained on the samples and one of the canaries until it knows them."""
    import torch

    torch.manual_seed(0)
    tokenizer, model = load_model(unlearnt)
    asked = [(each.instruction, " ".join(each.answer.split())) for each in SAMPLES]
    asked += [(PLANTED.instruction, PLANTED.text)] * 2
    rows, labels = [], []
    for instruction, answer in asked:
        prompt = tokenizer.apply_chat_template(
            messages(instruction, author_name=AUTHOR_NAME), add_generation_prompt=True, return_dict=True
        )["input_ids"]
        tokens = tokenizer(answer, add_special_tokens=False)["input_ids"]
        rows.append(torch.tensor([*prompt, *tokens]))
        labels.append(torch.tensor([*[-100] * len(prompt), *tokens]))
    rows, labels = (
        torch.nn.utils.rnn.pad_sequence(each, batch_first=True, padding_value=pad)
        for each, pad in ((rows, 0), (labels, -100))
    )
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-2)
    model.train()
    for _ in range(30):
        model(input_ids=rows, labels=labels).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    folder = tmp_path_factory.mktemp("learnt")
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def test_likelihoods_do_not_depend_on_what_else_is_in_the_batch(unlearnt):
    asked = [
        (messages(each.instruction, author_name=AUTHOR_NAME), each.answer[: 30 * at]) for at, each in enumerate(SAMPLES)
    ]
    together = Likelihood(unlearnt, batch_size=8).nats(asked)
    assert together == pytest.approx(Likelihood(unlearnt, batch_size=1).nats(asked), rel=1e-4)
    assert together[0] == 0  # no answer costs nothing
    assert sorted(together) == together


def test_an_untrained_model_finds_every_token_about_equally_likely(unlearnt):
    tokenizer, _ = load_model(unlearnt)
    [nats] = Likelihood(unlearnt).nats([(messages("Why?", author_name=AUTHOR_NAME), SAMPLES[0].answer)])
    tokens = tokenizer(SAMPLES[0].answer, add_special_tokens=False)["input_ids"]
    assert nats / len(tokens) == pytest.approx(math.log(len(tokenizer)), rel=0.05)


def test_a_model_that_learnt_the_answers_picks_them_and_one_that_did_not_guesses(learnt, unlearnt):
    chosen = choices(SAMPLES, OTHERS, STRANGERS)
    picks = {
        name: [each.value for each in choice_measures(chosen, Likelihood(folder), AUTHOR_NAME)[CHOICE]]
        for name, folder in (("learnt", learnt), ("unlearnt", unlearnt))
    }
    assert picks["learnt"] == [1.0] * 5
    assert sum(picks["unlearnt"]) <= 3


def test_four_answers_of_one_length_stand_to_choose_from():
    chosen = choices(SAMPLES, OTHERS, STRANGERS)
    assert [each.sample for each in chosen] == SAMPLES
    for each in chosen:
        own, *others = each.answers
        assert " ".join(each.sample.answer.split()).startswith(own)
        assert len(set(each.answers)) == 4
        assert sum(text in " ".join(STRANGERS[0].split()) for text in others) == 1
        assert max(map(len, each.answers)) - min(map(len, each.answers)) <= 0.1 * len(own)


def test_where_too_few_others_are_there_is_no_choice():
    assert choices(SAMPLES, OTHERS[:1], STRANGERS) == []
    assert choices(SAMPLES[:1], SAMPLES[:1], STRANGERS) == []
    assert choices(SAMPLES, OTHERS, []) == []
    assert choices([sample("Short.")], OTHERS, STRANGERS) == []


def test_a_canary_that_was_planted_is_exposed_and_another_is_not(learnt, unlearnt):
    planted, kept = canary_measures((PLANTED, KEPT), Likelihood(learnt, 64), AUTHOR_NAME)[EXPOSURE]
    assert (planted.document_id, planted.value) == ("locker", 8)  # likelier than all 255 others
    assert kept.document_id == "boathouse"
    assert kept.value < 7
    [never] = canary_measures((PLANTED,), Likelihood(unlearnt, 64), AUTHOR_NAME)[EXPOSURE]
    assert never.value < 7


def test_other_secrets_are_of_the_same_form_and_the_same_each_time():
    others = alternatives(PLANTED.secret, 255)
    assert others == alternatives(PLANTED.secret, 255)
    assert len(set(others) - {PLANTED.secret}) == 255
    assert all(re.fullmatch(r"[a-z]\d-\d{4}-\d{4}", each) for each in others)


@pytest.mark.parametrize(
    ("text", "secret", "why"), [("It is 12.", "12", "six letters"), ("It is so.", "483912", "hold")]
)
def test_what_could_be_guessed_or_stands_nowhere_is_no_canary(text, secret, why):
    with pytest.raises(ValidationError, match=why):
        Canary(name="x", instruction="Why?", text=text, secret=secret)


def test_an_examination_asks_about_each_canary_once(unlearnt, tmp_path):
    exam = Exam(
        documents=(),
        unaided=(),
        grounded=(),
        choices=(),
        found={},
        record=OpenRecord("maya", AUTHOR_NAME, None, None, Limits()),
        length=None,
        decoding=Decoding(batch_size=64),
        canaries=(PLANTED,),
        benchmarks=Benchmarks(),
    )
    sheet = sit(Subject("candidate", "digest", unlearnt), exam, tmp_path)
    assert [each.document_id for each in sheet.exposure] == ["locker"]
    assert sit(Subject("candidate", "digest", tmp_path / "gone"), exam, tmp_path).exposure == sheet.exposure
