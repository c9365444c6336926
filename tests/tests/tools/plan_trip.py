import datetime
import enum
import uuid
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Optional


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


def plan_trip(
    at: datetime.datetime,
    day: datetime.date,
    hour: datetime.time,
    length: datetime.timedelta,
    ticket: uuid.UUID,
    price: Decimal,
    folder: Path,
    data: bytes,
    tags: set[str],
    pair: tuple[int, datetime.date],
    color: Color,
    share: Annotated[float, "What part of it."],
    until: Optional[datetime.datetime] = None,
) -> str:
    """Plans a trip.

    Args:
        at: When it begins.
        day: The day before.
        hour: When to get up.
        length: How long it is.
        ticket: Its ticket.
        price: What it costs.
        folder: Where its files are.
        data: What to say.
        tags: Words for it.
        pair: A number and a day.
        color: Its color.
        until: When it ends.
    """
    return " ".join([
        at.isoformat(), str(day.year), str(hour.hour), str(length.total_seconds()), str(ticket.version), str(price + 1), folder.name,
        str(len(data)), ",".join(sorted(tags)), str(pair[0] + pair[1].day), color.name, str(share * 2), str(until),
    ])
