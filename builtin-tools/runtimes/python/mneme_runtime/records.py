"""JSON objects as objects with attributes."""

import datetime
import json

from . import values


class Record:
    """A JSON object whose fields are attributes; also read like a dictionary."""

    def __init__(self, fields):
        self.__dict__.update({name: record(value, type(self)._inside()) for name, value in fields.items()})

    @classmethod
    def _inside(cls):
        """What objects inside become."""
        return Record

    def __getitem__(self, name):
        return self.__dict__[name]

    def __contains__(self, name):
        return name in self.__dict__

    def __iter__(self):
        return iter(self.__dict__)

    def __len__(self):
        return len(self.__dict__)

    def get(self, name, default=None):
        """The field, or the default."""
        return self.__dict__.get(name, default)

    def keys(self):
        """The names."""
        return self.__dict__.keys()

    def values(self):
        """The values."""
        return self.__dict__.values()

    def items(self):
        """Names and values."""
        return self.__dict__.items()

    def model_dump(self, *, mode="python", include=None, exclude=None, exclude_none=False, **_):
        """The object as dictionaries; with mode `json`, in the types that JSON has."""
        return {
            name: _dumped(value, {"mode": mode, "exclude_none": exclude_none})
            for name, value in self.__dict__.items()
            if not name.startswith("_") and (include is None or name in include) and name not in (exclude or ())
            and not (exclude_none and value is None)
        }

    dict = model_dump

    def to_dict(self, **options):
        """The same, in the types that JSON has."""
        return self.model_dump(**{"mode": "json", **options})

    def model_dump_json(self, *, indent=None, **options):
        """The object as JSON text."""
        return json.dumps(self.to_dict(**options), indent=indent, ensure_ascii=False)

    json = to_json = model_dump_json

    def __repr__(self):
        shown = (f"{name}={value!r}" for name, value in self.__dict__.items() if not name.startswith("_"))
        return f"{type(self).__name__}({', '.join(shown)})"

    def __eq__(self, other):
        return isinstance(other, Record) and self.__dict__ == other.__dict__


#: Fields that tell when something happened.
_TIMES = {
    "callback_sent_at", "completed_at", "created_at", "date", "end_date", "last_accessed_at", "last_run_completion", "start_date",
    "updated_at",
}


class Entity(Record):
    """Something of the server's: its times are times."""

    def __init__(self, fields):
        super().__init__(fields)
        for name in _TIMES & fields.keys():
            self.__dict__[name] = _time(fields[name])

    @classmethod
    def _inside(cls):
        return Entity


def _time(value):
    try:
        return datetime.datetime.fromisoformat(value) if isinstance(value, str) and "T" in value else value
    except ValueError:
        return value


def _dumped(value, options):
    if hasattr(value, "model_dump"):
        return value.model_dump(**options)
    if isinstance(value, list):
        return [_dumped(item, options) for item in value]
    if isinstance(value, datetime.datetime) and options["mode"] == "json":
        return values.plain(value).replace("+00:00", "Z")
    return value


def record(value, kind=Record):
    """The value with every JSON object in it as a `Record`."""
    if isinstance(value, dict):
        return kind(value)
    if isinstance(value, list):
        return [record(item, kind) for item in value]
    return value
