"""Turns what a program answers with into JSON and text."""

import base64
import dataclasses
import datetime
import decimal
import enum
import json
import pathlib
import uuid
from collections import abc


@dataclasses.dataclass
class Value:
    """JSON text, if the value has such a form, and text."""

    json: str | None
    text: str


def returned(value):
    """What a function returned: text as `print` would show it."""
    return Value(as_json(value), whole(str(value)))


def shown(value):
    """What a cell evaluated to: text as an interactive session would show it."""
    return Value(as_json(value), whole(repr(value)))


def whole(text):
    """The text with its surrogates paired, and replaced where they have no other half: the host takes characters only."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def as_json(value):
    """JSON text; None when a part of the value has no such form."""
    try:
        return whole(json.dumps(plain(value), ensure_ascii=False, allow_nan=False))
    except (TypeError, ValueError, RecursionError, OverflowError):
        return None


def plain(value):
    """The value in the types that JSON has. Raises TypeError where there is none."""
    if value is None or isinstance(value, (bool, str)) and not isinstance(value, enum.Enum):
        return value
    if isinstance(value, enum.Enum):
        return plain(value.value)
    if isinstance(value, (int, float)):
        return value
    if isinstance(value, abc.Mapping):
        return {_key(key): plain(item) for key, item in value.items()}
    if isinstance(value, (datetime.datetime, datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, datetime.timedelta):
        return value.total_seconds()
    if isinstance(value, (decimal.Decimal, uuid.UUID, pathlib.PurePath)):
        return str(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return _bytes(bytes(value))
    for method in ("model_dump", "to_dict", "tolist"):
        give = getattr(value, method, None)
        if callable(give) and not isinstance(value, type):
            return plain(give())
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {item.name: plain(getattr(value, item.name)) for item in dataclasses.fields(value)}
    if isinstance(value, (set, frozenset)):
        return [plain(item) for item in _ordered(value)]
    if isinstance(value, (list, tuple, abc.KeysView, abc.ValuesView, abc.ItemsView, range)):
        return [plain(item) for item in value]
    raise TypeError(f"{type(value).__name__} has no JSON form")


def _key(key):
    if isinstance(key, enum.Enum):
        key = key.value
    if isinstance(key, str):
        return key
    if key is None or isinstance(key, (bool, int, float)):
        return json.dumps(key)
    return str(key)


def _ordered(items):
    try:
        return sorted(items)
    except TypeError:
        return list(items)


def _bytes(data):
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return base64.b64encode(data).decode("ascii")
