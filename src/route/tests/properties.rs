//! Properties over random policies and paths made of pieces that servers read differently.

use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::model::{self, Rule};
use super::*;

const PIECES: &[&str] = &[
    "/",
    "/",
    "/",
    "/",
    "a",
    "b",
    "admin",
    "Admin",
    "public",
    "..",
    ".",
    "/../",
    "/./",
    "//",
    "/..;/",
    "/.;x",
    "%2e",
    "%2E%2e",
    "%2f",
    "%2F..",
    "%5c",
    "%5C..%5C",
    "%252f",
    "%252F",
    "%255c",
    "%252e",
    "%252e%252e",
    ";x",
    ";",
    "%3b",
    "%3Bx",
    "%253b",
    "%61",
    "%2561",
    "%41",
    "%25",
    "%2525",
    "%253",
    "é",
    "%C3%A9",
    "%C3",
    "%",
    "%00",
    "%2500",
    "\\",
    "#",
    "?",
    " ",
    "~",
    "@",
    "A",
    "B",
];

const PATTERNS: &[&str] = &[
    "",
    "/a",
    "/b",
    "/A",
    "/admin",
    "/Admin",
    "/public",
    "/{x}",
    "/%2e%2e%20",
    "/a%2Fb",
    "/é",
    "/a;x",
    "/..;x",
    "/%25",
    "/%2561",
    "/...",
];

fn a_path() -> impl Strategy<Value = String> {
    proptest::collection::vec(select(PIECES), 0..9).prop_map(|pieces| format!("/{}", pieces.concat()))
}

fn a_route() -> impl Strategy<Value = (String, &'static str)> {
    let path = (proptest::collection::vec(select(PATTERNS), 0..4), select(vec!["", "/", "/{*rest}", "/{*rest}"]));
    let methods = select(vec!["", "", "", "GET ", "GET,POST ", "POST ", "HEAD "]);
    let host = select(vec!["", "", "", "h"]);
    (methods, host, path, select(vec!["public", "admin", "optional"])).prop_map(
        |(methods, host, (path, end), access)| {
            let path = path.concat();
            let path = if path.is_empty() && end.is_empty() { "/".to_owned() } else { path + end };
            (format!("{methods}{host}{path}"), access)
        },
    )
}

/// A policy that loads: of routes that tie the later one is left out.
fn a_policy() -> impl Strategy<Value = Vec<Route>> {
    proptest::collection::vec(a_route(), 0..9).prop_map(|list| {
        let list: Vec<(&str, &str)> = list.iter().map(|(text, access)| (text.as_str(), *access)).collect();
        let mut all = routes(&list);
        while let Err(ties) = Router::build(&all, PathRules::default()) {
            all.remove(ties[0].second);
        }
        all
    })
}

fn some_rules() -> impl Strategy<Value = PathRules> {
    subsequence((0..7).collect::<Vec<usize>>(), 0..=7).prop_map(|set| PathRules {
        separate_encoded_slash: set.contains(&0),
        separate_encoded_backslash: set.contains(&1),
        keep_parameters: set.contains(&2),
        keep_empty_segments: set.contains(&3),
        resolve_dot_segments: set.contains(&4),
        decode_once: set.contains(&5),
        case_sensitive: set.contains(&6),
    })
}

/// What the router found, as rules.
fn rule_of(routes: &[Route], found: Landing) -> Rule {
    match found {
        Landing::None => Rule::None,
        Landing::Route(index) => Rule::Route(model::rule(&routes[index])),
        Landing::MethodNotGranted(list) => {
            let mut rules: Vec<String> = list.iter().map(|index| model::rule(&routes[*index])).collect();
            rules.sort();
            Rule::NotGranted(rules)
        }
    }
}

