//! Decides requests in this process, and carries decisions out as a host does.

use std::borrow::Cow;

use gatepost::certificate::carried;
use gatepost::decision::{Decision, HeaderEntry, HeaderMode};
use gatepost::engine::Engine;
use gatepost::request::{Header, Request};

use super::compare::Answer;
use super::format::RequestSpec;
use super::matcher::Saved;

/// A request with what was saved put in.
#[derive(Debug, Default)]
pub struct Asked {
    /// Method.
    pub method: Vec<u8>,
    /// Raw request-target.
    pub target: Vec<u8>,
    /// `:authority`.
    pub host: Vec<u8>,
    /// Peer.
    pub peer: Vec<u8>,
    /// The host's id.
    pub id: Vec<u8>,
    /// Client certificate in DER.
    pub certificate: Vec<u8>,
    /// Its chain was verified.
    pub cert_verified: bool,
    /// Connection is TLS.
    pub tls: bool,
    /// Fields in order.
    pub fields: Vec<(Vec<u8>, Vec<u8>)>,
    /// Body.
    pub body: Vec<u8>,
}

impl Asked {
    /// A request of a case file with what was saved put in.
    pub fn of(spec: &RequestSpec, saved: &Saved) -> Result<Asked, String> {
        let fields = spec.headers.iter().map(|(name, value)| Ok((name.fill(saved)?, value.fill(saved)?)));
        Ok(Asked {
            method: spec.method.fill(saved)?,
            target: spec.target.fill(saved)?,
            host: spec.host.fill(saved)?,
            peer: spec.peer.fill(saved)?,
            id: spec.request_id.fill(saved)?,
            certificate: certificate(spec.client_cert.fill(saved)?)?,
            cert_verified: spec.cert_verified,
            tls: spec.tls,
            fields: fields.collect::<Result<_, String>>()?,
            body: spec.body.fill(saved)?,
        })
    }
}

/// Decides it.
pub fn decide(engine: &Engine, asked: &Asked) -> Result<Answer, String> {
    let headers: Vec<Header<'_>> = asked.fields.iter().map(|(name, value)| Header { name, value }).collect();
    let request = Request {
        method: &asked.method,
        target: &asked.target,
        host: &asked.host,
        peer: &asked.peer,
        request_id: &asked.id,
        client_cert_der: &asked.certificate,
        cert_verified: asked.cert_verified,
        body: &asked.body,
        headers: &headers,
        tls: asked.tls,
        body_complete: true,
        ..Request::default()
    };
    let decision = engine.decide(&request).map_err(|error| format!("no decision could be made: {error}"))?;
    Ok(answer_of(decision, &asked.fields))
}

/// A certificate as a host hands it in. What is no PEM goes in as it is: an attack may hold anything.
fn certificate(given: Vec<u8>) -> Result<Vec<u8>, String> {
    if !given.starts_with(b"-----BEGIN") {
        return Ok(given);
    }
    carried::of_file(&given).map(Cow::into_owned).map_err(|why| format!("client_cert: {why}"))
}

fn answer_of(decision: Decision, received: &[(Vec<u8>, Vec<u8>)]) -> Answer {
    let entries = |list: &[HeaderEntry]| -> Vec<(HeaderMode, String, Vec<u8>)> {
        list.iter().map(|e| (e.mode, e.name.to_string(), e.value.as_bytes().to_vec())).collect()
    };
    let (response, upstream) = (entries(&decision.response), entries(&decision.upstream()));
    let strip = decision.strip.to_vec();
    Answer {
        action: decision.action,
        status: decision.status,
        reason: decision.reason,
        subject: decision.subject().map(str::to_owned),
        scheme: decision.scheme,
        headers: answered(&response),
        upstream: sent_on(received, &strip, &upstream),
        strip,
        body: decision.body,
        unseen: Vec::new(),
        by_server: false,
    }
}

/// The fields of the answer: the entries applied to an empty one.
pub fn answered(entries: &[(HeaderMode, String, Vec<u8>)]) -> Vec<(String, String)> {
    let mut fields = Vec::new();
    entries.iter().for_each(|entry| apply(entry, &mut fields));
    fields.into_iter().map(|(name, value)| (name, String::from_utf8_lossy(&value).into_owned())).collect()
}

/// The fields that the application gets: those received without the stripped ones, with the entries applied.
pub fn sent_on(
    received: &[(Vec<u8>, Vec<u8>)],
    strip: &[String],
    entries: &[(HeaderMode, String, Vec<u8>)],
) -> Vec<(String, Vec<u8>)> {
    let kept = received.iter().filter_map(|(name, value)| {
        let name = String::from_utf8_lossy(name).into_owned();
        let stripped = strip.iter().any(|strip| strip.eq_ignore_ascii_case(&name));
        (!stripped).then(|| (name, value.clone()))
    });
    let mut fields = kept.collect();
    entries.iter().for_each(|entry| apply(entry, &mut fields));
    fields
}

fn apply((mode, name, value): &(HeaderMode, String, Vec<u8>), fields: &mut Vec<(String, Vec<u8>)>) {
    let same = |other: &str| other.eq_ignore_ascii_case(name);
    match mode {
        HeaderMode::Set => fields.retain(|(name, _)| !same(name)),
        HeaderMode::SetIfAbsent if fields.iter().any(|(name, _)| same(name)) => return,
        HeaderMode::SetIfAbsent | HeaderMode::Append => {}
    }
    fields.push((name.clone(), value.clone()));
}
