"""Runs one program: asks the host for it, evaluates it, tells what came of it."""

import base64
import importlib.machinery
import os
import sys

from mneme_runtime import display, host, loop, program

#: What the libraries need to find their way; the program's own variables come on top.
_KEPT = ("HOME", "TMPDIR", "MPLBACKEND", "MPLCONFIGDIR")


def main():
    """Answers one `run` of the host."""
    sys.meta_path.insert(0, _Adapting())
    loop.install()
    asked = host.ask({"ask": "program"})
    environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
    environment.update(asked["environment"])
    done = program.run(program.Program(asked["source"], asked["filename"], None, environment, None))
    displays = done.displays + _figures()
    value = done.value and {"json": done.value.json, "text": done.value.text}
    raised = done.raised or (done.invalid and ("TypeError", done.invalid, ""))
    shown = [(kind, base64.b64encode(data).decode()) for kind, data in displays]
    host.ask({"ask": "done", "value": value or None, "raised": raised or None, "displays": shown})


def _figures():
    """Figures that the program drew and did not show, as notebooks do."""
    plots = sys.modules.get("mneme_plots")
    if plots is None:
        return []
    display.begin()
    try:
        plots.show_all()
    except Exception as error:  # noqa: BLE001 - a figure that cannot be drawn must not take the result with it
        print(f"a figure could not be drawn: {error}", file=sys.stderr)
    return display.taken()


class _Adapting:
    """Fits modules to a process without sockets when they are first imported, and not before: that takes time."""

    def find_spec(self, name, path=None, target=None):
        """The plain module, adapted once it is loaded."""
        adapt = _ADAPTED.get(name)
        spec = importlib.machinery.PathFinder.find_spec(name, path) if adapt else None
        if spec is None or spec.loader is None:
            return None
        spec.loader = _Loader(spec.loader, adapt)
        return spec


class _Loader:
    """A loader that does something when it is done."""

    def __init__(self, inner, after):
        self._inner, self._after = inner, after

    def create_module(self, spec):
        """As the inner loader does."""
        return self._inner.create_module(spec)

    def exec_module(self, module):
        """Runs the module, then what comes after it."""
        self._inner.exec_module(module)
        self._after()

    def __getattr__(self, name):
        return getattr(self._inner, name)


def _connections():
    import http

    # Python does this when the import is over, which is after us.
    http.client = sys.modules["http.client"]
    from mneme_runtime import connection

    connection.install()


def _urllib3():
    from mneme_runtime import adapt

    adapt._urllib3()


def _requests():
    from mneme_runtime import adapt

    adapt._requests()


_ADAPTED = {"http.client": _connections, "urllib3": _urllib3, "requests": _requests}
