//! `gatepost test --through`: what it makes of programs that answer well, wrongly, in part, or not at all. Programs that
//! use a binding are run by tests/bindings.
#![allow(clippy::unwrap_used, reason = "clippy exempts the test functions themselves, not what they call")]

mod command;

use command::{Ran, run_in};

const CASES: &str = r#"{
  "policy": "[engine]\nschemes = [\"basic\"]\n[[route]]\npath = \"/in\"\n[[route]]\npath = \"/open\"\naccess = \"public\"\n",
  "cases": [
    { "name": "nobody", "at": "2026-11-23T12:00:00Z", "request": { "target": "/in" },
      "expect": { "status": 401, "action": "DENY", "reason": "credentials_missing", "subject": null,
                  "headers": { "WWW-Authenticate": { "contains": "Basic" } } } },
    { "name": "anybody", "request": { "target": "/open", "headers": [["X-Auth-Subject", "root"]] },
      "expect": { "status": 200, "action": "ALLOW", "upstream": { "X-Auth-Subject": null } } }
  ]
}"#;

const NOBODY: &str =
    "action DENY\nstatus 401\nreason credentials_missing\nresponse append WWW-Authenticate Basic%20realm=x";
const ANYBODY: &str = "action ALLOW\nstatus 200\nreason public\nstrip X-Auth-Subject";

/// Runs the cases through a program that says `first`, and then each answer in turn; with what the program was asked.
fn through(first: &str, answers: &[&str], cases: &str) -> (Ran, String) {
    let folder = tempfile::tempdir().unwrap();
    let asked = folder.path().join("asked");
    let says = |text: &str| match text {
        "gone" => "exit 0\n".to_owned(),
        text => format!("cat <<'THIS'\n{text}\nend\nTHIS\n"),
    };
    let hears = format!(
        "while read -r line; do printf '%s\\n' \"$line\" >>'{}'; [ \"$line\" = end ] && break; done\n",
        asked.display()
    );
    let mut script = format!("#!/bin/sh\n{}", says(first));
    if first.starts_with("error") {
        script.push_str("exit 1\n");
    }
    for answer in answers {
        script.push_str(&hears);
        script.push_str(&says(answer));
    }
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("program", &script);
    write("cases.json", cases);
    let program = folder.path().join("program");
    let command = format!("sh '{}'", program.display());
    let ran = run_in(folder.path(), &["test", "--through", &command, "cases.json"], "");
    (ran, std::fs::read_to_string(asked).unwrap_or_default())
}

#[test]
fn a_program_that_answers_as_expected_passes() {
    let (ran, asked) = through("ready", &[NOBODY, ANYBODY], CASES);
    ran.exits(0).says("2 passed, 0 failed\n");
    let second = "decide\nat 1795435200\nmethod GET\ntarget /open\nhost localhost\npeer 192.0.2.1\nheader X-Auth-Subject root\nend\n";
    assert!(asked.contains("decide\nat 1795435200\nmethod GET\ntarget /in\n"), "{asked}");
    assert!(asked.ends_with(second), "{asked}");
}

#[test]
fn a_program_that_answers_otherwise_fails() {
    through("ready", &[NOBODY, "action ALLOW\nstatus 200\nreason public"], CASES)
        .0
        .exits(3)
        .says("upstream.X-Auth-Subject")
        .says("1 passed, 1 failed");
    through("ready", &["action ALLOW\nstatus 200\nreason allowed\nsubject x", ANYBODY], CASES)
        .0
        .exits(3)
        .says("action: wanted DENY, got ALLOW");
    through("ready", &[NOBODY, "error out%20of%20memory"], CASES)
        .0
        .exits(3)
        .says("no decision could be made: out of memory");
}

#[test]
fn a_program_that_does_not_keep_to_the_exchange_is_an_error() {
    through("hello", &[], CASES).0.exits(1).complains("an answer is wanted here");
    through("gone", &[], CASES).0.exits(1).complains("has ended in the middle");
    through("error no%20such%20file", &[], CASES).0.exits(1).complains("no such file");
    through("ready", &[NOBODY, "wisdom 42"], CASES).0.exits(3).says("no line of an answer");
    through("ready", &[NOBODY, "gone"], CASES).0.exits(3).says("has ended in the middle");
}

