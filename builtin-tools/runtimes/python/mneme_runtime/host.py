"""What the host offers. The only module that names the component's imports; tests put their own in its place."""

import time
from dataclasses import dataclass

from componentize_py_types import Err
from wit_world.imports import (
    memory,
    monotonic_clock,
    outgoing_handler,
    poll,
    streams,
    wasi_http_types as http,
)

_CHUNK = 64 << 10
#: Bytes that one write of a body may carry without asking the stream first.
_WRITE = 4096


class HostError(Exception):
    """The host refused; `kind` is one of the WIT's names, such as `read-only`."""

    def __init__(self, kind, message):
        super().__init__(message)
        self.kind = kind


@dataclass
class Answer:
    """A response: header names are as they were sent, bodies are whole."""

    status: int
    headers: list
    body: bytes


def sleep(seconds):
    """Blocks."""
    time.sleep(seconds)


def wait(sources, timeout):
    """Indices of the ready ones among pollables; at least one, unless the seconds have passed."""
    if timeout is None:
        return poll.poll(sources)
    with monotonic_clock.subscribe_duration(max(0, int(timeout * 1e9))) as timer:
        return [index for index in poll.poll([*sources, timer]) if index < len(sources)]


def get_block(label):
    """A block of the calling agent's memory: label, value, limit, description, read_only."""
    return _told(lambda: memory.get_block(label))


def list_blocks():
    """All blocks of the calling agent."""
    return _told(memory.list_blocks)


def set_block(label, value):
    """Replaces the value of a block."""
    _told(lambda: memory.set_block(label, value))


def _told(ask):
    try:
        return ask()
    except Err as error:
        kind = type(error.value).__name__.removeprefix("HostError_").replace("NotFound", "not-found")
        raise HostError(kind, error.value.value) from None


class Sending:
    """A request under way. `pollable` is ready when `answer` will not block."""

    def __init__(self, method, scheme, authority, path, headers, body, timeout):
        request = http.OutgoingRequest(http.Fields.from_list(headers))
        request.set_method(_method(method))
        request.set_scheme(http.Scheme_Https() if scheme == "https" else http.Scheme_Http())
        request.set_authority(authority)
        request.set_path_with_query(path)
        options = None
        if timeout is not None:
            options = http.RequestOptions()
            nanoseconds = max(1, int(timeout * 1e9))
            options.set_connect_timeout(nanoseconds)
            options.set_first_byte_timeout(nanoseconds)
            options.set_between_bytes_timeout(nanoseconds)
        outgoing = request.body()
        self._future = outgoing_handler.handle(request, options)
        _write(outgoing, body)
        self.pollable = self._future.subscribe()

    def answer(self):
        """The response. Blocks. Raises `Err` with an error code of wasi:http."""
        with self._future as future:
            with self.pollable as pollable:
                pollable.block()
            result = future.get()
            if isinstance(result, Err):
                raise result
            inner = result.value
            if isinstance(inner, Err):
                raise inner
            with inner.value as response:
                with response.headers() as fields:
                    headers = [(name, value.decode("latin-1")) for name, value in fields.entries()]
                return Answer(response.status(), headers, _read(response.consume()))


def _method(name):
    known = getattr(http, f"Method_{name.capitalize()}", None)
    return known() if known and name.isupper() else http.Method_Other(name)


def _write(outgoing, body):
    if body:
        with outgoing.write() as stream:
            for start in range(0, len(body), _WRITE):
                stream.blocking_write_and_flush(body[start : start + _WRITE])
    http.OutgoingBody.finish(outgoing, None)


def _read(incoming):
    parts = []
    with incoming.stream() as stream:
        while True:
            try:
                parts.append(stream.blocking_read(_CHUNK))
            except Err as error:
                if isinstance(error.value, streams.StreamError_Closed):
                    break
                raise
    http.IncomingBody.finish(incoming)
    return b"".join(parts)
