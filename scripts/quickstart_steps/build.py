"""Builds the release binary, once; later runs only check that it is up to date."""

import contextlib
import json
import shutil
import subprocess
import threading
from pathlib import Path

from . import ROOT, Trouble

#: What builds the server, and the program that prepares for it. Both packages are named for both, so that what they have in
#: common is built once.
BUILD = ("build", "--release", "--package", "mneme", "--package", "xtask", "--bin")


def server():
    """The path of an up-to-date server binary."""
    if not shutil.which("cargo"):
        raise Trouble("cargo was not found. Install Rust with rustup (or your system's package), then run this again.")
    target = Path(json.loads(cargo("metadata", "--format-version=1", "--no-deps", capture=True))["target_directory"])
    binary, xtask = (target / "release" / name for name in ("mneme", "xtask"))
    if not binary.exists():
        print("Building the server. The first time this takes about 15 minutes on two cores; cargo shows the progress.")
    cargo(*BUILD, "xtask")
    with contextlib.nullcontext() if binary.exists() else ahead():
        run(xtask, "setup", "--without-examples")
    cargo(*BUILD, "mneme")
    if not binary.exists():
        raise Trouble(f"cargo built no {binary}")
    return binary


@contextlib.contextmanager
def ahead():
    """Begins to build the server while it is prepared for: much of it does not depend on what will be embedded, and preparing often
    leaves a processor idle. It goes as far as it can; the build proper tells what is wrong, if anything is.
    """
    begun = subprocess.Popen(
        ["cargo", *BUILD, "mneme", "--keep-going"], cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    prepared = threading.Event()
    reader = threading.Thread(target=relay, args=(begun.stderr, prepared), daemon=True)
    reader.start()
    try:
        yield
        prepared.set()
    except BaseException:
        begun.terminate()
        raise
    finally:
        begun.wait()
        reader.join()


def relay(lines, prepared):
    """Shows what is built, once the terminal is free for it."""
    for line in lines:
        if prepared.is_set() and line.lstrip().startswith("Compiling"):
            print(line, end="", flush=True)


def cargo(*arguments, capture=False):
    """Runs cargo in the workspace."""
    return run("cargo", *arguments, capture=capture)


def run(program, *arguments, capture=False):
    """Runs a program in the workspace; its progress goes to the terminal."""
    result = subprocess.run([program, *arguments], cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE if capture else None)
    if result.returncode:
        raise Trouble(f"`{' '.join((str(program), *arguments))}` failed; its message is above.")
    return result.stdout
