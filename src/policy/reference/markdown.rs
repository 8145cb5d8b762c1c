//! `docs/POLICY.md`.

use std::fmt::Write;

use crate::policy::keys::{Built, Choice, Default, Key, Kind, REQUIREMENT, SECTIONS};
use crate::policy::report::listed;

/// The reference of the policy file for operators.
pub fn markdown() -> String {
    let mut out = String::from(INTRODUCTION);
    for section in SECTIONS {
        let _ = write!(out, "\n## `{}`\n\n{}", section.header(), section.about);
        if section.built != Built::Yes {
            out.push_str(" **Not built yet**: read and checked, a warning, no effect.");
        }
        out.push('\n');
        table(&mut out, section.keys, section.built == Built::Yes);
        if section.keys.iter().any(|key| names_sources(&key.kind)) && section.name == "issuer" {
            out.push_str(SECRETS);
            nested(&mut out, section.keys, "keys", "`keys` holds exactly one of the first six");
        }
        let mut shown: Vec<&str> = Vec::new();
        for key in section.keys.iter().filter(|key| !names_sources(&key.kind)) {
            let Some(inner) = inner_table(&key.kind).filter(|_| !shown.contains(&key.name)) else { continue };
            // Keys whose values are tables of one shape share its description.
            let alike = section.keys.iter().filter(|k| inner_table(&k.kind).is_some_and(|i| std::ptr::eq(i, inner)));
            let names: Vec<&str> = alike.map(|key| key.name).collect();
            nested(&mut out, section.keys, key.name, &listed(names.iter().copied()));
            shown.extend(names);
        }
    }
    out.push_str(REQUIREMENTS);
    table(&mut out, REQUIREMENT, true);
    nested(&mut out, REQUIREMENT, "user", "`user` of an issuer");
    nested(&mut out, REQUIREMENT, "claim", "`claim`, with exactly one of the two tests");
    out.push_str(CLOSING);
    out
}

fn table(out: &mut String, keys: &'static [Key], say_later: bool) {
    out.push_str("\n| key | value | left out | meaning |\n| --- | --- | --- | --- |\n");
    for key in keys {
        let default = match key.default {
            Default::Required => "**required**".to_owned(),
            Default::Without(meaning) => meaning.to_owned(),
            Default::Is(text) => format!("`{text}`"),
        };
        let mut about = key.about.to_owned();
        for choice in words(&key.kind) {
            let _ = write!(about, "<br>`{}`: {}", choice.word, choice.about);
            if say_later && choice.built != Built::Yes {
                about.push_str(" **Not built yet.**");
            }
        }
        if say_later && key.built != Built::Yes {
            about.push_str(" **Not built yet.**");
        }
        let _ =
            writeln!(out, "| `{}` | {} | {} | {} |", key.name, cell(&key.kind.wanted()), cell(&default), cell(&about));
    }
}

/// The table of a key whose value is one.
fn nested(out: &mut String, keys: &'static [Key], name: &str, title: &str) {
    let Some(key) = keys.iter().find(|key| key.name == name) else { return };
    if let Some(inner) = inner_table(&key.kind) {
        let _ = write!(out, "\n{title}:\n");
        table(out, inner, key.built == Built::Yes);
    }
}

