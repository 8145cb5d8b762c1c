"""Who comes in: `Gatepost on`, `Require gatepost` in all containers, and beside other modules."""

import pytest

from apache.site import POLICY, Site, token
from frame import wire
from frame.people import PASSWORD

ALICE = wire.basic("alice", PASSWORD)


@pytest.fixture(scope="module")
def site():
    """One location for each combination; all of them have a page."""
    config = """
GatepostPolicy "@POLICY@"
<Location "/on">
    Gatepost on
</Location>
<Location "/on/not">
    Gatepost off
</Location>
<Location "/on/open">
    Require all granted
</Location>
<Location "/on/denied">
    Require all denied
</Location>
<Location "/on/bob">
    Require user bob
</Location>
<Location "/on/valid">
    Require valid-user
</Location>
<Location "/require">
    Require gatepost
</Location>
<Location "/require/open">
    Require all granted
</Location>
<Location "/require/merged">
    AuthMerging And
    Require all granted
</Location>
<Location "/any">
    <RequireAny>
        Require ip 192.0.2.0/24
        Require gatepost
    </RequireAny>
</Location>
<Location "/either">
    <RequireAny>
        Require local
        Require gatepost
    </RequireAny>
</Location>
<Location "/all">
    <RequireAll>
        Require gatepost
        Require ip 192.0.2.0/24
    </RequireAll>
</Location>
<Location "/both">
    <RequireAll>
        Require user alice
        Require gatepost
    </RequireAll>
</Location>
<Location "/none">
    <RequireAll>
        Require all granted
        <RequireNone>
            Require gatepost
        </RequireNone>
    </RequireAll>
</Location>
<Location "/admin">
    Require gatepost
</Location>
<Location "/valid">
    Require valid-user
</Location>
<Location "/type">
    AuthType Gatepost
    AuthName "Orders"
    Require user alice
</Location>
<Location "/optional/wants">
    Gatepost on
    Require valid-user
</Location>
<Location "/satisfy/host">
    Require gatepost
    Order deny,allow
    Deny from all
    Allow from 127.0.0.1
    Satisfy Any
</Location>
<Location "/satisfy/on">
    Gatepost on
    Require user carol
    Order deny,allow
    Allow from all
    Satisfy Any
</Location>
<Location "/satisfy/login">
    Gatepost on
    Order deny,allow
    Deny from all
    Satisfy Any
</Location>
<Location "/satisfy/all">
    Require gatepost
    Order deny,allow
    Deny from all
    Satisfy All
</Location>
<Location "/basic">
    AuthType Basic
    AuthName "Files"
    AuthBasicProvider file
    AuthUserFile "@FOLDER@/htpasswd"
    <RequireAny>
        Require gatepost
        Require valid-user
    </RequireAny>
</Location>
<Location "/twice">
    AuthType Basic
    AuthName "Files"
    AuthBasicProvider file
    AuthUserFile "@FOLDER@/htpasswd"
    Gatepost on
    Require valid-user
</Location>
"""
    policy = POLICY.replace('path = "/{*rest}"\n', 'path = "/{*rest}"\nschemes = ["bearer", "basic"]\n')
    site = Site(config, policy, {"alice": ["clerk"], "bob": [], "dora": []}, modules=["access_compat", "auth_basic", "authn_file"])
    (site.site / "htpasswd").write_text("carol:{SHA}qUqP5cyxm6YcTAhz05Hph5gvu9M=\n")  # "test"
    for path in ("on", "on/not", "on/open", "on/denied", "on/bob", "on/valid", "require", "require/open", "require/merged",
                 "any", "either", "all", "both", "none", "valid", "type", "optional/wants", "satisfy/host", "satisfy/on", "satisfy/login",
                 "satisfy/all", "basic", "twice", "elsewhere"):
        site.page(f"{path}/page.html")
    with site:
        yield site


@pytest.mark.parametrize("path, nobody, alice", [
    ("elsewhere", 200, 200),         # a policy that nothing asks
    ("on", 401, 200),
    ("on/not", 200, 200),
    ("on/open", 401, 200),           # a Require does not open what the policy closes
    ("on/denied", 401, 403),         # and what it closes stays closed
    ("on/bob", 401, 403),
    ("on/valid", 401, 200),
    ("require", 401, 200),
    ("require/open", 200, 200),      # AuthMerging is off unless said otherwise: httpd's own rule
    ("require/merged", 401, 200),
    ("any", 401, 200),
    ("either", 200, 200),
    ("all", 403, 403),               # a login would not help
    ("both", 401, 200),
    ("none", 200, 403),
    ("valid", 401, 200),             # no AuthType: the policy says who the user is
    ("type", 401, 200),
    ("optional/wants", 403, 200),    # the policy wants nobody in particular, the Require does
    ("satisfy/host", 200, 200),
    ("satisfy/on", 401, 200),        # the address opens what Require closes, and not what the policy does
    ("satisfy/login", 401, 200),
    ("satisfy/all", 403, 403),
    ("basic", 401, 200),
])
def test_who_comes_in(site, path, nobody, alice):
    assert wire.ask(site.port, f"/{path}/page.html").status == nobody
    assert wire.ask(site.port, f"/{path}/page.html", fields=[ALICE]).status == alice


