"""Checks without a model of one's own."""

import functools
import inspect
import json
import typing

from mneme_runtime import coerce
from mneme_runtime.misfits import Misfit, misfit

from . import dump, generics, schema
from .errors import ValidationError
from .model import BaseModel
from .validators import knowing


class TypeAdapter:
    """Checks values against any annotation."""

    def __init__(self, annotation, **_):
        self._annotation = annotation

    @classmethod
    def parsed_as(cls, annotation, value):
        """The value as the annotation asks, as version 1 had it."""
        return cls(annotation).validate_python(value)

    def rebuild(self, **_):
        """Nothing to build."""
        return True

    def validate_python(self, value, *, strict=None, context=None, **_):
        """The value as the annotation asks."""
        try:
            with knowing(context):
                return coerce.convert(value, self._annotation, bool(strict))
        except Misfit as error:
            raise ValidationError(self._name(), error) from None

    def validate_json(self, text, **options):
        """The same from JSON text."""
        try:
            value = json.loads(text)
        except ValueError as error:
            raise ValidationError(self._name(), misfit(text, f"is not JSON: {error}", "json_invalid")) from None
        return self.validate_python(value, **options)

    def validate_strings(self, value, **options):
        """The same from texts."""
        return self.validate_python(value, **options)

    def _name(self):
        return getattr(self._annotation, "__name__", str(self._annotation))

    def dump_python(self, value, **options):
        """Models in the value as dictionaries."""
        return dump.plain(value, dump.Options(**options))

    def dump_json(self, value, *, indent=None, **options):
        """The value as JSON, in bytes."""
        plain = dump.plain(value, dump.Options(**{**options, "mode": "json"}))
        return json.dumps(plain, indent=indent, separators=None if indent else (",", ":"), ensure_ascii=False).encode()

    def json_schema(self, **_):
        """The schema."""
        return schema.of_annotation(self._annotation)


class RootModel(BaseModel):
    """A model of a single value that is no object."""

    root_type: typing.ClassVar = object

    def __init__(self, root=..., /, **given):
        if root is ... and given and set(given) != {"root"}:
            root = given
        super().__init__(**(given if root is ... else {"root": root}))

    @classmethod
    def __class_getitem__(cls, annotation):
        if isinstance(annotation, typing.TypeVar):
            return cls
        if cls is not RootModel:
            return generics.parametrised(cls, annotation)
        return type(cls)(f"RootModel[{annotation}]", (cls,), {"__annotations__": {"root": annotation}, "__module__": cls.__module__})

    @classmethod
    def model_validate(cls, value, *, context=None, **_):
        """A model from the value."""
        with knowing(context):
            return value if isinstance(value, cls) else cls(value)

    def model_dump(self, **options):
        """The value."""
        return dump.plain(self.root, dump.Options(**options))

    def model_dump_json(self, *, indent=None, **options):
        """The value as JSON text."""
        return TypeAdapter(object).dump_json(self.root, indent=indent, **options).decode()


def validate_call(function=None, /, **_):
    """Makes a function check its arguments."""

    def wrap(wrapped):
        signature = inspect.signature(wrapped)
        hints = typing.get_type_hints(wrapped, include_extras=True)

        @functools.wraps(wrapped)
        def checked(*positional, **named):
            bound = signature.bind(*positional, **named)
            problems = []
            for name, value in bound.arguments.items():
                try:
                    bound.arguments[name] = coerce.convert(value, hints.get(name, typing.Any))
                except Misfit as error:
                    problems += error.below(name).problems
            if problems:
                raise ValidationError(wrapped.__name__, Misfit(problems))
            return wrapped(*bound.args, **bound.kwargs)

        return checked

    return wrap if function is None else wrap(function)
