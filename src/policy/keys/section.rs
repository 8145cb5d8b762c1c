//! The sections of a policy and their keys.

use super::password::PASSWORD;
use super::signer::SIGNER;
use super::source::{SECRET, SOURCE};
use super::{Built, Choice, Default, Key, Kind, LONGEST, Section, choice, form, key};

use Default::{Is, Required, Without};

/// All of them, in the order in which they are documented.
pub(in crate::policy) static SECTIONS: &[Section] = &[
    section("engine", Built::Yes, ENGINE, "What holds for the whole policy."),
    section(
        "paths",
        Built::Yes,
        PATHS,
        "A path can be read in more than one way, and a request whose readings do not all lead to the same rule is \
         refused. Each `true` here drops a reading that the server behind is known not to make. Say `true` only for \
         what you have tried on that server.",
    ),
    section(
        "proxies",
        Built::Yes,
        PROXIES,
        "Whose word is believed about the client's address, scheme and host. Without this section nobody's is.",
    ),
    section(
        "identity",
        Built::Yes,
        IDENTITY,
        "Headers that an allowed request carries on to the application. One that is left out is not sent; all that \
         are named here are stripped from every client's request, in every spelling. Credentials are not: the \
         client's `Authorization`, `X-API-Key` and `Cookie` fields reach the application behind. Where it should not \
         see them, drop these fields in the server once the request is decided.",
    ),
    section("password", Built::Yes, PASSWORD, "Cost of password hashes (Argon2id) and rules for new passwords."),
    section("session", Built::Later, SESSION, "The engine's own sessions."),
    section("endpoints", Built::Later, ENDPOINTS, "The engine's own pages and calls; off when left out."),
    section("otp", Built::Later, OTP, "One-time passwords as a second factor."),
    section(
        "throttle",
        Built::Yes,
        THROTTLE,
        "Failed attempts to guess a secret, after which the next one is refused for a while. `false` switches a \
         limit off. All processes of one state file count together, also under several policies, in a file beside it (of \
         `orders.db` it is `orders.db-throttle`, 2.5 MiB); a restart does not empty it, and `gatepost decide` sees it. With \
         a state in memory each process counts for itself, as it does what goes beyond 1,984 failures of one counter. To \
         let somebody in before `per` is over, raise the limit that is full (the log names it), reload, and take it back \
         after `per`. To delete the file is worse: it also says who has succeeded, and without it strangers can lock \
         owners out until they have logged in again; and all processes must be started again, since those that run go on \
         with what was deleted. A long `per` is remembered for its kind of counter: what failed stays that long in the \
         file, though no shorter limit counts it.",
    ),
    section(
        "events",
        Built::Yes,
        EVENTS,
        "The log: one line of JSON for each event (docs/EVENTS.md). Every refusal is one. Without this section only the \
         host's callback gets them.",
    ),
    many("issuer", Built::Yes, ISSUER, "Whose tokens are believed. One section for each issuer."),
    many(
        "signer",
        Built::Yes,
        SIGNER,
        "Tokens that this engine issues (`gatepost token issue`, `gatepost_token_issue`), and so believes: access tokens \
         as RFC 9068 has them. Their subjects are local users, with the rights that the state gives these at the moment \
         of each request. To change the key, name the new one as `key` and the old one under `previous` until its last \
         token has expired; `gatepost signer keys` prints the public keys for others who verify these tokens.",
    ),
    many(
        "certificate",
        Built::Yes,
        CERTIFICATE,
        "Which client certificate is which user. The host verifies the certificate's chain; here its names are looked \
         up, each compared whole. Whoever can have the host's certificate authorities issue a name can be its user: \
         let the host accept authorities that issue client certificates alone, or name fingerprints. An expired \
         certificate, one that states other purposes than the authentication of clients, one of no user, and one \
         that two sections map to different users recognise nobody.",
    ),
    many(
        "role",
        Built::Yes,
        ROLE,
        "A name for a set of permissions. Users hold roles by name in the state, which a change of the policy leaves \
         alone: to rename a role, grant the new name to each user and then revoke the old one. `gatepost user list` \
         marks names that the policy does not define; they give nothing.",
    ),
    many(
        "route",
        Built::Yes,
        ROUTE,
        "What a path requires. The most specific route wins, whatever the order: literal text before `{name}` before \
         `{*rest}`, segment by segment; routes of the request's host before those without one.",
    ),
];

