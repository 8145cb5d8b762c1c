//! `WWW-Authenticate` (RFC 9110 section 11.6.1): one field per scheme, in the route's order.

use smallvec::SmallVec;

use crate::identity::Scheme;
use crate::reason::Reason;

/// What a challenge says besides scheme and realm.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Details {
    /// Scopes that are missing (`insufficient_scope`).
    pub scopes: Vec<String>,
    /// Factors that are missing (RFC 9470 `acr_values`).
    pub factors: Vec<String>,
    /// Seconds within which the login must lie (RFC 9470 `max_age`).
    pub max_age: Option<i64>,
}

impl Details {
    /// Nothing is missing.
    pub fn is_empty(&self) -> bool {
        self.scopes.is_empty() && self.factors.is_empty() && self.max_age.is_none()
    }
}

/// How a token of the scheme `bearer` may come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tokens<'a> {
    /// Tokens that are bound to no key are refused: `Bearer` is offered only to whom it was used by, to say so.
    pub bound_only: bool,
    /// What may sign proofs of possession (`algs`, RFC 9449 section 7.1); `None`: they are not in use.
    pub proofs: Option<&'a str>,
    /// The scheme that was used is DPoP.
    pub proved: bool,
}

/// The schemes that a refusal offers: on a 401 all of the route. `navigating` is what `Sec-Fetch-Mode` says, `None`
/// where it is absent: a script's request gets no Basic challenge where another exists, since that would open the
/// browser's login box.
pub fn offered(schemes: &[Scheme], reason: Reason, navigating: Option<bool>) -> SmallVec<[Scheme; 5]> {
    if reason.status() != 401 {
        return SmallVec::new();
    }
    let without_basic = navigating == Some(false) && schemes.iter().any(|s| *s != Scheme::Basic);
    schemes.iter().copied().filter(|scheme| !(without_basic && *scheme == Scheme::Basic)).collect()
}

/// What is said in every field of a refusal.
#[derive(Clone, Copy, Debug)]
pub struct Said<'a> {
    /// The service's name.
    pub realm: &'a str,
    /// The scheme that was used.
    pub used: Option<Scheme>,
    /// Why.
    pub reason: Reason,
    /// What is missing.
    pub details: &'a Details,
    /// How tokens may come.
    pub tokens: Tokens<'a>,
}

/// The fields of a refusal.
///
/// A 401 challenges with every scheme that is offered; the scheme that was used carries `error`. A 403 carries a field
/// only where RFC 6750 section 3.1 has something to say: `insufficient_scope`, on the scheme that was used.
pub fn fields(offered: &[Scheme], said: &Said<'_>) -> Vec<String> {
    let only = said.used.filter(|used| said.reason == Reason::ScopeMissing && *used != Scheme::Basic);
    let offered = only.as_ref().map_or(offered, std::slice::from_ref);
    let mut all = Vec::with_capacity(if offered.is_empty() { 0 } else { offered.len().saturating_add(1) });
    for &scheme in offered {
        let used = said.used == Some(scheme);
        if scheme != Scheme::Bearer {
            all.push(one(scheme, used, said));
            continue;
        }
        let Tokens { bound_only, proofs, proved } = said.tokens;
        let (as_bearer, as_proof) = (used && !proved, used && proved);
        let asked = only.is_none();
        if as_bearer || (asked && !(bound_only && proofs.is_some())) {
            all.push(one(scheme, as_bearer, said));
        }
        all.extend(proofs.filter(|_| asked || as_proof).map(|algorithms| proof(algorithms, as_proof, said)));
    }
    all
}

fn one(scheme: Scheme, used: bool, said: &Said<'_>) -> String {
    let mut field = String::with_capacity(said.realm.len().saturating_add(48));
    field.push_str(match scheme {
        Scheme::Basic => "Basic realm=",
        Scheme::Session => "Session realm=",
        Scheme::ClientCert => "Certificate realm=",
        Scheme::ApiKey => "ApiKey realm=",
        Scheme::Bearer => "Bearer realm=",
    });
    quote_into(&mut field, said.realm);
    if scheme == Scheme::Basic {
        field.push_str(", charset=\"UTF-8\"");
    }
    let stepping_up = matches!(said.reason, Reason::FactorRequired | Reason::LoginTooOld);
    // RFC 7617 knows no `error`: Basic carries one only to say that it can never be enough here.
    if used && (scheme != Scheme::Basic || stepping_up) {
        error_into(&mut field, said);
    }
    field
}

