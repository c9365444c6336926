"""What the snapshot holds: an instance can import only what was imported before it was taken.

Runs while the component is built, with the standard library and the packages of `requirements.txt` in reach.
"""

import contextlib
import gc
import importlib
import importlib.machinery
import io
import linecache
import pkgutil
import sys
import types
import warnings

#: Not for a program without a terminal, a display, processes or threads; or an Easter egg.
_LEFT_OUT = {
    "__phello__", "_aix_support", "_android_support", "_apple_support", "_ios_support", "_pyrepl", "antigravity",
    "curses", "ensurepip", "idlelib", "lib2to3", "multiprocessing", "pip", "pydoc_data", "test", "this", "tkinter", "turtle",
    "turtledemo", "venv", "xmlrpc.server",
}
_PACKAGES = (
    "bs4", "certifi", "charset_normalizer", "dateutil", "html5lib", "idna", "jinja2", "markdown", "markupsafe", "pytz",
    "requests", "six", "soupsieve", "typing_extensions", "tzdata", "urllib3", "webencodings", "yaml",
)
_STAND_INS = ("aiohttp", "dotenv", "httpx", "letta_client", "pydantic")


def everything():
    """Imports and adapts everything."""
    warnings.simplefilter("ignore")
    with _without_docstrings():
        _everything()
    _rehearse()
    _usual_warnings()
    # What is on disk here will not be there later.
    sys.path.clear()
    sys.path_importer_cache.clear()
    importlib.invalidate_caches()
    linecache.clearcache()
    _settle()


def _usual_warnings():
    """Warns of what Python itself warns of: not of files that were left open, and of deprecations only in the program."""
    warnings.resetwarnings()
    warnings.filterwarnings("default", category=DeprecationWarning, module="__main__", append=True)
    for category in (DeprecationWarning, PendingDeprecationWarning, ImportWarning, ResourceWarning):
        warnings.simplefilter("ignore", category, append=True)


#: What most programs do: a call with typed arguments, a cell, an error.
_TOOL = '''
from typing import List, Optional

def rehearsal(count: int, names: Optional[List[str]] = None, exact: bool = False) -> dict:
    """
    Counts.

    Args:
        count (int): A number.
        names (List[str]): Some names.
        exact (bool): Whether it is exact.
    """
    if count < 0:
        raise ValueError(f"{count} is too small")
    print(count)
    return {"count": count + 1, "names": [name.upper() for name in names or []], "exact": exact}
'''
_REHEARSALS = (
    ("rehearsal", '{"count": 1, "names": ["a"], "exact": true}'), ("rehearsal", '{"count": "2"}'),
    ("rehearsal", '{"count": -1}'), ("rehearsal", "{}"), None,
)


def _rehearse():
    """Runs programs, so that what is made or found out at the first run of one is in the snapshot."""
    from mneme_runtime import program

    main, arguments, out = sys.modules.get("__main__"), sys.argv, sys.stdout
    sys.stdout = io.TextIOWrapper(io.BytesIO(), "utf-8")
    try:
        # The interpreter fits its code to what it met a few times.
        for _ in range(12):
            for asked in _REHEARSALS:
                call = asked and program.Call(*asked)
                program.run(program.Program(_TOOL if call else "1 + 1", "tool.py", call, {}, None))
    finally:
        sys.modules.pop("__tool__", None)
        sys.modules.pop("__main__", None)
        if main is not None:
            sys.modules["__main__"] = main
        sys.argv, sys.stdout = arguments, out


#: Free memory that a program starts with, in one piece, in bytes: what it makes there needs no more of the host.
_ROOM = 4 << 20
_filling = []


def _settle():
    """Gives a program's own objects a place of their own.

    Each page of the snapshot that an instance writes to has to be copied for it and put back after it. So the collector
    leaves alone what is here already (it would write to all of it), and the holes between those objects are filled: the
    allocator would scatter new ones over all of them.
    """
    gc.collect()
    _everlasting()
    gc.freeze()
    # The last of many pieces, so that it lies behind all holes.
    rooms = [bytes(_ROOM) for _ in range(3)]
    end = max(map(id, rooms))
    del rooms
    size = _ROOM
    while size > 8:
        # The least that one takes: 17 bytes as `bytes`, 8 as `object`.
        piece = object() if size <= 12 else bytes(size - 17)
        if id(piece) < end:
            _filling.append(piece)
        # The allocator's pieces are multiples of 16 bytes, of which 4 are its own.
        elif size > 4096:
            size = size * 3 // 4
        else:
            size = (size - 12) // 16 * 16 - 4 if size % 16 == 12 else size // 16 * 16 - 4


#: How the build finds the list of objects that live as long as an instance: these words, and its address in four bytes. Apart here,
#: so that they are found once.
_MARK = ("mneme:", "objects", "that", "stay,", "listed", "at")
_staying = []


def _everlasting():
    """Lists the objects that are here, for the build to make immortal.

    Using an object means counting references in it, and so writing to its page. The interpreter does not count those of objects
    whose count says that they never die. Being in the list also keeps them alive until the build has written that.
    """
    global _mark
    # A bit for each 8 bytes of memory, which is less than an object. A set would take as much memory as everything here.
    known = bytearray(2 << 20)

    def is_new(one):
        byte, bit = id(one) >> 6, 1 << (id(one) >> 3 & 7)
        new = not known[byte] & bit
        known[byte] |= bit
        return new

    is_new(_staying)
    # The list grows while it is walked, until nothing new is referred to.
    _staying.extend(filter(is_new, gc.get_objects()))
    for one in _staying:
        if type(one) is not types.FrameType:
            _staying.extend(filter(is_new, _parts(one) if type(one) is types.CodeType else gc.get_referents(one)))
    _mark = " ".join(_MARK).encode() + id(_staying).to_bytes(4, "little")


def _parts(code):
    """What the collector does not know that code refers to, as far as asking for it makes nothing new."""
    yield from (code.co_consts, code.co_names, code.co_filename, code.co_name, code.co_qualname)
    yield from (code.co_linetable, code.co_exceptiontable)


def _everything():
    from mneme_runtime import adapt

    adapt.before_imports()
    for name in (*_STAND_INS, *_PACKAGES):
        _import(name, required=True)
    for name in sorted(sys.stdlib_module_names):
        if name not in _LEFT_OUT:
            _import(name)
    adapt.after_imports()


@contextlib.contextmanager
def _without_docstrings():
    """Makes imports leave docstrings out: nobody reads them in a snapshot, and they are a tenth of it."""
    loader = importlib.machinery.SourceFileLoader
    compiled, stats = loader.source_to_code, loader.path_stats
    loader.source_to_code = lambda self, data, path, *, _optimize=-1: compiled(self, data, path, _optimize=2)
    loader.path_stats = _no_cache
    yield
    loader.source_to_code, loader.path_stats = compiled, stats


def _no_cache(self, path):
    raise OSError("cached bytecode has docstrings")


def _import(name, required=False):
    try:
        module = importlib.import_module(name)
    except (ImportError, AttributeError, OSError, NotImplementedError):
        if required:
            raise
        return False
    for found in pkgutil.iter_modules(getattr(module, "__path__", ()), f"{name}."):
        leaf = found.name.rpartition(".")[2]
        if leaf not in ("__main__", "tests", "test", "testing") and found.name not in _LEFT_OUT:
            _import(found.name)
    return True
