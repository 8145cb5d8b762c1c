//! Whoever fails has cost the same, in operations and not by a clock.

use std::collections::BTreeMap;

use super::meter::metered;
use super::{EACH, PASSWORD};
use crate::crypto::password::{self, Checked, Cost, Plan, RightEnds, Sent, Work};

const CHEAP: Cost = Cost { memory_kib: 64, iterations: 1, parallelism: 1 };

fn works(hashes: &[&str]) -> Vec<Work> {
    hashes.iter().map(|stored| password::work(stored).unwrap()).collect()
}

/// What an attempt does.
fn done(plan: &Plan, sent: &str, stored: Option<&str>, ends: RightEnds) -> (Checked, BTreeMap<(Work, Vec<u8>), u64>) {
    let (checked, done) = metered(|| plan.check(&Sent::new(sent.as_bytes()), stored, &|| ends));
    (checked.unwrap(), done)
}

/// An unknown name, an account without a password and wrong passwords of all kinds do the same work; and one that
/// is right does not pass for nothing where it must not be told.
fn all_equal(hashes: &[&str]) {
    let plan = Plan::new(CHEAP, &works(hashes));
    for sent in ["wrong", "wro\u{308}ng", "", &"x".repeat(2000), "\u{200b}"] {
        let (checked, unknown) = done(&plan, sent, None, RightEnds::All);
        assert_eq!(checked, Checked::Wrong);
        assert!(!unknown.is_empty());
        for stored in hashes.iter().chain(&["unreadable", "$2y$31$", "é", ""]) {
            let (checked, known) = done(&plan, sent, Some(stored), RightEnds::All);
            assert_eq!(checked, Checked::Wrong);
            assert_eq!(known, unknown, "{stored} with {sent:?}");
        }
    }
    for stored in hashes {
        let (_, unknown) = done(&plan, PASSWORD, None, RightEnds::All);
        let (checked, disabled) = done(&plan, PASSWORD, Some(stored), RightEnds::Nothing);
        assert_eq!(disabled, unknown, "a disabled account, {stored}");
        assert_eq!(checked, Checked::Right);
        let (checked, right) = done(&plan, PASSWORD, Some(stored), RightEnds::All);
        assert_eq!(checked, Checked::Right);
        assert_eq!(right.values().copied().collect::<Vec<_>>(), [u64::from(password::work(stored).unwrap().amount())]);
    }
}

#[test]
fn cve_2026_32595_an_unknown_account_costs_what_a_wrong_password_costs() {
    all_equal(&[]);
    all_equal(&[EACH[4].1]);
}

#[test]
fn cve_2026_41263_the_cost_is_equal_where_hashes_of_every_form_are_mixed() {
    all_equal(&EACH.map(|(_, stored)| stored));
    for (_, stored) in EACH {
        all_equal(&[stored]);
    }
}

#[test]
fn the_cost_is_equal_where_hashes_of_one_form_cost_differently() {
    let bcrypt = |cost: u32| bcrypt::hash_with_salt(PASSWORD, cost, [1; 16]).unwrap().to_string();
    let hashes = [bcrypt(4), bcrypt(5), bcrypt(8)];
    all_equal(&hashes.each_ref().map(String::as_str));
    let pbkdf2 = [
        "$pbkdf2-sha256$10$8T7n3Lt3zlmLMeack9L6nw$DJaN3MJZCAq.uRfBPu12a1XWs8NZhVN/nS7beSOZSJg",
        "pbkdf2_sha256$10$fXCzJBLfs9qDF1cfB35Xgr$jDTeSsLz+K6WukpKZ/K23TMamRDrKC3aKdk8+e92qFQ=",
    ];
    all_equal(&pbkdf2);
    let dearer = Work::parse("pbkdf2-sha256 1 1000").unwrap();
    let plan = Plan::new(CHEAP, &[works(&pbkdf2), vec![dearer]].concat());
    let (_, unknown) = done(&plan, "wrong", None, RightEnds::All);
    let (_, known) = done(&plan, "wrong", Some(pbkdf2[0]), RightEnds::All);
    assert_eq!(known, unknown);
    assert_eq!(unknown.values().max(), Some(&1001), "the dearest, and not the sum of all");
    let sha = EACH.iter().find(|(maker, _)| *maker == "passlib sha512_crypt").unwrap().1;
    let plan = Plan::new(CHEAP, &[works(&[sha]), vec![Work::parse("sha512-crypt 16 5000").unwrap()]].concat());
    let (_, unknown) = done(&plan, "wrong", None, RightEnds::All);
    assert_eq!(done(&plan, "wrong", Some(sha), RightEnds::All).1, unknown);
    assert_eq!(unknown.values().max(), Some(&6000));
}

#[test]
fn a_hash_that_came_since_the_plan_was_made_is_checked_all_the_same() {
    let plan = Plan::new(CHEAP, &[]);
    for (maker, stored) in EACH {
        assert_eq!(done(&plan, PASSWORD, Some(stored), RightEnds::All).0, Checked::Right, "{maker}");
        assert_eq!(done(&plan, "wrong", Some(stored), RightEnds::All).0, Checked::Wrong, "{maker}");
    }
}

#[test]
fn what_does_not_fit_under_the_ceiling_is_left_out_for_everybody() {
    let huge = Work::parse("scrypt 20 7 1").unwrap();
    let plan = Plan::new(CHEAP, &[huge]);
    assert_eq!(plan, Plan::new(CHEAP, &[]));
    let stored = "$scrypt$ln=20,r=7,p=1$MAYgpFQqxdj733sPAUCI8Q$QN1HynHuabdEI4DgCTwY4m2kfwcmtEod8Rw1moUmgsc";
    let (_, unknown) = done(&plan, "wrong", None, RightEnds::All);
    assert_eq!(done(&plan, "wrong", Some(stored), RightEnds::All), (Checked::Wrong, unknown));
    let why = format!("{:?}", plan.takes(stored).unwrap_err());
    assert!(why.contains("raise the ceiling"), "{why}");
    assert_eq!(plan.takes(EACH[0].1), Ok(()));
}

#[test]
fn the_meter_sees_work_that_is_left_out() {
    let plan = Plan::new(CHEAP, &works(&[EACH[2].1]));
    let (_, right) = done(&plan, PASSWORD, Some(EACH[2].1), RightEnds::All);
    assert_ne!(right, done(&plan, PASSWORD, None, RightEnds::All).1);
}
