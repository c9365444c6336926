"""Types that programs build requests from and know answers by: any name is a type that takes any fields."""

import importlib.abc
import importlib.machinery
import re
import sys

from mneme_runtime.records import Record

__path__ = []
_made = {}
#: How the ids of what the server answers with begin.
_IDS = {
    "AgentState": "agent-", "Archive": "archive-", "Block": "block-", "BlockResponse": "block-", "Folder": "source-", "Group": "group-",
    "Identity": "identity-", "Job": "job-", "Message": "message-", "Passage": "passage-", "Run": "run-", "Source": "source-",
    "Step": "step-", "Tool": "tool-",
}


class Kind(type):
    """Knows which answers are of a type: they are records like all others."""

    def __instancecheck__(cls, one):
        if type.__instancecheck__(cls, one):
            return True
        if not isinstance(one, Record) or isinstance(type(one), Kind):
            return False
        begin = _IDS.get(cls.__name__)
        if begin is not None:
            return str(one.get("id")).startswith(begin)
        return one.get("message_type") == re.sub("(?<=[a-z])(?=[A-Z])", "_", cls.__name__).lower()


class Model(Record, metaclass=Kind):
    """Fields by name."""

    def __init__(self, **fields):
        super().__init__(fields)


#: What a type says about itself in a request, where the server asks for it.
_TAGS = {"TextContent": {"type": "text"}, "ImageContent": {"type": "image"}, "ApprovalCreate": {"type": "approval"}}


def _model(name):
    tags = _TAGS.get(name, {})

    def init(self, **fields):
        Record.__init__(self, {**tags, **fields})

    return Kind(name, (Model,), {"__init__": init, "__module__": __name__})


def __getattr__(name):
    if not name[:1].isupper():
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name not in _made:
        _made[name] = _model(name)
    return _made[name]


#: Where the official client and the first server have their types. Nothing else of that server can be had here.
_TYPES = re.compile(r"letta_client\..+|letta|letta\.(agent|memory|schemas(\..+)?)")


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds the modules that the official client spreads its types over."""

    def find_spec(self, name, path=None, target=None):
        """What the import system asks."""
        return importlib.machinery.ModuleSpec(name, self, is_package=True) if _TYPES.fullmatch(name) else None

    def create_module(self, spec):
        """An ordinary module."""

    def exec_module(self, module):
        """Fills it."""
        if module.__name__ != "letta":
            module.__getattr__ = __getattr__


if not any(type(finder).__name__ == "Finder" and type(finder).__module__ == __name__ for finder in sys.meta_path):
    sys.meta_path.append(Finder())
