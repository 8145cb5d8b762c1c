//! Reload under load: each decision is made by one whole policy, memory stays flat, and what cannot be loaded leaves
//! the old policy in force and says why.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "clippy exempts the test functions themselves, not what they call"
)]

mod engine_support;

use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use engine_support::*;
use gatepost::decision::Decision;
use gatepost::engine::{Engine, Options, Progress};
use gatepost::error::ErrorKind;
use gatepost::policy::Policy;
use serde_json::json;

/// One at a time: they measure the process.
static ALONE: Mutex<()> = Mutex::new(());

const OTHER_SECRET: &str = "Zp3nR8wYc5Kt2MxD7vQb9LhG4sJfA6Ue";

/// A policy file that is replaced as an editor does it.
struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Place {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("alpha.key"), SECRET).unwrap();
        std::fs::write(folder.path().join("beta.key"), OTHER_SECRET).unwrap();
        Place { folder }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("gatepost.toml")
    }

    fn write(&self, text: &str) {
        let fresh = self.folder.path().join("fresh.toml");
        std::fs::write(&fresh, text).unwrap();
        std::fs::rename(fresh, self.path()).unwrap();
    }

    fn open(&self, text: &str) -> Engine {
        self.write(text);
        let (engine, _) = Engine::open(&self.path(), Options::default()).unwrap();
        engine.start().unwrap();
        engine
    }
}

/// Two policies that share nothing by which a decision could be told: realm, header, role, secret, and which of the two
/// routes is public. `bulk` more routes make a policy large enough to be missed where one is never freed.
fn whole(name: &str, bulk: usize) -> String {
    let (open, closed) = if name == "alpha" { ("two", "one") } else { ("one", "two") };
    let issuer = ISSUER.replace("secret.key", &format!("{name}.key"));
    let more: String = (0..bulk)
        .map(|i| format!("[[role]]\nname = \"{name}-{i}\"\npermissions = [\"{name}:{i}\"]\n[[route]]\npath = \"/bulk/{name}/{i}/{{id}}\"\nrequire = {{ permission = \"{name}:{i}\" }}\n"))
        .collect();
    format!(
        "[engine]\nname = \"{name}\"\nstate = \":memory:\"\nschemes = [\"bearer\"]\n[identity]\nsubject = \"X-{name}\"\n{issuer}\
         [[role]]\nname = \"{name}\"\npermissions = [\"{name}:read\"]\n[[route]]\npath = \"/{open}\"\naccess = \"public\"\n\
         [[route]]\npath = \"/{closed}\"\nrequire = {{ permission = \"{name}:read\" }}\n{more}"
    )
}

/// Everything about the decision is as the policy of its generation says, and nothing as the other one does.
fn assert_whole(decision: &Decision, target: &str, signed_by: Option<&str>) {
    let (name, closed) = if decision.generation % 2 == 1 { ("alpha", "/one") } else { ("beta", "/two") };
    let wanted = match (target == closed, signed_by) {
        (false, _) => "public",
        (true, None) => "credentials_missing",
        (true, Some(by)) if by == name => "allowed",
        (true, Some(_)) => "token_signature",
    };
    assert_eq!(decision.reason.name(), wanted, "{target} of generation {}", decision.generation);
    assert_eq!(*decision.strip, [format!("X-{name}")]);
    assert_eq!(upstream(decision, &format!("X-{name}")).as_deref(), (wanted == "allowed").then_some("x"));
    assert_eq!(decision.upstream().len(), usize::from(wanted == "allowed"));
    for challenge in fields(decision, "WWW-Authenticate") {
        assert!(challenge.starts_with(&format!("Bearer realm=\"{name}\"")), "{challenge}");
    }
    if wanted == "allowed" {
        assert_eq!(decision.identity.as_ref().unwrap().permissions, [format!("{name}:read")]);
    }
    assert_eq!(decision.route, Some(usize::from(target == closed)));
}

