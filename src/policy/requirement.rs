//! What an identity needs, as an algebra over leaves that are true, false or unknown. Evaluating it is
//! `engine::authorise`'s work; here it is only data.

use serde_json::Value;

use crate::policy::network::Network;

/// A requirement of a route, checked: factors and login ages never stand under `Not`, and `Any` and `All` are not
/// empty.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Requirement {
    /// Somebody was recognised.
    #[default]
    Authenticated,
    /// This person; an empty issuer is a local user.
    User {
        /// The issuer's `issuer` URL; empty: local.
        issuer: String,
        /// Subject.
        subject: String,
    },
    /// Holds this role.
    Role(String),
    /// The credential has this scope.
    Scope(String),
    /// A role gives this permission.
    Permission(String),
    /// A claim of the token has, or holds, a value.
    Claim {
        /// An exact member, else a dotted path.
        name: String,
        /// What it must be.
        test: ClaimTest,
    },
    /// This factor was proved.
    Factor(String),
    /// Logged in within so many seconds.
    LoginWithin(i64),
    /// The client's address lies in one of these.
    Network(Vec<Network>),
    /// The client's connection is TLS.
    Tls,
    /// All of them.
    All(Vec<Requirement>),
    /// At least one of them.
    Any(Vec<Requirement>),
    /// Not this.
    Not(Box<Requirement>),
}

/// What a claim must be.
#[derive(Clone, Debug, PartialEq)]
pub enum ClaimTest {
    /// Equal to this JSON value.
    Equals(Value),
    /// An array that holds this value.
    Contains(Value),
}

impl std::fmt::Display for Requirement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let list = |f: &mut std::fmt::Formatter<'_>, word: &str, parts: &[Requirement]| {
            write!(f, "{word}(")?;
            for (i, part) in parts.iter().enumerate() {
                write!(f, "{}{part}", if i == 0 { "" } else { ", " })?;
            }
            f.write_str(")")
        };
        match self {
            Requirement::Authenticated => f.write_str("authenticated"),
            Requirement::User { issuer, subject } if issuer.is_empty() => write!(f, "user {subject}"),
            Requirement::User { issuer, subject } => write!(f, "user {subject} of {issuer}"),
            Requirement::Role(name) => write!(f, "role {name}"),
            Requirement::Scope(name) => write!(f, "scope {name}"),
            Requirement::Permission(name) => write!(f, "permission {name}"),
            Requirement::Claim { name, test: ClaimTest::Equals(value) } => write!(f, "claim {name} = {value}"),
            Requirement::Claim { name, test: ClaimTest::Contains(value) } => write!(f, "claim {name} contains {value}"),
            Requirement::Factor(name) => write!(f, "factor {name}"),
            Requirement::LoginWithin(seconds) => write!(f, "login within {seconds}s"),
            Requirement::Network(ranges) => {
                f.write_str("network")?;
                ranges.iter().try_for_each(|range| write!(f, " {range}"))
            }
            Requirement::Tls => f.write_str("tls"),
            Requirement::All(parts) => list(f, "all", parts),
            Requirement::Any(parts) => list(f, "any", parts),
            Requirement::Not(part) => write!(f, "not({part})"),
        }
    }
}
