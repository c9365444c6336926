"""What tools written for other frameworks import: the class that they derive from, and what stands beside it.

The frameworks themselves need native code, threads and sockets; a tool of theirs needs no more of them than this. Where a
program brings such a package along, that one is imported.
"""

import importlib.abc
import importlib.machinery
import inspect
import sys
import typing

import pydantic

from . import loop


class ToolException(Exception):
    """A tool's own error."""


class BaseTool(pydantic.BaseModel):
    """A tool: a name, a description, a model of its arguments if it has one, and `_run`, `_arun` or `run`."""

    model_config = {"extra": "allow"}

    name: str = ""
    description: str = ""
    args_schema: typing.ClassVar = None

    def run(self, *given, **named):
        """What the tool answers to these arguments; a dictionary may hold all of them."""
        if len(given) == 1 and not named and isinstance(given[0], dict):
            given, named = (), given[0]
        work = getattr(self, "_run", None) or self._arun
        answer = work(*given, **named)
        return loop.run(answer) if inspect.isawaitable(answer) else answer

    invoke = __call__ = run


class StructuredTool(BaseTool):
    """A tool made from a function."""

    func: typing.Any = None

    @classmethod
    def from_function(cls, func=None, coroutine=None, **named):
        """A tool that calls the function."""
        func = func or coroutine
        return cls(**{"name": func.__name__, "description": func.__doc__ or "", **named, "func": func})

    def _run(self, *given, **named):
        return self.func(*given, **named)


def tool(*given, args_schema=None, description=None, **_):
    """Marks a function as a tool: `@tool`, `@tool("name")`, `@tool("name", args_schema=Model)`."""
    function = given[0] if given and callable(given[0]) else None

    def mark(function):
        function.name = given[0] if given and isinstance(given[0], str) else function.__name__
        function.description = description or function.__doc__ or ""
        function.args_schema = args_schema
        function.func = function.run = function
        function.invoke = lambda arguments, *_, **__: (
            function(**arguments) if isinstance(arguments, dict) else function(arguments)
        )
        return function

    return mark(function) if function else mark


class CallbackManagerForToolRun:
    """Named in annotations."""


class AsyncCallbackManagerForToolRun:
    """Named in annotations."""


_TOOLS = {
    "BaseTool": BaseTool, "StructuredTool": StructuredTool, "Tool": StructuredTool, "ToolException": ToolException, "tool": tool,
}
_CALLBACKS = {
    "AsyncCallbackManagerForToolRun": AsyncCallbackManagerForToolRun, "CallbackManagerForToolRun": CallbackManagerForToolRun,
}
_MODELS = {name: getattr(pydantic, name) for name in pydantic.__all__}
#: Modules by name, with what is in them.
MODULES = {
    "crewai": {}, "crewai.tools": _TOOLS, "crewai.tools.base_tool": _TOOLS, "crewai_tools": _TOOLS,
    "langchain": {}, "langchain.tools": _TOOLS, "langchain.tools.base": _TOOLS, "langchain.pydantic_v1": _MODELS,
    "langchain.callbacks": {}, "langchain.callbacks.manager": _CALLBACKS,
    "langchain_core": {}, "langchain_core.tools": _TOOLS, "langchain_core.tools.base": _TOOLS,
    "langchain_core.pydantic_v1": _MODELS, "langchain_core.callbacks": _CALLBACKS,
    "langchain_core.callbacks.manager": _CALLBACKS, "langchain_core.runnables": {"RunnableConfig": dict},
}


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds those modules when nobody else does."""

    def find_spec(self, name, path=None, target=None):
        """What the import system asks."""
        return importlib.machinery.ModuleSpec(name, self, is_package=True) if name in MODULES else None

    def create_module(self, spec):
        """An ordinary module."""

    def exec_module(self, module):
        """Fills it."""
        module.__dict__.update(MODULES[module.__name__])


def install():
    """Makes the modules importable."""
    if not any(isinstance(finder, Finder) for finder in sys.meta_path):
        sys.meta_path.append(Finder())