const fn section(name: &'static str, built: Built, keys: &'static [Key], about: &'static str) -> Section {
    Section { name, many: false, built, about, keys }
}

const fn many(name: &'static str, built: Built, keys: &'static [Key], about: &'static str) -> Section {
    Section { name, many: true, built, about, keys }
}

const SCHEME: Kind = Kind::OneOf(&[
    choice("basic", "Name and password (RFC 7617)."),
    choice("bearer", "A token of an `[[issuer]]` (RFC 6750)."),
    choice(
        "api-key",
        "A key of the engine's own, sent as `X-API-Key: gp_…`, `Authorization: Bearer gp_…` or \
         `Authorization: ApiKey gp_…`.",
    ),
    Choice { word: "session", built: Built::LaterInContext, about: "The engine's session cookie." },
    choice("client-cert", "A TLS client certificate that a `[[certificate]]` maps to a user."),
]);

const PREFLIGHT: Kind = Kind::OneOf(&[
    choice("deny", "A CORS preflight is decided like any request."),
    choice("allow", "A CORS preflight without credentials is let through where the method it names is granted."),
]);

static ENGINE: &[Key] = &[
    key("name", Kind::Text, Is("\"Gatepost\""), "Realm of the challenges and title of the pages."),
    key(
        "state",
        Kind::Text,
        Is("\"gatepost.db\""),
        "Where users, keys and sessions live: a SQLite file, relative to the policy; `\":memory:\"` for none on disk. The \
         file is made with mode 0600 for whoever runs first, so run `gatepost user` and `gatepost key` as the server's \
         user (`sudo -u www-data gatepost user add …`).",
    ),
    key("schemes", Kind::Many(&SCHEME, 1), Without("each route lists its own"), "Schemes for routes that list none."),
    key(
        "unmatched",
        Kind::OneOf(&[
            choice("deny", "403 to everyone."),
            choice("authenticated", "As a route that needs a login by one of the engine's schemes, nothing more."),
            choice("pass", "The host's own default holds."),
        ]),
        Is("\"deny\""),
        "What holds where no route matches.",
    ),
    key("preflight", PREFLIGHT, Is("\"deny\""), "What happens to CORS preflights."),
    key("leeway", Kind::Duration(0, 300), Is("\"30s\""), "Clock skew granted to the times in tokens."),
    key(
        "token_cache_kib",
        Kind::Integer(0, 1_048_576),
        Is("16384"),
        "Memory for tokens that were verified, KiB in each process, so that a token that comes again costs no signature \
         check: some 3 KiB a token. Expiry, revocation and rights are asked each time all the same. `0`: none.",
    ),
    key(
        "responses",
        Kind::OneOf(&[
            choice(
                "auto",
                "Problem details (RFC 9457), or a page where the client's `Accept` prefers HTML. Both in the language that \
                 `Accept-Language` prefers: English, German, French, Spanish or Chinese.",
            ),
            choice("problem", "Always problem details."),
            choice("none", "No body."),
        ]),
        Is("\"auto\""),
        "Form of the bodies of refusals.",
    ),
    key(
        "profile",
        Kind::OneOf(&[
            choice("default", "What the specifications allow."),
            choice("strict", "No RS256, RS384 or RS512; RSA keys from 3072 bits."),
        ]),
        Is("\"default\""),
        "How much is refused that specifications still allow.",
    ),
];

static PATHS: &[Key] = &[
    key("separate_encoded_slash", Kind::Flag, Is("false"), "`%2F` is never a slash."),
    key("separate_encoded_backslash", Kind::Flag, Is("false"), "`%5C` is never a slash."),
    key("keep_parameters", Kind::Flag, Is("false"), "`;…` is never dropped from a segment."),
    key("keep_empty_segments", Kind::Flag, Is("false"), "`//` is never merged."),
    key("resolve_dot_segments", Kind::Flag, Is("false"), "Dot segments are always resolved."),
    key("decode_once", Kind::Flag, Is("false"), "Paths are never decoded twice."),
    key("case_sensitive", Kind::Flag, Is("false"), "Upper and lower case are never taken for one another."),
];

