//! The order in which a request is examined, from its first byte to what proves who asks.

use std::borrow::Cow;
use std::cell::Cell;

use crate::credential::{api_key, authorization, cookie};
use crate::engine::authorise::{self, authorise};
use crate::engine::bearer;
use crate::engine::certificate;
use crate::engine::context::{Context, Failure};
use crate::engine::counting;
use crate::engine::facts::Known;
use crate::engine::identify::{Facts, Proof};
use crate::engine::job::Work;
use crate::engine::possession::Possession;
use crate::engine::process::Process;
use crate::engine::snapshot::{Rule, Snapshot};
use crate::engine::telling::{Asked, Credential, Telling};
use crate::policy::model::{Access, Unmatched};
use crate::reading::certificate::Handed;
use crate::reading::client;
use crate::reading::fields::{Fault, Fields};
use crate::reading::origin;
use crate::reading::presented::{self, Accepts, Presented};
use crate::reason::Reason;
use crate::request::Request;
use crate::request::field::is_token;
use crate::route::Landing;
use crate::target::{self, Host, HostError};
use crate::throttle::{Attempt, Place, Twins};

/// How far the examination came without slow work.
pub(super) enum Examined {
    /// Let in without anybody recognised.
    Open(Reason),
    /// Somebody is recognised, by the credential alone.
    Recognised(Known),
    /// The credential is right; rights are at hand.
    Proved(Proof, Facts),
    /// Slow work is needed.
    Needs(Box<Work>),
}

/// How an engine decides, besides the policy.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mode {
    /// No counter, no last use.
    pub(super) read_only: bool,
    /// Steps are wanted.
    pub(super) traced: bool,
}

/// Everything up to the first slow work. `snapshot` is the context's; what of the credential the log may tell goes into
/// `asked`.
pub(super) fn examine<'r>(
    context: &mut Context,
    snapshot: &Snapshot,
    request: &Request<'r>,
    fields: &Fields<'r>,
    process: &Process,
    mode: Mode,
    asked: &mut Asked<'r>,
) -> Result<Examined, Failure> {
    let examination = Examination { request, fields, snapshot, process, mode, credential: Cell::new(Credential::None) };
    let result = examination.run(context);
    if let Err(failure) = &result
        && context.rule.is_none()
        && failure.reason != Reason::RouteUnknown
    {
        // Another module may admit it to a route with `methods` all the same.
        context.strip.extend(fields.stripped.overrides.iter().cloned());
    }
    asked.credential = examination.credential.get();
    result
}

/// What is told of a request before anything of it is known.
pub(super) fn asked<'r>(request: &Request<'r>, fields: &Fields<'r>) -> Asked<'r> {
    Asked {
        method: request.method,
        host: if request.host.is_empty() { fields.host.first().copied().unwrap_or_default() } else { request.host },
        peer: request.peer,
        user: request.user,
        credential: Credential::None,
        checked: false,
    }
}

/// A target without what may be secret in it: its query, and a name and password before its host.
fn told_target(target: &[u8]) -> String {
    let end = target.iter().position(|byte| matches!(byte, b'?' | b'#')).unwrap_or(target.len());
    match target.get(..end) {
        Some(path) if path.first() == Some(&b'/') => String::from_utf8_lossy(path).escape_debug().to_string(),
        _ => "a target that is no path".to_owned(),
    }
}

/// The examination of one request.
pub(super) struct Examination<'a, 'r> {
    request: &'a Request<'r>,
    fields: &'a Fields<'r>,
    /// The context's, without a look through it.
    snapshot: &'a Snapshot,
    pub(super) process: &'a Process,
    pub(super) mode: Mode,
    /// What the log may tell by its digest.
    credential: Cell<Credential<'r>>,
}

