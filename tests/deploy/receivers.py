"""Where alerts arrive in tests: what a chat, a pager, a topic's receiver and a mail server would hear."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Heard:
    """One request, with the alerts in it where they are told apart."""

    path: str
    body: dict[str, Any]

    def alerts(self) -> Iterator[tuple[str, str]]:
        """(name, status) of a plain notification."""
        for alert in self.body.get("alerts", ()):
            yield alert["labels"]["alertname"], alert["status"]


class Receivers:
    """An HTTP server that takes everything, and a mail server. A context manager."""

    def __init__(self) -> None:
        self.heard: list[Heard] = []
        self.mails: list[EmailMessage] = []
        self.failing: set[str] = set()  # paths that answer 503
        receivers = self

        class Http(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                failing = self.path in receivers.failing
                if not failing:
                    receivers.heard.append(Heard(self.path, json.loads(body)))
                self.send_response(503 if failing else 202 if self.path == "/pager" else 200)
                answer = b"" if failing else b"ok"
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                """Nobody wants to read it."""

        class Mail(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                self.wfile.write(b"220 test\r\n")
                while (command := self.rfile.readline().strip().upper()) and command != b"QUIT":
                    if command == b"DATA":
                        self.wfile.write(b"354 go on\r\n")
                        lines = list(iter(self.rfile.readline, b".\r\n"))
                        receivers.mails.append(message_from_bytes(b"".join(lines), policy=policy.default))
                    self.wfile.write(b"250 ok\r\n")
                self.wfile.write(b"221 bye\r\n")

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Http)
        self._mail = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Mail)
        self._mail.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"
        self.smarthost = f"127.0.0.1:{self._mail.server_address[1]}"
        self._stack = ExitStack()

    def at(self, path: str) -> list[dict[str, Any]]:
        """What arrived there."""
        return [heard.body for heard in list(self.heard) if heard.path == path]

    def told(self, path: str) -> list[tuple[str, str]]:
        """(name, status) of each alert of each plain notification there."""
        return [alert for heard in list(self.heard) if heard.path == path for alert in heard.alerts()]

    def __enter__(self) -> Self:
        for server in (self._http, self._mail):
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
            self._stack.callback(server.server_close)
            self._stack.callback(server.shutdown)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stack.close()