/// Resident memory of this process, bytes. Counted page by page: the quick number of statm may be off by 128 KiB for each
/// processor.
fn resident() -> usize {
    let all = std::fs::read_to_string("/proc/self/smaps_rollup").unwrap();
    let kib = all.lines().find_map(|line| line.strip_prefix("Rss:")).unwrap();
    kib.trim().trim_end_matches(" kB").parse::<usize>().unwrap() * 1024
}

/// How much 800 reloads may add, bytes. A policy of this test takes more than 40 KiB (its last part holds it to that),
/// so that 800 of them that were never freed would take four times as much.
const FLAT: usize = 8 * 1024 * 1024;

/// Until it is over, but not for ever.
fn on_and_on(is_over: impl Fn() -> bool, step: impl Fn()) {
    for _ in 0..100_000 {
        if is_over() {
            return;
        }
        step();
    }
}

#[test]
fn a_thousand_reloads_while_two_threads_decide() {
    let _alone = ALONE.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let place = Place::new();
    let texts = [whole("alpha", 40), whole("beta", 40)];
    let engine = place.open(&texts[0]);
    let (over, decided) = (AtomicBool::new(false), AtomicU64::new(0));
    let switched = [(); 2].map(|()| AtomicU64::new(0));
    let tokens = [
        (None, None),
        (Some("alpha"), Some(format!("Bearer {}", token("x", json!({"roles": ["alpha"]}), SECRET)))),
        (Some("beta"), Some(format!("Bearer {}", token("x", json!({"roles": ["beta"]}), OTHER_SECRET)))),
    ];
    std::thread::scope(|scope| {
        let deciding = switched.each_ref().map(|switched| {
            let (engine, over, decided, tokens) = (&engine, &over, &decided, &tokens);
            scope.spawn(move || {
                let mut last = 0;
                while !over.load(Ordering::Relaxed) {
                    for target in ["/one", "/two"] {
                        for (by, value) in tokens {
                            let ask = value.iter().fold(get(target), |ask, value| ask.authorization(value));
                            let decision = ask.to(engine);
                            assert_whole(&decision, target, *by);
                            assert!(decision.generation >= last, "a policy came back");
                            switched.fetch_add(u64::from(decision.generation != last), Ordering::Relaxed);
                            last = decision.generation;
                            decided.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                }
            })
        });
        let reload = |count: u64| {
            for _ in 0..count {
                let next = engine.generation() + 1;
                place.write(&texts[usize::from(next.is_multiple_of(2))]);
                engine.reload().unwrap();
                assert_eq!(engine.generation(), next);
            }
        };
        reload(200);
        let before = resident();
        reload(800);
        let after = resident();
        assert_eq!(engine.generation(), 1_001);
        // A thread that had no processor for a while sees more of them.
        let seen = || switched.iter().all(|switched| switched.load(Ordering::Relaxed) > 100);
        on_and_on(|| seen() || deciding.iter().any(|thread| thread.is_finished()), || reload(1));
        over.store(true, Ordering::Relaxed);
        deciding.into_iter().for_each(|thread| thread.join().unwrap());
        assert!(seen(), "a thread hardly saw a reload");
        assert!(after < before + FLAT, "{before} bytes before, {after} bytes after 800 reloads");
        println!("resident: {before} bytes after 200 reloads, {after} bytes after 1,000");
    });
    let decided = decided.into_inner();
    println!("{decided} decisions");

    // The measure sees what is kept: a quarter as many policies, held on to, already break the bound.
    let before = resident();
    let kept: Vec<std::sync::Arc<Policy>> = (0..200).map(|_| (engine.reload().unwrap(), engine.policy()).1).collect();
    let grown = resident().saturating_sub(before);
    assert!(grown > FLAT, "{} policies took {grown} bytes: the bound is blind", kept.len());
}

#[test]
fn a_decision_under_way_is_finished_by_the_policy_and_the_state_that_it_began_with() {
    let _alone = ALONE.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let place = Place::new();
    let policy = |name: &str, more: &str| {
        format!(
            "[engine]\nname = \"{name}\"\nstate = \"{name}.db\"\nschemes = [\"basic\"]\n{CHEAP}[identity]\nsubject = \"X-{name}\"\n\
             [[role]]\nname = \"clerk\"\npermissions = [\"{name}:read\"]\n[[route]]\npath = \"/a\"\n{more}"
        )
    };
    let old = policy("old", "require = { permission = \"old:read\" }");
    let engine = place.open(&old);
    add_user(&engine, "alice", &["clerk"]);
    let begun = get("/a").login("alice").begin(&engine);
    let ran = get("/a").login("alice").peer("203.0.113.1").begin(&engine);
    let changed = get("/a").login("alice").peer("203.0.113.2").begin(&engine);
    ran.run();
    changed.run();
    with_admin(&engine, |admin| admin.set_disabled("nobody-else", true)).unwrap_err();
    add_user(&engine, "bob", &[]);
    place.write(&policy("new", "access = \"public\""));
    engine.reload().unwrap();
    assert_eq!((get("/a").reason(&engine), engine.generation()), ("public", 2));
    assert!(with_admin(&engine, |admin| admin.users()).unwrap().is_empty(), "the new state");
    for job in [begun, ran, changed] {
        let decision = finish(job);
        assert_eq!((decision.reason.name(), decision.generation), ("allowed", 1));
        assert_eq!(
            (&*decision.strip, upstream(&decision, "X-old").as_deref()),
            (&["X-old".to_owned()][..], Some("alice"))
        );
    }
    // And back: the old state still has what it had.
    place.write(&old);
    engine.reload().unwrap();
    assert_eq!((get("/a").login("alice").reason(&engine), engine.generation()), ("allowed", 3));
}

#[test]
fn no_decision_has_the_policy_of_one_reload_and_the_state_of_another() {
    let _alone = ALONE.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let place = Place::new();
    let policy = |name: &str| {
        format!(
            "[engine]\nname = \"{name}\"\nstate = \"{name}.db\"\nschemes = [\"api-key\"]\n{CHEAP}[throttle]\n\
             address = false\nprefix = false\n[[role]]\nname = \"{name}\"\n\
             [[route]]\npath = \"/a\"\nrequire = {{ role = \"{name}\" }}\n"
        )
    };
    let texts = [policy("alpha"), policy("beta")];
    let engine = place.open(&texts[1]);
    add_user(&engine, "alice", &["beta"]);
    let beta = add_key(&engine, "alice", &[], None).1;
    place.write(&texts[0]);
    engine.reload().unwrap();
    add_user(&engine, "alice", &["alpha"]);
    let alpha = add_key(&engine, "alice", &[], None).1;
    let over = AtomicBool::new(false);
    let seen = [(); 2].map(|()| [(); 2].map(|()| AtomicU64::new(0)));
    std::thread::scope(|scope| {
        let threads = seen.each_ref().map(|seen| {
            let (engine, over, alpha, beta) = (&engine, &over, &alpha, &beta);
            scope.spawn(move || {
                while !over.load(Ordering::Relaxed) {
                    for (key, own) in [(alpha, 0), (beta, 1)] {
                        let decision = get("/a").header("X-API-Key", key).to(engine);
                        let now = (decision.generation % 2) as usize;
                        let wanted = if now == own { "allowed" } else { "api_key_unknown" };
                        assert_eq!(decision.reason.name(), wanted, "generation {}", decision.generation);
                        seen[now].fetch_add(1, Ordering::Relaxed);
                    }
                }
            })
        });
        let reload = || {
            let next = engine.generation() + 1;
            place.write(&texts[(next % 2) as usize]);
            engine.reload().unwrap();
        };
        (0..150).for_each(|_| reload());
        // As above.
        let all_seen = || seen.iter().flatten().all(|seen| seen.load(Ordering::Relaxed) > 5);
        on_and_on(|| all_seen() || threads.iter().any(|thread| thread.is_finished()), reload);
        over.store(true, Ordering::Relaxed);
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert!(all_seen(), "a thread saw one of them only");
    });
}

#[test]
fn what_cannot_be_loaded_leaves_the_old_policy_in_force_and_says_why() {
    let _alone = ALONE.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let place = Place::new();
    let good = whole("alpha", 0);
    let engine = place.open(&good);
    let line_of = |text: &str, part: &str| text.lines().position(|line| line.contains(part)).unwrap() as u32 + 1;
    let broken = [
        (good.replace("[identity]", "[identify]"), "[identify]", "identify"),
        (good.replace("access = \"public\"", "access = \"publik\""), "publik", "public"),
        (good.replace("alpha.key", "missing.key"), "missing.key", "missing.key"),
        (good.replace("schemes = [\"bearer\"]", "schemes = [\"bearer\""), "schemes", "TOML"),
        (format!("{good}[[route]]\npath = \"/one\"\naccess = \"public\"\n"), "", "ties"),
    ];
    for (text, part, said) in &broken {
        place.write(text);
        let error = engine.reload().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Policy);
        assert!(error.message().contains(said), "{said}: {error}");
        assert_eq!(error.file(), Some(place.path().as_path()));
        assert!(error.line() > 0 && error.column() > 0, "{error:?}");
        if !part.is_empty() && *said != "TOML" {
            assert_eq!(error.line(), line_of(text, part), "{error}");
        }
        assert_eq!(engine.generation(), 1);
        assert_whole(&get("/one").to(&engine), "/one", None);
    }
    std::fs::remove_file(place.path()).unwrap();
    assert_eq!(engine.reload().unwrap_err().kind(), ErrorKind::Policy);
    // A state that cannot be opened is found before anything is swapped.
    place.write(&good.replace(":memory:", "no-such-folder/gatepost.db"));
    let error = engine.reload().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::State, "{error}");
    assert_eq!(engine.generation(), 1);
    assert_whole(&get("/one").to(&engine), "/one", None);
    place.write(&whole("beta", 0));
    engine.reload().unwrap();
    assert_eq!(engine.generation(), 2);
    assert_whole(&get("/one").to(&engine), "/one", None);
    let without_file = Engine::new(load(&whole("alpha", 0).replace("alpha.key", "secret.key")), Options::default());
    assert_eq!(without_file.reload().unwrap_err().kind(), ErrorKind::Input);
}

