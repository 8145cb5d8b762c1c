//! From a raw request-target to a route: every reading that some server makes of the path must land on the same
//! rule, or the request is refused. Knows nothing of credentials.
//!
//! [`pattern`] reads what the operator wrote, `reading` what the client sent, `trie` brings them together, `rule` says
//! which routes are the same rule. Whether folding of letters can matter is known when the router is built, whether
//! anything else can after one scan of the path: most requests pay for one walk.

pub mod pattern;
mod reading;
mod rule;
#[cfg(test)]
mod tests;
mod trie;

use std::collections::{BTreeMap, HashMap};

use crate::policy::model::{PathRules, Route};
use pattern::Segment;
use reading::{Reading, Refused};
use rule::Found;
use trie::{Segments, Shape, Trie};

/// What a path and method lead to, the same in every reading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Landing {
    /// This route (index into the policy's routes).
    Route(usize),
    /// The path matches these routes, none grants the method.
    MethodNotGranted(Vec<usize>),
    /// No route matches.
    None,
}

/// The readings do not agree; the text names two of them, for the operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ambiguous {
    /// For `--explain`: "decoded once it is /a (route …); with %2F as a slash it is /b (route …)".
    pub explanation: String,
}

/// Two routes that tie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tie {
    /// Index of the earlier route.
    pub first: usize,
    /// Index of the later route.
    pub second: usize,
}

/// Finds the route of a request.
#[derive(Debug, Default)]
pub struct Router {
    rules: PathRules,
    /// Routes with a host, by host.
    hosts: HashMap<Box<[u8]>, Group>,
    /// Routes without one.
    any: Group,
    /// By route: its class, its methods, how messages name it.
    classes: Vec<u32>,
    methods: Vec<Option<Vec<String>>>,
    names: Vec<String>,
    /// A pattern that does not parse (the loader refuses it earlier): then every request is refused.
    unusable: Option<String>,
}

/// The patterns of one host.
#[derive(Debug, Default)]
struct Group {
    exact: Trie,
    /// For readings without case, where that makes a difference: some literal holds a letter A-Z.
    folded: Option<Trie>,
}

/// Why an enumeration of readings stopped.
enum Stop {
    Refused(&'static str),
    Disagreement(String),
}

impl Router {
    /// Builds it. All ties are reported, not the first.
    ///
    /// A pattern that [`pattern::parse`] refuses makes a router that refuses every path: check patterns first.
    pub fn build(routes: &[Route], rules: PathRules) -> Result<Router, Vec<Tie>> {
        let mut router = Router {
            rules,
            classes: rule::classes(routes),
            methods: routes.iter().map(|route| route.methods.clone()).collect(),
            names: routes.iter().map(name).collect(),
            ..Router::default()
        };
        // Names of parameters are no part of a shape.
        let mut groups: BTreeMap<Option<&str>, BTreeMap<Vec<Segment>, Vec<usize>>> = BTreeMap::new();
        for (index, route) in routes.iter().enumerate() {
            match pattern::parse(&route.path) {
                Ok(shape) => {
                    groups.entry(route.host.as_deref()).or_default().entry(shape).or_default().push(index);
                }
                Err(error) => router.unusable = Some(format!("{}: {}", name(route), error.explanation)),
            }
        }
        let mut ties: Vec<Tie> =
            groups.values().flat_map(BTreeMap::values).flat_map(|shape| rule::ties(routes, shape)).collect();
        if !ties.is_empty() {
            ties.sort_by_key(|tie| (tie.first, tie.second));
            return Err(ties);
        }
        for (host, shapes) in groups {
            let group = Group::build(&shapes, &router.classes);
            match host {
                Some(host) => _ = router.hosts.insert(host.as_bytes().into(), group),
                None => router.any = group,
            }
        }
        Ok(router)
    }

    /// Finds the landing of a raw path (as received, without the query) for a normalised host.
    ///
    /// For a CORS preflight call it with the method that `Access-Control-Request-Method` names: the landing says
    /// whether that method is granted, and by which route. `OPTIONS *` has no path and so no landing.
    pub fn find(&self, host: Option<&str>, path: &[u8], method: &str) -> Result<Landing, Ambiguous> {
        self.find_by(host.map(str::as_bytes), path, method)
    }

    /// As [`Router::find`], for the octets of the host.
    pub fn find_by(&self, host: Option<&[u8]>, path: &[u8], method: &str) -> Result<Landing, Ambiguous> {
        if let Some(explanation) = &self.unusable {
            return Err(Ambiguous { explanation: explanation.clone() });
        }
        let own = host.and_then(|host| self.hosts.get(host));
        let folding = self.any.folded.is_some() || own.is_some_and(|group| group.folded.is_some());
        if !folding && let Some(plain) = reading::plain(path) {
            match self.lookup(own, &plain, false) {
                [] => return Ok(Landing::None),
                [shape] => return Ok(rule::select(&self.methods, shape, method).into()),
                // Only where folding makes one of several.
                _ => {}
            }
        }
        self.agree(own, folding, path, method)
    }

