//! The small service that C programs and servers are tested against.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use data_encoding::BASE64URL_NOPAD as B64;
use gatepost::credential::api_key;
use gatepost::crypto::password::{Cost, hash};
use gatepost::policy::model::StateLocation;
use gatepost::state::{self, ApiKey, User};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::{check, scratch, tool};

/// Throttles are far off, because the tests guess wrong on purpose; hashing is cheap and a password long remembered, because
/// valgrind is slow.
const POLICY: &str = r#"
[engine]
name = "Orders"
state = "gatepost.db"
schemes = ["basic"]

[password]
memory_kib = 1024
iterations = 1
remember = "1h"

[identity]
subject = "X-Auth-Subject"
roles = "X-Auth-Roles"

[throttle]
account = { failures = 1000000, per = "15m" }
address = { failures = 1000000, per = "15m" }
prefix = { failures = 1000000, per = "15m" }
pair = { failures = 1000000, per = "15m" }

[[role]]
name = "clerk"
[[role]]
name = "admin"

[[route]]
path = "/public"
access = "public"

[[route]]
path = "/private"

[[issuer]]
name = "staff"
issuer = "https://staff.example.com"
audience = ["orders"]
algorithms = ["HS256"]
keys = { secret_file = "staff.secret" }
users = "local"

[[route]]
path = "/token"
schemes = ["bearer"]

[[certificate]]
subject = "CN=client,O=Example"
user = "alice"

[[route]]
path = "/certificate"
schemes = ["client-cert"]

[[route]]
path = "/admin"
require = { role = "admin" }
"#;

/// Signs the tokens of the issuer `staff`.
const SECRET: &[u8] = b"vN3pQ8sXz2LkT7wYb5RdHc9FmJ4gUe6A";

/// A token of alice, good for an hour.
fn token(id: &str, session: &str) -> String {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("clock").as_secs();
    let claims = format!(
        "{{\"iss\":\"https://staff.example.com\",\"aud\":\"orders\",\"sub\":\"alice\",\"iat\":{now},\"exp\":{},\
         \"jti\":\"{id}\",\"sid\":\"{session}\",\"scope\":\"a b\"}}",
        now + 3_600
    );
    let signed = format!("{}.{}", B64.encode(b"{\"alg\":\"HS256\"}"), B64.encode(claims.as_bytes()));
    let mac = Hmac::<Sha256>::new_from_slice(SECRET).expect("key").chain_update(signed.as_bytes());
    format!("{signed}.{}", B64.encode(&mac.finalize().into_bytes()))
}

/// A signer whose tokens the route /token takes too.
const SIGNER: &str = r#"
[[signer]]
name = "access"
issuer = "https://orders.example.com"
audience = ["orders", "mail"]
algorithm = "HS256"
key = { secret_file = "signing.key" }
refresh = { lifetime = "30d" }
"#;

/// A folder with the policy and a state in which alice is a clerk.
pub fn service(kind: &str, program: &str) -> PathBuf {
    let folder = scratch(&format!("{kind}_service")).join(program);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("folder");
    fs::write(folder.join("policy.toml"), POLICY).expect("policy");
    let cost = Cost { memory_kib: 1024, iterations: 1, parallelism: 1 };
    let alice = User {
        name: "alice".into(),
        hash: Some(hash(b"correct horse battery staple", cost).expect("hashed")),
        roles: vec!["clerk".into()],
        disabled: false,
        created_at: 1,
        password_changed_at: Some(1),
        tokens_from: 1,
    };
    let state = state::open(&StateLocation::File(folder.join("gatepost.db"))).expect("state");
    state.add_user(&alice).expect("alice");
    fs::write(folder.join("staff.secret"), SECRET).expect("secret");
    if program == "tokens" {
        for (name, id, session) in
            [("first", "t1", "s1"), ("second", "t2", "s1"), ("third", "t3", "s2"), ("fourth", "t4", "s2")]
        {
            fs::write(folder.join(format!("{name}.jwt")), token(id, session)).expect("token");
        }
    }
    if program == "issuing" {
        extend(&folder, SIGNER);
        fs::write(folder.join("signing.key"), "kT7vQz2mXw9LrB4nYd6HcJ8sPfG3aUe5").expect("signing.key");
    }
    if program == "certificates" {
        certificate(&folder.join("client.der"), "/O=Example/CN=client");
        certificate(&folder.join("stranger.der"), "/O=Example/CN=stranger");
    }
    folder
}

/// A certificate for a subject in OpenSSL's own form, that signs itself.
pub fn certificate(path: &Path, subject: &str) {
    let key = path.with_extension("key");
    check(
        Command::new(tool("openssl", "openssl"))
            .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"])
            .args(["-outform", "DER", "-utf8", "-subj", subject, "-keyout"])
            .arg(key)
            .arg("-out")
            .arg(path),
    );
}

/// Adds text to the policy of a service.
pub fn extend(folder: &Path, more: &str) {
    let file = folder.join("policy.toml");
    fs::write(&file, fs::read_to_string(&file).expect("policy") + more).expect("policy");
}

/// Adds a user, with a hash or without a password.
pub fn add_user(folder: &Path, name: &str, hash: Option<String>) {
    let user = User {
        name: name.into(),
        hash,
        roles: Vec::new(),
        disabled: false,
        created_at: 1,
        password_changed_at: None,
        tokens_from: 1,
    };
    state::open(&StateLocation::File(folder.join("gatepost.db"))).expect("state").add_user(&user).expect("added");
}

/// Gives alice an API key.
pub fn add_key(folder: &Path) -> String {
    let fresh = api_key::generate().expect("key");
    let key = ApiKey {
        id: "key-1".into(),
        name: "ci".into(),
        user: "alice".into(),
        digest: fresh.digest,
        scopes: Vec::new(),
        roles: None,
        created_at: 1,
        expires_at: None,
        revoked_at: None,
        last_used_at: None,
    };
    state::open(&StateLocation::File(folder.join("gatepost.db"))).expect("state").add_api_key(&key).expect("stored");
    fresh.secret.to_string()
}