#[test]
fn reloads_at_once_are_all_counted_and_none_goes_back() {
    let _alone = ALONE.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let place = Place::new();
    let engine = place.open(&whole("alpha", 0));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut last = 0;
                for _ in 0..50 {
                    engine.reload().unwrap();
                    let now = engine.generation();
                    assert!(now > last, "{now} after {last}");
                    last = now;
                }
            });
        }
    });
    assert_eq!(engine.generation(), 201);
}

#[test]
fn counters_and_users_in_memory_outlive_a_reload_and_another_state_has_its_own() {
    let _alone = ALONE.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let place = Place::new();
    let text = |more: &str| {
        format!(
            "[engine]\nstate = \":memory:\"\nschemes = [\"basic\"]\n{CHEAP}[throttle]\naccount = {{ failures = 1, per = \"15m\" }}\n\
             [[route]]\npath = \"/a\"\n{more}"
        )
    };
    let engine = place.open(&text(""));
    add_user(&engine, "alice", &[]);
    assert_eq!(get("/a").authorization(basic("alice", "wrong")).reason(&engine), "credentials_invalid");
    place.write(&text("[[route]]\npath = \"/b\"\n"));
    engine.reload().unwrap();
    assert_eq!(get("/b").login("alice").peer("203.0.113.1").reason(&engine), "throttled");
    let held = get("/a").login("alice").with(|request| engine.begin(request)).unwrap();
    assert!(matches!(held, Progress::Done(decision) if decision.reason.name() == "throttled"));
    place.write(&text("").replace(":memory:", "other.db"));
    let beside = place.open(&text("").replace(":memory:", "other.db"));
    assert_eq!(get("/a").authorization(basic("alice", "wrong")).reason(&engine), "throttled");
    engine.reload().unwrap();
    assert_eq!(get("/a").authorization(basic("alice", "wrong")).reason(&engine), "credentials_invalid");
    assert_eq!(get("/a").authorization(basic("alice", "wrong")).reason(&beside), "throttled");
}
