//! `[[signer]]`: its keys, those before it, and what it must not share.

use std::path::Path;

use super::{GOOD_SECRET, file, sound_issuer};
use crate::crypto::algorithm::Algorithm;
use crate::crypto::key::tests::{pem, pkcs8};
use crate::policy::{Diagnostic, Loaded, parse};

/// A folder with a secret, and keys of two kinds in PEM.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let other: String = GOOD_SECRET.chars().rev().collect();
    file(folder.path(), "good.key", GOOD_SECRET.as_bytes(), 0o600);
    file(folder.path(), "old.key", other.as_bytes(), 0o600);
    for (name, algorithm) in
        [("es256.pem", Algorithm::Es256), ("old.pem", Algorithm::Es256), ("rs256.pem", Algorithm::Rs256)]
    {
        file(folder.path(), name, pem("PRIVATE KEY", &pkcs8(algorithm)).as_bytes(), 0o600);
    }
    folder
}

fn signer(rest: &str) -> String {
    format!("[[signer]]\nname = 's'\nissuer = 'https://me'\naudience = ['x', 'y']\n{rest}")
}

fn load(text: &str, folder: &Path) -> Result<Loaded, Vec<Diagnostic>> {
    parse(&format!("{text}[[route]]\npath = '/'\nschemes = 'bearer'\n"), Path::new("orders.toml"), folder)
}

fn errors(text: &str, folder: &Path) -> Vec<String> {
    let list = load(text, folder).unwrap_err();
    let line = |d: &Diagnostic| format!("{}:{} {} | {}", d.line, d.column, d.message, d.help);
    list.iter().map(line).map(|text| text.replace(&folder.display().to_string(), "FOLDER")).collect()
}

#[test]
fn a_signer_is_an_issuer_whose_subjects_are_local_users() {
    let folder = folder();
    let text = signer(
        "algorithm = 'ES256'\nkey = { file = 'es256.pem' }\nprevious = [{ file = 'old.pem' }, { file = 'rs256.pem', algorithm = 'RS256', kid = 'older' }]\n",
    );
    let loaded = load(&format!("{}{text}", sound_issuer!("")), folder.path()).unwrap();
    assert!(loaded.warnings.is_empty(), "{:#?}", loaded.warnings);
    let policy = loaded.policy;
    let signer = &policy.signers[0];
    assert_eq!((signer.believed, signer.lifetime, signer.refresh), (1, 600, None));
    assert!(policy.is_own(1) && !policy.is_own(0));
    assert!(policy.signer(None).is_some() && policy.signer(Some("s")).is_some() && policy.signer(Some("t")).is_none());
    let issuer = &policy.issuers[1];
    assert!(issuer.local_users && issuer.grants.is_none() && issuer.claims.roles.is_none());
    assert_eq!((issuer.issuer.as_str(), issuer.types.as_slice()), ("https://me", &["at+jwt".to_owned()][..]));
    assert_eq!(issuer.algorithms, [Algorithm::Es256, Algorithm::Rs256]);
    let keys: Vec<_> = issuer.sources.iter().flat_map(|source| source.keys.as_ref().unwrap().iter()).collect();
    assert_eq!(keys.len(), 3);
    assert_eq!(keys[0].kid.as_deref(), signer.key.kid());
    assert_eq!((keys[2].kid.as_deref(), keys[2].algorithms()), (Some("older"), &[Algorithm::Rs256][..]));
}

#[test]
fn a_secret_signs_without_a_name_unless_it_is_given_one() {
    let folder = folder();
    let text = signer(
        "algorithm = 'HS512'\nkey = { secret_file = 'good.key' }\nprevious = { secret_file = 'old.key', kid = 'old' }\n\
         lifetime = '1h'\nrefresh = { lifetime = '30d', idle = '7d', grace = '0s' }\n",
    );
    let policy = load(&text, folder.path()).unwrap().policy;
    let signer = &policy.signers[0];
    assert_eq!((signer.key.kid(), signer.lifetime), (None, 3_600));
    let refresh = signer.refresh.unwrap();
    assert_eq!((refresh.lifetime, refresh.idle, refresh.grace), (2_592_000, Some(604_800), 0));
}

