from bentos.buckets import Allowances, Bucket
from resources.access_settings import Access
from resources.api_keys import new_key


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_minutes_worth_can_be_taken_at_once_and_then_as_it_fills():
    clock = Clock()
    bucket = Bucket(60, clock)
    assert [bucket.take(1) for _ in range(60)] == [0.0] * 60
    assert bucket.take(1) == 1.0
    clock.now = 1.0
    assert bucket.take(1) == 0.0
    assert bucket.take(1) == 1.0


def test_it_fills_no_further_than_a_minutes_worth():
    clock = Clock()
    bucket = Bucket(60, clock)
    clock.now = 1e6
    assert bucket.take(60) == 0.0
    assert bucket.take(1) > 0


def test_what_was_used_may_overdraw_it_and_is_waited_for():
    clock = Clock()
    bucket = Bucket(60, clock)
    bucket.draw(90)
    assert bucket.take(0) == 30.0
    clock.now = 30.0
    assert bucket.take(0) == 0.0


def test_a_key_has_its_own_allowance_and_a_changed_record_another():
    allowances = Allowances(Access(requests_per_minute=1))
    (_, one), (_, two) = new_key("one"), new_key("two", requests_per_minute=2)
    assert allowances.of(one).requests.take(1) == 0.0
    assert allowances.of(one).requests.take(1) > 0
    assert [allowances.of(two).requests.take(1) for _ in range(2)] == [0.0, 0.0]
    assert allowances.of(two).requests.take(1) > 0
    assert allowances.of(one.model_copy(update={"requests_per_minute": 5})).requests.take(1) == 0.0
