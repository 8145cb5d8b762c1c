//! Proofs of every algorithm, and each way in which one is wrong.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::crypto::key::tests::private;
use crate::crypto::private::PrivateKey;
use crate::target::Host;

const NOW: i64 = 1_790_000_040;
const TOKEN: &str = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU";
const CLOCK: Clock = Clock { now: NOW, leeway: 30 };

/// What a test changes.
struct Client {
    key: PrivateKey,
    algorithm: Algorithm,
    header: Value,
    claims: Value,
}

impl Client {
    fn new(algorithm: Algorithm) -> Client {
        let key = private(algorithm);
        let header = json!({"typ": "dpop+jwt", "alg": algorithm.name(), "jwk": key.public().to_jwk()});
        let ath = BASE64URL_NOPAD.encode(&Sha256::digest(TOKEN));
        let claims =
            json!({"jti": "e1j3V_bKic8-LAEB", "htm": "GET", "htu": "https://e.example/a", "iat": NOW, "ath": ath});
        Client { key, algorithm, header, claims }
    }

    /// With a member of the header or the claims changed; null takes it away.
    fn with(mut self, part: &str, name: &str, value: Value) -> Client {
        let part = if part == "header" { &mut self.header } else { &mut self.claims };
        match value {
            Value::Null => _ = part.as_object_mut().unwrap().remove(name),
            value => part[name] = value,
        }
        self
    }

    fn proof(&self) -> String {
        self.sign(&self.header.to_string(), &self.claims.to_string())
    }

    fn sign(&self, header: &str, claims: &str) -> String {
        let encode = |text: &str| BASE64URL_NOPAD.encode(text.as_bytes());
        let signed = format!("{}.{}", encode(header), encode(claims));
        let signature = self.key.sign(self.algorithm, signed.as_bytes()).unwrap();
        format!("{signed}.{}", BASE64URL_NOPAD.encode(&signature))
    }

    fn thumbprint(&self) -> [u8; 32] {
        self.key.public().thumbprint()
    }
}

fn uri() -> HttpUri {
    HttpUri::of(true, &Host::parse(b"e.example").unwrap(), b"/a")
}

fn check_at(proof: &str, key: &[u8; 32], strict: bool, nonces: Option<&Nonces>) -> Result<Proved, Refused> {
    check(proof, &Expected { method: "GET", uri: &uri(), token: TOKEN.as_bytes(), key, strict, clock: CLOCK, nonces })
}

fn check_for(proof: &str, key: &[u8; 32]) -> Result<Proved, Refused> {
    check_at(proof, key, false, None)
}

fn reason(client: &Client) -> Result<Proved, (Reason, String)> {
    check_for(&client.proof(), &client.thumbprint()).map_err(|refused| (refused.reason, refused.detail))
}

/// Refused as `dpop_proof` with this in the detail.
fn wrong_with(client: &Client, detail: &str) {
    let (reason, seen) = reason(client).unwrap_err();
    assert!(reason == Reason::DpopProof && seen.contains(detail), "{reason} {seen} in place of {detail}");
}

#[test]
fn a_proof_of_every_listed_algorithm_is_taken() {
    for algorithm in ALGORITHMS {
        let client = Client::new(algorithm);
        let proved = reason(&client).unwrap();
        let id = "e1j3V_bKic8-LAEB".to_owned();
        assert_eq!(proved, Proved { id, issued: NOW, made_at: NOW, algorithm, outdated_nonce: false });
        assert!(client.proof().len() <= MAX_LENGTH, "{}", algorithm.name());
    }
    let left: Vec<_> = Algorithm::ALL.iter().filter(|a| !ALGORITHMS.contains(a)).collect();
    assert!(left.iter().all(|algorithm| algorithm.is_symmetric()), "{left:?}");
}

#[test]
fn the_strict_profile_takes_no_pkcs1_and_no_short_rsa() {
    assert!(algorithms(true).all(|algorithm| algorithm.family() != Family::Rsa));
    assert_eq!(algorithms(true).count() + 3, algorithms(false).count());
    for (algorithm, detail) in [(Algorithm::Rs256, "alg is"), (Algorithm::Ps256, "jwk")] {
        let client = Client::new(algorithm);
        let refused = check_at(&client.proof(), &client.thumbprint(), true, None).unwrap_err();
        assert!(refused.reason == Reason::DpopProof && refused.detail.contains(detail), "{}", refused.detail);
    }
}

