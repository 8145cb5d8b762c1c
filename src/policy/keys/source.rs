//! Where keys and secrets come from, as keys of a table.

use super::{Default, Key, Kind, choice, form, key};

use Default::{Is, Without};

const NOT_THIS: Default = Without("another source is named");

const ENCODING: Kind = Kind::OneOf(&[
    choice("text", "The bytes as they are, less one line break at the end."),
    choice("base64url", "Base64url (RFC 4648 section 5), with or without padding."),
    choice("hex", "Two hex digits for each byte."),
    choice("raw", "The bytes as they are."),
]);

const SECRET_FILE: Key =
    key("secret_file", Kind::Text, NOT_THIS, "A file that holds a shared secret, relative to the policy.");
const SECRET_ENV: Key =
    key("secret_env", Kind::Form(&form::VARIABLE), NOT_THIS, "An environment variable that holds a shared secret.");
const ENCODED: Key = key("encoding", ENCODING, Is("\"text\""), "How the secret is written there.");
const KID: Key = key(
    "kid",
    Kind::Text,
    Without("no key id"),
    "The `kid` that tokens name this secret, or the one key of a PEM text, by.",
);

/// A shared secret: exactly one of `secret_file` and `secret_env`.
pub(in crate::policy) static SECRET: &[Key] = &[SECRET_FILE, SECRET_ENV, ENCODED];

const SIGNING_FILE: Key = key(
    "file",
    Kind::Text,
    NOT_THIS,
    "A file with one private key, relative to the policy: PEM (PKCS#8), or a JWK. For HS256, HS384 and HS512: a JWK of \
     `kty` `oct`.",
);
const FORMER_FILE: Key = key(
    "file",
    Kind::Text,
    NOT_THIS,
    "A file of old keys, relative to the policy: PEM, a JWK or a JWK Set. Public keys are enough. For HS256, HS384 and \
     HS512: a JWK, or a JWK Set, of shared secrets.",
);
const SIGNING_KID: Key = key(
    "kid",
    Kind::Text,
    Without("that of the JWK, else the thumbprint of the public key (RFC 7638); none for a secret"),
    "The name of the key in its tokens.",
);

/// What signs: exactly one of `file`, `secret_file` and `secret_env`.
pub(in crate::policy) static SIGNING: &[Key] = &[SIGNING_FILE, SECRET_FILE, SECRET_ENV, ENCODED, SIGNING_KID];

/// What signed before: the same, with an algorithm of its own.
pub(in crate::policy) static FORMER: &[Key] = &[
    FORMER_FILE,
    SECRET_FILE,
    SECRET_ENV,
    ENCODED,
    SIGNING_KID,
    key("algorithm", Kind::Form(&form::ALGORITHM), Without("the signer's"), "The algorithm that it signed with."),
];

/// Any source of keys: exactly one of the first six.
pub(in crate::policy) static SOURCE: &[Key] = &[
    SECRET_FILE,
    SECRET_ENV,
    key(
        "file",
        Kind::Text,
        NOT_THIS,
        "A file of keys, relative to the policy: a JWK, a JWK Set (RFC 7517), or PEM with public keys or one certificate. \
         For HS256, HS384 and HS512: a JWK, or a JWK Set, of shared secrets, each of `kty` `oct` and usually with a \
         `kid`. A server reads it again when it changes; where that fails the keys from before stay.",
    ),
    key(
        "inline",
        Kind::Lines(&form::KEYS),
        NOT_THIS,
        "The public keys themselves, as a JWK, a JWK Set, or PEM; never a secret or a private key.",
    ),
    key(
        "url",
        Kind::Form(&form::HTTPS),
        NOT_THIS,
        "An https address that answers with a JWK Set. Entries that cannot be used are left out, with the event \
         `keys_warning`. It is asked in the background, by one process for all that share the state; redirects are not followed, proxies not used.",
    ),
    key(
        "discovery",
        Kind::On("leave `discovery` out and name another source"),
        NOT_THIS,
        "`true`: the issuer's own metadata, at `/.well-known/openid-configuration` below `issuer`, says where its keys \
         are.",
    ),
    ENCODED,
    KID,
    key(
        "refresh",
        Kind::Duration(60, 7 * 86_400),
        Is("\"10m\""),
        "How often `url` and `discovery` are asked again. More often, down to once a minute, where the server says so \
         with `Cache-Control: max-age`; and at once for a token with a `kid` that is not known yet, at most once a minute.",
    ),
    key(
        "stale",
        Kind::Duration(0, 30 * 86_400),
        Is("\"24h\""),
        "How long keys of `url` and `discovery` are still believed when the server no longer answers, or nobody asks it; \
         after that tokens are refused with 503.",
    ),
    key(
        "ca",
        Kind::Text,
        Without("those that the system believes"),
        "A PEM file of the authorities that may vouch for the server of `url` and `discovery`, in place of those that \
         the system believes. Relative to the policy.",
    ),
];
