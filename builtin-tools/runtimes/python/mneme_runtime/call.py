"""Finds a tool in a loaded program and calls it with arguments from JSON."""

import inspect
import json
import typing

from . import agent, coerce, loop
from .misfits import Misfit

try:
    import annotationlib
except ImportError:  # before Python 3.14, where annotations are evaluated at once
    annotationlib = None

#: The parameters that the calling agent is passed as.
AGENT_STATE, AGENT = "agent_state", "self"
_EMPTY = inspect.Parameter.empty


class InvalidArguments(Exception):
    """The arguments do not fit."""


def call(names, function, arguments, agent_state):
    """What the tool returns; an awaitable result is awaited."""
    target, schema = _target(names, function)
    given = _parsed(arguments)
    if schema is not None:
        given = _through(schema, given)
    positional, named = _bound(target, given, agent_state, coerced=schema is not None)
    result = target(*positional, **named)
    if inspect.isawaitable(result):
        result = loop.run(result)
    if inspect.isasyncgen(result):
        result = loop.run(_listed(result))
    if inspect.isgenerator(result):
        result = list(result)
    return result


async def _listed(items):
    return [item async for item in items]


def _parsed(text):
    try:
        given = json.loads(text) if text.strip() else {}
    except ValueError as error:
        raise InvalidArguments(f"the arguments are not JSON: {error}") from None
    if not isinstance(given, dict):
        raise InvalidArguments("the arguments must be a JSON object")
    return given


def _target(names, function):
    """The callable, and the model that describes its arguments if it brings one."""
    found = names.get(function)
    if found is None or not callable(found) and not _runner(found):
        found = next((value for value in list(names.values()) if _is_tool(value, function)), None)
    if found is None:
        raise InvalidArguments(f"the source defines no function {function!r}")
    if isinstance(found, type):
        # A class after the manner of BaseTool. The program may have made one of it, with what it needs.
        if _runner(found):
            made = next((value for value in list(names.values()) if isinstance(value, found)), None)
            found = found() if made is None else made
    elif inspect.isfunction(found) or inspect.ismethod(found):
        return found, getattr(found, "args_schema", None)
    runner = _runner(found)
    if runner:
        return getattr(found, runner), _schema(found)
    return found, None


def _runner(found):
    return next((name for name in ("_run", "_arun", "run", "forward", "invoke", "func") if callable(getattr(found, name, None))), None)


def _is_tool(value, name):
    if getattr(value, "__module__", None) != "__tool__" and not hasattr(value, "args_schema"):
        return False
    return bool(_runner(value)) and name in (_declared_name(value), getattr(value, "__name__", None))


def _declared_name(value):
    given = getattr(value, "name", None)
    if isinstance(given, str):
        return given
    field = getattr(value, "model_fields", {}).get("name") if isinstance(value, type) else None
    return getattr(field, "default", None)


def _schema(found):
    schema = getattr(found, "args_schema", None)
    return schema if isinstance(schema, type) and hasattr(schema, "model_validate") else None


def _through(schema, given):
    """The arguments as the model has them: checked, and with its defaults."""
    try:
        model = schema.model_validate(given)
    except ValueError as error:
        raise InvalidArguments(str(error)) from None
    return {name: getattr(model, name) for name in schema.model_fields}


def _bound(target, given, agent_state, coerced):
    parameters = _signature(target).parameters
    hints = _hints(target)
    given = dict(given)
    positional, named, problems = [], {}, []
    by_position = True
    for name, parameter in parameters.items():
        if parameter.kind is parameter.VAR_KEYWORD:
            named.update(given)
            given.clear()
            continue
        if parameter.kind is parameter.VAR_POSITIONAL:
            extra = given.pop(name, [])
            positional.extend(extra if isinstance(extra, list) else [extra])
            by_position = False
            continue
        if name in (AGENT_STATE, AGENT) and (agent_state is not None or name not in given):
            given.pop(name, None)
            value = agent.Caller(agent_state) if name == AGENT else agent_state
        elif name in given:
            value = given.pop(name)
            if not coerced:
                value = _coerced(value, name, parameter, hints.get(name, parameter.annotation), problems)
        elif parameter.default is not _EMPTY:
            value = parameter.default
        else:
            problems.append(f"{name}: this argument is required")
            continue
        if by_position and parameter.kind is not parameter.KEYWORD_ONLY:
            positional.append(value)
        else:
            named[name] = value
    if problems:
        # By themselves they are passed over: models add what other tools take.
        problems += [f"{name}: there is no such argument" for name in given]
        raise InvalidArguments("\n".join(problems))
    return positional, named


def _coerced(value, name, parameter, annotation, problems):
    if annotation is _EMPTY or value is None and parameter.default is None:
        return value
    try:
        return coerce.convert(value, annotation)
    except Misfit as error:
        if value is None and parameter.default is not _EMPTY:
            # Models write null for what they leave out.
            return parameter.default
        problems.extend(problem.told(name) for problem in error.problems)
    except ValueError as error:
        # A model of the program: its message lists what is wrong.
        problems.append(f"{name}: {error}")
    return None


def _signature(target):
    try:
        return inspect.signature(target)
    except NameError:
        # Annotations name what the source does not have.
        return inspect.signature(target, annotation_format=annotationlib.Format.FORWARDREF)


def _annotations(function):
    try:
        return getattr(function, "__annotations__", {})
    except NameError:
        return annotationlib.get_annotations(function, format=annotationlib.Format.FORWARDREF)


def _hints(target):
    function = getattr(target, "__func__", target)
    try:
        return typing.get_type_hints(function, include_extras=True)
    except Exception:  # noqa: BLE001 - a name that only a type checker knows, such as "AgentState"
        pass
    hints = {}
    known = getattr(function, "__globals__", {})
    for name, annotation in _annotations(function).items():
        if isinstance(annotation, str):
            try:
                annotation = eval(annotation, known)
            except Exception:  # noqa: BLE001
                continue
        hints[name] = annotation
    return hints
