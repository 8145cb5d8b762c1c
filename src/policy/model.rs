//! A loaded policy, ready to decide with: plain data, immutable, checked. Reading and checking are elsewhere.

mod dpop;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use crate::certificate::Description;
use crate::certificate::carried::Form;
use crate::crypto::algorithm::Algorithm;
use crate::crypto::key::{KeyError, KeySet, Origin, Rules};
use crate::crypto::signing::SigningKey;
use crate::fetch::Authorities;
use crate::identity::Scheme;
use crate::passwords::filter::Filter;
use crate::policy::network::Network;
use crate::policy::requirement::Requirement;
use crate::policy::role::Roles;
use crate::policy::stamp::Stamp;
use crate::route::Router;

pub use dpop::{Dpop, DpopRules};

/// Everything an operator wrote, checked and with its files read.
#[derive(Debug)]
pub struct Policy {
    /// Where it came from, for messages.
    pub file: PathBuf,
    /// Realm of the challenges.
    pub name: String,
    /// Where the state lives.
    pub state: StateLocation,
    /// What holds where no route matches.
    pub unmatched: Unmatched,
    /// Schemes for routes that list none, in challenge order.
    pub schemes: Vec<Scheme>,
    /// Clock skew granted to token times, seconds.
    pub leeway: i64,
    /// Memory for tokens that were verified, octets; 0: none is remembered.
    pub token_cache: usize,
    /// Form of the answers' bodies.
    pub responses: Responses,
    /// `profile = "strict"`.
    pub strict: bool,
    /// Readings of a path that the server behind is known not to make.
    pub paths: PathRules,
    /// Whose word is believed about the client.
    pub proxies: Proxies,
    /// Headers that an allowed request carries on.
    pub identity: IdentityHeaders,
    /// Cost and rules of passwords.
    pub password: PasswordRules,
    /// Sessions.
    pub session: SessionRules,
    /// Limits on failed attempts.
    pub throttle: ThrottleRules,
    /// Which events are told, and where.
    pub events: Events,
    /// Whose tokens are believed: the issuers of the file, and behind them one for each signer.
    pub issuers: Vec<Issuer>,
    /// Who issues tokens here.
    pub signers: Vec<Signer>,
    /// Whose client certificates are whose, by what they say.
    pub certificates: HashMap<Description, Mapped>,
    /// Roles with what they include and permit.
    pub roles: Roles,
    /// What each path requires, in the order of the file.
    pub routes: Vec<Route>,
    /// Finds the route of a request.
    pub router: Router,
}

/// `[engine] state`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StateLocation {
    /// Nothing on disk; gone with the engine.
    Memory,
    /// A SQLite file.
    File(PathBuf),
}

/// `[engine] unmatched`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unmatched {
    /// 403 to everyone.
    #[default]
    Deny,
    /// As a route without a requirement but a login, with the engine's schemes.
    Authenticated,
    /// The host's own default.
    Pass,
}

/// `[engine] responses`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Responses {
    /// Problem details, or HTML where the client prefers it.
    #[default]
    Auto,
    /// Always problem details (RFC 9457).
    Problem,
    /// No body.
    None,
}

/// `[paths]`: each `true` drops a reading that the server behind is known not to make.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PathRules {
    /// `%2F` is never a slash.
    pub separate_encoded_slash: bool,
    /// `%5C` is never a slash.
    pub separate_encoded_backslash: bool,
    /// `;…` is never dropped from a segment.
    pub keep_parameters: bool,
    /// `//` is never merged.
    pub keep_empty_segments: bool,
    /// Dot segments are always resolved.
    pub resolve_dot_segments: bool,
    /// Never decoded twice.
    pub decode_once: bool,
    /// Letters A-Z are never folded.
    pub case_sensitive: bool,
}

/// `[proxies]`.
#[derive(Clone, Debug, Default)]
pub struct Proxies {
    /// Peers whose word is believed.
    pub trusted: Vec<Network>,
    /// Unix-domain peers are trusted too (`"unix:"` in `trusted`).
    pub trust_unix: bool,
    /// Which field carries the client's address.
    pub header: ForwardedHeader,
    /// Field that carries the client's scheme; `None`: not believed.
    pub scheme: Option<String>,
    /// Field that carries the client's host; `None`: not believed.
    pub host: Option<String>,
    /// Field that carries the client's certificate; `None`: not believed.
    pub certificate: Option<String>,
    /// How it is written there.
    pub certificate_form: Form,
}

/// `[proxies] header`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ForwardedHeader {
    /// `X-Forwarded-For`.
    #[default]
    XForwardedFor,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

/// `[identity]`: field names; `None` is not sent.
#[derive(Clone, Debug, Default)]
pub struct IdentityHeaders {
    /// Issuer of the identity.
    pub issuer: Option<String>,
    /// Subject.
    pub subject: Option<String>,
    /// Roles, joined by `,`.
    pub roles: Option<String>,
    /// Scopes, joined by a space.
    pub scopes: Option<String>,
    /// Scheme.
    pub scheme: Option<String>,
}

