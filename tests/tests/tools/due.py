from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo


def due_date(start: str, days: int, timezone: str = "Europe/Paris") -> str:
    """
    Says when something is due.

    Args:
        start (str): First day, as YYYY-MM-DD
        days (int): Working days until then
        timezone (str): Where
    """
    day = date.fromisoformat(start)
    while days > 0:
        day += timedelta(days=1)
        days -= day.weekday() < 5
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=ZoneInfo(timezone))
    return f"{noon:%A, %d %B %Y %H:%M %z}"
