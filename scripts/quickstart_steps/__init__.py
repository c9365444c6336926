"""The steps of scripts/quickstart. Python's standard library only, Python 3.9 or newer."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
CACHE = Path.home() / ".cache" / "mneme"


class Trouble(Exception):
    """Something that the user can mend; the text says how."""
