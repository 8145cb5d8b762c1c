//! Tokens that the engine issues: what they say, that it believes them and for how long, and that others can verify them by
//! the published keys.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "clippy exempts the test functions themselves, not what they call"
)]

use std::path::Path;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::signature as aws;
use data_encoding::{BASE64, BASE64URL_NOPAD};
use gatepost::admin::{Admin, NewUser};
use gatepost::crypto::algorithm::{Algorithm, Family};
use gatepost::engine::{Engine, Options, TokenRequest, Tokens};
use gatepost::error::ErrorKind;
use gatepost::policy;
use gatepost::reason::Reason;
use gatepost::request::{Header, Request};
use gatepost::token::published;
use serde_json::{Value, json};

const NOW: i64 = 1_790_000_000;
const SECRET: &str = "q3ZKf0Xw9LrTn7VbYc2MhE5sUdJ8aPgR1iO6xCkWvB4yQmNtHlSzDjFeGuIoApTs";

/// A fresh private key in PEM.
fn pem(algorithm: Algorithm) -> String {
    let random = aws_lc_rs::rand::SystemRandom::new();
    let ec = |signer| aws::EcdsaKeyPair::generate_pkcs8(signer, &random).unwrap().as_ref().to_vec();
    let ml = |signer| aws::PqdsaKeyPair::generate(signer).unwrap().to_pkcs8v1().unwrap().as_ref().to_vec();
    let der = match algorithm {
        Algorithm::Es256 => ec(&aws::ECDSA_P256_SHA256_FIXED_SIGNING),
        Algorithm::Es384 => ec(&aws::ECDSA_P384_SHA384_FIXED_SIGNING),
        Algorithm::Es512 => ec(&aws::ECDSA_P521_SHA512_FIXED_SIGNING),
        Algorithm::EdDsa | Algorithm::Ed25519 => {
            aws::Ed25519KeyPair::generate_pkcs8(&random).unwrap().as_ref().to_vec()
        }
        Algorithm::MlDsa44 => ml(&aws::ML_DSA_44_SIGNING),
        Algorithm::MlDsa65 => ml(&aws::ML_DSA_65_SIGNING),
        Algorithm::MlDsa87 => ml(&aws::ML_DSA_87_SIGNING),
        _ => {
            let pair = aws_lc_rs::rsa::KeyPair::generate(aws_lc_rs::rsa::KeySize::Rsa2048).unwrap();
            AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).unwrap().as_ref().to_vec()
        }
    };
    format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", BASE64.encode(&der))
}

fn load(folder: &Path, signer: &str) -> policy::Loaded {
    let text = format!(
        "[engine]\nname = \"Orders\"\nstate = \":memory:\"\nschemes = [\"bearer\"]\n[identity]\nsubject = \"X-Auth-Subject\"\n\
         [[signer]]\nname = \"access\"\nissuer = \"https://orders.example.com\"\naudience = [\"orders\", \"mail\"]\n{signer}\n\
         [[role]]\nname = \"clerk\"\n[[route]]\npath = \"/clerk\"\nrequire = {{ role = \"clerk\" }}\n\
         [[route]]\npath = \"/scoped\"\nrequire = {{ scope = \"orders:read\" }}\n\
         [[route]]\npath = \"/fresh\"\nrequire = {{ factor = \"otp\", login_within = \"5m\" }}\n"
    );
    policy::parse(&text, &folder.join("gatepost.toml"), folder)
        .unwrap_or_else(|problems| panic!("{}", policy::diagnostic::render(&problems, &text, false)))
}

fn engine(folder: &Path, signer: &str) -> Engine {
    let engine = Engine::new(load(folder, signer), Options::default());
    engine.start().unwrap();
    for (name, disabled) in [("alice", false), ("dora", true)] {
        let new = NewUser { name, roles: &["clerk".to_owned()], disabled, ..NewUser::default() };
        let (policy, state) = (engine.policy(), engine.state().unwrap());
        Admin { policy: &policy, state: state.as_ref(), now: NOW }.seed_user(&new).unwrap();
    }
    engine
}

fn es256() -> (tempfile::TempDir, Engine) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("signing.pem"), pem(Algorithm::Es256)).unwrap();
    let engine = engine(folder.path(), "algorithm = \"ES256\"\nkey = { file = \"signing.pem\" }");
    (folder, engine)
}

const ALICE: TokenRequest<'static> = TokenRequest {
    signer: None,
    user: "alice",
    audience: &[],
    scopes: &[],
    lifetime: None,
    client: None,
    session: None,
    authenticated_at: None,
    factors: &[],
    claims: None,
    refresh: false,
    now: Some(NOW),
};

