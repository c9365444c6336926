"""What is raised."""


class HTTPError(Exception):
    """Anything that goes wrong."""

    def __init__(self, message, *, request=None):
        super().__init__(message)
        self.request = request


class RequestError(HTTPError):
    """There was no answer."""


class TransportError(RequestError):
    """The request could not be made."""


class TimeoutException(TransportError):
    """It took too long."""


class NetworkError(TransportError):
    """The network failed."""


class ConnectError(NetworkError):
    """No connection."""


class ReadError(NetworkError):
    """The answer broke off."""


class WriteError(NetworkError):
    """The request could not be sent."""


class CloseError(NetworkError):
    """Never raised here."""


class ProtocolError(TransportError):
    """The server does not speak HTTP."""


class RemoteProtocolError(ProtocolError):
    """The same."""


class ProxyError(TransportError):
    """Never raised here."""


class DecodingError(RequestError):
    """Never raised here."""


class StreamError(RuntimeError):
    """Never raised here."""


class ConnectTimeout(TimeoutException):
    """Connecting took too long."""


class ReadTimeout(TimeoutException):
    """The answer took too long."""


class WriteTimeout(TimeoutException):
    """Sending took too long."""


class PoolTimeout(TimeoutException):
    """Never raised here."""


class TooManyRedirects(RequestError):
    """Redirects without end."""


class InvalidURL(Exception):
    """Not an address."""


class UnsupportedProtocol(TransportError):
    """Neither http nor https."""


class HTTPStatusError(HTTPError):
    """The status is an error; see `raise_for_status`."""

    def __init__(self, message, *, request, response):
        super().__init__(message, request=request)
        self.response = response
