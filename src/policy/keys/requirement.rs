//! The requirement language, as keys of a table.

use super::{Default, Key, Kind, LONGEST, form, key};

use Default::{Required, Without};

const NONE: Default = Without("not asked");

static PERSON: &[Key] = &[
    key("issuer", Kind::Text, Required, "`name` of an `[[issuer]]`."),
    key("subject", Kind::Text, Required, "The subject of its tokens."),
];

static CLAIM: &[Key] = &[
    key("name", Kind::Text, Required, "The claim: first an exact member, then a dotted path."),
    key("equals", Kind::Any, NONE, "The claim is this value."),
    key("contains", Kind::Any, NONE, "The claim is an array that holds this value."),
];

/// Its keys. Several in one table mean all of them; a list means any of its values.
pub(in crate::policy) static REQUIREMENT: &[Key] = &[
    key(
        "authenticated",
        Kind::On("write `access = \"public\"` for a route that everybody may use"),
        NONE,
        "Somebody was recognised, whoever it is.",
    ),
    key(
        "user",
        Kind::Many(&Kind::Either(&[Kind::Form(&form::USER), Kind::Table(PERSON)]), 1),
        NONE,
        "This local user, or `{ issuer = \"…\", subject = \"…\" }` for somebody else's.",
    ),
    key("role", Kind::Many(&Kind::Text, 1), NONE, "Holds this role, directly or by inclusion."),
    key("scope", Kind::Many(&Kind::Form(&form::SCOPE), 1), NONE, "The credential has this scope."),
    key("permission", Kind::Many(&Kind::Form(&form::PERMISSION), 1), NONE, "One of its roles permits this."),
    key("claim", Kind::Many(&Kind::Table(CLAIM), 1), NONE, "The token has a claim of this value."),
    key("factor", Kind::Many(&Kind::Text, 1), NONE, "This factor was proved (RFC 8176 names, like `otp`)."),
    key("login_within", Kind::Duration(1, LONGEST), NONE, "The login is not older than this."),
    key("network", Kind::Many(&Kind::Form(&form::NETWORK), 1), NONE, "The client's address lies in this range."),
    key("tls", Kind::On("write `not = { tls = true }` to keep TLS out"), NONE, "The client's connection is TLS."),
    key("all", Kind::List(&Kind::Requirement, 1), NONE, "All of these hold."),
    key("any", Kind::List(&Kind::Requirement, 1), NONE, "At least one of these holds."),
    key("not", Kind::Requirement, NONE, "This does not hold. What cannot be told denies also here."),
];
