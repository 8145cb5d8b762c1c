//! `make timing`: can somebody outside tell by the clock what he must not know? Two kinds of request are measured in pairs
//! of random order, so that whatever else the machine does falls on both; what counts is the difference of their medians
//! with a confidence interval from resampling the pairs. Two controls run through the same: a leak of three percent,
//! which must be found, and two times the same, which must not.
//!
//! Without `--bench` (as `cargo test --all-targets` runs it) only the statistics are tried, on made-up numbers.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use std::hint::black_box;
use std::time::Instant;

use gatepost::crypto::password::{Cost, Verdict, hash, verify};
use gatepost::engine::{Engine, Options};
use gatepost::policy;
use gatepost::request::{Header, Request};
use gatepost::state::User;

/// Two kinds of request may differ by this much of the median.
const BOUND: f64 = 0.01;
/// Enough for medians to within half of that on a machine that is not alone.
const PAIRS: usize = 1600;
const RESAMPLES: usize = 1000;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if !arguments.iter().any(|argument| argument == "--bench") {
        return try_the_statistics();
    }
    let pairs = arguments.iter().find_map(|argument| argument.parse().ok()).unwrap_or(PAIRS);
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let engine = service(folders[0].path());
    let mixed = service(folders[1].path());
    add(&mixed, "veteran", Some(bcrypt::hash("a password of old", 10).unwrap()));
    let ask = |login| asking(&engine, login);
    let old = |login| asking(&mixed, login);
    let cost = |memory_kib| Cost { memory_kib, iterations: 2, parallelism: 1 };
    let verify_at = |memory_kib| {
        let stored = hash(b"another password", cost(memory_kib)).unwrap();
        move || assert_eq!(verify(black_box(b"password"), &stored), Ok(Verdict::Mismatch))
    };

    println!(
        "{pairs} pairs each, a quarter where old hashes are about; differences in percent of the median, with their"
    );
    println!("95 % intervals\n");
    println!("{:52} {:>9} {:>26} {:>26}", "", "median ms", "wall clock", "time of the processor");
    let rows = [
        ("unknown user / wrong password", measure(pairs, ask("nobody:wrong"), ask("alice:wrong"))),
        ("user without a password / wrong password", measure(pairs, ask("robot:wrong"), ask("alice:wrong"))),
        (
            "unknown user / wrong password, with old hashes about",
            measure(pairs / 4, old("nobody:wrong"), old("alice:wrong")),
        ),
        ("wrong password of an old hash / of a new one", measure(pairs / 4, old("veteran:wrong"), old("alice:wrong"))),
        ("control: the same twice", measure(pairs, verify_at(19456), verify_at(19456))),
        ("control: three percent less work", measure(pairs, verify_at(18872), verify_at(19456))),
    ];
    let mut as_expected = true;
    for (index, (name, (wall, processor))) in rows.iter().enumerate() {
        let verdict = [wall, processor].map(|samples| Difference::of(samples).verdict());
        let wanted = if index == rows.len() - 1 { Finding::Differs } else { Finding::Same };
        let right = verdict.iter().all(|verdict| *verdict == wanted);
        as_expected &= right;
        let (wall, processor) = (Difference::of(wall), Difference::of(processor));
        let verdict = format!("{:?}{}", verdict, if right { "" } else { "  <- not as it should be" });
        println!("{name:52} {:9.3} {wall:>26} {processor:>26}  {verdict}", wall.median * 1e3);
    }
    println!("\n{}", if as_expected { "as it should be" } else { "NOT as it should be, or too few pairs to tell" });
    std::process::exit(i32::from(!as_expected));
}

/// Seconds of the first and the second kind, pair by pair.
type Samples = Vec<(f64, f64)>;

/// By the wall clock and in time of the processor.
fn measure(pairs: usize, mut first: impl FnMut(), mut second: impl FnMut()) -> (Samples, Samples) {
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    let time = |work: &mut dyn FnMut()| {
        let (wall, processor) = (Instant::now(), processor_seconds());
        work();
        (wall.elapsed().as_secs_f64(), processor_seconds() - processor)
    };
    for _ in 0..5 {
        time(&mut first);
        time(&mut second);
    }
    (0..pairs)
        .map(|_| {
            let (one, other);
            if random.below(2) == 0 {
                one = time(&mut first);
                other = time(&mut second);
            } else {
                other = time(&mut second);
                one = time(&mut first);
            }
            ((one.0, other.0), (one.1, other.1))
        })
        .unzip()
}

/// What this thread has computed, whatever else ran.
fn processor_seconds() -> f64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: a valid, writable timespec for the length of the call.
    assert_eq!(unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut now) }, 0);
    now.tv_sec as f64 + now.tv_nsec as f64 / 1e9
}

