"""Turns values as JSON has them into what an annotation asks for, losing nothing on the way.

The stand-in for pydantic builds on this, so that arguments and fields of models follow one set of rules.
"""

import collections
import dataclasses
import enum
import functools
import json
import types
import typing
from collections import abc

from . import records
from .misfits import Misfit, Problem, misfit
from .scalars import EXACT, KINDS, LENIENT, NAMES, PARSED, parsed


def convert(value, wanted, exact=False):
    """The value as `wanted` asks. With `exact`, only values that have the type already. Raises `Misfit`."""
    if wanted is typing.Any or wanted is object:
        return value
    if isinstance(wanted, typing.TypeVar):
        return _variable(value, wanted, exact)
    if wanted is None or wanted is type(None):
        if value is None:
            return None
        raise misfit(value, "must be null", "none_required")
    if isinstance(wanted, (str, typing.ForwardRef)):
        # Nothing could resolve the name: it is a model that the client kept, and its schema came instead.
        return records.record(value)
    if isinstance(wanted, typing.NewType):
        return convert(value, wanted.__supertype__, exact)
    if isinstance(wanted, getattr(typing, "TypeAliasType", ())):
        return convert(value, wanted.__value__, exact)
    origin = typing.get_origin(wanted)
    if origin is None:
        return _plain(value, wanted, exact)
    return _parametric(value, wanted, origin, typing.get_args(wanted), exact)


def _variable(value, variable, exact):
    """What a type parameter is bound to, where nothing fills it."""
    if variable.__constraints__:
        return _union(value, variable.__constraints__)
    return value if variable.__bound__ is None else convert(value, variable.__bound__, exact)


def _parametric(value, wanted, origin, arguments, exact):
    if origin is typing.Annotated:
        return _annotated(value, arguments, exact)
    if origin in (typing.Union, types.UnionType):
        return _union(value, arguments)
    if origin is typing.Literal:
        return _literal(value, arguments)
    if origin in (typing.Required, typing.NotRequired, typing.ClassVar, typing.Final):
        return convert(value, arguments[0], exact)
    if origin is type or origin is abc.Callable:
        return value
    if isinstance(origin, type):
        if issubclass(origin, tuple):
            return _tuple(value, arguments)
        if issubclass(origin, abc.Mapping):
            return _mapping(value, origin, arguments)
        if issubclass(origin, abc.Collection) or origin in (abc.Iterable, abc.Iterator, abc.Generator):
            return _collection(value, origin, arguments)
    return _plain(value, origin, exact)


def _annotated(value, arguments, exact):
    wanted, *notes = arguments
    for note in notes:
        before = getattr(note, "before_value", None)
        if before is not None:
            value = before(value)
    value = _checker(wanted, notes, exact)(value)
    for note in notes:
        after = getattr(note, "after_value", None)
        if after is not None:
            value = after(value)
    return value


def _checker(wanted, notes, exact):
    """The function that checks a value as its notes say."""
    replaced = next((note.plain_value for note in notes if getattr(note, "plain_value", None)), None)
    narrow = next((note.narrowed for note in notes if getattr(note, "discriminator", None)), None)

    def check(value, exact=exact):
        if replaced:
            return replaced(value)
        meant, tag = narrow(value, wanted) if narrow else (wanted, None)
        try:
            return convert(value, meant, exact)
        except (Misfit, ValueError) as error:
            raise error if tag is None else _from_model(error, value).below(tag)

    for note in notes:
        if getattr(note, "wrap_value", None):
            check = functools.partial(_wrapped, note.wrap_value, check)
    return check


def _wrapped(wrap, inner, value, **_):
    return wrap(value, inner)


def _union(value, arms):
    fitting = []
    for arm in arms:
        try:
            fitting.append(convert(value, arm, exact=True))
        except (Misfit, ValueError):
            continue
        if not isinstance(value, dict) or not hasattr(fitting[-1], "model_fields_set"):
            return fitting[0]
    if fitting:
        # Of several models the one that takes most of what is given.
        return max(fitting, key=lambda model: len(getattr(model, "model_fields_set", ())))
    problems = []
    for arm in arms:
        try:
            return convert(value, arm)
        except Misfit as error:
            if arm is not type(None):
                problems += error.problems
        except ValueError as error:
            inner = getattr(error, "misfit", None)
            problems += inner.problems if inner else [Problem((), str(error), "value_error", value)]
    kinds = {problem.loc for problem in problems}
    if len(problems) > 1 and kinds == {()}:
        raise misfit(value, " or ".join(dict.fromkeys(problem.message for problem in problems)), problems[0].kind)
    raise Misfit(problems)


