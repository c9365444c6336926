"""A server for the cases that need one: `python echo_server.py PORT`."""

import gzip
import json
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    """Answers with what it was asked."""

    protocol_version = "HTTP/1.1"

    def answer(self):
        """Any request."""
        body = self.rfile.read(int(self.headers.get("content-length") or 0)).decode()
        status, headers, data = 200, {"content-type": "application/json"}, None
        if "status" in self.path:
            status = int(self.path[-3:])
        elif self.path == "/redirect":
            status, headers = 302, {"location": "/echo"}
        elif self.path == "/gzip":
            headers, data = {"content-encoding": "gzip", "content-type": "text/plain"}, gzip.compress(b"unzipped")
        elif self.path == "/cookie":
            headers["set-cookie"] = "c=1; Path=/"
        elif self.path == "/slow":
            time.sleep(0.4)
        if data is None:
            seen = {"method": self.command, "path": self.path, "body": body}
            seen["headers"] = {name.lower(): value for name, value in self.headers.items()}
            data = json.dumps(seen).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = answer

    def log_message(self, *_):
        """Silence."""


def serve(port=0):
    """A server on the loopback address; it answers once `serve_forever` is called."""
    return ThreadingHTTPServer(("127.0.0.1", port), Handler)


if __name__ == "__main__":
    serve(int(sys.argv[1])).serve_forever()
