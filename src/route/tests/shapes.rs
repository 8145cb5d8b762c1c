//! Patterns, specificity, methods, hosts, ties and classes.

use super::*;

#[test]
fn most_specific_wins_segment_by_segment_with_backtracking() {
    let router = router(&[
        ("/a/b/d", "r0"),
        ("/a/{x}/c", "r1"),
        ("/a/{*rest}", "r2"),
        ("/{x}/b/{y}", "r3"),
        ("/a/b", "r4"),
        ("/", "r5"),
    ]);
    for (path, wanted) in [
        ("/a/b/d", "0"),
        ("/a/b/c", "1"),
        ("/a/b/e", "2"),
        ("/a/b/c/d", "2"),
        ("/a", "2"),
        ("/a/", "2"),
        ("/a/b", "4"),
        ("/a/b/", "4"),
        ("/z/b/q", "3"),
        ("/z/b", "none"),
        ("/", "5"),
        ("/b", "none"),
    ] {
        assert_eq!(lands(&router, path), wanted, "{path}");
    }
}

#[test]
fn rest_covers_the_folder_itself_and_name_is_not_empty() {
    let router = router(&[("/admin/{*rest}", "r0"), ("/orders/{id}", "r1"), ("/files/{f}/raw/", "r2")]);
    for (path, wanted) in [
        ("/admin", "0"),
        ("/admin/", "0"),
        ("/admin/a/b/c", "0"),
        ("/administrator", "none"),
        ("/orders", "none"),
        ("/orders/", "none"),
        ("/orders/7", "1"),
        ("/orders/7/", "1"),
        ("/orders/7/8", "none"),
        ("/files/x/raw", "2"),
        ("/files/x/raw/", "2"),
    ] {
        assert_eq!(lands(&router, path), wanted, "{path}");
    }
}

#[test]
fn a_catch_all_covers_the_root() {
    assert_eq!(lands(&router(&[("/{*all}", "r0")]), "/"), "0");
    assert_eq!(lands(&router(&[("/{one}", "r0")]), "/"), "none");
}

#[test]
fn a_method_that_is_not_granted_never_falls_through() {
    let router = router(&[
        ("GET,POST /a", "r0"),
        ("DELETE /a", "r1"),
        ("/{*all}", "public"),
        ("GET h/b", "r3"),
        ("/b", "public"),
        ("/{x}/c", "public"),
        ("PUT /a/c", "r6"),
    ]);
    assert_eq!(router.find(None, b"/a", "PUT"), Ok(Landing::MethodNotGranted(vec![0, 1])));
    assert_eq!(router.find(None, b"/a", "DELETE"), Ok(Landing::Route(1)));
    assert_eq!(router.find(None, b"/a", "get"), Ok(Landing::MethodNotGranted(vec![0, 1])));
    assert_eq!(router.find(Some("h"), b"/b", "POST"), Ok(Landing::MethodNotGranted(vec![3])));
    assert_eq!(router.find(None, b"/b", "POST"), Ok(Landing::Route(4)));
    assert_eq!(router.find(None, b"/a/c", "GET"), Ok(Landing::MethodNotGranted(vec![6])));
    assert_eq!(router.find(None, b"/z", "BREW"), Ok(Landing::Route(2)));
}

#[test]
fn get_grants_head_unless_another_route_lists_it() {
    let router = router(&[("GET /a", "r0"), ("GET /b", "r1"), ("HEAD /b", "r2"), ("POST /c", "r3"), ("/d", "r4")]);
    assert_eq!(router.find(None, b"/a", "HEAD"), Ok(Landing::Route(0)));
    assert_eq!(router.find(None, b"/b", "HEAD"), Ok(Landing::Route(2)));
    assert_eq!(router.find(None, b"/b", "GET"), Ok(Landing::Route(1)));
    assert_eq!(router.find(None, b"/c", "HEAD"), Ok(Landing::MethodNotGranted(vec![3])));
    assert_eq!(router.find(None, b"/d", "HEAD"), Ok(Landing::Route(4)));
    assert_eq!(router.find(None, b"/a", "head"), Ok(Landing::MethodNotGranted(vec![0])));
}

#[test]
fn routes_of_the_host_come_first() {
    let router = router(&[("/a/b", "r0"), ("h.example/a/{*rest}", "r1"), ("/{*all}", "r2"), ("g.example/a/b", "r3")]);
    for (host, path, wanted) in [
        (Some("h.example"), "/a/b", "1"),
        (Some("g.example"), "/a/b", "3"),
        (Some("h.example"), "/b", "2"),
        (Some("x.example"), "/a/b", "0"),
        (None, "/a/b", "0"),
        (None, "/a/c", "2"),
    ] {
        assert_eq!(word(router.find(host, path.as_bytes(), "GET")), wanted, "{host:?} {path}");
    }
}

