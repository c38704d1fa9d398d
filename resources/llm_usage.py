"""What asking a chat model costs: requests, tokens and money, counted, and stopped at the budget."""

from dataclasses import dataclass

from resources.errors import TwinError
from resources.llm_settings import Budget, ChatEndpoint, Price

# Bytes of UTF-8 that make a token, where the service does not say how many there were. English has about four, Chinese
# three: rather too many tokens are counted than too few.
_BYTES_PER_TOKEN = 3


class BudgetExceededError(TwinError):
    """The next question might cost more than the configuration allows to spend."""


@dataclass(slots=True)
class Usage:
    """What a run has asked for so far. `estimated` are the replies whose tokens the service did not state."""

    requests: int = 0
    retries: int = 0
    cached: int = 0
    estimated: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float = 0.0

    @property
    def tokens(self) -> int:
        """Prompt and completion together."""
        return self.prompt_tokens + self.completion_tokens


@dataclass(frozen=True, slots=True)
class Reservation:
    """Tokens that a question may come to, held back while it is under way."""

    prompt_tokens: int
    completion_tokens: int


class Meter:
    """Counts usage. A question is admitted only while it fits the budget beside all that are under way."""

    def __init__(self, price: Price, budget: Budget, *, where: str) -> None:
        self.usage = Usage()
        self._price = price
        self._budget = budget
        self._where = where
        self._reserved_tokens = 0
        self._reserved_cost = 0.0

    @classmethod
    def of(cls, endpoint: ChatEndpoint) -> "Meter":
        """A meter at zero, with the prices and the budget of an endpoint."""
        return cls(endpoint.price, endpoint.budget, where=endpoint.url)

    def reserve(self, prompt_bytes: int, max_tokens: int) -> Reservation:
        """Hold back what a question may come to; raises `BudgetExceededError` if that is no longer there."""
        held = Reservation(estimated_tokens(prompt_bytes), max_tokens)
        tokens, cost = held.prompt_tokens + held.completion_tokens, self._cost(held)
        budget = self._budget
        if budget.tokens is not None and self.usage.tokens + self._reserved_tokens + tokens > budget.tokens:
            raise self._exceeded(f"{self.usage.tokens:,} of {budget.tokens:,} tokens are spent")
        if budget.cost is not None and self.usage.cost + self._reserved_cost + cost > budget.cost:
            raise self._exceeded(f"{self.usage.cost:.4f} of {budget.cost:.4f} is spent")
        self._reserved_tokens += tokens
        self._reserved_cost += cost
        return held

    def release(self, held: Reservation) -> None:
        """Give back what was held for a question that is over."""
        self._reserved_tokens -= held.prompt_tokens + held.completion_tokens
        self._reserved_cost -= self._cost(held)

    def spend(self, prompt_tokens: int, completion_tokens: int) -> None:
        """Count tokens that were asked for."""
        self.usage.prompt_tokens += prompt_tokens
        self.usage.completion_tokens += completion_tokens
        self.usage.cost += self._cost(Reservation(prompt_tokens, completion_tokens))

    def _cost(self, tokens: Reservation) -> float:
        price = self._price
        return (tokens.prompt_tokens * price.prompt + tokens.completion_tokens * price.completion) / 1e6

    def _exceeded(self, spent: str) -> BudgetExceededError:
        return BudgetExceededError(
            f"the budget is used up: {spent}, and the next question may take more than is left",
            where=self._where,
            mend="What was answered is kept: run again to go on with a new budget, or raise `budget` in twin.yaml.",
        )


def estimated_tokens(size: int) -> int:
    """Tokens of so many bytes of UTF-8, rather too many than too few."""
    return -(-size // _BYTES_PER_TOKEN)
