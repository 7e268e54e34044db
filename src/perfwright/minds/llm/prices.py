"""What an answer costs, when the price is known (genai-prices)."""

from __future__ import annotations

from genai_prices import Usage, calc_price
from pydantic_ai.messages import ModelResponse


def price_of(response: ModelResponse) -> float | None:
    """US dollars of one answer; `None` for a model without a known price."""
    try:
        return float(response.cost().total_price)
    except (LookupError, ValueError, AssertionError):
        return None


def price_of_tokens(mind: str, sent: int, answered: int) -> float | None:
    """US dollars of so many tokens in and out with `PROVIDER:MODEL`; `None` when unknown."""
    provider, _, model = mind.partition(":")
    try:
        usage = Usage(input_tokens=sent, output_tokens=answered)
        return float(calc_price(usage, model, provider_id=provider).total_price)
    except (LookupError, ValueError):
        return None
