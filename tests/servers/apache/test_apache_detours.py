"""Requests that httpd answers with something else than what was asked for: pages of directories, variants, documents in
place of a refusal, front controllers. Whoever gets there was let in, and as nobody but who was."""

import pytest

from apache.site import Site, page
from frame import wire
from frame.people import PASSWORD

ALICE = wire.basic("alice", PASSWORD)
FORGED = [("X-Auth-Subject", "root"), ("X_Auth_Roles", "admin")]
SCRIPT = "#!/bin/sh\necho 'Content-Type: text/plain'; echo; echo ran; env | sort\n"
MODULES = ["cgi", "rewrite", "negotiation", "access_compat"]


def environment(answer) -> dict:
    return dict(line.split("=", 1) for line in answer.body.decode().splitlines() if "=" in line)


@pytest.mark.parametrize("before", ["", 'GatepostPolicy "@POLICY@"\n'], ids=["policy for scripts alone", "policy everywhere"])
@pytest.mark.parametrize("path, nobody", [("/app/", 401), ("/app/index.cgi", 401), ("/app/thing", 404)])  # closed is no variant
def test_the_script_that_stands_for_a_directory_or_a_name_sees_who_it_is_and_nobody_made_up(before, path, nobody):
    config = before + """
<FilesMatch "\\.cgi$">
    GatepostPolicy "@POLICY@"
    Gatepost on
    SetHandler cgi-script
</FilesMatch>
<Directory "@FOLDER@/htdocs">
    Options +ExecCGI +MultiViews
    AddType text/x-script .cgi
    MultiviewsMatch Any
    DirectoryIndex index.cgi
</Directory>
"""
    site = Site(config, users={"alice": ["clerk"]}, modules=MODULES)
    for name in ("index", "thing"):
        page(site.site / "htdocs", f"app/{name}.cgi", SCRIPT, 0o755)
    with site:
        seen = environment(wire.ask(site.port, path, fields=[ALICE, *FORGED]))
        assert {name: value for name, value in seen.items() if "AUTH_" in name} == {
            "AUTH_TYPE": "Basic", "HTTP_X_AUTH_SUBJECT": "alice", "HTTP_X_AUTH_ROLES": "clerk"}
        assert (seen["REMOTE_USER"], seen["GATEPOST_SUBJECT"]) == ("alice", "alice")
        refused = wire.ask(site.port, path, fields=FORGED)
        assert refused.status == nobody and b"ran" not in refused.body


@pytest.fixture(scope="module", params=["Gatepost on", "Require gatepost"])
def fronted(request):
    """Places whose document for a refusal is not there, and where a front controller answers for what is not there."""
    config = f"""
GatepostPolicy "@POLICY@"
<Directory "@FOLDER@/htdocs">
    Options +ExecCGI +MultiViews +Includes
    AddHandler cgi-script .cgi
    AddOutputFilter INCLUDES .shtml
    AllowOverride All
</Directory>
<Location "/">
    {request.param}
</Location>
"""
    site = Site(config, users={"alice": []}, modules=[*MODULES, "include"])
    lost = "ErrorDocument 401 {}/nowhere/401.html\nErrorDocument 403 {}/nowhere/403.html\n"
    front = {"rewritten": "RewriteEngine on\nRewriteCond %{REQUEST_FILENAME} !-f\nRewriteRule ^ front.cgi [L]\n",
             "fallback": "FallbackResource /fallback/front.cgi\n"}
    for place, words in front.items():
        page(site.site / "htdocs", f"{place}/front.cgi", SCRIPT, 0o755)
        site.page(f"{place}/.htaccess", lost.replace("{}", f"/{place}") + words)
    site.page("fallback/host/.htaccess", "Order allow,deny\n")
    site.page("variant/.htaccess", "ErrorDocument 401 /variant/refused\n").page("variant/refused.html", "the operator's")
    site.page("parts/.htaccess", "ErrorDocument 401 /parts/refused.shtml\n").page("parts/part.html", "part")
    site.page("parts/refused.shtml", 'top|<!--#include virtual="part.html" -->')
    with site:
        yield site


@pytest.mark.parametrize("place", ["rewritten", "fallback"])
def test_a_front_controller_in_place_of_a_missing_error_document_serves_nobody_who_was_refused(fronted, place):
    answer = wire.ask(fronted.port, f"/{place}/orders/7", fields=FORGED)
    assert answer.status == 401 and b"ran" not in answer.body
    assert answer.json()["reason"] == "credentials_missing" and len(answer.all("WWW-Authenticate")) == 3
    seen = environment(wire.ask(fronted.port, f"/{place}/orders/7", fields=[ALICE, *FORGED]))
    assert (seen["REQUEST_URI"], seen["REMOTE_USER"]) == (f"/{place}/orders/7", "alice")
    assert seen["HTTP_X_AUTH_SUBJECT"] == "alice" and "HTTP_X_AUTH_ROLES" not in seen


