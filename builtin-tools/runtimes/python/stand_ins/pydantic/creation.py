"""Models that are made while a program runs."""

import sys

from .meta import Meta
from .model import BaseModel


def create_model(name, /, *, __base__=None, __module__=None, __config__=None, __validators__=None, __doc__=None, **fields):
    """Makes a model from names, each with a type and a default."""
    annotations, body = {}, {}
    for field, declared in fields.items():
        if not isinstance(declared, tuple):
            declared = (declared, ...) if isinstance(declared, type) else (type(declared), declared)
        annotations[field] = declared[0]
        if len(declared) > 1 and declared[1] is not ...:
            body[field] = declared[1]
    body.update(__validators__ or {})
    body["__annotations__"] = annotations
    body["__module__"] = __module__ or sys._getframe(1).f_globals.get("__name__", "__main__")
    body["__doc__"] = __doc__
    if __config__:
        body["model_config"] = __config__
    bases = __base__ if isinstance(__base__, tuple) else (__base__ or BaseModel,)
    return Meta(name, bases, body)
