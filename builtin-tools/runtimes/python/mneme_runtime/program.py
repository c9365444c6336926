"""Runs one program: prepares the process, loads the source, does what was asked, and tells what came of it."""

import os
import random
import sys
from dataclasses import dataclass, field

from . import agent, call, cell, display, failures, loading, threads, values


@dataclass
class Call:
    """A function of the program, and its arguments as the text of a JSON object."""

    function: str
    arguments: str


@dataclass
class Program:
    """One program; without a call it is evaluated like a notebook cell."""

    source: str
    filename: str
    call: Call | None
    environment: dict
    agent_state: str | None


@dataclass
class Outcome:
    """What came of it: a value (or none), or one of the two kinds of failure."""

    value: values.Value | None = None
    invalid: str | None = None
    #: Name, message and traceback of an exception.
    raised: tuple | None = None
    #: Media type and bytes of what the program showed.
    displays: list = field(default_factory=list)


def run(program: Program) -> Outcome:
    """Runs the program. Never raises: whatever the program does becomes part of the outcome."""
    outcome = Outcome()
    display.begin()
    try:
        _prepare(program)
        if program.call is None:
            outcome.value = _evaluate(program)
        else:
            outcome.value = _call(program)
    except call.InvalidArguments as error:
        outcome.invalid = values.whole(str(error))
    except BaseException as error:  # noqa: BLE001 - also SystemExit, which must not end the instance
        outcome.raised = tuple(values.whole(text) for text in failures.describe(error, program.filename))
    outcome.displays = display.taken()
    _flush()
    return outcome


def _prepare(program):
    # All of this is as it was when the snapshot was taken, until it is renewed.
    os.environ.clear()
    os.environ.update(program.environment)
    random.seed()
    sys.argv = [program.filename]
    for stream in (sys.stdout, sys.stderr):
        # A program that is stopped half-way keeps the lines that it had printed.
        stream.reconfigure(line_buffering=True)
    loading.find_packages()


def _evaluate(program):
    namespace = loading.module("__main__", program)
    namespace["agent_state"] = state = agent.state(program.agent_state)
    result = cell.evaluate(program.source, program.filename, namespace)
    threads.finish()
    agent.write_back(state)
    return None if result is None else values.shown(result)


def _call(program):
    namespace = loading.module("__tool__", program)
    loading.execute(program.source, program.filename, namespace)
    state = agent.state(program.agent_state)
    result = call.call(namespace, program.call.function, program.call.arguments, state)
    threads.finish()
    agent.write_back(state)
    return None if result is None else values.returned(result)


def _flush():
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:  # noqa: BLE001 - the program may have closed or replaced it
            pass
