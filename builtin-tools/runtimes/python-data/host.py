"""What the host offers, over its one function: a message out, a message in. Stands where the Python runtime has a module of
the same name, and offers the same."""

import base64
import json
import time
from dataclasses import dataclass

import _host


class Err(Exception):
    """A request that failed; `value` says why in the manner of wasi:http."""

    def __init__(self, value):
        super().__init__(value)
        self.value = value


class ErrorCode_InternalError:
    """A request that was refused or broke."""

    def __init__(self, value):
        self.value = value


class ErrorCode_HttpResponseTimeout:
    """A request that took too long."""


class HostError(Exception):
    """The host refused."""

    def __init__(self, kind, message):
        super().__init__(message)
        self.kind = kind


@dataclass
class Answer:
    """A response: header names are as they were sent, bodies are whole."""

    status: int
    headers: list
    body: bytes


def ask(message):
    """The host's answer to a message."""
    return json.loads(_host.call(json.dumps(message).encode()))


def sleep(seconds):
    """Blocks."""
    time.sleep(seconds)


def wait(sources, timeout):
    """Everything is ready at once: requests are over when they are known."""
    if not sources and timeout:
        time.sleep(timeout)
    return list(range(len(sources)))


def get_block(label):
    """A program has no agent."""
    raise HostError("denied", "a program has no agent")


def list_blocks():
    """A program has no agent."""
    raise HostError("denied", "a program has no agent")


def set_block(label, value):
    """A program has no agent."""
    raise HostError("denied", "a program has no agent")


class Sending:
    """A request; it is over when this is made."""

    pollable = None

    def __init__(self, method, scheme, authority, path, headers, body, timeout):
        self._told = ask({
            "ask": "send",
            "method": method,
            "url": f"{scheme}://{authority}{path}",
            "headers": [(name, value.decode("latin-1")) for name, value in headers],
            "body": base64.b64encode(body or b"").decode(),
            "timeout": timeout,
        })

    def answer(self):
        """The response. Raises `Err`."""
        told = self._told
        if "error" in told:
            late = told.get("late")
            raise Err(ErrorCode_HttpResponseTimeout() if late else ErrorCode_InternalError(told["error"]))
        headers = [(name, value) for name, value in told["headers"]]
        return Answer(told["status"], headers, base64.b64decode(told["body"]))
