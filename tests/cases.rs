//! Runs every case file through the command line, holds the tokens in them to what `mint` makes, and holds the runner
//! itself to its promise that a wrong expectation and a typing error are always told.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "clippy exempts the test functions themselves, not what they call"
)]

mod mint;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases")
}

fn case_files() -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    assert!(files.len() > 40, "the case files are missing: {files:?}");
    files
}

fn gatepost(arguments: &[&str], files: &[PathBuf]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_gatepost")).args(arguments).args(files).output().unwrap()
}

#[test]
fn every_case_file_passes() {
    let output = gatepost(&["test"], &case_files());
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{out}{err}");
    assert!(out.trim_end().ends_with(" 0 failed"), "{out}");
}

/// `UPDATE=1 cargo test --test cases` writes them.
#[test]
fn the_tokens_in_the_case_files_are_those_that_mint_makes() {
    let mut count = 0;
    for path in case_files() {
        let text = std::fs::read_to_string(&path).unwrap();
        let file: Value = serde_json::from_str(&text).unwrap();
        let mut wanted = text.clone();
        // Certificates and passwords are not minted.
        let other = ["-----BEGIN CERTIFICATE-----", "Basic "];
        let tokens = |(_, held): &(&String, &Value)| !other.iter().any(|o| held.as_str().unwrap().starts_with(o));
        for (name, held) in file["let"].as_object().into_iter().flatten().filter(tokens) {
            let token = mint::token(name).unwrap_or_else(|| panic!("{}: mint makes no {name}", path.display()));
            wanted = wanted.replace(&format!("{}: {held}", json!(name)), &format!("{}: {}", json!(name), json!(token)));
            count += 1;
        }
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(&path, &wanted).unwrap();
        } else {
            assert!(text == wanted, "{}: tokens differ; UPDATE=1 writes them", path.display());
        }
    }
    assert!(count > 90, "{count} tokens");
    let secret = std::fs::read(folder().join("accounts.secret")).unwrap();
    assert_eq!(secret.strip_suffix(b"\n"), Some(mint::SECRET));
}

const POLICY: &str = "[engine]\nname = \"Shop\"\nstate = \":memory:\"\nschemes = [\"basic\"]\n[identity]\nsubject = \"X-User\"\n\
[password]\nmemory_kib = 64\niterations = 1\n[[role]]\nname = \"clerk\"\n[[route]]\npath = \"/\"\n[[route]]\npath = \"/open\"\naccess = \"public\"\n";

/// Runs one file with these cases: exit code, JSON result, stderr.
fn run(file: &Value) -> (i32, Value, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.json");
    std::fs::write(&path, file.to_string()).unwrap();
    let output = gatepost(&["test", "--json"], &[path]);
    let result = serde_json::from_slice(&output.stdout).unwrap();
    (output.status.code().unwrap(), result, String::from_utf8(output.stderr).unwrap())
}

fn with_cases(cases: Value) -> Value {
    json!({
        "policy": POLICY,
        "state": { "users": [ { "name": "alice", "password": "correct horse battery staple", "roles": ["clerk"] } ] },
        "cases": cases,
    })
}

/// `alice` with her password.
const ALICE: &str = "Basic YWxpY2U6Y29ycmVjdCBob3JzZSBiYXR0ZXJ5IHN0YXBsZQ==";