static PROXIES: &[Key] = &[
    key(
        "trusted",
        Kind::Many(&Kind::Form(&form::PEER), 0),
        Is("[]"),
        "Peers whose word is believed: address ranges, and `\"unix:\"` for Unix-domain sockets.",
    ),
    key(
        "header",
        Kind::OneOf(&[
            choice("X-Forwarded-For", "The usual list of addresses."),
            choice("Forwarded", "The field of RFC 7239."),
        ]),
        Is("\"X-Forwarded-For\""),
        "The one field that carries the client's address, read from the right past trusted peers. An element that is \
         no address stops there, and the address is unknown.",
    ),
    key("scheme", Kind::Form(&form::HEADER), Without("not believed"), "The field that says `http` or `https`."),
    key(
        "host",
        Kind::Form(&form::HEADER),
        Without("not believed"),
        "The field that carries the host the client named.",
    ),
    key(
        "certificate",
        Kind::Form(&form::IDENTITY_HEADER),
        Without("not believed"),
        "The field in which a trusted proxy tells of the client's certificate, like `Client-Cert` (RFC 9440). The \
         proxy must verify the certificate's chain, and must set or remove the field in every request: what a client \
         sends in it must never pass. The certificate of a trusted peer's connection is the proxy's own and never counts, \
         also where this key is left out: trust no peer that logs in by its own certificate. \
         The field, `Client-Cert` and `Client-Cert-Chain` never reach the application.",
    ),
    key(
        "certificate_form",
        Kind::OneOf(&[
            choice(
                "rfc9440",
                "Base64 of the DER between two colons (RFC 9440). HAProxy: \
                 `http-request set-header Client-Cert :%[ssl_c_der,base64]:`.",
            ),
            choice(
                "escaped-pem",
                "PEM, percent-encoded. nginx: `proxy_set_header Client-Cert $ssl_client_escaped_cert;`. With \
                 `ssl_verify_client optional_no_ca` it is set for certificates that nginx did not verify: use `on` or \
                 `optional`.",
            ),
        ]),
        Is("\"rfc9440\""),
        "How the certificate is written there.",
    ),
];

const IDENTITY_HEADER: Kind = Kind::Form(&form::IDENTITY_HEADER);

static IDENTITY: &[Key] = &[
    key("issuer", IDENTITY_HEADER, Without("not sent"), "Issuer of the identity; not sent for local users."),
    key("subject", IDENTITY_HEADER, Without("not sent"), "User name, or the token's subject."),
    key("roles", IDENTITY_HEADER, Without("not sent"), "Roles, joined by `,`."),
    key("scopes", IDENTITY_HEADER, Without("not sent"), "Scopes of the credential, joined by a space."),
    key("scheme", IDENTITY_HEADER, Without("not sent"), "The scheme by which the identity was proved."),
];

static SESSION: &[Key] = &[
    key(
        "cookie",
        Kind::Form(&form::COOKIE),
        Is("\"__Host-session\""),
        "Name of the cookie. Without `__Host-`, a neighbouring host can plant one: a warning.",
    ),
    key("idle", Kind::Duration(1, LONGEST), Is("\"30m\""), "A session ends after so long without a request."),
    key("absolute", Kind::Duration(1, LONGEST), Is("\"12h\""), "A session ends so long after its login."),
    key(
        "same_site",
        Kind::OneOf(&[
            choice("Lax", "Sent when a link from elsewhere is followed."),
            choice("Strict", "Never sent with a request that another site started."),
            choice("None", "Sent with every request."),
        ]),
        Is("\"Lax\""),
        "When a browser sends the cookie.",
    ),
];

static ENDPOINTS: &[Key] = &[
    key("prefix", Kind::Form(&form::PREFIX), Is("\"/auth\""), "The path below which they are."),
    key("login", Kind::Flag, Is("false"), "The login page; a navigation to a session route is sent there."),
];

static OTP: &[Key] =
    &[key("key", Kind::Table(SECRET), Required, "The secret under which the users' own are encrypted at rest.")];

