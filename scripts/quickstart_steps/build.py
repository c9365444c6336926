"""Builds the release binary, once; later runs only check that it is up to date."""

import json
import shutil
import subprocess
from pathlib import Path

from . import ROOT, Trouble


def server():
    """The path of an up-to-date server binary."""
    if not shutil.which("cargo"):
        raise Trouble("cargo was not found. Install Rust with rustup (or your system's package), then run this again.")
    target = Path(json.loads(cargo("metadata", "--format-version=1", "--no-deps", capture=True))["target_directory"])
    binary = target / "release" / "mneme"
    if not binary.exists():
        print("Building the server. The first time this takes about 25 minutes on two cores; cargo shows the progress.")
    cargo("xtask", "setup", "--without-examples")
    cargo("build", "--release", "--package", "mneme", "--bin", "mneme")
    if not binary.exists():
        raise Trouble(f"cargo built no {binary}")
    return binary


def cargo(*arguments, capture=False):
    """Runs cargo in the workspace; its progress goes to the terminal."""
    result = subprocess.run(["cargo", *arguments], cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE if capture else None)
    if result.returncode:
        raise Trouble(f"`cargo {' '.join(arguments)}` failed; its message is above.")
    return result.stdout
