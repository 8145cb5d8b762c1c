//! What loads, but is worth a second look.

use super::{Severity, check, each_says, found, line, route, sound_issuer};

#[test]
fn suspicious_settings_load_with_one_warning() {
    each_says(
        Severity::Warning,
        &[
            (
                "",
                "1:1 there are no routes | add a `[[route]]` with a `path`; until then `unmatched` decides everything",
            ),
            (
                "[engine]\nunmatched = 'pass'\n[[route]]\npath = '/'\nschemes = 'basic'\n",
                r#"2:13 a path that no route covers is left to the host, which may let everybody in | write "deny" and a route for each path"#,
            ),
            (
                "[engine]\nschemes = ['basic', 'session']\n[[route]]\npath = '/'\nschemes = 'basic'\n",
                "2:21 nobody can come in by `session`: it is not built yet | leave it out for now, or keep it for a later version",
            ),
            (
                "[engine]\nschemes = ['basic', 'bearer']\n[[route]]\npath = '/'\nschemes = 'basic'\n",
                "2:21 nobody can come in by `bearer`: there is no `[[issuer]]` whose tokens are believed | add an `[[issuer]]` with its keys, or leave the scheme out for now",
            ),
            (
                "[[route]]\npath = '/{*all}'\naccess = 'public'\n",
                "2:8 everything that no other route covers is public | leave this route out, and let `unmatched` decide; or name the public paths",
            ),
            (
                "[[route]]\npath = '/x/:id'\nschemes = 'basic'\n",
                "2:8 `:id` is read as it stands, not as a parameter | write `{id}` for any one segment",
            ),
            (
                route!("access = 'public'\n"),
                r#"3:11 a public route looks at no credentials: its `schemes` have no effect | leave `schemes` out, or write `access = "optional"`"#,
            ),
            (
                "[[route]]\npath = '/'\naccess = 'optional'\n",
                r#"1:1 `/` looks for credentials, and neither it nor `[engine]` lists schemes | add `schemes = ["basic"]` here or to `[engine]`, or write `access = "public"`"#,
            ),
            (
                "[[route]]\npath = '/'\nschemes = ['basic', 'session']\n",
                "3:21 nobody can come in by `session`: it is not built yet | leave it out for now, or keep it for a later version",
            ),
            (
                "[[route]]\npath = '/'\nschemes = ['basic', 'bearer']\n",
                "3:21 nobody can come in by `bearer`: there is no `[[issuer]]` whose tokens are believed | add an `[[issuer]]` with its keys, or leave the scheme out for now",
            ),
            (
                route!("require = { factor = 'otp' }\n"),
                "4:11 nobody can meet this: `basic`, `api-key` and `client-cert` prove neither a factor nor the time of a login | add a scheme that does, like `bearer` or `session`",
            ),
            (
                route!("require = { all = [{ tls = true }, { login_within = '5m' }] }\n"),
                "4:11 nobody can meet this: `basic`, `api-key` and `client-cert` prove neither a factor nor the time of a login | add a scheme that does, like `bearer` or `session`",
            ),
            (
                "[proxies]\ntrusted = ['0.0.0.0/0']\n[[route]]\npath = '/'\nschemes = 'basic'\n",
                "2:12 `0.0.0.0/0` trusts everybody: every client can choose its own address | name the addresses of your proxies alone",
            ),
            (
                "[proxies]\ntrusted = '::/0'\n[[route]]\npath = '/'\nschemes = 'basic'\n",
                "2:11 `::/0` trusts everybody: every client can choose its own address | name the addresses of your proxies alone",
            ),
            (
                "[proxies]\nscheme = 'X-Forwarded-Proto'\n[[route]]\npath = '/'\nschemes = 'basic'\n",
                r#"2:10 `scheme` is believed from nobody, because no proxy is trusted | add `trusted = ["127.0.0.1/32"]` with the addresses of your proxies"#,
            ),
            (
                "[password]\nmin_length = 14\n[[route]]\npath = '/'\nschemes = 'basic'\n",
                "2:14 passwords of 14 characters are short where they are the only factor: `/` on line 3 asks for no second one | write 15 or more, or let every route with `basic` or `session` require a `factor`",
            ),
            (
                "[password]\nmemory_kib = 8192\n[[route]]\npath = '/'\nschemes = 'basic'\n",
                "2:14 8192 KiB make stolen password hashes cheap to guess | write 19456 or more",
            ),
            (
                "[password]\nmemory_kib = 1048576\n[[route]]\npath = '/'\nschemes = 'basic'\n",
                "2:14 one hash needs more than the 256 MiB that a process may usually spend on hashing: every login would fail | write 262144 or less, or raise the ceiling of the host",
            ),
            (
                "[throttle]\naccount = false\n[[route]]\npath = '/'\nschemes = 'basic'\n",
                r#"2:11 the limit `account` is off: secrets can be guessed without end | write a high limit rather than none, like `{ failures = 100, per = "15m" }`"#,
            ),
            (
                "[endpoints]\nlogin = true\n[[route]]\npath = '/'\nschemes = 'basic'\n",
                "1:1 `[endpoints]` is not built yet: it is checked, and then has no effect | leave it out for now",
            ),
            (
                "[proxies]\ntrusted = '::1'\ncertificate_form = 'escaped-pem'\n[[route]]\npath = '/'\nschemes = 'basic'\n",
                "3:20 `certificate_form` has no effect without `certificate` | add `certificate = \"Client-Cert\"` with the field that your proxy sets, or leave it out",
            ),
            (
                "[proxies]\ncertificate = 'Client-Cert'\n[[route]]\npath = '/'\nschemes = 'basic'\n",
                "2:15 `certificate` is believed from nobody, because no proxy is trusted | add `trusted = [\"127.0.0.1/32\"]` with the addresses of your proxies",
            ),
            (
                "[engine]\nschemes = ['basic', 'client-cert']\n[[route]]\npath = '/'\nschemes = 'basic'\n",
                "2:21 nobody can come in by `client-cert`: there is no `[[certificate]]` that maps one to a user | add a `[[certificate]]`, or leave the scheme out",
            ),
            (
                "[[certificate]]\nsubject = 'CN=a'\nuser = 'billing'\n[[route]]\npath = '/'\nschemes = 'client-cert'\nrequire = { factor = 'hwk' }\n",
                "7:11 nobody can meet this: `basic`, `api-key` and `client-cert` prove neither a factor nor the time of a login | add a scheme that does, like `bearer` or `session`",
            ),
            (
                sound_issuer!("[[route]]\npath = '/'\nschemes = 'basic'\n"),
                "2:8 no route takes bearer tokens: those of `acc` let nobody in | add \"bearer\" to `schemes` of [engine] or of a route",
            ),
            (
                "[engine]\nstate = 'no/such/gatepost.db'\n[[route]]\npath = '/'\nschemes = 'basic'\n",
                "2:9 the folder that `no/such/gatepost.db` should lie in is not there | make it before the first start, for the user that the server runs as",
            ),
            (
                "[identity]\nsubject = 'X-User'\n[[issuer]]\nname = 'acc'\nissuer = 'https://acc'\naudience = 'orders'\nalgorithms = 'HS256'\nkeys = { secret_file = 'good.key' }\n[[route]]\npath = '/'\nschemes = ['basic', 'bearer']\n",
                r#"2:11 identities come from several sources, and the subject alone does not tell them apart | add `issuer = "X-Auth-Issuer"`, and let the application read both"#,
            ),
            (
                "[identity]\nsubject = 'X-User'\n[[issuer]]\nname = 'acc'\nissuer = 'https://acc'\naudience = 'orders'\nalgorithms = 'HS256'\nkeys = { secret_file = 'good.key' }\n[[issuer]]\nname = 'b'\nissuer = 'https://b'\naudience = 'orders'\nalgorithms = 'HS256'\nkeys = { secret_file = 'good.key' }\n[[route]]\npath = '/'\nschemes = 'bearer'\n",
                r#"2:11 identities come from several sources, and the subject alone does not tell them apart | add `issuer = "X-Auth-Issuer"`, and let the application read both"#,
            ),
        ],
    );
}