#[test]
fn type_and_algorithm_are_those_of_proofs() {
    let es256 = || Client::new(Algorithm::Es256);
    for typ in [json!(null), json!("JWT"), json!("at+jwt"), json!("dpop"), json!("DPoP+JWT"), json!("dpop+jwt ")] {
        wrong_with(&es256().with("header", "typ", typ), "typ is");
    }
    wrong_with(&es256().with("header", "typ", json!(1)), "typ");
    for alg in ["none", "HS256", "es256", "ES384", "EdDSA", "RS256", ""] {
        let (reason, _) = reason(&es256().with("header", "alg", json!(alg))).unwrap_err();
        assert_eq!(reason, Reason::DpopProof, "{alg}");
    }
    wrong_with(&es256().with("header", "alg", json!("none")), "alg is \"none\"; taken are ES256");
    wrong_with(&es256().with("header", "alg", json!(null)), "no alg");
    wrong_with(&es256().with("header", "crit", json!(["exp"])), "crit");
}

/// liboauth2 2.2.2: a proof that brought its private key along was taken.
#[test]
fn liboauth2_2_2_2_a_private_key_is_no_proof() {
    for (algorithm, member) in [
        (Algorithm::Es256, "d"),
        (Algorithm::EdDsa, "d"),
        (Algorithm::Rs256, "d"),
        (Algorithm::Ps256, "p"),
        (Algorithm::Rs256, "oth"),
        (Algorithm::MlDsa44, "priv"),
    ] {
        let mut client = Client::new(algorithm);
        client.header["jwk"][member] = json!("AQAB");
        wrong_with(&client, "private key");
    }
}

#[test]
fn the_key_comes_along_as_a_public_jwk_and_has_signed_the_proof() {
    let es256 = || Client::new(Algorithm::Es256);
    wrong_with(&es256().with("header", "jwk", json!(null)), "jwk is missing");
    for jwk in [json!("error"), json!([]), json!(7), json!(true)] {
        wrong_with(&es256().with("header", "jwk", jwk), "jwk is not an object");
    }
    for jwk in [
        json!({}),
        json!({"kty": "oct", "k": BASE64URL_NOPAD.encode(&[7; 64])}),
        json!({"kty": "EC", "crv": "secp256k1", "x": "AA", "y": "AA"}),
        json!({"keys": [es256().key.public().to_jwk()]}),
        json!(Client::new(Algorithm::Es384).key.public().to_jwk()),
        json!(Client::new(Algorithm::EdDsa).key.public().to_jwk()),
    ] {
        wrong_with(&es256().with("header", "jwk", jwk), "its jwk: ");
    }
    // A shared secret that everybody can read makes signatures that everybody can make.
    let hmac = es256().with("header", "alg", json!("HS256")).with("header", "jwk", json!({"kty": "oct", "k": "AA"}));
    wrong_with(&hmac, "alg is \"HS256\"");
    for (name, value) in
        [("use", json!("enc")), ("key_ops", json!(["sign"])), ("alg", json!("ES384")), ("alg", json!("none"))]
    {
        let mut client = es256();
        client.header["jwk"][name] = value;
        wrong_with(&client, "its jwk: ");
    }
    let mut browser = es256();
    browser.header["jwk"]["key_ops"] = json!(["verify"]);
    browser.header["jwk"]["ext"] = json!(true);
    assert!(reason(&browser).is_ok(), "as WebCrypto exports it");
    wrong_with(&es256().with("header", "jwk", json!(es256().key.public().to_jwk())), "its signature");
}

#[test]
fn every_claim_is_there_of_its_type_and_right() {
    let es256 = || Client::new(Algorithm::Es256);
    for name in ["jti", "htm", "htu", "iat", "ath"] {
        wrong_with(&es256().with("claims", name, json!(null)), &format!("{name} is missing"));
        for value in [json!(true), json!([]), json!({})] {
            wrong_with(&es256().with("claims", name, value), name);
        }
    }
    for name in ["jti", "htm", "htu", "ath"] {
        wrong_with(&es256().with("claims", name, json!(7)), "where a string belongs");
        wrong_with(&es256().with("claims", name, json!("")), name);
    }
    wrong_with(&es256().with("claims", "iat", json!("1790000040")), "iat");
    for htm in ["get", "POST", "GET ", "GET,POST", "HEAD"] {
        wrong_with(&es256().with("claims", "htm", json!(htm)), "htm is");
    }
    let other = BASE64URL_NOPAD.encode(&Sha256::digest("another token"));
    let own = BASE64URL_NOPAD.encode(&Sha256::digest(TOKEN));
    for ath in [other, format!("{own}="), own.to_lowercase(), TOKEN.into()] {
        wrong_with(&es256().with("claims", "ath", json!(ath)), "ath is");
    }
}

