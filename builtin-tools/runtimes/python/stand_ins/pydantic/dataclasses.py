"""Dataclasses that check what they are made of."""

import dataclasses
import functools
import inspect

from .creation import create_model
from .errors import ValidationError
from .fields import MISSING, FieldInfo
from .validators import Marked


def dataclass(cls=None, /, *, config=None, validate_on_init=None, **settings):
    """As `dataclasses.dataclass`; values are converted as those of a model are."""

    def made(cls):
        declared = {name: value for name, value in vars(cls).items() if isinstance(value, FieldInfo)}
        for name, field in declared.items():
            _replace(cls, name, field)
        plain = dataclasses.dataclass(**settings)(cls)
        plain.__pydantic_declared__ = {**getattr(plain, "__pydantic_declared__", {}), **declared}
        _check(plain, config or getattr(cls, "__pydantic_config__", None))
        return plain

    return made if cls is None else made(cls)


def _replace(cls, name, field):
    """What the field says of its default, in the words of the standard library."""
    if field.default_factory is not None:
        setattr(cls, name, dataclasses.field(default_factory=field.default_factory))
    elif field.default is MISSING:
        delattr(cls, name)
    else:
        setattr(cls, name, field.default)


def _check(cls, config):
    wrapped = cls.__init__

    @functools.wraps(wrapped)
    def init(self, *positional, **named):
        bound = inspect.signature(wrapped).bind_partial(self, *positional, **named)
        given = dict(list(bound.arguments.items())[1:])
        try:
            model = _model(cls, config)(**given)
        except ValidationError as error:
            raise ValidationError(cls.__name__, error.misfit) from None
        wrapped(self, **{name: value for name, value in model.__dict__.items() if name in _fields(cls)})

    cls.__init__ = init
    cls.__pydantic_fields__ = property(lambda self: _model(cls, config).model_fields)


def _fields(cls):
    return {field.name: field for field in dataclasses.fields(cls) if field.init}


def _model(cls, config):
    """The model that knows the fields; made when the first instance is, because names in quotes may come later."""
    if "_checks" not in cls.__dict__:
        declared = {}
        for name, field in _fields(cls).items():
            default = ... if field.default is dataclasses.MISSING else field.default
            if name in cls.__pydantic_declared__:
                default = cls.__pydantic_declared__[name]
            elif field.default_factory is not dataclasses.MISSING:
                default = FieldInfo(default_factory=field.default_factory)
            declared[name] = (field.type, default)
        marks = {name: value for name, value in vars(cls).items() if isinstance(value, Marked)}
        about = {"__module__": cls.__module__, "__config__": dict(config or {}), "__validators__": marks}
        cls._checks = create_model(cls.__name__, **about, **declared)
    return cls._checks
