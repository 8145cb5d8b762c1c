//! Proofs of possession that others made: those of a DPoP library in Go, and the figures of RFC 9449.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "clippy exempts the test functions themselves, not what they call"
)]

mod tools;

use data_encoding::BASE64URL_NOPAD;
use gatepost::answer::challenge::{self, Details, Said, Tokens};
use gatepost::credential::authorization::{Authorization, is_joined};
use gatepost::crypto::jwk;
use gatepost::identity::Scheme;
use gatepost::json::Object;
use gatepost::reason::Reason;
use gatepost::target::HttpUri;
use gatepost::token::claims::Clock;
use gatepost::token::dpop::{Expected, Proved, check};
use gatepost::token::{Binding, Refused};
use serde_json::Value;
use tools::vectors::{list, vectors};

/// The second part of a JWS as it says, or null.
fn claims(jws: &str) -> Value {
    let part = jws.split('.').nth(1).and_then(|part| BASE64URL_NOPAD.decode(part.as_bytes()).ok());
    part.and_then(|part| serde_json::from_slice(&part).ok()).unwrap_or_default()
}

/// The thumbprint of the key that a proof brings along; zeros where it brings none.
fn thumbprint(jws: &str) -> [u8; 32] {
    let header = BASE64URL_NOPAD.decode(jws.split('.').next().unwrap().as_bytes()).unwrap_or_default();
    let header: Value = serde_json::from_slice(&header).unwrap_or_default();
    let public = header["jwk"].as_object().and_then(|jwk| jwk::public(jwk).ok().flatten());
    public.map_or([0; 32], |public| public.thumbprint())
}

/// Holds a proof against the request and the time that it names itself, and this token.
fn taken(proof: &str, token: &str) -> Result<Proved, Refused> {
    let claims = claims(proof);
    let method = claims["htm"].as_str().unwrap_or("GET");
    let uri = HttpUri::parse(claims["htu"].as_str().unwrap_or_default())
        .unwrap_or_else(|| HttpUri::parse("https://server.example.com/token").unwrap());
    let clock = Clock { now: claims["iat"].as_i64().unwrap_or(1_562_262_616), leeway: 0 };
    let key = thumbprint(proof);
    check(
        proof,
        &Expected { method, uri: &uri, token: token.as_bytes(), key: &key, strict: false, clock, nonces: None },
    )
}

/// Proofs for a token endpoint carry no `ath`, which a request with a token must have (RFC 9449 section 4.3, check 12):
/// of those, everything up to it is right. With their `ath` they are right altogether.
#[test]
fn proofs_of_a_library_in_go_are_judged_as_there() {
    let Some(file) = vectors("dpop/go_dpop_proofs.json") else { return };
    let (mut whole, mut but_for_ath, mut refused, mut digests) = (0, 0, 0, 0);
    for case in list(&file) {
        let (name, proof) = (case["name"].as_str().unwrap(), case["value"].as_str().unwrap());
        if name == "validES256LeadingZeroes_ath" {
            // No proof, but the digest of an access token: 43 characters of base64url.
            assert_eq!(BASE64URL_NOPAD.decode(proof.as_bytes()).unwrap().len(), 32);
            digests += 1;
            continue;
        }
        // The token is not in the collection but for one; where it is not, the digest cannot be right.
        let token =
            if claims(proof)["ath"] == "n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg" { "test" } else { "unknown" };
        match (case["expect"].as_str().unwrap(), taken(proof, token)) {
            ("accept", Ok(proved)) => {
                assert_eq!(proved.made_at, claims(proof)["iat"].as_i64().unwrap(), "{name}");
                whole += 1;
            }
            ("accept", Err(no)) => {
                assert_eq!(no.reason, Reason::DpopProof, "{name}");
                assert!(no.detail.contains(": ath is "), "{name}: {}", no.detail);
                but_for_ath += 1;
            }
            ("reject", Err(no)) => {
                assert_eq!(no.reason, Reason::DpopProof, "{name}");
                assert!(!no.detail.contains(": ath is "), "{name}: {}", no.detail);
                refused += 1;
            }
            (expect, seen) => panic!("{name}: {expect}, {seen:?}"),
        }
    }
    assert_eq!((whole, but_for_ath, refused, digests), (1, 8, 7, 1));
}

/// A message's field of this name.
fn field<'m>(message: &'m str, name: &str) -> Option<&'m str> {
    message.lines().find_map(|line| line.trim().strip_prefix(name)?.strip_prefix(": "))
}

