//! Remembered passwords: what is remembered answers as if everything were verified afresh, in one process and in two,
//! and equal requests that come at once cost one hash.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "clippy exempts the test functions themselves, not what they call"
)]

mod engine_support;

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Barrier};

use engine_support::*;
use gatepost::admin::{Admin, NewUser};
use gatepost::engine::{Engine, Options, Progress};
use gatepost::policy::model::StateLocation;
use gatepost::reason::Reason;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

const OTHER: &str = "an altogether different phrase";

fn policy(remember: &str, password: &str, throttle: &str) -> String {
    format!(
        "[engine]\nname = \"R\"\nstate = \":memory:\"\nschemes = [\"basic\"]\n{CHEAP}remember = \"{remember}\"\n{password}\
         [throttle]\n{throttle}[identity]\nsubject = \"X-Auth-Subject\"\nroles = \"X-Auth-Roles\"\n[[role]]\nname = \"clerk\"\n\
         [[route]]\npath = \"/a\"\n[[route]]\npath = \"/clerk\"\nrequire = {{ role = \"clerk\" }}\n"
    )
}

const LOOSE: &str = "pair = { failures = 5, per = \"15m\" }\n";

fn start() -> Engine {
    let engine = engine(&policy("60s", "", LOOSE));
    add_user(&engine, "alice", &["clerk"]);
    add_user(&engine, "bob", &[]);
    engine
}

/// Decided at once, without a job.
fn at_once(engine: &Engine, ask: &Ask) -> bool {
    matches!(ask.with(|request| engine.begin(request)).unwrap(), Progress::Done(_))
}

fn hashes(engine: &Engine) -> u64 {
    engine.password_hashes().unwrap()
}

#[test]
fn a_verified_password_costs_one_hash_in_its_time_and_no_job() {
    let engine = start();
    let ask = get("/clerk").login("alice");
    assert!(!at_once(&engine, &ask), "nobody has verified it yet");
    assert_eq!(ask.reason(&engine), "allowed");
    for later in 0..60 {
        let ask = ask.clone().at(NOW + later);
        assert!(at_once(&engine, &ask), "{later}");
        assert_eq!(ask.reason(&engine), "allowed");
    }
    assert_eq!(hashes(&engine), 1);
    // Its time is counted from when it was verified: hits do not prolong it.
    assert!(!at_once(&engine, &ask.clone().at(NOW + 60)));
    assert_eq!(ask.at(NOW + 60).reason(&engine), "allowed");
    assert_eq!(hashes(&engine), 2);
    // In every spelling of the name; for no other password, and for nobody else.
    assert!(at_once(&engine, &get("/a").at(NOW + 61).login("ALICE")));
    assert!(!at_once(&engine, &get("/a").at(NOW + 61).authorization(basic("alice", OTHER))));
    assert!(!at_once(&engine, &get("/a").at(NOW + 61).login("bob")));
}

#[test]
fn zero_remembers_nothing() {
    let engine = engine(&policy("0s", "", LOOSE));
    add_user(&engine, "alice", &[]);
    for count in 1..4 {
        assert_eq!(get("/a").login("alice").reason(&engine), "allowed");
        assert_eq!(hashes(&engine), count);
    }
}

