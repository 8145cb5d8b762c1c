//! `gatepost token issue` and `gatepost token refresh`.

use std::path::{Path, PathBuf};

use gatepost::engine::{RefreshRequest, TokenRequest, Tokens};
use gatepost::error::ErrorKind;
use serde_json::{Value, json};

use super::read;
use crate::open;
use crate::output::{self, Failure, Outcome};
use crate::when;

/// Issue an access token for a user
#[derive(clap::Args)]
pub struct Issue {
    /// The user that it is for
    #[arg(long, value_name = "USER")]
    user: String,
    /// The signer that issues it; may be left out where the policy has one
    #[arg(long, value_name = "SIGNER")]
    signer: Option<String>,
    /// A scope that it has; may be repeated
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<String>,
    /// One of the signer's audience; may be repeated; without any, all of it
    #[arg(long = "audience", value_name = "AUDIENCE")]
    audience: Vec<String>,
    /// How long it lasts, like 5m; at most, and without it, what the policy says
    #[arg(long, value_name = "TIME")]
    lifetime: Option<String>,
    /// Who asks for it (OAuth client_id)
    #[arg(long, value_name = "CLIENT")]
    client: Option<String>,
    /// A name of its session (claim sid); one is drawn with --refresh
    #[arg(long, value_name = "SESSION")]
    session: Option<String>,
    /// A factor by which the user proved who they are, like pwd or otp (claim amr); may be repeated
    #[arg(long = "factor", value_name = "FACTOR")]
    factors: Vec<String>,
    /// When that was, like 2026-11-23T12:00:00Z (claim auth_time)
    #[arg(long, value_name = "TIME")]
    auth_time: Option<String>,
    /// Further claims, as a JSON object
    #[arg(long, value_name = "JSON")]
    claims: Option<String>,
    /// Issue a refresh token too, on a line of its own
    #[arg(long)]
    refresh: bool,
}

/// Exchange a refresh token for an access token and the next refresh token
#[derive(clap::Args)]
pub struct Refresh {
    /// A file that holds the refresh token; without it, or with `-`, stdin
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// Who hands it in: the client that it was issued to
    #[arg(long, value_name = "CLIENT")]
    client: Option<String>,
    /// A scope to narrow the access token to; may be repeated
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<String>,
}

/// Runs `gatepost token issue`.
pub fn issue(issue: &Issue, policy: Option<&Path>, json: bool) -> Outcome {
    let lifetime = issue.lifetime.as_deref().map(when::read_length).transpose().map_err(Failure::new)?;
    let authenticated_at = issue.auth_time.as_deref().map(when::read).transpose().map_err(Failure::new)?;
    let engine = open::writable(open::named(policy)?)?;
    let issued = engine.issue_token(&TokenRequest {
        signer: issue.signer.as_deref(),
        user: &issue.user,
        audience: &issue.audience,
        scopes: &issue.scopes,
        lifetime,
        client: issue.client.as_deref(),
        session: issue.session.as_deref(),
        authenticated_at,
        factors: &issue.factors,
        claims: issue.claims.as_deref(),
        refresh: issue.refresh,
        now: None,
    });
    open::write_events(&engine);
    print(&issued?, json)
}

/// Runs `gatepost token refresh`.
pub fn refresh(refresh: &Refresh, policy: Option<&Path>, json: bool) -> Outcome {
    let path = open::named(policy)?;
    let token = read::token(refresh.file.as_deref())?;
    let engine = open::writable(path)?;
    let issued = engine.refresh_token(&RefreshRequest {
        token: std::str::from_utf8(&token).unwrap_or_default(),
        client: refresh.client.as_deref(),
        scopes: &refresh.scopes,
        now: None,
    });
    open::write_events(&engine);
    match issued {
        Ok(issued) => print(&issued, json),
        Err(error) if error.kind() == ErrorKind::Refused => {
            output::note(&output::visible(error.message()));
            if json {
                output::print_json(&json!({ "error": "invalid_grant" }))?;
            }
            Ok(output::REFUSED)
        }
        Err(error) => Err(error.into()),
    }
}

fn print(tokens: &Tokens, json: bool) -> Outcome {
    if json {
        output::print_json(&to_json(tokens))?;
        return Ok(output::DONE);
    }
    output::note(&output::visible(&format!(
        "a token for {}, good until {}{}",
        tokens.user,
        when::write(tokens.expires_at),
        if tokens.refresh.is_some() { "; the second line is the refresh token" } else { "" }
    )));
    let refresh = tokens.refresh.as_ref().map(|token| format!("{}\n", token.as_str())).unwrap_or_default();
    output::print(&format!("{}\n{refresh}", tokens.access.as_str()))?;
    Ok(output::DONE)
}

/// The members of an OAuth answer (RFC 6749 section 5.1), and what an operator looks for.
pub fn to_json(tokens: &Tokens) -> Value {
    let mut value: Value = serde_json::from_str(&tokens.answer()).unwrap_or_default();
    if let Some(members) = value.as_object_mut() {
        members.insert("user".to_owned(), json!(tokens.user));
        members.insert("jti".to_owned(), json!(tokens.id));
        members.insert("sid".to_owned(), json!(tokens.session));
        members.insert("expires_at".to_owned(), json!(when::write(tokens.expires_at)));
        members.insert("refresh_expires_at".to_owned(), json!(tokens.refresh_expires_at.map(when::write)));
    }
    value
}
