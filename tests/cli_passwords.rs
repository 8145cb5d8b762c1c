//! `gatepost passwords`, and the rules as `gatepost user` holds them.

#![allow(clippy::expect_used, reason = "clippy exempts the test functions themselves, not what they call")]

mod command;

use std::path::PathBuf;

use command::{Ran, run_in};
use serde_json::json;

const GOOD: &str = "mattress violin gravel";

struct Shop(tempfile::TempDir);

impl Shop {
    /// A folder with a policy, these lines under `[password]`.
    fn new(rules: &str) -> Shop {
        let shop = Shop(tempfile::tempdir().expect("a folder"));
        shop.write(
            "shop.toml",
            format!(
                "[engine]\nname = \"Orders\"\nstate = \"shop.db\"\n[password]\nmemory_kib = 64\niterations = 1\n{rules}\n\
                 [[route]]\npath = \"/\"\nhost = \"shop.example.com\"\nschemes = [\"basic\"]\n"
            ),
        );
        shop
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, bytes).expect("written");
        path
    }

    fn run(&self, arguments: &str, stdin: &str) -> Ran {
        run_in(self.0.path(), &arguments.split_whitespace().collect::<Vec<_>>(), stdin)
    }
}

#[test]
fn a_password_that_breaks_rules_is_told_all_of_them_and_one_that_keeps_them_is_told_so() {
    let shop = Shop::new("words = [\"acme\"]");
    let check = "passwords check --policy shop.toml";
    shop.run(check, GOOD).exits(0).says("The password keeps all rules.");
    shop.run(check, "acme1")
        .exits(3)
        .says("It has 5 characters and [password] min_length asks for 15")
        .says("\"acme\"");
    shop.run(check, "my example password").exits(3).says("It holds \"example\"");
    shop.run(check, "to whom Orders come").exits(3).says("\"orders\"").says("leave it out");
    shop.run(check, "passwordpassword").exits(3).says("one short piece over and over").says("several words");
    shop.run(check, &"é".repeat(513)).exits(3).says("has 1026 bytes, and up to 1,024 are taken");
    shop.run(check, &"x".repeat(5_000)).exits(1).complains("at most 1,024");
    shop.run(check, "").exits(1).complains("no password");
    shop.run("passwords check", GOOD).exits(1).complains("--policy");
    let told = shop.run(&format!("{check} --json"), "acme1").exits(3).json();
    assert_eq!(told["accepted"], false);
    let rules: Vec<_> = told["broken"].as_array().expect("a list").iter().map(|b| b["rule"].clone()).collect();
    assert_eq!(rules, [json!("min_length"), json!("words"), json!("common")]);
    assert_eq!(shop.run(&format!("{check} --json"), GOOD).exits(0).json(), json!({ "accepted": true, "broken": [] }));
    assert!(!shop.0.path().join("shop.db").exists(), "asking leaves no trace");
}

#[test]
fn the_same_rules_hold_when_a_user_is_added_and_when_a_password_is_set() {
    let shop = Shop::new("history = 2");
    let add = |password: &str| shop.run("user add margaret --policy shop.toml", password);
    let set = |password: &str| shop.run("user passwd margaret --policy shop.toml", password);
    let check = |password: &str| shop.run("passwords check --user Margaret --policy shop.toml", password);
    add("short").exits(1).complains("error: the password has 5 characters");
    add("qwertyuiopasdfgh").exits(1).complains("pieces that are tried first");
    add("going with Margaret").exits(1).complains("\"margaret\"");
    shop.run("user list --policy shop.toml", "").exits(0).says("no users");
    check("going with Margaret").exits(3).says("\"margaret\"");
    add(GOOD).exits(0);
    check(GOOD).exits(3).says("one of the last 2 of this user");
    set(GOOD).exits(1).complains("one of the last 2 of this user").complains("take another");
    set("going with Margaret").exits(1).complains("leave it out");
    set("feather pencil sandal").exits(0);
    check(GOOD).exits(3);
    set("copper window thistle").exits(0);
    check(GOOD).exits(0);
    set(GOOD).exits(0);
}

