"""The frame itself: a check that is blind would let everything pass."""

import io
import subprocess
import sys

import pytest

from frame import people, through, wire
from frame.places import free_port
from frame.server import Server, from_example, wait_for


def test_the_echo_tells_all_that_it_received_in_order(echo):
    fields = [("X-A", "1"), ("x-a", "2"), ("X-Echo-Field", "X-More: yes"), ("X-Echo-Status", "418")]
    answer = wire.ask(echo.port, "/a?b=%00", method="POST", fields=fields, body=b"tea\xff")
    assert (answer.status, answer.get("X-More")) == (418, "yes")
    told = answer.json()
    assert (told["method"], told["target"], told["body"]) == ("POST", "/a?b=%00", "tea\xff")
    assert [tuple(field) for field in told["fields"]][:3] == [("Host", "localhost"), ("X-A", "1"), ("x-a", "2")]


def test_one_connection_takes_several_requests_and_sees_its_end(echo):
    with wire.Connection(echo.port) as connection:
        assert [connection.ask(f"/{n}").json()["target"] for n in range(3)] == ["/0", "/1", "/2"]
        assert connection.ask("/", method="HEAD").body == b""
        connection.ask("/", fields=[("Connection", "close")])
        assert connection.ended()
        with pytest.raises(wire.Ended):
            connection.ask("/")


def test_a_server_is_started_waited_for_and_ended_with_its_children(tmp_path):
    port = free_port()
    code = f"import os,socket,time\ns=socket.create_server(('127.0.0.1',{port}))\nos.fork()\ntime.sleep(600)"
    with Server([sys.executable, "-c", code], tmp_path, [port]) as server:
        child = wait_for(server.children)[0]
    gone = lambda: subprocess.run(["kill", "-0", str(child)], capture_output=True).returncode != 0  # noqa: E731
    assert wait_for(gone)


def test_a_server_that_ends_at_once_says_why(tmp_path):
    with pytest.raises(RuntimeError, match="(?s)ended with 3.*no such thing"):
        Server([sys.executable, "-c", "import sys; print('no such thing'); sys.exit(3)"], tmp_path, [free_port()]).start()


def test_an_example_that_changed_is_noticed(tmp_path):
    (tmp_path / "x.conf").write_text("listen 80;")
    assert from_example(tmp_path / "x.conf", {"80": 81}) == "listen 81;"
    with pytest.raises(ValueError):
        from_example(tmp_path / "x.conf", {"8080": 81})


def test_a_command_that_fails_is_an_error_of_the_test():
    with pytest.raises(AssertionError):
        people.gatepost("check", "/nowhere.toml")
    assert "nowhere" in people.gatepost("check", "/nowhere.toml", fails=True)


def test_the_adapter_sends_what_it_is_asked_and_tells_what_came(echo):
    class Bare(through.Adapter):
        """The application itself, without any server in front."""

        def start(self, policy):
            if policy == "bad":
                raise RuntimeError("no such policy")
            self.port = echo.port

        def reload(self, policy):
            raise RuntimeError("100% wrong")

        def stop(self):
            self.stopped = True

    asked = ["decide", "at 17", "method GET", "target /a%20b", "host h", "peer ::1", "tls", "header X-A b%FFc", "header X-E ", "end",
             "reload x", "end", "what", "end"]
    out, adapter = io.StringIO(), Bare(echo)
    assert adapter.run("p", [line + "\n" for line in asked], out) == 0 and adapter.stopped
    ready, decided, reloaded, unknown = out.getvalue().split("end\n")[:4]
    assert ready == "ready\n"
    assert "status 400" not in decided and "action ALLOW\nreason none\n" in decided, "nobody was asked, and yet it came through"
    for line in ("received X-A b%FFc", "received X-E ", "received X-Test-At 17", "received X-Test-Tls 1", "received X-Test-Peer ::1"):
        assert line + "\n" in decided
    assert reloaded == "error 100%25%20wrong\n" and unknown.startswith("error unknown%20line")
    out = io.StringIO()
    assert Bare(echo).run("bad", [], out) == 1 and out.getvalue() == "error no%20such%20policy\nend\n"
