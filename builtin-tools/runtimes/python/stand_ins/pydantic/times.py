"""Dates and times that lie somewhere, or know where they are."""

import datetime
import typing

from mneme_runtime.misfits import misfit


class _Held:
    """In `Annotated`: what must hold of the value."""

    def __init__(self, holds, message, kind):
        self._holds, self._message, self._kind = holds, message, kind

    def after_value(self, value):
        """Checks it."""
        if not self._holds(value):
            raise misfit(value, self._message, self._kind)
        return value


def _now(value):
    return datetime.datetime.now(value.tzinfo) if isinstance(value, datetime.datetime) else datetime.date.today()


def _held(kind, *rule):
    return typing.Annotated[kind, _Held(*rule)]


_PAST, _FUTURE = (lambda value: value < _now(value)), (lambda value: value > _now(value))
AwareDatetime = _held(datetime.datetime, lambda value: value.tzinfo is not None, "must have a time zone", "timezone_aware")
NaiveDatetime = _held(datetime.datetime, lambda value: value.tzinfo is None, "must have no time zone", "timezone_naive")
PastDate = _held(datetime.date, _PAST, "must be in the past", "date_past")
FutureDate = _held(datetime.date, _FUTURE, "must be in the future", "date_future")
PastDatetime = _held(datetime.datetime, _PAST, "must be in the past", "datetime_past")
FutureDatetime = _held(datetime.datetime, _FUTURE, "must be in the future", "datetime_future")

__all__ = ["AwareDatetime", "FutureDate", "FutureDatetime", "NaiveDatetime", "PastDate", "PastDatetime"]
