"""A stand-in for python-dotenv: a tool's variables are in its environment already; files that it wrote are read."""

import os
import re

__version__ = "1.1.1"
_LINE = re.compile(r"""(?m)^\s*(?:export\s+)?([\w.]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^#\n]*))""")


def dotenv_values(dotenv_path=None, stream=None, **_):
    """Names and values of a file; nothing where there is none."""
    if stream is None:
        path = dotenv_path or find_dotenv()
        if not path or not os.path.isfile(path):
            return {}
        with open(path, encoding="utf-8") as file:
            text = file.read()
    else:
        text = stream.read()
    return {found[1]: next((part for part in found.groups()[1:3] if part is not None), (found[4] or "").strip())
            for found in _LINE.finditer(text)}


def load_dotenv(dotenv_path=None, stream=None, override=False, **_):
    """Adds them to the environment; whether there were any."""
    values = dotenv_values(dotenv_path, stream)
    for name, value in values.items():
        if override or name not in os.environ:
            os.environ[name] = value
    return bool(values)


def get_key(dotenv_path, key_to_get, **_):
    """One of the values."""
    return dotenv_values(dotenv_path).get(key_to_get)


def set_key(dotenv_path, key_to_set, value_to_set, **_):
    """Writes one into the file."""
    values = {**dotenv_values(dotenv_path), key_to_set: value_to_set}
    with open(dotenv_path, "w", encoding="utf-8") as file:
        file.writelines(f"{name}={value!r}\n" for name, value in values.items())
    return True, key_to_set, value_to_set


def find_dotenv(filename=".env", **_):
    """The path of the file; empty where there is none."""
    return os.path.abspath(filename) if os.path.isfile(filename) else ""
