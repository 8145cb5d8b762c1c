//! The other libraries: three in one process each, asked by lines of JSON, and one that is linked.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::str::FromStr;

use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::{Value, json};

use crate::make::Case;

/// What a library is told before the first token.
pub struct Setup {
    pub now: i64,
    pub leeway: i64,
    pub audience: &'static str,
    /// Name, `iss`, algorithms, keys as JWKs.
    pub issuers: Vec<(&'static str, String, Vec<&'static str>, Vec<Value>)>,
}

/// What it says of a token.
#[derive(Clone, Debug)]
pub enum Verdict {
    Accepts(Value),
    Refuses(#[allow(dead_code, reason = "read where a difference is printed")] String),
    /// It cannot be asked about this one.
    Silent,
}

/// A library.
pub trait Oracle {
    fn name(&self) -> &'static str;
    fn ask(&mut self, case: &Case) -> Verdict;
}

/// All of them.
pub fn all(setup: &Setup) -> Vec<Box<dyn Oracle>> {
    let folder = installed();
    let python = folder.join("python/bin/python");
    let process = |name, program: PathBuf, script: &str, more: Option<&PathBuf>| -> Box<dyn Oracle> {
        Box::new(Process::start(name, program, script, more, setup))
    };
    vec![
        process("PyJWT", python.clone(), "with_pyjwt.py", None),
        process("joserfc", python, "with_joserfc.py", None),
        process("jose", PathBuf::from("node"), "with_jose.mjs", Some(&folder)),
        Box::new(Linked::new(setup)),
    ]
}

/// Where `.ci/oracles` put them.
fn installed() -> PathBuf {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let folder = root.join(target).join("differential");
    assert!(folder.join("installed").exists(), "{} is not there: run `.ci/setup test`", folder.display());
    folder
}

struct Process {
    name: &'static str,
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
}

impl Process {
    fn start(name: &'static str, program: PathBuf, script: &str, more: Option<&PathBuf>, setup: &Setup) -> Process {
        let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/differential").join(script);
        let mut child = Command::new(&program)
            .arg(script)
            .args(more)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("PYTHONWARNINGS", "ignore")
            .env("NODE_NO_WARNINGS", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{name}: {}: {error}; run `.ci/setup test`", program.display()));
        let to = child.stdin.take().unwrap();
        let from = BufReader::new(child.stdout.take().unwrap());
        let mut process = Process { name, child, to, from };
        let issuers: Value = setup
            .issuers
            .iter()
            .map(|(name, issuer, algorithms, keys)| {
                ((*name).to_owned(), json!({ "issuer": issuer, "algorithms": algorithms, "keys": keys }))
            })
            .collect::<serde_json::Map<_, _>>()
            .into();
        let hello = json!({
            "now": setup.now, "leeway": setup.leeway, "audience": setup.audience, "issuers": issuers,
        });
        let answer = process.line(&hello);
        assert!(answer.contains("\"ready\""), "{name}: {answer}");
        print!("{answer}");
        process
    }

    fn line(&mut self, question: &Value) -> String {
        writeln!(self.to, "{question}").unwrap_or_else(|error| panic!("{}: {error}", self.name));
        let mut line = String::new();
        self.from.read_line(&mut line).unwrap();
        line
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Oracle for Process {
    fn name(&self) -> &'static str {
        self.name
    }

    fn ask(&mut self, case: &Case) -> Verdict {
        let line = self.line(&json!({ "issuer": case.issuer, "token": case.token }));
        match serde_json::from_str::<Value>(&line) {
            Ok(answer) if answer["refused"].is_string() => Verdict::Refuses(line),
            Ok(mut answer) => Verdict::Accepts(answer["claims"].take()),
            // It took in what is no JSON, like NaN or half a surrogate pair, and repeats it.
            Err(_) if line.starts_with("{\"claims\"") => Verdict::Accepts(Value::Null),
            Err(error) => panic!("{} said {line:?}: {error}", self.name),
        }
    }
}

/// `jsonwebtoken`, used as its documentation has it. Its clock cannot be set, and it has no ES512.
struct Linked {
    issuers: Vec<(&'static str, Vec<Named>, Validation)>,
}

/// A key with its `kid` and what it is for.
type Named = (String, Algorithm, DecodingKey);

impl Linked {
    fn new(setup: &Setup) -> Linked {
        let algorithm = |name: &str| Algorithm::from_str(name).ok();
        let issuers = setup.issuers.iter().map(|(name, issuer, algorithms, keys)| {
            let keys = keys.iter().filter_map(|key| {
                let read: Jwk = serde_json::from_value(key.clone()).ok()?;
                let named = algorithm(key["alg"].as_str()?)?;
                Some((key["kid"].as_str()?.to_owned(), named, DecodingKey::from_jwk(&read).ok()?))
            });
            let mut validation = Validation {
                algorithms: algorithms.iter().filter_map(|name| algorithm(name)).collect(),
                leeway: setup.leeway.unsigned_abs(),
                validate_nbf: true,
                ..Validation::default()
            };
            validation.set_audience(&[setup.audience]);
            validation.set_issuer(&[issuer]);
            validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
            (*name, keys.collect(), validation)
        });
        Linked { issuers: issuers.collect() }
    }
}

impl Oracle for Linked {
    fn name(&self) -> &'static str {
        "jsonwebtoken"
    }

    fn ask(&mut self, case: &Case) -> Verdict {
        if case.on_the_second || case.algorithm.name() == "ES512" {
            return Verdict::Silent;
        }
        let (_, keys, validation) = self.issuers.iter().find(|(name, ..)| *name == case.issuer).unwrap();
        let header = match jsonwebtoken::decode_header(&case.token) {
            Ok(header) => header,
            Err(error) => return Verdict::Refuses(error.to_string()),
        };
        let mut why = "no key".to_owned();
        let named = |key: &&Named| match &header.kid {
            Some(kid) => key.0 == *kid,
            None => key.1 == header.alg,
        };
        for (_, algorithm, key) in keys.iter().filter(named) {
            // All of a list must fit the key.
            let mut validation = validation.clone();
            validation.algorithms.retain(|listed| listed == algorithm);
            match jsonwebtoken::decode::<Value>(&case.token, key, &validation) {
                Ok(token) => return Verdict::Accepts(token.claims),
                Err(error) => why = error.to_string(),
            }
        }
        Verdict::Refuses(why)
    }
}
