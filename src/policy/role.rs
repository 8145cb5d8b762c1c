//! Roles: what each includes and permits, flattened when the policy is loaded.

use std::collections::{BTreeMap, BTreeSet};

/// One `[[role]]` with everything that it includes already drawn in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Role {
    /// Itself and all that it includes, directly or not.
    pub closure: BTreeSet<String>,
    /// Permission patterns of all of `closure`.
    pub permissions: BTreeSet<String>,
}

/// The roles of a policy by name.
#[derive(Clone, Debug, Default)]
pub struct Roles(BTreeMap<String, Role>);

impl Roles {
    /// Flattens definitions of (name, includes, permissions). Unknown and circular includes are the loader's to
    /// report; here an unknown one is ignored and a circle ends.
    pub fn new(definitions: &[(String, Vec<String>, Vec<String>)]) -> Roles {
        let by_name: BTreeMap<&str, _> =
            definitions.iter().map(|(name, includes, permissions)| (name.as_str(), (includes, permissions))).collect();
        let mut roles = BTreeMap::new();
        for name in by_name.keys() {
            let mut role = Role::default();
            let mut open = vec![*name];
            while let Some(next) = open.pop() {
                let Some((includes, permissions)) = by_name.get(next) else { continue };
                if role.closure.insert(next.to_owned()) {
                    role.permissions.extend(permissions.iter().cloned());
                    open.extend(includes.iter().map(String::as_str));
                }
            }
            roles.insert((*name).to_owned(), role);
        }
        Roles(roles)
    }

    /// A role of this name is defined.
    pub fn is_defined(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// The defined names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// The given roles with all that they include, sorted; names that are not defined are dropped.
    pub fn closure<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> BTreeSet<String> {
        names.into_iter().filter_map(|name| self.0.get(name)).flat_map(|role| role.closure.iter().cloned()).collect()
    }

    /// The permission patterns that these roles give, without looking at includes again.
    pub fn permissions<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> BTreeSet<String> {
        names
            .into_iter()
            .filter_map(|name| self.0.get(name))
            .flat_map(|role| role.permissions.iter().cloned())
            .collect()
    }
}

/// The pattern gives the permission: equal, or `a:b:*` and one or more further parts, or `*` alone.
pub fn covers(pattern: &str, permission: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some("") => !permission.is_empty(),
        Some(stem) if stem.ends_with(':') => permission.strip_prefix(stem).is_some_and(|rest| !rest.is_empty()),
        _ => pattern == permission,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strings(list: &[&str]) -> Vec<String> {
        list.iter().map(|s| (*s).to_owned()).collect()
    }

    #[test]
    fn includes_are_drawn_in_and_circles_end() {
        let roles = Roles::new(&[
            ("clerk".into(), vec![], strings(&["orders:read"])),
            ("admin".into(), strings(&["clerk", "ghost"]), strings(&["users:*"])),
            ("a".into(), strings(&["b"]), vec![]),
            ("b".into(), strings(&["a"]), strings(&["x"])),
        ]);
        assert_eq!(roles.closure(["admin", "nobody"]).into_iter().collect::<Vec<_>>(), ["admin", "clerk"]);
        assert_eq!(roles.permissions(["admin"]).into_iter().collect::<Vec<_>>(), ["orders:read", "users:*"]);
        assert_eq!(roles.closure(["a"]).len(), 2);
        assert!(!roles.is_defined("ghost"));
    }

    #[test]
    fn a_wildcard_stands_for_one_or_more_further_parts() {
        assert!(covers("users:*", "users:add"));
        assert!(covers("users:*", "users:add:guest"));
        assert!(covers("*", "users"));
        assert!(!covers("users:*", "users"));
        assert!(!covers("users:*", "users:"));
        assert!(!covers("users:*", "usersx:add"));
        assert!(!covers("users", "users:add"));
        assert!(!covers("user*", "users"));
    }
}
