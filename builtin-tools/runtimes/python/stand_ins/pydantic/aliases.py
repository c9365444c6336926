"""Other names of fields."""

import re


class AliasPath:
    """A name inside of what is given: `AliasPath("user", "names", 0)`."""

    def __init__(self, first, *more):
        self.path = [first, *more]

    def search_dict_for_path(self, given):
        """The value at the path; `...` when there is none."""
        for step in self.path:
            if isinstance(given, str) or isinstance(given, dict) and not isinstance(step, (str, int)):
                return ...
            try:
                given = given[step]
            except (KeyError, IndexError, TypeError):
                return ...
        return given


class AliasChoices:
    """Several names that a field may be given under."""

    def __init__(self, *choices):
        self.choices = list(choices)


class AliasGenerator:
    """Makes names of fields from their own."""

    def __init__(self, alias=None, validation_alias=None, serialization_alias=None):
        self.alias = alias
        self.validation_alias = validation_alias
        self.serialization_alias = serialization_alias


def named(name, field, generator):
    """Gives the field the names that a generator makes, where it has none of its own."""
    if not isinstance(generator, AliasGenerator):
        generator = AliasGenerator(generator)
    for kind in ("alias", "validation_alias", "serialization_alias"):
        make = getattr(generator, kind) or generator.alias
        if make is not None and getattr(field, kind) is None:
            setattr(field, kind, make(name))


def choices(alias):
    """The names that a value may be given under, the wanted one first."""
    return alias.choices if isinstance(alias, AliasChoices) else [] if alias is None else [alias]


def found(alias, given):
    """Where a value is in a dictionary, and the value; None when there is none."""
    for choice in choices(alias):
        if isinstance(choice, AliasPath):
            value = choice.search_dict_for_path(given)
            if value is not ...:
                return choice.path[0], value
        elif choice in given:
            return choice, given[choice]
    return None


def told(alias, name):
    """What an error calls the field: the steps to it."""
    first = next(iter(choices(alias)), name)
    return tuple(first.path) if isinstance(first, AliasPath) else (first,)


def shown(alias, name):
    """What a schema calls the field."""
    first = next(iter(choices(alias)), name)
    return first if isinstance(first, str) else name


def to_pascal(name):
    """`TwoWords`"""
    return re.sub("([0-9A-Za-z])_(?=[0-9A-Z])", lambda match: match[1], name.title())


def to_camel(name):
    """`twoWords`"""
    if re.match("^[a-z]+[A-Za-z0-9]*$", name) and not re.search(r"\d[a-z]", name):
        return name
    return re.sub("(^_*[A-Z])", lambda match: match[1].lower(), to_pascal(name))


def to_snake(name):
    """`two_words`"""
    for before, after in (("[A-Z]+", "[A-Z][a-z]"), ("[a-z]", "[A-Z]"), ("[0-9]", "[A-Z]"), ("[a-z]", "[0-9]")):
        name = re.sub(f"({before})({after})", r"\1_\2", name)
    return name.replace("-", "_").lower()
