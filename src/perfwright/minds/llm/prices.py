"""What an answer costs, when the price is known (genai-prices)."""

from __future__ import annotations

from pydantic_ai.messages import ModelResponse


def price_of(response: ModelResponse) -> float | None:
    """US dollars of one answer; `None` for a model without a known price."""
    try:
        return float(response.cost().total_price)
    except (LookupError, ValueError, AssertionError):
        return None
