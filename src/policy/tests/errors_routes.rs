//! Mistakes in roles and routes.

use super::{Severity, check, each_says, route};

#[test]
fn mistakes_in_roles_and_routes_are_errors_that_say_what_to_write() {
    each_says(
        Severity::Error,
        &[
            (
                route!("colour = 'red'\n"),
                "4:1 `[[route]]` has no key `colour` | its keys are `path`, `host`, `methods`, `schemes`, `access`, `require`, `preflight`",
            ),
            (
                "[[role]]\npermissions = ['a']\n",
                r#"1:1 `[[role]]` has no `name` | add `name = "…"`: its name, as it is granted and required"#,
            ),
            (
                "[[role]]\nname = 'a'\n[[role]]\nname = 'a'\n",
                "4:8 the role `a` is already defined on line 1 | give it another name, or put the permissions of both into one section",
            ),
            (
                "[[role]]\nname = 'clerk'\n[[role]]\nname = 'b'\nincludes = ['clark']\n",
                "5:13 there is no role `clark` | did you mean `clerk`? Otherwise add a `[[role]]` of this name",
            ),
            (
                "[[role]]\nname = 'a'\nincludes = ['a']\n",
                "3:13 the role `a` includes itself, by way of `a` | leave one inclusion of the circle out",
            ),
            (
                "[[role]]\nname = 'a'\npermissions = ['orders:*:x']\n",
                r#"3:16 `orders:*:x` has a `*` in a place where it means nothing | `*` stands only as the whole last part, like "orders:*""#,
            ),
            (
                "[[role]]\nname = 'a'\npermissions = ['orders*']\n",
                r#"3:16 `orders*` has a `*` in a place where it means nothing | `*` stands only as the whole last part, like "orders:*""#,
            ),
            (
                "[[role]]\nname = 'a'\npermissions = ['orders::read']\n",
                r#"3:16 `orders::read` is not a permission | join parts of letters, digits, `_`, `.` and `-` by `:`, like "orders:read""#,
            ),
            (
                "[[route]]\nschemes = 'basic'\n",
                r#"1:1 `[[route]]` has no `path` | add `path = "/orders/{id}"`: segments of literal text or `{name}`; `{*rest}` at the end stands for zero or more. A trailing slash makes no difference"#,
            ),
            (
                // What a slip leads to is not another error.
                "[[route]]\npath = '/'\nacess = 'public'\n",
                "3:1 `[[route]]` has no key `acess` | did you mean `access`?",
            ),
            ("[[route]]\npath = '/'\naccess = 'pubic'\n", "3:10 `access` cannot be `pubic` | did you mean `public`?"),
            (
                "[[route]]\npath = '/'\nscheme = 'basic'\n",
                "3:1 `[[route]]` has no key `scheme` | did you mean `schemes`?",
            ),
            (
                "[[route]]\npath = 'x'\n",
                r#"2:8 `x` does not start with `/` | write the path from the root, like "/orders/{id}""#,
            ),
            (
                "[[route]]\npath = '/'\n",
                r#"1:1 `/` needs credentials, and neither it nor `[engine]` lists schemes | add `schemes = ["basic"]` here or to `[engine]`, or write `access = "public"`"#,
            ),
            (
                "[[route]]\npath = '/'\nschemes = 'session'\n",
                "3:11 nobody can come in by these schemes (`session`: it is not built yet) | add a scheme that works: `basic`, `api-key`, or `bearer` with an `[[issuer]]` whose keys are in a file",
            ),
            (
                "[[route]]\npath = '/'\nschemes = 'bearer'\n",
                "3:11 nobody can come in by these schemes (`bearer`: there is no `[[issuer]]` whose tokens are believed) | add a scheme that works: `basic`, `api-key`, or `bearer` with an `[[issuer]]` whose keys are in a file",
            ),
            (
                "[[route]]\npath = '/'\nschemes = ['bearer', 'client-cert']\n",
                "3:11 nobody can come in by these schemes (`bearer`: there is no `[[issuer]]` whose tokens are believed; `client-cert`: there is no `[[certificate]]` that maps one to a user) | add a scheme that works: `basic`, `api-key`, or `bearer` with an `[[issuer]]` whose keys are in a file",
            ),
            (
                "[engine]\nschemes = 'bearer'\n[[route]]\npath = '/'\n",
                "3:1 nobody can come in by the schemes of `[engine]` (`bearer`: there is no `[[issuer]]` whose tokens are believed) | add a scheme that works: `basic`, `api-key`, or `bearer` with an `[[issuer]]` whose keys are in a file",
            ),
            (
                "[[route]]\npath = 'orders'\naccess = 'public'\n",
                r#"2:8 `orders` does not start with `/` | write the path from the root, like "/orders/{id}""#,
            ),
            (
                "[[route]]\npath = '/a//b'\naccess = 'public'\n",
                "2:8 `/a//b` has an empty segment | write one `/` between segments",
            ),
            (
                "[[route]]\npath = '/a/*'\naccess = 'public'\n",
                "2:8 `/a/*` holds a `*` in `*` | write `{name}` for one segment, `{*rest}` for all that follows, or the character itself as `%2A`",
            ),
            (
                "[[route]]\npath = '/{*rest}/x'\naccess = 'public'\n",
                "2:8 `/{*rest}/x` goes on after `{*…}`, which stands for all that is left | let the pattern end there, or use `{name}` for one segment",
            ),
            (
                "[[route]]\npath = '/{a}/{a}'\naccess = 'public'\n",
                "2:8 `/{a}/{a}` has two parameters named `a` | give each parameter its own name",
            ),
            (
                "[[route]]\npath = '/a?b'\naccess = 'public'\n",
                "2:8 `/a?b` holds `?`, which no path pattern may | the query takes no part in finding a route; leave it out",
            ),
            (
                "[[route]]\npath = '/a/../b'\naccess = 'public'\n",
                "2:8 `/a/../b` has a dot segment | write the path that it resolves to",
            ),
            (
                "[[route]]\npath = '/a%zz'\naccess = 'public'\n",
                "2:8 `/a%zz` has a `%` without two hex digits in `a%zz` | write the character `%` itself as `%25`",
            ),
            (
                route!("methods = ['get']\n"),
                r#"4:12 `get` is not the method GET: methods are case-sensitive | write "GET""#,
            ),
            (
                route!("methods = []\n"),
                r#"4:11 `methods` is an empty list | write at least one, like `methods = ["GET"]`"#,
            ),
            (route!("methods = ['GET', 'GET']\n"), "4:19 `methods` lists `GET` twice | leave one of them out"),
            (route!("methods = ['*']\n"), "4:12 `*` is not a method | leave `methods` out to grant all of them"),
            (route!("methods = ['GET,POST']\n"), r#"4:12 `GET,POST` is not a method | write one method, like "GET""#),
            (
                route!("host = 'example.com:8080'\n"),
                r#"4:8 `example.com:8080` names a port; a route holds for all ports of its host | write "example.com""#,
            ),
            (
                route!("host = '*.example.com'\n"),
                "4:8 `*.example.com` is a pattern; a host is named in full | write a route for each host, or leave `host` out for any",
            ),
            (
                route!("host = 'https://example.com'\n"),
                "4:8 `https://example.com` is not a host | write the name alone, without scheme and path",
            ),
            (route!("access = 'publik'\n"), "4:10 `access` cannot be `publik` | did you mean `public`?"),
            (route!("preflight = 'alow'\n"), "4:13 `preflight` cannot be `alow` | did you mean `allow`?"),
        ],
    );
}

#[test]
fn routes_that_tie_are_errors_at_the_later_one() {
    each_says(
        Severity::Error,
        &[
            (
                route!("[[route]]\npath = '/'\nschemes = 'api-key'\n"),
                "5:8 this route ties with the one on line 1: one host, one shape of path, and methods that overlap | make one \
                 route of the two, or give them methods that do not overlap",
            ),
            (
                "[engine]\nschemes = 'basic'\n[[route]]\npath = '/a/{x}'\nhost = 'A.example'\n[[route]]\npath = \
                 '/a/{y}/'\nhost = 'a.example.'\nmethods = 'GET'\n",
                "7:8 this route ties with the one on line 3: one host, one shape of path, and methods that overlap | make one \
                 route of the two, or give them methods that do not overlap",
            ),
        ],
    );
    let apart = "[engine]\nschemes = 'basic'\n[[route]]\npath = '/a'\nmethods = 'GET'\n[[route]]\npath = '/a'\nmethods = 'POST'\n";
    assert!(check(apart).is_ok());
}
