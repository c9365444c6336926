"""`http.client` over the host, and what `urllib.request` builds on it. There are no sockets in the sandbox."""

import http.client
import io

from . import http as transport


class Response(io.BufferedReader):
    """A response after the manner of `http.client.HTTPResponse`; the body is here already."""

    version = 11
    will_close = True

    def __init__(self, answer, method, url=None):
        super().__init__(io.BytesIO(b"" if method == "HEAD" else answer.body))
        self.status = self.code = answer.status
        self.reason = http.client.responses.get(answer.status, "")
        self.headers = self.msg = http.client.HTTPMessage()
        for name, value in answer.headers:
            if name.lower() != "transfer-encoding":
                self.headers.add_header(name, value)
        self.url = url
        self.length = len(answer.body)
        self.debuglevel = 0
        self.chunked = False

    def getheader(self, name, default=None):
        """The header's values in one text."""
        values = self.headers.get_all(name)
        return ", ".join(values) if values else default

    def getheaders(self):
        """Pairs of name and value."""
        return list(self.headers.items())

    def info(self):
        """The headers."""
        return self.headers

    def geturl(self):
        """The address that was asked."""
        return self.url

    def getcode(self):
        """The status."""
        return self.status

    def isclosed(self):
        """Whether it was closed."""
        return self.closed


class Connection:
    """`http.client.HTTPConnection`: collects a request, sends it when it is complete."""

    scheme = "http"
    default_port = http.client.HTTP_PORT
    response_class = Response
    auto_open = 1
    debuglevel = 0
    _get_content_length = staticmethod(http.client.HTTPConnection._get_content_length)
    _http_vsn = 11
    _http_vsn_str = "HTTP/1.1"

    def __init__(self, host, port=None, timeout=None, source_address=None, blocksize=8192, **_):
        self.timeout = timeout if isinstance(timeout, (int, float)) else None
        self.host, self.port = _split(host, port)
        self.sock = None
        self._tunnel = None
        self.close()

    def set_debuglevel(self, level):
        """Nothing is printed."""

    def set_tunnel(self, host, port=None, headers=None):
        """The address behind a proxy; requests go straight there."""
        self.host, self.port = _split(host, port)

    def connect(self):
        """Nothing to do before the request is known."""

    def close(self):
        """Forgets the request."""
        self._line = None
        self._headers = []
        self._body = []
        self._response = None

    def request(self, method, url, body=None, headers=None, *, encode_chunked=False):
        """Sends a request."""
        self.putrequest(method, url)
        for name, value in (headers or {}).items():
            self.putheader(name, value)
        self._body.append(body_bytes(body))
        self._send()

    def putrequest(self, method, url, skip_host=False, skip_accept_encoding=False):
        """Starts a request."""
        self.close()
        self._line = (method, url)

    def putheader(self, name, *values):
        """Adds a header."""
        texts = [value.decode("latin-1") if isinstance(value, bytes) else str(value) for value in values]
        self._headers.append((name if isinstance(name, str) else name.decode("latin-1"), ", ".join(texts)))

    def endheaders(self, message_body=None, *, encode_chunked=False):
        """Ends the headers."""
        self.send(message_body)

    def send(self, data):
        """Adds to the body."""
        self._body.append(body_bytes(data))

    def getresponse(self):
        """The response; sends the request if that was not done yet."""
        if self._response is None:
            self._send()
        response, self._response = self._response, None
        return response

    def _send(self):
        if self._line is None:
            raise http.client.ResponseNotReady("Idle")
        method, path = self._line
        url = path if "://" in path else f"{self.scheme}://{self._authority()}{path}"
        headers, body = self._headers, b"".join(self._body)
        self.close()
        try:
            answer = transport.send(method, url, headers, body, self.timeout)
        except transport.TransportError as error:
            raise (TimeoutError if error.timed_out else ConnectionError)(str(error)) from None
        self._response = Response(answer, method, url)

    def _authority(self):
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port in (None, self.default_port) else f"{host}:{self.port}"


class SecureConnection(Connection):
    """`http.client.HTTPSConnection`: the host does the encryption."""

    scheme = "https"
    default_port = http.client.HTTPS_PORT


def body_bytes(body):
    """The body as bytes: from text, a file, or parts."""
    if body is None:
        return b""
    if isinstance(body, (bytes, bytearray, memoryview)):
        return bytes(body)
    if isinstance(body, str):
        return body.encode("utf-8")
    if hasattr(body, "read"):
        return body_bytes(body.read())
    return b"".join(body_bytes(part) for part in body)


def _split(host, port):
    if port is None:
        name, colon, digits = host.rpartition(":")
        if colon and digits.isdigit() and not name.endswith(":"):
            host, port = name, int(digits)
    return host.strip("[]"), port


def install():
    """Puts these in the place of `http.client`'s own, before anything else imports them."""
    http.client.HTTPConnection = Connection
    http.client.HTTPSConnection = SecureConnection
    http.client._create_https_context = lambda version: None
    # Whoever asks whether a response is one of http.client's means these.
    http.client.HTTPResponse = Response
