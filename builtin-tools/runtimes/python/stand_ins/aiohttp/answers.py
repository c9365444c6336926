"""Answers, whose bodies are here already."""

import dataclasses
import json as jsonlib

from .errors import ClientResponseError, ContentTypeError


@dataclasses.dataclass
class RequestInfo:
    """What was asked."""

    url: object
    method: str
    headers: object
    real_url: object


class Content:
    """The body as a stream."""

    def __init__(self, data):
        self._data = data

    async def read(self, n=-1):
        """So many bytes, or all."""
        size = len(self._data) if n < 0 else n
        piece, self._data = self._data[:size], self._data[size:]
        return piece

    async def readline(self):
        """The next line."""
        end = self._data.find(b"\n") + 1
        return await self.read(end or -1)

    def at_eof(self):
        """Whether nothing is left."""
        return not self._data

    async def iter_chunked(self, n):
        """In pieces."""
        while self._data:
            yield await self.read(n)

    async def iter_any(self):
        """In one piece."""
        if self._data:
            yield await self.read()

    async def iter_chunks(self):
        """In one piece, which ends it."""
        if self._data:
            yield await self.read(), True

    async def __aiter__(self):
        while self._data:
            yield await self.readline()


class ClientResponse:
    """An answer."""

    def __init__(self, response):
        self._response = response
        self.status = response.status_code
        self.reason = response.reason_phrase
        self.headers = response.headers
        self.url = self.real_url = response.url
        self.method = response.request.method
        self.history = tuple(ClientResponse(earlier) for earlier in response.history)
        self.request_info = RequestInfo(self.url, self.method, response.request.headers, self.url)
        self.content = Content(response.content)
        self.closed = False

    ok = property(lambda self: self.status < 400)
    host = property(lambda self: self.url.host)
    cookies = property(lambda self: self._response.cookies)
    content_type = property(lambda self: self.headers.get("content-type", "application/octet-stream").split(";")[0].strip())
    charset = property(lambda self: self.headers.get("content-type", "").partition("charset=")[2].strip('" ') or None)
    content_length = property(lambda self: len(self._response.content))

    async def read(self):
        """The body."""
        return self._response.content

    async def text(self, encoding=None, errors="strict"):
        """The body as text."""
        return self._response.content.decode(encoding, errors) if encoding else self._response.text

    async def json(self, *, encoding=None, loads=jsonlib.loads, content_type="application/json"):
        """The body from JSON; None when there is no body."""
        wanted = self.content_type == content_type or content_type == "application/json" and self.content_type.endswith("+json")
        if content_type and not wanted:
            message = f"Attempt to decode JSON with unexpected mimetype: {self.content_type}"
            raise ContentTypeError(self.request_info, self.history, status=self.status, message=message, headers=self.headers)
        text = await self.text(encoding)
        return loads(text) if text.strip() else None

    def raise_for_status(self):
        """Raises ClientResponseError for an error."""
        if not self.ok:
            told = {"status": self.status, "message": self.reason, "headers": self.headers}
            raise ClientResponseError(self.request_info, self.history, **told)

    def close(self):
        """Nothing is held open."""
        self.closed = True

    release = close

    def __repr__(self):
        return f"<ClientResponse({self.url}) [{self.status} {self.reason}]>"