#[test]
fn all_ties_are_reported() {
    let list = routes(&[
        ("/a/{x}", "r0"),
        ("GET /a/{y}/", "r1"),
        ("GET,POST /b", "r2"),
        ("POST /b", "r3"),
        ("PUT,GET /%62", "r4"),
        ("h/{*a}", "r5"),
        ("h/{*b}", "r6"),
    ]);
    let ties = Router::build(&list, PathRules::default()).unwrap_err();
    let pairs: Vec<(usize, usize)> = ties.iter().map(|tie| (tie.first, tie.second)).collect();
    assert_eq!(pairs, [(0, 1), (2, 3), (2, 4), (5, 6)]);
}

#[test]
fn what_does_not_tie() {
    router(&[
        ("GET /a", "r0"),
        ("POST /a", "r1"),
        ("HEAD /a", "r2"),
        ("h/a", "r3"),
        ("/A", "r4"),
        ("/{a}", "r5"),
        ("/{*a}", "r6"),
        ("/a/{*rest}", "r7"),
        ("get /a", "r8"),
    ]);
}

#[test]
fn a_pattern_that_does_not_parse_refuses_everything() {
    let router = router(&[("/{*all}", "public"), ("/a{b}", "r1")]);
    let refused = router.find(None, b"/x", "GET").unwrap_err();
    assert!(refused.explanation.contains("/a{b} (line 2)"), "{}", refused.explanation);
}

#[test]
fn literals_are_decoded_once() {
    let router = router(&[("/%61b/%C3%A4", "r0"), ("/100%25", "r1"), ("/x%3By", "r2")]);
    assert_eq!(lands(&router, "/ab/ä"), "0");
    assert_eq!(lands(&router, "/%61%62/%c3%A4"), "0");
    assert_eq!(lands(&router, "/100%25"), "1");
    // A server that drops parameters sees "/x", where nothing is.
    assert_eq!(lands(&router, "/x%3By"), "ambiguous");
    assert_eq!(lands(&router, "/x;y"), "ambiguous");
}

/// Equal access, methods, schemes, requirement and preflight are one rule, whatever the routes; one difference in any
/// of them is another.
#[test]
fn readings_may_differ_where_the_rules_are_equal() {
    let base = routes(&[("GET,POST /a", "r"), ("POST,GET /{*all}", "r")]);
    let odd = b"/x%2F..%2Fa";
    let find = |list: &[Route]| word(Router::build(list, PathRules::default()).unwrap().find(None, odd, "GET"));
    assert_eq!(find(&base), "1");
    let differ = |change: &dyn Fn(&mut Route)| {
        let mut list = base.clone();
        change(&mut list[0]);
        find(&list)
    };
    assert_eq!(differ(&|r| r.line = 99), "1");
    assert_eq!(differ(&|r| r.access = Access::Public), "ambiguous");
    assert_eq!(differ(&|r| r.access = Access::Optional), "ambiguous");
    assert_eq!(differ(&|r| r.methods = None), "ambiguous");
    assert_eq!(differ(&|r| r.methods = Some(vec!["GET".into()])), "ambiguous");
    assert_eq!(differ(&|r| r.methods = Some(vec!["POST".into()])), "ambiguous");
    assert_eq!(differ(&|r| r.schemes = vec![Scheme::Bearer]), "ambiguous");
    assert_eq!(differ(&|r| r.schemes.push(Scheme::Bearer)), "ambiguous");
    assert_eq!(differ(&|r| r.require = Requirement::Role("other".into())), "ambiguous");
    assert_eq!(differ(&|r| r.preflight = true), "ambiguous");
    let mut both = base.clone();
    both[0].schemes = vec![Scheme::Bearer, Scheme::Basic];
    both[1].schemes = vec![Scheme::Basic, Scheme::Bearer];
    assert_eq!(find(&both), "1");
}

#[test]
fn no_route_and_no_method_are_rules_of_their_own() {
    let list = [("/a/b", "r0"), ("POST /c", "r1"), ("POST /d", "r1"), ("POST,PUT /e", "r1")];
    let router = router(&list);
    assert_eq!(lands(&router, "/x%2Fy"), "none");
    assert_eq!(lands(&router, "/a%2Fb"), "ambiguous");
    assert_eq!(lands(&router, "/c/%2e./d"), "ambiguous");
    assert_eq!(lands(&router, "/c;x=/../d"), "ambiguous");
    let resolved = PathRules { resolve_dot_segments: true, ..PathRules::default() };
    let router = Router::build(&routes(&list), resolved).unwrap();
    // Both readings are refused the method by the same rule; by another rule they are not the same.
    assert_eq!(lands(&router, "/c%2F../d"), "ambiguous");
    assert_eq!(router.find(None, b"/z/../d", "GET"), Ok(Landing::MethodNotGranted(vec![2])));
    assert_eq!(lands(&router, "/d/%2e%2e/e"), "method");
    assert_eq!(lands(&router, "/d;/../e"), "method");
}
