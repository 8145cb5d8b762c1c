//! The client certificate of a request: the one of its own connection, or the one that a trusted proxy tells of.

use std::borrow::Cow;

use crate::certificate::carried::{self, Form};
use crate::policy::model::Proxies;
use crate::reading::client::Client;
use crate::reading::fields::Fields;
use crate::request::Request;

/// What a request hands in as its client's certificate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Handed<'a> {
    /// None.
    #[default]
    Nothing,
    /// The DER of one that the host did not verify: anybody can make such a one, so it says nothing of who asks and
    /// counts as none. That its key is in the client's hands TLS has proved all the same.
    Unverified(&'a [u8]),
    /// One that came with a request that is not TLS. No handshake proved its key: the host contradicts itself, and it
    /// counts as none.
    Plain,
    /// That of a trusted proxy, whose connection this is: it proves nothing of who asks through it, and counts as none.
    Proxy,
    /// The DER of the connection's own.
    Connection(&'a [u8]),
    /// The field of a trusted proxy.
    Field(&'a [u8], Form),
    /// A trusted proxy's field is there more than once: one of them may be the client's.
    Repeated,
}

impl<'a> Handed<'a> {
    /// Finds it. On the connection of a trusted proxy the certificate is the proxy's own and says nothing about the
    /// client. That no field tells of another client does not make it the client's: a client may have had the proxy drop
    /// the field, by naming it in `Connection`.
    pub fn find(request: &Request<'a>, fields: &Fields<'a>, client: &Client, proxies: &Proxies) -> Handed<'a> {
        if client.through_proxy && proxies.certificate.is_some() {
            return match fields.certificate.as_slice() {
                [] => Handed::Nothing,
                // What proxies send where there is none.
                [value] if value.is_empty() || *value == b"::" => Handed::Nothing,
                // Servers join repeats by a comma, which neither form has.
                [value] if !value.contains(&b',') => Handed::Field(value, proxies.certificate_form),
                _ => Handed::Repeated,
            };
        }
        match (request.client_cert_der, request.cert_verified) {
            ([], _) => Handed::Nothing,
            _ if client.through_proxy => Handed::Proxy,
            _ if client.tls == Some(false) => Handed::Plain,
            (der, false) => Handed::Unverified(der),
            (der, true) => Handed::Connection(der),
        }
    }

    /// Somebody vouches for one, readable or not.
    pub fn is_there(&self) -> bool {
        !matches!(self, Handed::Nothing | Handed::Unverified(_) | Handed::Plain | Handed::Proxy)
    }

    /// Its DER; `None` where there is none. The error says what is wrong with the field.
    pub fn der(&self) -> Result<Option<Cow<'a, [u8]>>, &'static str> {
        match *self {
            Handed::Nothing | Handed::Unverified(_) | Handed::Plain | Handed::Proxy => Ok(None),
            Handed::Connection(der) => Ok(Some(Cow::Borrowed(der))),
            Handed::Field(value, form) => carried::read(value, form).map(|der| Some(Cow::Owned(der))),
            Handed::Repeated => Err("the proxy's certificate field is repeated"),
        }
    }

    /// The DER of the certificate whose key the client holds, verified or not (RFC 8705 section 6.2 asks for no chain):
    /// for tokens that are bound to one. `None` where there is none.
    pub fn held(&self) -> Result<Option<Cow<'a, [u8]>>, &'static str> {
        match *self {
            Handed::Unverified(der) => Ok(Some(Cow::Borrowed(der))),
            _ => self.der(),
        }
    }
}