static LIMIT: &[Key] = &[
    key("failures", Kind::Integer(1, 1_000_000), Required, "With so many failures the next attempt is refused."),
    key("per", Kind::Duration(1, 30 * 86_400), Required, "The time within which they are counted."),
];

const LIMITED: Kind = Kind::Either(&[Kind::Off, Kind::Table(LIMIT)]);

static THROTTLE: &[Key] = &[
    key("account", LIMITED, Is("{ failures = 10, per = \"15m\" }"), "For each account name, whether it exists or not."),
    key("address", LIMITED, Is("{ failures = 50, per = \"15m\" }"), "For each client address."),
    key("prefix", LIMITED, Is("{ failures = 500, per = \"15m\" }"), "For each /24 (IPv4) or /64 (IPv6)."),
    key(
        "pair",
        LIMITED,
        Is("{ failures = 5, per = \"15m\" }"),
        "For each account at each address. A pair that succeeded within 30 days answers to this limit alone, so that \
         a stranger cannot lock its owner out.",
    ),
];

static EVENTS: &[Key] = &[
    key(
        "file",
        Kind::Text,
        Without("the host's callback alone"),
        "A file of JSON lines, relative to the policy, or `\"stderr\"`. Several processes may write to one file; \
         `logrotate` may move it away or copy and truncate it.",
    ),
    key(
        "allowed",
        Kind::OneOf(&[
            choice("none", "None of them: refusals alone."),
            choice(
                "logins",
                "Those for which a password was checked, and the first use of a token or key from an address on each day \
                 and in each process.",
            ),
            choice("all", "All of them."),
        ]),
        Is("\"logins\""),
        "Which requests that were let in are events.",
    ),
    key(
        "readable",
        Kind::OneOf(&[
            choice("owner", "Mode 0600."),
            choice("group", "Mode 0640, for a collector of logs in the server's group."),
        ]),
        Is("\"owner\""),
        "Who may read a file that is made here. One that is there already keeps its mode.",
    ),
    key(
        "chain",
        Kind::Table(SECRET),
        Without("lines are not sealed"),
        "A secret under which each line of the file is sealed with the one before it, so that `gatepost log verify` finds \
         what was changed, taken out or put in.",
    ),
];

static CLAIMS: &[Key] = &[
    key("subject", Kind::Text, Is("\"sub\""), "Claim that names the subject."),
    key("roles", Kind::Text, Without("no roles"), "Claim that lists roles: an array, or a string that is one name."),
    key("scopes", Kind::Text, Is("\"scope\""), "Claim that lists scopes: a string split at spaces, or an array."),
];

static ISSUER: &[Key] = &[
    key("name", Kind::Text, Required, "Your name for it, used in requirements and logs."),
    key("issuer", Kind::Text, Required, "The exact `iss` of its tokens."),
    key("audience", Kind::Many(&Kind::Text, 1), Required, "Accepted `aud` values: who we are to this issuer."),
    key(
        "algorithms",
        Kind::Many(&Kind::Form(&form::ALGORITHM), 1),
        Required,
        "Accepted signature algorithms: HS256, HS384 and HS512 (a shared secret), or asymmetric ones; never both.",
    ),
    key("keys", Kind::Many(&Kind::Table(SOURCE), 1), Required, "Where its keys come from; a list for rotation."),
    key(
        "type",
        Kind::Many(&Kind::Form(&form::TOKEN_TYPE), 1),
        Without("none, `JWT` or `at+jwt`"),
        "Accepted `typ` values of the token's header.",
    ),
    key("require", Kind::Many(&Kind::Text, 0), Is("[]"), "Claims that must be there. `exp` is always required."),
    key(
        "claims",
        Kind::Table(CLAIMS),
        Is("{}"),
        "Which claims carry what. A name is first an exact member, then a dotted path.",
    ),
    key(
        "users",
        Kind::OneOf(&[
            choice("none", "Its subjects are its own; their rights come from the token alone."),
            choice("local", "Its subjects are local users of the same name, with the rights of these."),
        ]),
        Is("\"none\""),
        "Who its subjects are.",
    ),
    key("grants", Kind::Many(&Kind::Text, 0), Without("any defined role"), "Roles that its tokens can give."),
    key(
        "dpop",
        Kind::OneOf(&[
            choice(
                "optional",
                "Tokens that are bound to a key (`cnf.jkt`) need a proof; others come as `Bearer`. Left out the same holds, and a refusal offers DPoP only to whoever used it, or sent a token that needs it.",
            ),
            choice("required", "Tokens that are not bound to a key are refused."),
            choice("off", "Tokens that are bound to a key are refused, and DPoP is not offered."),
        ]),
        Is("\"optional\""),
        "Proofs of possession with its tokens (RFC 9449). A proof is good for 60 seconds and the leeway, and once for all \
         processes of one state file, which they note in `-proofs` beside it (8 MiB), or once in each where the state is \
         `\":memory:\"`; its own `exp` and `nbf` hold where it has them. Two policies on one state file, say of a server \
         and of the application behind it, cannot both take the proof of one request: one needs a state of its own. A process remembers some 450,000 used proofs, at \
         most an eighth of them for one key, and 1/64 once half of the room is in use: a client that makes more is \
         refused, and nobody else. Whatever is written here, a token that is bound to a client certificate (`cnf.x5t#S256`, RFC \
         8705) is good on a connection with that certificate alone; `require = [\"cnf\"]` refuses tokens that are bound \
         to nothing.",
    ),
    key(
        "dpop_nonce",
        Kind::Flag,
        Is("false"),
        "A proof must carry a nonce that this server handed out less than two minutes ago; then its time is the nonce's, \
         whatever the client's clock says. All processes of one state file know each other's nonces.",
    ),
];

