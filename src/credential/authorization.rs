//! The Authorization field (RFC 9110 section 11.6.2): which scheme, and what follows it.
//!
//! Knows the grammar only. Which schemes a route accepts and what two credentials in one request mean is the
//! engine's business; nothing here looks at more than one value.

use crate::credential::api_key;
use crate::identity::Scheme;
use crate::request::field::{is_token, trim};

/// What an Authorization value carries.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Authorization<'a> {
    /// What follows `Basic `, for `basic::parse`.
    Basic(&'a str),
    /// One word of visible ASCII. Whether it has the syntax of a token (RFC 6750 section 2.1, and stricter RFC 7515)
    /// is for whoever reads tokens to say: "the token is malformed" helps more than "the credentials are".
    Bearer(&'a str),
    /// The same, bound to a key that a proof in another field is of (RFC 9449 section 7.1).
    Dpop(&'a str),
    /// What follows `ApiKey `, or a Bearer value that starts like one of our keys; for `api_key::digest`.
    ApiKey(&'a str),
    /// Another scheme's name as sent; what follows was not looked at.
    Other(&'a str),
}

/// A value without the form that its scheme asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// The scheme, where its name could be read and is one of ours.
    pub scheme: Option<Scheme>,
    /// What is wrong, for the operator; nothing of the value.
    pub why: &'static str,
}

impl<'a> Authorization<'a> {
    /// Reads one field value. Scheme names are case-insensitive; one or more spaces follow; spaces and tabs around
    /// the value do not count.
    pub fn parse(value: &'a [u8]) -> Result<Authorization<'a>, Malformed> {
        let (name, rest) = split(value)?;
        let Some((known, scheme)) = known(name) else {
            return Ok(Authorization::Other(name));
        };
        let malformed = |why| Malformed { scheme: Some(scheme), why };
        if rest.is_empty() {
            return Err(malformed("nothing follows the name of the scheme"));
        }
        // To the end in any case: so many octets are looked at in one step.
        if !rest.iter().fold(true, |all, byte| all & (0x20..0x7f).contains(byte)) {
            return Err(malformed("the value holds bytes outside of visible ASCII"));
        }
        let rest =
            std::str::from_utf8(rest).map_err(|_| malformed("the value holds bytes outside of visible ASCII"))?;
        match scheme {
            Scheme::Basic => Ok(Authorization::Basic(rest)),
            Scheme::ApiKey => Ok(Authorization::ApiKey(rest)),
            _ if known != DPOP && rest.starts_with(api_key::PREFIX) => Ok(Authorization::ApiKey(rest)),
            _ if holds(rest.as_bytes(), b' ') => Err(malformed("more than one word follows the name of the scheme")),
            _ if known == DPOP => Ok(Authorization::Dpop(rest)),
            _ => Ok(Authorization::Bearer(rest)),
        }
    }

    /// The scheme of identities that it proves; `None` for schemes that are not ours.
    pub fn scheme(&self) -> Option<Scheme> {
        match self {
            Authorization::Basic(_) => Some(Scheme::Basic),
            Authorization::Bearer(_) | Authorization::Dpop(_) => Some(Scheme::Bearer),
            Authorization::ApiKey(_) => Some(Scheme::ApiKey),
            Authorization::Other(_) => None,
        }
    }
}

/// Never shows a credential.
impl std::fmt::Debug for Authorization<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Authorization::Basic(_) => "Basic(…)",
            Authorization::Bearer(_) => "Bearer(…)",
            Authorization::Dpop(_) => "DPoP(…)",
            Authorization::ApiKey(_) => "ApiKey(…)",
            Authorization::Other(name) => return f.debug_tuple("Other").field(name).finish(),
        })
    }
}

/// The token of a value that has nothing odd about it: the scheme Bearer, one space, and a word of visible ASCII without
/// a comma that is no API key. What [`is_joined`] and [`Authorization::parse`] make of such a value, in one look at each
/// octet; `None`: that is for them to say.
pub fn plain_bearer(value: &[u8]) -> Option<&[u8]> {
    likely_bearer(value).filter(|word| is_plain(word))
}

