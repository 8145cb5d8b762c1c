//! Requirements: from what is written to [`Requirement`], with names resolved and shapes that could surprise refused.

use std::ops::Range;

use serde_json::{Map, Value as Json};

use super::role::undefined;
use crate::policy::keys::REQUIREMENT;
use crate::policy::keys::form::canonical_user;
use crate::policy::model::Issuer;
use crate::policy::network::Network;
use crate::policy::read::{self, Fields, Spot, Value};
use crate::policy::report::{Report, advise, nearest, quote};
use crate::policy::requirement::{ClaimTest, Requirement};
use crate::policy::role::{Roles, covers};
use crate::policy::tree::{Data, Node};

/// Requirements nested deeper than this cannot be read by people either.
const DEEPEST: usize = 32;

/// What a requirement may refer to, and where it stands.
#[derive(Clone, Copy)]
pub(super) struct Context<'c> {
    pub roles: &'c Roles,
    pub issuers: &'c [Issuer],
    /// Sections `[[issuer]]` that are not sound themselves may hold the name that is looked for.
    pub all_issuers_sound: bool,
    /// The route's `access` where nobody has to be identified: only the connection can be asked about.
    pub only_connection: Option<&'c str>,
    pub under_not: bool,
    pub depth: usize,
}

/// Reads a requirement; `None`, reported, where it is not sound.
pub(super) fn read(report: &mut Report<'_>, node: &Node, context: Context<'_>) -> Option<Requirement> {
    if context.depth > DEEPEST {
        report.error(&node.span, format!("this requirement is nested deeper than {DEEPEST}"), "write it flatter");
        return None;
    }
    match &node.data {
        Data::Text(text) if text == "authenticated" => {
            if let Some(access) = context.only_connection {
                nobody(report, &node.span, "authenticated", access);
                return None;
            }
            Some(Requirement::Authenticated)
        }
        Data::Text(text) => {
            let help = match advise(text, ["authenticated"]) {
                near if near.starts_with("did you mean") => near,
                _ => format!("write \"authenticated\", or a table like {{ role = \"{}\" }}", text.escape_debug()),
            };
            report.error(&node.span, format!("{} is not a requirement", quote(text)), help);
            None
        }
        Data::Table(_) => table(report, node, context),
        Data::List(nodes) => {
            if nodes.is_empty() {
                report.error(&node.span, "this list of requirements is empty", "write at least one requirement");
                return None;
            }
            parts(report, nodes, context).map(any)
        }
        other => {
            report.error(
                &node.span,
                format!("a requirement cannot be {}", other.describe()),
                "write \"authenticated\", or a table like { role = \"clerk\" }",
            );
            None
        }
    }
}

fn table(report: &mut Report<'_>, node: &Node, context: Context<'_>) -> Option<Requirement> {
    let Data::Table(entries) = &node.data else { return None };
    let fields = read::table(report, entries, &node.span, REQUIREMENT, "a requirement", false);
    if entries.is_empty() {
        report.error(
            &node.span,
            "this requirement is empty",
            "write `require = \"authenticated\"` for whoever is recognised, or name what is needed",
        );
        return None;
    }
    let mut found = Vec::new();
    let mut sound = true;
    for entry in entries {
        let name = entry.key.as_str();
        let Some(spot) = REQUIREMENT.iter().find(|key| key.name == name).and_then(|key| fields.get(key.name)) else {
            sound = false;
            continue;
        };
        if let Some(access) = context.only_connection
            && !matches!(name, "network" | "tls" | "all" | "any" | "not")
        {
            nobody(report, &entry.key_span, name, access);
            sound = false;
            continue;
        }
        if context.under_not && matches!(name, "factor" | "login_within") {
            report.error(
                &entry.key_span,
                format!("`{name}` may not stand under `not`: nobody can be asked to prove less"),
                "say what is needed, not what must be missing",
            );
            sound = false;
            continue;
        }
        match leaf(report, name, spot, context) {
            Some(requirement) => found.push(requirement),
            None => sound = false,
        }
    }
    sound.then(|| all(found))
}

fn leaf(report: &mut Report<'_>, name: &str, spot: &Spot<Value>, context: Context<'_>) -> Option<Requirement> {
    let below = Context { depth: context.depth + 1, ..context };
    match (name, &spot.value) {
        ("authenticated", _) => Some(Requirement::Authenticated),
        ("tls", _) => Some(Requirement::Tls),
        ("login_within", Value::Number(seconds)) => Some(Requirement::LoginWithin(*seconds)),
        ("network", Value::List(list)) => list
            .iter()
            .map(|spot| spot.value.text().and_then(|text| Network::parse(text).ok()))
            .collect::<Option<_>>()
            .map(Requirement::Network),
        ("all", Value::List(list)) => parts(report, nodes(list), below).map(all),
        ("any", Value::List(list)) => parts(report, nodes(list), below).map(any),
        ("not", Value::Node(node)) => {
            read(report, node, Context { under_not: true, ..below }).map(|part| Requirement::Not(Box::new(part)))
        }
        (_, Value::List(list)) => {
            let found: Vec<_> = list.iter().map(|spot| value(report, name, spot, context)).collect();
            found.into_iter().collect::<Option<Vec<_>>>().map(any)
        }
        _ => None,
    }
}

