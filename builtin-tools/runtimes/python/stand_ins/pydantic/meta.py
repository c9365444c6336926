"""What happens when a model class is declared: its fields and validators are collected."""

import abc
import copy
import typing

from . import aliases, generics
from .config import of_class
from .fields import MISSING, Computed, FieldInfo, Private
from .validators import Marked


class Meta(abc.ABCMeta):
    """Collects the fields and validators that a class body declares."""

    def __new__(mcs, name, bases, body, **settings):
        annotations = _annotations(body)
        marks = {key: value for key, value in body.items() if isinstance(value, Marked)}
        config = {}
        for base in reversed(bases):
            config.update(getattr(base, "model_config", {}))
        old = body.get("Config")
        config.update(of_class(old) if isinstance(old, type) else {})
        config.update(body.get("model_config", {}))
        config.update(settings)
        own = {key: body.pop(key) for key in list(annotations) if key in body and not key.startswith("__") and key != "model_config"}
        privates = {key: body.pop(key) for key in list(body) if isinstance(body[key], Private) or _is_private(key, body[key])}
        body["model_config"] = config
        made = super().__new__(mcs, name, bases, body)
        made._own_annotations = annotations
        made._own_values = own
        made._privates = {key: value for base in reversed(made.__mro__[1:]) for key, value in getattr(base, "_privates", {}).items()}
        made._privates.update((key, one if isinstance(one, Private) else Private(one, None)) for key, one in privates.items())
        made._privates.update({key: value for key, value in own.items() if isinstance(value, Private)})
        for key in annotations:
            if key.startswith("_") and key not in made._privates:
                made._privates[key] = Private(own.get(key, MISSING), None)
        made._marks = {key: value for base in reversed(made.__mro__[1:]) for key, value in getattr(base, "_marks", {}).items()}
        made._marks.update(marks)
        made._fields = None
        made.__pydantic_complete__ = True
        for key, value in own.items():
            # Class variables and methods that happen to be annotated stay what they were.
            if _is_class_variable(annotations[key]):
                setattr(made, key, value)
        if bases:
            super(made, made).__pydantic_init_subclass__(**settings)
        return made

    def __init__(cls, name, bases, body, **_):
        super().__init__(name, bases, body)

    @property
    def model_fields(cls):
        """The fields by name, those of base classes first."""
        if cls.__dict__.get("_fields") is None:
            cls._fields = _fields(cls)
        return cls._fields

    __fields__ = model_fields

    @property
    def model_computed_fields(cls):
        """The properties that dumps contain."""
        found = {}
        for base in reversed(cls.__mro__):
            found.update({name: value for name, value in base.__dict__.items() if isinstance(value, Computed)})
        return found


def _is_private(key, value):
    """Whether this is an attribute of each model, although nothing says so."""
    if not key.startswith("_") or key.startswith("__") or key in ("_filled", "_abc_impl"):
        return False
    return not callable(value) and not hasattr(value, "__get__")


def _annotations(body):
    if "__annotations__" in body:
        return dict(body["__annotations__"])
    # Since Python 3.14 a class body only has a function that makes them.
    function = body.get("__annotate_func__") or body.get("__annotate__")
    if function is None:
        return {}
    import annotationlib

    return annotationlib.call_annotate_function(function, annotationlib.Format.FORWARDREF)


def _is_class_variable(annotation):
    if isinstance(annotation, typing.ForwardRef):
        annotation = annotation.__forward_arg__
    if isinstance(annotation, str):
        return annotation.startswith(("ClassVar", "typing.ClassVar"))
    return annotation is typing.ClassVar or typing.get_origin(annotation) is typing.ClassVar


def _fields(cls):
    fields = {}
    for base in reversed(cls.__mro__):
        for name, annotation in base.__dict__.get("_own_annotations", {}).items():
            if name.startswith("_") or name == "model_config":
                continue
            if _is_class_variable(annotation):
                continue
            annotation = resolved(annotation, base)
            fields[name] = _field(annotation, base._own_values.get(name, MISSING))
        filled = base.__dict__.get("_filled")
        for field in fields.values() if filled else ():
            field.annotation = generics.substituted(field.annotation, filled)
        for name, value in base.__dict__.items():
            # A plain override of an inherited field's default.
            if name in fields and name not in base.__dict__.get("_own_annotations", {}) and not callable(value) \
                    and not isinstance(value, (property, Marked, classmethod, staticmethod)):
                fields[name] = copy.copy(fields[name])
                fields[name].default = value.default if isinstance(value, FieldInfo) else value
    generator = cls.model_config.get("alias_generator")
    for name, field in fields.items() if generator else ():
        aliases.named(name, field, generator)
    return fields


def resolved(annotation, cls):
    """The annotation without names in quotes, as far as they can be looked up."""
    shown = repr(annotation)
    if "'" not in shown and '"' not in shown:
        return annotation
    if isinstance(annotation, typing.ForwardRef):
        annotation = annotation.__forward_arg__
    names = generics.names_of(cls)
    try:
        holder = type("Holder", (), {"__annotations__": {"it": annotation}})
        return typing.get_type_hints(holder, names, names, include_extras=True)["it"]
    except Exception:  # noqa: BLE001 - a name that is not there yet, or never
        return annotation


def _field(annotation, given):
    field = copy.copy(given) if isinstance(given, FieldInfo) else FieldInfo(given)
    notes = []
    if typing.get_origin(annotation) is typing.Annotated:
        annotation, *notes = typing.get_args(annotation)
    for note in notes:
        if isinstance(note, FieldInfo):
            field = _merged(note, field)
    field.metadata = [note for note in notes if not isinstance(note, FieldInfo) or hasattr(note, "before_value")]
    field.annotation = annotation
    return field


def _merged(base, over):
    merged = copy.copy(base)
    for name, value in vars(over).items():
        if value not in (None, MISSING, False, {}, []) or name == "default" and value is not MISSING:
            setattr(merged, name, value)
    return merged
