//! `cnf`: whose token it is (RFC 7800). Two methods are understood: a client certificate (RFC 8705 section 3.1) and the
//! key of DPoP proofs (RFC 9449 section 6.1).

use data_encoding::BASE64URL_NOPAD;

use crate::json::{Kind, Raw, shown};

/// What a token's holder must prove. All of it must hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Binding {
    /// `x5t#S256`: SHA-256 of the DER of the certificate of the client's TLS connection.
    pub certificate: Option<[u8; 32]>,
    /// `jkt`: SHA-256 thumbprint (RFC 7638) of the key that signs the client's proofs.
    pub key: Option<[u8; 32]>,
    /// There is a method that is not understood here, or none at all: nobody can prove that.
    pub unknown: bool,
}

impl Binding {
    /// Reads a `cnf`. The error, a detail of `token_claim`, says which part has the wrong type or form.
    ///
    /// RFC 7800 section 3.1 would have methods ignored that are not understood. Here they count: what the issuer asks
    /// for and nobody checks is not proved.
    pub fn read(cnf: Raw<'_>) -> Result<Binding, String> {
        if cnf.kind() != Kind::Object {
            return Err(format!("\"cnf\" is or holds {} where an object belongs", cnf.kind().article()));
        }
        let mut binding = Binding::default();
        let mut fault = None;
        cnf.members(|name, value| {
            let place = match name {
                "x5t#S256" => &mut binding.certificate,
                "jkt" => &mut binding.key,
                _ => {
                    binding.unknown = true;
                    return;
                }
            };
            match digest(value) {
                Ok(digest) => *place = Some(digest),
                Err(why) => _ = fault.get_or_insert_with(|| format!("{} of \"cnf\" {why}", shown(name))),
            }
        });
        binding.unknown |= binding.certificate.is_none() && binding.key.is_none();
        fault.map_or(Ok(binding), Err)
    }
}

/// A SHA-256 digest in base64url without padding: 43 characters.
fn digest(value: Raw<'_>) -> Result<[u8; 32], String> {
    let text = value.string().ok_or_else(|| format!("is {} where a string belongs", value.kind().article()))?;
    let octets = BASE64URL_NOPAD.decode(text.as_bytes()).ok().and_then(|octets| octets.try_into().ok());
    octets.ok_or_else(|| "is no SHA-256 in base64url without padding".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Object;

    const ONE: &str = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";
    const TWO: &str = "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2";

    fn read(cnf: &str) -> Result<Binding, String> {
        let object = Object::read(format!("{{\"cnf\":{cnf}}}").into_bytes()).unwrap();
        Binding::read(object.get("cnf").unwrap())
    }

    #[test]
    fn each_method_is_read_and_both_together() {
        let one: [u8; 32] = BASE64URL_NOPAD.decode(ONE.as_bytes()).unwrap().try_into().unwrap();
        let key = Binding { key: Some(one), ..Binding::default() };
        assert_eq!(read(&format!("{{\"jkt\":\"{ONE}\"}}")), Ok(key));
        assert_eq!(read(&format!("{{\"\\u006akt\":\"{ONE}\"}}")), Ok(key), "a name with escapes");
        let both = read(&format!("{{\"x5t#S256\":\"{ONE}\",\"jkt\":\"{ONE}\"}}"));
        assert_eq!(both, Ok(Binding { certificate: Some(one), ..key }));
    }

    #[test]
    fn what_is_not_understood_is_told_apart_from_what_is_wrong() {
        for cnf in [
            "{}".to_owned(),
            "{\"kid\":\"a\"}".into(),
            "{\"jwk\":{\"kty\":\"EC\"}}".into(),
            format!("{{\"x5t\":\"{ONE}\"}}"),
            format!("{{\"JKT\":\"{ONE}\"}}"),
            format!("{{\"jkt\":\"{ONE}\",\"kid\":null}}"),
        ] {
            assert!(read(&cnf).unwrap().unknown, "{cnf}");
        }
        for cnf in ["null", "[]", "\"jkt\"", "1", "true"] {
            assert!(read(cnf).unwrap_err().contains("an object belongs"), "{cnf}");
        }
        for value in ["null", "1", "{}", "[\"a\"]", "true"] {
            assert!(read(&format!("{{\"jkt\":{value}}}")).unwrap_err().contains("a string belongs"), "{value}");
        }
        // Padded, short, long, another alphabet, spare bits that are not zero.
        for text in [&format!("{ONE}="), "", &ONE[1..], &format!("{ONE}A"), &ONE.replace('-', "+"), TWO] {
            for name in ["jkt", "x5t#S256"] {
                let error = read(&format!("{{\"{name}\":\"{text}\",\"kid\":1}}")).unwrap_err();
                assert!(error.contains("no SHA-256") && error.contains(name), "{error}");
            }
        }
    }
}
