"""JSON schemas of models and annotations."""

import dataclasses
import datetime
import decimal
import enum
import pathlib
import re
import types
import typing
import uuid
from collections import abc

from mneme_runtime import coerce, values

from . import aliases
from .fields import FieldInfo

_SIMPLE = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    type(None): {"type": "null"},
    bytes: {"type": "string", "format": "binary"},
    datetime.datetime: {"type": "string", "format": "date-time"},
    datetime.date: {"type": "string", "format": "date"},
    datetime.time: {"type": "string", "format": "time"},
    datetime.timedelta: {"type": "string", "format": "duration"},
    uuid.UUID: {"type": "string", "format": "uuid"},
    decimal.Decimal: {"anyOf": [{"type": "number"}, {"type": "string"}]},
    pathlib.Path: {"type": "string", "format": "path"},
}


def of_model(model, by_alias=True):
    """The schema of a model; models inside are under `$defs`."""
    definitions = {}
    found = _model(model, definitions, by_alias)
    own = definitions.pop(_name(model), None)
    if own is not None and f"#/$defs/{_name(model)}" in repr((own, definitions)):
        definitions[_name(model)] = own
        return {"$defs": definitions, **found}
    made = own or found
    return {"$defs": definitions, **made} if definitions else made


def of_annotation(annotation, by_alias=True):
    """The schema of any annotation."""
    definitions = {}
    made = _of(annotation, definitions, by_alias)
    return {**made, "$defs": definitions} if definitions else made


def _model(model, definitions, by_alias):
    name = _name(model)
    reference = {"$ref": f"#/$defs/{name}"}
    if name in definitions:
        return reference
    made = definitions[name] = {}
    if set(model.model_fields) == {"root"} and hasattr(model, "root_type"):
        made.update(_of(model.model_fields["root"].annotation, definitions, by_alias))
        made.setdefault("title", model.__name__)
        return reference
    if model.__doc__ and model.__doc__ != _base_doc(model):
        made["description"] = model.__doc__.strip()
    properties, required = {}, []
    for name, field in model.model_fields.items():
        shown = aliases.shown(field.validation_alias, name) if by_alias else name
        properties[shown] = _field(shown, field, definitions, by_alias)
        if field.is_required():
            required.append(shown)
    made["properties"] = properties
    if required:
        made["required"] = required
    made["title"] = model.model_config.get("title", model.__name__)
    made["type"] = "object"
    extra = model.model_config.get("extra")
    if extra in ("forbid", "allow"):
        made["additionalProperties"] = extra == "allow"
    _add_extra(made, model.model_config.get("json_schema_extra"))
    return reference


def _name(model):
    """What definitions call it: `Page_int_` for `Page[int]`."""
    return re.sub(r"[^\w.-]", "_", model.__name__)


def _base_doc(model):
    return model.__mro__[1].__doc__


def _field(name, field, definitions, by_alias):
    made = dict(_of(field.annotation, definitions, by_alias))
    for note in field.metadata:
        _constrain(made, note)
    _constrain(made, field)
    if field.title or "$ref" not in made and not _is_nullable_reference(made):
        made.setdefault("title", field.title or name.replace("_", " ").title())
    if field.description:
        made["description"] = field.description
    if field.examples:
        made["examples"] = values.plain(field.examples)
    if not field.is_required() and field.default_factory is None:
        try:
            made["default"] = values.plain(field.default)
        except TypeError:
            pass
    _add_extra(made, field.json_schema_extra or field.more)
    return made


def _is_nullable_reference(made):
    arms = made.get("anyOf", ())
    return len(arms) == 2 and {"type": "null"} in arms and any("$ref" in arm for arm in arms)


def _add_extra(made, extra):
    if callable(extra):
        extra(made)
    elif extra:
        made.update(values.plain(extra))


_BOUNDS = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum"}


def _constrain(made, field):
    if not isinstance(field, FieldInfo):
        return
    target = next((arm for arm in made.get("anyOf", ()) if arm.get("type") != "null"), made)
    for name, bound in field.bounds.items():
        target[_BOUNDS[name]] = values.plain(bound)
    if field.multiple_of is not None:
        target["multipleOf"] = field.multiple_of
    if field.pattern is not None:
        target["pattern"] = getattr(field.pattern, "pattern", field.pattern)
    kind = "Items" if target.get("type") == "array" else "Length"
    if field.min_length is not None:
        target[f"min{kind}"] = field.min_length
    if field.max_length is not None:
        target[f"max{kind}"] = field.max_length


def _of(annotation, definitions, by_alias):
    if annotation in (typing.Any, object, None) or isinstance(annotation, (str, typing.TypeVar, typing.ForwardRef)):
        return {"type": "null"} if annotation is None else {}
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    inner = lambda wanted: _of(wanted, definitions, by_alias)  # noqa: E731
    if origin is typing.Annotated:
        made = dict(inner(arguments[0]))
        for note in arguments[1:]:
            _constrain(made, note)
            if isinstance(note, FieldInfo) and note.description:
                made["description"] = note.description
        return made
    if origin in (typing.Union, types.UnionType):
        return {"anyOf": [inner(arm) for arm in arguments]}
    if origin is typing.Literal:
        return _choice([getattr(choice, "value", choice) for choice in arguments])
    kind = origin or annotation
    if isinstance(kind, type):
        return _of_type(kind, arguments, inner, definitions, by_alias)
    return {}


def _of_type(kind, arguments, inner, definitions, by_alias):
    if kind in _SIMPLE:
        return dict(_SIMPLE[kind])
    if hasattr(kind, "json_schema_of_type"):
        return dict(kind.json_schema_of_type)
    if hasattr(kind, "model_fields"):
        return _model(kind, definitions, by_alias)
    if issubclass(kind, enum.Enum):
        definitions[kind.__name__] = {**_choice([member.value for member in kind]), "title": kind.__name__}
        return {"$ref": f"#/$defs/{kind.__name__}"}
    if issubclass(kind, tuple):
        if len(arguments) == 2 and arguments[1] is Ellipsis:
            return {"type": "array", "items": inner(arguments[0])}
        made = {"type": "array"}
        if arguments:
            made |= {"prefixItems": [inner(item) for item in arguments], "minItems": len(arguments), "maxItems": len(arguments)}
        return made
    if dataclasses.is_dataclass(kind) or coerce.is_typed_dict(kind):
        hints = typing.get_type_hints(kind, include_extras=True)
        made = {"properties": {name: inner(hint) for name, hint in hints.items()}, "title": kind.__name__, "type": "object"}
        definitions[kind.__name__] = made
        return {"$ref": f"#/$defs/{kind.__name__}"}
    if issubclass(kind, abc.Mapping):
        values_of = inner(arguments[1]) if len(arguments) == 2 else True
        return {"type": "object", "additionalProperties": values_of if values_of else True}
    if issubclass(kind, abc.Iterable) and not issubclass(kind, str):
        made = {"type": "array", "items": inner(arguments[0]) if arguments else {}}
        return {**made, "uniqueItems": True} if issubclass(kind, abc.Set) else made
    return {}


def _choice(choices):
    kinds = {type(choice) for choice in choices}
    made = {"const": choices[0]} if len(choices) == 1 else {"enum": choices}
    simple = _SIMPLE.get(kinds.pop()) if len(kinds) == 1 else None
    return {**made, **simple} if simple else made
