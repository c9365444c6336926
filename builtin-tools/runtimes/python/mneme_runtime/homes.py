"""A program's home is where its files may be, unless its environment names another."""

import os

#: Where temporary files go.
TEMPORARY = "/tmp"


def install():
    """Makes `~` mean it."""
    usual = os.path.expanduser

    def expanduser(path):
        text = os.fspath(path)
        if isinstance(text, str) and (text == "~" or text.startswith("~/")) and "HOME" not in os.environ:
            return TEMPORARY + text[1:]
        return usual(path)

    os.path.expanduser = expanduser


def enter(folder):
    """Makes the folder the current one, or else that of temporary files: the root takes no files."""
    if os.path.isdir(folder):
        os.chdir(folder)
    elif os.getcwd() == "/" and os.path.isdir(TEMPORARY):
        os.chdir(TEMPORARY)
