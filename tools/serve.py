"""Serve the built book on this machine only: serve.py FOLDER PORT."""

import functools
import http.server
import sys
from http import HTTPStatus
from pathlib import Path


class Handler(http.server.SimpleHTTPRequestHandler):
    def send_error(self, code, message=None, explain=None):
        """For a missing address the book's own page, as servers of static pages do."""
        page = Path(self.directory) / "404.html"
        if code != HTTPStatus.NOT_FOUND or not page.is_file():
            return super().send_error(code, message, explain)
        said = page.read_bytes()
        self.send_response(code)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(said)

    def log_message(self, *args):
        """Say nothing: who reads the book is told its address once."""


def handler_for(folder):
    return functools.partial(Handler, directory=folder)


def main(folder, port):
    handler = handler_for(folder)
    try:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", int(port)), handler)
    except OSError as error:
        sys.exit(
            f"Port {port} can't be used ({error.strerror}); try another: make serve PORT={int(port) + 1}"
        )
    with server:
        print(f"Reading at http://127.0.0.1:{port}/book/index.html (stop with Ctrl-C)", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print()


if __name__ == "__main__":
    main(*sys.argv[1:])
