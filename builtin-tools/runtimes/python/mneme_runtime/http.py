"""One HTTP request over the host, for everything that speaks HTTP inside: urllib, urllib3, httpx."""

import asyncio
import zlib
from urllib.parse import quote, urlsplit

from . import host

#: Headers that the transport sets by itself, or that make no sense here.
_OWN = {"host", "connection", "keep-alive", "transfer-encoding", "content-length", "upgrade", "proxy-connection"}
#: Characters that may stand in a path or query as they are.
_SAFE = "%/:=&?~#+!$,;'@()*[]|"


class TransportError(OSError):
    """The request was not answered. `kind` is the error code of wasi:http, such as `ConnectionTimeout`."""

    def __init__(self, kind, message):
        super().__init__(message)
        self.kind = kind

    @property
    def timed_out(self):
        """Whether it took too long."""
        return "Timeout" in self.kind

    @property
    def refused(self):
        """Whether the host did not want the request to be made."""
        return self.kind in ("HttpRequestDenied", "DestinationIpProhibited")


def send(method, url, headers=(), body=b"", timeout=None):
    """Sends and waits. `headers` are pairs; seconds. Answers with `host.Answer`; raises `TransportError`."""
    try:
        return _start(method, url, headers, body, timeout).answer()
    except host.Err as error:
        raise _failed(error, url) from None


async def send_async(method, url, headers=(), body=b"", timeout=None):
    """The same, while other tasks run."""
    try:
        sending = _start(method, url, headers, body, timeout)
        await asyncio.get_running_loop().ready(sending.pollable)
        return sending.answer()
    except host.Err as error:
        raise _failed(error, url) from None


def decoded(answer):
    """The body of an answer, without the compression that its headers name."""
    how = next((value.strip().lower() for name, value in answer.headers if name.lower() == "content-encoding"), "")
    # A gzip header or zlib's own, whichever is there; and deflate without any.
    for bits in {"gzip": (47,), "x-gzip": (47,), "deflate": (47, -15)}.get(how, ()):
        try:
            return zlib.decompress(answer.body, bits)
        except zlib.error:
            continue
    return answer.body


def _start(method, url, headers, body, timeout):
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https"):
        raise ValueError(f"{url!r} is not an address that starts with http:// or https://")
    if not parts.hostname:
        raise ValueError(f"{url!r} names no host")
    authority = parts.netloc.rpartition("@")[2]
    path = quote(parts.path or "/", safe=_SAFE)
    if parts.query:
        path += "?" + quote(parts.query, safe=_SAFE)
    kept = [
        (str(name), value if isinstance(value, bytes) else str(value).encode("utf-8" if not _latin(value) else "latin-1"))
        for name, value in headers
        if str(name).lower() not in _OWN
    ]
    if body:
        kept.append(("content-length", str(len(body)).encode()))
    return host.Sending(method.upper(), parts.scheme, authority, path, kept, body, timeout)


def _latin(value):
    try:
        str(value).encode("latin-1")
    except UnicodeEncodeError:
        return False
    return True


def _failed(error, url):
    code = error.value
    kind = type(code).__name__.rpartition("_")[2]
    detail = getattr(code, "value", None)
    detail = getattr(detail, "rcode", None) or (detail if isinstance(detail, str) else None)
    where = urlsplit(url).netloc.rpartition("@")[2]
    message = _TOLD.get(kind) or "".join(" " + letter.lower() if letter.isupper() else letter for letter in kind).strip()
    return TransportError(kind, f"{where}: {message}" + (f" ({detail})" if detail else ""))


_TOLD = {
    "DnsError": "the name could not be resolved",
    "DnsTimeout": "looking the name up took too long",
    "ConnectionRefused": "the connection was refused",
    "ConnectionTimeout": "connecting took too long",
    "ConnectionReadTimeout": "the answer took too long",
    "HttpResponseTimeout": "the answer took too long",
    "HttpRequestDenied": "this tool is not allowed to send requests there",
    "DestinationIpProhibited": "this tool is not allowed to reach that address",
    "InternalError": "the request failed",
}
