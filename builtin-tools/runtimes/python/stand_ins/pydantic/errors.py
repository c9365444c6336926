"""What is raised when values do not fit."""

import json

from mneme_runtime import values
from mneme_runtime.misfits import Misfit, Problem, misfit


class PydanticUserError(TypeError):
    """A model was declared in a way that makes no sense."""


class PydanticCustomError(ValueError):
    """What a validator raises to choose the kind of its error."""

    def __init__(self, error_type, message_template, context=None):
        self.type, self.message_template, self.context = error_type, message_template, context
        message = message_template.format(**context) if context else message_template
        self.misfit = misfit(None, message, error_type)
        super().__init__(message)


class ValidationError(ValueError):
    """Values do not fit a model."""

    def __init__(self, title, misfit):
        self.title = title
        self.misfit = misfit
        super().__init__(str(self))

    @classmethod
    def from_exception_data(cls, title, line_errors, **_):
        """An error from its parts."""
        problems = [
            Problem(tuple(line.get("loc", ())), str(line.get("msg") or line["type"]), str(line["type"]), line.get("input"))
            for line in line_errors
        ]
        return cls(title, Misfit(problems))

    def errors(self, **_):
        """What is wrong, a dictionary each."""
        return [
            {"type": problem.kind, "loc": problem.loc, "msg": _said(problem), "input": problem.input}
            for problem in self.misfit.problems
        ]

    def error_count(self):
        """How many."""
        return len(self.misfit.problems)

    def json(self, indent=None, **_):
        """The same as JSON text."""
        return json.dumps(values.plain([{**error, "input": repr(error["input"])} for error in self.errors()]), indent=indent)

    def __str__(self):
        count = self.error_count()
        lines = [f"{count} validation error{'' if count == 1 else 's'} for {self.title}"]
        for problem in self.misfit.problems:
            lines.append(".".join(str(step) for step in problem.loc) or "(the value itself)")
            shown = repr(problem.input)
            shown = shown if len(shown) <= 60 else f"{shown[:40]}…{shown[-18:]}"
            lines.append(f"  {_said(problem)} [type={problem.kind}, input_value={shown}, "
                         f"input_type={type(problem.input).__name__}]")
        return "\n".join(lines)

    __repr__ = __str__


#: What messages of a program's own checks begin with.
_OWN = {"value_error": "Value error, ", "assertion_error": "Assertion failed, "}


def _said(problem):
    return _OWN.get(problem.kind, "") + problem.message
