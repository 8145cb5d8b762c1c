//! Where we differ on purpose, by class of mutation; docs/CONFORMANCE.md says why.

/// We refuse what every library that was asked accepts.
pub const STRICTER_THAN_ALL: &[&str] = &[
    "typ of another kind",
    "b64 true alone",
    "crit b64 true",
    "claim twice, another first",
    "deeper than is read",
    "longer than is read",
    "exp out of sense",
    "iat out of sense",
    "sub with a control character",
    "cnf no object",
    "roles or scope of another type",
];

/// The same where jsonwebtoken could not be asked (ES512, and what turns on a second), which often refuses them too.
pub const STRICTER_THAN_ALL_BUT_JSONWEBTOKEN: &[&str] = &[
    "header member twice, the same",
    "header member twice, another first",
    "header member twice, with escapes",
    "claim twice, the same",
    "claim twice, with escapes",
    "lone surrogates",
    "space that JSON does not know",
    "numbers that JSON does not know",
    "nbf out of sense",
];

/// We accept what these refuse.
pub const LAXER_THAN: &[(&str, &[&str])] = &[
    ("exp within the leeway by a fraction", &["PyJWT"]),
    ("kid missing", &["joserfc"]),
    ("jwk, jku, x5u, x5c without meaning", &["joserfc"]),
    ("jwk, jku, x5u, x5c of the wrong type", &["joserfc", "jsonwebtoken"]),
    ("unknown header member", &["joserfc"]),
    ("enc", &["joserfc"]),
    ("zip", &["joserfc"]),
    // These put unknown members into the header, too.
    ("deep", &["joserfc"]),
    ("many members", &["joserfc"]),
    ("surrogate pair and NUL in a value", &["joserfc"]),
];