fn inner_table(kind: &'static Kind) -> Option<&'static [Key]> {
    match kind {
        Kind::Table(keys) => Some(keys),
        Kind::Many(kind, _) | Kind::List(kind, _) => inner_table(kind),
        Kind::Either(kinds) => kinds.iter().find_map(inner_table),
        _ => None,
    }
}

fn names_sources(kind: &'static Kind) -> bool {
    inner_table(kind).is_some_and(|keys| keys.iter().any(|key| key.name == "secret_file"))
}

fn words(kind: &'static Kind) -> &'static [Choice] {
    match kind {
        Kind::OneOf(choices) => choices,
        Kind::Many(kind, _) | Kind::List(kind, _) => words(kind),
        _ => &[],
    }
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

const INTRODUCTION: &str = r#"# The policy file

<!-- Made from the table of keys in src/policy/keys; `UPDATE=1 cargo test --lib policy::reference` writes it anew. -->

A policy is one TOML file: who is trusted, and what each route requires. `gatepost check POLICY` says all that is wrong
or suspicious about it at once, with line, column and what to write instead. An editor that knows JSON Schema checks it
while you write: `docs/policy.schema.json`.

```toml
[engine]
name = "Orders"
schemes = ["bearer", "api-key"]

[[issuer]]
name = "accounts"
issuer = "https://accounts.example.com"
audience = ["orders"]
algorithms = ["HS256"]
keys = { secret_file = "accounts.secret" }
claims = { roles = "roles" }

[[role]]
name = "clerk"
permissions = ["orders:read"]

[[route]]
path = "/health"
access = "public"

[[route]]
path = "/orders/{id}"
methods = ["GET"]
require = { permission = "orders:read" }
```

- **A key that is not listed here is an error**, so is a value of another type, a file that cannot be read, and a name
  that is defined nowhere. A policy with an error never loads; on reload the old one stays in force.
- **Durations** are a whole number and a unit in quotes: `"30s"`, `"15m"`, `"12h"`, `"30d"`.
- **Lists** of one may be written without brackets where the table says "or a list of them".
- **Files** are relative to the policy's own folder. They are read when the engine is made, so that a server may
  read them as root and then drop its privileges, and by a reload; of what changes in between only keys in a `file`
  are noticed.
- **What is not built yet** loads with a warning, so that a policy does not change shape later. It is an error only
  where nothing would work without it: a route that nobody could enter, or the engine's own state.
"#;

const SECRETS: &str = r#"
### Keys and secrets

```toml
[[issuer]]
name = "accounts"
issuer = "https://accounts.example.com"
audience = ["orders"]
algorithms = ["HS256"]
keys = [{ secret_file = "new.secret", kid = "2026-11" }, { secret_env = "OLD_SECRET", encoding = "base64url", kid = "2026-05" }]
```

A secret never stands in the policy. The bytes of its file are taken as they are, less one line break at the end; a raw
key that ends in a line break wants `encoding = "raw"`. Refused are secrets that are empty, shorter than the hash of
their algorithm (256 bits for HS256, 384 for HS384, 512 for HS512), placeholders, and public keys. A secret file that
everybody on the machine can read or change is a warning. `openssl rand -base64 48` makes a good one.

A shared secret goes with HS256, HS384 and HS512, and with nothing else. Several secrets may also stand in one file, as
a JWK Set: `keys = { file = "accounts.jwks.json" }` with
`{"keys": [{"kty": "oct", "kid": "2026-11", "k": "…"}]}`, where `k` is the secret in base64url.

The other algorithms need the issuer's public keys: `keys = { file = "accounts.jwks.json" }` with a JWK Set, or a PEM
file with a public key or one certificate, or the same text between three single quotes as `inline`. Which algorithms a
key is for is fixed when it is loaded: its `alg`, or where it has none those of `algorithms` that fit its type.

| algorithms | key |
| --- | --- |
| RS256, RS384, RS512, PS256, PS384, PS512 | RSA of 2048 to 8192 bits, public exponent from 65537 |
| ES256; ES384; ES512 | a point of P-256; P-384; P-521 |
| EdDSA (also under its new name Ed25519) | Ed25519 |
| ML-DSA-44; ML-DSA-65; ML-DSA-87 | a key of exactly that kind (`kty` AKP, with its `alg`) |

Refused are keys that are too short, of a faulty generator (ROCA) or of small order, a `kid` that two keys share, a set
that mixes secrets with public keys, several certificates in one file, and a private key or a secret in the policy
itself. A private key in a file is a warning: verifying needs only its public half. Keys for other uses (`use`,
`key_ops`) are passed over. The dates and the issuer of a certificate are not looked at: naming the file is what vouches
for it.
"#;

const REQUIREMENTS: &str = r#"
## Requirements

`require` of a route says what an identity needs. Left out, it is `"authenticated"`: whoever is recognised may come in.
Several keys in one table mean all of them; a list of values, or of requirements, means any of them.
Added to a policy with an issuer, as the one at the head of this page:

```toml
[[role]]
name = "admin"
permissions = ["money:send"]

[[route]]
path = "/admin/{*rest}"
schemes = ["basic", "bearer"]
require = { role = "admin", network = ["10.0.0.0/8", "2001:db8::/32"] }

[[route]]
path = "/reports"
schemes = ["bearer"]
require = { any = [{ scope = ["reports", "all"] }, { claim = { name = "department", equals = "audit" } }] }

[[route]]
path = "/transfer"
schemes = ["bearer"]
require = { all = [{ permission = "money:send" }, { factor = "otp" }, { login_within = "5m" }, { not = { user = "trainee" } }] }
```

What cannot be told counts as not met, also under `not`: a requirement never holds by accident. `factor` and
`login_within` ask for another login and so may not stand under `not`. A route with `access = "public"` or `"optional"`
may require only `network` and `tls`. Nesting is at most 32 deep.
"#;

const CLOSING: &str = r#"
## What is refused

Besides what the tables say: two roles, issuers or signers of one name; two issuers with one `issuer`; an inclusion of
roles that leads back to itself; a role, in `require`, `includes` or `grants`, that no `[[role]]` defines; HS* beside
other algorithms; the algorithm `none`; a source of keys that does not fit the algorithms; RS* under
`profile = "strict"`; two routes of one host and shape of path that grant one method; a route that needs credentials
without any scheme, or with none by which somebody could come in; `unmatched = "authenticated"` without schemes of
`[engine]`; two identity headers that differ only in case or punctuation, and one that has a meaning of its own; state
in Redis or PostgreSQL, which is not built yet.

## What is warned of

Legal, but look twice: a public route for everything (`/{*rest}`); `unmatched = "pass"`; no routes at all; `schemes` on
a public route; a scheme by which nobody can come in; a factor that none of the route's schemes can prove; a limit of
`[throttle]` that is off; a permission that no role gives; a route that needs a role and takes only tokens, none of
which carries roles; a cookie without `__Host-`; passwords shorter than 15 characters; a cheap password hash, or
one that needs more memory than a process may spend; a trusted proxy range that is everybody; proxy fields without a
trusted proxy; a segment like `:id` in a path; a secret file that everybody can read or change; several sources of
identities where `[identity]` names a `subject` and no `issuer`; and everything that is not built yet.
"#;
