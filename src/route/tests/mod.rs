mod attacks;
mod model;
mod properties;
mod shapes;

use super::*;
use crate::identity::Scheme;
use crate::policy::model::Access;
use crate::policy::requirement::Requirement;

/// A route as `[METHODS ][HOST]/path`; `access` is public, optional, or the role that is required.
fn route(text: &str, access: &str) -> Route {
    let (methods, rest) = text.split_once(' ').map_or((None, text), |(methods, rest)| (Some(methods), rest));
    let (host, path) = rest.split_at(rest.find('/').unwrap());
    let (access, require) = match access {
        "public" => (Access::Public, Requirement::Authenticated),
        "optional" => (Access::Optional, Requirement::Authenticated),
        role => (Access::Required, Requirement::Role(role.to_owned())),
    };
    Route {
        path: path.to_owned(),
        host: (!host.is_empty()).then(|| host.to_owned()),
        methods: methods.map(|list| list.split(',').map(str::to_owned).collect()),
        schemes: if access == Access::Public { vec![] } else { vec![Scheme::Basic] },
        access,
        require,
        preflight: false,
        line: 0,
    }
}

fn routes(list: &[(&str, &str)]) -> Vec<Route> {
    let mut routes: Vec<Route> = list.iter().map(|(text, access)| route(text, access)).collect();
    for (index, route) in routes.iter_mut().enumerate() {
        route.line = index as u32 + 1;
    }
    routes
}

fn router(list: &[(&str, &str)]) -> Router {
    Router::build(&routes(list), PathRules::default()).unwrap()
}

/// Where GET on a path leads without a host: the route's number, or a word.
fn lands(router: &Router, path: &str) -> String {
    word(router.find(None, path.as_bytes(), "GET"))
}

fn word(found: Result<Landing, Ambiguous>) -> String {
    match found {
        Ok(Landing::Route(index)) => index.to_string(),
        Ok(Landing::MethodNotGranted(_)) => "method".to_owned(),
        Ok(Landing::None) => "none".to_owned(),
        Err(_) => "ambiguous".to_owned(),
    }
}
