"""Models as dictionaries."""

import dataclasses
import enum
import inspect

from mneme_runtime import values

from .fields import Computed


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


def dumped(model, options):
    """The fields of a model, and of models inside."""
    cls = type(model)
    whole = next((mark for mark in cls._marks.values() if mark.role == "model_serializer"), None)
    if whole is not None:
        return whole.__get__(model, cls)()
    done = {}
    for name, value in model.__dict__.items():
        field = cls.model_fields.get(name)
        if _left_out(model, name, value, field, options):
            continue
        value = _written(model, cls, name, value, field, options)
        alias = field.serialization_alias if field is not None and options.by_alias else None
        done[alias or name] = value
    for name in dir(cls):
        if isinstance(getattr(cls, name, None), Computed) and not _unwanted(name, options):
            done[name] = plain(getattr(model, name), options)
    return done


def _written(model, cls, name, value, field, options):
    for mark in cls._marks.values():
        if mark.role == "serializer" and (name in mark.fields or "*" in mark.fields):
            function = mark.__get__(model, cls)
            wants = len(inspect.signature(function).parameters)
            return function(value) if wants == 1 else function(value, options)
    for note in field.metadata if field is not None else ():
        if type(note).__name__ == "PlainSerializer":
            return note.func(value)
    return plain(value, options.below(name))


def _unwanted(name, options):
    if options.include is not None and name not in options.include:
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
        return {_key(key, options): plain(item, options.below(key)) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)) and not hasattr(value, "_fields"):
        inner = [plain(item, options.below(index)) for index, item in enumerate(value)]
        return inner if options.mode == "json" or isinstance(value, list) else type(value)(inner)
    if options.mode == "json" and not isinstance(value, (str, int, float, bool, type(None))) or isinstance(value, enum.Enum):
        return values.plain(value) if options.mode == "json" else value
    return value


def _key(key, options):
    if options.mode == "json" and not isinstance(key, (str, int, float, bool, type(None))):
        return str(values.plain(key))
    return key


def _base():
    from .model import BaseModel

    return BaseModel