/// The same without a look at the octets of the token, for who reads each of them anyway.
pub fn likely_bearer(value: &[u8]) -> Option<&[u8]> {
    const NAME: &[u8; 7] = b"Bearer ";
    let (name, word) = value.split_first_chunk::<7>()?;
    let is_token = !word.is_empty() && !word.starts_with(api_key::PREFIX.as_bytes());
    (is_token && (name == NAME || name.eq_ignore_ascii_case(NAME))).then_some(word)
}

/// What follows Basic in a value that has nothing odd about it, as [`plain_bearer`] for tokens.
pub fn plain_basic(value: &[u8]) -> Option<&[u8]> {
    let (name, word) = value.split_first_chunk::<6>()?;
    (name.eq_ignore_ascii_case(b"Basic ") && is_plain(word)).then_some(word)
}

/// One word of visible ASCII without a comma. To the end in any case: so many octets are looked at in one step.
fn is_plain(word: &[u8]) -> bool {
    !word.is_empty() && word.iter().fold(true, |all, byte| all & (0x21..0x7f).contains(byte) & (*byte != b','))
}

/// The octet is somewhere in it. To the end in any case: so many octets are looked at in one step.
fn holds(value: &[u8], octet: u8) -> bool {
    value.iter().fold(false, |found, byte| found | (*byte == octet))
}

/// The value looks like two that a server in front joined: a Basic, Bearer or DPoP value with a comma outside quotes.
/// None of the three has a comma in its grammar (RFC 7617 section 2, RFC 6750 section 2.1, RFC 9449 section 7.1).
pub fn is_joined(value: &[u8]) -> bool {
    // Almost no value has a comma at all, and to see that takes no look at each octet.
    if !holds(value, b',') {
        return false;
    }
    let start = value.trim_ascii_start();
    let name = start.split(|byte| matches!(byte, b' ' | b'\t' | b',')).next().unwrap_or_default();
    [&b"basic"[..], b"bearer", b"dpop"].iter().any(|one| name.eq_ignore_ascii_case(one))
        && has_comma_outside_quotes(value)
}

/// The scheme that tokens are sent under, and what follows it, of a text that should have been a token alone.
pub fn scheme_before_token(text: &[u8]) -> Option<(&'static str, &[u8])> {
    let text = text.trim_ascii_start();
    ["Bearer", "DPoP"].into_iter().find_map(|name| {
        let (start, rest) = text.split_at_checked(name.len())?;
        let is_name = start.eq_ignore_ascii_case(name.as_bytes()) && matches!(rest.first(), Some(b' ' | b'\t'));
        is_name.then(|| (name, rest.trim_ascii_start()))
    })
}

/// The value is of the scheme DPoP, whatever follows.
pub fn is_dpop(value: &[u8]) -> bool {
    // Most begin otherwise, which one letter tells.
    matches!(value.first(), Some(b'D' | b'd' | b' ' | b'\t'))
        && matches!(split(value), Ok((name, _)) if name.eq_ignore_ascii_case(DPOP))
}

/// A comma stands outside of every quoted-string (RFC 9110 section 5.6.4). A quote that is never closed quotes
/// nothing.
pub fn has_comma_outside_quotes(value: &[u8]) -> bool {
    let (mut quoted, mut escaped, mut comma_since_quote) = (false, false, false);
    for &byte in value {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => {
                quoted = !quoted;
                comma_since_quote = false;
            }
            b',' if quoted => comma_since_quote = true,
            b',' => return true,
            _ => {}
        }
    }
    quoted && comma_since_quote
}

