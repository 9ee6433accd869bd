"""What a worker serves while it waits for a broker: that it lives, and what it waits for.

Nothing of Kafka runs yet, and waiting blocks; so this is a server of its own in a thread, which ends before the real one begins.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread


@contextmanager
def answering(host: str, port: int) -> Iterator[Callable[[str], None]]:
    """Answer /healthz with 200 and all else with 503 and what was said last. Gives the function to say it with. Port 0: nobody listens.

    Raises OSError where the address cannot be had.
    """
    said = ["no partitions yet: looking for a broker"]
    if not port:
        yield lambda _text: None
        return

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            healthy = self.path == "/healthz"
            body = b"ok\n" if healthy else f"{said[0]}\n".encode()
            self.send_response(200 if healthy else 503)
            self.send_header("Content-Type", "text/plain; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nobody wants to read who asked."""

    class Server(ThreadingHTTPServer):
        address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        daemon_threads = True

    server = Server((host, port), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True, name="waiting")
    thread.start()
    try:
        yield lambda text: said.__setitem__(0, text)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