#[test]
fn a_filter_is_built_of_a_list_named_in_the_policy_and_refuses_what_is_in_it() {
    let shop = Shop::new("breached = \"breached.filter\"");
    shop.run("check shop.toml", "").exits(1).complains("breached.filter");
    shop.write("list.txt", "mattress violin gravel\nhunter2\n\nhunter2\nt\u{7}b\n");
    shop.run("passwords build-filter list.txt -o breached.filter", "")
        .exits(0)
        .says("2 passwords")
        .says("of 4 lines read as passwords, 1 repeat another line, 1 can be no password");
    shop.run("check --strict shop.toml", "").exits(2).complains("memory_kib");
    let check = "passwords check --policy shop.toml";
    shop.run(check, GOOD).exits(3).says("known from a breach").says("take another");
    shop.run(check, "feather pencil sandal").exits(0);
    shop.run("user add alice --policy shop.toml", GOOD).exits(1).complains("known from a breach");
}

#[test]
fn a_list_of_digests_is_read_from_stdin_and_seldom_ones_are_left_out() {
    let shop = Shop::new("breached = \"breached.filter\"");
    // SHA-1 of GOOD.
    let list = "DF0424AD6B5256FF1C7FA9FC973448EC9E1D3998:9\n";
    let told = shop.run("passwords build-filter - -o breached.filter --json", list).exits(0).json();
    assert_eq!((&told["entries"], &told["form"]), (&json!(1), &json!("sha1")));
    let none = "passwords build-filter - -o breached.filter --at-least 10";
    shop.run(none, list).exits(1).complains("holds no password");
    // The filter that was there is there still.
    let check = "passwords check --policy shop.toml";
    shop.run(check, GOOD).exits(3).says("known from a breach");
    shop.run(check, "feather pencil sandal").exits(0);
    let mixed = format!("{list}not a digest\n");
    shop.run("passwords build-filter - -o breached.filter", &mixed).exits(1).complains("line 2 is no SHA-1 digest");
    shop.run("passwords build-filter - -o breached.filter --form passwords", &mixed).exits(0).says("2 passwords");
    assert_eq!(std::fs::read_dir(shop.0.path()).expect("a folder").count(), 2, "nothing half-written is left");
}

#[test]
fn what_cannot_be_read_or_written_is_told_with_its_name() {
    let shop = Shop::new("breached = \"breached.filter\"");
    shop.run("passwords build-filter nowhere.txt -o breached.filter", "").exits(1).complains("nowhere.txt");
    shop.run("passwords build-filter - -o nowhere/breached.filter", "x\n")
        .exits(1)
        .complains("nowhere/breached.filter");
    shop.run("passwords build-filter .", "").exits(1).complains("--output");
    shop.run("passwords build-filter . -o breached.filter", "").exits(1).complains("error: .: ");
    shop.run("passwords build-filter /dev/zero -o breached.filter", "")
        .exits(1)
        .complains("error: /dev/zero: it is neither a file nor a pipe");
    shop.run("passwords build-filter - -o breached.filter", &"x".repeat(70_000))
        .exits(1)
        .complains("at line 1: it has more than 65,536 bytes");
    shop.run("passwords build-filter /dev/stdin -o piped.filter", "hunter2\n").exits(0).says("1 passwords");
    shop.write("breached.filter", b"SQLite format 3\0 and more of that, so that it is long enough for a header");
    shop.run("check shop.toml", "")
        .exits(1)
        .complains("shop.toml:7:12")
        .complains("it is no filter made by `gatepost passwords build-filter`");
    // 1.2 TB that take no place on the disk.
    let mut header = b"gatepost filter\n\x01\0\0\0".to_vec();
    header.resize(56, 0);
    header[48..].copy_from_slice(&600_000_000_000_u64.to_le_bytes());
    let sparse = std::fs::File::options().write(true).open(shop.write("breached.filter", header)).expect("opened");
    sparse.set_len(600_000_000_000 * 2 + 88).expect("a sparse file");
    shop.run("check shop.toml", "").exits(1).complains("shop.toml:7:12").complains("its parts do not fit together");
}
