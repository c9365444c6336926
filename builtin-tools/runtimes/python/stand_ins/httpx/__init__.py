"""A stand-in for httpx, over the sandbox's own way out to the network."""

from http import HTTPStatus

from .client import VERSION, AsyncClient, Client
from .errors import (
    CloseError,
    ConnectError,
    ConnectTimeout,
    DecodingError,
    HTTPError,
    HTTPStatusError,
    InvalidURL,
    NetworkError,
    PoolTimeout,
    ProtocolError,
    ProxyError,
    ReadError,
    ReadTimeout,
    RemoteProtocolError,
    RequestError,
    StreamError,
    TimeoutException,
    TooManyRedirects,
    TransportError,
    UnsupportedProtocol,
    WriteError,
    WriteTimeout,
)
from .messages import Request, Response
from .parts import URL, Auth, BasicAuth, Cookies, Headers, HTTPTransport, Limits, MockTransport, QueryParams, Timeout

__version__ = VERSION
AsyncHTTPTransport = BaseTransport = AsyncBaseTransport = HTTPTransport
__all__ = [
    "URL", "AsyncBaseTransport", "AsyncClient", "AsyncHTTPTransport", "Auth", "BaseTransport", "BasicAuth", "Client", "CloseError",
    "ConnectError", "ConnectTimeout", "Cookies", "DecodingError", "HTTPError", "HTTPStatusError", "HTTPTransport", "Headers",
    "InvalidURL", "Limits", "MockTransport", "NetworkError", "PoolTimeout", "ProtocolError", "ProxyError", "QueryParams", "ReadError",
    "ReadTimeout", "RemoteProtocolError", "Request", "RequestError", "Response", "StreamError", "TimeoutException", "Timeout",
    "TooManyRedirects", "TransportError", "UnsupportedProtocol", "WriteError", "WriteTimeout", "codes", "delete", "get", "head",
    "options", "patch", "post", "put", "request", "stream",
]


def request(method, url, **given):
    """Sends one request."""
    settings = {name: given.pop(name) for name in ("verify", "proxy", "trust_env") if name in given}
    return Client(**settings).request(method, url, **given)


def _verb(name):
    def send(url, **given):
        return request(name, url, **given)

    send.__name__ = name.lower()
    send.__doc__ = f"{name} without a client."
    return send


get, options, head, post, put, patch, delete = map(_verb, ("GET", "OPTIONS", "HEAD", "POST", "PUT", "PATCH", "DELETE"))
stream = request
codes = HTTPStatus
