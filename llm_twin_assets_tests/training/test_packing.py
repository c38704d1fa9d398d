from hypothesis import given
from hypothesis import strategies as st

from llm_twin_assets.training.encoding import IGNORED, EncodedSample
from llm_twin_assets.training.packing import Rows, pack, packed
from llm_twin_assets.training.plan import plan
from resources.training_settings import Training

LENGTHS = st.lists(st.integers(1, 60), max_size=80)


@given(LENGTHS, st.integers(1, 50), st.integers(1, 9))
def test_every_sample_is_in_one_row_and_no_row_overflows(lengths: list[int], capacity: int, most: int) -> None:
    rows = pack(lengths, capacity, most)

    assert sorted(index for row in rows for index in row) == list(range(len(lengths)))
    for row in rows:
        assert len(row) <= most
        assert len(row) == 1 or sum(lengths[index] for index in row) <= capacity


@given(LENGTHS, st.integers(1, 50))
def test_no_two_rows_could_be_one(lengths: list[int], capacity: int) -> None:
    used = sorted(sum(lengths[index] for index in row) for row in pack(lengths, capacity, most=1000))

    assert len(used) < 2 or used[0] + used[1] > capacity


def test_the_fullest_row_that_has_room_is_taken() -> None:
    assert pack([6, 5, 4, 3], 10, most=9) == [[0, 2], [1, 3]]


def sample(*tokens: int) -> EncodedSample:
    return EncodedSample(list(tokens), [IGNORED, *tokens[1:]], size=len(tokens))


def test_a_row_says_where_its_samples_begin() -> None:
    assert packed([sample(1, 2), sample(3, 4, 5)], capacity=5, most=2) == [
        {"input_ids": [3, 4, 5, 1, 2], "labels": [IGNORED, 4, 5, IGNORED, 2], "seq_lengths": [3, 2]}
    ]


@given(st.integers(1, 40), st.integers(1, 20), st.integers(1, 12))
def test_a_step_learns_from_a_batch_of_samples_packed_or_not(count: int, batch: int, length: int) -> None:
    asked = plan(Training(batch_size=batch, max_length=64), parameters=10**6, context=None)
    rows = Rows.laid_out([sample(*range(1, length + 2))] * count, asked, packing=True)

    samples_per_row = count / len(rows.train)
    assert samples_per_row <= batch
    assert rows.per_step * samples_per_row <= batch + samples_per_row / 2
    assert rows.per_step * samples_per_row >= min(batch, count) - samples_per_row / 2 or rows.per_step == 1
