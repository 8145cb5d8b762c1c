//! Whatever a host hands to `gatepost_token_issue` as claims: an error, or a token that the same engine believes and that
//! says just that.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "clippy exempts the test functions themselves, not what they call"
)]

use std::ptr::{null, null_mut};

use data_encoding::BASE64URL_NOPAD;
use gatepost::admin::{Admin, NewUser};
use gatepost::ffi::engine::{gatepost_engine, gatepost_engine_free, gatepost_engine_open, gatepost_engine_start};
use gatepost::ffi::token::{
    gatepost_issued, gatepost_token_issue, gatepost_token_request, gatepost_tokens_free, gatepost_tokens_view,
};
use gatepost::ffi::types::{GATEPOST_ERR_INVALID_ARGUMENT, GATEPOST_OK, gatepost_status, gatepost_str};
use gatepost::ffi::verified::{
    gatepost_token_verify, gatepost_token_view, gatepost_verified_free, gatepost_verified_view,
};
use gatepost::{policy, state};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

const NOW: i64 = 1_790_000_000;
const POLICY: &str = "[engine]\nstate = \"state.db\"\nschemes = [\"bearer\"]\n[[signer]]\nname = \"access\"\n\
    issuer = \"https://orders.example.com\"\naudience = [\"orders\"]\nalgorithm = \"HS256\"\n\
    key = { secret_file = \"secret.key\" }\n[[route]]\npath = \"/a\"\n";

struct Service {
    engine: *mut gatepost_engine,
    _folder: tempfile::TempDir,
}

fn text(bytes: &[u8]) -> gatepost_str {
    gatepost_str { ptr: bytes.as_ptr().cast(), len: bytes.len() }
}

/// A copy of what a view points to.
fn copy(view: gatepost_str) -> String {
    // SAFETY: the views of a handle that is still held.
    let bytes = unsafe { std::slice::from_raw_parts(view.ptr.cast::<u8>(), view.len) };
    String::from_utf8(bytes.to_vec()).unwrap()
}

impl Service {
    fn start() -> Service {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("policy.toml");
        std::fs::write(folder.path().join("secret.key"), "kT7vQz2mXw9LrB4nYd6HcJ8sPfG3aUe5").unwrap();
        std::fs::write(&path, POLICY).unwrap();
        let loaded = policy::load(&path).unwrap();
        let state = state::open(&loaded.policy.state).unwrap();
        let admin = Admin { policy: &loaded.policy, state: state.as_ref(), now: NOW - 60 };
        admin.seed_user(&NewUser { name: "alice", ..NewUser::default() }).unwrap();
        let mut engine = null_mut();
        let path = path.to_str().unwrap().as_bytes();
        // SAFETY: the header's rules are kept to.
        unsafe {
            assert_eq!(gatepost_engine_open(text(path), null(), &mut engine, null_mut()), GATEPOST_OK);
            assert_eq!(gatepost_engine_start(engine, null_mut()), GATEPOST_OK);
        }
        Service { engine, _folder: folder }
    }

    /// An access token for alice with these further claims.
    fn issue(&self, claims: &[u8]) -> Result<String, gatepost_status> {
        let none = text(b"");
        let request = gatepost_token_request {
            struct_size: size_of::<gatepost_token_request>(),
            signer: none,
            user: text(b"alice"),
            client_id: none,
            session: none,
            claims: text(claims),
            scopes: null(),
            scope_count: 0,
            audience: null(),
            audience_count: 0,
            factors: null(),
            factor_count: 0,
            lifetime: 0,
            authenticated_at: 0,
            now: NOW,
            flags: 0,
            reserved: 0,
        };
        let mut tokens = null_mut();
        // SAFETY: the header's rules are kept to.
        unsafe {
            match gatepost_token_issue(self.engine, &request, &mut tokens, null_mut()) {
                GATEPOST_OK => {}
                error => return Err(error),
            }
            let mut issued: gatepost_issued = std::mem::zeroed();
            issued.struct_size = size_of::<gatepost_issued>();
            assert_eq!(gatepost_tokens_view(tokens, &mut issued), GATEPOST_OK);
            let access = copy(issued.access_token);
            gatepost_tokens_free(tokens);
            Ok(access)
        }
    }