fn decide(engine: &Engine, target: &str, access: &str, now: i64) -> (Reason, Option<String>) {
    let authorization = format!("Bearer {access}");
    let headers = [Header { name: b"Authorization", value: authorization.as_bytes() }];
    let request = Request {
        method: b"GET",
        target: target.as_bytes(),
        host: b"orders.example.com",
        headers: &headers,
        tls: true,
        now: Some(now),
        ..Request::default()
    };
    let decision = engine.decide(&request).unwrap();
    (decision.reason, decision.subject().map(str::to_owned))
}

/// Header and claims.
fn parts(tokens: &Tokens) -> (Value, Value) {
    let mut parts = tokens.access.split('.');
    let mut part =
        || serde_json::from_slice(&BASE64URL_NOPAD.decode(parts.next().unwrap().as_bytes()).unwrap()).unwrap();
    (part(), part())
}

#[test]
fn every_algorithm_issues_tokens_that_the_engine_believes() {
    for algorithm in Algorithm::ALL.iter().copied() {
        let folder = tempfile::tempdir().unwrap();
        let name = algorithm.name();
        let key = if algorithm.family() == Family::Hmac {
            std::fs::write(folder.path().join("secret.key"), SECRET).unwrap();
            "secret_file = \"secret.key\""
        } else {
            std::fs::write(folder.path().join("signing.pem"), pem(algorithm)).unwrap();
            "file = \"signing.pem\""
        };
        let engine = engine(folder.path(), &format!("algorithm = \"{name}\"\nkey = {{ {key} }}"));
        let tokens = engine.issue_token(&ALICE).unwrap();
        assert_eq!(decide(&engine, "/clerk", &tokens.access, NOW), (Reason::Allowed, Some("alice".into())), "{name}");
        let (header, _) = parts(&tokens);
        let keys = published::key_set(&engine.policy(), &engine.policy().signers);
        let keys = keys["keys"].as_array().unwrap().clone();
        assert_eq!(header["alg"], name);
        match algorithm.family() {
            Family::Hmac => assert!(keys.is_empty() && header.get("kid").is_none()),
            _ => {
                assert_eq!((keys.len(), &keys[0]["kid"], &keys[0]["alg"]), (1, &header["kid"], &header["alg"]));
                for secret in ["d", "p", "q", "dp", "dq", "qi", "priv", "k"] {
                    assert!(keys[0].get(secret).is_none(), "{name}: {secret}");
                }
            }
        }
    }
}

