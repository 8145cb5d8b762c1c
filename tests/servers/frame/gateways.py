"""Applications that a server talks FastCGI and uwsgi with: they answer with the variables that they were given, as JSON."""

import json
import socketserver
import struct
import threading


class _FastCgi(socketserver.StreamRequestHandler):
    def handle(self):
        params = b""
        while len(head := self.rfile.read(8)) == 8:
            _, kind, number, length, padding, _ = struct.unpack(">BBHHBB", head)
            content = self.rfile.read(length)
            self.rfile.read(padding)
            if kind == 4:
                params += content
            elif kind == 5 and length == 0:
                break
        variables, at = {}, 0
        while at < len(params):
            sizes = []
            for _ in range(2):
                wide = params[at] & 0x80
                sizes.append(struct.unpack_from(">I", params, at)[0] & 0x7FFFFFFF if wide else params[at])
                at += 4 if wide else 1
            name, value = params[at:at + sizes[0]], params[at + sizes[0]:at + sum(sizes)]
            at += sum(sizes)
            variables[name.decode("latin-1")] = value.decode("latin-1")
        out = b"Status: 200 OK\r\nContent-Type: application/json\r\n\r\n" + json.dumps(variables).encode()
        self.wfile.write(struct.pack(">BBHHBB", 1, 6, number, len(out), 0, 0) + out)
        self.wfile.write(struct.pack(">BBHHBB", 1, 3, number, 8, 0, 0) + bytes(8))


class _Uwsgi(socketserver.StreamRequestHandler):
    def handle(self):
        head = self.rfile.read(4)
        if len(head) < 4:
            return
        params, at, variables = self.rfile.read(struct.unpack_from("<H", head, 1)[0]), 0, {}
        while at < len(params):
            pair = []
            for _ in range(2):
                size = struct.unpack_from("<H", params, at)[0]
                pair.append(params[at + 2:at + 2 + size].decode("latin-1"))
                at += 2 + size
            variables[pair[0]] = pair[1]
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n" + json.dumps(variables).encode())


class Gateway(socketserver.ThreadingTCPServer):
    """kind: fastcgi or uwsgi. Listens on 127.0.0.1 at `port` within `with`."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, kind):
        super().__init__(("127.0.0.1", 0), {"fastcgi": _FastCgi, "uwsgi": _Uwsgi}[kind])
        self.port = self.server_address[1]
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()