def _literal(value, choices):
    for choice in choices:
        if value == choice and isinstance(value, bool) == isinstance(choice, bool):
            return choice
        if isinstance(choice, enum.Enum) and value == choice.value:
            return choice
    for choice in choices:
        if isinstance(value, str) and isinstance(choice, int) and value == str(choice):
            return choice
    shown = ", ".join(repr(getattr(choice, "value", choice)) for choice in choices)
    raise misfit(value, f"must be one of {shown}", "literal_error")


def _unwrapped(value, kinds):
    """Models sometimes send an array or object as the text of one."""
    if isinstance(value, str) and value.lstrip()[:1] in ("[", "{"):
        try:
            inner = json.loads(value)
        except ValueError:
            return value
        if isinstance(inner, kinds):
            return inner
    return value


def _each(values, wanted):
    done, problems = [], []
    for index, value in enumerate(values):
        try:
            done.append(convert(value, wanted))
        except Misfit as error:
            problems += error.below(index).problems
        except ValueError as error:
            problems += _from_model(error, value).below(index).problems
    if problems:
        raise Misfit(problems)
    return done


def _from_model(error, value):
    if isinstance(error, Misfit):
        return error
    return getattr(error, "misfit", None) or misfit(value, str(error), "value_error")


def _collection(value, origin, arguments):
    value = _unwrapped(value, list)
    if isinstance(value, (str, bytes, abc.Mapping)) or not isinstance(value, abc.Iterable):
        raise misfit(value, "must be a list", "list_type")
    done = _each(value, arguments[0] if arguments else typing.Any)
    for kind in (list, set, frozenset, collections.deque):
        if issubclass(origin, kind):
            return origin(done)
    return set(done) if issubclass(origin, abc.Set) else done


def _tuple(value, arguments):
    value = _unwrapped(value, list)
    if not isinstance(value, (list, tuple)):
        raise misfit(value, "must be a list", "tuple_type")
    if not arguments or len(arguments) == 2 and arguments[1] is Ellipsis:
        return tuple(_each(value, arguments[0] if arguments else typing.Any))
    wanted = () if arguments == ((),) else arguments
    if len(value) != len(wanted):
        raise misfit(value, f"must have {len(wanted)} items, not {len(value)}", "tuple_length")
    return tuple(_named(value, wanted, range(len(wanted))))


def _named(values, wanted, steps):
    done, problems = [], []
    for value, kind, step in zip(values, wanted, steps):
        try:
            done.append(convert(value, kind))
        except Misfit as error:
            problems += error.below(step).problems
        except ValueError as error:
            problems += _from_model(error, value).below(step).problems
    if problems:
        raise Misfit(problems)
    return done


def _mapping(value, origin, arguments):
    value = _unwrapped(value, dict)
    if not isinstance(value, abc.Mapping):
        raise misfit(value, "must be an object", "dict_type")
    keys, values = arguments if len(arguments) == 2 else (arguments or (typing.Any,)) + (typing.Any,)
    if origin is collections.Counter:
        values = int
    names = list(value)
    done = dict(zip(_named(names, [keys] * len(names), names), _named(value.values(), [values] * len(names), names)))
    if origin is collections.defaultdict:
        return collections.defaultdict(None, done)
    return origin(done) if isinstance(origin, type) and issubclass(origin, dict) and origin is not dict else done