/// How much longer the first kind takes than the second, as a part of the second's median.
struct Difference {
    median: f64,
    difference: f64,
    low: f64,
    high: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Finding {
    Same,
    Differs,
    Unclear,
}

impl Difference {
    fn of(samples: &Samples) -> Difference {
        let relative = |samples: &Samples| {
            let (mut first, mut second): (Vec<f64>, Vec<f64>) = samples.iter().copied().unzip();
            let (first, second) = (median(&mut first), median(&mut second));
            ((first - second) / second, second)
        };
        let (difference, median) = relative(samples);
        let mut random = Random(0xD1B5_4A32_D192_ED03);
        let mut resampled: Vec<f64> = (0..RESAMPLES)
            .map(|_| relative(&(0..samples.len()).map(|_| samples[random.below(samples.len())]).collect()).0)
            .collect();
        resampled.sort_by(f64::total_cmp);
        let (low, high) = (resampled[RESAMPLES / 40], resampled[RESAMPLES - 1 - RESAMPLES / 40]);
        Difference { median, difference, low, high }
    }

    fn verdict(&self) -> Finding {
        if -BOUND < self.low && self.high < BOUND {
            Finding::Same
        } else if self.high < -BOUND || BOUND < self.low {
            Finding::Differs
        } else {
            Finding::Unclear
        }
    }
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [difference, low, high] = [self.difference, self.low, self.high].map(|part| part * 100.0);
        f.pad(&format!("{difference:+.2} ({low:+.2} to {high:+.2})"))
    }
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// xorshift64*: the same numbers each time.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from((self.next() >> 33) % bound as u64).unwrap()
    }
}

/// Asks to be let in with a login that is wrong.
fn asking(engine: &Engine, login: &str) -> impl FnMut() + use<> {
    let (engine, value) = (engine.clone(), format!("Basic {}", data_encoding::BASE64.encode(login.as_bytes())));
    move || {
        let headers = [Header { name: b"Authorization", value: value.as_bytes() }];
        let request = Request {
            method: b"GET",
            target: b"/",
            host: b"orders.example.com",
            peer: b"192.0.2.7",
            headers: &headers,
            ..Request::default()
        };
        let decision = black_box(engine.decide(&request).unwrap());
        assert_eq!(decision.status, 401);
    }
}

/// An engine on a file, at the cost that a policy has unless it says otherwise, with alice and a user who has no password.
fn service(folder: &std::path::Path) -> Engine {
    let text = "[engine]\nstate = \"gatepost.db\"\nschemes = [\"basic\"]\n[throttle]\n\
                account = { failures = 1000000, per = \"15m\" }\naddress = { failures = 1000000, per = \"15m\" }\n\
                prefix = { failures = 1000000, per = \"15m\" }\npair = { failures = 1000000, per = \"15m\" }\n\
                [[route]]\npath = \"/\"\n";
    let loaded = policy::parse(text, &folder.join("policy.toml"), folder).unwrap();
    let engine = Engine::new(loaded, Options::default());
    engine.start().unwrap();
    add(&engine, "alice", Some(hash(b"correct horse battery staple", engine.password_cost()).unwrap()));
    add(&engine, "robot", None);
    engine
}

fn add(engine: &Engine, name: &str, hash: Option<String>) {
    let user = User {
        name: name.into(),
        hash,
        roles: Vec::new(),
        disabled: false,
        created_at: 1,
        password_changed_at: Some(1),
        tokens_from: 0,
    };
    engine.state().unwrap().add_user(&user).unwrap();
}

/// Noise of 10 % with now and then a long pause, as on a busy machine: a leak of three percent is found in it, one of
/// a tenth of a percent is none, and ten pairs tell nothing.
fn try_the_statistics() {
    let made_up = |pairs: usize, leak: f64| -> Samples {
        let mut random = Random(7);
        let mut noise = move || {
            let spread = 1.0 + random.below(1000) as f64 / 10_000.0;
            spread * if random.below(20) == 0 { 3.0 } else { 1.0 }
        };
        (0..pairs).map(|_| (noise() * (1.0 + leak), noise())).collect()
    };
    for (pairs, leak, wanted) in [
        (2000, 0.0, Finding::Same),
        (2000, 0.001, Finding::Same),
        (2000, 0.03, Finding::Differs),
        (2000, -0.03, Finding::Differs),
        (10, 0.01, Finding::Unclear),
    ] {
        let found = Difference::of(&made_up(pairs, leak));
        assert_eq!(found.verdict(), wanted, "{pairs} pairs, a leak of {leak}: {found}");
    }
    println!("the statistics find a leak of three percent and none where there is none");
}
