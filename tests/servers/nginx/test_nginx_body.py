"""The body of a request is read when the engine asks for it, and only then; whoever comes next still gets it."""

import subprocess
import time
from pathlib import Path

import pytest

from frame import wire
from frame.places import TOP
from frame.server import wait_for

from .site import page, site

KEEP = "env WANTS_BODY;"  # nginx forgets its environment otherwise
PROXY = "location / { proxy_pass http://ECHO; } client_max_body_size 1m; client_body_buffer_size 4k;"


@pytest.fixture(scope="module")
def asking(tmp_path_factory):
    """A library that stands before ours and asks for bodies."""
    made = tmp_path_factory.mktemp("asking") / "wants_body.so"
    source = Path(__file__).parent / "wants_body.c"
    subprocess.run(["cc", "-std=c11", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-I", str(TOP / "include"), str(source), "-o", str(made)], check=True)
    return lambda how: {"LD_PRELOAD": str(made), "WANTS_BODY": how}


def send(server, place, body, chunked=False, fields=(), **more):
    """Posts; the field names the last octet and the length, as the library wants them."""
    names = [("X-Wants-Body", body[-1:].decode() + str(len(body)))] if body else [("X-Wants-Body", "-0")]
    fields = [place.token, *names, *fields]
    if chunked:
        fields.append(("Transfer-Encoding", "chunked"))
        sent = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for n in range(0, len(body), 700) if (part := body[n:n + 700])) + b"0\r\n\r\n"
    else:
        sent = body
    return wire.ask(server.port, "/orders/1", method="POST", fields=fields, body=sent, **more)


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("how", ["ask", "need"])
def test_the_engine_gets_the_body_and_so_does_the_application(place, echo, asking, how, chunked):
    with site(place, PROXY, echo=echo, main=KEEP, environment=asking(how)) as server:
        for body in [b"x", b"y" * 999, b"a b\0\xff" * 199 + b"z"]:
            assert send(server, place, body, chunked).status == 200, server.said()
            assert echo.received[-1]["body"] == body.decode("latin-1")
        assert send(server, place, b"").status == 200
        echo.received.clear()
        body = b"q" * 700
        assert send(server, place, body, chunked, fields=[("X-Wants-Body", "q1")]).status == 200, "the first field counts"
        answer = wire.ask(server.port, "/orders/1", method="POST", fields=[place.token, ("X-Wants-Body", "n5")], body=body)
        assert answer.status == 500, "another body than the one that is named"


def test_a_body_in_a_file_is_read_whole(place, echo, asking):
    with site(place, PROXY, echo=echo, main=KEEP, environment=asking("need")) as server:
        body = bytes(range(256)) * 200 + b"e"
        assert send(server, place, body).status == 200, server.said()
        assert echo.received[-1]["body"] == body.decode("latin-1")


def test_more_than_it_takes_is_413(place, echo, asking):
    with site(place, PROXY, echo=echo, main=KEEP, environment=asking("ask")) as server:
        assert send(server, place, b"x" * 1001).status == 413
        assert "denied 413 content_too_large" in server.log() and not echo.received
        assert send(server, place, b"x" * 1001, chunked=True).status == 413 and not echo.received
        assert send(server, place, b"x" * 1000).status == 200


def test_an_engine_that_is_never_content_is_refused(place, echo, asking):
    with site(place, PROXY, echo=echo, main=KEEP, environment=asking("always")) as server:
        assert send(server, place, b"x").status == 500 and not echo.received
        assert send(server, place, b"").status == 500 and not echo.received


def test_a_body_that_comes_slowly_or_never_ends_holds_up_nobody(place, echo, asking):
    with site(place, PROXY, echo=echo, main=KEEP, environment=asking("ask")) as server:
        with wire.Connection(server.port) as slow, wire.Connection(server.port) as gone:
            head = wire.request("/orders/1", method="POST", fields=[place.token, ("X-Wants-Body", "t6"), ("Content-Length", "6")])
            gone.send(head + b"abc")
            slow.send(head + b"sec")
            assert wire.ask(server.port, "/public/1").status == 200
            gone.close()
            for octet in b"ret":
                time.sleep(0.05)
                slow.send(bytes([octet]))
            assert slow.read().status == 200 and echo.received[-1]["body"] == "secret"
        wait_for(lambda: "prematurely closed connection" in server.log(), otherwise=server.said)


def test_without_being_asked_it_is_not_read_before_the_decision(proxy, echo):
    with wire.Connection(proxy.port) as connection:
        connection.send(wire.request("/orders/1", method="POST", fields=[("Content-Length", "1000000")]))
        assert connection.read().status == 401, "the answer did not wait for the body"


@pytest.mark.parametrize("how", ["ask", "need"])
@pytest.mark.parametrize("body, status", [(b"zz\r\nx", 400), (b"1000\r\n" + b"x" * 4096 + b"\r\n0\r\n\r\n", 413)])
@pytest.mark.parametrize("location, shown", [("location = /bad.html { }", b"BAD"), ("", b"")])
def test_a_body_that_cannot_be_read_is_refused_with_its_page(place, echo, asking, how, body, status, location, shown):
    page(place, "bad.html", "BAD")
    locations = f"root html; client_max_body_size 100; error_page 400 413 /bad.html; {location} location / {{ proxy_pass http://ECHO; }}"
    with site(place, locations, echo=echo, main=KEEP, environment=asking(how)) as server:
        with wire.Connection(server.port) as connection:
            fields = [place.token, ("Transfer-Encoding", "chunked"), ("X-Wants-Body", "x9")]
            connection.send(wire.request("/orders/1", method="POST", fields=fields))
            time.sleep(0.2)  # so that the first part of the body is not there with the head
            connection.send(body)
            answer = connection.read()
        assert answer.status == status and (answer.body == shown or not shown) and not echo.received
        assert send(server, place, b"x").status == 200


@pytest.mark.parametrize("how", ["ask", "need"])
@pytest.mark.parametrize("to", ["$uri", "=200 $uri", "/orders/1"])
def test_a_body_that_cannot_be_read_opens_no_file(place, echo, asking, how, to):
    page(place, "orders/1", "SECRET")
    locations = f"root html; error_page 400 413 {to}; location = /orders/1 {{ }}"
    with site(place, locations, echo=echo, main=KEEP, environment=asking(how)) as server:
        with wire.Connection(server.port) as connection:
            fields = [("Transfer-Encoding", "chunked"), ("X-Wants-Body", "x9")]
            connection.send(wire.request("/orders/1", method="POST", fields=fields))
            time.sleep(0.2)
            connection.send(b"zz\r\nx")
            answer = connection.read()
        assert answer.status == 400 and b"SECRET" not in answer.body
