"""`BaseModel`."""

import copy
import json
import sys
import typing

from mneme_runtime import coerce
from mneme_runtime.misfits import Misfit, Problem, misfit

from . import dump, schema
from .errors import ValidationError
from .fields import Computed
from .meta import Meta, resolved
from .validators import Info, called


class BaseModel(metaclass=Meta):
    """An object with declared, checked fields."""

    model_config = {}

    def __init__(self, /, **given):
        done, extra, named = type(self)._checked(given, self)
        if done is not None:
            self._fill(done, extra, named)
        type(self)._checked_whole(self)
        self.model_post_init(None)

    @classmethod
    def __pydantic_init_subclass__(cls, **_):
        """Called for each subclass."""

    @classmethod
    def _checked(cls, given, self=None):
        try:
            for mark in cls._marked("model", "root", mode="before"):
                given = called(mark.__get__(None, cls), given, Info())
            if not isinstance(given, dict):
                raise misfit(given, "must be an object", "model_type")
            return cls._converted(given)
        except Misfit as error:
            raise ValidationError(cls.__name__, error) from None

    @classmethod
    def _converted(cls, given):
        settings = cls.model_config
        done, named, problems, left = {}, set(), [], dict(given)
        for name, field in cls.model_fields.items():
            key = cls._key(name, field, left)
            try:
                if key is not None:
                    named.add(name)
                    done[name] = cls._value(name, field, left.pop(key), done)
                elif field.is_required():
                    raise misfit(given, "is required", "missing")
                else:
                    default = field.default_factory() if field.default_factory else copy.deepcopy(field.default)
                    done[name] = cls._value(name, field, default, done) if settings.get("validate_default") else default
            except Misfit as error:
                problems += error.below(field.validation_alias if isinstance(field.validation_alias, str) else name).problems
            except ValidationError as error:
                problems += error.misfit.below(name).problems
        extra = {}
        if left and settings.get("extra") == "forbid":
            problems += [Problem((key,), "is not a field of this model", "extra_forbidden", left[key]) for key in left]
        elif settings.get("extra") == "allow":
            extra = left
        if problems:
            raise Misfit(problems)
        return done, extra, named

    @classmethod
    def _key(cls, name, field, given):
        alias = field.validation_alias
        if alias is None and cls.model_config.get("alias_generator"):
            alias = cls.model_config["alias_generator"](name)
        for choice in getattr(alias, "choices", None) or ((alias,) if alias else ()):
            if choice in given:
                return choice
        by_name = alias is None or any(cls.model_config.get(key) for key in ("populate_by_name", "validate_by_name"))
        return name if by_name and name in given else None

    @classmethod
    def _value(cls, name, field, value, before):
        info = Info(field_name=name, data=dict(before))
        if isinstance(value, str) and cls.model_config.get("str_strip_whitespace"):
            value = value.strip()
        for mark in cls._marked("field", mode="before", field=name):
            value = called(mark.__get__(None, cls), value, info)
        plain = next(iter(cls._marked("field", mode="plain", field=name)), None)
        wrap = next(iter(cls._marked("field", mode="wrap", field=name)), None)
        if plain is not None:
            value = called(plain.__get__(None, cls), value, info)
        elif wrap is not None:
            value = called(wrap.__get__(None, cls), value, info, lambda inner: cls._converted_value(field, inner))
        else:
            value = cls._converted_value(field, value)
        for mark in cls._marked("each", mode="after", field=name):
            value = type(value)(called(mark.__get__(None, cls), item, info) for item in value)
        for mark in cls._marked("field", mode="after", field=name):
            value = called(mark.__get__(None, cls), value, info)
        if cls.model_config.get("use_enum_values") and hasattr(value, "value") and hasattr(value, "name"):
            value = value.value
        return value

    @classmethod
    def _converted_value(cls, field, value):
        wanted = typing.Annotated[(field.annotation, *field.metadata)] if field.metadata else field.annotation
        if isinstance(wanted, (str, typing.ForwardRef)):
            wanted = field.annotation = resolved(wanted, cls)
        if field.discriminator and isinstance(value, dict):
            wanted = _chosen(wanted, field.discriminator, value)
        return field.after_value(coerce.convert(value, wanted))

    @classmethod
    def _marked(cls, *roles, mode, field=None):
        for mark in cls._marks.values():
            if mark.role in roles and mark.mode == mode and (field is None or field in mark.fields or "*" in mark.fields):
                yield mark

    @classmethod
    def _checked_whole(cls, self):
        try:
            for mark in cls._marked("root", mode="after"):
                self.__dict__.update(called(mark.__get__(None, cls), dict(self.__dict__), Info()))
            for mark in cls._marked("model", mode="after"):
                function = mark.function
                if isinstance(function, classmethod):
                    called(function.__get__(None, cls), self, Info())
                else:
                    called(function, self, Info())
        except Misfit as error:
            raise ValidationError(cls.__name__, error) from None

    def _fill(self, done, extra, named):
        object.__setattr__(self, "__dict__", {**done, **extra})
        object.__setattr__(self, "__pydantic_fields_set__", named | set(extra))
        object.__setattr__(self, "__pydantic_extra__", extra)
        privates = type(self)._privates.items()
        made = {name: private.make() for name, private in privates if private.is_made()}
        object.__setattr__(self, "__pydantic_private__", made)

    __slots__ = ("__dict__", "__pydantic_fields_set__", "__pydantic_extra__", "__pydantic_private__", "__weakref__")

    def __getattr__(self, name):
        try:
            return object.__getattribute__(self, "__pydantic_private__")[name]
        except (AttributeError, KeyError):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}") from None

    def __setattr__(self, name, value):
        cls = type(self)
        field = cls.model_fields.get(name)
        if isinstance(getattr(cls, name, None), property):
            object.__setattr__(self, name, value)
            return
        if name.startswith("_"):
            self.__pydantic_private__[name] = value
            return
        if cls.model_config.get("frozen") or field is not None and field.frozen:
            raise ValidationError(cls.__name__, misfit(value, "cannot be changed", "frozen_instance").below(name))
        if field is None and cls.model_config.get("extra") != "allow":
            raise ValueError(f'"{cls.__name__}" object has no field "{name}"')
        if field is not None and cls.model_config.get("validate_assignment"):
            try:
                value = cls._value(name, field, value, self.__dict__)
            except Misfit as error:
                raise ValidationError(cls.__name__, error.below(name)) from None
        self.__dict__[name] = value
        self.__pydantic_fields_set__.add(name)

    model_fields = __fields__ = property(lambda self: type(self).model_fields)

    def model_post_init(self, context, /):
        """Called when the fields are there."""

    @property
    def model_fields_set(self):
        """Names of the fields that were given."""
        return self.__pydantic_fields_set__

    @property
    def model_extra(self):
        """Values beyond the declared fields."""
        return self.__pydantic_extra__ if self.model_config.get("extra") == "allow" else None

    @classmethod
    def model_validate(cls, value, *, from_attributes=False, **_):
        """A model from a dictionary, from another model, or from attributes."""
        if isinstance(value, cls):
            return value
        if not isinstance(value, dict) and (from_attributes or cls.model_config.get("from_attributes")):
            value = {name: getattr(value, name) for name in cls.model_fields if hasattr(value, name)}
        if not isinstance(value, dict):
            before = list(cls._marked("model", "root", mode="before"))
            if not before:
                raise ValidationError(cls.__name__, misfit(value, "must be an object", "model_type"))
            for mark in before:
                value = called(mark.__get__(None, cls), value, Info())
        return cls(**value)

    @classmethod
    def model_validate_json(cls, text, **_):
        """A model from JSON text."""
        try:
            value = json.loads(text)
        except ValueError as error:
            raise ValidationError(cls.__name__, misfit(text, f"is not JSON: {error}", "json_invalid")) from None
        return cls.model_validate(value)

    @classmethod
    def model_construct(cls, _fields_set=None, **given):
        """A model without any check."""
        self = cls.__new__(cls)
        done = {name: field.get_default() for name, field in cls.model_fields.items() if not field.is_required()}
        self._fill({**done, **given}, {}, set(_fields_set or given))
        return self

    def model_copy(self, *, update=None, deep=False):
        """A copy, with some values replaced."""
        made = type(self).__new__(type(self))
        values = copy.deepcopy(self.__dict__) if deep else dict(self.__dict__)
        made._fill({**values, **(update or {})}, dict(self.__pydantic_extra__), self.__pydantic_fields_set__ | set(update or {}))
        return made

    def model_dump(self, **options):
        """The fields as a dictionary."""
        return dump.dumped(self, dump.Options(**options))

    def model_dump_json(self, *, indent=None, ensure_ascii=False, **options):
        """The fields as JSON text."""
        separators = (",", ":") if indent is None else None
        plain = dump.dumped(self, dump.Options(**{**options, "mode": "json"}))
        return json.dumps(plain, indent=indent, separators=separators, ensure_ascii=ensure_ascii)

    @classmethod
    def model_json_schema(cls, by_alias=True, **_):
        """The JSON schema of the model."""
        return schema.of_model(cls, by_alias)

    @classmethod
    def model_rebuild(cls, **_):
        """Looks names up again that were not there when the class was declared."""
        cls._fields = None
        return True

    def dict(self, **options):
        """As `model_dump`."""
        return self.model_dump(**options)

    def json(self, **options):
        """As `model_dump_json`."""
        return self.model_dump_json(**options)

    def copy(self, **options):
        """As `model_copy`."""
        return self.model_copy(**options)

    @classmethod
    def parse_obj(cls, value):
        """As `model_validate`."""
        return cls.model_validate(value)

    @classmethod
    def parse_raw(cls, text, **_):
        """As `model_validate_json`."""
        return cls.model_validate_json(text)

    @classmethod
    def construct(cls, **given):
        """As `model_construct`."""
        return cls.model_construct(**given)

    @classmethod
    def schema(cls, by_alias=True):
        """As `model_json_schema`."""
        return cls.model_json_schema(by_alias)

    @classmethod
    def __class_getitem__(cls, parameters):
        """Type parameters say nothing to the checks."""
        return cls

    def __iter__(self):
        return iter(list(self.__dict__.items()))

    def __eq__(self, other):
        return type(other) is type(self) and self.__dict__ == other.__dict__

    def __hash__(self):
        if not self.model_config.get("frozen"):
            raise TypeError(f"unhashable type: '{type(self).__name__}'")
        return hash((type(self), tuple(self.__dict__.values())))

    def __repr_args(self):
        for name, value in self.__dict__.items():
            field = type(self).model_fields.get(name)
            if field is None or field.repr:
                yield f"{name}={value!r}"
        for name in dir(type(self)):
            if isinstance(getattr(type(self), name, None), Computed):
                yield f"{name}={getattr(self, name)!r}"

    def __repr__(self):
        return f"{type(self).__name__}({', '.join(self.__repr_args())})"

    def __str__(self):
        return " ".join(self.__repr_args())


def _chosen(wanted, discriminator, value):
    """The member of a union that the discriminating field names."""
    for arm in typing.get_args(wanted):
        inner = typing.get_args(arm)[0] if typing.get_origin(arm) is typing.Annotated else arm
        field = getattr(inner, "model_fields", {}).get(discriminator)
        if field is not None and value.get(discriminator) in typing.get_args(field.annotation):
            return inner
    return wanted


def create_model(name, /, *, __base__=None, __module__=None, __config__=None, __validators__=None, __doc__=None, **fields):
    """Makes a model from names, each with a type and a default."""
    annotations, body = {}, {}
    for field, declared in fields.items():
        if not isinstance(declared, tuple):
            declared = (declared, ...) if isinstance(declared, type) else (type(declared), declared)
        annotations[field] = declared[0]
        if len(declared) > 1 and declared[1] is not ...:
            body[field] = declared[1]
    body.update(__validators__ or {})
    body["__annotations__"] = annotations
    body["__module__"] = __module__ or sys._getframe(1).f_globals.get("__name__", "__main__")
    body["__doc__"] = __doc__
    if __config__:
        body["model_config"] = __config__
    bases = __base__ if isinstance(__base__, tuple) else (__base__ or BaseModel,)
    return Meta(name, bases, body)
