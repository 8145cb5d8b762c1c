"""An application behind a server: answers with what it received, as JSON, and remembers it.

`X-Echo-Status: 500` asks for a status, `X-Echo-Field: Name: value` for a field of the answer, `X-Echo-Drop: 1` for no answer at all.
"""

import json
import socketserver
import threading


class _Handler(socketserver.StreamRequestHandler):
    def handle(self):
        while self.one():
            pass

    def one(self) -> bool:
        line = self.rfile.readline(1 << 20).decode("latin-1").rstrip("\r\n")
        if not line:
            return False
        method, target, version = (line.split(" ") + ["", ""])[:3]
        fields = []
        while field := self.rfile.readline(1 << 20).decode("latin-1").rstrip("\r\n"):
            name, _, value = field.partition(":")
            fields.append((name, value.strip()))
        values = {name.lower(): value for name, value in fields}
        body = b""
        if "chunked" in values.get("transfer-encoding", ""):
            while size := int(self.rfile.readline().split(b";")[0], 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            while self.rfile.readline().strip():
                pass
        else:
            body = self.rfile.read(int(values.get("content-length", 0)))
        received = {"method": method, "target": target, "fields": fields, "body": body.decode("latin-1")}
        self.server.received.append(received)
        if "x-echo-drop" in values:
            return False
        told = json.dumps(received).encode()
        more = "".join(f"{value}\r\n" for name, value in fields if name.lower() == "x-echo-field")
        keep = version == "HTTP/1.1" and values.get("connection", "").lower() != "close"
        head = (
            f"HTTP/1.1 {values.get('x-echo-status', '200')} Echo\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(told)}\r\nX-Echo: 1\r\n{more}Connection: {'keep-alive' if keep else 'close'}\r\n\r\n"
        )
        self.wfile.write(head.encode("latin-1") + (b"" if method == "HEAD" else told))
        return keep


class Echo(socketserver.ThreadingTCPServer):
    """Listens on 127.0.0.1 at `port` from the start; `received` is all that came, oldest first."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 1024

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.port = self.server_address[1]
        self.received = []
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def handle_error(self, *_):
        pass  # the server in front may end a connection at any time

    def close(self):
        self.shutdown()
        self.server_close()
