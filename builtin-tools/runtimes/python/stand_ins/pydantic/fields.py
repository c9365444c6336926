"""Fields of models: defaults, constraints, descriptions."""

import decimal
import functools
import inspect
import re
from collections import abc

from mneme_runtime.misfits import misfit

from . import unions

#: Stands for "there is no default".
MISSING = ...


class FieldInfo:
    """What is known about one field."""

    def __init__(self, default=MISSING, *, default_factory=None, annotation=None, **given):
        self.default = default
        self.default_factory = default_factory
        self.annotation = annotation
        self.alias = given.pop("alias", None)
        self.validation_alias = given.pop("validation_alias", None) or self.alias
        self.serialization_alias = given.pop("serialization_alias", None) or self.alias
        self.title = given.pop("title", None)
        self.description = given.pop("description", None)
        self.examples = given.pop("examples", None)
        self.exclude = given.pop("exclude", False)
        self.frozen = given.pop("frozen", False)
        self.repr = given.pop("repr", True)
        self.discriminator = given.pop("discriminator", None)
        self.strict = given.pop("strict", None)
        self.validate_default = given.pop("validate_default", False)
        self.json_schema_extra = given.pop("json_schema_extra", None)
        self.pattern = given.pop("pattern", None) or given.pop("regex", None)
        self.min_length = given.pop("min_length", given.pop("min_items", None))
        self.max_length = given.pop("max_length", given.pop("max_items", None))
        self.multiple_of = given.pop("multiple_of", None)
        self.max_digits = given.pop("max_digits", None)
        self.decimal_places = given.pop("decimal_places", None)
        self.bounds = {name: given.pop(name) for name in ("gt", "ge", "lt", "le") if given.get(name) is not None}
        #: What a schema may say besides; unknown to the checks.
        self.more = given
        self.metadata = []

    def is_required(self):
        """Whether a value must be given."""
        return self.default is MISSING and self.default_factory is None

    def get_default(self, call_default_factory=True, validated_data=None, **_):
        """The default; made anew where a factory makes it."""
        if self.default_factory is not None:
            return _made(self.default_factory, validated_data) if call_default_factory else None
        return None if self.default is MISSING else self.default

    def narrowed(self, value, wanted):
        """The member of a union that is meant, and its tag, when a field tells them apart."""
        return unions.narrowed(self.discriminator, value, wanted) if self.discriminator else (wanted, None)

    def after_value(self, value):
        """Checks the constraints."""
        if value is None:
            return value
        for name, bound in self.bounds.items():
            holds, said = _BOUNDS[name]
            if not holds(value, bound):
                raise misfit(value, f"must be {said} {bound}", _BOUND_KINDS[name])
        if self.multiple_of is not None and abs(value / self.multiple_of - round(value / self.multiple_of)) > 1e-9:
            raise misfit(value, f"must be a multiple of {self.multiple_of}", "multiple_of")
        if self.max_digits is not None or self.decimal_places is not None:
            self._check_digits(decimal.Decimal(str(value)))
        if isinstance(value, abc.Sized):
            self._check_length(value)
        if self.pattern is not None and not re.search(self.pattern, str(value)):
            raise misfit(value, f"must match the pattern {getattr(self.pattern, 'pattern', self.pattern)!r}",
                         "string_pattern_mismatch")
        return value

    def _check_digits(self, value):
        places = max(0, -value.as_tuple().exponent)
        digits = max(len(value.as_tuple().digits), places)
        if self.max_digits is not None and digits > self.max_digits:
            raise misfit(value, f"must have at most {self.max_digits} digits", "decimal_max_digits")
        if self.decimal_places is not None and places > self.decimal_places:
            raise misfit(value, f"must have at most {self.decimal_places} digits behind the point", "decimal_max_places")

    def _check_length(self, value):
        kind, unit = ("string", "characters") if isinstance(value, (str, bytes)) else ("", "items")
        if self.min_length is not None and len(value) < self.min_length:
            raise misfit(value, f"must have at least {self.min_length} {unit}", f"{kind}_too_short".lstrip("_"))
        if self.max_length is not None and len(value) > self.max_length:
            raise misfit(value, f"must have at most {self.max_length} {unit}", f"{kind}_too_long".lstrip("_"))

    def __repr__(self):
        return f"FieldInfo(annotation={self.annotation!r}, required={self.is_required()}, description={self.description!r})"


_BOUNDS = {
    "gt": (lambda value, bound: value > bound, "more than"),
    "ge": (lambda value, bound: value >= bound, "at least"),
    "lt": (lambda value, bound: value < bound, "less than"),
    "le": (lambda value, bound: value <= bound, "at most"),
}
_BOUND_KINDS = {"gt": "greater_than", "ge": "greater_than_equal", "lt": "less_than", "le": "less_than_equal"}


def Field(default=MISSING, **given):
    """Declares a field: default or default_factory, description, constraints, aliases."""
    return FieldInfo(default, **given)


def _made(factory, data):
    """What a factory makes; it may want to know the fields before."""
    try:
        wants = [one for one in inspect.signature(factory).parameters.values() if one.default is one.empty]
    except (TypeError, ValueError):  # such as `list`
        return factory()
    is_one = len(wants) == 1 and wants[0].kind in (wants[0].POSITIONAL_ONLY, wants[0].POSITIONAL_OR_KEYWORD)
    return factory(dict(data or {})) if is_one else factory()


class Private:
    """A declared private attribute."""

    def __init__(self, default, default_factory):
        self.default = default
        self.default_factory = default_factory

    def is_made(self):
        """Whether there is a value before the program sets one."""
        return self.default is not MISSING or self.default_factory is not None

    def make(self):
        """A fresh value."""
        if self.default_factory is not None:
            return self.default_factory()
        return None if self.default is MISSING else self.default


def PrivateAttr(default=MISSING, *, default_factory=None, **_):
    """Declares an attribute that is no field."""
    return Private(default, default_factory)


class Computed(property):
    """A property that dumps contain."""

    alias = None


def computed_field(function=None, /, *, alias=None, **_):
    """Makes a property part of dumps."""

    def mark(found):
        getter = getattr(found, "fget", None) or getattr(found, "func", found)
        made = Computed(_once(getter) if isinstance(found, functools.cached_property) else getter)
        made.alias = alias
        return made

    return mark if function is None else mark(function)


def _once(getter):
    def get(model):
        held = model.__pydantic_private__
        if getter not in held:
            held[getter] = getter(model)
        return held[getter]

    return get
