//! The keys of `[password]`.

use super::{Default, Key, Kind, LONGEST, key};

use Default::{Is, Without};

pub(super) static PASSWORD: &[Key] = &[
    key(
        "memory_kib",
        Kind::Integer(8, 4_194_304),
        Is("19456"),
        "Memory for one hash, KiB. Less than the default, OWASP's first choice, is a warning.",
    ),
    key("iterations", Kind::Integer(1, 1_000), Is("2"), "Passes over the memory."),
    key("parallelism", Kind::Integer(1, 255), Is("1"), "Lanes; the memory is at least 8 KiB for each."),
    key(
        "min_length",
        Kind::Integer(8, 256),
        Without("15, or 8 where a second factor is always asked for"),
        "Least length of a new password, characters, counted after RFC 8265. NIST SP 800-63B-4 asks for 15 where the \
         password is the only factor, and for 8 where every route that lists `basic` or `session` requires a `factor` \
         that is not known by heart as well. Less than fits the routes is a warning.",
    ),
    key(
        "remember",
        Kind::Duration(0, 86_400),
        Is("\"60s\""),
        "How long a verified Basic password is remembered, as a keyed digest in memory; `\"0s\"`: never.",
    ),
    key(
        "max_age",
        Kind::Duration(86_400, LONGEST),
        Without("never expires"),
        "Age at which a password expires: from then on the right one is 401 `password_expired`, until a new one is set. \
         OWASP and NIST advise against it.",
    ),
    key(
        "history",
        Kind::Integer(1, 24),
        Without("not kept"),
        "So many passwords of a user, the present one included, may not be taken again. Their hashes are kept for this; \
         those that it does not ask for are forgotten with the next change.",
    ),
    key(
        "words",
        Kind::Many(&Kind::Text, 1),
        Without("none"),
        "Words that may not stand in a new password, in whatever case: your company, product, city. Those of the \
         service's own name, of the routes' hosts and of the user's name, from four letters on, are looked for anyhow.",
    ),
    key(
        "breached",
        Kind::Text,
        Without("not checked"),
        "A filter file of passwords known from breaches, made of a list with `gatepost passwords build-filter`, \
         relative to the policy. It is read when the policy is loaded and kept in memory: 2.3 bytes an entry.",
    ),
];