#[test]
fn a_change_of_the_account_ends_it_and_a_change_elsewhere_costs_no_hash() {
    type Change = fn(&Admin<'_>);
    let changes: [(&str, Change, bool); 7] = [
        ("nothing", |_| (), true),
        ("bob is disabled", |admin| _ = admin.set_disabled("bob", true).unwrap(), true),
        ("a role is revoked", |admin| _ = admin.revoke("alice", "clerk").unwrap(), false),
        ("she is disabled", |admin| _ = admin.set_disabled("alice", true).unwrap(), false),
        ("another password is set", |admin| _ = admin.set_password("alice", OTHER).unwrap(), false),
        ("the same password is set anew", |admin| _ = admin.set_password("alice", PASSWORD).unwrap(), false),
        ("she is removed", |admin| _ = admin.remove_user("alice").unwrap(), false),
    ];
    for (what, change, held) in changes {
        let engine = start();
        let ask = get("/a").login("alice");
        assert_eq!(ask.reason(&engine), "allowed");
        with_admin(&engine, change);
        ask.reason(&engine);
        assert_eq!(hashes(&engine), if held { 1 } else { 2 }, "{what}");
    }
}

#[test]
fn rights_are_never_remembered() {
    let engine = start();
    let ask = get("/clerk").login("alice");
    for _ in 0..3 {
        for wanted in ["allowed"; 2] {
            assert_eq!(ask.reason(&engine), wanted);
        }
        with_admin(&engine, |admin| admin.revoke("alice", "clerk")).unwrap();
        assert_eq!([(); 2].map(|()| ask.reason(&engine)), ["role_missing"; 2]);
        with_admin(&engine, |admin| admin.grant("alice", "clerk")).unwrap();
    }
}

#[test]
fn a_full_counter_is_the_answer_to_a_remembered_password_too() {
    let engine = start();
    let ask = get("/a").login("alice");
    assert_eq!(ask.reason(&engine), "allowed");
    for _ in 0..5 {
        assert_eq!(get("/a").authorization(basic("alice", OTHER)).reason(&engine), "credentials_invalid");
    }
    assert_eq!(ask.reason(&engine), "throttled");
    assert_eq!(ask.peer("198.51.100.1").reason(&engine), "allowed", "from elsewhere nobody failed");
}

#[test]
fn a_disabled_account_counts_its_right_password_as_a_failure_also_where_it_was_remembered() {
    let engine = start();
    let ask = get("/a").login("alice");
    assert_eq!(ask.reason(&engine), "allowed");
    with_admin(&engine, |admin| admin.set_disabled("alice", true)).unwrap();
    let reasons: Vec<_> = (0..7).map(|_| ask.reason(&engine)).collect();
    assert_eq!(reasons, [["account_disabled"; 5].as_slice(), &["throttled"; 2]].concat());
}

#[test]
fn what_is_looked_at_without_a_trace_is_not_remembered() {
    let options = Options { read_only: true, ..Options::default() };
    let engine = engine_with(&policy("60s", "", LOOSE), options);
    add_user(&engine, "alice", &[]);
    for _ in 0..2 {
        assert!(!at_once(&engine, &get("/a").login("alice")));
        assert_eq!(get("/a").login("alice").reason(&engine), "allowed");
    }
    assert_eq!(hashes(&engine), 2);
}

/// What a hundred threads that ask at the same moment are told.
fn a_hundred(engine: &Engine, ask: &Ask) -> Vec<Reason> {
    let together = Barrier::new(100);
    std::thread::scope(|scope| {
        let one = || {
            together.wait();
            ask.to(engine).reason
        };
        let threads: Vec<_> = (0..100).map(|_| scope.spawn(one)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

#[test]
fn a_hundred_equal_requests_at_once_cost_one_hash() {
    // Five failures would fill the counter: their own twins must not keep anybody out.
    let engine = start();
    let reasons = a_hundred(&engine, &get("/a").login("alice"));
    assert!(reasons.iter().all(|reason| *reason == Reason::Allowed), "{reasons:?}");
    assert_eq!(hashes(&engine), 1);
    // Nothing is left in the counters.
    let guesses = (0..6).map(|i| get("/a").authorization(basic("alice", &format!("guess {i}"))).reason(&engine));
    assert_eq!(guesses.filter(|reason| *reason == "credentials_invalid").count(), 5);
}

#[test]
fn cve_2019_5421_a_wrong_password_a_hundred_times_at_once_is_no_more_than_the_limit_allows() {
    for name in ["alice", "nobody"] {
        let engine = start();
        let reasons = a_hundred(&engine, &get("/a").authorization(basic(name, "wrong")));
        let count = |wanted| reasons.iter().filter(|reason| **reason == wanted).count();
        assert_eq!((count(Reason::CredentialsInvalid), count(Reason::Throttled)), (5, 95), "{name}");
        assert!((1..=5).contains(&hashes(&engine)), "{name}: {}", hashes(&engine));
        assert_eq!(get("/a").login(name).reason(&engine), "throttled", "{name}");
    }
}

#[test]
fn hits_and_changes_in_several_threads_never_let_in_who_was_shut_out() {
    let engine = start();
    let ask = get("/a").login("alice");
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let asking: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    while !stop.load(Ordering::Relaxed) {
                        ask.reason(&engine);
                    }
                })
            })
            .collect();
        for _ in 0..100 {
            with_admin(&engine, |admin| admin.set_disabled("alice", true)).unwrap();
            // Acknowledged: from here on nobody may come in.
            let reason = ask.reason(&engine);
            assert!(["account_disabled", "throttled"].contains(&reason), "{reason}");
            with_admin(&engine, |admin| admin.set_disabled("alice", false)).unwrap();
        }
        stop.store(true, Ordering::Relaxed);
        asking.into_iter().for_each(|thread| thread.join().unwrap());
    });
}