#[test]
fn a_requirement_that_nobody_can_meet_is_a_warning() {
    each_says(
        Severity::Warning,
        &[
            (
                "[[role]]\nname = 'clerk'\npermissions = ['orders:read', 'users:*']\n[[route]]\npath = '/'\nschemes = 'basic'\nrequire = { permission = ['orders:read', 'orders:raed'] }\n",
                "7:42 no role permits `orders:raed` | did you mean `orders:read`? Otherwise add it to the `permissions` of a `[[role]]`",
            ),
            (
                route!("require = { not = { permission = 'stock' } }\n"),
                "4:34 no role permits `stock` | add it to the `permissions` of a `[[role]]`",
            ),
            (
                sound_issuer!(
                    "[[role]]\nname = 'clerk'\n[[route]]\npath = '/'\nschemes = 'bearer'\nrequire = { role = 'clerk' }\n"
                ),
                r#"12:11 nobody can come in: this needs a role, and the tokens that are accepted here carry none | add `claims = { roles = "roles" }` to the `[[issuer]]`, with the claim that lists them, or `users = "local"`"#,
            ),
            (
                sound_issuer!(
                    "[[role]]\nname = 'clerk'\npermissions = '*'\n[[route]]\npath = '/'\nschemes = 'bearer'\nrequire = { any = [ { role = 'clerk' }, { all = [ { permission = 'a' }, { tls = true } ] } ] }\n"
                ),
                r#"13:11 nobody can come in: this needs a role, and the tokens that are accepted here carry none | add `claims = { roles = "roles" }` to the `[[issuer]]`, with the claim that lists them, or `users = "local"`"#,
            ),
        ],
    );
    for text in [
        "[[role]]\nname = 'clerk'\npermissions = ['users:*']\n[[route]]\npath = '/'\nschemes = 'basic'\nrequire = { permission = 'users:add' }\n",
        sound_issuer!(
            "claims = { roles = 'groups' }\n[[role]]\nname = 'clerk'\n[[route]]\npath = '/'\nschemes = 'bearer'\nrequire = { role = 'clerk' }\n"
        ),
        sound_issuer!(
            "users = 'local'\n[[role]]\nname = 'clerk'\n[[route]]\npath = '/'\nschemes = 'bearer'\nrequire = { role = 'clerk' }\n"
        ),
        sound_issuer!(
            "[[role]]\nname = 'clerk'\n[[route]]\npath = '/'\nschemes = ['bearer', 'api-key']\nrequire = { role = 'clerk' }\n"
        ),
        sound_issuer!(
            "[[role]]\nname = 'clerk'\n[[route]]\npath = '/'\nschemes = 'bearer'\nrequire = [ { role = 'clerk' }, { scope = 'orders' } ]\n"
        ),
        sound_issuer!(
            "[[role]]\nname = 'clerk'\n[[route]]\npath = '/'\nschemes = 'bearer'\nrequire = { not = { role = 'clerk' } }\n"
        ),
    ] {
        let said: Vec<_> = found(text).iter().map(line).collect();
        assert!(said.is_empty(), "{text}: {said:#?}");
    }
}

