"""What a connection says of a client: TLS, certificates, HTTP/2, and the peer, whoever else has a say about it."""

import ssl
import subprocess

import pytest

from apache.site import POLICY, Site
from frame import wire
from frame.people import PASSWORD
from frame.places import PATIENCE

ALICE = wire.basic("alice", PASSWORD)

CERTIFICATES = """
[[certificate]]
subject = "CN=billing"
user = "billing"
"""
ROUTES = """
[[route]]
path = "/tls/{*rest}"
access = "public"
require = { tls = true }
[[route]]
path = "/cert/{*rest}"
schemes = ["client-cert"]
[[route]]
path = "/net/{*rest}"
access = "public"
require = { network = ["127.0.0.0/8"] }
[[route]]
path = "/other/{*rest}"
access = "public"
require = { network = ["192.0.2.0/24"] }
"""
CONFIG = """
GatepostPolicy "@POLICY@"
Protocols h2 http/1.1
SSLEngine on
SSLCertificateFile "@FOLDER@/server.pem"
SSLCertificateKeyFile "@FOLDER@/server.key"
SSLCACertificateFile "@FOLDER@/ca.pem"
SSLVerifyClient optional
<Location "/">
    Gatepost on
</Location>
<Location "/cert/renegotiated">
    SSLVerifyClient require
</Location>
ScriptAlias "/cert/cgi/" "@FOLDER@/cgi/"
"""


def openssl(folder, *words):
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)