#[test]
fn the_uri_is_compared_in_one_spelling_without_query_and_fragment() {
    let of = |htu: &str| Client::new(Algorithm::Es256).with("claims", "htu", json!(htu));
    for htu in
        ["HTTPS://E.example:443/%61", "https://e.example./a", "https://e.example/a?x=1", "https://e.example/b/../a#f"]
    {
        assert!(reason(&of(htu)).is_ok(), "{htu}");
    }
    for htu in [
        "http://e.example/a",
        "https://e.example/A",
        "https://e.example/a/",
        "https://e.example/",
        "https://e.example:8443/a",
        "https://e.example.com/a",
        "https://u@e.example/a",
        "//e.example/a",
        "/a",
        "a",
        "https://e.example/%2561",
    ] {
        wrong_with(&of(htu), "htu is");
    }
}

#[test]
fn the_time_is_that_of_the_client_within_the_leeway() {
    let at = |iat: Value| Client::new(Algorithm::Es256).with("claims", "iat", iat);
    for offset in [-90, -60, -1, 0, 30] {
        assert_eq!(reason(&at(json!(NOW + offset))).unwrap().made_at, NOW + offset);
    }
    assert_eq!(reason(&at(json!(NOW as f64 - 1.5))).unwrap().made_at, NOW - 2, "rounded down, never younger");
    wrong_with(&at(json!(NOW - 91)), "91 s ago");
    wrong_with(&at(json!(NOW + 31)), "31 s ahead");
    wrong_with(&at(json!(NOW as f64 + 30.5)), "ahead");
    for iat in [json!(-1), json!(0), json!(1e300), json!(253_402_300_800_i64)] {
        wrong_with(&at(iat), "iat");
    }
    // The oldest that is taken is the oldest that is remembered.
    assert!(reason(&at(json!(oldest(CLOCK)))).is_err() && oldest(CLOCK) <= NOW - AGE - CLOCK.leeway);
}

/// RFC 7519 sections 4.1.4 and 4.1.5: who writes them means them.
#[test]
fn a_proof_that_says_so_itself_is_over_or_not_yet_good() {
    let nonces = Nonces::new(&[7; 32]);
    let with = |name: &str, value: Value| Client::new(Algorithm::Es256).with("claims", name, value);
    for (name, value) in [
        ("exp", json!(NOW - 3_600)),
        ("exp", json!(NOW - 30)),
        ("exp", json!("x")),
        ("exp", json!([])),
        ("exp", json!(-1)),
        ("nbf", json!(NOW + 3_600)),
        ("nbf", json!(NOW + 31)),
        ("nbf", json!("x")),
        ("nbf", json!(1e300)),
    ] {
        wrong_with(&with(name, value.clone()), name);
        let client = with(name, value).with("claims", "nonce", json!(nonces.at(NOW)));
        let refused = check_at(&client.proof(), &client.thumbprint(), false, Some(&nonces)).unwrap_err();
        assert_eq!(refused.reason, Reason::DpopProof, "also where the time is the nonce's");
    }
    for (name, value) in [("exp", NOW - 29), ("exp", NOW + 3_600), ("nbf", NOW + 30), ("nbf", 0)] {
        assert!(reason(&with(name, json!(value))).is_ok(), "{name} {value}");
    }
    let null = Client::new(Algorithm::Es256);
    let claims = null.claims.to_string().replacen('{', "{\"exp\":null,", 1);
    let refused = check_for(&null.sign(&null.header.to_string(), &claims), &null.thumbprint()).unwrap_err();
    assert_eq!(refused.reason, Reason::DpopProof, "null is a wrong type");
}

#[test]
fn where_a_nonce_is_asked_for_the_time_is_the_nonces() {
    let nonces = Nonces::new(&[7; 32]);
    let asked = |client: &Client| check_at(&client.proof(), &client.thumbprint(), false, Some(&nonces));
    let with = |nonce: Value| Client::new(Algorithm::Es256).with("claims", "nonce", nonce);
    assert_eq!(asked(&with(json!(null))).unwrap_err().reason, Reason::DpopNonce);
    for nonce in [String::new(), "x".into(), Nonces::new(&[8; 32]).at(NOW), nonces.at(NOW - 120)] {
        assert_eq!(asked(&with(json!(nonce))).unwrap_err().reason, Reason::DpopNonce, "{nonce}");
    }
    assert_eq!(asked(&with(json!(7))).unwrap_err().reason, Reason::DpopProof);
    let fresh = asked(&with(json!(nonces.at(NOW)))).unwrap();
    assert_eq!((fresh.made_at, fresh.outdated_nonce), (NOW, false));
    let before = asked(&with(json!(nonces.at(NOW - 1)))).unwrap();
    assert_eq!((before.made_at, before.outdated_nonce), (NOW - SLOT, true));
    assert!(before.made_at >= oldest(CLOCK));
    // A client whose clock is wrong is helped by it, but its iat must be a time.
    let wrong_clock = with(json!(nonces.at(NOW))).with("claims", "iat", json!(NOW - 86_400));
    assert!(asked(&wrong_clock).is_ok());
    let no_time = with(json!(nonces.at(NOW))).with("claims", "iat", json!(null));
    assert_eq!(asked(&no_time).unwrap_err().reason, Reason::DpopProof);
    // Where none is asked for, one from elsewhere is not looked at.
    assert!(reason(&with(json!("x"))).is_ok());
}

