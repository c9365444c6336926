"""Requests and responses."""

import datetime
import json as jsonlib
from http import HTTPStatus
from http.cookies import SimpleCookie

from .errors import HTTPStatusError
from .parts import URL, Headers, body_of, with_query

_TEXTUAL = ("utf-8", "latin-1")


class Request:
    """A request."""

    def __init__(self, method, url, *, params=None, headers=None, content=None, data=None, files=None, json=None, cookies=None):
        self.method = method.upper()
        self.url = URL(with_query(str(url), params))
        self.headers = Headers(headers)
        self.content = body_of(self.headers, content, data, files, json)
        if cookies:
            self.headers["cookie"] = "; ".join(f"{name}={value}" for name, value in dict(cookies).items())


class Response:
    """An answer; the body is here already."""

    def __init__(self, status_code, *, headers=None, content=b"", text=None, json=None, request=None):
        self.status_code = status_code
        self.headers = Headers(headers)
        if json is not None:
            content = jsonlib.dumps(json).encode()
        self.content = text.encode() if text is not None else content
        self.request = request
        self.history = []
        self.elapsed = datetime.timedelta()
        self.encoding = None
        self.http_version = "HTTP/1.1"

    @property
    def url(self):
        """The address that answered."""
        return self.request.url

    @property
    def reason_phrase(self):
        """The status in words."""
        return HTTPStatus(self.status_code).phrase if self.status_code in HTTPStatus._value2member_map_ else ""

    @property
    def text(self):
        """The body as text."""
        kind = self.headers.get("content-type", "")
        named = kind.partition("charset=")[2].split(";")[0].strip(' "')
        for encoding in (self.encoding, named, *_TEXTUAL):
            try:
                if encoding:
                    return self.content.decode(encoding)
            except (LookupError, UnicodeDecodeError):
                continue
        return self.content.decode("utf-8", "replace")

    def json(self, **options):
        """The body from JSON."""
        return jsonlib.loads(self.content, **options)

    is_informational = property(lambda self: 100 <= self.status_code < 200)
    is_success = property(lambda self: 200 <= self.status_code < 300)
    is_redirect = property(lambda self: 300 <= self.status_code < 400)
    is_client_error = property(lambda self: 400 <= self.status_code < 500)
    is_server_error = property(lambda self: self.status_code >= 500)
    is_error = property(lambda self: self.status_code >= 400)
    has_redirect_location = property(lambda self: self.is_redirect and "location" in self.headers)

    @property
    def cookies(self):
        """Cookies that the answer sets."""
        jar = SimpleCookie(self.headers.get("set-cookie", ""))
        return {name: morsel.value for name, morsel in jar.items()}

    def raise_for_status(self):
        """The answer itself; raises HTTPStatusError unless it is a success."""
        if self.is_success:
            return self
        kind = {3: "Redirect response", 4: "Client error", 5: "Server error"}.get(self.status_code // 100, "Informational response")
        message = f"{kind} '{self.status_code} {self.reason_phrase}' for url '{self.url}'"
        raise HTTPStatusError(message, request=self.request, response=self)

    def read(self):
        """The body."""
        return self.content

    async def aread(self):
        """The body."""
        return self.content

    def iter_bytes(self, chunk_size=65536):
        """The body in pieces."""
        for start in range(0, len(self.content), chunk_size):
            yield self.content[start : start + chunk_size]

    iter_raw = iter_bytes

    def iter_text(self, chunk_size=65536):
        """The text in pieces."""
        for start in range(0, len(self.text), chunk_size):
            yield self.text[start : start + chunk_size]

    def iter_lines(self):
        """The lines of the text."""
        yield from self.text.splitlines()

    async def aiter_bytes(self, chunk_size=65536):
        """The body in pieces."""
        for piece in self.iter_bytes(chunk_size):
            yield piece

    async def aiter_text(self, chunk_size=65536):
        """The text in pieces."""
        for piece in self.iter_text(chunk_size):
            yield piece

    async def aiter_lines(self):
        """The lines of the text."""
        for line in self.iter_lines():
            yield line

    def close(self):
        """Nothing is held open."""

    async def aclose(self):
        """Nothing is held open."""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        pass

    def __repr__(self):
        return f"<Response [{self.status_code} {self.reason_phrase}]>"
