"""Runs the server beside this script."""

import contextlib
import os
import socket
import subprocess
import time
import urllib.error

from . import CACHE, LOCAL, Trouble

START_SECONDS = 120
STOP_SECONDS = 15


@contextlib.contextmanager
def run(binary, port, data_dir, environment):
    """Yields the URL of a server that answers; it is asked to end with the block."""
    port = free_port(port)
    url = f"http://127.0.0.1:{port}"
    CACHE.mkdir(parents=True, exist_ok=True)
    if not os.access(binary, os.X_OK):
        raise Trouble(f"{binary} is not a program.")
    log = open(CACHE / "quickstart-server.log", "wb")
    process = subprocess.Popen(
        [binary, "serve", "--host", "127.0.0.1", "--port", str(port), "--data-dir", data_dir],
        env={**os.environ, **environment, **direct()}, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
    )  # fmt: skip
    try:
        wait(process, url, log.name)
        yield url
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(STOP_SECONDS)
        process.kill()
        process.wait()
        log.close()


def direct():
    """The variables that keep a proxy from standing between the server and models on this machine."""
    hosts = os.environ.get("no_proxy") or os.environ.get("NO_PROXY")
    hosts = ",".join(filter(None, [hosts, "localhost", "127.0.0.1"]))
    return {"no_proxy": hosts, "NO_PROXY": hosts}


def free_port(wanted):
    with socket.socket() as probe:
        # As the server does it: a port that a stopped server has left behind counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError:
            raise Trouble(f"Port {wanted} is taken. Stop what listens there, or choose another one with --port.") from None
        return probe.getsockname()[1]


def wait(process, url, log):
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise Trouble(f"The server ended while starting; {log} says why.")
        try:
            LOCAL.open(f"{url}/v1/health/", timeout=5).close()
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise Trouble(f"The server did not answer within {START_SECONDS} seconds; {log} may say why.")
