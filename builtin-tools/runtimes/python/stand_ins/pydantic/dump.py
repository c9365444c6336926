"""Models as dictionaries."""

import dataclasses
import datetime
import enum
import functools
import inspect

from mneme_runtime import values


@dataclasses.dataclass
class Options:
    """What to leave out, and how to write what stays."""

    mode: str = "python"
    include: object = None
    exclude: object = None
    by_alias: bool | None = False
    exclude_unset: bool = False
    exclude_defaults: bool = False
    exclude_none: bool = False
    exclude_computed_fields: bool = False
    context: object = None
    round_trip: bool = False
    warnings: object = True
    serialize_as_any: bool = False
    fallback: object = None
    skip_defaults: bool = False

    def below(self, name):
        """The same for a value inside."""
        return dataclasses.replace(self, include=_inside(self.include, name), exclude=_inside(self.exclude, name))


def _inside(choice, name):
    if isinstance(choice, dict):
        inner = choice.get(name, choice.get("__all__"))
        return None if inner is True else inner
    return None


def held(model):
    """The fields of a model with their values, and what it has beyond them."""
    cls = type(model)
    cached = functools.cached_property
    return [(name, value) for name, value in model.__dict__.items() if not isinstance(getattr(cls, name, None), cached)]


def dumped(model, options):
    """The fields of a model, and of models inside."""
    whole = next((mark for mark in type(model)._marks.values() if mark.role == "model_serializer"), None)
    if whole is None:
        return _dumped(model, options)
    function = whole.__get__(model, type(model))
    inner = (lambda model: _dumped(model, options),) if whole.mode == "wrap" else ()
    return plain(_asked(function, inner, options), options) if options.mode == "json" else _asked(function, inner, options)


def _dumped(model, options):
    cls = type(model)
    done = {}
    for name, value in held(model):
        field = cls.model_fields.get(name)
        if _left_out(model, name, value, field, options):
            continue
        value = _written(model, cls, name, value, field, options)
        alias = field.serialization_alias if field is not None and options.by_alias else None
        done[alias or name] = value
    for name, computed in cls.model_computed_fields.items():
        value = None if _unwanted(name, options) or options.round_trip else getattr(model, name)
        if not _unwanted(name, options) and not options.round_trip and not (options.exclude_none and value is None):
            done[computed.alias if options.by_alias and computed.alias else name] = _written(model, cls, name, value, None, options)
    return done


def _written(model, cls, name, value, field, options):
    inside = options.below(name)
    for mark in cls._marks.values():
        if mark.role == "serializer" and (name in mark.fields or "*" in mark.fields) and _is_used(mark, value, options):
            return _serialized(mark.__get__(model, cls), mark.mode == "wrap", value, inside)
    for note in field.metadata if field is not None else ():
        if hasattr(note, "wraps") and _is_used(note, value, options):
            return _serialized(note.func, note.wraps, value, inside)
    return plain(value, inside)


def _is_used(serializer, value, options):
    if "json" in serializer.when and options.mode != "json":
        return False
    return value is not None or "unless-none" not in serializer.when


def _serialized(function, wraps, value, options):
    inner = (lambda inner: plain(inner, options),) if wraps else ()
    written = _asked(function, (value, *inner), options)
    return plain(written, options) if options.mode == "json" else written


def _asked(function, given, options):
    """Calls a serializer that may or may not want to know how it is used."""
    try:
        wants = len(inspect.signature(function).parameters)
    except (TypeError, ValueError):  # such as `str`
        wants = len(given)
    return function(*given, options) if wants > len(given) else function(*given)


def _unwanted(name, options):
    if options.include is not None and name not in options.include and "__all__" not in options.include:
        return True
    excluded = options.exclude or ()
    return name in excluded and (not isinstance(excluded, dict) or excluded[name] in (True, ...))


def _left_out(model, name, value, field, options):
    if _unwanted(name, options) or field is not None and field.exclude:
        return True
    if options.exclude_none and value is None or options.exclude_unset and name not in model.model_fields_set:
        return True
    return options.exclude_defaults and field is not None and not field.is_required() and value == field.get_default()


def plain(value, options):
    """A value with the models in it as dictionaries; with mode `json`, in the types that JSON has."""
    if hasattr(type(value), "model_fields") and hasattr(value, "model_dump"):
        if type(value).model_dump is not _base().model_dump:
            return value.model_dump(mode=options.mode, by_alias=options.by_alias, exclude_none=options.exclude_none)
        return dumped(value, options)
    if isinstance(value, dict):
        inner = {key: plain(item, options.below(key)) for key, item in value.items() if not _unwanted(key, options)}
        return {_key(key, options): item for key, item in inner.items()}
    if isinstance(value, (list, tuple, set, frozenset)) and not hasattr(value, "_fields"):
        inner = [plain(item, options.below(index)) for index, item in enumerate(value) if not _unwanted(index, options)]
        return inner if options.mode == "json" or isinstance(value, list) else type(value)(inner)
    if options.mode != "json":
        return dumped_dataclass(value, options) if _is_instance(value) else value
    if isinstance(value, enum.Enum):
        return plain(value.value, options)
    if isinstance(value, (str, int, float, type(None))):
        return value
    if _is_instance(value):
        return dumped_dataclass(value, options)
    if hasattr(value, "json_value"):
        return value.json_value()
    if isinstance(value, datetime.timedelta):
        return duration(value)
    made = values.plain(value)
    return made.removesuffix("+00:00") + "Z" if isinstance(value, datetime.datetime) and made.endswith("+00:00") else made


def _is_instance(value):
    return dataclasses.is_dataclass(value) and not isinstance(value, type)


def dumped_dataclass(value, options):
    """The fields of a dataclass as a dictionary."""
    fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    return {name: plain(item, options.below(name)) for name, item in fields.items() if not _unwanted(name, options)}


def duration(length):
    """A length of time as ISO 8601 has it, such as `P1DT2H`."""
    sign, length = ("-", -length) if length < datetime.timedelta() else ("", length)
    minutes, seconds = divmod(length.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    rest = f"{seconds}.{length.microseconds:06}".rstrip("0").rstrip(".") if length.microseconds else str(seconds)
    time = "".join(f"{part}{unit}" for part, unit in ((hours, "H"), (minutes, "M"), (rest, "S")) if part not in (0, "0"))
    day = f"{length.days}D" if length.days else ""
    return f"{sign}P{day}{'T' + time if time else ''}" if day or time else "PT0S"


def _key(key, options):
    if options.mode == "json" and not isinstance(key, (str, int, float, bool, type(None))):
        return str(values.plain(key))
    return key


def _base():
    from .model import BaseModel

    return BaseModel
