//! Which routes count as the same rule, which tie, and which of those at one path grants a method. Knows nothing of
//! paths.

use std::collections::HashMap;

use super::Tie;
use super::trie::Shape;
use crate::identity::Scheme;
use crate::policy::model::{Access, Route};

/// What a shape has for a method.
#[derive(Clone, Copy, Debug)]
pub(super) enum Found<'r> {
    Route(usize),
    NotGranted(&'r Shape),
    None,
}

/// Gives each route the number of its class: equal access, methods, schemes, requirement and preflight. The order of
/// methods and schemes does not matter; requirements are compared as written.
pub(super) fn classes(routes: &[Route]) -> Vec<u32> {
    type Key<'a> = (Access, Option<Vec<&'a str>>, Vec<Scheme>, bool);
    let mut known: HashMap<Key<'_>, Vec<(&Route, u32)>> = HashMap::new();
    let mut count = 0;
    let mut classes = Vec::with_capacity(routes.len());
    for route in routes {
        let methods = route.methods.as_ref().map(|list| {
            let mut list: Vec<&str> = list.iter().map(String::as_str).collect();
            list.sort_unstable();
            list.dedup();
            list
        });
        let mut schemes = route.schemes.clone();
        schemes.sort_unstable();
        schemes.dedup();
        let alike = known.entry((route.access, methods, schemes, route.preflight)).or_default();
        let class = match alike.iter().find(|(other, _)| other.require == route.require) {
            Some((_, class)) => *class,
            None => {
                alike.push((route, count));
                count += 1;
                count - 1
            }
        };
        classes.push(class);
    }
    classes
}

/// All ties among routes of one host and shape: pairs that grant a method in common.
pub(super) fn ties(routes: &[Route], shape: &[usize]) -> Vec<Tie> {
    let mut ties = Vec::new();
    for (place, first) in shape.iter().enumerate() {
        for second in shape.iter().skip(place + 1) {
            let methods = |index: &usize| routes.get(*index).and_then(|route| route.methods.as_deref());
            if overlap(methods(first), methods(second)) {
                ties.push(Tie { first: *first, second: *second });
            }
        }
    }
    ties
}

/// The route of a shape that grants the method. GET grants HEAD unless another route lists HEAD (RFC 9110 section
/// 9.3.2: HEAD is GET without the content).
pub(super) fn select<'r>(methods: &[Option<Vec<String>>], shape: &'r Shape, method: &str) -> Found<'r> {
    let lists = |index: &usize, method: &str| match methods.get(*index) {
        Some(Some(list)) => list.iter().any(|listed| listed == method),
        Some(None) => true,
        None => false,
    };
    let granted = shape.routes.iter().find(|index| lists(index, method));
    let granted = granted.or_else(|| shape.routes.iter().find(|index| method == "HEAD" && lists(index, "GET")));
    granted.map_or(Found::NotGranted(shape), |index| Found::Route(*index))
}

fn overlap(a: Option<&[String]>, b: Option<&[String]>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => a.iter().any(|method| b.contains(method)),
        (Some(list), None) | (None, Some(list)) => !list.is_empty(),
        (None, None) => true,
    }
}
