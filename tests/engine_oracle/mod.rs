//! A strict judge of what was let in, written apart from the engine: simpler, slower, and never kinder.

use gatepost::decision::{Action, Decision};
use gatepost::reason::Reason;

use crate::engine_support::Ask;

/// The certificate of billing, as a proxy writes it (RFC 9440).
pub const CERTIFICATE: &[u8] = include_bytes!("certificate.txt");

/// Whose it is, for a policy.
pub const MAPPED: &str = "[[certificate]]\nsubject = \"CN=billing,O=Example\"\nuser = \"billing\"\n";

/// A route and what it needs. Paths have `{}` for a segment and `{*}` for the rest.
#[derive(Clone, Copy, Debug)]
pub struct RouteOf {
    path: &'static str,
    rest: &'static str,
    methods: &'static [&'static str],
    role: Option<&'static str>,
    public: bool,
    optional: bool,
    tls: bool,
    near: bool,
}

impl RouteOf {
    pub const fn new(path: &'static str, rest: &'static str) -> RouteOf {
        let [public, optional, tls, near] = [false; 4];
        RouteOf { path, rest, methods: &[], role: None, public, optional, tls, near }
    }

    pub const fn public(self) -> RouteOf {
        RouteOf { public: true, ..self }
    }

    pub const fn optional(self) -> RouteOf {
        RouteOf { optional: true, ..self }
    }

    pub const fn tls(self) -> RouteOf {
        RouteOf { tls: true, ..self }
    }

    pub const fn near(self) -> RouteOf {
        RouteOf { near: true, ..self }
    }

    pub const fn methods(self, methods: &'static [&'static str]) -> RouteOf {
        RouteOf { methods, ..self }
    }

    pub const fn role(self, role: &'static str) -> RouteOf {
        RouteOf { role: Some(role), ..self }
    }

    /// The section of the policy.
    pub fn text(&self) -> String {
        let path = self.path.replace("{}", "{id}").replace("{*}", "{*rest}");
        let mut text = format!("[[route]]\npath = \"{path}\"\n{}\n", self.rest);
        if !self.methods.is_empty() && !self.rest.contains("methods") {
            text += &format!("methods = {:?}\n", self.methods);
        }
        match self.role {
            Some(role) if !self.rest.contains("require") => text + &format!("require = {{ role = \"{role}\" }}\n"),
            _ => text,
        }
    }

    /// `None`: another path; else how specific, by segment: literal before `{}` before `{*}`.
    fn matches(&self, segments: &[Vec<u8>], folded: bool) -> Option<Vec<u8>> {
        let same = |a: &[u8], b: &[u8]| if folded { a.eq_ignore_ascii_case(b) } else { a == b };
        let mut rank = Vec::new();
        let mut left = segments.iter();
        for part in self.path.trim_start_matches('/').split('/') {
            match part {
                "{*}" => {
                    rank.push(2);
                    return Some(rank);
                }
                "{}" => {
                    left.next().filter(|s| !s.is_empty()).map(|_| rank.push(1))?;
                }
                literal => {
                    left.next().filter(|s| same(s, literal.as_bytes())).map(|_| rank.push(0))?;
                }
            }
        }
        left.next().is_none().then_some(rank)
    }

    /// What makes two routes the same rule.
    fn needs(&self) -> impl PartialEq + use<> {
        (self.methods, self.role, self.rest, [self.public, self.optional, self.tls, self.near])
    }

    fn grants(&self, method: &str) -> bool {
        self.methods.is_empty() || self.methods.contains(&method) || method == "HEAD" && self.methods.contains(&"GET")
    }
}

/// A credential that is right.
#[derive(Clone, Debug)]
pub struct Known {
    pub scheme: &'static str,
    pub secret: String,
    subject: String,
    roles: Vec<String>,
}

