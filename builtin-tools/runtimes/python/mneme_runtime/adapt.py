"""Fits the standard library and the baked packages to a process without sockets, files and threads.

Runs once, while the snapshot is made.
"""

import io


def before_imports():
    """What other modules look at when they are imported."""
    from . import connection

    connection.install()


def after_imports():
    """What replaces parts of modules that are there."""
    from . import digests, homes, loading, loop, processes, sockets, threads, toolkits, zones

    for part in (digests, homes, loading, loop, processes, sockets, threads, toolkits):
        part.install()
    zones.bake()
    _bs4()
    _urllib3()
    _requests()


def _urllib3():
    import urllib3
    from urllib3 import connectionpool
    from urllib3.response import HTTPResponse

    from . import http
    from .connection import Response, body_bytes

    def make_request(self, connection, method, url, body=None, headers=None, timeout=None, chunked=False,
                     response_conn=None, preload_content=True, decode_content=True, **_):
        address = url if "://" in url else f"{self.scheme}://{_authority(self)}{url}"
        try:
            answer = http.send(method, address, list((headers or {}).items()), body_bytes(body), _seconds(timeout))
        except http.TransportError as error:
            if error.timed_out:
                raise urllib3.exceptions.ReadTimeoutError(self, url, str(error)) from None
            raise urllib3.exceptions.NewConnectionError(connection, str(error)) from None
        given = urllib3.HTTPHeaderDict()
        for name, value in answer.headers:
            given.add(name, value)
        given.discard("transfer-encoding")
        return HTTPResponse(
            body=io.BytesIO(answer.body), headers=given, status=answer.status, version=11, version_string="HTTP/1.1",
            reason=_reason(answer.status), preload_content=preload_content, decode_content=decode_content,
            request_method=method, request_url=url, connection=None,
            # Where requests looks for cookies.
            original_response=Response(answer, method, address),
        )

    plain, secure = connectionpool.HTTPConnectionPool, connectionpool.HTTPSConnectionPool
    plain._make_request = make_request
    plain._validate_conn = secure._validate_conn = lambda self, connection: None
    plain._prepare_proxy = secure._prepare_proxy = lambda self, connection: None
    # A connection is only a name here: the request carries everything.
    secure._new_conn = plain._new_conn
    secure.ConnectionCls = plain.ConnectionCls
    urllib3.disable_warnings()


def _authority(pool):
    host = f"[{pool.host}]" if ":" in pool.host else pool.host
    standard = {"http": 80, "https": 443}.get(pool.scheme)
    return host if pool.port in (None, standard) else f"{host}:{pool.port}"


def _seconds(timeout):
    if timeout is None or isinstance(timeout, (int, float)):
        return timeout
    reading = timeout.read_timeout
    return reading if isinstance(reading, (int, float)) else None


def _reason(status):
    from http.client import responses

    return responses.get(status, "")


def _requests():
    from requests import adapters

    # The host checks certificates; the bundle of authorities is not on disk.
    adapters.HTTPAdapter.cert_verify = lambda self, connection, url, verify, cert: None


def _bs4():
    """`BeautifulSoup(text, "lxml")` is what most examples say, and lxml is native code: html5lib makes the same tree of pages."""
    from bs4.builder import builder_registry
    from bs4.builder._html5lib import HTML5TreeBuilder

    class Instead(HTML5TreeBuilder):
        NAME = "lxml"
        ALTERNATE_NAMES = ["lxml-html"]
        features = ["lxml", "lxml-html"]

    builder_registry.register(Instead)
