//! The keys of `[[signer]]`.

use super::source::{FORMER, SIGNING};
use super::{Default, Key, Kind, LONGEST, form, key};

use Default::{Is, Required, Without};

static REFRESH: &[Key] = &[
    key(
        "lifetime",
        Kind::Duration(1, LONGEST),
        Required,
        "How long after the login the last of its refresh tokens ends, however often they were exchanged.",
    ),
    key(
        "idle",
        Kind::Duration(1, LONGEST),
        Without("no limit but `lifetime`"),
        "A refresh token that was not used for so long has ended.",
    ),
    key(
        "grace",
        Kind::Duration(0, 60),
        Is("\"10s\""),
        "For so long a refresh token that was used already gets once more the very answer that it got, for two tabs that \
         ask at once and for answers that were lost on the way. Afterwards its use is taken for theft and ends all that \
         came of that login. `\"0s\"`: at once.",
    ),
];

pub(super) static SIGNER: &[Key] = &[
    key("name", Kind::Text, Required, "Your name for it. No `[[issuer]]` has the same."),
    key("issuer", Kind::Text, Required, "`iss` of its tokens. No two signers share one."),
    key(
        "audience",
        Kind::Many(&Kind::Text, 1),
        Required,
        "`aud` of its tokens: all of them, unless fewer are asked for.",
    ),
    key(
        "accept",
        Kind::Many(&Kind::Text, 1),
        Without("all of `audience`"),
        "Some of `audience`: the names of this service itself. A token that was issued for others alone is then not good \
         here.",
    ),
    key("algorithm", Kind::Form(&form::ALGORITHM), Required, "The signature algorithm."),
    key(
        "key",
        Kind::Table(SIGNING),
        Required,
        "The key that signs: a file, or a secret for HS256, HS384 and HS512. It is read with the policy, and never again.",
    ),
    key(
        "previous",
        Kind::Many(&Kind::Table(FORMER), 0),
        Is("[]"),
        "Old keys that are still good for verifying. A key that is left out here verifies nothing any more.",
    ),
    key("lifetime", Kind::Duration(1, LONGEST), Is("\"10m\""), "How long a token lasts at most."),
    key(
        "refresh",
        Kind::Table(REFRESH),
        Without("no refresh tokens"),
        "Refresh tokens: each is exchanged once, for an access token and the next refresh token. A used one that comes \
         again ends all that came of its login, and so do disabling or removing the user and setting a new password.",
    ),
];
