from resources.circuit_breaker import CircuitBreaker


class Time:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def opened(time: Time) -> CircuitBreaker:
    breaker = CircuitBreaker(2, 10.0, time)
    for _ in range(2):
        assert breaker.wait() == 0
        breaker.failed()
    return breaker


def test_after_failures_in_a_row_nobody_asks_until_the_pause_is_over():
    time = Time()
    breaker = opened(time)
    assert breaker.wait() == 10
    time.now += 9
    assert breaker.wait() == 1
    assert breaker.is_open
    time.now += 1
    assert not breaker.is_open
    assert breaker.wait() == 0, "to look took nobody's turn"


def test_a_success_between_failures_starts_the_count_again():
    breaker = CircuitBreaker(2, 10.0, Time())
    breaker.failed()
    breaker.succeeded()
    breaker.failed()
    assert breaker.wait() == 0


def test_half_open_one_tries_while_the_others_wait_and_its_success_closes():
    time = Time()
    breaker = opened(time)
    time.now += 10
    assert breaker.wait() == 0
    assert breaker.wait() > 0
    breaker.succeeded()
    assert [breaker.wait(), breaker.wait()] == [0, 0]


def test_a_try_that_fails_opens_for_another_pause_and_one_that_nobody_awaits_lets_the_next_try():
    time = Time()
    breaker = opened(time)
    time.now += 10
    assert breaker.wait() == 0
    breaker.unknown()
    assert breaker.wait() == 0
    breaker.failed()
    assert breaker.wait() == 10