@pytest.mark.parametrize("place, body", [("variant", b"the operator's"), ("parts", b"top|part")])
def test_an_error_document_that_is_there_is_shown_with_its_parts_and_variants(fronted, place, body):
    answer = wire.ask(fronted.port, f"/{place}/x")
    assert (answer.status, answer.body) == (401, body) and len(answer.all("WWW-Authenticate")) == 3


def test_who_was_refused_by_his_address_does_not_come_in_by_the_document_for_it():
    """mod_access_compat refuses before anybody is asked, and httpd asks nobody about its document, which lies in the same place."""
    config = """
GatepostPolicy "@POLICY@"
<Directory "@FOLDER@/htdocs">
    Options +ExecCGI
    AddHandler cgi-script .cgi
    AllowOverride FileInfo
    Order allow,deny
    Gatepost on
    ErrorDocument 403 /nowhere/403.html
</Directory>
"""
    site = Site(config, users={"alice": []}, modules=MODULES)
    page(site.site / "htdocs", "front.cgi", SCRIPT, 0o755)
    site.page(".htaccess", "RewriteEngine on\nRewriteCond %{REQUEST_FILENAME} !-f\nRewriteRule ^ front.cgi [L]\n")
    with site:
        answer = wire.ask(site.port, "/orders/7")
        assert answer.status == 403 and b"ran" not in answer.body
        seen = environment(wire.ask(site.port, "/orders/7", fields=[ALICE]))
        assert seen["REDIRECT_STATUS"] == "403" and seen["REMOTE_USER"] == "alice", "whom the policy lets in sees it"


def test_what_another_module_says_by_our_names_is_not_what_the_application_hears():
    config = """
GatepostPolicy "@POLICY@"
SetEnvIf X-Who "(.+)" GATEPOST_SUBJECT=$1 GATEPOST_ROLES=$1 GATEPOST_ISSUER=$1
ScriptAlias "/public/" "@FOLDER@/cgi/"
ScriptAlias "/mine/" "@FOLDER@/cgi/"
ScriptAlias "/open/" "@FOLDER@/cgi/"
<Location "/">
    Gatepost on
</Location>
<Location "/open">
    Gatepost off
    <RequireAny>
        Require all granted
        Require gatepost
    </RequireAny>
</Location>
"""
    site = Site(config, users={"alice": []}, modules=["cgi", "setenvif"]).script("cgi/env", SCRIPT)
    with site:
        for path, fields, subject in [("public", [], None), ("mine", [ALICE], "alice"), ("open", [], None), ("public", [ALICE], None)]:
            seen = environment(wire.ask(site.port, f"/{path}/env", fields=[*fields, ("X-Who", "root")]))
            told = {name: value for name, value in seen.items() if value == "root" or name == "GATEPOST_SUBJECT"}
            assert told == {"HTTP_X_WHO": "root", **({"GATEPOST_SUBJECT": subject} if subject else {})}, path


@pytest.mark.parametrize("asks", ["Gatepost on", "Require gatepost"])
def test_who_may_not_write_somewhere_copies_and_moves_nothing_there(asks):
    config = f"""
GatepostPolicy "@POLICY@"
DavLockDB "@FOLDER@/locks"
<Directory "@FOLDER@/htdocs">
    Dav On
</Directory>
<Location "/">
    {asks}
</Location>
"""
    site = Site(config, users={"alice": [], "rita": ["admin"]}, modules=["dav", "dav_fs"])
    site.page("mine/one", "alice's").page("mine/two", "alice's").page("admin/there", "rita's")
    host = f"localhost:{site.port}"

    def ask(method, path, to=None, who=ALICE, **more):
        fields = [who, *([("Destination", f"http://{host}{to}")] if to else [])]
        return wire.ask(site.port, path, host=host, method=method, fields=fields, **more)

    with site:
        assert ask("PUT", "/admin/there", body=b"alice's").status == 403
        for method in ("COPY", "MOVE"):
            for to in ("/admin/there", "/admin/new", "/mine/../admin/there"):
                assert ask(method, "/mine/one", to).status in (400, 403)
        rita = wire.basic("rita", PASSWORD)
        assert ask("GET", "/admin/there", who=rita).body == b"rita's" and ask("GET", "/admin/new", who=rita).status == 404
        assert ask("COPY", "/mine/one", "/mine/three").status == 201
        assert ask("MOVE", "/mine/two", "/mine/four").status == 201
        assert ask("COPY", "/mine/one", "/admin/there", who=rita).status == 204
        assert ask("GET", "/admin/there", who=rita).body == b"alice's"