impl IdentityHeaders {
    /// The configured names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        [&self.issuer, &self.subject, &self.roles, &self.scopes, &self.scheme].into_iter().flatten().map(String::as_str)
    }
}

/// `[password]`.
#[derive(Clone, Debug)]
pub struct PasswordRules {
    /// Argon2id memory, KiB.
    pub memory_kib: u32,
    /// Argon2id passes.
    pub iterations: u32,
    /// Argon2id lanes.
    pub parallelism: u32,
    /// Least length of a new password, characters: as written, or as the routes need it.
    pub min_length: usize,
    /// How long a verified Basic password is remembered, seconds.
    pub remember: i64,
    /// Age at which a password expires, seconds; `None`: never.
    pub max_age: Option<i64>,
    /// So many passwords of a user, the present one included, may not be taken again; 0: that is not looked at.
    pub history: usize,
    /// Words that may not stand in a new password, in lower case: of the service's name, of its hosts, and those that
    /// are written.
    pub words: Vec<String>,
    /// Passwords known from breaches.
    pub breached: Option<Arc<Filter>>,
}

/// `[session]`, as far as requests without a login need it.
#[derive(Clone, Debug)]
pub struct SessionRules {
    /// Name of the cookie.
    pub cookie: String,
    /// Seconds without a request.
    pub idle: i64,
    /// Seconds since login.
    pub absolute: i64,
}

/// `[throttle]`.
#[derive(Clone, Copy, Debug, Default)]
pub struct ThrottleRules {
    /// Per account name, existing or not.
    pub account: Option<Limit>,
    /// Per client address.
    pub address: Option<Limit>,
    /// Per /24 or /64.
    pub prefix: Option<Limit>,
    /// Per account and address.
    pub pair: Option<Limit>,
}

impl ThrottleRules {
    /// Something is counted.
    pub fn is_on(&self) -> bool {
        [self.account, self.address, self.prefix, self.pair].iter().any(Option::is_some)
    }
}

/// So many failures per so many seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// With this many the next attempt is refused.
    pub failures: u32,
    /// The window, seconds.
    pub per: i64,
}

/// `[events]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Events {
    /// Where they go, besides the host's callback.
    pub sink: EventSink,
    /// Which requests that are let in are told of.
    pub allowed: Allowed,
    /// The group may read a file that is made here.
    pub group: bool,
    /// Seals the lines of a file.
    pub chain: Option<ChainKey>,
}

/// `[events] file`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum EventSink {
    /// The host's callback alone.
    #[default]
    Callback,
    /// Standard error.
    Stderr,
    /// A file of JSON lines.
    File(PathBuf),
}

/// `[events] allowed`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Allowed {
    /// None of them.
    None,
    /// Those with a login, or the first use of a token or key.
    #[default]
    Logins,
    /// All of them.
    All,
}

/// The key of a chain; never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct ChainKey(zeroize::Zeroizing<Vec<u8>>);

impl ChainKey {
    /// Of a secret that was checked.
    pub fn new(secret: zeroize::Zeroizing<Vec<u8>>) -> ChainKey {
        ChainKey(secret)
    }

    /// Its octets.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl std::fmt::Debug for ChainKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ChainKey")
    }
}

/// `[[issuer]]`: whose tokens are believed.
#[derive(Debug)]
pub struct Issuer {
    /// The operator's name for it.
    pub name: String,
    /// Exact `iss`.
    pub issuer: String,
    /// Accepted `aud` values, at least one.
    pub audience: Vec<String>,
    /// Accepted algorithms.
    pub algorithms: Vec<Algorithm>,
    /// Where its keys come from, with what was read there when the policy was loaded.
    pub sources: Vec<SourcedKeys>,
    /// Accepted `typ` values; empty: none, `JWT` or `at+jwt`.
    pub types: Vec<String>,
    /// Claims that must be there besides `exp`.
    pub require: Vec<String>,
    /// Which claims carry what.
    pub claims: ClaimNames,
    /// Its subjects are local users (`users = "local"`).
    pub local_users: bool,
    /// Roles that it can give; `None`: any defined one.
    pub grants: Option<Vec<String>>,
    /// Proofs of possession with its tokens.
    pub dpop: DpopRules,
}

/// `[[signer]]`: tokens that this engine issues. What believes them is an issuer of the policy whose subjects are local
/// users.
#[derive(Debug)]
pub struct Signer {
    /// The operator's name for it.
    pub name: String,
    /// `iss`; no two signers share one.
    pub issuer: String,
    /// `aud` of its tokens, at least one.
    pub audience: Vec<String>,
    /// What signs.
    pub key: SigningKey,
    /// How long a token lasts at most, seconds.
    pub lifetime: i64,
    /// Refresh tokens; `None`: none are issued.
    pub refresh: Option<RefreshRules>,
    /// Index of the issuer that stands for it.
    pub believed: usize,
}

