//! `gatepost token issue`, `gatepost token refresh` and `gatepost signer keys`.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "clippy exempts the test functions themselves, not what they call"
)]

mod command;

use command::{Ran, run_in};
use serde_json::{Value, json};

const SECRET: &str = "kT7vQz2mXw9LrB4nYd6HcJ8sPfG3aUe5";
/// RFC 7515 appendix A.3.1.
const JWK: &str = r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    "y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}"#;

struct Shop(tempfile::TempDir);

impl Shop {
    /// A folder with a policy whose signers are these, and a user alice.
    fn new(signers: &str) -> Shop {
        let shop = Shop(tempfile::tempdir().unwrap());
        std::fs::write(shop.0.path().join("secret.key"), SECRET).unwrap();
        std::fs::write(shop.0.path().join("mail.jwk"), JWK).unwrap();
        let text = format!(
            "[engine]\nname = \"Shop\"\nstate = \"shop.db\"\nschemes = [\"bearer\", \"basic\"]\n[events]\nfile = \"shop.jsonl\"\n{signers}\n\
             [[role]]\nname = \"clerk\"\n[[route]]\npath = \"/orders\"\nrequire = {{ role = \"clerk\" }}\n"
        );
        std::fs::write(shop.0.path().join("shop.toml"), text).unwrap();
        shop.run("user add alice --no-password --role clerk --policy shop.toml", "").exits(0);
        shop
    }

    fn run(&self, arguments: &str, stdin: &str) -> Ran {
        run_in(self.0.path(), &arguments.split_whitespace().collect::<Vec<_>>(), stdin)
    }
}

fn signer(name: &str, rest: &str) -> String {
    format!("[[signer]]\nname = \"{name}\"\nissuer = \"https://{name}.example.com\"\naudience = [\"orders\"]\n{rest}\n")
}

fn secret(name: &str) -> String {
    signer(
        name,
        "algorithm = \"HS256\"\nkey = { secret_file = \"secret.key\" }\nrefresh = { lifetime = \"30d\", grace = \"0s\" }",
    )
}

#[test]
fn a_token_is_issued_for_a_user_and_lets_them_in() {
    let shop = Shop::new(&secret("access"));
    let ran = shop.run("token issue --user Alice --scope orders:read --policy shop.toml", "").exits(0);
    let token = ran.out.trim_end();
    assert_eq!((token.split('.').count(), ran.out.lines().count()), (3, 1), "the token alone: {}", ran.out);
    assert!(ran.err.contains("a token for alice, good until"), "{}", ran.err);
    let decide = |token: &str| {
        run_in(shop.0.path(), &["decide", "shop.toml", "GET", "https://shop.example/orders", "--bearer", token], "")
    };
    decide(token).exits(0);
    shop.run("token inspect --policy shop.toml --route /orders", token).exits(0);
    shop.run("user disable alice --policy shop.toml", "").exits(0);
    decide(token).exits(3);
    shop.run("token issue --user alice --policy shop.toml", "").exits(1).complains("alice is disabled");
    shop.run("token issue --user bob --policy shop.toml", "").exits(1).complains("no user named bob");
    shop.run("token issue --user bob", "").exits(1).complains("--policy");
    let log = std::fs::read_to_string(shop.0.path().join("shop.jsonl")).unwrap();
    let told: Value = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .find(|line: &Value| line["event"] == "token_issued")
        .unwrap();
    assert_eq!((&told["user"], &told["scopes"]), (&json!("alice"), &json!(["orders:read"])));
    assert!(told["by"].as_str().unwrap().starts_with("uid ") && !log.contains(token));
}

