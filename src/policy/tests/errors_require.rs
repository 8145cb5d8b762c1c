//! Mistakes in requirements.

use super::{Severity, check, each_says, line, route};

#[test]
fn mistakes_in_requirements_are_errors_that_say_what_to_write() {
    each_says(
        Severity::Error,
        &[
            (
                route!(
                    "require = { user = { issuer = 'acc', subject = 'rita' } }\n[[issuer]]\nname = 'acc'\nissuer = 'https://acc'\naudience = 'orders'\nalgorithms = 'HS256'\nkeys = { secret_file = 'good.key' }\nusers = 'local'\n"
                ),
                r#"4:31 the subjects of `acc` are local users | write `user = "rita"`"#,
            ),
            (
                route!("require = {}\n"),
                r#"4:11 this requirement is empty | write `require = "authenticated"` for whoever is recognised, or name what is needed"#,
            ),
            (route!("require = []\n"), "4:11 this list of requirements is empty | write at least one requirement"),
            (
                route!("require = 5\n"),
                r#"4:11 a requirement cannot be a whole number | write "authenticated", or a table like { role = "clerk" }"#,
            ),
            (
                route!("require = 'authentificated'\n"),
                "4:11 `authentificated` is not a requirement | did you mean `authenticated`?",
            ),
            (
                route!("require = 'admin'\n"),
                r#"4:11 `admin` is not a requirement | write "authenticated", or a table like { role = "admin" }"#,
            ),
            (route!("require = { rolle = 'a' }\n"), "4:13 a requirement has no key `rolle` | did you mean `role`?"),
            (route!("require = { role = 'ghost' }\n"), "4:20 there is no role `ghost` | add a `[[role]]` of this name"),
            (
                route!("require = { role = [] }\n"),
                r#"4:20 `role` is an empty list | write at least one, like `role = ["…"]`"#,
            ),
            (
                route!("require = { all = [] }\n"),
                r#"4:19 `all` is an empty list | write at least one, like `all = [{ role = "…" }]`"#,
            ),
            (
                route!("require = { any = { tls = true } }\n"),
                r#"4:19 `any` cannot be a table | write a list, each a requirement, like `any = [{ role = "…" }]`"#,
            ),
            (
                route!("require = { tls = false }\n"),
                "4:19 `tls` is only ever `true` | write `not = { tls = true }` to keep TLS out",
            ),
            (
                route!("require = { authenticated = false }\n"),
                r#"4:29 `authenticated` is only ever `true` | write `access = "public"` for a route that everybody may use"#,
            ),
            (
                route!("require = { permission = 'orders:*' }\n"),
                r#"4:26 `orders:*` asks for a pattern; a requirement names one permission | name the permission, like "orders:read"; patterns belong in `[[role]] permissions`"#,
            ),
            (
                route!("require = { permission = 'orders read' }\n"),
                r#"4:26 `orders read` is not a permission | join parts of letters, digits, `_`, `.` and `-` by `:`, like "orders:read""#,
            ),
            (
                route!("require = { scope = 'a b' }\n"),
                "4:21 `a b` is more than one scope | write a list, which means any of them, or several under `all`",
            ),
            (
                route!("require = { user = 'a b' }\n"),
                "4:20 `a b` can be nobody's user name | write the name as `gatepost user list` shows it (RFC 8265: no spaces, no control characters)",
            ),
            (
                route!("require = { user = { issuer = 'ghost', subject = '7' } }\n"),
                "4:31 there is no issuer named `ghost` | add an `[[issuer]]` of this name",
            ),
            (
                route!("require = { user = { subject = '7' } }\n"),
                r#"4:20 `user` has no `issuer` | add `issuer = "…"`: `name` of an `[[issuer]]`"#,
            ),
            (
                route!("require = { network = '10.0.0.0/33' }\n"),
                "4:23 `10.0.0.0/33` is not an address range | the prefix length is too large for this kind of address",
            ),
            (
                route!("require = { claim = { name = 'a' } }\n"),
                "4:21 this claim has no test | add `equals = …` or `contains = …`",
            ),
            (
                route!("require = { claim = { name = 'a', equals = 1, contains = 2 } }\n"),
                "4:21 this claim has two tests | keep `equals` or `contains`; `all` has room for two claims",
            ),
            (
                route!("require = { claim = { name = 'a', equals = nan } }\n"),
                "4:44 no claim can have this value | write a value that JSON has too, like a string",
            ),
            (
                route!("require = { claim = { name = 'a', equals = 2026-11-23 } }\n"),
                "4:44 no claim can have this value | write a value that JSON has too, like a string",
            ),
            (
                route!("require = { not = { factor = 'otp' } }\n"),
                "4:21 `factor` may not stand under `not`: nobody can be asked to prove less | say what is needed, not what must be missing",
            ),
            (
                route!("require = { not = { any = [{ tls = true }, { login_within = '5m' }] } }\n"),
                "4:46 `login_within` may not stand under `not`: nobody can be asked to prove less | say what is needed, not what must be missing",
            ),
            (
                route!("require = { login_within = '0s' }\n"),
                "4:28 `login_within` is out of range | write a duration of at least 1s",
            ),
            (
                "[[route]]\npath = '/'\naccess = 'public'\nrequire = { role = 'a' }\n",
                r#"4:13 a route with `access = "public"` cannot require `role`: nobody need be recognised there | require only `network` and `tls`, or leave `access` out"#,
            ),
            (
                "[[route]]\npath = '/'\naccess = 'public'\nrequire = 'authenticated'\n",
                r#"4:11 a route with `access = "public"` cannot require `authenticated`: nobody need be recognised there | require only `network` and `tls`, or leave `access` out"#,
            ),
            (
                route!("access = 'optional'\nrequire = { all = [{ tls = true }, { user = 'rita' }] }\n"),
                r#"5:38 a route with `access = "optional"` cannot require `user`: nobody need be recognised there | require only `network` and `tls`, or leave `access` out"#,
            ),
        ],
    );
}

#[test]
fn requirements_nest_32_deep_and_no_deeper() {
    let nested = |depth: usize| {
        let (open, close) = ("{ not = ".repeat(depth - 1), " }".repeat(depth - 1));
        format!("{}require = {open}{{ tls = true }}{close}\n", route!())
    };
    assert!(check(&nested(32)).is_ok());
    let said: Vec<_> = check(&nested(33)).unwrap_err().iter().map(line).collect();
    assert_eq!(said, ["4:267 this requirement is nested deeper than 32 | write it flatter"]);
}