#[test]
fn each_kind_of_wrong_expectation_fails_and_says_how() {
    let refused = json!({ "target": "/" });
    let allowed = json!({ "target": "/", "headers": [["Authorization", ALICE], ["X-User", "root"]] });
    let wrong = [
        (&refused, json!({ "status": 403 }), "status: wanted 403, got 401"),
        (&refused, json!({ "status": [400, 403] }), "status: wanted 400 or 403, got 401"),
        (&refused, json!({ "action": "ALLOW" }), "action: wanted ALLOW, got DENY"),
        (&refused, json!({ "reason": ["throttled"] }), "reason: wanted throttled, got credentials_missing"),
        (&refused, json!({ "subject": "alice" }), "subject: wanted \"alice\", got none"),
        (&allowed, json!({ "subject": null }), "subject: wanted none, got \"alice\""),
        (&refused, json!({ "scheme": "basic" }), "scheme: wanted basic, got none"),
        (&allowed, json!({ "scheme": null }), "scheme: wanted none, got basic"),
        (&refused, json!({ "headers": { "www-authenticate": null } }), "headers.www-authenticate: wanted none"),
        (&refused, json!({ "headers": { "WWW-Authenticate": "Basic" } }), "headers.WWW-Authenticate"),
        (&refused, json!({ "headers": { "WWW-Authenticate": { "contains": "Bearer" } } }), "contains \"Bearer\""),
        (&refused, json!({ "headers": { "WWW-Authenticate": { "matches": "^Bearer" } } }), "matches \"^Bearer\""),
        (&refused, json!({ "headers": { "WWW-Authenticate": [] } }), "exactly []"),
        (&refused, json!({ "headers": { "WWW-Authenticate": [{ "contains": "Basic" }, "x"] } }), "exactly"),
        (&refused, json!({ "headers": { "Set-Cookie": "x" } }), "headers.Set-Cookie: wanted \"x\", got none"),
        (&allowed, json!({ "upstream": { "X-User": "root" } }), "upstream.X-User: wanted \"root\", got \"alice\""),
        (&allowed, json!({ "upstream": { "X-User": null } }), "upstream.X-User: wanted none"),
        (&allowed, json!({ "strip": ["X-Other"] }), "strip: wanted \"X-Other\""),
        (&refused, json!({ "problem": { "status": 403 } }), "problem: wanted"),
        (&refused, json!({ "problem": { "nothing": 1 } }), "problem: wanted"),
        (&refused, json!({ "problem": null }), "problem: wanted none"),
        (&allowed, json!({ "problem": { "status": 200 } }), "no problem document"),
        (&refused, json!({ "body": null }), "body: wanted none"),
        (&refused, json!({ "body": "x" }), "body: wanted \"x\""),
        (&refused, json!({ "body": { "contains": "no such text" } }), "body: wanted"),
        (&allowed, json!({ "body": { "matches": "." } }), "body: wanted"),
    ];
    for (request, expect, told) in wrong {
        let file = with_cases(json!([{ "name": "wrong", "request": request, "expect": expect }]));
        let (code, result, _) = run(&file);
        assert_eq!(code, 3, "{expect}");
        assert_eq!((&result["passed"], &result["failed"]), (&json!(0), &json!(1)), "{expect}");
        let case = &result["cases"][0];
        assert_eq!((&case["name"], &case["passed"]), (&json!("wrong"), &json!(false)));
        let differs = case["differs"].as_array().unwrap();
        assert!(differs.len() == 1 && differs[0].as_str().unwrap().contains(told), "{expect}: {differs:?}");
        assert!(case["got"]["status"].is_number(), "{case}");
    }
}

#[test]
fn the_line_of_a_case_that_fails_tells_what_came() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.json");
    let file = with_cases(json!([
        { "name": "wrong", "request": { "target": "/" }, "expect": { "subject": "alice" } },
        { "name": "right", "request": { "target": "/" }, "expect": { "status": 401 } },
        { "do": "user.grant", "name": "nobody", "role": "clerk" },
    ]));
    std::fs::write(&path, file.to_string()).unwrap();
    let output = gatepost(&["test"], &[path]);
    let out = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<&str> = out.lines().collect();
    let [request, step, "1 passed, 2 failed"] = lines[..] else { panic!("{out}") };
    assert!(request.starts_with("FAIL ") && request.ends_with(" (came: DENY 401 credentials_missing)"), "{request}");
    assert!(step.starts_with("FAIL ") && !step.contains("came:"), "{step}");
}

#[test]
fn right_expectations_of_each_kind_pass() {
    let file = with_cases(json!([
        { "name": "refused", "request": { "target": "/" }, "expect": {
            "status": [401, 403], "action": ["DENY"], "reason": "credentials_missing", "subject": null, "scheme": null,
            "headers": { "www-authenticate": [{ "contains": "realm=\"Shop\"" }], "set-cookie": null,
                         "Cache-Control": { "matches": "no-store" } },
            "problem": { "status": 401, "reason": "credentials_missing" }, "body": { "contains": "credentials_missing" } },
          "save": { "reason": "json:reason", "challenge": "header:WWW-Authenticate" } },
        { "name": "allowed", "request": { "target": "/?${reason}", "headers": [["Authorization", ALICE], ["x_user", "root"]] },
          "expect": { "status": 200, "action": "ALLOW", "subject": "alice", "scheme": "basic",
                      "upstream": { "x-user": ["alice"], "x_user": null }, "strip": ["X-User", "x_user"], "body": null } },
        { "name": "what was saved is compared", "request": {}, "expect": { "headers": { "WWW-Authenticate": "${challenge}" } } },
        { "do": "user.add", "name": "named-${reason}", "roles": ["clerk"] },
        { "do": "user.show", "name": "named-credentials_missing" },
        { "do": "user.grant", "name": "nobody", "role": "clerk", "fails": { "contains": "nobody" } },
        { "do": "reload", "policy": "[engine]\nnonsense = 1\n", "fails": true },
    ]));
    let (code, result, err) = run(&file);
    assert_eq!((code, &result["passed"], err.as_str()), (0, &json!(7), ""), "{result:#}");
}

