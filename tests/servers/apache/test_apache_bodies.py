"""Bodies that the engine asks for, and answers that only a later engine gives: with a library that does both now."""

import subprocess

import pytest

from apache.site import Site, page
from frame import wire
from frame.places import TOP, target

ON = """
GatepostPolicy "@POLICY@"
<Location "/">
    Gatepost on
</Location>
<Location "/voice">
    Require gatepost
</Location>
<Directory "@FOLDER@/htdocs">
    Options +ExecCGI
    AddHandler cgi-script .cgi
    DirectoryIndex count.cgi
    RewriteEngine on
    RewriteRule "moved$" "/needs/folder/count.cgi" [L]
</Directory>
ProxyPass "/needs/folder" "!"
ProxyPass "/needs/moved" "!"
ProxyPass "/" "http://127.0.0.1:@ECHO@/"
Header always set X-Always yes
"""


@pytest.fixture(scope="module", params=["event", "prefork"])
def site(request, echo_server):
    folder = target() / "apache-stub"
    folder.mkdir(exist_ok=True)
    subprocess.run(
        ["cc", "-shared", "-fPIC", "-Wall", "-Wextra", "-I", TOP / "include", TOP / "tests/servers/apache/stub.c",
         "-Wl,-soname,libgatepost.so.0", "-o", folder / "libgatepost.so.0"], check=True)
    site = Site(ON, mpm=request.param, modules=["proxy", "proxy_http", "rewrite", "cgi"], echo=echo_server.port,
                environment={"LD_LIBRARY_PATH": str(folder)})
    page(site.site / "htdocs", "needs/folder/count.cgi", "#!/bin/sh\necho 'Content-Type: text/plain'; echo; wc -c\n", 0o755)
    with site:
        yield site


def post(site, path, body, **more):
    return wire.ask(site.port, path, method="POST", body=body, **more)


@pytest.mark.parametrize("path", ["/wants/100/x.respond", "/needs/x.respond"])
def test_the_engine_gets_the_body_that_it_asks_for(site, echo, path):
    answer = post(site, path, b"name=value")
    assert (answer.status, answer.body, answer.get("Content-Type")) == (200, b"10 complete name=value", "text/x-engine")
    assert answer.get("X-Engine") == "1" and answer.get("X-Always") == "yes" and echo.received == []
    assert post(site, path, b"").body == b"0 complete "
    chunked = wire.request(path, method="POST", fields=[("Transfer-Encoding", "chunked")], body=b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")
    with wire.Connection(site.port) as connection:
        connection.send(chunked)
        assert connection.read().body == b"5 complete abcde"
        assert connection.ask("/open").status == 200, "the connection goes on"


def test_a_body_that_nobody_asks_for_is_not_read(site, echo):
    assert post(site, "/open", b"abc").status == 200
    assert echo.received[-1]["body"] == "abc"
    answer = post(site, "/x.deny", b"abc")
    assert (answer.status, answer.body) == (403, b"0 cut ")


def test_of_a_longer_body_the_engine_gets_one_octet_more_than_it_takes(site, echo):
    assert post(site, "/wants/10/x.respond", b"0123456789").body == b"10 complete 0123456789"
    assert post(site, "/wants/10/x.respond", b"0123456789a").body == b"11 complete 0123456789a", "one more than it takes"
    assert post(site, "/wants/10/x.respond", b"a" * 200000).body == b"11 cut aaaaaaaaaaa"


@pytest.mark.parametrize("size", [0, 1, 100, 101, 5000, 300000])
def test_the_application_gets_all_of_a_body_that_the_engine_has_read(site, echo, size):
    body = bytes(33 + i % 90 for i in range(size))
    assert post(site, "/wants/100/x", body).status == 200
    assert echo.received[-1]["body"].encode("latin-1") == body
    assert post(site, "/needs/x", body).status == 200
    assert echo.received[-1]["body"].encode("latin-1") == body


@pytest.mark.parametrize("path", ["/needs/moved", "/needs/folder/", "/needs/folder/moved"])
def test_a_script_gets_the_body_behind_a_redirect_inside_and_in_place_of_a_folder(site, path):
    for size in (10, 5000, 300000):
        answer = post(site, path, b"0123456789" * (size // 10))
        assert (answer.status, answer.body) == (200, b"%d\n" % size)


def test_a_client_that_waits_for_100_continue_is_told_to_go_on_where_the_body_is_wanted(site):
    with wire.Connection(site.port) as connection:
        connection.send(wire.request("/wants/9/x.respond", method="POST",
                                     fields=[("Expect", "100-continue"), ("Content-Length", "3")]))
        assert connection._until(b"\r\n\r\n").startswith(b"HTTP/1.1 100")
        connection.send(b"abc")
        assert connection.read().body == b"3 complete abc"


def test_a_body_that_breaks_off_decides_nothing(site, echo):
    with wire.Connection(site.port) as connection:
        connection.send(wire.request("/wants/100/x", method="POST", fields=[("Content-Length", "50")]) + b"half")
        connection.socket.shutdown(1)
        connection.ended()
    assert echo.received == [], "nothing came through"


@pytest.mark.parametrize("path, status", [("/insists/x", 500), ("/x.panic", 500), ("/x.unknown", 500), ("/x.deny", 403)])
def test_what_cannot_be_decided_is_refused(site, echo, path, status):
    assert post(site, path, b"abc").status == status and echo.received == []
    if "insists" not in path:
        assert post(site, "/voice" + path, b"abc").status == status and echo.received == []


def test_an_answer_of_the_engines_own_is_sent_whoever_asked(site, echo):
    for path in ("/x.respond", "/voice/x.respond"):
        answer = wire.ask(site.port, path)
        assert (answer.status, answer.body) == (200, b"0 cut ")
    assert wire.ask(site.port, "/x.elsewhere").status == 303
    assert echo.received == []