/// One value of a leaf that takes several.
fn value(report: &mut Report<'_>, name: &str, spot: &Spot<Value>, context: Context<'_>) -> Option<Requirement> {
    match (name, &spot.value) {
        ("user", Value::Text(text)) => {
            canonical_user(text).map(|subject| Requirement::User { issuer: String::new(), subject })
        }
        ("user", Value::Table(fields)) => person(report, fields, context),
        ("role", Value::Text(role)) => {
            if !context.roles.is_defined(role) {
                undefined(report, &spot.span, role, context.roles.names());
                return None;
            }
            Some(Requirement::Role(role.clone()))
        }
        ("scope", Value::Text(text)) => Some(Requirement::Scope(text.clone())),
        ("permission", Value::Text(text)) => {
            permitted(report, &spot.span, text, context.roles);
            Some(Requirement::Permission(text.clone()))
        }
        ("factor", Value::Text(text)) => Some(Requirement::Factor(text.clone())),
        ("claim", Value::Table(fields)) => claim(report, fields),
        _ => None,
    }
}

/// A permission comes from a role alone: one that no role gives is usually a slip.
fn permitted(report: &mut Report<'_>, span: &Range<usize>, permission: &str, roles: &Roles) {
    let patterns = roles.permissions(roles.names());
    if patterns.iter().any(|pattern| covers(pattern, permission)) {
        return;
    }
    let add = "add it to the `permissions` of a `[[role]]`";
    let help = match nearest(permission, patterns.iter().map(String::as_str).filter(|name| !name.ends_with('*'))) {
        Some(near) => format!("did you mean `{near}`? Otherwise {add}"),
        None => add.to_owned(),
    };
    report.warning(span, format!("no role permits {}", quote(permission)), help);
}

fn person(report: &mut Report<'_>, fields: &Fields, context: Context<'_>) -> Option<Requirement> {
    let (name, subject) = (fields.text("issuer")?, fields.text("subject")?);
    let Some(issuer) = context.issuers.iter().find(|issuer| issuer.name == name) else {
        if context.all_issuers_sound {
            let near = advise(name, context.issuers.iter().map(|issuer| issuer.name.as_str()));
            let help = if near.is_empty() { "add an `[[issuer]]` of this name".into() } else { near };
            report.mismatch(&fields.span("issuer"), format!("there is no issuer named {}", quote(name)), help);
        }
        return None;
    };
    if issuer.local_users {
        report.mismatch(
            &fields.span("issuer"),
            format!("the subjects of {} are local users", quote(name)),
            format!("write `user = \"{}\"`", subject.escape_debug()),
        );
        return None;
    }
    Some(Requirement::User { issuer: issuer.issuer.clone(), subject: subject.to_owned() })
}

fn claim(report: &mut Report<'_>, fields: &Fields) -> Option<Requirement> {
    let test = match (fields.node("equals"), fields.node("contains")) {
        (Some(node), None) => ClaimTest::Equals(json(report, node)?),
        (None, Some(node)) => ClaimTest::Contains(json(report, node)?),
        (Some(_), Some(_)) => {
            report.error(
                &fields.span,
                "this claim has two tests",
                "keep `equals` or `contains`; `all` has room for two claims",
            );
            return None;
        }
        (None, None) if fields.has_unknown() => return None,
        (None, None) => {
            report.mismatch(&fields.span, "this claim has no test", "add `equals = …` or `contains = …`");
            return None;
        }
    };
    Some(Requirement::Claim { name: fields.text("name")?.to_owned(), test })
}

fn json(report: &mut Report<'_>, node: &Node) -> Option<Json> {
    let value = match &node.data {
        Data::Text(text) => Json::String(text.clone()),
        Data::Integer(Some(number)) => Json::from(*number),
        Data::Float(number) if number.is_finite() => Json::from(*number),
        Data::Flag(flag) => Json::Bool(*flag),
        Data::List(nodes) => {
            let values: Vec<_> = nodes.iter().map(|node| json(report, node)).collect();
            return values.into_iter().collect::<Option<Vec<_>>>().map(Json::Array);
        }
        Data::Table(entries) => {
            let mut map = Map::new();
            for entry in entries {
                map.insert(entry.key.clone(), json(report, &entry.value)?);
            }
            Json::Object(map)
        }
        Data::Integer(None) | Data::Float(_) | Data::Date => {
            report.error(&node.span, "no claim can have this value", "write a value that JSON has too, like a string");
            return None;
        }
    };
    Some(value)
}

fn nodes(list: &[Spot<Value>]) -> impl Iterator<Item = &Node> {
    list.iter().filter_map(|spot| match &spot.value {
        Value::Node(node) => Some(node),
        _ => None,
    })
}

/// All of several requirements, each checked even where one before it is not sound.
fn parts<'n>(
    report: &mut Report<'_>,
    nodes: impl IntoIterator<Item = &'n Node>,
    context: Context<'_>,
) -> Option<Vec<Requirement>> {
    let found: Vec<_> = nodes.into_iter().map(|node| read(report, node, context)).collect();
    found.into_iter().collect()
}

fn all(mut parts: Vec<Requirement>) -> Requirement {
    match (parts.len(), parts.pop()) {
        (1, Some(only)) => only,
        (_, last) => Requirement::All(parts.into_iter().chain(last).collect()),
    }
}

fn any(mut parts: Vec<Requirement>) -> Requirement {
    match (parts.len(), parts.pop()) {
        (1, Some(only)) => only,
        (_, last) => Requirement::Any(parts.into_iter().chain(last).collect()),
    }
}

fn nobody(report: &mut Report<'_>, span: &Range<usize>, name: &str, access: &str) {
    report.error(
        span,
        format!("a route with `access = \"{access}\"` cannot require `{name}`: nobody need be recognised there"),
        "require only `network` and `tls`, or leave `access` out",
    );
}
