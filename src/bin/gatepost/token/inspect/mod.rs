//! `gatepost token inspect`: what a token says, and what the engine makes of it. Changes nothing.

mod checks;
mod layout;
mod print;
mod route;
mod words;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use gatepost::engine::Clock;
use gatepost::runtime::clock;

use crate::output::{self, Failure, Outcome};
use crate::token::read;
use crate::{decide, open, when};

/// Show what a token says and, with a policy, each check with its outcome
///
/// Without a policy nothing is verified: what is shown is what the token says of itself.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  gatepost token inspect < token.txt
  gatepost token inspect token.txt --policy orders.toml
  gatepost token inspect - --policy orders.toml --route https://orders.example.com/orders/7 --method POST --json
  gatepost token inspect token.txt --policy orders.toml --at 2026-11-23T12:00:00Z

The signature is never printed in full. Proofs of possession come with a request and are not looked at here.

Exit codes: 0 the token is good (well formed, where no policy is named) and is let in on the route, where one is named; 3 refused; 4 the engine would answer the request itself; 1 an error.")]
pub struct Arguments {
    /// A file with the token; left out or `-`: stdin
    file: Option<PathBuf>,
    /// The time to check at, and from which the others are told
    #[arg(long, value_name = "RFC3339", value_parser = when::read)]
    at: Option<i64>,
    /// Also what the engine would answer to a request with it: a path like /orders/7, or a URL
    #[arg(long, value_name = "URL")]
    route: Option<String>,
    /// The method of that request
    #[arg(long, value_name = "METHOD", default_value = "GET", requires = "route")]
    method: String,
}

/// Runs it.
pub fn run(arguments: &Arguments, policy: Option<&Path>, json: bool) -> Outcome {
    if policy.is_none() && arguments.route.is_some() {
        return Err(Failure::new("--route asks what a policy would say: add `--policy POLICY`"));
    }
    arguments.route.as_deref().map_or(Ok(()), without_method)?;
    let token = read::token(arguments.file.as_deref())?;
    let now = arguments.at.unwrap_or_else(clock::now);
    let layout = layout::take(&token);
    let (mut verdict, mut answer) = (None, None);
    if let Some(policy) = policy {
        let clock: Clock = Arc::new(move || now);
        let engine = open::read_only(policy, Some(clock))?;
        open::fetch_keys(&engine)?;
        // What is no UTF-8 is malformed already.
        let text = std::str::from_utf8(&token).unwrap_or_default();
        verdict = Some(checks::run(text, layout.fault.as_deref(), &engine, now)?);
        let asked = arguments.route.as_deref().map(|url| route::ask(&engine, &arguments.method, url, &token));
        answer = asked.transpose()?;
    }
    let shown = print::Shown { layout: &layout, verdict: verdict.as_ref(), answer: answer.as_ref(), now };
    if json {
        output::print_json(&shown.to_json())?;
    } else {
        output::print(&shown.in_words())?;
    }
    if policy.is_none() {
        output::note("nothing was verified: name a policy with --policy to see whether the token would be believed");
    }
    let refused = layout.fault.is_some() || verdict.is_some_and(|verdict| verdict.refused.is_some());
    Ok(match answer {
        _ if refused => output::REFUSED,
        Some(answer) => decide::exit_code(&answer.decision),
        None => output::DONE,
    })
}

/// `PUT /orders/7` is how a request begins; here each part has an option of its own.
fn without_method(route: &str) -> Result<(), Failure> {
    match route.split_once(' ') {
        Some((method, url)) if !method.is_empty() && method.bytes().all(|octet| octet.is_ascii_uppercase()) => {
            Err(Failure::new(format!("--route takes no method: write `--method {method} --route {}`", url.trim())))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gatepost::engine::{Engine, Options};
    use gatepost::policy;
    use proptest::prelude::*;
    use std::sync::OnceLock;

    const NOW: i64 = 1_795_435_200;

    fn engine() -> &'static Engine {
        static ENGINE: OnceLock<Engine> = OnceLock::new();
        ENGINE.get_or_init(|| {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
            let text = std::fs::read_to_string(folder.join("orders.toml")).unwrap();
            let loaded = policy::parse(&text, &folder.join("orders.toml"), &folder).unwrap();
            let state = Some(gatepost::policy::model::StateLocation::Memory);
            let engine = Engine::new(loaded, Options { clock: Some(Arc::new(|| NOW)), state, ..Options::default() });
            engine.start().unwrap();
            engine
        })
    }

    fn octets() -> impl Strategy<Value = Vec<u8>> {
        let text = r#"[{}:,a-c0-9" \\.\x00-\x1f\x7f-\x{9f}\x{202e}]{0,30}"#;
        let parts = (text, text, 0usize..90, any::<u8>()).prop_map(|(header, claims, bend, with)| {
            let code = |text: &str| data_encoding::BASE64URL_NOPAD.encode(text.as_bytes());
            let claims = format!("{{\"iss\":\"https://accounts.example.com\",\"{claims}");
            let mut token =
                format!("{}.{}.AAAA", code(&format!("{{\"alg\":\"HS256\"{header}")), code(&claims)).into_bytes();
            if let Some(octet) = token.get_mut(bend) {
                *octet = with;
            }
            token
        });
        prop_oneof![any::<Vec<u8>>(), parts]
    }

    proptest! {
        #[test]
        fn any_octets_are_told_of_without_steering_a_terminal(octets in octets()) {
            let layout = layout::take(&octets);
            let text = std::str::from_utf8(&octets).unwrap_or_default();
            let verdict = checks::run(text, layout.fault.as_deref(), engine(), NOW).unwrap();
            let answer = route::ask(engine(), "GET", "/three", &octets).unwrap();
            // Nobody can sign by chance.
            prop_assert!(verdict.refused.is_some() && verdict.key.is_none());
            let shown = print::Shown { layout: &layout, verdict: Some(&verdict), answer: Some(&answer), now: NOW };
            let told = shown.in_words();
            prop_assert_eq!(told.chars().find(|c| c.is_control() && *c != '\n' || *c == '\u{202e}'), None);
            prop_assert_eq!(&shown.to_json()["good"], &serde_json::json!(false));
        }
    }
}