#[test]
fn steps_that_go_otherwise_than_expected_fail() {
    for (step, told) in [
        (json!({ "do": "user.grant", "name": "nobody", "role": "clerk" }), "wanted success"),
        (json!({ "do": "user.grant", "name": "alice", "role": "clerk", "fails": true }), "wanted a failure"),
        (json!({ "do": "user.grant", "name": "alice", "role": "ghost", "fails": { "contains": "xyz" } }), "xyz"),
        (json!({ "do": "reload", "policy": POLICY, "fails": true }), "wanted a failure"),
        (json!({ "do": "reload", "policy": "nowhere.toml" }), "wanted success"),
    ] {
        let (code, result, _) = run(&with_cases(json!([step])));
        assert_eq!(code, 3, "{step}");
        assert!(result["cases"][0]["differs"][0].as_str().unwrap().contains(told), "{step}: {result}");
    }
    let nothing_to_keep = json!([{ "name": "x", "request": {}, "expect": {}, "save": { "a": "cookie:none" } }]);
    assert_eq!(run(&with_cases(nothing_to_keep)).0, 3);
}

#[test]
fn typing_errors_never_make_a_check_vanish() {
    let one = |case: Value| with_cases(json!([case]));
    let expecting = |expect: Value| one(json!({ "name": "x", "request": {}, "expect": expect }));
    let mut outside = one(json!({ "name": "x", "request": {} }));
    outside["polciy"] = json!("x");
    let mut seed = one(json!({ "name": "x", "request": {} }));
    seed["state"]["users"][0]["role"] = json!("clerk");
    for (file, told) in [
        (outside, "\"polciy\""),
        (seed, "\"role\""),
        (one(json!({ "name": "x", "request": {}, "expct": {} })), "\"expct\""),
        (one(json!({ "name": "x", "request": { "traget": "/" } })), "\"traget\""),
        (one(json!({ "name": "x", "request": {}, "save": { "a": "cooky:b" } })), "cooky"),
        (one(json!({ "request": {} })), "\"name\""),
        (one(json!({ "name": "x" })), "\"request\""),
        (one(json!({ "name": "x", "at": "noon", "request": {} })), "noon"),
        (one(json!({ "name": "x", "request": { "target": "/${nothing}" } })), "nothing"),
        (one(json!({ "name": "x", "request": { "headers": [["a"]] } })), "pair"),
        (one(json!({ "do": "user.promote", "name": "alice" })), "user.promote"),
        (one(json!({ "do": "user.grant", "name": "alice", "role": "clerk", "fail": true })), "\"fail\""),
        (one(json!({ "do": "user.grant", "name": "${nobody}", "role": "clerk" })), "nobody"),
        (expecting(json!({ "staus": 401 })), "\"staus\""),
        (expecting(json!({ "status": "401" })), "401"),
        (expecting(json!({ "status": [] })), "empty"),
        (expecting(json!({ "reason": "credentials_mising" })), "credentials_mising"),
        (expecting(json!({ "action": "deny" })), "deny"),
        (expecting(json!({ "scheme": "digest" })), "digest"),
        (expecting(json!({ "headers": { "X": { "contain": "a" } } })), "\"contain\""),
        (expecting(json!({ "headers": { "X": { "matches": "(" } } })), "regular expression"),
        (expecting(json!({ "headers": ["X"] })), "object"),
        (expecting(json!({ "strip": "X" })), "list"),
        (with_cases(json!([])), "empty"),
        (json!({ "policy": POLICY }), "cases"),
        (json!({ "policy": POLICY, "policy_errors": [] }), "empty"),
        (json!({ "policy": "nowhere.toml", "cases": [{ "name": "x", "request": {} }] }), "nowhere.toml"),
        (json!({ "policy": "[engine]\nnonsense = 1\n", "cases": [{ "name": "x", "request": {} }] }), "nonsense"),
    ] {
        let (code, result, err) = run(&file);
        assert_eq!((code, &result["passed"]), (1, &json!(0)), "{file}: {err}");
        assert!(err.contains(told), "{told}: {err}");
    }
}

#[test]
fn policy_errors_are_compared_both_ways() {
    let broken = "[engine]\nnonsense = 1\n";
    let file = |policy: &str, wanted: Value| json!({ "policy": policy, "policy_errors": wanted });
    assert_eq!(run(&file(broken, json!(["nonsense"]))).0, 0);
    assert_eq!(run(&file(broken, json!(["nonsense", "something else"]))).0, 3);
    assert_eq!(run(&file(POLICY, json!(["."]))).0, 3, "a policy that loads has no errors");
}

#[test]
fn a_broken_file_does_not_hide_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let (broken, failing) = (folder.path().join("a.json"), folder.path().join("b.json"));
    std::fs::write(&broken, "{ \"policy\": 1, \"policy\": 2 }").unwrap();
    let case = json!([{ "name": "b", "request": {}, "expect": { "status": 200 } }]);
    std::fs::write(&failing, with_cases(case).to_string()).unwrap();
    let output = gatepost(&["test"], &[broken, failing]);
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(1));
    assert!(err.contains("a.json") && err.contains("occurs twice"), "{err}");
    assert!(
        out.contains("b.json: b") && out.contains("wanted 200, got 401") && out.ends_with("0 passed, 1 failed\n"),
        "{out}"
    );
}
