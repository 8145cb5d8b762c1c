//! placeholder
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    pub name: String,
    pub port: Option<u16>,
}
impl Host {
    pub fn parse(_: &[u8]) -> Result<Host, &'static str> {
        Err("x")
    }
}
pub struct Target<'a> {
    pub path: &'a [u8],
    pub asterisk: bool,
}
pub struct TargetError {
    pub explanation: String,
}
pub fn parse<'a>(_m: &str, _t: &'a [u8], _h: Option<&Host>, _tls: bool) -> Result<Target<'a>, TargetError> {
    Err(TargetError { explanation: String::new() })
}
