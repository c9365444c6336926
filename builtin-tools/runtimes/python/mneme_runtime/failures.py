"""Exceptions, told to whoever wrote the program: only frames of their own files."""

import errno
import re
import traceback

#: Files of packages that the program brought along count as its own.
_BROUGHT = "/packages/"
#: More than this is cut in the middle: an endless recursion has thousands of lines.
_MAX_TEXT = 20_000


def describe(error, filename):
    """Name, message and traceback."""
    name = type(error).__name__
    if isinstance(error, OSError) and error.errno == errno.EIO and error.filename is None:
        # A write that was refused reaches Python without its reason, and there is only one.
        error.strerror = "No space left in the folder of this call"
    try:
        message = str(error)
        text = _traceback(error, filename)
    except MemoryError:
        return name, "", name
    except Exception as second:  # noqa: BLE001 - the exception's own __str__ failed
        return name, f"(the exception cannot be turned into text: {type(second).__name__})", name
    if len(text) > _MAX_TEXT:
        half = _MAX_TEXT // 2
        text = f"{text[:half]}\n…\n{text[-half:]}"
    return name, message, text


def _traceback(error, filename):
    told = traceback.TracebackException.from_exception(error)
    _trim(told, filename, set())
    # The program's own exceptions have no module to it.
    return re.sub(r"(?m)^([ |]*)__tool__\.", r"\1", "".join(told.format()).rstrip("\n"))


def _trim(told, filename, done):
    if told is None or id(told) in done:
        return
    done.add(id(told))
    own = [frame for frame in told.stack if frame.filename == filename or frame.filename.startswith(_BROUGHT)]
    told.stack = traceback.StackSummary.from_list(own)
    # Nothing is left of a syntax error's stack, or of one raised while arguments were passed.
    for name in ("__cause__", "__context__"):
        chained = getattr(told, name)
        inside = chained is not None and len(chained.stack) > 0
        _trim(chained, filename, done)
        if inside and not chained.stack:
            # It was raised and handled inside a library.
            setattr(told, name, None)
    for inner in getattr(told, "exceptions", None) or ():
        _trim(inner, filename, done)
