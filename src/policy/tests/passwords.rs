//! The rules for new passwords that a policy comes to.

use super::*;
use crate::policy::model::PasswordRules;

fn rules(text: &str) -> PasswordRules {
    check(text).unwrap_or_else(|list| panic!("{text}\n{list:#?}")).policy.password
}

/// With a bearer issuer that works, so that `session` beside it is a warning only.
fn least(routes: &str) -> usize {
    rules(&format!("{}{routes}", sound_issuer!())).min_length
}

#[test]
fn fifteen_characters_are_wanted_wherever_a_password_alone_opens_something() {
    for routes in [
        "[[route]]\npath = '/'\nschemes = 'basic'\n",
        "[[route]]\npath = '/'\nschemes = ['session', 'bearer']\n",
        "[[route]]\npath = '/'\nschemes = ['session', 'bearer']\naccess = 'optional'\n",
        // One door without a second lock is enough.
        "[[route]]\npath = '/a'\nschemes = ['session', 'bearer']\nrequire = { factor = 'otp' }\n\
         [[route]]\npath = '/b'\nschemes = 'basic'\n",
        "[[route]]\npath = '/a'\nschemes = ['session', 'bearer']\n\
         require = { any = [{ factor = 'otp' }, { network = '10.0.0.0/8' }] }\n",
        // What is known by heart is no second factor.
        "[[route]]\npath = '/a'\nschemes = ['session', 'bearer']\nrequire = { factor = 'pwd' }\n",
        "[[route]]\npath = '/a'\nschemes = ['session', 'bearer']\nrequire = { factor = ['otp', 'pin'] }\n",
        "[[route]]\npath = '/a'\nschemes = ['session', 'bearer']\nrequire = { login_within = '5m' }\n",
        // No route takes a password: nobody knows what it will open.
        "[[route]]\npath = '/a'\nschemes = 'bearer'\nrequire = { factor = 'otp' }\n",
        "[[route]]\npath = '/a'\naccess = 'public'\n",
    ] {
        assert_eq!(least(routes), 15, "{routes}");
    }
}

#[test]
fn eight_are_enough_where_every_route_that_a_password_opens_asks_for_a_second_factor() {
    for routes in [
        "[[route]]\npath = '/a'\nschemes = ['session', 'bearer']\nrequire = { factor = 'otp' }\n",
        // Basic proves no factor, so it does not open this one either.
        "[[route]]\npath = '/a'\nschemes = ['session', 'basic']\nrequire = { factor = 'hwk', role = 'admin' }\n\
         [[role]]\nname = 'admin'\n",
        "[[route]]\npath = '/a'\nschemes = ['session', 'bearer']\nrequire = { factor = ['otp', 'hwk'] }\n",
        "[[route]]\npath = '/a'\nschemes = ['session', 'bearer']\nrequire = { factor = 'otp' }\n\
         [[route]]\npath = '/b'\naccess = 'public'\n[[route]]\npath = '/c'\nschemes = ['bearer', 'api-key']\n",
    ] {
        assert_eq!(least(routes), 8, "{routes}");
    }
    let unmatched = "[engine]\nunmatched = 'authenticated'\nschemes = 'basic'\n";
    let second = "[[route]]\npath = '/a'\nschemes = ['session', 'basic']\nrequire = { factor = 'otp' }\n";
    assert_eq!(rules(&format!("{unmatched}{second}")).min_length, 15);
    assert_eq!(rules(&format!("{}{second}", unmatched.replace("authenticated", "deny"))).min_length, 8);
}

#[test]
fn what_is_written_holds_and_is_a_warning_where_it_is_too_short_for_the_routes() {
    let second = "[[route]]\npath = '/a'\nschemes = ['session', 'basic']\nrequire = { factor = 'otp' }\n";
    let warned = |text: &str| found(text).iter().any(|d| d.message.contains("are short"));
    for (length, routes, short) in [
        (14, route!(), true),
        (15, route!(), false),
        (20, route!(), false),
        (8, second, false),
        (8, "[[route]]\npath = '/'\naccess = 'public'\n", true),
    ] {
        let text = format!("[password]\nmin_length = {length}\n{routes}");
        assert_eq!((rules(&text).min_length, warned(&text)), (length, short), "{text}");
    }
    let text = "[engine]\nunmatched = 'authenticated'\nschemes = 'basic'\n[password]\nmin_length = 8\n";
    assert!(warned(text));
}

#[test]
fn the_words_of_the_service_are_those_of_its_name_its_hosts_and_the_list() {
    let text = "[engine]\nname = 'Orders (EU)'\n[password]\nwords = ['ACME', '注文']\n\
                [[route]]\npath = '/'\nhost = 'shop.example.com'\nschemes = 'basic'\n";
    assert_eq!(rules(text).words, ["acme", "example", "orders", "shop", "注文"]);
}

#[test]
fn a_filter_is_read_with_the_policy() {
    file(folder(), "breached.filter", &super::filter("hunter2\n"), 0o600);
    let rules = rules("[password]\nbreached = 'breached.filter'\n[[route]]\npath = '/'\nschemes = 'basic'\n");
    assert!(rules.breached.is_some_and(|filter| filter.contains(b"hunter2") && filter.entries() == 1));
}

#[test]
fn a_filter_that_cannot_be_used_and_a_word_that_says_nothing_are_errors_with_their_place() {
    file(folder(), "foreign.filter", b"not a filter at all, but long enough to be one of them, one would think", 0o600);
    let mut damaged = super::filter("hunter2\n");
    damaged[60] ^= 1;
    file(folder(), "damaged.filter", &damaged, 0o600);
    file(folder(), "cut.filter", &super::filter("hunter2\n")[..90], 0o600);
    let build = "make one with `gatepost passwords build-filter LIST -o FILE`";
    let line = |name: &str, why: &str| format!("2:12 `FOLDER/{name}.filter` cannot be used: {why} | {build}");
    for (name, why) in [
        ("foreign", "it is no filter made by `gatepost passwords build-filter`"),
        ("damaged", "it is damaged: its checksum does not fit"),
        ("cut", "it is damaged: it has 90 bytes and should have 112"),
    ] {
        let text = format!("[password]\nbreached = '{name}.filter'\n{}", route!());
        each_says(Severity::Error, &[(&text, &line(name, why))]);
    }
    each_says(
        Severity::Error,
        &[
            (
                concat!("[password]\nwords = ['acme', 'ab']\n", route!()),
                "2:18 `ab` stands in too many good passwords | leave it out, or write a longer word",
            ),
            (
                concat!("[password]\nwords = '注'\n", route!()),
                "2:9 `注` stands in too many good passwords | leave it out, or write a longer word",
            ),
        ],
    );
}
