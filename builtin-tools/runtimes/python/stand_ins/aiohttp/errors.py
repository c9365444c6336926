"""What is raised."""

import asyncio


class ClientError(Exception):
    """Anything that goes wrong."""


class ClientConnectionError(ClientError):
    """There was no answer."""


class ClientOSError(ClientConnectionError, OSError):
    """The network failed."""


class ClientConnectorError(ClientOSError):
    """No connection."""


class ServerConnectionError(ClientConnectionError):
    """The server failed."""


class ServerDisconnectedError(ServerConnectionError):
    """The answer broke off."""


class ServerTimeoutError(ServerConnectionError, asyncio.TimeoutError):
    """It took too long."""


class ClientPayloadError(ClientError):
    """Never raised here."""


class InvalidURL(ClientError, ValueError):
    """Not an address."""


class ClientResponseError(ClientError):
    """The answer is not what was asked for."""

    def __init__(self, request_info, history, *, status=0, message="", headers=None):
        self.request_info, self.history = request_info, history
        self.status, self.message, self.headers = status, message, headers
        super().__init__(f"{status}, message={message!r}, url={str(request_info.real_url)!r}")


class ContentTypeError(ClientResponseError):
    """The answer is no JSON."""


class TooManyRedirects(ClientResponseError):
    """Redirects without end."""
