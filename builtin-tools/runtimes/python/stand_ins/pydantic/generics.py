"""Models with type parameters: `Page[Item]` is a class of its own, whose fields have the types that were given."""

import re
import sys
import types
import typing


def parametrised(cls, given):
    """The class with its type parameters filled in."""
    given = given if isinstance(given, tuple) else (given,)
    free = getattr(cls, "__parameters__", ())
    if not free:
        return cls
    if len(given) != len(free):
        raise TypeError(f"{cls.__name__} has {len(free)} type parameters, not {len(given)}")
    if "_filled" in cls.__dict__:
        # Some of them were filled in before.
        filled = dict(zip(free, given))
        return parametrised(origin(cls), tuple(substituted(one, filled) for one in cls._filled.values()))
    try:
        known = cls.__dict__["_parametrised"].get(given)
    except (KeyError, TypeError):
        known = None
    if known is not None:
        return known
    name = f"{cls.__name__}[{', '.join(map(_shown, given))}]"
    body = {"__module__": cls.__module__, "__qualname__": name, "__doc__": cls.__doc__, "_filled": dict(zip(free, given))}
    made = type(cls)(name, (cls,), body)
    made.__parameters__ = tuple(dict.fromkeys(variable for one in given for variable in _variables(one)))
    if "_parametrised" not in cls.__dict__:
        cls._parametrised = {}
    try:
        cls._parametrised[given] = made
    except TypeError:  # such as an annotation with a list in it
        pass
    return made


def origin(cls):
    """The class that type parameters were filled in for."""
    return cls.__mro__[1] if "_filled" in cls.__dict__ else cls


def substituted(annotation, filled):
    """The annotation with types for its type parameters."""
    if isinstance(annotation, typing.TypeVar):
        return filled.get(annotation, annotation)
    if _is_filled(annotation):
        return parametrised(origin(annotation), tuple(substituted(one, filled) for one in annotation._filled.values()))
    kind, given = typing.get_origin(annotation), typing.get_args(annotation)
    if kind is typing.Annotated:
        return typing.Annotated[(substituted(given[0], filled), *given[1:])]
    made = tuple(substituted(one, filled) for one in given)
    if all(before is after for before, after in zip(given, made)):
        return annotation
    if kind in (typing.Union, types.UnionType):
        return typing.Union[made]
    return annotation.copy_with(made) if hasattr(annotation, "copy_with") else kind[made]


def _is_filled(annotation):
    return isinstance(annotation, type) and "_filled" in getattr(annotation, "__dict__", ())


def _variables(annotation):
    if isinstance(annotation, typing.TypeVar):
        yield annotation
    elif _is_filled(annotation):
        yield from annotation.__parameters__
    else:
        for one in typing.get_args(annotation):
            yield from _variables(one)


def _shown(annotation):
    if isinstance(annotation, type) and typing.get_origin(annotation) is None:
        return annotation.__name__
    names = re.sub(r"\b(typing|types|builtins)\.", "", str(annotation))
    return re.sub(r"\b__(tool|main)__\.", "", names)


def names_of(cls):
    """What names in quotes may mean in the fields of a class."""
    generic = {variable.__name__: variable for base in cls.__mro__ for variable in getattr(base, "__parameters__", ())}
    return {**generic, **vars(typing), **vars(sys.modules.get(cls.__module__, typing)), origin(cls).__name__: origin(cls)}