/// Percent-encodes the letters and digits that `mask` names, in digits of its case.
fn reencode(path: &str, mask: &[u8]) -> String {
    let mut out = String::new();
    for (byte, mask) in path.bytes().zip(mask.iter().cycle()) {
        match mask % 3 {
            1 if byte != b'/' => out.push_str(&format!("%{byte:02x}")),
            2 if byte != b'/' => out.push_str(&format!("%{byte:02X}")),
            _ => out.push(char::from(byte)),
        }
    }
    out
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    /// The one that matters: a landing is what every server makes of the path, and a refusal has a reason.
    #[test]
    fn a_landing_is_what_every_reading_leads_to(
        policy in a_policy(),
        rules in prop_oneof![Just(PathRules::default()), some_rules()],
        host in select(vec![None, Some("h")]),
        path in a_path(),
        method in select(vec!["GET", "HEAD", "POST", "PUT"]),
    ) {
        let router = Router::build(&policy, rules).unwrap();
        let wanted = model::rules_of(&policy, rules, host, path.as_bytes(), method);
        match router.find(host, path.as_bytes(), method) {
            Ok(found) => prop_assert_eq!(wanted, Some([rule_of(&policy, found)].into()), "{}", path),
            Err(_) => prop_assert!(wanted.as_ref().is_none_or(|all| all.len() > 1), "{} is refused: {:?}", path, wanted),
        }
    }

    /// Public in the router is public on every server, whatever rules an operator left on.
    #[test]
    fn no_strict_server_finds_more_than_public(policy in a_policy(), path in a_path()) {
        let router = Router::build(&policy, PathRules::default()).unwrap();
        if let Ok(Landing::Route(index)) = router.find(None, path.as_bytes(), "GET")
            && policy[index].access == Access::Public
        {
            for rule in model::rules_of(&policy, PathRules::default(), None, path.as_bytes(), "GET").unwrap() {
                prop_assert_eq!(rule, Rule::Route(model::rule(&policy[index])), "{}", path);
            }
        }
    }

    /// GHSA-r9fw-vxmp-hwf2: encoding what needs none changes nothing, whatever the case of its digits.
    #[test]
    fn reencoding_a_plain_path_never_changes_the_landing(
        policy in a_policy(),
        path in "(/[a-zA-B]{1,2}|/admin|/public|/~-_){0,4}/?",
        mask in proptest::collection::vec(any::<u8>(), 1..20),
    ) {
        let router = Router::build(&policy, PathRules::default()).unwrap();
        let path = if path.is_empty() { "/".to_owned() } else { path };
        let encoded = reencode(&path, &mask);
        let plain = router.find(None, path.as_bytes(), "GET");
        let again = router.find(None, encoded.as_bytes(), "GET");
        prop_assert_eq!(plain.is_err(), again.is_err(), "{} {}", path, encoded);
        prop_assert_eq!(plain.ok(), again.ok(), "{} {}", path, encoded);
    }

    /// Case apart, a plain path has one reading: what is found is the brute-force search over all routes.
    #[test]
    fn the_most_specific_of_all_routes_is_found(
        policy in a_policy(),
        path in "(/(a|b|admin|public|z|\\.\\.\\.)){0,5}/?",
        method in select(vec!["GET", "HEAD", "POST"]),
    ) {
        let rules = PathRules { case_sensitive: true, ..PathRules::default() };
        let router = Router::build(&policy, rules).unwrap();
        let path = if path.is_empty() { "/".to_owned() } else { path };
        let found = router.find(Some("h"), path.as_bytes(), method);
        let wanted = model::rules_of(&policy, rules, Some("h"), path.as_bytes(), method);
        prop_assert_eq!(wanted, Some([rule_of(&policy, found.unwrap())].into()), "{}", path);
    }

    #[test]
    fn no_bytes_make_it_panic(policy in a_policy(), path in any::<Vec<u8>>(), host in any::<Option<String>>(), method in any::<String>()) {
        let router = Router::build(&policy, PathRules::default()).unwrap();
        let _ = router.find(host.as_deref(), &path, &method);
        let mut rooted = b"/".to_vec();
        rooted.extend(&path);
        let found = router.find(host.as_deref(), &rooted, &method);
        let refused = model::rules_of(&policy, PathRules::default(), host.as_deref(), &rooted, &method).is_none();
        prop_assert!(found.is_err() || !refused);
    }

    #[test]
    fn no_pattern_makes_it_panic(text in any::<String>(), path in a_path()) {
        let _ = pattern::parse(&text);
        let mut list = routes(&[("/{*all}", "public")]);
        list[0].path = text;
        if let Ok(router) = Router::build(&list, PathRules::default()) {
            let _ = router.find(None, path.as_bytes(), "GET");
        }
    }
}