/// `[[signer]] refresh`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefreshRules {
    /// Seconds from the login to the end of all refresh tokens that come of it.
    pub lifetime: i64,
    /// Seconds that a refresh token may lie unused; `None`: as long as it lives.
    pub idle: Option<i64>,
    /// Seconds for which a used refresh token still gets the answer that it got.
    pub grace: i64,
}

/// `[[certificate]]`: who it is that a description describes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapped {
    /// The local user, in the canonical form of the name.
    pub user: String,
    /// Line in the policy file, from 1.
    pub line: u32,
}

/// A source of keys and what it said when the policy was loaded.
#[derive(Clone, Debug)]
pub struct SourcedKeys {
    /// Where.
    pub source: KeySource,
    /// The keys, parsed once, each with its algorithms fixed; `None`: it has not been asked yet.
    pub keys: Option<KeySet>,
}

impl Policy {
    /// The signer of this name or, without a name, the only one.
    pub fn signer(&self, name: Option<&str>) -> Option<&Signer> {
        match (name, self.signers.as_slice()) {
            (Some(name), all) => all.iter().find(|signer| signer.name == name),
            (None, [only]) => Some(only),
            (None, _) => None,
        }
    }

    /// The issuer of this index stands for a signer of this engine.
    pub fn is_own(&self, issuer: usize) -> bool {
        self.signers.iter().any(|signer| signer.believed == issuer)
    }
}

/// Where keys come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeySource {
    /// A shared secret, or keys in the policy itself: read with the policy, and never again.
    Fixed,
    /// A file: a JWK, a JWK Set, or PEM.
    File {
        /// Where it lies.
        path: PathBuf,
        /// The `kid` of the one key of a PEM file.
        kid: Option<String>,
        /// What it was when it was read.
        stamp: Stamp,
    },
    /// An address that answers with a JWK Set.
    Url {
        /// The https address.
        url: String,
        /// How it is asked.
        asked: Asked,
    },
    /// The issuer's metadata (OpenID Connect Discovery 1.0) name the address of a JWK Set.
    Discovery {
        /// How it is asked.
        asked: Asked,
    },
}

/// How an issuer is asked for its keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Seconds from one question to the next.
    pub refresh: i64,
    /// Seconds for which keys are still believed once a question is due and stays without an answer.
    pub stale: i64,
    /// Who may vouch for the server; `None`: whom the system believes.
    pub authorities: Option<Arc<Authorities>>,
}

impl KeySource {
    /// How it is asked, where it is asked over the network.
    pub fn asked(&self) -> Option<&Asked> {
        match self {
            KeySource::Url { asked, .. } | KeySource::Discovery { asked } => Some(asked),
            KeySource::Fixed | KeySource::File { .. } => None,
        }
    }
}

impl Issuer {
    /// What its keys are held against when they are read.
    pub fn rules(&self, strict: bool, origin: Origin) -> Rules<'_> {
        Rules { algorithms: &self.algorithms, strict, origin }
    }

    /// Some of its keys come over the network.
    pub fn is_online(&self) -> bool {
        self.sources.iter().any(|source| source.source.asked().is_some())
    }

    /// The keys that a file holds now: what is put in the place of those of the source when the file has changed.
    pub fn keys_of_file(&self, text: &[u8], kid: Option<&str>, strict: bool) -> Result<KeySet, KeyError> {
        KeySet::from_text(text, kid, &self.rules(strict, Origin::File))
    }
}

/// `[[issuer]] claims`: a name is first an exact member, then a dotted path.
#[derive(Clone, Debug)]
pub struct ClaimNames {
    /// Subject; `sub` when left out.
    pub subject: String,
    /// Roles; left out: no roles.
    pub roles: Option<String>,
    /// Scopes; `scope` when left out.
    pub scopes: String,
}

/// `access` of a route.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Access {
    /// Credentials are needed.
    #[default]
    Required,
    /// Credentials are looked at where there are some.
    Optional,
    /// Credentials are not looked at.
    Public,
}

/// One `[[route]]`.
#[derive(Clone, Debug)]
pub struct Route {
    /// The pattern as written.
    pub path: String,
    /// Host in lower case, A-labels, no port, no trailing dot; `None`: any.
    pub host: Option<String>,
    /// Methods as listed; `None`: all.
    pub methods: Option<Vec<String>>,
    /// Accepted schemes in challenge order, the engine's where the route lists none; empty for public routes.
    pub schemes: Vec<Scheme>,
    /// Who may come in.
    pub access: Access,
    /// What an identity needs.
    pub require: Requirement,
    /// A CORS preflight is let through.
    pub preflight: bool,
    /// Line in the policy file, from 1.
    pub line: u32,
}