def _plain(value, wanted, exact):
    check = EXACT.get(wanted)
    if check is not None:
        if check(value):
            return value
        if exact:
            raise misfit(value, f"must be {NAMES[wanted]}", KINDS[wanted])
        return LENIENT[wanted](value)
    if not isinstance(wanted, type):
        return value
    if is_typed_dict(wanted):
        return _typed_dict(value, wanted)
    if isinstance(value, wanted):
        return value
    if hasattr(wanted, "model_validate"):
        return wanted.model_validate(_unwrapped(value, dict))
    if hasattr(wanted, "convert_value"):
        return wanted.convert_value(value)
    if issubclass(wanted, enum.Enum):
        return _enum(value, wanted)
    if issubclass(wanted, tuple):
        return _named_tuple(value, wanted) if hasattr(wanted, "_fields") else _tuple(value, ())
    if issubclass(wanted, abc.Mapping):
        return _mapping(value, wanted, ())
    if issubclass(wanted, (list, set, frozenset, collections.deque)) or wanted in _ABSTRACT:
        return _collection(value, wanted, ())
    if dataclasses.is_dataclass(wanted):
        return _dataclass(value, wanted)
    if wanted in PARSED:
        return parsed(value, wanted)
    if wanted in _BASES:
        return value
    return _instance(value, wanted)


_ABSTRACT = (abc.Iterable, abc.Sequence, abc.Collection, abc.Set, abc.MutableSequence, abc.MutableSet)
_BASES = (abc.Callable, abc.Hashable, typing.Generic)


def _instance(value, wanted):
    """A class of the program without a shape that is known: made from an object's fields when it takes them."""
    if isinstance(value, dict):
        try:
            return wanted(**value)
        except TypeError as error:
            raise misfit(value, f"does not make a {wanted.__name__}: {error}", "is_instance_of") from None
    raise misfit(value, f"must be a {wanted.__name__}", "is_instance_of")


def _enum(value, wanted):
    for member in wanted:
        if member.value == value and isinstance(member.value, bool) == isinstance(value, bool):
            return member
    if isinstance(value, str):
        for member in wanted:
            if member.name == value or str(member.value) == value:
                return member
    shown = ", ".join(repr(member.value) for member in wanted)
    raise misfit(value, f"must be one of {shown}", "enum")


def is_typed_dict(wanted):
    """Whether this is a typed dictionary, of `typing` or of `typing_extensions`."""
    return type(wanted).__name__ == "_TypedDictMeta"


def _may_lack(wanted, hints):
    """The keys that a typed dictionary may lack. The class itself does not know what stood in quotes."""
    said = {name: typing.get_origin(hint) for name, hint in hints.items()}
    optional = [name for name in wanted.__optional_keys__ if said.get(name) is not typing.Required]
    return {*optional, *(name for name, origin in said.items() if origin is typing.NotRequired)}


def _typed_dict(value, wanted):
    value = _unwrapped(value, dict)
    if not isinstance(value, dict):
        raise misfit(value, "must be an object", "dict_type")
    hints = typing.get_type_hints(wanted, include_extras=True)
    needed = hints.keys() - _may_lack(wanted, hints)
    missing = [name for name in needed if name not in value]
    if missing:
        raise Misfit([Problem((name,), "is required", "missing", value) for name in sorted(missing)])
    names = list(value)
    return dict(zip(names, _named(value.values(), [hints.get(name, typing.Any) for name in names], names)))


def _named_tuple(value, wanted):
    hints = typing.get_type_hints(wanted, include_extras=True)
    if isinstance(value, dict):
        names = list(value)
        fields = dict(zip(names, _named(value.values(), [hints.get(name, typing.Any) for name in names], names)))
        return _made(wanted, (), fields, value)
    if not isinstance(value, (list, tuple)):
        raise misfit(value, "must be a list", "tuple_type")
    wants = [hints.get(name, typing.Any) for name in wanted._fields]
    return _made(wanted, _named(value, wants, wanted._fields), {}, value)


def _dataclass(value, wanted):
    value = _unwrapped(value, dict)
    if not isinstance(value, dict):
        raise misfit(value, "must be an object", "dataclass_type")
    try:
        hints = typing.get_type_hints(wanted, include_extras=True)
    except NameError:
        hints = {}
    names = list(value)
    fields = dict(zip(names, _named(value.values(), [hints.get(name, typing.Any) for name in names], names)))
    missing = [
        field.name
        for field in dataclasses.fields(wanted)
        if field.init
        and field.name not in fields
        and field.default is dataclasses.MISSING
        and field.default_factory is dataclasses.MISSING
    ]
    if missing:
        raise Misfit([Problem((name,), "is required", "missing", value) for name in missing])
    return _made(wanted, (), fields, value)


def _made(wanted, positional, named, value):
    try:
        return wanted(*positional, **named)
    except TypeError as error:
        raise misfit(value, f"does not make a {wanted.__name__}: {error}", "type_error") from None
