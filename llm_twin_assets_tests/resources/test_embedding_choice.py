"""The choice of a backend: the fastest among those that find the same neighbours, by a clock that the test turns."""

import numpy as np
import pytest

from resources.embedding_backend import REFERENCE, Variant
from resources.embedding_choice import Choice, choose, machine_key, overlap, probe_texts, remember, remembered
from resources.errors import ConfigurationError

OPENVINO, ONNX, HALF = Variant("openvino", "float32"), Variant("onnxruntime", "float32"), Variant("torch", "bfloat16")
TEXTS = [f"text {number}" for number in range(40)]


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


class Scripted:
    """Takes the seconds it is told to, and makes true vectors or others."""

    def __init__(self, clock, seconds, seed=0):
        self._clock, self._seconds, self._seed = clock, seconds, seed
        self.calls = 0

    def encode(self, texts):
        self.calls += 1
        self._clock.now += self._seconds
        rows = [np.random.default_rng([self._seed, *text.encode()]).normal(size=16) for text in texts]
        return np.asarray([row / np.linalg.norm(row) for row in rows], dtype=np.float32)


@pytest.fixture
def clock():
    return Clock()


def chosen(clock, backends):
    return choose(tuple(backends), backends.__getitem__, clock, TEXTS)


def test_the_fastest_that_finds_the_same_neighbours_is_chosen(clock):
    backends = {REFERENCE: Scripted(clock, 4), ONNX: Scripted(clock, 2), OPENVINO: Scripted(clock, 1)}
    choice = chosen(clock, backends)
    assert choice.variant == OPENVINO
    assert {each.variant: each.overlap for each in choice.measured} == {REFERENCE: None, ONNX: None, OPENVINO: 1.0}


def test_what_is_fastest_at_one_question_may_be_another_and_finds_the_same_neighbours_too(clock):
    class ByText(Scripted):
        """Takes so long a text, but for what it takes to begin."""

        def __init__(self, clock, seconds, begins, seed=0):
            super().__init__(clock, seconds, seed)
            self._begins = begins

        def encode(self, texts):
            self._clock.now += self._begins + self._seconds * (len(texts) - 1)
            return super().encode(texts)

    backends = {
        REFERENCE: ByText(clock, 0.4, 5),
        ONNX: ByText(clock, 0.5, 1),
        OPENVINO: ByText(clock, 0.1, 3),
        HALF: ByText(clock, 0.5, 0, seed=1),
    }
    choice = chosen(clock, backends)
    assert (choice.variant, choice.question) == (OPENVINO, ONNX)


def test_a_faster_one_with_other_neighbours_is_passed_over(clock):
    backends = {REFERENCE: Scripted(clock, 4), ONNX: Scripted(clock, 2), HALF: Scripted(clock, 1, seed=1)}
    choice = chosen(clock, backends)
    assert choice.variant == ONNX
    assert next(each.overlap for each in choice.measured if each.variant == HALF) < 0.98


def test_vectors_of_another_length_in_the_same_direction_find_the_same_neighbours():
    random = np.random.default_rng(0)
    vectors = random.normal(size=(40, 16)).astype(np.float32)
    lengths = random.uniform(0.1, 9, size=(40, 1)).astype(np.float32)
    assert overlap(vectors * lengths, vectors / np.linalg.norm(vectors, axis=1, keepdims=True)) == 1.0


def test_torch_stays_where_nothing_is_faster_and_nothing_else_is_there(clock):
    assert chosen(clock, {REFERENCE: Scripted(clock, 1), ONNX: Scripted(clock, 2)}).variant == REFERENCE
    assert chosen(clock, {REFERENCE: Scripted(clock, 1)}).variant == REFERENCE


def test_one_that_is_far_behind_is_timed_once(clock):
    backends = {REFERENCE: Scripted(clock, 1), HALF: Scripted(clock, 50)}
    chosen(clock, backends)
    assert backends[HALF].calls == 3  # once to see whether it runs, once by the clock for many texts and for one


def test_one_that_does_not_run_here_is_no_candidate_unless_it_was_asked_for(clock):
    def load(variant):
        if variant == OPENVINO:
            raise RuntimeError("no such instruction")
        return Scripted(clock, 1)

    assert choose((REFERENCE, OPENVINO), load, clock, TEXTS).variant == REFERENCE
    with pytest.raises(RuntimeError, match="no such instruction"):
        choose((OPENVINO,), load, clock, TEXTS)


def test_one_that_was_asked_for_but_finds_other_neighbours_is_refused(clock):
    def load(variant):
        return Scripted(clock, 1, seed=int(variant != REFERENCE))

    with pytest.raises(ConfigurationError, match="none of the backends asked for"):
        choose((HALF,), load, clock, TEXTS)


def test_a_choice_is_remembered_and_a_torn_file_is_none(tmp_path):
    choice = Choice(backend="openvino", precision="float32", measured=(), question=ONNX)
    key = machine_key("model", (REFERENCE, OPENVINO))
    assert remembered(tmp_path, key) is None
    remember(tmp_path, key, choice)
    assert remembered(tmp_path, key) == choice
    next(tmp_path.rglob("*.json")).write_text('{"backend": "open')
    assert remembered(tmp_path, key) is None


def test_another_model_other_candidates_or_other_threads_are_another_choice(monkeypatch):
    keys = {machine_key("model", (REFERENCE,)), machine_key("other", (REFERENCE,)), machine_key("model", (ONNX,))}
    monkeypatch.setenv("OMP_NUM_THREADS", "63")
    assert len(keys | {machine_key("model", (REFERENCE,))}) == 4


def test_the_overlap_is_the_share_of_common_neighbours():
    def at(*degrees):
        angles = np.radians(np.asarray(degrees, dtype=np.float32))
        return np.stack([np.cos(angles), np.sin(angles)], axis=1)

    pairs = at(0, 10, 100, 110)
    assert overlap(pairs, pairs, k=1) == 1.0
    assert overlap(pairs, at(0, 100, 10, 110), k=1) == 0.0
    assert overlap(pairs, at(0, 10, 100, 170), k=1) == 1.0


def test_probe_texts_are_many_distinct_and_the_same_each_time():
    texts = probe_texts()
    assert len(texts) == len(set(texts)) >= 100
    assert texts == probe_texts() == sorted(texts, key=lambda text: (-len(text), text))