    /// What the engine says of a token.
    fn verdict(&self, token: &str) -> String {
        let mut verified = null_mut();
        // SAFETY: the header's rules are kept to.
        unsafe {
            let done = gatepost_token_verify(self.engine, text(token.as_bytes()), NOW, &mut verified, null_mut());
            assert_eq!(done, GATEPOST_OK);
            let mut view: gatepost_token_view = std::mem::zeroed();
            view.struct_size = size_of::<gatepost_token_view>();
            assert_eq!(gatepost_verified_view(verified, &mut view), GATEPOST_OK);
            let reason = copy(view.reason_name);
            gatepost_verified_free(verified);
            reason
        }
    }

    /// Nothing else comes of these claims than what may. The further claims of the token, where there is one.
    fn judge(&self, claims: &[u8]) -> Option<Map<String, Value>> {
        let token = match self.issue(claims) {
            Ok(token) => token,
            Err(status) => {
                assert_eq!(status, GATEPOST_ERR_INVALID_ARGUMENT, "{}", String::from_utf8_lossy(claims));
                return None;
            }
        };
        let payload = BASE64URL_NOPAD.decode(token.split('.').nth(1).unwrap().as_bytes()).unwrap();
        let mut says: Map<String, Value> = serde_json::from_slice(&payload).unwrap();
        // Who proves nothing is not believed where the token asks for a proof.
        let wanted = if says.contains_key("cnf") { "token_binding" } else { "allowed" };
        assert_eq!(self.verdict(&token), wanted, "{}", String::from_utf8_lossy(claims));
        assert_eq!((&says["iss"], &says["sub"]), (&json!("https://orders.example.com"), &json!("alice")));
        for own in ["iss", "sub", "aud", "client_id", "jti", "iat", "exp"] {
            assert!(says.remove(own).is_some(), "{own}");
        }
        Some(says)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // SAFETY: it is the one handle and is not used again.
        unsafe { gatepost_engine_free(self.engine) }
    }
}

thread_local! {
    static SERVICE: Service = Service::start();
}

/// The same by one service for all cases of a test.
fn judged(claims: &[u8]) -> Option<Map<String, Value>> {
    SERVICE.with(|service| service.judge(claims))
}

#[test]
fn claims_that_may_be_are_in_the_token_and_all_others_are_an_error() {
    for claims in [
        json!({}),
        json!({ "tenant": "x", "exact": 7.608_846_721_861_41e40, "roles": ["clerk"], "deep": { "a": [1, 2.5, null, true] }, "é": "ü" }),
    ] {
        assert_eq!(judged(claims.to_string().as_bytes()), claims.as_object().cloned(), "{claims}");
    }
    assert_eq!(judged(b""), Some(Map::new()), "none");
    for claims in
        [&b"x"[..], b"[]", b"{\"iss\":\"x\"}", b"{\"exp\":1}", b"{\"a\":1,\"a\":2}", b"\xff", b"{}\0", b"{\"cnf\":{}}"]
    {
        assert_eq!(judged(claims), None, "{}", String::from_utf8_lossy(claims));
    }
}

fn any_claims() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    let value = leaf.prop_recursive(5, 40, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((".{0,6}", inner), 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    });
    let name = prop_oneof![
        4 => "[a-z]{1,8}",
        1 => ".{0,4}",
        1 => prop::sample::select(vec!["exp", "nbf", "sid", "scope", "amr", "cnf", "roles", "typ"]).prop_map(str::to_owned),
    ];
    prop::collection::vec((name, value), 0..6).prop_map(|members| Value::Object(members.into_iter().collect()))
}

proptest! {
    #[test]
    fn any_octets_are_refused_or_make_a_token_that_verifies(octets: Vec<u8>, like_json in r#"\{["a-c:,\[\]{}0-9.eE\\u+ -]{0,24}\}"#) {
        judged(&octets);
        judged(like_json.as_bytes());
    }

    #[test]
    fn any_object_is_refused_or_stands_in_the_token_as_it_is(claims in any_claims(), cut in any::<prop::sample::Index>()) {
        let text = claims.to_string();
        if let Some(says) = judged(text.as_bytes()) {
            prop_assert_eq!(Value::Object(says), claims);
        }
        // Whatever is left of it where it was cut.
        judged(&text.as_bytes()[..cut.index(text.len())]);
    }
}
