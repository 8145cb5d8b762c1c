//! `gatepost token revoke` and `revocations` through the binary: what is revoked there is refused by `decide` here.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "clippy exempts the test functions themselves, not what they call"
)]

mod command;
mod mint;

use command::{Ran, run_in};
use serde_json::{Value, json};

const AT: &str = "2026-11-23T12:00:00Z";
const POLICY: &str = "[engine]\nstate = \"state.db\"\nschemes = [\"bearer\"]\n[events]\nfile = \"events.jsonl\"\n\
    [[issuer]]\nname = \"accounts\"\nissuer = \"https://accounts.example.com\"\naudience = [\"orders\"]\n\
    algorithms = [\"HS256\"]\nkeys = { secret_file = \"accounts.secret\" }\n\
    [[issuer]]\nname = \"staff\"\nissuer = \"https://staff.example.com\"\naudience = [\"orders\"]\nusers = \"local\"\n\
    algorithms = [\"HS256\"]\nkeys = { secret_file = \"accounts.secret\" }\n[[route]]\npath = \"/\"\n";

struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Place {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("orders.toml"), POLICY).unwrap();
        std::fs::write(folder.path().join("accounts.secret"), mint::SECRET).unwrap();
        Place(folder)
    }

    fn run(&self, arguments: &[&str], stdin: &str) -> Ran {
        run_in(self.0.path(), &[arguments, &["--policy", "orders.toml"]].concat(), stdin)
    }

    fn reason(&self, token: &str) -> String {
        let arguments = ["decide", "orders.toml", "/", "--bearer", token, "--at", AT, "--json"];
        let ran = run_in(self.0.path(), &arguments, "");
        ran.json()["reason"].as_str().unwrap().to_owned()
    }

    fn events(&self) -> Vec<Value> {
        let lines = std::fs::read_to_string(self.0.path().join("events.jsonl")).unwrap();
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

fn minted(name: &str) -> String {
    mint::token(name).unwrap_or_else(|| panic!("{name}"))
}

#[test]
fn a_token_from_stdin_or_a_file_is_refused_from_then_on() {
    let place = Place::new();
    let (first, second) = (minted("first_of_session"), minted("without_jti"));
    assert_eq!((place.reason(&first).as_str(), place.reason(&second).as_str()), ("allowed", "allowed"));
    let ran = place.run(&["token", "revoke", "--token", "-"], &format!("{first}\n")).exits(0);
    let ran = ran.says("The token with jti a1 of https://accounts.example.com is revoked.");
    assert!(!ran.out.contains(&first));
    place.run(&["token", "revoke", "--token", "-"], &first).exits(0).says("is revoked already");
    std::fs::write(place.0.path().join("token.txt"), &second).unwrap();
    place.run(&["token", "revoke", "--token", "token.txt"], "").exits(0).says("The token of https://accounts");
    assert_eq!((place.reason(&first).as_str(), place.reason(&second).as_str()), ("token_revoked", "token_revoked"));
    // One that has expired is as good as revoked, and may be named all the same.
    place.run(&["token", "revoke", "--token", "-"], &minted("revoked_and_expired")).exits(0).says("jti h1");
    let events = place.events();
    assert_eq!(events.iter().map(|event| event["event"].as_str().unwrap()).collect::<Vec<_>>(), ["token_revoked"; 3]);
    assert_eq!(
        (&events[0]["issuer"], &events[0]["revoked_by"], &events[0]["token"]),
        (&json!("https://accounts.example.com"), &json!("jti"), &json!("a1"))
    );
    assert!(events[0]["by"].as_str().unwrap().starts_with("uid "));
    assert!(!events.iter().any(|event| event.to_string().contains(&first)));
}

#[test]
fn sessions_people_and_users_are_revoked_by_name_and_listed() {
    let place = Place::new();
    place.run(&["token", "revocations"], "").exits(0).says("No tokens are revoked.");
    let accounts = ["token", "revoke", "--issuer", "accounts"];
    let until = ["--sid", "s1", "--until", "9999-12-31T23:59:59Z"];
    place.run(&[&accounts[..], &until].concat(), "").exits(0).says("The tokens of session s1");
    let before = ["--subject", "u-18", "--before", AT];
    let ran = place.run(&[&accounts[..], &before].concat(), "").exits(0);
    ran.says(
        "The tokens of u-18 that were issued before 2026-11-23T12:00:00Z of https://accounts.example.com are revoked.",
    );
    let done = place.run(&["token", "revoke", "--user", "Alice", "--before", AT, "--json"], "").exits(0).json();
    assert_eq!(done["revoked"].as_array().unwrap().len(), 1);
    assert_eq!(
        (&done["revoked"][0]["value"], &done["revoked"][0]["issuer"], &done["revoked"][0]["new"]),
        (&json!("alice"), &json!("https://staff.example.com"), &json!(true))
    );
    for (token, reason) in [
        ("second_of_session", "token_revoked"),
        ("of_another_session", "allowed"),
        ("of_another_person", "token_revoked"),
        ("of_staff", "token_revoked"),
    ] {
        assert_eq!(place.reason(&minted(token)), reason, "{token}");
    }
    let listed = place.run(&["token", "revocations", "--json"], "").exits(0).json();
    let by: Vec<_> = listed.as_array().unwrap().iter().map(|one| (one["by"].clone(), one["value"].clone())).collect();
    assert_eq!(
        by,
        [(json!("subject"), json!("alice")), (json!("subject"), json!("u-18")), (json!("sid"), json!("s1"))]
    );
    assert_eq!((&listed[0]["before"], &listed[0]["kept_until"]), (&json!(AT), &Value::Null));
    place.run(&["token", "revocations", "--limit", "1"], "").exits(0).says("alice").complains("the newest 1");
}

#[test]
fn what_cannot_be_revoked_is_told_with_what_to_do() {
    let place = Place::new();
    let revoke = |arguments: &[&str], stdin: &str| place.run(&[&["token", "revoke"], arguments].concat(), stdin);
    revoke(&[], "").exits(1).complains("--token");
    revoke(&["--jti", "x"], "").exits(1).complains("--issuer");
    revoke(&["--issuer", "accounts", "--jti", "x", "--sid", "y"], "").exits(1).complains("cannot be used with");
    revoke(&["--issuer", "nobody", "--jti", "x"], "").exits(1).complains("it has accounts, staff");
    revoke(&["--issuer", "accounts", "--jti", "x", "--before", AT], "").exits(1).complains("`before` is for a subject");
    revoke(&["--issuer", "accounts", "--sid", "x", "--until", "2001-01-01T00:00:00Z"], "").exits(1).complains("passed");
    revoke(&["--user", "alice", "--before", "yesterday"], "").exits(1).complains("is not a time");
    revoke(&["--token", "-", "--until", "30d"], &minted("good")).exits(1).complains("leave out");
    revoke(&["--token", "-"], &minted("forged_with_jti")).exits(1).complains("token_signature");
    revoke(&["--token", "-"], "eyJ").exits(1).complains("token_malformed");
    revoke(&["--token", &minted("good")], "").exits(1).complains("not taken from an argument");
    place.run(&["token", "revocations"], "").exits(0).says("No tokens are revoked.");
}
