//! Writing tokens: access tokens as RFC 9068 has them.

use data_encoding::BASE64URL_NOPAD;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::crypto::signing::SigningKey;
use crate::json::{self, Object, shown};
use crate::token::binding::Binding;
use crate::token::jws::MAX_LENGTH;

/// Claims that are the signer's to write; what is asked for beside them may have any other name.
pub const RESERVED: [&str; 12] =
    ["iss", "sub", "aud", "exp", "nbf", "iat", "jti", "client_id", "scope", "auth_time", "amr", "sid"];

/// Octets of further claims, at most.
const MOST_CLAIMS: usize = 4 * 1024;

/// What an access token says.
#[derive(Clone, Copy, Debug)]
pub struct Access<'c> {
    /// `iss`.
    pub issuer: &'c str,
    /// `sub`.
    pub subject: &'c str,
    /// `aud`, at least one.
    pub audience: &'c [String],
    /// `client_id`.
    pub client: &'c str,
    /// `jti`.
    pub id: &'c str,
    /// `iat`, Unix seconds.
    pub issued_at: i64,
    /// `exp`, Unix seconds.
    pub expires_at: i64,
    /// `scope`; empty: left out.
    pub scopes: &'c [String],
    /// `auth_time`, Unix seconds.
    pub authenticated_at: Option<i64>,
    /// `amr`; empty: left out.
    pub factors: &'c [String],
    /// `sid`.
    pub session: Option<&'c str>,
    /// Further claims.
    pub further: Option<&'c Map<String, Value>>,
}

/// Further claims from their JSON: an object that is no claim of the signer's own. The error says what is wrong.
pub fn further(text: &str) -> Result<Map<String, Value>, String> {
    if text.len() > MOST_CLAIMS {
        return Err(format!("they have {} octets; at most {MOST_CLAIMS} are taken", text.len()));
    }
    let claims = json::object(text.as_bytes()).map_err(|why| format!("they are no JSON object: {why}"))?;
    if let Some(name) = RESERVED.iter().find(|name| claims.contains_key(**name)) {
        return Err(format!("{name} is the signer's own to write; leave it out"));
    }
    // RFC 7800 section 3.1. Whoever verifies the token then asks for a proof of possession.
    if let Some(cnf) = claims.get("cnf") {
        let alone = Object::read(format!("{{\"cnf\":{cnf}}}").into_bytes()).map_err(|why| format!("cnf: {why}"))?;
        let binding = alone.get("cnf").map(Binding::read).transpose()?.unwrap_or_default();
        if binding.unknown {
            return Err(
                "cnf names no proof that is checked here, x5t#S256 or jkt, or one besides: nobody could use such \
                        a token"
                    .to_owned(),
            );
        }
    }
    if let Some(name) = claims.keys().find(|name| name.is_empty() || name.chars().any(char::is_control)) {
        return Err(format!("a claim is called {}", shown(name)));
    }
    Ok(claims)
}

/// Signs a token (RFC 9068 section 2). The error says why there is none.
pub fn access(key: &SigningKey, says: &Access<'_>) -> Result<Zeroizing<String>, String> {
    let mut header = Map::new();
    header.insert("alg".to_owned(), key.algorithm().name().into());
    header.insert("typ".to_owned(), "at+jwt".into());
    header.extend(key.kid().map(|kid| ("kid".to_owned(), kid.into())));
    let mut claims = says.further.cloned().unwrap_or_default();
    let mut put = |name: &str, value: Value| drop(claims.insert(name.to_owned(), value));
    put("iss", says.issuer.into());
    put("sub", says.subject.into());
    put(
        "aud",
        match says.audience {
            [one] => one.as_str().into(),
            all => all.into(),
        },
    );
    put("client_id", says.client.into());
    put("jti", says.id.into());
    put("iat", says.issued_at.into());
    put("exp", says.expires_at.into());
    if !says.scopes.is_empty() {
        put("scope", says.scopes.join(" ").into());
    }
    if let Some(at) = says.authenticated_at {
        put("auth_time", at.into());
    }
    if !says.factors.is_empty() {
        put("amr", says.factors.into());
    }
    if let Some(session) = says.session {
        put("sid", session.into());
    }
    let encoded = |value: &Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
    let mut token = Zeroizing::new(format!("{}.{}", encoded(&Value::Object(header)), encoded(&Value::Object(claims))));
    let signature = key.sign(token.as_bytes())?;
    token.push('.');
    BASE64URL_NOPAD.encode_append(&signature, &mut token);
    if token.len() > MAX_LENGTH {
        return Err(format!(
            "the token would have {} octets, and at most {MAX_LENGTH} are read: ask for fewer claims",
            token.len()
        ));
    }
    Ok(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn further_claims_are_an_object_without_what_is_the_signers() {
        let jkt = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";
        assert_eq!(further(&format!(r#"{{"roles":["a"],"cnf":{{"jkt":"{jkt}"}}}}"#)).unwrap().len(), 2);
        for name in RESERVED {
            assert!(further(&format!(r#"{{"{name}":1}}"#)).unwrap_err().contains(name));
        }
        for (text, why) in [
            ("", "no JSON object"),
            ("[]", "no JSON object"),
            ("{", "no JSON object"),
            (r#"{"a":1,"\u0061":2}"#, "twice"),
            (r#"{"cnf":"x"}"#, "a string where an object belongs"),
            (r#"{"cnf":{}}"#, "cnf names no proof"),
            (r#"{"cnf":{"jkt":"x"}}"#, "no SHA-256"),
            (r#"{"":1}"#, "called"),
            (r#"{"a\n":1}"#, "called"),
        ] {
            let error = further(text).unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
        assert!(further(&format!(r#"{{"a":"{}"}}"#, "x".repeat(4096))).unwrap_err().contains("at most 4096"));
    }
}