static CERTIFICATE: &[Key] = &[
    key(
        "subject",
        Kind::Form(&form::SUBJECT),
        Without("not compared"),
        "The certificate's whole subject (RFC 4514), as `openssl x509 -noout -subject -nameopt RFC2253 -in FILE` \
         prints it. `CN=billing` is a subject that has nothing else. Letter case counts, except in `DC` and `C`.",
    ),
    key(
        "fingerprint",
        Kind::Form(&form::FINGERPRINT),
        Without("not compared"),
        "`sha256:` and the SHA-256 of the certificate's DER in hex.",
    ),
    key(
        "san",
        Kind::Form(&form::SAN),
        Without("not compared"),
        "One of its subject alternative names: `dns:`, `email:`, `uri:` or `ip:` and the whole name. Letter case \
         counts, except in DNS names and the domains of addresses.",
    ),
    key("user", Kind::Form(&form::USER), Required, "The local user that it is."),
];

static ROLE: &[Key] = &[
    key("name", Kind::Text, Required, "Its name, as it is granted and required."),
    key("includes", Kind::Many(&Kind::Text, 0), Is("[]"), "Roles whose permissions it has too."),
    key(
        "permissions",
        Kind::Many(&Kind::Form(&form::PERMISSION_PATTERN), 0),
        Is("[]"),
        "What it permits: parts joined by `:`. `*` as the last part stands for one or more further parts.",
    ),
];

static ROUTE: &[Key] = &[
    key(
        "path",
        Kind::Form(&form::PATH),
        Required,
        "Segments of literal text or `{name}`; `{*rest}` at the end stands for zero or more. A trailing slash makes \
         no difference.",
    ),
    key("host", Kind::Form(&form::HOST), Without("any host"), "The host that it belongs to, without a port."),
    key(
        "methods",
        Kind::Many(&Kind::Form(&form::METHOD), 1),
        Without("all methods"),
        "Granted methods. GET grants HEAD, unless another route lists HEAD.",
    ),
    key(
        "schemes",
        Kind::Many(&SCHEME, 1),
        Without("those of `[engine]`"),
        "Accepted ways to prove identity, in the order of the challenges.",
    ),
    key(
        "access",
        Kind::OneOf(&[
            choice("required", "Credentials are needed."),
            choice("optional", "Credentials are looked at where there are some."),
            choice("public", "Credentials are not looked at."),
        ]),
        Is("\"required\""),
        "Who may come in.",
    ),
    key("require", Kind::Requirement, Is("\"authenticated\""), "What an identity needs; see Requirements."),
    key("preflight", PREFLIGHT, Without("as `[engine]` says"), "What happens to CORS preflights."),
];
