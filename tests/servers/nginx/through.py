"""`gatepost test --through 'python3 tests/servers/nginx/through.py' CASES`: the case files through nginx.

The test build of the module takes clock, peer and TLS from the request (a client over loopback cannot have them); all
else is what any nginx does. Its answers show what was decided through the module's variables.
"""

import shutil
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from frame import nginx, through  # noqa: E402
from frame.echo import Echo  # noqa: E402

SHOWN = "\n".join(
    f"add_header {field} $gatepost_{word} always;" for word, field in through.SHOWN.items()
)
HTTP = """
gatepost_policy "POLICY";
large_client_header_buffers 16 64k;
client_header_buffer_size 32k;
underscores_in_headers on;
ignore_invalid_headers off;
merge_slashes off;
server_tokens off;
server {
    listen 127.0.0.1:PORT;
    gatepost on;
    SHOWN
    location / {
        proxy_pass http://127.0.0.1:ECHO;
        # What is left of the client's own, in place of nginx's.
        proxy_http_version 1.1;
        proxy_set_header Connection $http_connection;
        proxy_set_header Host $http_host;
        proxy_buffer_size 64k;
        proxy_buffers 8 64k;
        proxy_busy_buffers_size 128k;
    }
}
"""


class Through(through.Adapter):
    def __init__(self):
        super().__init__(Echo())
        self.folder, self.server = Path(tempfile.mkdtemp(prefix="gatepost-nginx-")), None

    def text(self, policy: str) -> str:
        return (HTTP.replace("POLICY", policy.replace("\\", "\\\\").replace('"', '\\"')).replace("SHOWN", SHOWN)
                .replace("ECHO", str(self.echo.port)))

    def start(self, policy):
        self.server = nginx.Nginx(self.folder, self.text(policy), kind="test")
        self.port = self.server.port
        self.server.start()

    def reload(self, policy):
        before = self.server.conf.read_text()
        self.server.conf.write_text(self.server.full(self.text(policy)))
        code, said = self.server.check()
        if code != 0:
            self.server.conf.write_text(before)
            raise RuntimeError(said)
        self.server.swap()

    def refuses(self, request):
        credentials = [name for name, _ in request.fields if name.lower() == b"authorization"]
        return "nginx itself refuses a second Authorization field" if len(credentials) > 1 else None

    def stop(self):
        if self.server is not None:
            self.server.stop()
        self.echo.close()
        shutil.rmtree(self.folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(Through().run(sys.argv[1]))
