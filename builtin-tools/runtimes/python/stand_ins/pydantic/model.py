"""`BaseModel`."""

import copy
import enum
import json
import typing

from mneme_runtime import coerce
from mneme_runtime.misfits import Misfit, Problem, misfit

from . import aliases, dump, generics, schema
from .errors import PydanticUserError, ValidationError
from .meta import Meta, resolved
from .validators import Info, called, knowing


class BaseModel(metaclass=Meta):
    """An object with declared, checked fields."""

    model_config = {}

    def __init__(self, /, **given):
        cls = type(self)

        def made(given):
            if isinstance(given, cls):
                given = {**given.__dict__, **given.__pydantic_private__}
            self._fill(*cls._checked(given))
            cls._checked_whole(self)
            self.model_post_init(None)
            return self

        for mark in cls._marked("model", mode="wrap"):
            made = cls._wrapped(mark, made)
        made(given)

    @classmethod
    def _wrapped(cls, mark, inner):
        def made(given):
            try:
                return called(mark.__get__(None, cls), given, Info(), inner)
            except Misfit as error:
                raise ValidationError(cls.__name__, error) from None

        return made

    @classmethod
    def __pydantic_init_subclass__(cls, **_):
        """Called for each subclass."""

    @classmethod
    def _checked(cls, given):
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
            found = cls._found(name, field, given)
            steps = aliases.told(field.validation_alias, name)
            try:
                if found is not None:
                    key, value = found
                    left.pop(key, None)
                    named.add(name)
                    steps = steps if len(steps) > 1 else (key,)
                    done[name] = cls._value(name, field, value, done)
                elif field.is_required():
                    raise misfit(given, "is required", "missing")
                else:
                    default = field.get_default(validated_data=done) if field.default_factory else copy.deepcopy(field.default)
                    is_checked = settings.get("validate_default") or field.validate_default or cls._sees_default(name)
                    done[name] = cls._value(name, field, default, done) if is_checked else default
            except (Misfit, ValidationError) as error:
                error = getattr(error, "misfit", error)
                for step in reversed(steps):
                    error = error.below(step)
                problems += error.problems
        extra = {}
        if left and settings.get("extra") == "forbid":
            problems += [Problem((key,), "is not a field of this model", "extra_forbidden", left[key]) for key in left]
        elif settings.get("extra") == "allow":
            extra = left
        if problems:
            raise Misfit(problems)
        return done, extra, named

    @classmethod
    def _found(cls, name, field, given):
        """Where the value of a field is, and the value."""
        found = aliases.found(field.validation_alias, given)
        if found is not None or name not in given:
            return found
        by_name = any(cls.model_config.get(key) for key in ("populate_by_name", "validate_by_name"))
        return (name, given[name]) if by_name or field.validation_alias is None else None

    @classmethod
    def _sees_default(cls, name):
        return any(mark.always and name in mark.fields for mark in cls._marks.values())

    @classmethod
    def _value(cls, name, field, value, before):
        info = Info(field_name=name, data=dict(before))
        for setting, change in _CHANGES:
            if isinstance(value, str) and cls.model_config.get(setting):
                value = change(value)
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
        return _without_enums(value) if cls.model_config.get("use_enum_values") else value

    @classmethod
    def _converted_value(cls, field, value):
        wanted = typing.Annotated[(field.annotation, *field.metadata)] if field.metadata else field.annotation
        if isinstance(wanted, (str, typing.ForwardRef)):
            wanted = field.annotation = resolved(wanted, cls)
        wanted, tag = field.narrowed(value, wanted)
        strict = cls.model_config.get("strict") if field.strict is None else field.strict
        try:
            converted = coerce.convert(value, wanted, bool(strict))
        except (Misfit, ValidationError) as error:
            raise error if tag is None else getattr(error, "misfit", error).below(tag)
        return field.after_value(converted)

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
    model_computed_fields = property(lambda self: type(self).model_computed_fields)

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
    def model_validate(cls, value, *, from_attributes=False, context=None, **_):
        """A model from a dictionary, from another model, or from attributes."""
        if context is not None:
            with knowing(context):
                return cls.model_validate(value, from_attributes=from_attributes)
        if isinstance(value, cls):
            return value
        if isinstance(value, generics.origin(cls)):
            # A generic model whose parameters were not said, or others.
            value = value.__dict__
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
    def model_validate_json(cls, text, **options):
        """A model from JSON text."""
        try:
            value = json.loads(text)
        except ValueError as error:
            raise ValidationError(cls.__name__, misfit(text, f"is not JSON: {error}", "json_invalid")) from None
        return cls.model_validate(value, **options)

    @classmethod
    def model_validate_strings(cls, value, **options):
        """A model from a dictionary of texts."""
        return cls.model_validate(value, **options)

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
        state = self.__getstate__()
        made.__setstate__(copy.deepcopy(state) if deep else {name: copy.copy(part) for name, part in state.items()})
        made.__dict__.update(update or {})
        made.__pydantic_fields_set__.update(update or {})
        return made

    def __getstate__(self):
        return {name: getattr(self, name) for name in _PARTS}

    def __setstate__(self, state):
        for name, part in state.items():
            object.__setattr__(self, name, part)

    def __copy__(self):
        return self.model_copy()

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
    def from_orm(cls, value):
        """As `model_validate` from attributes."""
        if not cls.model_config.get("from_attributes"):
            raise PydanticUserError("You must set the config attribute `from_attributes=True` to use from_orm")
        return cls.model_validate(value)

    @classmethod
    def update_forward_refs(cls, **_):
        """As `model_rebuild`."""
        cls.model_rebuild()

    @classmethod
    def __class_getitem__(cls, parameters):
        """The model with types for its type parameters."""
        return generics.parametrised(cls, parameters)

    def __iter__(self):
        return iter(dump.held(self))

    def __eq__(self, other):
        if not isinstance(other, BaseModel) or generics.origin(type(other)) is not generics.origin(type(self)):
            return NotImplemented
        return dump.held(self) == dump.held(other) and _privates(self) == _privates(other)

    def __hash__(self):
        if not self.model_config.get("frozen"):
            raise TypeError(f"unhashable type: '{type(self).__name__}'")
        return hash((type(self), tuple(self.__dict__.values())))

    def __repr_args(self):
        for name, value in dump.held(self):
            field = type(self).model_fields.get(name)
            if field is None or field.repr:
                yield f"{name}={value!r}"
        for name in type(self).model_computed_fields:
            yield f"{name}={getattr(self, name)!r}"

    def __repr__(self):
        return f"{type(self).__name__}({', '.join(self.__repr_args())})"

    def __str__(self):
        return " ".join(self.__repr_args())


#: What a model is made of.
_PARTS = ("__dict__", "__pydantic_fields_set__", "__pydantic_extra__", "__pydantic_private__")
#: What a model's settings do to texts before they are checked.
_CHANGES = (("str_strip_whitespace", str.strip), ("str_to_lower", str.lower), ("str_to_upper", str.upper))


def _privates(model):
    """Private attributes; what computed properties keep there is none."""
    return {name: value for name, value in model.__pydantic_private__.items() if isinstance(name, str)}


def _without_enums(value):
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, dict):
        return {_without_enums(key): _without_enums(item) for key, item in value.items()}
    return type(value)(map(_without_enums, value)) if type(value) in (list, set, tuple, frozenset) else value
