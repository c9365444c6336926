"""Functions of a program that check, change or write out values."""

import contextlib
import contextvars
import dataclasses
import inspect
import types

from mneme_runtime.misfits import misfit


_context = contextvars.ContextVar("context", default=None)


@contextlib.contextmanager
def knowing(context):
    """Tells validators what the caller wants them to know."""
    before = _context.set(context)
    try:
        yield
    finally:
        _context.reset(before)


@dataclasses.dataclass
class Info:
    """What a validator can ask about the field."""

    field_name: str | None = None
    data: dict = dataclasses.field(default_factory=dict)
    mode: str = "python"
    context: object = dataclasses.field(default_factory=_context.get)
    config: object = None

    @property
    def name(self):
        """The field's name, as version 1 had it."""
        return self.field_name


@dataclasses.dataclass
class Marked:
    """A method that was declared a validator or serializer."""

    role: str
    function: object
    fields: tuple = ()
    mode: str = "after"
    #: When a serializer is used: `always`, `unless-none`, `json`, `json-unless-none`.
    when: str = "always"
    #: Whether a validator also sees defaults.
    always: bool = False

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


def validator(*fields, pre=False, each_item=False, always=False, **_):
    """The same, as version 1 had it."""
    role, mode = "each" if each_item else "field", "before" if pre else "after"
    return lambda function: Marked(role, _of_version_1(function), fields, mode, always=always)


def _of_version_1(function):
    """Version 1 tells a validator what it wants to know by name."""
    function = getattr(function, "__func__", function)
    wanted = inspect.signature(function).parameters.values()
    takes_all = any(parameter.kind is parameter.VAR_KEYWORD for parameter in wanted)
    names = [parameter.name for parameter in wanted]

    def check(cls, value, info):
        known = {"values": info.data, "field": info, "config": info.config}
        return function(cls, value, **{name: what for name, what in known.items() if takes_all or name in names[2:]})

    return check


def model_validator(*, mode="after"):
    """Declares a check of the whole model."""
    return _marker("model", (), mode)


def root_validator(function=None, *, pre=False, **_):
    """The same, as version 1 had it: the method gets and returns a dictionary."""
    mark = _marker("root", (), "before" if pre else "after")
    return mark if function is None else mark(function)


def field_serializer(*fields, mode="plain", when_used="always", **_):
    """Declares how fields are dumped."""
    return lambda function: Marked("serializer", function, fields, mode, when_used)


def model_serializer(function=None, *, mode="plain", **_):
    """Declares how the model is dumped."""
    mark = _marker("model_serializer", (), mode)
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


class WrapValidator(_Annotation):
    """In `Annotated`: gets the value and a function that checks it."""

    def wrap_value(self, value, inner):
        """The value to keep."""
        return called(self.func, value, Info(), inner)


class PlainSerializer(_Annotation):
    """In `Annotated`: how the value is dumped."""

    wraps = False

    def __init__(self, func, *, when_used="always", **_):
        super().__init__(func)
        self.when = when_used


class WrapSerializer(PlainSerializer):
    """In `Annotated`: how the value is dumped, by a function that gets what would have come of it."""

    wraps = True


