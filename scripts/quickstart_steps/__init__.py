"""The steps of scripts/quickstart. Python's standard library only, Python 3.9 or newer."""

import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
CACHE = Path.home() / ".cache" / "mneme"
# Asks servers on this machine: no proxy that the environment names stands between.
LOCAL = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Trouble(Exception):
    """Something that the user can mend; the text says how."""
