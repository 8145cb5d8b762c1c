//! What a decision on a hot path asks of the allocator, counted: only what the decision itself holds, in so many pieces
//! as is stated here, and nothing is left when it is freed.
//!
//! Asked through the C interface, as a host does. Each thread counts for itself, so that no other test is in the way.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "clippy exempts the test functions themselves, not what they call"
)]

mod engine_support;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use engine_support::*;
use gatepost::admin::{Admin, NewKey, NewUser};
use gatepost::ffi::decide::gatepost_decide;
use gatepost::ffi::decision::{gatepost_decision, gatepost_decision_free, gatepost_decision_reason};
use gatepost::ffi::engine::{gatepost_engine, gatepost_engine_free, gatepost_engine_open, gatepost_engine_start};
use gatepost::ffi::request::{GATEPOST_REQUEST_TLS, gatepost_request};
use gatepost::ffi::types::{GATEPOST_OK, gatepost_header, gatepost_str};
use gatepost::policy;
use gatepost::reason::Reason;
use gatepost::state;
use serde_json::json;

/// Counts what this thread allocates and frees.
struct Counting;

thread_local! {
    static TAKEN: Cell<u64> = const { Cell::new(0) };
    static FREED: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: the system's allocator does the work; counting in cells without destructors allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let _ = TAKEN.try_with(|count| count.set(count.get() + 1));
        // SAFETY: the caller's promise is handed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        let _ = FREED.try_with(|count| count.set(count.get() + 1));
        // SAFETY: the caller's promise is handed on.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // Growing is work of the allocator too: one taken and one freed.
        let _ = TAKEN.try_with(|count| count.set(count.get() + 1));
        let _ = FREED.try_with(|count| count.set(count.get() + 1));
        // SAFETY: the caller's promise is handed on.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Taken and freed by this thread meanwhile.
fn counted<T>(call: impl FnOnce() -> T) -> (T, (u64, u64)) {
    let before = (TAKEN.get(), FREED.get());
    let value = call();
    (value, (TAKEN.get() - before.0, FREED.get() - before.1))
}

fn text(bytes: &[u8]) -> gatepost_str {
    gatepost_str { ptr: bytes.as_ptr().cast(), len: bytes.len() }
}

const POLICY: &str = "[engine]\nname = \"Orders\"\nstate = \"state.db\"\nschemes = [\"basic\", \"bearer\", \"api-key\"]\n\
    [identity]\nsubject = \"X-Auth-Subject\"\nroles = \"X-Auth-Roles\"\n[[role]]\nname = \"clerk\"\npermissions = [\"orders:read\"]\n\
    [[role]]\nname = \"admin\"\nincludes = [\"clerk\"]\npermissions = [\"users:*\"]\n\
    [[route]]\npath = \"/health\"\naccess = \"public\"\n[[route]]\npath = \"/catalogue/{*rest}\"\naccess = \"optional\"\n\
    [[route]]\npath = \"/orders/{id}\"\nmethods = [\"GET\"]\nrequire = { permission = \"orders:read\" }\n";

struct Service {
    engine: *mut gatepost_engine,
    key: String,
    _folder: tempfile::TempDir,
}

/// The same issuer's tokens once more, as local users.
fn local_issuer() -> String {
    ISSUER.replace("accounts", "staff").replace("claims =", "users = \"local\"\nclaims =")
}

impl Service {
    fn start() -> Service {
        Service::with(POLICY)
    }

    /// Where every token is verified anew.
    fn forgetful() -> Service {
        Service::with(&POLICY.replace("[identity]", "token_cache_kib = 0\n[identity]"))
    }

    fn with(policy: &str) -> Service {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("policy.toml");
        std::fs::write(folder.path().join("secret.key"), SECRET).unwrap();
        std::fs::write(&path, format!("{policy}{CHEAP}{ISSUER}{}", local_issuer())).unwrap();
        let loaded = policy::load(&path).unwrap();
        let state = state::open(&loaded.policy.state).unwrap();
        let admin = Admin { policy: &loaded.policy, state: state.as_ref(), now: NOW };
        let roles = ["admin".to_owned()];
        let alice = NewUser { name: "alice", password: Some(PASSWORD), roles: &roles, ..NewUser::default() };
        admin.seed_user(&alice).unwrap();
        let key = NewKey { name: "ci", user: "alice", scopes: &[], roles: None, expires_at: None };
        let key = admin.seed_key(&key).unwrap().secret.to_string();
        let mut engine = std::ptr::null_mut();
        let path = path.to_str().unwrap().as_bytes();
        // SAFETY: the header's rules are kept to.
        unsafe {
            let opened = gatepost_engine_open(text(path), std::ptr::null(), &mut engine, std::ptr::null_mut());
            assert_eq!(opened, GATEPOST_OK);
            assert_eq!(gatepost_engine_start(engine, std::ptr::null_mut()), GATEPOST_OK);
        }
        Service { engine, key, _folder: folder }
    }

    /// Decides without leave to block, or with it; the decision where it came at once.
    fn decide(&self, ask: &Ask, may_block: bool) -> (*mut gatepost_decision, (u64, u64)) {
        let header = |(name, value): &(Vec<u8>, Vec<u8>)| gatepost_header {
            name: text(name),
            value: text(value),
            mode: 0,
            reserved: 0,
        };
        let headers: Vec<gatepost_header> = ask.headers.iter().map(header).collect();
        let none = gatepost_str { ptr: std::ptr::null(), len: 0 };
        let request = gatepost_request {
            struct_size: size_of::<gatepost_request>(),
            method: text(&ask.method),
            target: text(&ask.target),
            host: text(&ask.host),
            peer: text(&ask.peer),
            request_id: text(&ask.id),
            client_cert_der: none,
            body: none,
            headers: headers.as_ptr(),
            header_count: headers.len(),
            header_block: none,
            flags: GATEPOST_REQUEST_TLS,
            now: ask.now,
            user: std::ptr::null_mut(),
        };
        let (mut decision, mut job) = (std::ptr::null_mut(), std::ptr::null_mut());
        let place = if may_block { std::ptr::null_mut() } else { &raw mut job };
        // SAFETY: the header's rules are kept to.
        let (status, count) = counted(|| unsafe { gatepost_decide(self.engine, &request, &mut decision, place) });
        assert_eq!(status, GATEPOST_OK);
        (decision, count)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // SAFETY: it is the one handle and is not used again.
        unsafe { gatepost_engine_free(self.engine) }
    }
}

/// What a browser sends besides.
fn usual(target: &str) -> Ask {
    get(target)
        .header("Host", "orders.example.com")
        .header("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
        .header("Accept", "application/json")
        .header("Accept-Language", "en-GB,en;q=0.7,de;q=0.3")
        .header("Accept-Encoding", "gzip, deflate, br")
        .header("Connection", "keep-alive")
        .header("Referer", "https://orders.example.com/orders")
        .header("Sec-Fetch-Site", "same-origin")
}

#[test]
fn hot_paths_allocate_nothing_beyond_the_decision() {
    let service = Service::start();
    let token = bearer("sam", json!({ "roles": ["clerk"] }));
    let local = bearer("alice", json!({ "iss": "https://staff.example.com" }));
    let paths = [
        ("public", usual("/health"), Reason::Public, 1),
        ("anonymous", usual("/catalogue/tea?page=2"), Reason::Anonymous, 1),
        ("remembered Basic", usual("/orders/7?page=2").login("alice"), Reason::Allowed, 1),
        ("API key", usual("/orders/7?page=2").header("X-API-Key", &service.key), Reason::Allowed, 1),
        ("remembered token", usual("/orders/7?page=2").authorization(token), Reason::Allowed, 1),
        ("remembered token of a local user", usual("/orders/7?page=2").authorization(local), Reason::Allowed, 1),
    ];
    let mut wrong = Vec::new();
    for (name, ask, reason, pieces) in &paths {
        // What can be remembered is, and what is made on first use is made.
        for may_block in [true, false, false] {
            let (decision, _) = service.decide(ask, may_block);
            // SAFETY: it was just made and is not used again.
            unsafe {
                assert_eq!(gatepost_decision_reason(decision), reason.number(), "{name}");
                gatepost_decision_free(decision);
            }
        }
        for _ in 0..3 {
            let (decision, (taken, given_back)) = service.decide(ask, false);
            // SAFETY: it was just made and is not used again.
            let ((), (more, freed)) = counted(|| unsafe { gatepost_decision_free(decision) });
            if (taken, given_back, more, freed) != (*pieces, 0, 0, *pieces) {
                wrong.push(format!(
                    "{name}: wanted {pieces} pieces; taken {taken} and given back {given_back} while deciding, {freed} by its end"
                ));
                break;
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A refusal is a decision and its body: all but the id in it is written once for all refusals that are alike. What a
/// token needs on the way is held to a number here, so that it does not grow unseen.
#[test]
fn refusals_and_tokens_keep_the_decision_alone_and_need_little_on_the_way() {
    let service = Service::forgetful();
    let token = usual("/orders/7").authorization(bearer("sam", json!({ "roles": ["clerk"] })));
    let paths = [
        ("refused without credentials", usual("/orders/7"), Reason::CredentialsMissing, 2),
        ("unknown route", usual("/nowhere"), Reason::RouteUnknown, 2),
        ("HS256", token, Reason::Allowed, 8),
    ];
    let mut found = Vec::new();
    let mut wrong = false;
    for (name, ask, reason, most) in &paths {
        for round in 0..4 {
            let (decision, (taken, given_back)) = service.decide(ask, false);
            // SAFETY: it was just made and is not used again.
            let ((), (more, freed)) = counted(|| unsafe {
                assert_eq!(gatepost_decision_reason(decision), reason.number(), "{name}");
                gatepost_decision_free(decision);
            });
            // The first one of all makes what decisions share.
            assert!(round == 0 || (taken + more, more) == (given_back + freed, 0), "{name}");
            if round == 3 {
                found.push(format!("{name}: {taken} taken, {given_back} of them given back at once; at most {most}"));
                wrong |= taken > *most;
            }
        }
    }
    println!("{}", found.join("\n"));
    assert!(!wrong, "{}", found.join("\n"));
}

#[test]
fn what_a_token_needs_while_it_is_read_is_given_back() {
    let service = Service::forgetful();
    let ask = usual("/orders/7").authorization(bearer("sam", json!({ "roles": ["clerk"] })));
    for round in 0..5 {
        let (decision, (taken, given_back)) = service.decide(&ask, false);
        // SAFETY: it was just made and is not used again.
        let ((), (more, freed)) = counted(|| unsafe { gatepost_decision_free(decision) });
        // The first one makes what decisions share.
        assert!(round == 0 || taken + more == given_back + freed);
    }
}

#[test]
fn the_counter_counts() {
    assert_eq!(counted(|| drop(std::hint::black_box(Box::new(1)))).1, (1, 1));
    let (kept, counts) = counted(|| std::hint::black_box(vec![1, 2, 3]));
    assert_eq!(counts, (1, 0));
    assert_eq!(counted(|| drop(kept)).1, (0, 1));
}
