"""What requests are made from: headers, addresses, bodies, settings."""

import base64
import json as jsonlib
import uuid
from urllib.parse import urlencode, urljoin, urlsplit, urlunsplit


class Headers(dict):
    """Header names without regard to case."""

    def __init__(self, given=None):
        super().__init__()
        pairs = given.items() if hasattr(given, "items") else given or ()
        for name, value in pairs:
            key = str(name).lower()
            self[key] = f"{self[key]}, {value}" if key in self else str(value)

    def __setitem__(self, name, value):
        super().__setitem__(name.lower(), value)

    def __getitem__(self, name):
        return super().__getitem__(name.lower())

    def __contains__(self, name):
        return super().__contains__(str(name).lower())

    def get(self, name, default=None):
        """The value, or the default."""
        return super().get(name.lower(), default)

    def update(self, other):
        """Adds headers, replacing those of the same name."""
        for name, value in Headers(other).items():
            self[name] = value


class URL(str):
    """An address."""

    scheme = property(lambda self: urlsplit(self).scheme)
    host = property(lambda self: urlsplit(self).hostname or "")
    port = property(lambda self: urlsplit(self).port)
    path = property(lambda self: urlsplit(self).path or "/")
    query = property(lambda self: urlsplit(self).query.encode())

    def join(self, other):
        """Another address, seen from this one."""
        return URL(urljoin(self, str(other)))


class QueryParams(dict):
    """Parameters of a query."""

    def __str__(self):
        return urlencode(self, doseq=True)


class Timeout:
    """Seconds; the shortest that is given counts."""

    def __init__(self, timeout=None, *, connect=None, read=None, write=None, pool=None):
        self.connect, self.read, self.write, self.pool = (
            timeout if part is None else part for part in (connect, read, write, pool)
        )
        self.seconds = self.read if self.read is not None else self.connect


class Limits:
    """Accepted and not needed."""

    def __init__(self, **_):
        pass


class Auth:
    """Changes a request before it is sent, and may send others."""

    def auth_flow(self, request):
        """Yields requests, and is sent their answers."""
        yield request


class BasicAuth(Auth):
    """Name and password."""

    def __init__(self, username, password):
        self._value = base64.b64encode(f"{username}:{password}".encode()).decode()

    def auth_flow(self, request):
        """Adds the header."""
        request.headers["authorization"] = f"Basic {self._value}"
        yield request


class HTTPTransport:
    """Accepted and not needed: there is one way to the network."""

    def __init__(self, **_):
        pass


class MockTransport(HTTPTransport):
    """A function that answers in the place of the network."""

    def __init__(self, handler):
        super().__init__()
        self.handler = handler


class Cookies(dict):
    """Cookies by name."""

    def set(self, name, value, domain="", path="/"):
        """Adds one."""
        self[name] = value


def with_query(url, params):
    """The address with parameters added."""
    if not params:
        return url
    pairs = {name: "" if value is None else str(value).lower() if isinstance(value, bool) else value
             for name, value in params.items()} if hasattr(params, "items") else params
    added = pairs if isinstance(pairs, str) else urlencode(pairs, doseq=True)
    parts = urlsplit(url)
    return urlunsplit(parts._replace(query=f"{parts.query}&{added}" if parts.query else added))


def body_of(headers, content, data, files, json):
    """The body as bytes; headers get its type."""
    if json is not None:
        headers.setdefault("content-type", "application/json")
        return jsonlib.dumps(json, ensure_ascii=False, separators=(",", ":")).encode()
    if files:
        edge = uuid.uuid4().hex
        headers["content-type"] = f"multipart/form-data; boundary={edge}"
        return _multipart(edge, data or {}, files)
    if isinstance(data, dict):
        headers.setdefault("content-type", "application/x-www-form-urlencoded")
        return urlencode(data, doseq=True).encode()
    given = content if content is not None else data
    if given is None:
        return b""
    if hasattr(given, "read"):
        given = given.read()
    if isinstance(given, str):
        return given.encode()
    return given if isinstance(given, bytes) else b"".join(given)


def _multipart(edge, data, files):
    parts = [f'--{edge}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode() for name, value in data.items()]
    for name, value in files.items() if hasattr(files, "items") else files:
        filename, content, kind = (*value, None)[:3] if isinstance(value, tuple) else (getattr(value, "name", "upload"), value, None)
        content = content.read() if hasattr(content, "read") else content
        content = content.encode() if isinstance(content, str) else content
        head = f'--{edge}\r\nContent-Disposition: form-data; name="{name}"; filename="{filename}"\r\n'
        parts.append(f"{head}Content-Type: {kind or 'application/octet-stream'}\r\n\r\n".encode() + content + b"\r\n")
    return b"".join(parts) + f"--{edge}--\r\n".encode()