/// One thing that happens, in a world that remembers and in one that does not.
#[derive(Clone, Debug)]
enum Event {
    /// Somebody asks one of the two engines.
    Ask {
        engine: usize,
        user: usize,
        password: usize,
        peer: usize,
        clerk: bool,
        spelled: bool,
    },
    /// The clock moves, also back.
    Clock(i64),
    Set {
        engine: usize,
        user: usize,
        password: usize,
    },
    Disable {
        engine: usize,
        user: usize,
        disabled: bool,
    },
    Role {
        engine: usize,
        user: usize,
        granted: bool,
    },
    Remove {
        engine: usize,
        user: usize,
    },
    Add {
        engine: usize,
        user: usize,
    },
    Reload {
        engine: usize,
        which: usize,
    },
    Housekeeping {
        engine: usize,
    },
}

const USERS: [&str; 2] = ["alice", "al"];
/// The second is a name's end and a password: `al` + `ice:…`.
const PASSWORDS: [&str; 3] = [PASSWORD, "ice:correct horse battery staple", "wrong"];
const PEERS: [&str; 3] = ["192.0.2.7", "192.0.2.8", "2001:db8::1"];
const POLICIES: [(&str, &str, &str); 3] = [
    (
        "60s",
        "",
        "account = { failures = 4, per = \"2m\" }\naddress = { failures = 5, per = \"3m\" }\npair = { failures = 2, per = \"1m\" }\n",
    ),
    ("1h", "max_age = \"1d\"\n", "account = { failures = 3, per = \"1h\" }\npair = false\n"),
    (
        "5s",
        "",
        "account = false\naddress = false\nprefix = { failures = 3, per = \"1m\" }\npair = { failures = 3, per = \"30s\" }\n",
    ),
];

fn event() -> impl Strategy<Value = Event> {
    let (engine, user, password) = (0..2usize, 0..USERS.len(), 0..PASSWORDS.len());
    prop_oneof![
        24 => (engine.clone(), user.clone(), prop_oneof![6 => Just(0usize), 1 => Just(1), 2 => Just(2)], 0..PEERS.len(), any::<bool>(), any::<bool>())
            .prop_map(|(engine, user, password, peer, clerk, spelled)| Event::Ask { engine, user, password, peer, clerk, spelled }),
        4 => prop::sample::select(&[1i64, 1, 4, 5, 30, 59, 60, 61, 180, 3600, -1, -3, -45, -3600, 90_000]).prop_map(Event::Clock),
        2 => (engine.clone(), user.clone(), password).prop_map(|(engine, user, password)| Event::Set { engine, user, password }),
        2 => (engine.clone(), user.clone(), any::<bool>()).prop_map(|(engine, user, disabled)| Event::Disable { engine, user, disabled }),
        2 => (engine.clone(), user.clone(), any::<bool>()).prop_map(|(engine, user, granted)| Event::Role { engine, user, granted }),
        1 => (engine.clone(), user.clone()).prop_map(|(engine, user)| Event::Remove { engine, user }),
        2 => (engine.clone(), user).prop_map(|(engine, user)| Event::Add { engine, user }),
        1 => (engine.clone(), 0..POLICIES.len()).prop_map(|(engine, which)| Event::Reload { engine, which }),
        1 => engine.prop_map(|engine| Event::Housekeeping { engine }),
    ]
}

/// Two engines on one state file.
struct World {
    engines: [Engine; 2],
    remembers: bool,
    clock: Arc<AtomicI64>,
    _folder: tempfile::TempDir,
}

impl World {
    fn new(remembers: bool) -> World {
        let folder = tempfile::tempdir().unwrap();
        let location = StateLocation::File(folder.path().join("state.db"));
        let clock = Arc::new(AtomicI64::new(NOW));
        let engines = [(); 2].map(|()| {
            let read = Arc::clone(&clock);
            let options = Options {
                state: Some(location.clone()),
                clock: Some(Arc::new(move || read.load(Ordering::Relaxed))),
                ..Options::default()
            };
            engine_with(&World::policy(remembers, 0), options)
        });
        let mut world = World { engines, remembers, clock, _folder: folder };
        world.happens(&Event::Add { engine: 0, user: 0 });
        world
    }