/// Who there is, and what the routes need.
#[derive(Debug)]
pub struct World {
    routes: &'static [RouteOf],
    pub good: Vec<Known>,
    /// Tokens and a key that are wrong in one thing each.
    pub bad: Vec<String>,
    /// The server behind never reads an encoded slash as one, never decodes twice and never drops parameters.
    pub drops_readings: bool,
    /// What loopback and Unix-domain peers say of the client is believed.
    pub trusts: bool,
}

impl World {
    pub fn new(routes: &'static [RouteOf]) -> World {
        World { routes, good: Vec::new(), bad: Vec::new(), drops_readings: false, trusts: false }
    }

    pub fn add(&mut self, scheme: &'static str, secret: &str, subject: &str, roles: &[&str]) {
        let mut roles: Vec<String> = roles.iter().map(|role| (*role).to_owned()).collect();
        if roles.iter().any(|role| role == "admin") {
            roles.push("clerk".into());
        }
        self.good.push(Known { scheme, secret: secret.to_owned(), subject: subject.to_owned(), roles });
    }

    /// Fails where the decision lets in what it may not.
    pub fn judge(&self, ask: &Ask, decision: &Decision) {
        if decision.action == Action::Deny {
            assert!(decision.identity.is_none() || self.identify(ask).is_some(), "recognised: {decision:?}");
            return;
        }
        let method = std::str::from_utf8(&ask.method).unwrap();
        assert!(is_token(&ask.method) && ask.headers.iter().all(|(name, _)| is_token(name)));
        assert!(!ask.headers.iter().any(|(_, value)| value.iter().any(|b| matches!(b, 0 | b'\r' | b'\n'))));
        assert!(values(ask, "host").len() < 2);
        let named = if decision.reason == Reason::Preflight {
            assert_eq!((method, values(ask, "authorization").len(), values(ask, "x-api-key").len()), ("OPTIONS", 0, 0));
            let [named] = values(ask, "access-control-request-method")[..] else {
                panic!("a preflight names a method")
            };
            assert!(decision.identity.is_none() && is_token(named));
            std::str::from_utf8(named).unwrap()
        } else {
            method
        };
        let Some(path) = path_of(&ask.target) else {
            assert_eq!((ask.target.as_slice(), method), (&b"*"[..], "OPTIONS"));
            assert!(decision.route.is_none());
            return self.judge_rule(None, ask, decision);
        };
        let plain = self.find(path, 0, named);
        let route = match plain {
            Found::Route(index) => Some(index),
            Found::Nothing => None,
            Found::NotGranted => panic!("no route grants the method"),
        };
        assert_eq!(decision.route, route, "the plain reading of {:?}", String::from_utf8_lossy(path));
        // However the server behind reads it, the same is needed there.
        for choice in 0..CHOICES {
            let dropped = self.drops_readings && choice & (SLASH | PARAMETERS | TWICE) != 0;
            let alike = match (plain, self.find(path, choice, named)) {
                (Found::Route(a), Found::Route(b)) => self.routes[a].needs() == self.routes[b].needs(),
                (a, b) => a == b,
            };
            assert!(alike || dropped, "{choice:07b}: {:?}", String::from_utf8_lossy(path));
        }
        self.judge_rule(route, ask, decision);
    }

