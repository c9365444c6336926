"""A stand-in for httpx, over the sandbox's own way out to the network."""

from http import HTTPStatus

from .client import VERSION, AsyncClient, Client
from .errors import (
    ConnectError,
    ConnectTimeout,
    HTTPError,
    HTTPStatusError,
    InvalidURL,
    NetworkError,
    PoolTimeout,
    ReadError,
    ReadTimeout,
    RequestError,
    TimeoutException,
    TooManyRedirects,
    TransportError,
    UnsupportedProtocol,
    WriteTimeout,
)
from .messages import Request, Response
from .parts import URL, Auth, BasicAuth, Headers, Limits, QueryParams, Timeout

__version__ = VERSION
__all__ = [
    "URL", "AsyncClient", "Auth", "BasicAuth", "Client", "ConnectError", "ConnectTimeout", "HTTPError", "HTTPStatusError", "Headers",
    "InvalidURL", "Limits", "NetworkError", "PoolTimeout", "QueryParams", "ReadError", "ReadTimeout", "Request", "RequestError",
    "Response", "TimeoutException", "Timeout", "TooManyRedirects", "TransportError", "UnsupportedProtocol", "WriteTimeout", "codes",
    "delete", "get", "head", "options", "patch", "post", "put", "request", "stream",
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