/// RFC 9068 section 2.
#[test]
fn a_token_says_what_rfc_9068_asks_for_and_what_it_was_asked_for_with() {
    let (_folder, engine) = es256();
    let tokens = engine.issue_token(&ALICE).unwrap();
    let (header, claims) = parts(&tokens);
    assert_eq!((&header["typ"], header.as_object().unwrap().len()), (&json!("at+jwt"), 3));
    let wanted = json!({
        "iss": "https://orders.example.com", "sub": "alice", "aud": ["orders", "mail"], "client_id": "access",
        "iat": NOW, "exp": NOW + 600, "jti": tokens.id,
    });
    assert_eq!(claims, wanted);
    assert_eq!(BASE64URL_NOPAD.decode(tokens.id.as_bytes()).unwrap().len(), 16, "128 bits");
    assert_ne!(tokens.id, engine.issue_token(&ALICE).unwrap().id);
    assert_eq!((tokens.refresh.is_none(), tokens.session.clone(), tokens.refresh_expires_at), (true, None, None));

    let (scopes, factors) = (["orders:read".to_owned(), "mail".to_owned()], ["pwd".to_owned(), "otp".to_owned()]);
    let request = TokenRequest {
        signer: Some("access"),
        user: "ALICE",
        audience: &["orders".to_owned()],
        scopes: &scopes,
        lifetime: Some(60),
        client: Some("web"),
        session: Some("s-1"),
        authenticated_at: Some(NOW - 30),
        factors: &factors,
        claims: Some(r#"{"tenant":7,"roles":["a"]}"#),
        ..ALICE
    };
    let tokens = engine.issue_token(&request).unwrap();
    let wanted = json!({
        "iss": "https://orders.example.com", "sub": "alice", "aud": "orders", "client_id": "web", "iat": NOW,
        "exp": NOW + 60, "jti": tokens.id, "scope": "orders:read mail", "auth_time": NOW - 30, "amr": ["pwd", "otp"],
        "sid": "s-1", "tenant": 7, "roles": ["a"],
    });
    assert_eq!(parts(&tokens).1, wanted);
    let answer: Value = serde_json::from_str(&tokens.answer()).unwrap();
    let wanted = json!({
        "access_token": tokens.access.as_str(), "token_type": "Bearer", "expires_in": 60, "scope": "orders:read mail",
    });
    assert_eq!(answer, wanted, "RFC 6749 section 5.1");
    for (target, wanted) in [("/scoped", Reason::Allowed), ("/fresh", Reason::Allowed), ("/clerk", Reason::Allowed)] {
        assert_eq!(decide(&engine, target, &tokens.access, NOW).0, wanted);
    }
    assert_eq!(decide(&engine, "/fresh", &tokens.access, NOW + 59 + 300).0, Reason::TokenExpired);
}

#[test]
fn a_bound_token_is_announced_as_such() {
    let (_folder, engine) = es256();
    let digest = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";
    let bound = |method: &str| format!(r#"{{"cnf":{{"{method}":"{digest}"}}}}"#);
    let plain = r#"{"a":1}"#.to_owned();
    for (claims, kind) in [(&bound("jkt"), "DPoP"), (&bound("x5t#S256"), "Bearer"), (&plain, "Bearer")] {
        let tokens = engine.issue_token(&TokenRequest { claims: Some(claims), ..ALICE }).unwrap();
        let answer: Value = serde_json::from_str(&tokens.answer()).unwrap();
        assert_eq!(answer["token_type"], kind, "{claims}");
    }
}

#[test]
fn what_cannot_be_issued_as_it_is_asked_for_is_an_error_that_says_why() {
    let (_folder, engine) = es256();
    let many = vec!["otp".to_owned(); 17];
    let list = |text: &str| vec![text.to_owned()];
    let (spaced, quoted, stray, empty) = (list("a b"), list("a\""), list("billing"), list(""));
    for (request, why) in [
        (TokenRequest { user: "bob", ..ALICE }, "no user named bob"),
        (TokenRequest { user: "dora", ..ALICE }, "dora is disabled"),
        (TokenRequest { user: "", ..ALICE }, "cannot be a user name"),
        (TokenRequest { user: "a\nb", ..ALICE }, "cannot be a user name"),
        (TokenRequest { signer: Some("other"), ..ALICE }, "there is no signer \"other\"; there are access"),
        (TokenRequest { lifetime: Some(601), ..ALICE }, "1 to 600 seconds, not 601"),
        (TokenRequest { now: Some(-1), ..ALICE }, "times are Unix seconds"),
        (TokenRequest { now: Some(i64::MAX), ..ALICE }, "times are Unix seconds"),
        (TokenRequest { now: Some(253_402_300_799 - 599), ..ALICE }, "times are Unix seconds"),
        (TokenRequest { lifetime: Some(0), ..ALICE }, "not 0"),
        (TokenRequest { lifetime: Some(-1), ..ALICE }, "not -1"),
        (TokenRequest { audience: &stray, ..ALICE }, "\"billing\" is not in the audience of access: orders, mail"),
        (TokenRequest { scopes: &spaced, ..ALICE }, "cannot be a scope"),
        (TokenRequest { scopes: &quoted, ..ALICE }, "cannot be a scope"),
        (TokenRequest { client: Some(""), ..ALICE }, "cannot be a client_id"),
        (TokenRequest { session: Some("a\u{7}"), ..ALICE }, "cannot be a session"),
        (TokenRequest { factors: &empty, ..ALICE }, "cannot be a factor"),
        (TokenRequest { factors: &many, ..ALICE }, "at most 16"),
        (TokenRequest { authenticated_at: Some(NOW + 31), ..ALICE }, "nobody can have logged in"),
        (TokenRequest { authenticated_at: Some(-1), ..ALICE }, "nobody can have logged in"),
        (TokenRequest { claims: Some(r#"{"sub":"root"}"#), ..ALICE }, "sub is the signer's own"),
        (TokenRequest { claims: Some("[]"), ..ALICE }, "cannot be taken"),
        (TokenRequest { refresh: true, ..ALICE }, "gives no refresh tokens"),
    ] {
        let error = engine.issue_token(&request).expect_err(why);
        assert!(error.message().contains(why), "{error} does not say {why}");
        assert!(matches!(error.kind(), ErrorKind::Input | ErrorKind::Conflict), "{error}");
    }
    let bare = engine_without_signer();
    assert!(bare.issue_token(&ALICE).unwrap_err().message().contains("no [[signer]]"));
    let reader = Engine::new(
        policy::parse(
            "[[route]]\npath = '/'\naccess = 'public'\n[engine]\nstate = ':memory:'\n",
            Path::new("x"),
            Path::new(""),
        )
        .unwrap(),
        Options { read_only: true, ..Options::default() },
    );
    reader.start().unwrap();
    assert!(reader.issue_token(&ALICE).unwrap_err().message().contains("only reads"));
}

fn engine_without_signer() -> Engine {
    let text = "[engine]\nstate = ':memory:'\n[[route]]\npath = '/'\naccess = 'public'\n";
    let engine = Engine::new(policy::parse(text, Path::new("x"), Path::new("")).unwrap(), Options::default());
    engine.start().unwrap();
    engine
}

/// A new key signs from a reload on; tokens of the old one are good while it stands under `previous`, and no longer.
#[test]
fn a_key_is_rotated_without_a_gap() {
    let (folder, engine) = es256();
    let file = |name: &str| std::fs::write(folder.path().join(name), pem(Algorithm::Es256)).unwrap();
    let old = engine.issue_token(&ALICE).unwrap();
    file("second.pem");
    let rotated = "algorithm = \"ES256\"\nkey = { file = \"second.pem\" }\nprevious = { file = \"signing.pem\" }";
    engine.replace(load(folder.path(), rotated)).unwrap();
    let new = engine.issue_token(&ALICE).unwrap();
    assert_ne!(parts(&old).0["kid"], parts(&new).0["kid"]);
    for tokens in [&old, &new] {
        assert_eq!(decide(&engine, "/clerk", &tokens.access, NOW).0, Reason::Allowed);
    }
    let keys = published::key_set(&engine.policy(), &engine.policy().signers);
    let kids: Vec<_> = keys["keys"].as_array().unwrap().iter().map(|key| key["kid"].clone()).collect();
    assert_eq!(kids, [parts(&new).0["kid"].clone(), parts(&old).0["kid"].clone()]);

    engine.replace(load(folder.path(), "algorithm = \"ES256\"\nkey = { file = \"second.pem\" }")).unwrap();
    assert_eq!(decide(&engine, "/clerk", &old.access, NOW).0, Reason::TokenKeyUnknown);
    assert_eq!(decide(&engine, "/clerk", &new.access, NOW).0, Reason::Allowed);

    // Another algorithm goes the same way.
    std::fs::write(folder.path().join("third.pem"), pem(Algorithm::EdDsa)).unwrap();
    let other = "algorithm = \"EdDSA\"\nkey = { file = \"third.pem\" }\n\
                 previous = { file = \"second.pem\", algorithm = \"ES256\" }";
    engine.replace(load(folder.path(), other)).unwrap();
    let newest = engine.issue_token(&ALICE).unwrap();
    for tokens in [&new, &newest] {
        assert_eq!(decide(&engine, "/clerk", &tokens.access, NOW).0, Reason::Allowed);
    }
}

/// Another library, which knows nothing but the published keys, comes to the same verdict.
#[test]
fn others_verify_the_tokens_by_the_published_keys() {
    use jsonwebtoken::{DecodingKey, Validation, decode};
    for algorithm in [Algorithm::Es256, Algorithm::Es384, Algorithm::Rs256, Algorithm::Ps512, Algorithm::EdDsa] {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("signing.pem"), pem(algorithm)).unwrap();
        let signer = format!("algorithm = \"{}\"\nkey = {{ file = \"signing.pem\" }}", algorithm.name());
        let engine = engine(folder.path(), &signer);
        let tokens = engine.issue_token(&ALICE).unwrap();
        let keys = published::key_set(&engine.policy(), &engine.policy().signers);
        let jwk: jsonwebtoken::jwk::Jwk = serde_json::from_value(keys["keys"][0].clone()).unwrap();
        let mut validation = Validation::new(algorithm.name().parse().unwrap());
        validation.set_audience(&["orders"]);
        validation.set_issuer(&["https://orders.example.com"]);
        validation.validate_exp = false;
        let key = DecodingKey::from_jwk(&jwk).unwrap();
        let read = decode::<Value>(&tokens.access, &key, &validation).unwrap();
        assert_eq!(read.claims["sub"], "alice");
        let bent = format!("{}A", tokens.access.strip_suffix(|_: char| true).unwrap());
        if bent != *tokens.access {
            assert!(decode::<Value>(&bent, &key, &validation).is_err(), "{}", algorithm.name());
        }
    }
}
