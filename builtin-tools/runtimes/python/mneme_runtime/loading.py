"""Turns source text into a module that tracebacks and `inspect` can look into."""

import builtins
import linecache
import os
import sys
import types
import typing

from . import client, display, homes

#: Where the host puts the packages that a tool asked for.
PACKAGES = "/packages"
#: Where the host puts files that a program may work on.
FILES = "/files"


def install():
    """Lets programs find the names of `typing` without importing them, as earlier servers did."""
    for name in typing.__all__:
        if hasattr(typing, name) and not hasattr(builtins, name):
            setattr(builtins, name, getattr(typing, name))


def find_packages():
    """Makes the packages of this call importable, and its folder of files the current one."""
    if os.path.isdir(PACKAGES):
        if PACKAGES not in sys.path:
            sys.path.append(PACKAGES)
        sys.path_importer_cache.clear()
    homes.enter(FILES)


def module(name, program):
    """A new module, known to the interpreter under `name`; answers with its names."""
    made = types.ModuleType(name)
    made.__file__ = program.filename
    # Dataclasses, type hints and pickle look their module up.
    sys.modules[name] = made
    names = made.__dict__
    names["__builtins__"] = builtins
    names["client"] = client.Lazy()
    builtins.display = display.display
    lines = program.source.splitlines(keepends=True)
    # Without a time of change, nothing compares the entry with a file.
    linecache.cache[program.filename] = (len(program.source), None, lines, program.filename)
    return names


def execute(source, filename, names):
    """Runs the source as the body of a module."""
    exec(compile(source, filename, "exec", dont_inherit=True), names)