/// RFC 9449 section 7.1, which has no need of a realm.
fn proof(algorithms: &str, used: bool, said: &Said<'_>) -> String {
    let mut field = String::with_capacity(algorithms.len().saturating_add(48));
    field.push_str("DPoP algs=");
    quote_into(&mut field, algorithms);
    if used {
        error_into(&mut field, said);
    }
    field
}

/// `error`, and what goes with it.
fn error_into(field: &mut String, said: &Said<'_>) {
    let (reason, details) = (said.reason, said.details);
    let error = reason.shown().error_code();
    if error.is_empty() {
        return;
    }
    let mut parameter = |name: &str, value: &str| {
        field.push_str(", ");
        field.push_str(name);
        field.push('=');
        quote_into(field, value);
    };
    parameter("error", error);
    if reason == Reason::ScopeMissing && !details.scopes.is_empty() {
        parameter("scope", &details.scopes.join(" "));
    }
    if reason == Reason::FactorRequired && !details.factors.is_empty() {
        parameter("acr_values", &details.factors.join(" "));
    }
    if let (Reason::LoginTooOld, Some(seconds)) = (reason, details.max_age) {
        parameter("max_age", &seconds.to_string());
    }
}

/// A quoted-string (RFC 9110 section 5.6.4). What cannot stand in one becomes `?`.
fn quote_into(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            ' '..='~' => out.push(c),
            _ => out.push('?'),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As one step, for a route's schemes.
    fn fields(
        realm: &str,
        schemes: &[Scheme],
        used: Option<Scheme>,
        reason: Reason,
        details: &Details,
        navigating: Option<bool>,
    ) -> Vec<String> {
        let said = Said { realm, used, reason, details, tokens: Tokens::default() };
        super::fields(&offered(schemes, reason, navigating), &said)
    }

    const ALL: [Scheme; 4] = [Scheme::Bearer, Scheme::Basic, Scheme::ApiKey, Scheme::Session];

    #[test]
    fn a_401_offers_every_scheme_in_order_and_only_the_used_one_carries_the_error() {
        let none = Details::default();
        assert_eq!(
            fields("Orders", &ALL, Some(Scheme::Bearer), Reason::TokenExpired, &none, None),
            [
                "Bearer realm=\"Orders\", error=\"invalid_token\"",
                "Basic realm=\"Orders\", charset=\"UTF-8\"",
                "ApiKey realm=\"Orders\"",
                "Session realm=\"Orders\""
            ]
        );
        let missing = fields("Orders", &ALL, None, Reason::CredentialsMissing, &none, None);
        assert!(missing.iter().all(|field| !field.contains("error")), "{missing:?}");
        let wrong = fields("Orders", &ALL, Some(Scheme::Basic), Reason::CredentialsInvalid, &none, None);
        assert!(wrong.iter().all(|field| !field.contains("error")), "{wrong:?}");
    }

    #[test]
    fn a_script_gets_no_login_box_unless_there_is_nothing_else() {
        let none = Details::default();
        let script = fields("x", &ALL, None, Reason::CredentialsMissing, &none, Some(false));
        assert!(script.iter().all(|field| !field.starts_with("Basic")), "{script:?}");
        assert_eq!(fields("x", &[Scheme::Basic], None, Reason::CredentialsMissing, &none, Some(false)).len(), 1);
        assert_eq!(fields("x", &ALL, None, Reason::CredentialsMissing, &none, Some(true)).len(), 4);
    }

    #[test]
    fn a_403_speaks_of_scope_alone() {
        let details = Details { scopes: vec!["a".into(), "b".into()], ..Details::default() };
        assert_eq!(
            fields("x", &ALL, Some(Scheme::Bearer), Reason::ScopeMissing, &details, None),
            ["Bearer realm=\"x\", error=\"insufficient_scope\", scope=\"a b\""]
        );
        assert_eq!(
            fields("x", &ALL, Some(Scheme::ApiKey), Reason::ScopeMissing, &details, None),
            ["ApiKey realm=\"x\", error=\"insufficient_scope\", scope=\"a b\""]
        );
        assert!(fields("x", &ALL, Some(Scheme::Basic), Reason::ScopeMissing, &details, None).is_empty());
        assert!(fields("x", &ALL, Some(Scheme::Bearer), Reason::RoleMissing, &details, None).is_empty());
    }

    #[test]
    fn tokens_are_asked_for_as_rfc_9449_says() {
        let details = Details { scopes: vec!["a".into()], ..Details::default() };
        let fields = |bound_only, used: Option<bool>, reason: Reason| {
            let tokens = Tokens { bound_only, proofs: Some("ES256 EdDSA"), proved: used == Some(true) };
            let used = used.map(|_| Scheme::Bearer);
            let said = Said { realm: "x", used, reason, details: &details, tokens };
            super::fields(&offered(&[Scheme::Bearer, Scheme::ApiKey], reason, None), &said)
        };
        const DPOP: &str = "DPoP algs=\"ES256 EdDSA\"";
        const BEARER: &str = "Bearer realm=\"x\"";
        const KEY: &str = "ApiKey realm=\"x\"";
        let with = |challenge: &str, error: &str| format!("{challenge}, error=\"{error}\"");
        assert_eq!(fields(false, None, Reason::CredentialsMissing), [BEARER, DPOP, KEY]);
        assert_eq!(fields(true, None, Reason::CredentialsMissing), [DPOP, KEY]);
        let invalid = with(BEARER, "invalid_token");
        assert_eq!(fields(false, Some(false), Reason::TokenExpired), [&invalid, DPOP, KEY]);
        assert_eq!(fields(true, Some(false), Reason::TokenBinding), [&invalid, DPOP, KEY]);
        for (reason, error) in [
            (Reason::TokenExpired, "invalid_token"),
            (Reason::TokenBinding, "invalid_token"),
            (Reason::DpopProof, "invalid_dpop_proof"),
            (Reason::DpopNonce, "use_dpop_nonce"),
        ] {
            assert_eq!(fields(false, Some(true), reason), [BEARER, &with(DPOP, error), KEY]);
            assert_eq!(fields(true, Some(true), reason), [&with(DPOP, error), KEY]);
        }
        for bound_only in [false, true] {
            let scope = format!("{}, scope=\"a\"", with(DPOP, "insufficient_scope"));
            assert_eq!(fields(bound_only, Some(true), Reason::ScopeMissing), [scope]);
        }
        assert_eq!(fields(false, Some(true), Reason::RoleMissing), [""; 0]);
    }

    #[test]
    fn step_up_is_asked_for_as_rfc_9470_says() {
        let details = Details { factors: vec!["otp".into()], max_age: Some(900), ..Details::default() };
        let bearer = fields("x", &[Scheme::Bearer], Some(Scheme::Bearer), Reason::LoginTooOld, &details, None);
        assert_eq!(bearer, ["Bearer realm=\"x\", error=\"insufficient_user_authentication\", max_age=\"900\""]);
        let basic =
            fields("x", &[Scheme::Basic, Scheme::Bearer], Some(Scheme::Basic), Reason::FactorRequired, &details, None);
        let wanted =
            "Basic realm=\"x\", charset=\"UTF-8\", error=\"insufficient_user_authentication\", acr_values=\"otp\"";
        assert_eq!(basic, [wanted, "Bearer realm=\"x\""]);
    }

    #[test]
    fn a_realm_cannot_break_out() {
        let quoted = |text: &str| {
            let mut out = String::new();
            quote_into(&mut out, text);
            out
        };
        assert_eq!(quoted("a\"b\\c\r\nd\u{e9}"), "\"a\\\"b\\\\c??d?\"");
    }
}
