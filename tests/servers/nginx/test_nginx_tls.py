"""TLS and client certificates: what nginx verified is who it is; what it did not says nothing."""

import ssl
import subprocess

import pytest

from frame import wire

from .site import got, site

POLICY = """
[[certificate]]
subject = "CN=billing"
user = "alice"
"""


def openssl(folder, *words):
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def authorities(place):
    """Two authorities, of which the server knows `good`, a client certificate of each, and the server's own."""
    text = place.policy.read_text().replace('schemes = ["basic", "bearer", "api-key"]', 'schemes = ["basic", "bearer", "api-key", "client-cert"]')
    place.policy.write_text(text + POLICY)
    for name in ("good", "bad"):
        openssl(place.folder, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{name}.key",
                "-out", f"{name}.pem", "-subj", f"/CN={name} authority", "-days", "2")
        openssl(place.folder, "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{name}-client.key",
                "-out", f"{name}.csr", "-subj", "/CN=billing")
        (place.folder / "ext").write_text("extendedKeyUsage=clientAuth\n")
        openssl(place.folder, "x509", "-req", "-in", f"{name}.csr", "-CA", f"{name}.pem", "-CAkey", f"{name}.key", "-CAcreateserial",
                "-out", f"{name}-client.pem", "-days", "2", "-extfile", "ext")
    return place


def context(place, name=None):
    made = ssl.create_default_context()
    made.check_hostname, made.verify_mode = False, ssl.CERT_NONE
    if name:
        made.load_cert_chain(place.folder / f"{name}-client.pem", place.folder / f"{name}-client.key")
    return made


def tls(verify):
    return (f"listen 127.0.0.1:NEXT ssl; ssl_certificate good.pem; ssl_certificate_key good.key; ssl_verify_client {verify}; "
            "ssl_client_certificate good.pem; ssl_session_cache shared:S:1m; location / { proxy_pass http://ECHO; }")


def test_a_verified_certificate_is_a_user(authorities, echo):
    with site(authorities, tls("optional"), echo=echo) as server:
        for _ in range(3):  # the later ones may resume the session
            assert wire.ask(server.next, "/orders/1", tls=context(authorities, "good")).status == 200, server.said()
            assert got(echo, "X-Auth-Subject") == ["alice"]
        answer = wire.ask(server.next, "/orders/1", tls=context(authorities))
        assert answer.status == 401 and answer.json()["reason"] == "credentials_missing"
        assert wire.ask(server.next, "/orders/1", tls=context(authorities, "bad")).status == 400, "nginx itself refuses"


def test_a_certificate_that_nobody_verified_is_nobody(authorities, echo):
    with site(authorities, tls("optional_no_ca"), echo=echo) as server:
        assert wire.ask(server.next, "/orders/1", tls=context(authorities, "bad")).status == 401
        assert wire.ask(server.next, "/orders/1", tls=context(authorities, "good")).status == 200
        assert len(echo.received) == 1


def test_what_asks_for_tls_gets_it_from_the_connection_alone(authorities, echo):
    with site(authorities, tls("off"), echo=echo) as server:
        assert wire.ask(server.next, "/tls/1", tls=context(authorities), fields=[authorities.alice]).status == 200
        answer = wire.ask(server.port, "/tls/1", fields=[authorities.alice, ("X-Forwarded-Proto", "https"), ("X-Test-Tls", "1")])
        assert answer.status == 403 and answer.json()["reason"] == "tls_required"
        assert wire.ask(server.next, "/orders/1", tls=context(authorities, "good")).status == 401, "none was asked for"


def test_a_certificate_counts_only_where_the_server_itself_asks_for_one(authorities, echo):
    """A connection to one server may carry requests for another of the same port, whose authorities are others."""
    other = "} server { listen 127.0.0.1:NEXT ssl; server_name other; gatepost on; ssl_certificate good.pem; ssl_certificate_key good.key; location / { proxy_pass http://ECHO; }"
    with site(authorities, "server_name localhost; " + tls("optional") + other, echo=echo) as server:
        with wire.Connection(server.next, tls=context(authorities, "good")) as connection:
            assert connection.ask("/orders/1").status == 200, server.said()
            answer = connection.ask("/orders/1", host="other")
            assert answer.status == 401 and answer.json()["reason"] == "credentials_missing"
        assert len(echo.received) == 1
