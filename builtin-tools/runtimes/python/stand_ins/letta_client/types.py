"""Types that programs build requests from: any name is a type that takes any fields."""

from mneme_runtime.records import Record

_made = {}


class Model(Record):
    """Fields by name."""

    def __init__(self, **fields):
        super().__init__(fields)


#: What a type says about itself in a request, where the server asks for it.
_TAGS = {"TextContent": {"type": "text"}, "ImageContent": {"type": "image"}, "ApprovalCreate": {"type": "approval"}}


def _model(name):
    tags = _TAGS.get(name, {})

    def init(self, **fields):
        Record.__init__(self, {**tags, **fields})

    return type(name, (Model,), {"__init__": init, "__module__": __name__})


def __getattr__(name):
    if not name[:1].isupper():
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return _made.setdefault(name, None) or _made.__setitem__(name, _model(name)) or _made[name]