    /// Where all readings of a path lead, if to one rule.
    fn agree(&self, own: Option<&Group>, folding: bool, path: &[u8], method: &str) -> Result<Landing, Ambiguous> {
        // The first reading is the plain one; all others are held against it.
        let mut first: Option<(Reading, Found<'_>)> = None;
        let outcome = reading::each(path, self.rules, &mut |reading, upper, segments| {
            let mut compare = |reading: Reading| {
                let shapes = self.lookup(own, segments, reading.folded);
                // Several shapes only where patterns differ in nothing but case; none is "no route".
                for shape in shapes.iter().map(Some).chain(shapes.is_empty().then_some(None)) {
                    let found = shape.map_or(Found::None, |shape| rule::select(&self.methods, shape, method));
                    let (plain, agreed) = *first.get_or_insert((reading, found));
                    if !self.is_same_rule(agreed, found) {
                        let plain = format!("{plain} it is {} and leads to {}", self.plainly(path), self.tell(agreed));
                        let other = format!("{reading} it is {} and leads to {}", show(segments), self.tell(found));
                        return Err(Stop::Disagreement(format!("{plain}; {other}")));
                    }
                }
                Ok(())
            };
            compare(reading)?;
            if (upper || folding) && !self.rules.case_sensitive {
                compare(Reading { folded: true, ..reading })?;
            }
            Ok(())
        });
        match outcome {
            Err(Stop::Refused(why)) => Err(Ambiguous { explanation: why.to_owned() }),
            Err(Stop::Disagreement(explanation)) => Err(Ambiguous { explanation }),
            Ok(()) => Ok(first.map_or(Landing::None, |(_, found)| found.into())),
        }
    }

    /// The shapes that match: of the request's host first, then without a host.
    fn lookup<'r, S: Segments + ?Sized>(&'r self, own: Option<&'r Group>, path: &S, folded: bool) -> &'r [Shape] {
        match own.map(|group| group.walk(path, folded)) {
            Some(shapes) if !shapes.is_empty() => shapes,
            _ => self.any.walk(path, folded),
        }
    }

    fn is_same_rule(&self, a: Found<'_>, b: Found<'_>) -> bool {
        match (a, b) {
            (Found::None, Found::None) => true,
            (Found::Route(a), Found::Route(b)) => self.classes.get(a) == self.classes.get(b),
            (Found::NotGranted(a), Found::NotGranted(b)) => a.classes == b.classes,
            _ => false,
        }
    }

    /// The path in its first reading, for messages.
    fn plainly(&self, path: &[u8]) -> String {
        let mut shown = String::new();
        let _ = reading::each::<Stop>(path, self.rules, &mut |_, _, segments| {
            shown = show(segments);
            Err(Stop::Refused("the first is enough"))
        });
        shown
    }

    fn tell(&self, found: Found<'_>) -> String {
        let name = |index: &usize| self.names.get(*index).map_or("", String::as_str);
        match found {
            Found::None => "no route".to_owned(),
            Found::Route(index) => name(&index).to_owned(),
            Found::NotGranted(shape) => {
                let names: Vec<&str> = shape.routes.iter().map(name).collect();
                format!("{}, which does not grant the method", names.join(" and "))
            }
        }
    }
}

impl Group {
    fn build(shapes: &BTreeMap<Vec<Segment>, Vec<usize>>, classes: &[u32]) -> Group {
        let mut group = Group::default();
        let has_upper =
            |segment: &Segment| matches!(segment, Segment::Literal(text) if text.iter().any(u8::is_ascii_uppercase));
        if shapes.keys().flatten().any(has_upper) {
            group.folded = Some(Trie::default());
        }
        for (pattern, routes) in shapes {
            let mut classes: Vec<u32> = routes.iter().filter_map(|index| classes.get(*index).copied()).collect();
            classes.sort_unstable();
            let shape = Shape { routes: routes.clone(), classes };
            if let Some(folded) = &mut group.folded {
                let lower = |segment: &Segment| match segment {
                    Segment::Literal(text) => Segment::Literal(text.to_ascii_lowercase()),
                    Segment::Name | Segment::Rest => segment.clone(),
                };
                folded.insert(&pattern.iter().map(lower).collect::<Vec<_>>(), shape.clone());
            }
            group.exact.insert(pattern, shape);
        }
        group
    }

    fn walk<S: Segments + ?Sized>(&self, path: &S, folded: bool) -> &[Shape] {
        match &self.folded {
            Some(trie) if folded => trie.walk(path, true),
            _ => self.exact.walk(path, folded),
        }
    }
}

impl From<Found<'_>> for Landing {
    fn from(found: Found<'_>) -> Landing {
        match found {
            Found::Route(index) => Landing::Route(index),
            Found::NotGranted(shape) => Landing::MethodNotGranted(shape.routes.clone()),
            Found::None => Landing::None,
        }
    }
}

impl From<Refused> for Stop {
    fn from(refused: Refused) -> Stop {
        Stop::Refused(refused.0)
    }
}

/// How messages name a route.
fn name(route: &Route) -> String {
    let methods = route.methods.as_ref().map_or(String::new(), |list| format!("{} ", list.join(",")));
    let host = route.host.as_deref().unwrap_or_default();
    format!("route {methods}{host}{} (line {})", route.path, route.line)
}

/// A path for messages: data that is no plain text is encoded again.
fn show(segments: &[&[u8]]) -> String {
    let mut text = String::new();
    for segment in segments {
        text.push('/');
        for byte in *segment {
            match byte {
                b'!'..=b'~' if !matches!(byte, b'/' | b'%' | b'\\' | b'?' | b'#' | b'"') => {
                    text.push(char::from(*byte))
                }
                _ => text.push_str(&format!("%{byte:02X}")),
            }
        }
    }
    if text.is_empty() { "/".to_owned() } else { text }
}