    fn judge_rule(&self, route: Option<usize>, ask: &Ask, decision: &Decision) {
        let route = route.map(|index| &self.routes[index]);
        match decision.reason {
            Reason::Passed => assert!(route.is_none() && decision.identity.is_none()),
            Reason::Public => assert!(route.unwrap().public && decision.identity.is_none()),
            Reason::Preflight => {}
            Reason::Anonymous => {
                assert!(route.unwrap().optional && decision.identity.is_none());
                assert!(values(ask, "authorization").is_empty() && values(ask, "x-api-key").is_empty());
            }
            _ => {
                assert!(route.is_none_or(|route| !route.public));
                let known = self.identify(ask).expect("a credential, alone and unmodified");
                let identity = decision.identity.as_ref().unwrap();
                assert_eq!((identity.subject.as_str(), identity.scheme.name()), (known.subject.as_str(), known.scheme));
                assert_eq!(identity.issuer.is_empty(), known.scheme != "bearer");
                let role = route.and_then(|route| route.role);
                assert!(role.is_none_or(|role| known.roles.iter().any(|held| held == role)), "{role:?}");
                let added_by_browsers = matches!(known.scheme, "basic" | "client-cert");
                if added_by_browsers && !matches!(ask.method.as_slice(), b"GET" | b"HEAD" | b"OPTIONS" | b"TRACE") {
                    let site = values(ask, "sec-fetch-site");
                    let origin = values(ask, "origin");
                    let own = matches!(site[..], [b"same-origin" | b"none"]);
                    assert!(
                        own || site.is_empty() && (origin.is_empty() || origin == [b"https://orders.example.com"]),
                        "from another site"
                    );
                }
            }
        }
        let direct = !self.believes(ask);
        if let Some(route) = route {
            assert!(!route.tls || ask.tls || !direct);
            assert!(!route.near || matches!(ask.peer.as_slice(), b"192.0.2.7" | b"::ffff:192.0.2.7"));
        }
    }

    /// What the peer says of the client is believed.
    fn believes(&self, ask: &Ask) -> bool {
        self.trusts && matches!(ask.peer.as_slice(), b"127.0.0.1" | b"unix:")
    }

    /// The one known credential that the request carries alone and as it was given out.
    fn identify(&self, ask: &Ask) -> Option<&Known> {
        let (scheme, secret) = match (&values(ask, "authorization")[..], &values(ask, "x-api-key")[..]) {
            ([value], []) => {
                let text = std::str::from_utf8(value).ok()?;
                let (word, secret) = text.split_once(' ')?;
                let secret = secret.trim_start_matches(' ');
                match word.to_ascii_lowercase().as_str() {
                    "basic" => ("basic", secret),
                    "bearer" if secret.starts_with("gp_") => ("api-key", secret),
                    "bearer" => ("bearer", secret),
                    "apikey" => ("api-key", secret),
                    _ => return None,
                }
            }
            ([], [value]) => ("api-key", std::str::from_utf8(value).ok()?),
            ([], []) if self.believes(ask) => match values(ask, "client-cert")[..] {
                [value] => ("client-cert", std::str::from_utf8(value).ok()?),
                _ => return None,
            },
            _ => return None,
        };
        let same = |known: &Known| match scheme {
            "basic" => login(secret).is_some_and(|sent| login(&known.secret) == Some(sent)),
            _ => known.secret == secret,
        };
        self.good.iter().find(|known| known.scheme == scheme && same(known))
    }

