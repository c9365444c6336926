"""Nested pydantic arguments, as a model fills them."""
from typing import Dict, List, Literal, Optional

from pydantic import BaseModel, Field


class Item(BaseModel):
    name: str = Field(..., description="What it is")
    price: float = Field(..., ge=0, description="What one costs")
    count: int = 1


class Order(BaseModel):
    items: List[Item] = Field(..., description="What was ordered")
    notes: Optional[Dict[str, str]] = None


def total_price(order: Order, currency: Literal["EUR", "USD"] = "EUR") -> str:
    """
    Adds up an order.

    Args:
        order (Order): The order
        currency (str): How to show the sum
    """
    total = sum(item.price * item.count for item in order.items)
    notes = ", ".join(f"{key}={value}" for key, value in (order.notes or {}).items())
    return f"{total:.2f} {currency}" + (f" ({notes})" if notes else "")
