"""What the snapshot holds: an instance can import only what was imported before it was taken.

Runs while the component is built, with the standard library and the packages of `requirements.txt` in reach.
"""

import contextlib
import gc
import importlib
import importlib.machinery
import linecache
import pkgutil
import sys
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
_STAND_INS = ("httpx", "letta_client", "pydantic")


def everything():
    """Imports and adapts everything."""
    warnings.simplefilter("ignore")
    with _without_docstrings():
        _everything()
    warnings.resetwarnings()
    # What is on disk here will not be there later.
    sys.path.clear()
    sys.path_importer_cache.clear()
    importlib.invalidate_caches()
    linecache.clearcache()
    gc.collect()


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