    fn policy(remembers: bool, which: usize) -> String {
        let (remember, password, throttle) = POLICIES[which];
        policy(if remembers { remember } else { "0s" }, password, throttle)
    }

    fn change(&self, engine: usize, change: impl FnOnce(&Admin<'_>)) {
        let engine = &self.engines[engine];
        let (policy, state) = (engine.policy(), engine.state().unwrap());
        change(&Admin { policy: &policy, state: state.as_ref(), now: self.now() });
    }

    /// What somebody is told, in all that a client, an application or an operator can see.
    fn happens(&mut self, event: &Event) -> Option<String> {
        // A change of what is not there fails in both worlds alike.
        match *event {
            Event::Ask { engine, user, password, peer, clerk, spelled } => {
                let name = if spelled { USERS[user].to_uppercase() } else { USERS[user].to_owned() };
                let ask = get(if clerk { "/clerk" } else { "/a" }).peer(PEERS[peer]).at(self.now());
                let ask = Ask { id: b"id".to_vec(), ..ask.authorization(basic(&name, PASSWORDS[password])) };
                return Some(format!("{:?}", ask.to(&self.engines[engine])));
            }
            Event::Clock(seconds) => _ = self.clock.fetch_add(seconds, Ordering::Relaxed),
            Event::Set { engine, user, password } => {
                self.change(engine, |admin| {
                    let hash = gatepost::crypto::password::hash(PASSWORDS[password].as_bytes(), admin.cost()).unwrap();
                    _ = admin.state.set_password(USERS[user], &hash, admin.now, 0);
                });
            }
            Event::Disable { engine, user, disabled } => {
                self.change(engine, |admin| _ = admin.set_disabled(USERS[user], disabled));
            }
            Event::Role { engine, user, granted: true } => {
                self.change(engine, |admin| _ = admin.grant(USERS[user], "clerk"))
            }
            Event::Role { engine, user, granted: false } => {
                self.change(engine, |admin| _ = admin.revoke(USERS[user], "clerk"))
            }
            Event::Remove { engine, user } => self.change(engine, |admin| _ = admin.remove_user(USERS[user])),
            Event::Add { engine, user } => self.change(engine, |admin| {
                _ = admin.seed_user(&NewUser { name: USERS[user], password: Some(PASSWORD), ..NewUser::default() });
            }),
            Event::Reload { engine, which } => {
                self.engines[engine].replace(load(&World::policy(self.remembers, which))).unwrap()
            }
            Event::Housekeeping { engine } => self.engines[engine].poll().unwrap().job.unwrap().run(),
        }
        None
    }

    fn now(&self) -> i64 {
        self.clock.load(Ordering::Relaxed)
    }

    fn hashes(&self) -> u64 {
        self.engines.iter().map(hashes).sum()
    }
}

#[test]
fn remembered_and_fresh_answers_are_equal() {
    let (mut saved, mut spent) = (0, 0);
    let mut runner = TestRunner::new(ProptestConfig { cases: 48, ..ProptestConfig::default() });
    runner
        .run(&prop::collection::vec(event(), 10..80), |events| {
            let (mut remembering, mut fresh) = (World::new(true), World::new(false));
            for (step, event) in events.iter().enumerate() {
                let (got, wanted) = (remembering.happens(event), fresh.happens(event));
                prop_assert_eq!(got, wanted, "step {}: {:?}", step, event);
            }
            prop_assert!(remembering.hashes() <= fresh.hashes());
            Ok(())
        })
        .unwrap();
    // The same with a fixed seed tells that something was remembered at all.
    let mut runner = TestRunner::deterministic();
    for _ in 0..4 {
        let events = prop::collection::vec(event(), 60).new_tree(&mut runner).unwrap().current();
        let (mut remembering, mut fresh) = (World::new(true), World::new(false));
        for event in &events {
            assert_eq!(remembering.happens(event), fresh.happens(event));
        }
        saved += fresh.hashes() - remembering.hashes();
        spent += fresh.hashes();
    }
    assert!(saved > 10, "{saved} of {spent} hashes were saved");
}
