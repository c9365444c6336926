"""Evaluates source like a notebook cell: the value of the last expression is the result."""

import ast
import inspect

from . import display, loop


def evaluate(source, filename, names):
    """Runs the source; `await` is allowed outside of functions. None when it does not end in an expression."""
    tree = ast.parse(source, filename)
    last = None
    # A semicolon at the end hides the value, as notebooks do.
    if tree.body and isinstance(tree.body[-1], ast.Expr) and not source.rstrip().endswith(";"):
        last = ast.Expression(tree.body.pop().value)
    _run(compile(tree, filename, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True), names)
    if last is None:
        return None
    value = _run(compile(last, filename, "eval", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True), names)
    rich = display.form(value)
    if rich is not None:
        display.display(value)
    return value


def _run(code, names):
    if code.co_flags & inspect.CO_COROUTINE:
        return loop.run(eval(code, names))
    return eval(code, names)