#[test]
fn everything_that_can_be_asked_for_is_in_the_token_and_in_the_json() {
    let shop = Shop::new(&secret("access"));
    let arguments = [
        "token",
        "issue",
        "--user",
        "alice",
        "--signer",
        "access",
        "--audience",
        "orders",
        "--lifetime",
        "5m",
        "--client",
        "web",
        "--session",
        "s-1",
        "--factor",
        "pwd",
        "--factor",
        "otp",
        "--auth-time",
        "2020-01-01T00:00:00Z",
        "--claims",
        r#"{"tenant": 7}"#,
        "--refresh",
        "--json",
        "--policy",
        "shop.toml",
    ];
    let issued = run_in(shop.0.path(), &arguments, "").exits(0).json();
    assert_eq!(
        (&issued["token_type"], &issued["expires_in"], &issued["user"], &issued["sid"]),
        (&json!("Bearer"), &json!(300), &json!("alice"), &json!("s-1"))
    );
    assert!(issued["refresh_token"].as_str().unwrap().starts_with("gpr_"));
    let token = issued["access_token"].as_str().unwrap();
    let claims = data_encoding::BASE64URL_NOPAD.decode(token.split('.').nth(1).unwrap().as_bytes()).unwrap();
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    for (name, wanted) in [
        ("aud", json!("orders")),
        ("client_id", json!("web")),
        ("amr", json!(["pwd", "otp"])),
        ("auth_time", json!(1_577_836_800)),
        ("tenant", json!(7)),
        ("jti", issued["jti"].clone()),
    ] {
        assert_eq!(claims[name], wanted, "{name}");
    }
    for (more, why) in [
        ("--lifetime 11m", "1 to 600 seconds, not 660"),
        ("--lifetime soon", "not a length of time"),
        ("--auth-time yesterday", "not a time"),
        ("--claims []", "cannot be taken"),
        ("--signer other", "there is no signer"),
        ("--audience billing", "not in the audience"),
    ] {
        shop.run(&format!("token issue --user alice {more} --policy shop.toml"), "").exits(1).complains(why);
    }
}

#[test]
fn a_refresh_token_comes_from_stdin_and_is_exchanged_once() {
    let shop = Shop::new(&secret("access"));
    let issued = shop.run("token issue --user alice --refresh --policy shop.toml", "").exits(0);
    let first = issued.out.lines().nth(1).unwrap().to_owned();
    let ran = shop.run("token refresh --json --policy shop.toml", &first).exits(0);
    assert!(!ran.err.contains("gpr_"));
    let second = ran.json()["refresh_token"].as_str().unwrap().to_owned();
    assert_ne!(first, second);
    std::fs::write(shop.0.path().join("refresh.txt"), format!("{second}\n")).unwrap();
    let ran = shop.run("token refresh refresh.txt --policy shop.toml", "").exits(0);
    let third = ran.out.lines().nth(1).unwrap().to_owned();
    let ran = shop.run("token refresh --json --policy shop.toml", &first).exits(3).complains("used before");
    assert_eq!(ran.json(), json!({ "error": "invalid_grant" }));
    shop.run("token refresh --policy shop.toml", &third).exits(3).complains("came again");
    shop.run("token refresh --policy shop.toml", "nonsense").exits(3).complains("no refresh token of this kind");
    shop.run("token refresh --policy shop.toml", "").exits(1).complains("no token");
}

#[test]
fn the_public_keys_of_signers_are_printed_and_secrets_never() {
    let mail = signer("mail", "algorithm = \"ES256\"\nkey = { file = \"mail.jwk\" }");
    let shop = Shop::new(&format!("{}{mail}", secret("access")));
    let wanted = json!({ "keys": [{
        "alg": "ES256", "crv": "P-256", "kid": "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U", "kty": "EC", "use": "sig",
        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    }] });
    let all =
        shop.run("signer keys --policy shop.toml", "").exits(0).complains("access signs with a shared secret (HS256)");
    assert_eq!(all.json(), wanted);
    assert!(!all.out.contains(SECRET) && !all.out.contains("jpsQnn"));
    assert_eq!(shop.run("signer keys --signer mail --policy shop.toml", "").exits(0).json(), wanted);
    assert_eq!(shop.run("signer keys --signer access --policy shop.toml", "").exits(0).json(), json!({ "keys": [] }));
    shop.run("signer keys --signer other --policy shop.toml", "").exits(1).complains("there are access, mail");
    shop.run("token issue --user alice --policy shop.toml", "").exits(1).complains("access, mail");
    shop.run("check shop.toml", "").exits(0).says("2 signers");
    let none = Shop::new("");
    none.run("signer keys --policy shop.toml", "").exits(1).complains("no [[signer]]");
    none.run("token issue --user alice --policy shop.toml", "").exits(1).complains("no [[signer]]");
}