#[test]
fn a_proof_of_another_key_is_a_binding_that_fails() {
    let (own, other) = (Client::new(Algorithm::Es256), Client::new(Algorithm::Es256));
    let refused = check_for(&other.proof(), &own.thumbprint()).unwrap_err();
    assert_eq!(refused.reason, Reason::TokenBinding);
    assert!(refused.detail.contains("cnf.jkt"), "{}", refused.detail);
    // But first it has to be a proof.
    let bad = Client::new(Algorithm::Es256).with("claims", "htm", json!("PUT"));
    assert_eq!(check_for(&bad.proof(), &own.thumbprint()).unwrap_err().reason, Reason::DpopProof);
}

#[test]
fn forms_that_are_no_compact_jws_are_refused() {
    let client = Client::new(Algorithm::Es256);
    let proof = client.proof();
    let twice = |text: &str, member: &str| format!("{{{member},{}", &text[1..]);
    let (header, claims) = (client.header.to_string(), client.claims.to_string());
    let forms = [
        String::new(),
        "x".into(),
        "..".into(),
        format!("{proof}="),
        format!("{proof}.e30"),
        format!("{proof}, {proof}"),
        format!(" {proof}"),
        proof[..proof.rfind('.').unwrap() + 1].into(),
        client.sign(&twice(&header, "\"typ\":\"dpop+jwt\""), &claims),
        client.sign(&twice(&header, "\"jwk\":{}"), &claims),
        client.sign(&header, &twice(&claims, "\"htm\":\"GET\"")),
        client.sign(&header, &twice(&claims, "\"h\\u0074m\":\"GET\"")),
        client.sign(&header, "[]"),
        client.sign(&header, ""),
        client.sign("{}", &claims),
    ];
    for form in forms {
        let refused = check_for(&form, &client.thumbprint()).unwrap_err();
        assert_eq!(refused.reason, Reason::DpopProof, "{form}");
    }
    let long = client.with("claims", "x", json!("x".repeat(MAX_LENGTH)));
    wrong_with(&long, "octets");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// A proof is for one method, place, token, key and time: right with all of them, wrong with any other.
    #[test]
    fn a_proof_for_anything_else_is_refused(
        method in "(GET|GET|GET|[A-Z]{3,4})",
        host in "(e|e|e|[a-f])\\.example",
        path in "/(a|a|a|[a-c]?)",
        secure in prop::bool::weighted(0.8),
        own_token in prop::bool::weighted(0.8),
        own_key in prop::bool::weighted(0.8),
        offset in prop_oneof![3 => -30..=90i64, 1 => -200..200i64],
    ) {
        let client = Client::new(Algorithm::EdDsa);
        let place = HttpUri::of(secure, &Host::parse(host.as_bytes()).unwrap(), path.as_bytes());
        let expected = Expected {
            method: &method,
            uri: &place,
            token: if own_token { TOKEN.as_bytes() } else { b"another" },
            key: &if own_key { client.thumbprint() } else { Client::new(Algorithm::EdDsa).thumbprint() },
            strict: false,
            clock: Clock { now: NOW + offset, ..CLOCK },
            nonces: None,
        };
        let good = method == "GET" && place == uri() && own_token && own_key && (-30..=90).contains(&offset);
        prop_assert_eq!(check(&client.proof(), &expected).is_ok(), good);
    }

    /// Any octet of a proof that is changed.
    #[test]
    fn a_proof_that_was_changed_is_refused(at: prop::sample::Index, to in "[A-Za-z0-9_.=-]") {
        let client = Client::new(Algorithm::EdDsa);
        let mut proof = client.proof();
        let at = at.index(proof.len());
        prop_assume!(proof[at..=at] != to);
        proof.replace_range(at..=at, &to);
        prop_assert!(check_for(&proof, &client.thumbprint()).is_err(), "{proof}");
    }

    #[test]
    fn any_text_is_read_or_refused(proof in "(\\PC{0,40}|[A-Za-z0-9_-]{0,60}\\.[A-Za-z0-9_-]{0,60}\\.[A-Za-z0-9_-]{0,90})") {
        prop_assert!(check_for(&proof, &[0; 32]).is_err(), "{proof}");
    }
}