/// The name of the scheme and what follows its spaces.
fn split(value: &[u8]) -> Result<(&str, &[u8]), Malformed> {
    let nameless = |why| Malformed { scheme: None, why };
    let value = trim(value);
    if value.is_empty() {
        return Err(nameless("the field is empty"));
    }
    let end = value.iter().position(|&byte| byte == b' ').unwrap_or(value.len());
    let (name, rest) = value.split_at_checked(end).unwrap_or((value, b""));
    if !is_token(name) {
        return Err(nameless("the value does not begin with the name of a scheme and a space"));
    }
    let name = std::str::from_utf8(name).map_err(|_| nameless("the name of the scheme is not ASCII"))?;
    let spaces = rest.iter().take_while(|&&byte| byte == b' ').count();
    Ok((name, rest.get(spaces..).unwrap_or_default()))
}

/// A token of the scheme `bearer` under the name of RFC 9449.
const DPOP: &str = "DPoP";

fn known(name: &str) -> Option<(&'static str, Scheme)> {
    let names =
        [("Basic", Scheme::Basic), ("Bearer", Scheme::Bearer), ("ApiKey", Scheme::ApiKey), (DPOP, Scheme::Bearer)];
    names.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn wrong(value: &[u8]) -> Option<Scheme> {
        Authorization::parse(value).expect_err("malformed").scheme
    }

    #[test]
    fn scheme_names_have_no_case_and_any_number_of_spaces_follows() {
        for value in ["Basic YTpi", "bAsIc YTpi", "BASIC    YTpi", " \tBasic YTpi\t "] {
            assert!(Authorization::parse(value.as_bytes()) == Ok(Authorization::Basic("YTpi")), "{value:?}");
        }
        assert!(Authorization::parse(b"bearer a.b.c") == Ok(Authorization::Bearer("a.b.c")));
        assert!(Authorization::parse(b"apikey gp_x") == Ok(Authorization::ApiKey("gp_x")));
        assert!(Authorization::parse(b"Digest a=\"\xff\"") == Ok(Authorization::Other("Digest")));
        assert!(Authorization::parse(b"Basically YTpi") == Ok(Authorization::Other("Basically")));
    }

    #[test]
    fn a_bearer_value_that_starts_like_a_key_is_an_api_key() {
        assert!(Authorization::parse(b"Bearer gp_abc") == Ok(Authorization::ApiKey("gp_abc")));
        assert!(Authorization::parse(b"Bearer gp-abc") == Ok(Authorization::Bearer("gp-abc")));
        assert!(Authorization::parse(b"Bearer GP_abc") == Ok(Authorization::Bearer("GP_abc")));
    }

    #[test]
    fn what_is_malformed_names_its_scheme_where_that_can_be_read() {
        assert_eq!(wrong(b""), None);
        assert_eq!(wrong(b" \t "), None);
        assert_eq!(wrong(b"Basic\tYTpi"), None);
        assert_eq!(wrong(b"Basic,Bearer x"), None);
        assert_eq!(wrong(b"\"Basic\" YTpi"), None);
        assert_eq!(wrong(b"Basic"), Some(Scheme::Basic));
        assert_eq!(wrong(b"Bearer  "), Some(Scheme::Bearer));
        assert_eq!(wrong(b"ApiKey"), Some(Scheme::ApiKey));
        assert_eq!(wrong(b"Basic YT\x00pi"), Some(Scheme::Basic));
        assert_eq!(wrong(b"Basic YT\tpi"), Some(Scheme::Basic));
        assert_eq!(wrong("Basic YTpié".as_bytes()), Some(Scheme::Basic));
        assert_eq!(wrong(b"Bearer \xff"), Some(Scheme::Bearer));
        assert_eq!(wrong(b"Bearer a b"), Some(Scheme::Bearer));
        for token in ["a=b", "=", "an\"invalid\"token", "a:b", "a%20b", "{}", "a\\b"] {
            let value = format!("Bearer {token}");
            assert!(Authorization::parse(value.as_bytes()) == Ok(Authorization::Bearer(token)), "{token}");
        }
    }

    #[test]
    fn a_comma_outside_quotes_means_joined() {
        for joined in [
            "Basic YTpi, Basic YTpj",
            "Basic YTpi,",
            "bearer a,Bearer b",
            " DPoP a, DPoP b",
            "Basic a\", Basic b",
            "Bearer,x",
        ] {
            assert!(is_joined(joined.as_bytes()), "{joined}");
        }
        for single in ["Basic YTpi", "Bearer a=\"x,y\"", "Digest a=b, c=d", "Bearer a=\"x\\\",y\"", "ApiKey a, b", ""] {
            assert!(!is_joined(single.as_bytes()), "{single}");
        }
        assert!(has_comma_outside_quotes(b"a=\"x\", b"));
        assert!(!has_comma_outside_quotes(b"a=\"x, y\" b=\"c, d\""));
    }

    #[test]
    fn a_plain_bearer_token_is_what_the_whole_reader_makes_of_it() {
        assert_eq!(plain_bearer(b"bEARER a.b.c"), Some(&b"a.b.c"[..]));
        assert_eq!(plain_basic(b"bASIC YTpi"), Some(&b"YTpi"[..]));
        for value in
            ["Basic", "Basic ", "Basic  a", "Basic a b", "Basic a,b", "Bearer a", "Basic a\t", "Basica", " Basic a"]
        {
            assert_eq!(plain_basic(value.as_bytes()), None, "{value}");
        }
        for value in [
            "Bearer",
            "Bearer ",
            "Bearer  a",
            "Bearer a b",
            "Bearer a,b",
            "Bearer gp_a",
            "DPoP abc",
            "Bearer a\t",
            "Bearera",
        ] {
            assert_eq!(plain_bearer(value.as_bytes()), None, "{value}");
        }
        for octet in 0..=255 {
            for word in
                [&[octet][..], &[b'a', octet], &[octet, b'a'], &[&[b'a'; 40][..], &[octet], &[b'b'; 40]].concat()]
            {
                let value = [b"Basic ", word].concat();
                let login = matches!(Authorization::parse(&value), Ok(Authorization::Basic(_))) && !is_joined(&value);
                assert!(login || plain_basic(&value).is_none(), "{octet}");
                let value = [b"Bearer ", word].concat();
                let whole = match Authorization::parse(&value) {
                    Ok(Authorization::Bearer(token)) if !is_joined(&value) => Some(token.as_bytes()),
                    _ => None,
                };
                assert!(plain_bearer(&value).is_none_or(|token| whole == Some(token)), "{octet}");
            }
        }
    }

    proptest! {
        #[test]
        fn what_is_plain_reads_as_by_the_whole_reader(value in "[ \t]?(Bearer|bearer|DPoP|dpop|Dpo|Basic|basic)[ \t]{0,2}[a-c.,=\" _g p\\x00-\\xff]{0,12}") {
            if let Some(token) = plain_bearer(value.as_bytes()) {
                prop_assert!(!is_joined(value.as_bytes()));
                let whole = Authorization::parse(value.as_bytes());
                prop_assert!(whole == Ok(Authorization::Bearer(std::str::from_utf8(token).unwrap())));
            }
            if let Some(login) = plain_basic(value.as_bytes()) {
                prop_assert!(!is_joined(value.as_bytes()));
                let whole = Authorization::parse(value.as_bytes());
                prop_assert!(whole == Ok(Authorization::Basic(std::str::from_utf8(login).unwrap())));
            }
            let scheme = split(value.as_bytes()).map(|(name, _)| name);
            prop_assert_eq!(is_dpop(value.as_bytes()), scheme.is_ok_and(|name| name.eq_ignore_ascii_case("dpop")));
        }

        #[test]
        fn any_bytes_are_read_or_refused(value: Vec<u8>) {
            let _ = is_joined(&value);
            if let Ok(Authorization::Basic(rest) | Authorization::Bearer(rest) | Authorization::ApiKey(rest)) =
                Authorization::parse(&value)
            {
                prop_assert!(!rest.is_empty() && rest.bytes().all(|b| (0x20..0x7f).contains(&b)));
            }
        }
    }
}