#[test]
fn a_cookie_that_can_be_planted_is_a_warning() {
    let text = route!("[session]\ncookie = 'sid'\nidle = '13h'\n");
    let said: Vec<_> = found(text).iter().map(line).collect();
    assert_eq!(
        said,
        [
            "4:1 `[session]` is not built yet: it is checked, and then has no effect | leave it out for now",
            "5:10 the cookie `sid` has no `__Host-`: a neighbouring host, or plain HTTP, can plant it | write \"__Host-sid\"",
            "6:8 `idle` is longer than `absolute` and never comes to pass | write a shorter `idle` or a longer `absolute`",
        ]
    );
}

/// Ed25519 keys of small y, all of them points.
#[test]
fn more_keys_without_kid_than_are_tried_load_with_a_warning() {
    let said = |numbers: &[u8]| -> Vec<String> {
        let jwk = |y: &u8| {
            let mut x = [0; 32];
            x[0] = *y;
            format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{}"}}"#, data_encoding::BASE64URL_NOPAD.encode(&x))
        };
        let keys = numbers.iter().map(jwk).collect::<Vec<_>>().join(",");
        let text = format!(
            "[[issuer]]\nname = 'acc'\nissuer = 'https://acc'\naudience = 'orders'\nalgorithms = 'EdDSA'\n\
             keys = {{ inline = '{{\"keys\":[{keys}]}}' }}\n[[route]]\npath = '/'\nschemes = 'bearer'\n"
        );
        check(&text).unwrap_or_else(|list| panic!("{list:#?}")).warnings.iter().map(line).collect()
    };
    assert!(said(&[3, 4, 5, 6, 9, 10, 14, 15]).is_empty());
    assert_eq!(
        said(&[3, 4, 5, 6, 9, 10, 14, 15, 16]),
        [
            "6:8 9 keys without `kid` are for EdDSA; the first 8 are tried for a token, and what the others signed is refused | give each key the `kid` that its tokens name, or leave out those that sign no more"
        ]
    );
}

#[test]
fn usual_settings_are_no_reason_for_a_warning() {
    for text in [
        route!(),
        sound_issuer!(
            "[[route]]\npath = '/'\nschemes = ['bearer', 'api-key', 'basic']\nrequire = { factor = 'otp' }\n"
        ),
        route!("[identity]\nsubject = 'X-User'\n"),
        sound_issuer!("[[route]]\npath = '/'\nschemes = 'bearer'\n[identity]\nsubject = 'X-User'\n"),
        sound_issuer!(
            "users = 'local'\n[[route]]\npath = '/'\nschemes = ['basic', 'bearer']\n[identity]\nsubject = 'X-User'\n"
        ),
        sound_issuer!(
            "[[route]]\npath = '/'\nschemes = ['basic', 'bearer']\n[identity]\nsubject = 'X-User'\nissuer = 'X-Issuer'\n"
        ),
        route!("[password]\nremember = '0s'\nmin_length = 15\nmemory_kib = 19456\n"),
        route!("[proxies]\ntrusted = ['10.0.0.0/8', 'unix:']\nscheme = 'X-Forwarded-Proto'\n"),
        "[[route]]\npath = '/x/{*rest}'\naccess = 'public'\nrequire = { network = '10.0.0.0/8', tls = true }\n",
        "[[route]]\npath = '/{*rest}'\nschemes = 'basic'\n",
        "[engine]\nschemes = 'basic'\nunmatched = 'authenticated'\n[[route]]\npath = '/'\naccess = 'optional'\n",
        "[engine]\nresponses = 'problem'\nprofile = 'strict'\nstate = ':memory:'\n[[route]]\npath = '/'\naccess = 'public'\n",
    ] {
        let said: Vec<_> =
            check(text).unwrap_or_else(|list| panic!("{text}: {list:#?}")).warnings.iter().map(line).collect();
        assert!(said.is_empty(), "{text}: {said:#?}");
    }
}