#[test]
fn the_figures_of_rfc_9449_are_read_as_it_says() {
    let Some(file) = vectors("dpop/rfc9449_figures.json") else { return };
    let figures = list(&file);
    let figure = |anchor: &str| {
        let found = figures.iter().find(|figure| figure["anchor"] == anchor).unwrap_or_else(|| panic!("{anchor}"));
        found["unfolded"].as_str().unwrap()
    };
    assert_eq!(figures.len(), 25);

    // Proofs for the token endpoint: all is right but that they are for no token.
    for anchor in ["dpop-proof-jwt", "token-request-code", "token-request-rt"] {
        let proof = field(figure(anchor), "DPoP").unwrap();
        let no = taken(proof, "x").unwrap_err();
        assert!(no.detail.ends_with("ath is missing"), "{anchor}: {}", no.detail);
    }
    let shown = figure("dpop-proof").split_once("\n.\n").unwrap();
    let proof = field(figure("dpop-proof-jwt"), "DPoP").unwrap();
    assert_eq!(claims(proof), serde_json::from_str::<Value>(shown.1).unwrap());

    // The request with a token: right, and for nothing else.
    let request = figure("protected-resource-request");
    let proof = field(request, "DPoP").unwrap();
    let token = match Authorization::parse(field(request, "Authorization").unwrap().as_bytes()) {
        Ok(Authorization::Dpop(token)) => token,
        other => panic!("{other:?}"),
    };
    let proved = taken(proof, token).unwrap();
    assert_eq!((proved.id.as_str(), proved.made_at), ("e1j3V_bKic8-LAEB", 1_562_262_618));
    assert_eq!(taken(proof, "another").unwrap_err().reason, Reason::DpopProof);
    let shown = figure("dpop-proof-pr").split_once("\n.\n").unwrap();
    assert_eq!(claims(proof), serde_json::from_str::<Value>(shown.1).unwrap());

    // The token that is bound to that key, and the claim alone.
    let bound = claims(figure("cnf-claim-jwt").trim());
    let shown: Value = serde_json::from_str(figure("cnf-claim")).unwrap();
    assert_eq!(bound["cnf"], shown["cnf"]);
    let object = Object::read(shown.to_string().into_bytes()).unwrap();
    let binding = Binding::read(object.get("cnf").unwrap()).unwrap();
    assert_eq!(binding, Binding { key: Some(thumbprint(proof)), ..Binding::default() });

    // Two credentials, also where a server joins them.
    let ambiguous = figure("multi-challenge-ambiguous");
    let sent: Vec<&str> = ambiguous.lines().filter_map(|line| line.strip_prefix("Authorization: ")).collect();
    assert!(sent.len() == 2 && is_joined(sent.join(", ").as_bytes()));

    // What is answered: the same challenges, without descriptions and with a realm for Bearer.
    let said = |reason, used: Option<bool>, proofs| {
        let tokens = Tokens { bound_only: used == Some(true), proofs: Some(proofs), proved: used == Some(true) };
        let (details, used) = (Details::default(), used.map(|_| Scheme::Bearer));
        challenge::fields(&[Scheme::Bearer], &Said { realm: "x", used, reason, details: &details, tokens })
    };
    let shows = |title: &str, part: &str| {
        figures.iter().any(|figure| {
            figure["title"].as_str().unwrap().trim() == title && figure["unfolded"].as_str().unwrap().contains(part)
        })
    };
    let both = said(Reason::CredentialsMissing, None, "ES256 PS256");
    assert_eq!(both, ["Bearer realm=\"x\"", "DPoP algs=\"ES256 PS256\""]);
    let unauthenticated = "HTTP 401 Response to a Protected Resource Request without Authentication";
    assert!(shows(unauthenticated, "Authenticate: DPoP algs=\"ES256 PS256\""));
    assert!(shows(unauthenticated, "Authenticate: Bearer, DPoP algs=\"ES256 PS256\""));
    let invalid = said(Reason::TokenBinding, Some(true), "ES256");
    assert_eq!(invalid, ["DPoP algs=\"ES256\", error=\"invalid_token\""]);
    let title = "HTTP 401 Response to a Protected Resource Request with an Invalid Token";
    assert!(shows(title, "DPoP error=\"invalid_token\"") && shows(title, "algs=\"ES256\""));
    let invalid = said(Reason::TokenMalformed, Some(false), "ES256 PS256");
    assert_eq!(invalid, ["Bearer realm=\"x\", error=\"invalid_token\"", "DPoP algs=\"ES256 PS256\""]);
    let title = "HTTP 401 Response to a Protected Resource Request with Invalid Authentication";
    assert!(shows(title, "Bearer error=\"invalid_token\"") && shows(title, "DPoP algs=\"ES256 PS256\""));
    let nonce = said(Reason::DpopNonce, Some(true), "ES256");
    assert_eq!(nonce, ["DPoP algs=\"ES256\", error=\"use_dpop_nonce\""]);
    let title = "HTTP 401 Response to a Resource Request without a Nonce";
    assert!(shows(title, "DPoP error=\"use_dpop_nonce\"") && shows(title, "DPoP-Nonce: "));
}