@pytest.mark.parametrize("path", ["on", "require", "any", "both", "valid", "type", "satisfy/login"])
def test_a_refusal_is_the_engines_answer_whoever_asked_for_it(site, path):
    # Somebody else each time, that nobody is throttled.
    wrong = wire.basic(f"dora-{path.replace('/', '-')}", "not her password at all")
    answer = wire.ask(site.port, f"/{path}/page.html", fields=[wrong])
    assert answer.status == 401
    assert answer.get("Content-Type") == "application/problem+json"
    assert answer.json()["reason"] == "credentials_invalid"
    assert answer.all("WWW-Authenticate")[0].startswith("Bearer") and len(answer.all("WWW-Authenticate")) == 2
    assert answer.get("Cache-Control") == "no-store"
    lines = site.told(f"id={answer.json()['id']}")
    assert len(lines) == 1, "one line for each refusal"
    assert f'gatepost: denied 401 credentials_invalid client=127.0.0.1 id={answer.json()["id"]} ' in lines[0]


def test_a_refusal_of_403_through_require_is_the_engines_too(site):
    answer = wire.ask(site.port, "/admin/page.html", fields=[ALICE])
    assert (answer.status, answer.json()["reason"]) == (403, "role_missing")
    assert "WWW-Authenticate" not in dict(answer.fields)


def test_of_two_modules_that_refuse_both_say_how_to_come_in(site):
    answer = wire.ask(site.port, "/basic/page.html")
    assert answer.status == 401
    challenges = " ".join(answer.all("WWW-Authenticate"))
    assert 'Basic realm="Files"' in challenges and 'Bearer realm="Orders"' in challenges
    carol = wire.basic("carol", "test")
    assert wire.ask(site.port, "/basic/page.html", fields=[carol]).status == 200, "mod_auth_basic admits her"
    assert wire.ask(site.port, "/basic/page.html", fields=[token()]).status == 200, "the policy admits him"
    assert wire.ask(site.port, "/twice/page.html", fields=[carol]).status == 401, "the policy must, and does not"


def test_a_user_that_a_require_does_not_mean_gets_a_challenge_under_an_auth_type_of_ours(site):
    answer = wire.ask(site.port, "/type/page.html", fields=[wire.basic("bob", PASSWORD)])
    assert (answer.status, answer.get("WWW-Authenticate")) == (401, 'Gatepost realm="Orders"')


def test_users_and_nobody_take_turns_on_one_connection(site):
    with wire.Connection(site.port) as connection:
        for turn in range(200):
            nonsense = ("Authorization", "Bearer nonsense")
            fields, status = [([ALICE], 200), ([], 401), ([token()], 200), ([nonsense], 401)][turn % 4]
            assert connection.ask("/on/page.html", fields=fields).status == status, turn
            assert connection.ask("/elsewhere/page.html").status == 200


PASSES = """
[engine]
name = "Orders"
state = "orders.db"
schemes = ["basic"]
unmatched = "pass"
[identity]
subject = "X-Auth-Subject"
[[route]]
path = "/mine/{*rest}"
"""


def test_a_request_that_the_policy_passes_is_for_the_others_to_decide():
    config = """
GatepostPolicy "@POLICY@"
<Location "/">
    Gatepost on
</Location>
<Location "/alone">
    Require gatepost
</Location>
<Location "/voice">
    <RequireAny>
        Require gatepost
        Require local
    </RequireAny>
</Location>
"""
    site = Site(config, PASSES)
    for path in ("mine", "theirs", "alone", "voice"):
        site.page(f"{path}/page.html")
    with site:
        assert wire.ask(site.port, "/mine/page.html").status == 401
        assert wire.ask(site.port, "/theirs/page.html").status == 200
        assert wire.ask(site.port, "/alone/page.html").status == 403, "a voice that says nothing lets nobody in"
        assert wire.ask(site.port, "/voice/page.html").status == 200


def test_where_no_policy_holds_all_is_refused():
    config = """
<Location "/with">
    GatepostPolicy "@POLICY@"
    Gatepost on
</Location>
<Location "/without">
    Gatepost on
</Location>
<Location "/voice">
    Require gatepost
</Location>
"""
    site = Site(config, users={"alice": []}).page("with/page.html").page("without/page.html").page("voice/page.html")
    with site:
        assert wire.ask(site.port, "/with/page.html", fields=[ALICE]).status == 200
        for path in ("without", "voice"):
            assert wire.ask(site.port, f"/{path}/page.html", fields=[ALICE]).status == 503
        assert "denied 503 policy_missing" in site.log()
        assert ":error]" in site.told("policy_missing")[0]
