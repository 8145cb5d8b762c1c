//! What one decision costs inside the engine, without the C interface: `cargo bench --bench decide`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use std::hint::black_box;
use std::time::{SystemTime, UNIX_EPOCH};

use criterion::{Criterion, criterion_group, criterion_main};
use data_encoding::{BASE64, BASE64URL_NOPAD};
use gatepost::admin::{Admin, NewKey, NewUser};
use gatepost::decision::Decision;
use gatepost::engine::{Engine, Options, Progress};
use gatepost::policy::model::StateLocation;
use gatepost::request::{Header, Request};
use hmac::{Hmac, KeyInit, Mac};

const SECRET: &[u8] = b"kT7vQz2mXw9LrB4nYd6HcJ8sPfG3aUe5";
const PASSWORD: &str = "four cups of green tea each noon";

struct Service {
    engine: Engine,
    key: String,
    token: String,
    basic: String,
}

fn service() -> Service {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("accounts.key"), data_encoding::HEXLOWER.encode(SECRET)).unwrap();
    let policy = folder.path().join("orders.toml");
    std::fs::write(&policy, include_str!("orders.toml")).unwrap();
    let options = Options { state: Some(StateLocation::Memory), ..Options::default() };
    let (engine, _) = Engine::open(&policy, options).unwrap();
    engine.start().unwrap();
    let (policy, state) = (engine.policy(), engine.state().unwrap());
    let admin = Admin { policy: &policy, state: state.as_ref(), now: engine.now() };
    let roles = ["clerk".to_owned()];
    admin.seed_user(&NewUser { name: "rita", password: Some(PASSWORD), roles: &roles, ..NewUser::default() }).unwrap();
    let key = NewKey { name: "bench", user: "rita", scopes: &[], roles: None, expires_at: None };
    let key = admin.seed_key(&key).unwrap().secret.to_string();
    let basic = format!("Basic {}", BASE64.encode(format!("rita:{PASSWORD}").as_bytes()));
    Service { engine, key, token: token(), basic }
}

fn token() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let header = BASE64URL_NOPAD.encode(br#"{"alg":"HS256","typ":"at+jwt"}"#);
    let claims = format!(
        r#"{{"iss":"https://accounts.example.com","aud":"orders","sub":"sam","roles":["clerk"],"iat":{now},"exp":{}}}"#,
        now + 36_000
    );
    let signed = format!("{header}.{}", BASE64URL_NOPAD.encode(claims.as_bytes()));
    let mac = Hmac::<sha2::Sha256>::new_from_slice(SECRET).unwrap().chain_update(signed.as_bytes());
    format!("Bearer {signed}.{}", BASE64URL_NOPAD.encode(&mac.finalize().into_bytes()))
}

fn decide(service: &Service, target: &str, field: Option<(&str, &str)>) -> Decision {
    let usual = [
        ("Host", "orders.example.com"),
        ("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"),
        ("Accept", "application/json"),
        ("Accept-Language", "en-GB,en;q=0.7,de;q=0.3"),
        ("Accept-Encoding", "gzip, deflate, br"),
        ("Connection", "keep-alive"),
        ("Referer", "https://orders.example.com/orders"),
        ("Sec-Fetch-Site", "same-origin"),
    ];
    let mut headers = [Header::default(); 9];
    let mut count = 0;
    for (place, (name, value)) in headers.iter_mut().zip(usual.into_iter().chain(field)) {
        *place = Header { name: name.as_bytes(), value: value.as_bytes() };
        count += 1;
    }
    let request = Request {
        method: b"GET",
        target: target.as_bytes(),
        host: b"orders.example.com",
        peer: b"192.0.2.7",
        headers: &headers[..count],
        tls: true,
        body_complete: true,
        ..Request::default()
    };
    match service.engine.begin(&request).unwrap() {
        Progress::Done(decision) => *decision,
        Progress::Pending(job) => {
            job.run();
            let Progress::Done(decision) = job.finish().unwrap() else { panic!("nothing changes meanwhile") };
            *decision
        }
    }
}

fn benches(criterion: &mut Criterion) {
    let service = service();
    let mut group = criterion.benchmark_group("decide");
    for (name, target, field, status) in [
        ("public", "/health", None, 200),
        ("anonymous", "/catalogue/tea?page=2", None, 200),
        ("remembered basic", "/orders/7?page=2", Some(("Authorization", service.basic.as_str())), 200),
        ("api key", "/orders/7?page=2", Some(("X-API-Key", service.key.as_str())), 200),
        ("hs256", "/orders/7?page=2", Some(("Authorization", service.token.as_str())), 200),
        ("refused", "/orders/7?page=2", None, 401),
    ] {
        assert_eq!(decide(&service, target, field).status, status, "{name}");
        group.bench_function(name, |bencher| bencher.iter(|| decide(&service, black_box(target), field)));
    }
    group.finish();
}

criterion_group!(decisions, benches);
criterion_main!(decisions);