    /// The most specific route at the path in a reading, if it grants the method.
    fn find(&self, path: &[u8], choice: u8, method: &str) -> Found {
        let segments = read(path, choice);
        let folded = choice & FOLDED != 0;
        let all = self.routes.iter().enumerate();
        let ranked: Vec<_> = all.filter_map(|(i, route)| Some((route.matches(&segments, folded)?, i))).collect();
        let Some((best, _)) = ranked.iter().min() else { return Found::Nothing };
        let mut here = ranked.iter().filter(|(rank, _)| rank == best).map(|(_, index)| *index);
        here.find(|index| self.routes[*index].grants(method)).map_or(Found::NotGranted, Found::Route)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    Route(usize),
    NotGranted,
    Nothing,
}

/// What a server may do with a path besides decoding it once.
const SLASH: u8 = 1;
const BACKSLASH: u8 = 2;
const PARAMETERS: u8 = 4;
const MERGED: u8 = 8;
const RESOLVED: u8 = 16;
const TWICE: u8 = 32;
const FOLDED: u8 = 64;
const CHOICES: u8 = 128;

/// A separator while a path is taken apart: no path that is let in holds this byte.
const SEPARATOR: u8 = 0;

/// The segments of a raw path in a reading.
fn read(path: &[u8], choice: u8) -> Vec<Vec<u8>> {
    let has = |bit: u8| choice & bit != 0;
    let mut bytes: Vec<u8> = path[1..].iter().map(|b| if *b == b'/' { SEPARATOR } else { *b }).collect();
    for _ in 0..1 + u8::from(has(TWICE)) {
        bytes = decoded(&bytes, has(SLASH), has(BACKSLASH));
    }
    let mut segments: Vec<Vec<u8>> = bytes.split(|b| *b == SEPARATOR).map(<[u8]>::to_vec).collect();
    if has(PARAMETERS) {
        segments.iter_mut().for_each(|s| s.truncate(s.iter().position(|b| *b == b';').unwrap_or(s.len())));
    }
    if has(MERGED) {
        let last = segments.pop().unwrap();
        segments.retain(|segment| !segment.is_empty());
        segments.push(last);
    }
    if has(RESOLVED) {
        let ends = matches!(segments.last().unwrap().as_slice(), b"." | b"..");
        let mut resolved = Vec::new();
        for segment in segments {
            match segment.as_slice() {
                b"." => {}
                b".." => _ = resolved.pop().expect("nothing above the root is let in"),
                _ => resolved.push(segment),
            }
        }
        segments = resolved;
        segments.extend(ends.then(Vec::new));
    }
    if segments.last().is_some_and(Vec::is_empty) {
        segments.pop();
    }
    segments
}

fn decoded(bytes: &[u8], slash: bool, backslash: bool) -> Vec<u8> {
    let mut out = Vec::new();
    let mut i = 0;
    while i < bytes.len() {
        let pair = bytes.get(i + 1..i + 3).and_then(|pair| std::str::from_utf8(pair).ok());
        let pair = pair.filter(|pair| bytes[i] == b'%' && pair.bytes().all(|b| b.is_ascii_hexdigit()));
        let Some(pair) = pair else {
            out.push(bytes[i]);
            i += 1;
            continue;
        };
        let byte = u8::from_str_radix(pair, 16).unwrap();
        let separates = byte == b'/' && slash || byte == b'\\' && backslash;
        out.push(if separates { SEPARATOR } else { byte });
        i += 3;
    }
    out
}

/// The raw path of a target; `None` for `*`.
fn path_of(target: &[u8]) -> Option<&[u8]> {
    let path = target.split(|b| *b == b'?').next().unwrap();
    if path == b"*" || path.starts_with(b"/") {
        return Some(path).filter(|path| path.starts_with(b"/"));
    }
    let after = path.windows(3).position(|three| three == b"://").expect("an absolute-form") + 3;
    let authority = path[after..].iter().position(|b| *b == b'/');
    Some(authority.map_or(b"/", |length| &path[after + length..]))
}

/// All values of a field, without white space around them.
pub fn values<'a>(ask: &'a Ask, name: &str) -> Vec<&'a [u8]> {
    let blank = |b: &u8| matches!(b, b' ' | b'\t');
    let trim = |value: &'a [u8]| {
        let start = value.iter().take_while(|b| blank(b)).count();
        let end = value[start..].iter().rev().take_while(|b| blank(b)).count();
        &value[start..value.len() - end]
    };
    let of = ask.headers.iter().filter(|(received, _)| received.eq_ignore_ascii_case(name.as_bytes()));
    of.map(|(_, value)| trim(value)).collect()
}

/// RFC 9110 section 5.6.2.
pub fn is_token(name: &[u8]) -> bool {
    !name.is_empty() && name.iter().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(b))
}

/// Name in its one spelling, and password.
fn login(secret: &str) -> Option<(String, String)> {
    let text = String::from_utf8(data_encoding::BASE64.decode(secret.as_bytes()).ok()?).ok()?;
    let (name, password) = text.split_once(':')?;
    Some((name.to_ascii_lowercase(), password.to_owned()))
}
