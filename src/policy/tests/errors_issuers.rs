//! Mistakes about issuers and signers.

use super::{Severity, each_says, issuer, sound_issuer};

#[test]
fn mistakes_about_tokens_are_errors_that_say_what_to_write() {
    each_says(
        Severity::Error,
        &[
            (
                issuer!("keys = { secret_file = 'good.key' }\n"),
                r#"1:1 `[[issuer]]` has no `algorithms` | add `algorithms = ["HS256"]`: accepted signature algorithms: HS256, HS384 and HS512 (a shared secret), or asymmetric ones; never both"#,
            ),
            (
                issuer!("algorithms = 'HS256'\n"),
                r#"1:1 `[[issuer]]` has no `keys` | add `keys = [{ secret_file = "…" }]`: where its keys come from; a list for rotation"#,
            ),
            (
                issuer!("algorithms = []\nkeys = { secret_file = 'good.key' }\n"),
                r#"5:14 `algorithms` is an empty list | write at least one, like `algorithms = ["HS256"]`"#,
            ),
            (
                issuer!("algorithms = 'none'\nkeys = { secret_file = 'good.key' }\n"),
                r#"5:14 `none` is no signature: everybody could make such tokens | name the algorithms that the issuer signs with, like "ES256""#,
            ),
            (
                issuer!("algorithms = 'HS255'\nkeys = { secret_file = 'good.key' }\n"),
                "5:14 there is no algorithm `HS255` | did you mean `HS256`?",
            ),
            (
                issuer!("algorithms = 'hs256'\nkeys = { secret_file = 'good.key' }\n"),
                "5:14 there is no algorithm `hs256` | did you mean `HS256`?",
            ),
            (
                issuer!("algorithms = ['HS256', 'RS256']\nkeys = { secret_file = 'good.key' }\n"),
                "5:24 RS256 and HS256 cannot stand together: a public key could pass as a shared secret | keep either HS* or the others; make two sections where an issuer has both",
            ),
            (
                issuer!("algorithms = 'ES256'\nkeys = { secret_file = 'good.key' }\n"),
                "6:8 ES256 needs public keys, and a shared secret comes from here | write `file`, `inline`, `url` or `discovery`, or name HS256, HS384 or HS512",
            ),
            (
                issuer!("algorithms = 'HS256'\nkeys = { url = 'https://acc/jwks' }\n"),
                "6:8 HS256 needs a shared secret, and public keys come from here | write `secret_file` or `secret_env`, or name the asymmetric algorithms that the issuer signs with",
            ),
            (
                issuer!("algorithms = 'HS256'\nkeys = { discovery = true }\n"),
                "6:8 HS256 needs a shared secret, and public keys come from here | write `secret_file` or `secret_env`, or name the asymmetric algorithms that the issuer signs with",
            ),
            (
                issuer!("algorithms = 'HS256'\nkeys = 'hunter2'\n"),
                r#"6:8 `keys` cannot be a string | write a table, like `keys = { secret_file = "…" }`"#,
            ),
            (
                issuer!("algorithms = 'HS256'\nkeys = {}\n"),
                "6:8 this table names no source | add `file`, `inline`, `url`, `discovery`, `secret_file` or `secret_env`",
            ),
            (
                issuer!("algorithms = 'HS256'\nkeys = { secret = 'hunter2' }\n"),
                r#"6:10 `keys` has no key `secret` | a secret does not stand in the policy; write `secret_file = "…"` or `secret_env = "…"`"#,
            ),
            (
                issuer!("algorithms = 'HS256'\nkeys = { secret_env = 'NO_SUCH_VARIABLE_HERE' }\n"),
                "6:23 the environment variable `NO_SUCH_VARIABLE_HERE` is not set | set it for the server, or name another",
            ),
            (
                issuer!("algorithms = 'HS256'\nkeys = { secret_env = 'p4ss w0rd!' }\n"),
                r#"6:23 this is not the name of an environment variable | name the variable, like "ORDERS_SECRET"; the secret itself does not stand in the policy"#,
            ),
            (
                issuer!("algorithms = 'HS256'\nkeys = { secret_file = 'gone', secret_env = 'PATH' }\n"),
                "6:8 this table names several sources | keep one of `file`, `inline`, `url`, `discovery`, `secret_file` or `secret_env`; a list of tables has several",
            ),
            (
                issuer!("algorithms = 'HS256'\nkeys = { secret_file = 'gone' }\n"),
                "6:24 `FOLDER/gone` cannot be read: No such file or directory (os error 2) | name a file that this process may read; paths are relative to the policy",
            ),
            (
                issuer!("algorithms = 'HS256'\nkeys = { secret_file = '/' }\n"),
                "6:24 `/` cannot be read: it is a folder | name a file that this process may read; paths are relative to the policy",
            ),
            (
                issuer!("algorithms = 'HS256'\nkeys = { secret_file = '/dev/null' }\n"),
                "6:24 `/dev/null` cannot be read: it is not a file | name a file that this process may read; paths are relative to the policy",
            ),
            (
                issuer!("algorithms = 'HS256'\nkeys = { secret_file = 'empty.key' }\n"),
                "6:24 `FOLDER/empty.key` is empty | write something into it, or name another file",
            ),
            (
                issuer!("algorithms = 'HS256'\nkeys = { secret_file = 'good.key', encoding = 'hex' }\n"),
                "6:24 this secret is not hex | correct the secret or its `encoding`",
            ),
            (
                issuer!("algorithms = 'HS256'\nkeys = { secret_file = 'good.key', refresh = '10m' }\n"),
                "6:46 `refresh` means nothing beside `secret_file` | leave it out",
            ),
            (
                issuer!("algorithms = 'HS256'\nkeys = { secret_file = 'good.key', encoding = 'base64' }\n"),
                "6:47 `encoding` cannot be `base64` | did you mean `base64url`?",
            ),
            (
                issuer!("algorithms = 'ES256'\nkeys = { url = 'http://acc' }\n"),
                r#"6:16 `http://acc` is not an https address | write it in full, like "https://accounts.example.com/jwks.json", without user and fragment"#,
            ),
            (
                issuer!("algorithms = 'ES256'\nkeys = { url = 'https://acc', kid = 'x' }\n"),
                "6:37 `kid` means nothing beside `url` | leave it out; the keys bring their own",
            ),
            (
                issuer!("algorithms = 'ES256'\nkeys = { file = 'gone.json' }\n"),
                "6:17 `FOLDER/gone.json` cannot be read: No such file or directory (os error 2) | name a file that this process may read; paths are relative to the policy",
            ),
            (
                "[engine]\nprofile = 'strict'\n[[issuer]]\nname = 'acc'\nissuer = 'https://acc'\naudience = 'orders'\nalgorithms = 'RS256'\nkeys = { discovery = true }\n",
                r#"7:14 RS256 is refused by `profile = "strict"` | ask the issuer for PS256 or ES256, or leave the profile out"#,
            ),
            (
                sound_issuer!("type = 'at jwt'\n"),
                r#"7:8 `at jwt` is not a media type | write it like "at+jwt" or "application/at+jwt""#,
            ),
            (sound_issuer!("users = 'locale'\n"), "7:9 `users` cannot be `locale` | did you mean `local`?"),
            (sound_issuer!("claims = { role = 'x' }\n"), "7:12 `claims` has no key `role` | did you mean `roles`?"),
            (sound_issuer!("grants = ['ghost']\n"), "7:11 there is no role `ghost` | add a `[[role]]` of this name"),
            (
                "[[issuer]]\nname = 'acc'\nissuer = 'https://acc'\naudience = []\nalgorithms = 'HS256'\nkeys = { secret_file = 'good.key' }\n",
                r#"4:12 `audience` is an empty list | write at least one, like `audience = ["…"]`"#,
            ),
            (
                sound_issuer!(
                    "[[issuer]]\nname = 'acc'\nissuer = 'https://other'\naudience = 'orders'\nalgorithms = 'HS256'\nkeys = { secret_file = 'good.key' }\n"
                ),
                "8:8 `name` is `acc` also in the section on line 1 | give each its own, or make one section of the two",
            ),
            (
                sound_issuer!(
                    "[[issuer]]\nname = 'other'\nissuer = 'https://acc'\naudience = 'orders'\nalgorithms = 'HS256'\nkeys = { secret_file = 'good.key' }\n"
                ),
                "9:10 `issuer` is `https://acc` also in the section on line 1 | give each its own, or make one section of the two",
            ),
            (
                sound_issuer!(
                    "[[signer]]\nname = 's'\nissuer = 'https://acc'\naudience = 'x'\nalgorithm = 'HS256'\nkey = { secret_file = 'good.key' }\n"
                ),
                "9:10 `https://acc` is also an `[[issuer]]`: its tokens would be both strangers' and ours | leave that `[[issuer]]` out; the engine believes its own signers",
            ),
            (
                "[[issuer]]\nname = 'acc'\nissuer = 'accounts'\naudience = 'orders'\nalgorithms = 'ES256'\nkeys = { discovery = true }\n",
                "6:22 `accounts` is no https address, and so has no metadata | name the address of its JWK Set with `url`, or a file of it with `file`",
            ),
            (
                "[[issuer]]\nname = 'acc'\nissuer = 'https://acc?tenant=7'\naudience = 'orders'\nalgorithms = 'ES256'\nkeys = { discovery = true }\n",
                "6:22 `https://acc?tenant=7` is no https address, and so has no metadata | name the address of its JWK Set with `url`, or a file of it with `file`",
            ),
            (
                issuer!("algorithms = 'ES256'\nkeys = { url = 'https://acc/jwks', ca = 'gone.pem' }\n"),
                "6:41 `FOLDER/gone.pem` cannot be read: No such file or directory (os error 2) | name a file that this process may read; paths are relative to the policy",
            ),
            (
                issuer!("algorithms = 'ES256'\nkeys = { url = 'https://acc/jwks', ca = 'good.key' }\n"),
                "6:41 `FOLDER/good.key` holds no certificates of authorities: there is no block of PEM | write them in PEM, one `CERTIFICATE` block each, and nothing else",
            ),
            (
                issuer!("algorithms = 'ES256'\nkeys = { url = 'https://acc/jwks', refresh = '1s' }\n"),
                "6:46 `refresh` is out of range | write a duration from 1m to 7d",
            ),
            (
                issuer!("algorithms = 'HS256'\nkeys = { secret_file = 'good.key', ca = 'x' }\n"),
                "6:41 `ca` means nothing beside `secret_file` | leave it out",
            ),
            (
                issuer!("algorithms = 'ES256'\nkeys = { discovery = false }\n"),
                "6:22 `discovery` is only ever `true` | leave `discovery` out and name another source",
            ),
        ],
    );
}