#[test]
fn what_is_wrong_about_keys_is_told_where_they_stand() {
    let folder = folder();
    file(folder.path(), "weak.pem", include_bytes!("../../crypto/signing/rsa1024.pem"), 0o600);
    file(folder.path(), "public.jwk", super::GOOD_KEY.as_bytes(), 0o600);
    for (rest, wanted) in [
        (
            "algorithm = 'ES256'\nkey = { secret_file = 'good.key' }\n",
            "6:7 ES256 signs with a private key, and a shared secret stands here | name the file of a private key with `file`, or write HS256, HS384 or HS512 as the algorithm",
        ),
        (
            "algorithm = 'ES384'\nkey = { file = 'es256.pem' }\n",
            "6:16 this key cannot sign: a key on P-256 cannot sign with ES384 | make one with `openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out signing.pem`",
        ),
        (
            "algorithm = 'RS256'\nkey = { file = 'weak.pem' }\n",
            "6:16 this key cannot sign: it is no sound RSA private key of 2048 to 8192 bits | make one with `openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:3072 -out signing.pem`",
        ),
        (
            "algorithm = 'ES256'\nkey = { file = 'public.jwk' }\n",
            "6:16 this key cannot sign: it is a public key; a private one is needed to sign | make one with `openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out signing.pem`",
        ),
        (
            "algorithm = 'HS256'\nkey = { file = 'es256.pem' }\n",
            "6:16 this key cannot sign: HS256 signs with a shared secret, which a file holds as a JWK of kty \"oct\" | Name the secret itself with `secret_file`",
        ),
        (
            "algorithm = 'ES256'\nkey = { file = 'gone.pem' }\n",
            "6:16 `FOLDER/gone.pem` cannot be read: No such file or directory (os error 2) | name a file that this process may read; paths are relative to the policy",
        ),
        (
            "algorithm = 'ES256'\nkey = { url = 'https://x' }\n",
            "6:9 `key` has no key `url` | its keys are `file`, `secret_file`, `secret_env`, `encoding`, `kid`",
        ),
        (
            "algorithm = 'ES256'\nkey = { kid = 'a' }\n",
            "6:7 this table names no key | add `file`, `secret_file` or `secret_env`",
        ),
        (
            "algorithm = 'ES256'\nkey = { file = 'es256.pem', secret_file = 'good.key' }\n",
            "6:7 this table names several keys | keep one of `file`, `secret_file` or `secret_env`",
        ),
        (
            "algorithm = 'ES256'\nkey = { file = 'es256.pem', encoding = 'hex' }\n",
            "6:40 `encoding` means nothing beside `file` | leave it out",
        ),
        (
            "algorithm = 'ES256'\nkey = { file = 'es256.pem' }\nprevious = { file = 'rs256.pem' }\n",
            "7:21 this old key cannot be used: an RSA key cannot verify ES256 | name the file of the old key; where it signed with another algorithm, add `algorithm = \"…\"` to its table",
        ),
        (
            "algorithm = 'ES256'\nkey = { file = 'es256.pem' }\nprevious = { secret_file = 'good.key', algorithm = 'HS256' }\n",
            "7:12 these keys cannot stand beside `key`: shared secrets stand beside public keys; keep either, and make two issuers where there are both | leave the key out under `previous`, or give it another `kid`",
        ),
        (
            "algorithm = 'ES256'\nkey = { file = 'es256.pem', kid = 'a' }\nprevious = { file = 'old.pem', kid = 'a' }\n",
            "7:12 these keys cannot stand beside `key`: two keys have the kid \"a\"; give each its own | leave the key out under `previous`, or give it another `kid`",
        ),
        (
            "algorithm = 'ES256'\nkey = { file = 'es256.pem' }\nrefresh = { }\n",
            "7:11 `refresh` has no `lifetime` | add `lifetime = \"15m\"`: how long after the login the last of its refresh tokens ends, however often they were exchanged",
        ),
    ] {
        assert_eq!(errors(&signer(rest), folder.path()), [wanted], "{rest}");
    }
    let strict =
        format!("[engine]\nprofile = 'strict'\n{}", signer("algorithm = 'RS256'\nkey = { file = 'rs256.pem' }\n"));
    let wanted = "7:13 this algorithm is refused by `profile = \"strict\"` | write \"ES256\" or \"PS256\"";
    assert_eq!(errors(&strict, folder.path()), [wanted]);
    let weak = strict.replace("RS256", "PS256");
    assert!(errors(&weak, folder.path())[0].contains("3072"), "{:?}", errors(&weak, folder.path()));
}

#[test]
fn names_and_issuers_are_nobody_elses() {
    let folder = folder();
    let sound = "algorithm = 'ES256'\nkey = { file = 'es256.pem' }\n";
    let one = signer(sound);
    let other = one.replace("'s'", "'t'");
    let wanted = "9:10 `issuer` is `https://me` also in the signer on line 1 | give each its own; a shorter lifetime or fewer audiences are asked for when a token is issued";
    assert_eq!(errors(&format!("{one}{other}"), folder.path()), [wanted]);
    let elsewhere = one.replace("https://me", "https://you");
    let wanted = "8:8 `name` is `s` also in the section on line 1 | give each its own, or make one section of the two";
    assert_eq!(errors(&format!("{one}{elsewhere}"), folder.path()), [wanted]);
    let issuer = sound_issuer!("");
    for (changed, wanted) in [
        (
            one.replace("https://me", "https://acc"),
            "9:10 `https://acc` is also an `[[issuer]]`: its tokens would be both strangers' and ours | leave that `[[issuer]]` out; the engine believes its own signers",
        ),
        (one.replace("'s'", "'acc'"), "8:8 `acc` is also the name of an `[[issuer]]` | give it a name of its own"),
    ] {
        assert_eq!(errors(&format!("{issuer}{changed}"), folder.path()), [wanted]);
    }
}

#[test]
fn who_else_can_read_a_key_is_a_warning() {
    let folder = folder();
    file(folder.path(), "open.pem", pem("PRIVATE KEY", &pkcs8(Algorithm::Es256)).as_bytes(), 0o644);
    let loaded = load(&signer("algorithm = 'ES256'\nkey = { file = 'open.pem' }\n"), folder.path()).unwrap();
    let [warning] = loaded.warnings.as_slice() else { panic!("{:#?}", loaded.warnings) };
    assert!(warning.message.contains("every user of this machine can read"), "{}", warning.message);
}
