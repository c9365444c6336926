"""The client: groups of methods that each make one request."""

import inspect
import json
import os
import re
import uuid
from urllib.parse import quote, urlencode

from mneme_runtime import http, values
from mneme_runtime.records import Entity, record
from mneme_runtime.toolkits import BaseTool  # noqa: F401 - where the older client has it

from . import errors
from .routes import GROUPS, ROUTES

_TIMEOUT = 60
#: Arguments that are about the request, not part of it.
_OPTIONS = ("request_options", "extra_headers", "extra_query", "extra_body", "timeout")

#: Methods that guides have tools send a text with, and what makes the request.
_TEXTS = {
    "agents.send_message": "agents.messages.create",
    "agents.send_message_async": "agents.messages.create_async",
}


class _Page(list):
    """A list of objects, with the names that pages have in the official client."""

    items = data = property(list)

    def has_next_page(self):
        """The whole answer is here."""
        return False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    async def __aiter__(self):
        for item in list(self):
            yield item


class _Group:
    """`client.agents`, `client.agents.messages`, …"""

    def __init__(self, client, path):
        self._client = client
        self._path = path

    def __getattr__(self, name):
        path = f"{self._path}.{name}" if self._path else name
        if path in ROUTES:
            return _Method(self._client, path)
        if path in GROUPS:
            return _Group(self._client, path)
        if path in ("tools.upsert_from_function", "tools.create_from_function"):
            return _FromFunction(_Method(self._client, path.removesuffix("_from_function")))
        if path in _TEXTS:
            return _FromText(_Method(self._client, _TEXTS[path]))
        raise AttributeError(f"the client has no {path!r}")

    def __repr__(self):
        return f"<{self._path}>"


class _Method:
    """One method of the API. Arguments of the path may be given in order, all others by name."""

    def __init__(self, client, path):
        self._client = client
        self._name = path
        self._verb, self._route = ROUTES[path]

    def __call__(self, *positional, **named):
        return self._client._ask(self._name, *self._request(positional, named))

    def _request(self, positional, named):
        options = {key: named.pop(key) for key in _OPTIONS if key in named}
        given = list(positional)
        steps = re.findall(r"{(\w+)}", self._route)
        found = {step: named.pop(step) for step in steps if step in named}
        for step in steps:
            if step in found:
                continue
            shorter = step.split("_")[-1]
            if given:
                found[step] = given.pop(0)
            elif step == "memory_id" and "passage_id" in named:
                found[step] = named.pop("passage_id")
            elif shorter in named:
                found[step] = named.pop(shorter)
            else:
                raise TypeError(f"{self._name}() needs {step!r}")
        if given:
            raise TypeError(f"{self._name}() takes {len(steps)} positional arguments; give the others by name")
        path = self._route
        for step, value in found.items():
            path = path.replace(f"{{{step}}}", quote(str(value), safe=""))
        fields = {name: values.plain(value) if not hasattr(value, "read") else value
                  for name, value in named.items() if value is not None}
        query = dict(options.get("extra_query") or {})
        body = None
        if self._verb in ("GET", "DELETE") or "/attach/" in path or "/detach/" in path:
            query.update(fields)
        else:
            body = {**fields, **(options.get("extra_body") or {})}
        return self._verb, path, query, body, options


class _FromFunction:
    """Registers a function of the program as a tool."""

    def __init__(self, method):
        self._method = method

    def __call__(self, func=None, **named):
        function = func or named.pop("function")
        return self._method(source_code=inspect.getsource(function), **named)


class _FromText:
    """Sends an agent a text."""

    def __init__(self, method):
        self._method = method

    def __call__(self, agent_id, message, role="user", **named):
        return self._method(agent_id, messages=[{"role": role, "content": message}], **named)


class Letta:
    """A client of the server that runs the program; its address and key come from the environment."""

    def __init__(self, base_url=None, token=None, api_key=None, project=None, timeout=None, environment=None, **more):
        address = base_url or os.environ.get("LETTA_BASE_URL") or "http://localhost:8283"
        self.base_url = address.rstrip("/").removesuffix("/v1")
        self.api_key = token or api_key or os.environ.get("LETTA_API_KEY")
        self.project = project or more.get("project_id")
        self.timeout = timeout if isinstance(timeout, (int, float)) else _TIMEOUT
        self._root = _Group(self, "")

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._root, name)

    def _ask(self, name, verb, path, query, body, options):
        return _understood(name, self._send(verb, path, query, body, options))

    def _send(self, *request):
        try:
            return http.send(*self._prepared(*request))
        except http.TransportError as error:
            raise _unanswered(error) from None

    def _prepared(self, verb, path, query, body, options):
        headers = {"accept": "application/json", "user-agent": "mneme-python-runtime"}
        if self.api_key:
            headers["authorization"] = f"Bearer {self.api_key}"
        if self.project:
            headers["x-project"] = self.project
        data = b""
        if body is not None:
            headers["content-type"], data = _encoded(body)
        headers.update(options.get("extra_headers") or {})
        url = f"{self.base_url}/v1/{path}"
        if query:
            url += "?" + urlencode({key: _text(value) for key, value in query.items()}, doseq=True)
        seconds = options.get("timeout") or (options.get("request_options") or {}).get("timeout_in_seconds") or self.timeout
        return verb, url, list(headers.items()), data, seconds

    def close(self):
        """Nothing is held open."""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class AsyncLetta(Letta):
    """The same with methods to await."""

    async def _ask(self, name, verb, path, query, body, options):
        try:
            answer = await http.send_async(*self._prepared(verb, path, query, body, options))
        except http.TransportError as error:
            raise _unanswered(error) from None
        return _understood(name, answer)

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        self.close()


def _text(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    return [_text(item) for item in value] if isinstance(value, list) else value


def _encoded(body):
    files = {name: value for name, value in body.items() if hasattr(value, "read")}
    if not files:
        return "application/json", json.dumps(body).encode()
    edge = uuid.uuid4().hex
    parts = []
    for name, value in body.items():
        head = f'--{edge}\r\nContent-Disposition: form-data; name="{name}"'
        if name in files:
            data = value.read()
            data = data.encode() if isinstance(data, str) else data
            filename = os.path.basename(str(getattr(value, "name", name)))
            parts.append(f'{head}; filename="{filename}"\r\n\r\n'.encode() + data + b"\r\n")
        else:
            parts.append(f"{head}\r\n\r\n{_text(value)}\r\n".encode())
    parts.append(f"--{edge}--\r\n".encode())
    return f"multipart/form-data; boundary={edge}", b"".join(parts)


def _unanswered(error):
    return (errors.APITimeoutError if error.timed_out else errors.APIConnectionError)(str(error))


def _understood(name, answer):
    text = answer.body.decode("utf-8", "replace")
    kind = next((value for key, value in answer.headers if key.lower() == "content-type"), "")
    if kind.startswith("text/event-stream"):
        return _Page(_events(text))
    try:
        body = json.loads(text) if text.strip() else None
    except ValueError:
        body = text
    if answer.status >= 400:
        raise errors.of_status(answer.status, body)
    made = record(body, Entity)
    return _Page(made) if isinstance(made, list) else made


def _events(text):
    for line in text.splitlines():
        data = line.removeprefix("data:").strip() if line.startswith("data:") else ""
        if data and data != "[DONE]":
            yield record(json.loads(data), Entity)
