//! From a raw request-target to a route: every reading that some server makes of the path must land on the same
//! rule, or the request is refused. Knows nothing of credentials.

use crate::policy::model::{PathRules, Route};

/// What a path and method lead to, the same in every reading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Landing {
    /// This route (index into the policy's routes).
    Route(usize),
    /// The path matches these routes, none grants the method.
    MethodNotGranted(Vec<usize>),
    /// No route matches.
    None,
}

/// The readings do not agree; the text names two of them, for the operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ambiguous {
    /// For `--explain`: "decoded once it is /a (route …); with %2F as a slash it is /b (route …)".
    pub explanation: String,
}

/// Two routes that tie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tie {
    /// Index of the earlier route.
    pub first: usize,
    /// Index of the later route.
    pub second: usize,
}

/// Finds the route of a request.
#[derive(Debug, Default)]
pub struct Router {}

impl Router {
    /// Builds it. All ties are reported, not the first.
    pub fn build(routes: &[Route], rules: PathRules) -> Result<Router, Vec<Tie>> {
        let _ = (routes, rules);
        Ok(Router {})
    }

    /// Finds the landing of a raw path (as received, without the query) for a normalised host.
    pub fn find(&self, host: Option<&str>, path: &[u8], method: &str) -> Result<Landing, Ambiguous> {
        let _ = (host, path, method);
        Ok(Landing::None)
    }
}
