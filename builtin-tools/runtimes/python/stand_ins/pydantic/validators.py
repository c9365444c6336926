"""Functions of a program that check, change or write out values."""

import dataclasses
import inspect
import types

from mneme_runtime.misfits import misfit


@dataclasses.dataclass
class Info:
    """What a validator can ask about the field."""

    field_name: str | None = None
    data: dict = dataclasses.field(default_factory=dict)
    mode: str = "python"
    context: object = None
    config: object = None


@dataclasses.dataclass
class Marked:
    """A method that was declared a validator or serializer."""

    role: str
    function: object
    fields: tuple = ()
    mode: str = "after"

    def __get__(self, instance, owner):
        function = self.function
        if instance is None and inspect.isfunction(function):
            # Declared without `@classmethod`, which is understood.
            return types.MethodType(function, owner)
        return function.__get__(instance, owner) if hasattr(function, "__get__") else function


def _marker(role, fields, mode):
    return lambda function: Marked(role, function, fields, mode)


def field_validator(*fields, mode="after", **_):
    """Declares a check of fields."""
    return _marker("field", fields, mode)


def validator(*fields, pre=False, each_item=False, **_):
    """The same, as version 1 had it."""
    return _marker("each" if each_item else "field", fields, "before" if pre else "after")


def model_validator(*, mode="after"):
    """Declares a check of the whole model."""
    return _marker("model", (), mode)


def root_validator(function=None, *, pre=False, **_):
    """The same, as version 1 had it: the method gets and returns a dictionary."""
    mark = _marker("root", (), "before" if pre else "after")
    return mark if function is None else mark(function)


def field_serializer(*fields, **_):
    """Declares how fields are dumped."""
    return _marker("serializer", fields, "plain")


def model_serializer(function=None, **_):
    """Declares how the model is dumped."""
    mark = _marker("model_serializer", (), "plain")
    return mark if function is None else mark(function)


def called(function, value, info, *first):
    """Calls a validator that may or may not want to know about the field; its errors become misfits."""
    try:
        wants = len(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        wants = 1
    try:
        return function(value, *first, info) if wants > 1 + len(first) else function(value, *first)
    except (ValueError, AssertionError) as error:
        if getattr(error, "misfit", None) is not None:
            raise error.misfit from None
        kind = "assertion_error" if isinstance(error, AssertionError) else "value_error"
        raise misfit(value, str(error) or kind, kind) from error


class _Annotation:
    def __init__(self, func):
        self.func = func


class BeforeValidator(_Annotation):
    """In `Annotated`: changes the value before it is checked."""

    def before_value(self, value):
        """The value to check."""
        return called(self.func, value, Info())


class AfterValidator(_Annotation):
    """In `Annotated`: checks or changes the value afterwards."""

    def after_value(self, value):
        """The value to keep."""
        return called(self.func, value, Info())


class PlainValidator(_Annotation):
    """In `Annotated`: takes the place of all checks."""

    def plain_value(self, value):
        """The value to keep."""
        return called(self.func, value, Info())


class WrapValidator(PlainValidator):
    """In `Annotated`: gets the value and a function that checks nothing more."""

    def plain_value(self, value):
        """The value to keep."""
        return called(self.func, value, Info(), lambda inner: inner)


class PlainSerializer(_Annotation):
    """In `Annotated`: how the value is dumped."""

    def __init__(self, func, **_):
        super().__init__(func)


