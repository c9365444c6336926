"""Single values: texts, numbers, dates and their like, from what JSON has for them."""

import datetime
import decimal
import enum
import pathlib
import re
import uuid

from .misfits import misfit


def _is_int(value):
    return isinstance(value, int) and not isinstance(value, (bool, enum.Enum))


def _is_float(value):
    return isinstance(value, float)


def _str(value):
    if isinstance(value, enum.Enum) and isinstance(value.value, str):
        return value.value
    if isinstance(value, (int, float, decimal.Decimal)) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    raise misfit(value, "must be a string", "string_type")


def _int(value):
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and re.fullmatch(r"\s*[+-]?\d[\d_]*(\.0*)?\s*", value):
        return int(value.strip().partition(".")[0])
    kind = "int_from_float" if isinstance(value, float) else "int_parsing" if isinstance(value, str) else "int_type"
    raise misfit(value, "must be an integer", kind)


def _float(value):
    if isinstance(value, (int, decimal.Decimal)):
        return float(value)
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            raise misfit(value, "must be a number", "float_parsing") from None
    raise misfit(value, "must be a number", "float_type")


_WORDS = {"true": True, "yes": True, "on": True, "1": True, "t": True, "y": True}
_WORDS |= {"false": False, "no": False, "off": False, "0": False, "f": False, "n": False}


def _bool(value):
    if isinstance(value, str) and value.strip().lower() in _WORDS:
        return _WORDS[value.strip().lower()]
    if isinstance(value, (int, float)) and value in (0, 1):
        return bool(value)
    raise misfit(value, "must be true or false", "bool_parsing" if isinstance(value, str) else "bool_type")


def _bytes(value):
    if isinstance(value, str):
        return value.encode()
    raise misfit(value, "must be a string", "bytes_type")


#: Whether a value is of the type already.
EXACT = {
    str: lambda value: isinstance(value, str) and not isinstance(value, enum.Enum),
    int: _is_int,
    float: _is_float,
    bool: lambda value: isinstance(value, bool),
    bytes: lambda value: isinstance(value, bytes),
}
#: Conversions from other types.
LENIENT = {str: _str, int: _int, float: _float, bool: _bool, bytes: _bytes}
#: What messages call the types, and what kind of problem it is.
NAMES = {str: "a string", int: "an integer", float: "a number", bool: "true or false", bytes: "a string"}
KINDS = {str: "string_type", int: "int_type", float: "float_type", bool: "bool_type", bytes: "bytes_type"}


def _datetime(value):
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return datetime.datetime.fromtimestamp(value, datetime.timezone.utc)
    return datetime.datetime.fromisoformat(value)


def _date(value):
    if isinstance(value, datetime.datetime):
        return value.date()
    try:
        return datetime.date.fromisoformat(value)
    except ValueError:
        return datetime.datetime.fromisoformat(value).date()


_DURATION = re.compile(
    r"(?P<sign>[+-]?)P(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?"
    r"(?:T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+(?:\.\d+)?)S)?)?"
)


def _timedelta(value):
    if isinstance(value, (int, float)):
        return datetime.timedelta(seconds=value)
    found = _DURATION.fullmatch(value)
    if found:
        parts = {name: float(text) for name, text in found.groupdict().items() if text and name != "sign"}
        length = datetime.timedelta(**parts)
        return -length if found["sign"] == "-" else length
    hours, minutes, seconds = (value.split(":") + ["0"])[:3]
    return datetime.timedelta(hours=float(hours), minutes=float(minutes), seconds=float(seconds))


#: Conversions from text, or from a number.
PARSED = {
    datetime.datetime: _datetime,
    datetime.date: _date,
    datetime.time: datetime.time.fromisoformat,
    datetime.timedelta: _timedelta,
    decimal.Decimal: lambda value: decimal.Decimal(str(value)),
    uuid.UUID: uuid.UUID,
    pathlib.Path: pathlib.Path,
    pathlib.PurePath: pathlib.PurePath,
    complex: complex,
    re.Pattern: re.compile,
}
_SAID = {
    datetime.datetime: "a date and time such as 2025-01-31T12:00:00Z",
    datetime.date: "a date such as 2025-01-31",
    datetime.time: "a time such as 12:30:00",
    datetime.timedelta: "a number of seconds, or a duration such as PT1H30M",
    decimal.Decimal: "a decimal number",
    uuid.UUID: "a UUID",
}


def parsed(value, kind):
    """A value of a kind that has a form as text."""
    try:
        return PARSED[kind](value)
    except (ValueError, TypeError, AttributeError, ArithmeticError, re.error):
        name = kind.__name__.lower()
        raise misfit(value, f"must be {_SAID.get(kind, 'a ' + name)}", f"{name}_parsing") from None
