"""Fields of models: defaults, constraints, descriptions."""

import re
from collections import abc

from mneme_runtime.misfits import misfit

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
        self.json_schema_extra = given.pop("json_schema_extra", None)
        self.pattern = given.pop("pattern", None) or given.pop("regex", None)
        self.min_length = given.pop("min_length", given.pop("min_items", None))
        self.max_length = given.pop("max_length", given.pop("max_items", None))
        self.multiple_of = given.pop("multiple_of", None)
        self.bounds = {name: given.pop(name) for name in ("gt", "ge", "lt", "le") if given.get(name) is not None}
        #: What a schema may say besides; unknown to the checks.
        self.more = given
        self.metadata = []

    def is_required(self):
        """Whether a value must be given."""
        return self.default is MISSING and self.default_factory is None

    def get_default(self, call_default_factory=True, **_):
        """The default; made anew where a factory makes it."""
        if self.default_factory is not None:
            return self.default_factory() if call_default_factory else None
        return None if self.default is MISSING else self.default

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
        if isinstance(value, abc.Sized):
            self._check_length(value)
        if self.pattern is not None and not re.search(self.pattern, str(value)):
            raise misfit(value, f"must match the pattern {getattr(self.pattern, 'pattern', self.pattern)!r}",
                         "string_pattern_mismatch")
        return value

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


def computed_field(function=None, /, **_):
    """Makes a property part of dumps."""

    def mark(found):
        getter = found.fget if isinstance(found, property) else found
        return Computed(getter)

    return mark if function is None else mark(function)
