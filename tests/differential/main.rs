//! Random tokens, good and mutated, before ours and four other libraries: PyJWT, joserfc, jose (npm) and jsonwebtoken.
//! Where we are stricter than all of them, or laxer than any, stands in `known.rs` by the class of the mutation, and why
//! in docs/CONFORMANCE.md; anything else fails. A difference that stands there and is not seen any more fails too.
//!
//! GATEPOST_DIFFERENTIAL_SEED asks with other tokens, GATEPOST_DIFFERENTIAL_TIMES with more of each class.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod keys;
mod known;
mod make;
mod oracles;
mod random;

use std::collections::BTreeSet;

use gatepost::policy::{self, Policy};
use gatepost::token::{self, Keyring, Trust};
use keys::Keys;
use make::{AUDIENCE, Case, LEEWAY};
use oracles::{Setup, Verdict};
use serde_json::{Value, json};

const SEED: u64 = 8;
const TIMES: u64 = 24;
const ISSUERS: [&str; 2] = ["secrets", "keys"];

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name} is {text:?}, no number")))
}

/// Our policy: two issuers with the keys that the others get.
fn policy(keys: &Keys) -> Policy {
    let folder = tempfile::tempdir().unwrap();
    let mut text = format!("[engine]\nleeway = \"{LEEWAY}s\"\n");
    for name in ISSUERS {
        let symmetric = name == "secrets";
        let set = json!({ "keys": keys.set(symmetric) }).to_string();
        std::fs::write(folder.path().join(format!("{name}.jwks")), set).unwrap();
        text += &format!(
            "[[issuer]]\nname = \"{name}\"\nissuer = \"{}\"\naudience = [\"{AUDIENCE}\"]\nalgorithms = {:?}\n\
             keys = {{ file = \"{name}.jwks\" }}\nrequire = [\"sub\"]\n\
             claims = {{ subject = \"sub\", roles = \"roles\", scopes = \"scope\" }}\n",
            make::url(name),
            algorithms(symmetric),
        );
    }
    policy::parse(&text, &folder.path().join("p.toml"), folder.path())
        .unwrap_or_else(|problems| panic!("{}", policy::diagnostic::render(&problems, &text, false)))
        .policy
}

fn algorithms(symmetric: bool) -> Vec<&'static str> {
    let ours = keys::ALGORITHMS.iter().filter(|algorithm| algorithm.is_symmetric() == symmetric);
    ours.map(|algorithm| algorithm.name()).collect()
}

fn ours(case: &Case, trust: &Trust<'_>, now: i64) -> Verdict {
    match token::verify(&case.token, trust, now) {
        Ok(verified) => Verdict::Accepts(serde_json::from_str(verified.claims.text()).unwrap()),
        Err(refused) => Verdict::Refuses(format!("{}: {}", refused.reason.name(), refused.detail)),
    }
}

/// Equal but for how numbers are written.
fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => one.as_f64() == other.as_f64(),
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            let equal = |(name, value): (&String, &Value)| other.get(name).is_some_and(|other| same(value, other));
            one.len() == other.len() && one.iter().all(equal)
        }
        _ => one == other,
    }
}

#[test]
fn we_differ_from_other_libraries_only_where_it_is_known() {
    let (seed, times) = (number("GATEPOST_DIFFERENTIAL_SEED", SEED), number("GATEPOST_DIFFERENTIAL_TIMES", TIMES));
    let keys = Keys::new();
    let policy = policy(&keys);
    // One of the libraries takes the time from the system.
    let now = gatepost::runtime::clock::now();
    let issuer = |name: &'static str| {
        let symmetric = name == "secrets";
        (name, make::url(name), algorithms(symmetric), keys.set(symmetric))
    };
    let setup = Setup { now, leeway: LEEWAY, audience: AUDIENCE, issuers: ISSUERS.map(issuer).to_vec() };
    let mut others = oracles::all(&setup);
    let ring = Keyring::new(&policy.issuers);
    let trust = Trust { issuers: &policy.issuers, keys: &ring, leeway: policy.leeway };

    let cases = make::all(&keys, now, seed, times as usize);
    println!("seed {seed}: {} tokens", cases.len());
    assert!(cases.len() >= 2_000 || times < TIMES, "only {} tokens", cases.len());
    let mut seen = BTreeSet::new();
    let mut unknown = Vec::new();
    let mut agreed = [0usize; 2];
    for case in &cases {
        let own = ours(case, &trust, now);
        let answers: Vec<(&'static str, Verdict)> =
            others.iter_mut().map(|other| (other.name(), other.ask(case))).collect();
        let silent = answers.iter().any(|(_, says)| matches!(says, Verdict::Silent));
        let found = differences(&own, &answers);
        if found.is_empty() {
            agreed[usize::from(matches!(own, Verdict::Accepts(_)))] += 1;
        }
        for difference in found {
            match case.classes.iter().find(|class| difference.is_known(class, silent)) {
                Some(class) => {
                    seen.insert((*class, difference));
                }
                None => unknown.push(format!(
                    "{difference:?} {:?} {}\n  ours: {own:?}\n  {}\n  {}",
                    case.classes,
                    case.algorithm.name(),
                    answers.iter().map(|(name, says)| format!("{name}: {says:?}")).collect::<Vec<_>>().join("\n  "),
                    case.token
                )),
            }
        }
        if case.classes.is_empty() {
            assert!(matches!(own, Verdict::Accepts(_)), "{own:?}");
        }
    }
    println!("as at least one other: {} refused; as all others: {} accepted", agreed[0], agreed[1]);
    let count = unknown.len();
    assert!(
        unknown.is_empty(),
        "seed {seed}, now {now}: {count} differences that are not known:\n{}",
        unknown.join("\n")
    );
    // Where one library cannot be asked is rare: no run has all of these.
    let rare = |class: &str| known::STRICTER_THAN_ALL_BUT_JSONWEBTOKEN.contains(&class);
    let gone: Vec<_> = known().filter(|known| !rare(known.0) && !seen.contains(known)).collect();
    assert!(times < TIMES || gone.is_empty(), "known.rs lists what is no difference any more: {gone:?}");
}

