"""`display(value)`, as notebooks have it: what a program shows beside its value."""

import base64

#: The methods that values offer, best first, with what they give.
_FORMS = (
    ("_repr_png_", "image/png"),
    ("_repr_jpeg_", "image/jpeg"),
    ("_repr_svg_", "image/svg+xml"),
    ("_repr_html_", "text/html"),
    ("_repr_markdown_", "text/markdown"),
    ("_repr_latex_", "text/latex"),
)

_shown = []


def begin():
    """Forgets what was shown before."""
    _shown.clear()


def taken():
    """What was shown: media types and bytes, in order."""
    return list(_shown)


def display(*values):
    """Shows values beside the result: as pictures or pages where they can be, as text otherwise."""
    for value in values:
        _shown.append(form(value) or ("text/plain", repr(value).encode("utf-8", "replace")))


def form(value):
    """The richest form of a value, as media type and bytes; None when it has only its text."""
    if isinstance(value, type):
        return None
    for method, media_type in _FORMS:
        give = getattr(value, method, None)
        if not callable(give):
            continue
        data = give()
        if isinstance(data, tuple):
            data = data[0]
        if data is None:
            continue
        if isinstance(data, str):
            picture = media_type in ("image/png", "image/jpeg")
            data = base64.b64decode(data) if picture else data.encode("utf-8", "replace")
        return media_type, bytes(data)
    return None