#[test]
fn a_program_that_hangs_or_babbles_is_ended() {
    let ended = |program: &str, patience: &str, told: &str| {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write("cases.json", CASES);
        write("program", &format!("echo $$ >pid\n{program}\n"));
        let ran = run_in(folder.path(), &["test", "--through", "sh program", "--patience", patience, "cases.json"], "");
        let all = format!("{}{}", ran.out, ran.err);
        assert!(ran.code != 0 && all.contains(told), "{program}: {all}");
        // Without a word of it, the shell itself was ended before it came so far.
        let pid = std::fs::read_to_string(folder.path().join("pid")).unwrap_or_default();
        let runs = !pid.trim().is_empty() && std::path::Path::new(&format!("/proc/{}", pid.trim())).exists();
        assert!(!runs, "{program}: it goes on");
    };
    std::thread::scope(|scope| {
        // What is about their words and not about time has plenty of it: there are slow machines.
        for (program, patience, told) in [
            ("exec sleep 600", "1", "nothing for 1 seconds"),
            ("echo ready; echo end; exec sleep 600", "1", "nothing for 1 seconds"),
            ("echo error such%20a%20pity; echo end; exec sleep 600", "300", "such a pity"),
            ("exec yes", "300", "more than 10000 lines in one turn"),
            ("head -c 40000000 /dev/zero | tr '\\0' a; exec sleep 600", "300", "a line of more than 16777216 octets"),
        ] {
            scope.spawn(move || ended(program, patience, told));
        }
    });
    let folder = tempfile::tempdir().unwrap();
    run_in(folder.path(), &["test", "--patience", "1", "cases.json"], "").exits(1).complains("--through");
}

#[test]
fn a_server_shows_less_and_only_that_is_compared() {
    let seen = "status 401\nunseen action\nunseen reason\nunseen subject\nresponse set WWW-Authenticate Basic%20x";
    let received = "action ALLOW\nstatus 200\nunseen reason\nreceived Host localhost";
    through("ready", &[seen, received], CASES).0.exits(0).says("2 passed, 0 failed\n");
    // What is seen still counts.
    let leak = format!("{received}\nreceived x-auth-subject root");
    through("ready", &[seen, &leak], CASES).0.exits(3).says("upstream.X-Auth-Subject");
    // The server's own refusal is one where a refusal is expected, and only there.
    let own = "status 400\nserver";
    through("ready", &[own, received], CASES).0.exits(0);
    through("ready", &[seen, own], CASES).0.exits(3).says("of the server itself");
    through("ready", &["cannot two%20lines", received], CASES).0.exits(0).says("1 passed, 0 failed, 1 not tried");
}

#[test]
fn a_policy_that_does_not_load_must_not_load_there_either() {
    let wrong = r#"{ "policy": "[engine]\nunmatched = \"maybe\"\n", "policy_errors": ["unmatched"] }"#;
    through("error unmatched", &[], wrong).0.exits(0).says("1 passed, 0 failed");
    through("ready", &[], wrong).0.exits(3).says("took a policy that does not load");
    through("gone", &[], wrong).0.exits(3).says("has ended in the middle");
}

#[test]
fn a_reload_is_asked_of_the_program_too() {
    let reload = |fails: bool, policy: &str| {
        format!(
            r#"{{ "policy": "[[route]]\npath = \"/\"\naccess = \"public\"\n",
                 "cases": [ {{ "do": "reload", "policy": "{policy}", "fails": {fails} }} ] }}"#
        )
    };
    let good = r#"[[route]]\npath = \"/x\"\naccess = \"public\"\n"#;
    through("ready", &["ok"], &reload(false, good)).0.exits(0);
    through("ready", &["error no"], &reload(false, good)).0.exits(3).says("through the program, got: no");
    through("ready", &["error no"], &reload(true, r"[engine]\nwrong = 1\n")).0.exits(0);
    through("ready", &["ok"], &reload(true, r"[engine]\nwrong = 1\n")).0.exits(3).says("got: success");
}