/// One that has to be explained.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Difference {
    StricterThanAll,
    LaxerThan(&'static str),
    OtherClaimsThan(&'static str),
}

impl Difference {
    fn is_known(&self, class: &str, silent: bool) -> bool {
        if !silent && known::STRICTER_THAN_ALL_BUT_JSONWEBTOKEN.contains(&class) {
            return false;
        }
        known().any(|(known, difference)| known == class && difference == *self)
    }
}

fn known() -> impl Iterator<Item = (&'static str, Difference)> {
    let stricter = [known::STRICTER_THAN_ALL, known::STRICTER_THAN_ALL_BUT_JSONWEBTOKEN].concat();
    let stricter = stricter.into_iter().map(|class| (class, Difference::StricterThanAll));
    let laxer = known::LAXER_THAN
        .iter()
        .flat_map(|(class, libraries)| libraries.iter().map(|library| (*class, Difference::LaxerThan(library))));
    stricter.chain(laxer)
}

fn differences(own: &Verdict, answers: &[(&'static str, Verdict)]) -> Vec<Difference> {
    let Verdict::Accepts(claims) = own else {
        let refused = answers.iter().any(|(_, says)| matches!(says, Verdict::Refuses(_)));
        return if refused { Vec::new() } else { vec![Difference::StricterThanAll] };
    };
    let difference = |(name, says): &(&'static str, Verdict)| match says {
        Verdict::Refuses(_) => Some(Difference::LaxerThan(name)),
        Verdict::Accepts(theirs) if !same(claims, theirs) => Some(Difference::OtherClaimsThan(name)),
        _ => None,
    };
    answers.iter().filter_map(difference).collect()
}

#[test]
fn what_has_to_be_explained_is_found() {
    let good = || Verdict::Accepts(json!({ "sub": "a", "exp": 7.0 }));
    let bad = || Verdict::Refuses(String::new());
    let answers = |one, other| [("a", one), ("b", other), ("c", Verdict::Silent)];
    assert_eq!(differences(&good(), &answers(good(), Verdict::Accepts(json!({ "exp": 7, "sub": "a" })))), []);
    assert_eq!(differences(&good(), &answers(good(), bad())), [Difference::LaxerThan("b")]);
    let others = Verdict::Accepts(json!({ "sub": "b", "exp": 7 }));
    assert_eq!(differences(&good(), &answers(others, good())), [Difference::OtherClaimsThan("a")]);
    assert_eq!(differences(&bad(), &answers(good(), good())), [Difference::StricterThanAll]);
    assert_eq!(differences(&bad(), &answers(bad(), good())), []);
}

#[test]
fn every_difference_is_explained_in_the_document() {
    let text = include_str!("../../docs/CONFORMANCE.md");
    let (_, section) = text.split_once("## Other libraries").unwrap();
    let rows: Vec<Vec<&str>> = section
        .lines()
        .take_while(|line| !line.starts_with("## "))
        .filter(|line| line.starts_with('|'))
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .collect();
    for (class, difference) in known() {
        let row = rows.iter().find(|row| row[0].split("; ").any(|named| named == class));
        let row = row.unwrap_or_else(|| panic!("docs/CONFORMANCE.md does not explain {class:?}"));
        match difference {
            Difference::LaxerThan(library) => assert!(row.len() == 3 && row[1].contains(library), "{class}: {row:?}"),
            _ => assert_eq!(row.len(), 2, "{class}: {row:?}"),
        }
    }
}
