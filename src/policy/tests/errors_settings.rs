//! Mistakes in sections that are there once.

use super::{Severity, each_says};

#[test]
fn mistakes_in_settings_are_errors_that_say_what_to_write() {
    each_says(
        Severity::Error,
        &[
            ("[engine]\nschems = ['basic']\n", "2:1 `[engine]` has no key `schems` | did you mean `schemes`?"),
            (
                "[engine]\nxyz = 1\n",
                "2:1 `[engine]` has no key `xyz` | its keys are `name`, `state`, `schemes`, `unmatched`, `preflight`, `leeway`, `token_cache_kib`, `responses`, `profile`",
            ),
            ("[engin]\nname = 'x'\n", "1:2 there is no section `engin` | did you mean `engine`?"),
            (
                "[zzzzzzz]\n",
                "1:2 there is no section `zzzzzzz` | the sections are `engine`, `paths`, `proxies`, `identity`, `password`, `session`, `endpoints`, `otp`, `throttle`, `events`, `issuer`, `signer`, `certificate`, `role`, `route`",
            ),
            ("name = 'Orders'\n", "1:1 `name` stands outside of a section | write it under `[engine]`"),
            ("leeway = '30s'\n", "1:1 `leeway` stands outside of a section | write it under `[engine]`"),
            (
                "[route]\npath = '/'\n",
                "1:1 `route` can be there more than once and has two pairs of brackets | write `[[route]]`",
            ),
            (
                "[[engine]]\nname = 'x'\n",
                "1:1 `engine` is there only once and has one pair of brackets | write `[engine]`",
            ),
            ("route = 5\n", "1:9 `route` cannot be a whole number | write a section `[[route]]`"),
            ("route = [1]\n", "1:10 `route` cannot hold a whole number | write a section `[[route]]`"),
            ("engine = 'x'\n", "1:10 `engine` cannot be a string | write a section `[engine]`"),
            ("[engine]\nname = 5\n", r#"2:8 `name` cannot be a whole number | write a string, like `name = "…"`"#),
            ("[engine]\nname = ''\n", r#"2:8 `name` is empty | write a string, like "…""#),
            ("[engine]\nname = \"a\\u0007\"\n", "2:8 `name` holds a control character | leave it out"),
            (
                "[engine]\nschemes = []\n",
                r#"2:11 `schemes` is an empty list | write at least one, like `schemes = ["basic"]`"#,
            ),
            ("[engine]\nschemes = ['basic', 'basic']\n", "2:21 `schemes` lists `basic` twice | leave one of them out"),
            ("[engine]\nschemes = ['basik']\n", "2:12 `schemes` cannot be `basik` | did you mean `basic`?"),
            (
                "[engine]\nschemes = 'quux'\n",
                "2:11 `schemes` cannot be `quux` | write one of `basic`, `bearer`, `api-key`, `session`, `client-cert`",
            ),
            (
                "[engine]\nunmatched = 'alow'\n",
                "2:13 `unmatched` cannot be `alow` | write one of `deny`, `authenticated`, `pass`",
            ),
            (
                "[engine]\nunmatched = true\n",
                r#"2:13 `unmatched` cannot be true or false | write one of `"deny"`, `"authenticated"`, `"pass"`, like `unmatched = "deny"`"#,
            ),
            (
                "[engine]\nunmatched = 'authenticated'\n",
                r#"2:13 `unmatched = "authenticated"` needs schemes, and `[engine]` lists none | add `schemes = ["basic"]` to `[engine]`"#,
            ),
            (
                "[engine]\nschemes = 'session'\nunmatched = 'authenticated'\n",
                "3:13 nobody can come in by the schemes of `[engine]` (`session`: it is not built yet) | add a scheme that works: `basic`, `api-key`, or `bearer` with an `[[issuer]]` whose keys are in a file",
            ),
            ("[engine]\nleeway = '6m'\n", "2:10 `leeway` is out of range | write a duration from 0s to 5m"),
            (
                "[engine]\nleeway = 30\n",
                r#"2:10 `leeway` cannot be a whole number | write a number and a unit in quotes, like "5m""#,
            ),
            (
                "[engine]\nleeway = '30'\n",
                r#"2:10 `30` is not a duration | write a whole number and a unit (`s`, `m`, `h` or `d`), like "30s", "15m", "12h" or "30d""#,
            ),
            (
                "[engine]\nleeway = '9223372036854775807d'\n",
                r#"2:10 `9223372036854775807d` is not a duration | write a whole number and a unit (`s`, `m`, `h` or `d`), like "30s", "15m", "12h" or "30d""#,
            ),
            (
                "[engine]\nstate = 'redis://localhost'\n",
                r#"2:9 state in `redis` is not built yet, and nothing works without its state | name a SQLite file, like "gatepost.db", or ":memory:""#,
            ),
            (
                "[engine]\nstate = 'postgres://localhost/x'\n",
                r#"2:9 state in `postgres` is not built yet, and nothing works without its state | name a SQLite file, like "gatepost.db", or ":memory:""#,
            ),
            (
                "[engine]\nstate = 'mysql://x'\n",
                r#"2:9 there is no state of the kind `mysql` | name a SQLite file, like "gatepost.db", or ":memory:""#,
            ),
            ("[engine]\nstate = 'folder/'\n", r#"2:9 `folder/` is a folder | name the file in it, like "gatepost.db""#),
            (
                "[paths]\nseparate_encoded_slash = 'yes'\n",
                "2:26 `separate_encoded_slash` cannot be a string | write `true` or `false`, like `separate_encoded_slash = true`",
            ),
            (
                "[proxies]\ntrusted = ['10.0.0.1/8']\n",
                "2:12 `10.0.0.1/8` is not an address range | bits after the prefix are set; write the first address of the range",
            ),
            (
                "[proxies]\ntrusted = ['proxy.example.com']\n",
                "2:12 `proxy.example.com` is not an address range | not an IP address; write it like 10.0.0.0/8 or 2001:db8::/32",
            ),
            (
                "[proxies]\ntrusted = ['::ffff:10.0.0.0/104']\n",
                r#"2:12 `::ffff:10.0.0.0/104` never matches: such addresses are read as IPv4 | write the IPv4 range, like "10.0.0.0/8""#,
            ),
            (
                "[proxies]\nheader = 'x-forwarded-for'\n",
                "2:10 `header` cannot be `x-forwarded-for` | did you mean `X-Forwarded-For`?",
            ),
            (
                "[proxies]\ntrusted = '::1'\nscheme = 'X Forwarded'\n",
                "3:10 `X Forwarded` is not a header name | letters, digits and `-`, without a colon",
            ),
            (
                "[identity]\nsubject = 'X-Auth:'\n",
                "2:11 `X-Auth:` is not a header name | letters, digits and `-`, without a colon",
            ),
            (
                "[identity]\nsubject = 'Authorization'\n",
                "2:11 `Authorization` has a meaning of its own and cannot carry an identity | choose a name of your own, like `X-Auth-Subject`",
            ),
            (
                "[identity]\nsubject = 'transfer_encoding'\n",
                "2:11 `transfer_encoding` has a meaning of its own and cannot carry an identity | choose a name of your own, like `X-Auth-Subject`",
            ),
            (
                "[identity]\nissuer = 'X-Auth-User'\nsubject = 'x_auth_user'\n",
                "3:11 `x_auth_user` and `X-Auth-User` of `issuer` are one header to many servers | choose names that differ in letters or digits",
            ),
            ("[password]\nmin_length = 7\n", "2:14 `min_length` is out of range | write a whole number from 8 to 256"),
            (
                "[password]\nmin_length = 1.5\n",
                "2:14 `min_length` cannot be a number with a fraction | write a whole number from 8 to 256, like `min_length = 8`",
            ),
            ("[password]\niterations = 0\n", "2:14 `iterations` is out of range | write a whole number from 1 to 1000"),
            (
                "[password]\niterations = 99999999999999999999\n",
                "2:14 `iterations` is out of range | write a whole number from 1 to 1000",
            ),
            (
                "[password]\nmemory_kib = 19456\nparallelism = 0\n",
                "3:15 `parallelism` is out of range | write a whole number from 1 to 255",
            ),
            (
                "[password]\nmemory_kib = 32\nparallelism = 8\n",
                "2:14 `memory_kib` is too small for 8 lanes | write at least 64, or a smaller `parallelism`",
            ),
            (
                "[password]\nbreached = 'gone.filter'\n",
                "2:12 `FOLDER/gone.filter` cannot be read: No such file or directory (os error 2) | name a file that this process may read; paths are relative to the policy",
            ),
            ("[session]\ncookie = 'a b'\n", "2:10 `a b` is not a cookie name | letters, digits, `-` and `_`"),
            ("[session]\nidle = '0s'\n", "2:8 `idle` is out of range | write a duration of at least 1s"),
            (
                "[endpoints]\nprefix = '/auth/{x}'\n",
                r#"2:10 `/auth/{x}` is not a plain path | write it without parameters and without a slash at the end, like "/auth""#,
            ),
            (
                "[otp]\n",
                r#"1:1 `[otp]` has no `key` | add `key = { secret_file = "…" }`: the secret under which the users' own are encrypted at rest"#,
            ),
            ("[otp]\nkey = {}\n", "2:7 this table names no source | add `secret_file` or `secret_env`"),
            (
                "[otp]\nkey = { file = 'x' }\n",
                "2:9 `key` has no key `file` | its keys are `secret_file`, `secret_env`, `encoding`",
            ),
            (
                "[otp]\nkey = { secret_file = 'otp.key' }\n",
                "2:23 `FOLDER/otp.key` cannot be read: No such file or directory (os error 2) | name a file that this process may read; paths are relative to the policy",
            ),
            (
                "[throttle]\naccount = { failures = 0, per = '15m' }\n",
                "2:24 `failures` is out of range | write `false` in place of the table to switch this limit off",
            ),
            (
                "[throttle]\naccount = { failures = 5 }\n",
                r#"2:11 `account` has no `per` | add `per = "15m"`: the time within which they are counted"#,
            ),
            (
                "[throttle]\naccount = true\n",
                r#"2:11 `account` cannot be true or false | write `false` or a table, like `account = false or { failures = 1, per = "15m" }`"#,
            ),
            (
                "[throttle]\naccount = { failures = 5, per = '15m', in = 'x' }\n",
                "2:40 `account` has no key `in` | its keys are `failures`, `per`",
            ),
            (
                "[engine]\nname = Orders\n",
                r#"2:8 this is not TOML: string values must be quoted, expected literal string | values are written `"text"`, `15`, `true`, `["a", "b"]` or `{ key = "value" }`"#,
            ),
            (
                "[engine]\nname = 'a'\nname = 'b'\n",
                "3:1 this is not TOML: duplicate key | leave one of the two out; a table is written once, `[[…]]` for each further one",
            ),
            ("[engine\nname = 'a'\n", "1:8 this is not TOML: unclosed table, expected `]` | close what was opened"),
            (
                "[engine]\nname = 'a\n",
                r#"2:10 this is not TOML: invalid literal string, expected `'` | values are written `"text"`, `15`, `true`, `["a", "b"]` or `{ key = "value" }`"#,
            ),
        ],
    );
}