def make_certificates(folder):
    """An authority, a server's certificate, two that the authority gave to clients, and one that nobody gave."""
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    openssl(folder, "req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=authority", "-days", "2")
    for name in ("server", "billing", "stranger"):
        common = "localhost" if name == "server" else name
        openssl(folder, "req", *key, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={common}")
        usage = "serverAuth" if name == "server" else "clientAuth"
        (folder / "more").write_text(f"extendedKeyUsage={usage}\n")
        openssl(folder, "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
                "-out", f"{name}.pem", "-days", "2", "-extfile", "more")


@pytest.fixture(scope="module")
def site():
    site = Site(CONFIG, POLICY + CERTIFICATES + ROUTES, {"alice": ["clerk"], "billing": []},
                modules=["ssl", "http2", "socache_shmcb", "cgi"])
    make_certificates(site.site)
    for path in ("tls", "cert", "cert/renegotiated", "net", "other", "plain"):
        site.page(f"{path}/x.html")
    site.script("cgi/env")
    with site:
        yield site


def context(site, name=None, most=None):
    made = ssl.create_default_context(cafile=str(site.site / "ca.pem"))
    if name:
        made.load_cert_chain(site.site / f"{name}.pem", site.site / f"{name}.key")
    if most:
        made.maximum_version = most
    return made


def test_tls_is_told_to_the_engine(site):
    assert wire.ask(site.port, "/tls/x.html", tls=context(site)).status == 200


def test_without_tls_it_is_not():
    with Site('GatepostPolicy "@POLICY@"\nGatepost on\n', POLICY + CERTIFICATES + ROUTES).page("tls/x.html") as plain:
        for forged in ([], [("X-Forwarded-Proto", "https")], [("Forwarded", "proto=https")]):
            answer = wire.ask(plain.port, "/tls/x.html", fields=forged)
            assert (answer.status, answer.json()["reason"]) == (403, "tls_required")


def test_a_client_certificate_is_a_user(site):
    answer = wire.ask(site.port, "/cert/cgi/env", tls=context(site, "billing"))
    assert answer.status == 200 and b"REMOTE_USER=billing\n" in answer.body and b"GATEPOST_SCHEME=client-cert" in answer.body
    assert wire.ask(site.port, "/cert/x.html", tls=context(site, "stranger")).status == 401
    assert wire.ask(site.port, "/cert/x.html", tls=context(site)).status == 401


def test_a_certificate_that_one_place_asks_for_is_there_when_the_policy_decides(site):
    """httpd negotiates anew for such a place, after it knows the address."""
    most = ssl.TLSVersion.TLSv1_2
    config_asks = wire.ask(site.port, "/cert/renegotiated/x.html", tls=context(site, "billing", most))
    assert config_asks.status == 200


def test_http_2_is_decided_the_same(site):
    def curl(path, *more):
        done = subprocess.run(
            ["curl", "-s", "--http2", "-o", "-", "-w", "\n%{http_code} %{http_version}", "--cacert", site.site / "ca.pem",
             f"https://localhost:{site.port}{path}", "--connect-to", f"localhost:{site.port}:127.0.0.1:{site.port}", *more],
            capture_output=True, text=True, timeout=PATIENCE)
        return done.stdout

    refused = curl("/plain/x.html")
    assert refused.endswith("\n401 2") and '"reason":"credentials_missing"' in refused
    assert curl("/plain/x.html", "-u", f"alice:{PASSWORD}") == "page\n\n200 2"
    assert curl("/tls/x.html").endswith("\n200 2"), "TLS is the connection's, not the stream's"
    assert curl("/net/x.html").endswith("\n200 2"), "and so is the peer"
    assert curl("/plain/..%2fx", "-u", f"alice:{PASSWORD}").split()[-2] in ("400", "404")
    billing = ["--cert", site.site / "billing.pem", "--key", site.site / "billing.key"]
    assert "REMOTE_USER=billing" in curl("/cert/cgi/env", *billing)
    forged = curl("/cert/cgi/env", *billing, "-H", "X-Auth-Subject: mallory", "-H", "x_auth_roles: admin")
    assert "HTTP_X_AUTH_SUBJECT=billing" in forged and "mallory" not in forged and "=admin" not in forged


def test_the_peer_is_the_connections_whatever_others_make_of_it():
    config = 'RemoteIPHeader X-Forwarded-For\nRemoteIPInternalProxy 127.0.0.1\nGatepostPolicy "@POLICY@"\nGatepost on\n'
    site = Site(config, POLICY + CERTIFICATES + ROUTES, modules=["remoteip"]).page("net/x.html").page("other/x.html")
    with site:
        said = [("X-Forwarded-For", "192.0.2.9")]
        assert wire.ask(site.port, "/net/x.html", fields=said).status == 200
        answer = wire.ask(site.port, "/other/x.html", fields=said)
        assert (answer.status, answer.json()["reason"]) == (403, "network_not_allowed")


def test_a_proxy_that_the_policy_trusts_is_believed():
    policy = POLICY + CERTIFICATES + ROUTES + '[proxies]\ntrusted = ["127.0.0.1/32"]\nheader = "X-Forwarded-For"\n'
    with Site('GatepostPolicy "@POLICY@"\nGatepost on\n', policy).page("other/x.html") as site:
        assert wire.ask(site.port, "/other/x.html", fields=[("X-Forwarded-For", "192.0.2.9")]).status == 200
        assert wire.ask(site.port, "/other/x.html", fields=[("X-Forwarded-For", "192.0.2.9, 198.51.100.1")]).status == 403


def test_what_tests_say_of_a_connection_is_believed_by_no_module_that_is_shipped(echo):
    config = 'GatepostPolicy "@POLICY@"\nGatepost on\nProxyPass "/" "http://127.0.0.1:@ECHO@/"\n'
    with Site(config, POLICY + CERTIFICATES + ROUTES, echo=echo.port, modules=["proxy", "proxy_http"]) as site:
        said = [("X-Test-Peer", "192.0.2.9"), ("X-Test-Tls", "1")]
        assert wire.ask(site.port, "/other/x", fields=said).json()["reason"] == "network_not_allowed"
        assert wire.ask(site.port, "/tls/x", fields=said).json()["reason"] == "tls_required"
        assert wire.ask(site.port, "/net/x", fields=said).status == 200
        assert ("X-Test-Peer", "192.0.2.9") in [tuple(field) for field in echo.received[-1]["fields"]], "it is a field like any other"
