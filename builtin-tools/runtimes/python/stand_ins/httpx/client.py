"""The clients."""

import inspect
from urllib.parse import urlsplit

from mneme_runtime import http

from .errors import ConnectError, ConnectTimeout, ReadError, ReadTimeout, TooManyRedirects, UnsupportedProtocol
from .messages import Request, Response
from .parts import URL, Auth, BasicAuth, Headers, Timeout

VERSION = "0.28.1"
_DEFAULT_TIMEOUT = 5.0
_MAX_REDIRECTS = 20


def _failure(error, request):
    if error.timed_out:
        kind = ConnectTimeout if error.kind in ("ConnectionTimeout", "DnsTimeout") else ReadTimeout
    else:
        kind = ReadError if error.kind == "ConnectionTerminated" else ConnectError
    return kind(str(error), request=request)


class _Shared:
    """What the two kinds of client have in common."""

    def __init__(self, *, auth=None, params=None, headers=None, cookies=None, timeout=_DEFAULT_TIMEOUT, follow_redirects=False,
                 base_url="", max_redirects=_MAX_REDIRECTS, transport=None, event_hooks=None, **_):
        self.base_url = URL(base_url)
        self.headers = Headers(headers)
        self.params = dict(params or {})
        self.cookies = dict(cookies or {})
        self.timeout = timeout
        self.auth = auth
        self.follow_redirects = follow_redirects
        self.max_redirects = max_redirects
        self.event_hooks = {"request": [], "response": [], **(event_hooks or {})}
        self.is_closed = False
        #: What answers in the place of the network.
        self._handler = getattr(transport, "handler", None)

    def build_request(self, method, url, *, params=None, headers=None, cookies=None, timeout=None, extensions=None, **body):
        """A request with what the client adds to every one."""
        address = str(url)
        if self.base_url and "://" not in address:
            address = f"{self.base_url.rstrip('/')}/{address.lstrip('/')}"
        if urlsplit(address).scheme not in ("http", "https"):
            raise UnsupportedProtocol(f"Request URL is missing an 'http://' or 'https://' protocol: {address!r}")
        joined = Headers({"accept": "*/*", "user-agent": f"python-httpx/{VERSION}"})
        joined.update(self.headers)
        joined.update(headers)
        query = {**self.params, **dict(params or {})} if not isinstance(params, (str, list)) else params
        return Request(method, address, params=query, headers=joined, cookies={**self.cookies, **dict(cookies or {})}, **body)

    def _plan(self, request, auth, follow_redirects):
        """Yields requests and is sent their answers, until the one that counts."""
        auth = self.auth if auth is None else auth
        if isinstance(auth, tuple):
            auth = BasicAuth(*auth)
        if isinstance(auth, Auth):
            response = yield from self._followed(next(flow := auth.auth_flow(request)), follow_redirects)
            while True:
                try:
                    request = flow.send(response)
                except StopIteration:
                    return response
                response = yield from self._followed(request, follow_redirects)
        if callable(auth):
            request = auth(request) or request
        return (yield from self._followed(request, follow_redirects))

    def _followed(self, request, follow_redirects):
        follow = self.follow_redirects if follow_redirects is None else follow_redirects
        history = []
        while True:
            response = yield request
            if not isinstance(response, Response):
                response = Response(response.status, headers=response.headers, content=http.decoded(response))
            response.request = request
            response.history = list(history)
            self.cookies.update(response.cookies)
            if not (follow and response.has_redirect_location):
                return response
            history.append(response)
            if len(history) > self.max_redirects:
                raise TooManyRedirects("Exceeded maximum allowed redirects.", request=request)
            request = self._redirected(request, response)

    def _redirected(self, request, response):
        url = request.url.join(response.headers["location"])
        change = response.status_code == 303 or response.status_code in (301, 302) and request.method == "POST"
        made = Request("GET" if change and request.method != "HEAD" else request.method, url, headers=request.headers)
        if not change:
            made.content = request.content
        if urlsplit(url).netloc != urlsplit(request.url).netloc:
            made.headers.pop("authorization", None)
        return made

    def _seconds(self, timeout):
        chosen = self.timeout if timeout is _UNSET else timeout
        return chosen.seconds if isinstance(chosen, Timeout) else chosen


_UNSET = object()


class Verbs:
    """A method for each of HTTP's, of whoever has `request`."""

    def get(self, url, **given):
        """GET"""
        return self.request("GET", url, **given)

    def options(self, url, **given):
        """OPTIONS"""
        return self.request("OPTIONS", url, **given)

    def head(self, url, **given):
        """HEAD"""
        return self.request("HEAD", url, **given)

    def post(self, url, **given):
        """POST"""
        return self.request("POST", url, **given)

    def put(self, url, **given):
        """PUT"""
        return self.request("PUT", url, **given)

    def patch(self, url, **given):
        """PATCH"""
        return self.request("PATCH", url, **given)

    def delete(self, url, **given):
        """DELETE"""
        return self.request("DELETE", url, **given)


class Client(Verbs, _Shared):
    """A client."""

    def request(self, method, url, *, auth=None, follow_redirects=None, timeout=_UNSET, **given):
        """Sends a request."""
        return self.send(self.build_request(method, url, **given), auth=auth, follow_redirects=follow_redirects, timeout=timeout)

    def send(self, request, *, auth=None, follow_redirects=None, timeout=_UNSET, stream=False):
        """Sends a request that was built before."""
        plan = self._plan(request, auth, follow_redirects)
        request = next(plan)
        while True:
            for hook in self.event_hooks["request"]:
                hook(request)
            try:
                answer = self._answer(request, self._seconds(timeout))
            except http.TransportError as error:
                raise _failure(error, request) from None
            try:
                request = plan.send(answer)
            except StopIteration as end:
                for hook in self.event_hooks["response"]:
                    hook(end.value)
                return end.value

    def _answer(self, request, seconds):
        if self._handler:
            return self._handler(request)
        return http.send(request.method, request.url, request.headers.items(), request.content, seconds)

    def stream(self, method, url, **given):
        """Sends a request; the answer is a context manager."""
        return self.request(method, url, **given)

    def close(self):
        """Nothing is held open."""
        self.is_closed = True

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Later:
    """Both awaitable and an asynchronous context manager."""

    def __init__(self, awaitable):
        self._awaitable = awaitable

    def __await__(self):
        return self._awaitable.__await__()

    async def __aenter__(self):
        return await self._awaitable

    async def __aexit__(self, *_):
        pass


class AsyncClient(Client):
    """A client whose methods are awaited; requests run at the same time."""

    async def send(self, request, *, auth=None, follow_redirects=None, timeout=_UNSET, stream=False):
        """Sends a request that was built before."""
        plan = self._plan(request, auth, follow_redirects)
        request = next(plan)
        while True:
            for hook in self.event_hooks["request"]:
                await hook(request)
            try:
                answer = await self._answer(request, self._seconds(timeout))
            except http.TransportError as error:
                raise _failure(error, request) from None
            try:
                request = plan.send(answer)
            except StopIteration as end:
                for hook in self.event_hooks["response"]:
                    await hook(end.value)
                return end.value

    async def _answer(self, request, seconds):
        if not self._handler:
            return await http.send_async(request.method, request.url, request.headers.items(), request.content, seconds)
        answer = self._handler(request)
        return await answer if inspect.isawaitable(answer) else answer

    def stream(self, method, url, **given):
        """Sends a request; the answer is an asynchronous context manager."""
        return Later(self.request(method, url, **given))

    async def aclose(self):
        """Nothing is held open."""
        self.close()

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        self.close()
