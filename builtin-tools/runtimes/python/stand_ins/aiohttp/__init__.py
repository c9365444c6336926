"""A stand-in for aiohttp's client, over the sandbox's own way out to the network. Requests run at the same time."""

import dataclasses
import io
import json as jsonlib
import sys

import httpx
from httpx.client import Later, Verbs

from .answers import ClientResponse, RequestInfo
from .errors import (
    ClientConnectionError,
    ClientConnectorError,
    ClientError,
    ClientOSError,
    ClientPayloadError,
    ClientResponseError,
    ContentTypeError,
    InvalidURL,
    ServerConnectionError,
    ServerDisconnectedError,
    ServerTimeoutError,
    TooManyRedirects,
)

__version__ = "3.13.2"
__all__ = [
    "BasicAuth", "ClientConnectionError", "ClientConnectorError", "ClientError", "ClientOSError", "ClientPayloadError",
    "ClientResponse", "ClientResponseError", "ClientSession", "ClientTimeout", "ContentTypeError", "CookieJar", "DummyCookieJar",
    "FormData", "InvalidURL", "RequestInfo", "ServerConnectionError", "ServerDisconnectedError", "ServerTimeoutError", "TCPConnector",
    "TooManyRedirects", "request",
]
_DEFAULT_TIMEOUT = 300


@dataclasses.dataclass(frozen=True)
class ClientTimeout:
    """Seconds; the shortest that is given counts."""

    total: float | None = None
    connect: float | None = None
    sock_read: float | None = None
    sock_connect: float | None = None
    ceil_threshold: float = 5

    @property
    def seconds(self):
        """The shortest; None for none."""
        return min((part for part in (self.total, self.sock_read) if part), default=None)


@dataclasses.dataclass(frozen=True)
class BasicAuth:
    """Name and password."""

    login: str
    password: str = ""
    encoding: str = "latin1"


class TCPConnector:
    """Accepted and not needed: there is one way to the network."""

    def __init__(self, **_):
        self.closed = False

    async def close(self):
        """Nothing is held open."""


CookieJar = DummyCookieJar = UnixConnector = TCPConnector


class FormData:
    """A form: fields, and files if there are any."""

    def __init__(self, fields=()):
        self.fields, self.files = [], []
        for name, value in fields.items() if hasattr(fields, "items") else fields:
            self.add_field(name, value)

    def add_field(self, name, value, *, content_type=None, filename=None, **_):
        """Adds one."""
        if filename is None and content_type is None and isinstance(value, (str, int, float)):
            self.fields.append((name, value))
        else:
            self.files.append((name, (filename or getattr(value, "name", name), value, content_type)))


class ClientSession(Verbs):
    """A client."""

    def __init__(self, base_url=None, *, headers=None, cookies=None, auth=None, timeout=None, raise_for_status=False,
                 json_serialize=jsonlib.dumps, **_):
        self._client = httpx.AsyncClient(base_url=str(base_url or ""), cookies=cookies, follow_redirects=True, max_redirects=10)
        self.headers = httpx.Headers({"user-agent": f"Python/3.14 aiohttp/{__version__}"})
        self.headers.update(headers or {})
        self._auth, self._timeout, self._raises, self._dumps = auth, timeout, raise_for_status, json_serialize
        self.closed = False

    def request(self, method, url, **given):
        """Sends a request."""
        return Later(self._sent(method, url, **given))

    async def _sent(self, method, url, *, params=None, data=None, json=None, headers=None, cookies=None, auth=None, timeout=None,
                    allow_redirects=True, raise_for_status=None, **_):
        if self.closed:
            raise RuntimeError("Session is closed")
        joined = httpx.Headers(self.headers)
        joined.update(headers or {})
        auth = auth or self._auth
        timeout = timeout if timeout is not None else self._timeout
        seconds = getattr(timeout, "seconds", timeout) if timeout is not None else _DEFAULT_TIMEOUT
        try:
            response = await self._client.request(
                method, url, params=params, headers=joined, cookies=cookies, timeout=seconds, follow_redirects=allow_redirects,
                auth=(auth.login, auth.password) if auth else None, **self._body(joined, data, json),
            )
        except httpx.TimeoutException as error:
            raise ServerTimeoutError(str(error)) from None
        except (httpx.UnsupportedProtocol, ValueError) as error:
            raise InvalidURL(str(error)) from None
        except httpx.TooManyRedirects as error:
            info = RequestInfo(error.request.url, method, joined, error.request.url)
            raise TooManyRedirects(info, (), message=str(error)) from None
        except httpx.ReadError as error:
            raise ServerDisconnectedError(str(error)) from None
        except httpx.TransportError as error:
            raise ClientConnectorError(str(error)) from None
        answer = ClientResponse(response)
        if raise_for_status or raise_for_status is None and self._raises:
            answer.raise_for_status()
        return answer

    def _body(self, headers, data, json):
        if json is not None:
            headers.setdefault("content-type", "application/json")
            return {"content": self._dumps(json)}
        if isinstance(data, dict) and any(isinstance(value, (bytes, io.IOBase)) for value in data.values()):
            data = FormData(data)
        if isinstance(data, FormData):
            return {"data": dict(data.fields), "files": data.files} if data.files else {"data": dict(data.fields)}
        if isinstance(data, (list, tuple)):
            data = dict(data)
        if isinstance(data, str):
            headers.setdefault("content-type", "text/plain; charset=utf-8")
        return {"data": data}

    def head(self, url, *, allow_redirects=False, **given):
        """HEAD"""
        return self.request("HEAD", url, allow_redirects=allow_redirects, **given)

    def ws_connect(self, *_, **__):
        """WebSockets need sockets."""
        raise ClientConnectionError("there are no sockets in the sandbox, only requests over HTTP")

    async def close(self):
        """Nothing is held open."""
        self.closed = True

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        await self.close()


def request(method, url, **given):
    """Sends one request."""
    return ClientSession().request(method, url, **given)


for _name in ("client", "client_exceptions", "client_reqrep", "connector", "formdata", "helpers"):
    sys.modules[f"{__name__}.{_name}"] = sys.modules[__name__]
