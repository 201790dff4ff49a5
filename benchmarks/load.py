"""The load: keep-alive connections that each ask again as soon as they have their answer.

Run as a program of its own, so that it takes nothing of the server's processes but its share of
the machine: ``load.py PORT SECONDS CONNECTIONS`` with one path per line on stdin. Writes JSON:
requests, seconds, bytes and the median time of an answer.
"""

from __future__ import annotations

import json
import selectors
import socket
import statistics
import sys
import time


class Connection:
    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.began = 0.0
        self.missing = 0
        self.head = b""

    def ask(self, request: bytes) -> None:
        self.began = time.monotonic()
        self.missing, self.head = -1, b""
        self.socket.sendall(request)

    def read(self) -> int | None:
        """Take what is there; the answer's length once it is whole."""
        data = self.socket.recv(262_144)
        if not data:
            raise SystemExit("The server closed the connection.")
        if self.missing >= 0:
            self.missing -= len(data)
        else:
            self.head += data
            end = self.head.find(b"\r\n\r\n")
            if end < 0:
                return None
            lines = self.head[:end].lower().split(b"\r\n")
            if b" 200 " not in lines[0] + b" ":
                raise SystemExit(f"Not the answer 200: {self.head[:600]!r}")
            length = next(
                (int(line[15:]) for line in lines if line.startswith(b"content-length:")), None
            )
            if length is None:
                raise SystemExit(f"An answer without its length: {self.head[:300]!r}")
            self.length = length
            self.missing = length - (len(self.head) - end - 4)
        return self.length if self.missing == 0 else None


def run(port: int, seconds: float, connections: int, paths: list[str]) -> dict[str, float]:
    requests = [
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAccept: */*\r\n\r\n".encode()
        for path in paths
    ]
    selector = selectors.DefaultSelector()
    sent = 0
    for _ in range(connections):
        connection = Connection(port)
        selector.register(connection.socket, selectors.EVENT_READ, connection)
        connection.ask(requests[sent % len(requests)])
        sent += 1
    start = time.monotonic()
    end, done, size, times = start + seconds, 0, 0, []
    now = start
    # At least one answer, however slow the contender.
    while now < end or not done:
        for key, _ in selector.select(timeout=30):
            connection = key.data
            length = connection.read()
            if length is None:
                continue
            done += 1
            size += length
            times.append(time.monotonic() - connection.began)
            connection.ask(requests[sent % len(requests)])
            sent += 1
        now = time.monotonic()
    return {
        "requests": done,
        "seconds": now - start,
        "per_second": done / (now - start),
        "bytes": size,
        "median_s": statistics.median(times) if times else 0.0,
    }


if __name__ == "__main__":
    given_port, given_seconds, given_connections = sys.argv[1:4]
    asked = sys.stdin.read().split()
    print(json.dumps(run(int(given_port), float(given_seconds), int(given_connections), asked)))