impl<'r> Examination<'_, 'r> {
    fn run(&self, context: &mut Context) -> Result<Examined, Failure> {
        self.limits(context)?;
        let host = self.host(context)?;
        let method = self.method()?;
        context.trace.step(
            "client",
            || {
                format!(
                    "peer {}, {}",
                    String::from_utf8_lossy(self.request.peer).escape_debug(),
                    if self.request.tls { "TLS" } else { "no TLS" }
                )
            },
            || {
                format!(
                    "address {}, TLS {}",
                    context.client.address,
                    context.client.tls.map_or("unknown", |tls| if tls { "yes" } else { "no" })
                )
            },
        );
        let path = self.target(context, method)?;
        if self.preflight(context, host.as_ref(), path, method)? {
            return Ok(Examined::Open(Reason::Preflight));
        }
        let Some(rule) = self.route(context, host.as_ref(), path, method)? else {
            return Ok(Examined::Open(Reason::Passed));
        };
        context.rule = Some(rule);
        self.before_credentials(context, rule)?;
        context.cross_site = origin::is_cross_site(method, self.fields, context.client.tls, host.as_ref());
        let route = self.snapshot.rule(rule);
        if route.access == Access::Public {
            return self.open_to_all(context, rule, Reason::Public);
        }
        let possession = Possession { request: self.request, fields: self.fields, method, host, path };
        // Each octet of a token is looked at by who reads it. Where a step is told of it is looked at before.
        let hasty = !context.trace.is_wanted();
        match self.recognise(context, rule, &possession, hasty) {
            Err(failure) if hasty && failure.reason == Reason::TokenMalformed && !self.is_plain() => {
                self.recognise(context, rule, &possession, false)
            }
            examined => examined,
        }
    }

    /// The Authorization field has nothing odd about it.
    fn is_plain(&self) -> bool {
        matches!(self.fields.authorization.as_slice(), [value] if authorization::plain_bearer(value).is_some())
    }

    fn recognise(
        &self,
        context: &mut Context,
        rule: Rule,
        possession: &Possession<'_, 'r>,
        hasty: bool,
    ) -> Result<Examined, Failure> {
        match self.presented(context, rule, hasty)? {
            Some(presented) => self.look_into(context, presented, rule, possession),
            None if self.snapshot.rule(rule).access == Access::Optional => {
                self.open_to_all(context, rule, Reason::Anonymous)
            }
            None => Err(Failure::seeing(Reason::CredentialsMissing, "credentials", Cow::Borrowed("none"))),
        }
    }

    /// What was seen, where somebody will read of it: as a step, or in the log.
    fn seen(&self, context: &Context, saw: impl FnOnce() -> String) -> Cow<'static, str> {
        let is_heard = self.snapshot.telling.as_ref().is_some_and(Telling::is_heard);
        if is_heard || context.trace.is_wanted() { Cow::Owned(saw()) } else { Cow::Borrowed("") }
    }

    fn limits(&self, context: &mut Context) -> Result<(), Failure> {
        match self.fields.fault {
            None => {
                let saw =
                    || format!("target {} octets, {} fields", self.request.target.len(), self.request.headers.len());
                context.trace.step("limits", saw, || "within");
                Ok(())
            }
            Some(Fault::TooLarge(saw)) => Err(Failure::new(Reason::RequestTooLarge, "limits", saw)),
            Some(Fault::Malformed(saw)) => Err(Failure::new(Reason::RequestMalformed, "limits", saw)),
        }
    }

    fn method(&self) -> Result<&str, Failure> {
        // What most requests use needs no look at its octets.
        if let b"GET" = self.request.method {
            return Ok("GET");
        }
        std::str::from_utf8(self.request.method)
            .map_err(|_| Failure::new(Reason::RequestMalformed, "limits", "the method is not text"))
    }

    /// `:authority` or else `Host`; behind a trusted proxy what it says, where the policy believes it.
    fn host(&self, context: &mut Context) -> Result<Option<Host<'r>>, Failure> {
        let malformed = |saw: String| Failure::new(Reason::RequestMalformed, "host", saw);
        let unreadable = |value: &[u8], error: HostError| {
            malformed(format!("{}: {}", String::from_utf8_lossy(value).escape_debug(), error.explanation))
                .told(error.explanation)
        };
        let parse = |value: &'r [u8]| Host::parse(value).map_err(|error| unreadable(value, error));
        let authority = if self.request.host.is_empty() { None } else { Some(parse(self.request.host)?) };
        let field = match self.fields.host.as_slice() {
            [] => None,
            // The same text again says the same.
            [value] if *value == self.request.host => None,
            [value] => Some(parse(value)?),
            _ => return Err(malformed("Host is repeated".into())),
        };
        if let (Some(authority), Some(field)) = (&authority, &field)
            && authority != field
        {
            return Err(malformed("Host differs from the authority".into()));
        }
        let own = authority.or(field);
        let host = match client::forwarded_host(self.fields, &context.client, &self.snapshot.policy.proxies) {
            Some(value) => Some(Host::parse(&value).map_err(|error| unreadable(&value, error))?.into_owned()),
            None => own,
        };
        context.trace.step(
            "host",
            || String::from_utf8_lossy(self.request.host).escape_debug().to_string(),
            || host.as_ref().map_or_else(|| "none".to_owned(), |host| host.name.as_str().to_owned()),
        );
        Ok(host)
    }

    /// The raw path; `None` for `OPTIONS *`.
    fn target(&self, context: &mut Context, method: &str) -> Result<Option<&[u8]>, Failure> {
        let written = || String::from_utf8_lossy(self.request.target).escape_debug().to_string();
        // An absolute-form must name the host that the client itself named, not what a proxy says. A path names none.
        let named =
            if self.request.host.is_empty() { self.fields.host.first().copied() } else { Some(self.request.host) };
        let is_path = self.request.target.first() == Some(&b'/');
        let named = named.filter(|_| !is_path).and_then(|value| Host::parse(value).ok());
        match target::parse(method, self.request.target, named.as_ref()) {
            Ok(target) => {
                context
                    .trace
                    .step("target", written, || String::from_utf8_lossy(target.path).escape_debug().to_string());
                Ok((!target.asterisk).then_some(target.path))
            }
            Err(error) => {
                let saw = format!("{}: {}", written(), error.explanation);
                let told = format!("{}: {}", told_target(self.request.target), error.explanation);
                Err(Failure::new(Reason::TargetAmbiguous, "target", saw).told(told))
            }
        }
    }

    fn find(&self, host: Option<&Host<'_>>, path: &[u8], method: &str) -> Result<Landing, Failure> {
        self.snapshot
            .policy
            .router
            .find_by(host.map(|host| host.name.as_bytes()), path, method)
            .map_err(|ambiguous| Failure::new(Reason::TargetAmbiguous, "route", ambiguous.explanation))
    }

    /// A CORS preflight without credentials, where the route of the method that it names lets it through.
    fn preflight(
        &self,
        context: &mut Context,
        host: Option<&Host<'_>>,
        path: Option<&[u8]>,
        method: &str,
    ) -> Result<bool, Failure> {
        let fields = self.fields;
        let (Some(path), "OPTIONS", [_], [named]) =
            (path, method, fields.origin.as_slice(), fields.preflight_method.as_slice())
        else {
            return Ok(false);
        };
        let bare = fields.authorization.is_empty() && fields.api_key.is_empty() && !self.has_session();
        let is_method = is_token(named);
        let Some(named) = std::str::from_utf8(named).ok().filter(|_| bare && is_method) else { return Ok(false) };
        let Landing::Route(index) = self.find(host, path, named)? else { return Ok(false) };
        let rule = Rule::Route(index);
        if !self.snapshot.rule(rule).preflight {
            return Ok(false);
        }
        context.rule = Some(rule);
        // Nobody was recognised: as anything but OPTIONS it must not be read.
        context.strip.extend(self.fields.stripped.overrides.iter().cloned());
        self.before_credentials(context, rule)?;
        context.trace.step("preflight", || format!("for {named}"), || "granted");
        Ok(true)
    }

    fn has_session(&self) -> bool {
        cookie::find(self.fields.cookie.iter().copied(), &self.snapshot.policy.session.cookie).count > 0
    }

    /// The rule; `None`: the host's default holds.
    fn route(
        &self,
        context: &mut Context,
        host: Option<&Host<'_>>,
        path: Option<&[u8]>,
        method: &str,
    ) -> Result<Option<Rule>, Failure> {
        let landing = path.map_or(Ok(Landing::None), |path| self.find(host, path, method))?;
        let policy = &*self.snapshot.policy;
        let saw = || {
            format!("{method} {}", path.map_or("*".into(), |p| String::from_utf8_lossy(p).escape_debug().to_string()))
        };
        let line_of = |index: &usize| policy.routes.get(*index).map_or(0, |route| route.line);
        match landing {
            Landing::Route(index) => {
                if let Some(route) = policy.routes.get(index) {
                    context.trace.step("route", saw, || format!("{} (line {})", route.path, route.line));
                    if route.methods.is_some() && !self.fields.stripped.overrides.is_empty() {
                        context.strip.extend(self.fields.stripped.overrides.iter().cloned());
                    }
                }
                Ok(Some(Rule::Route(index)))
            }
            Landing::MethodNotGranted(routes) => {
                let saw = self.seen(context, || {
                    let lines: Vec<String> = routes.iter().map(|index| line_of(index).to_string()).collect();
                    format!("{}: the routes at this path (line {}) do not grant it", saw(), lines.join(", "))
                });
                Err(Failure::seeing(Reason::MethodNotGranted, "route", saw))
            }
            Landing::None => match policy.unmatched {
                Unmatched::Deny => {
                    let saw = self.seen(context, || format!("{}: no route", saw()));
                    Err(Failure::seeing(Reason::RouteUnknown, "route", saw))
                }
                Unmatched::Pass => {
                    context.trace.step("route", saw, || "no route; unmatched = \"pass\"");
                    Ok(None)
                }
                Unmatched::Authenticated => {
                    context.trace.step("route", saw, || "no route; unmatched = \"authenticated\"");
                    Ok(Some(Rule::Unmatched))
                }
            },
        }
    }

    fn before_credentials(&self, context: &mut Context, rule: Rule) -> Result<(), Failure> {
        let require = &self.snapshot.rule(rule).require;
        match authorise::before_credentials(require, &context.client) {
            Ok(()) => {
                context.trace.step("before credentials", || "tls and network", || "met or not asked for here");
                Ok(())
            }
            Err((reason, part)) => {
                let saw = self.seen(context, || format!("{part}; the client is {}", context.client.address));
                Err(Failure::seeing(reason, "before credentials", saw))
            }
        }
    }

    /// Nobody needs to be recognised; only what holds for everybody is asked.
    fn open_to_all(&self, context: &mut Context, rule: Rule, reason: Reason) -> Result<Examined, Failure> {
        let require = &self.snapshot.rule(rule).require;
        let facts = context.facts(None);
        authorise(require, &facts).map_err(|unmet| Failure::new(unmet.reason, "authorise", unmet.what))?;
        Ok(Examined::Open(reason))
    }

    fn presented(&self, context: &mut Context, rule: Rule, hasty: bool) -> Result<Option<Presented<'r>>, Failure> {
        let snapshot = self.snapshot;
        let route = snapshot.rule(rule);
        let certificate = Handed::find(self.request, self.fields, &context.client, &snapshot.policy.proxies);
        let worthless = match certificate {
            Handed::Unverified(_) => Some("one that the host did not verify"),
            Handed::Plain => Some("one of a connection that is not TLS"),
            Handed::Proxy => Some("that of a trusted proxy's own connection"),
            _ => None,
        };
        if let Some(saw) = worthless {
            context.trace.step("certificate", || saw, || "proves nothing: counts as none");
        }
        let accepts = Accepts {
            schemes: &route.schemes,
            access: route.access,
            dpop: snapshot.proofs.are_taken(),
            hasty,
            cookie: &snapshot.policy.session.cookie,
            certificate,
        };
        let found = presented::find(self.fields, &accepts);
        context.proved = match &found {
            Ok(Some(Presented::Bearer(_))) => false,
            _ => matches!(self.fields.authorization.as_slice(), [value] if authorization::is_dpop(value)),
        };
        let accepted =
            || format!("accepted: {}", route.schemes.iter().map(|s| s.name()).collect::<Vec<_>>().join(", "));
        match found {
            Ok(presented) => {
                context.scheme = presented.as_ref().map(Presented::scheme);
                self.credential.set(match &presented {
                    Some(Presented::ApiKey(text)) => Credential::Text(text.as_bytes()),
                    Some(Presented::Bearer(text) | Presented::Dpop(text) | Presented::Session(text)) => {
                        Credential::Text(text)
                    }
                    Some(Presented::Basic(_) | Presented::ClientCert(_)) | None => Credential::None,
                });
                context.trace.step(
                    "credentials",
                    || presented.as_ref().map_or("none", |p| p.scheme().name()),
                    accepted,
                );
                Ok(presented)
            }
            Err(unusable) => {
                context.scheme = unusable.scheme;
                let saw = self.seen(context, || format!("{}; {}", unusable.saw, accepted()));
                Err(Failure::seeing(unusable.reason, "credentials", saw))
            }
        }
    }

    fn look_into(
        &self,
        context: &mut Context,
        presented: Presented<'_>,
        rule: Rule,
        possession: &Possession<'_, 'r>,
    ) -> Result<Examined, Failure> {
        match presented {
            Presented::Basic(value) => self.basic(context, value),
            Presented::ApiKey(key) => self.api_key(context, key),
            Presented::Bearer(token) | Presented::Dpop(token) => bearer::recognise(context, self, token, possession),
            Presented::Session(_) => {
                context.clear_cookie = true;
                if self.snapshot.rule(rule).access == Access::Optional {
                    context.scheme = None;
                    return self.open_to_all(context, rule, Reason::Anonymous);
                }
                Err(Failure::new(Reason::SessionUnknown, "verify", "no session of this name"))
            }
            Presented::ClientCert(der) => certificate::recognise(context, self.process, &der),
        }
    }

    fn api_key(&self, context: &mut Context, key: &str) -> Result<Examined, Failure> {
        let malformed = || {
            let saw = "the key's form or checksum is wrong: a typing error, or not a key of ours";
            Failure::new(Reason::CredentialsMalformed, "credentials", saw)
        };
        let proof = Proof::Key(api_key::unchecked_digest(key).ok_or_else(malformed)?);
        let known = proof.known(self.process);
        // Nothing else has the digest of a key that is known, so only another one can be mistyped.
        if known.is_none() && api_key::digest(key).is_none() {
            return Err(malformed());
        }
        self.peek(context, Attempt::Lookup)?;
        // A key that is known cannot become a failure, so it takes no place.
        if let Some(facts) = known {
            return Ok(Examined::Proved(proof, facts));
        }
        let place = match self.mode.read_only {
            true => None,
            false => Some(self.reserve(context, Attempt::Lookup, None)?),
        };
        Ok(Examined::Needs(Box::new(Work::Read { proof, place, round: 0 })))
    }

    /// There is room in the failure counters.
    pub(super) fn peek(&self, context: &mut Context, attempt: Attempt<'_>) -> Result<(), Failure> {
        let policy = &context.snapshot.policy;
        self.process.throttle.peek(&policy.throttle, attempt, context.client.address, context.now)?;
        let known = if self.mode.read_only { counting::looked(self.process) } else { "below every limit" };
        context.trace.step("throttle", || format!("client {}", context.client.address), || known);
        Ok(())
    }

    /// Takes a place in the failure counters before any work; with twins, as one of them.
    pub(super) fn reserve(
        &self,
        context: &mut Context,
        attempt: Attempt<'_>,
        twins: Option<&Twins>,
    ) -> Result<Place, Failure> {
        let (throttle, policy) = (&self.process.throttle, &context.snapshot.policy);
        let (rules, address, now) = (&policy.throttle, context.client.address, context.now);
        let place = match twins {
            Some(twins) => throttle.reserve_among(rules, attempt, address, now, twins)?,
            None => throttle.reserve(rules, attempt, address, now)?,
        };
        Ok(place)
    }
}
