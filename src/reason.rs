//! The one table of reasons: why a decision came out as it did.
//!
//! Names and numbers are part of every interface (C, logs, case files, problem details): never reused, never
//! renumbered, only appended. The constants of the C header are generated from here, and with `crate::catalogue`, which
//! has what a person reads, `docs/REASONS.md`.

/// One row of the table.
struct Row {
    name: &'static str,
    status: u16,
    error: &'static str,
    operator: &'static str,
}

macro_rules! reasons {
    ($( $number:literal $variant:ident $name:literal $status:literal $error:literal $operator:literal )*) => {
        /// Why a decision came out as it did.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u32)]
        pub enum Reason {
            $( #[doc = concat!("`", $name, "`: ", $operator)] $variant = $number, )*
        }

        impl Reason {
            /// Every reason, in the order of its number.
            pub const ALL: &'static [Reason] = &[ $( Reason::$variant, )* ];

            const fn row(self) -> Row {
                match self {
                    $( Reason::$variant => Row { name: $name, status: $status, error: $error, operator: $operator }, )*
                }
            }

            /// The reason with this number, as C passes it.
            pub const fn from_number(number: u32) -> Option<Reason> {
                match number {
                    $( $number => Some(Reason::$variant), )*
                    _ => None,
                }
            }
        }
    };
}

reasons! {
//  no  variant             name                     status  RFC error
//      what the operator reads: what to check and change
    1   Allowed             "allowed"                200 ""
        "The credentials were good and the requirement of the route is met."
    2   Public              "public"                 200 ""
        "The route has access = \"public\": credentials were not looked at."
    3   Anonymous           "anonymous"              200 ""
        "The route has access = \"optional\" and the request carried no credentials."
    4   Preflight           "preflight"              200 ""
        "A CORS preflight, let through because preflight = \"allow\" and the method that it names is granted."
    5   Passed              "passed"                 200 ""
        "No route matches and unmatched = \"pass\": the host's own default holds."
    6   Endpoint            "endpoint"               200 ""
        "The request is for one of the engine's own endpoints."
    7   LoginRedirect       "login_redirect"         303 ""
        "A navigation without a session was sent to the login page."

    20  RequestMalformed    "request_malformed"      400 ""
        "The method, the Host field or a header field is not valid, Host is repeated, or it differs from the authority. Look at the client or the proxy before this server."
    21  TargetAmbiguous     "target_ambiguous"       400 ""
        "Servers differ in how they read this target and the readings lead to different rules. `gatepost decide --explain` shows them; a reading that your server never makes can be dropped under [paths]. Or it is no target: a path begins with \"/\", which a host that takes a prefix away may lose."
    22  CredentialsAmbiguous "credentials_ambiguous" 400 ""
        "Authorization or X-API-Key is repeated, both are present, a value was joined with a comma, or one session cookie came twice. Look for a proxy or a client library that adds its own."
    23  RequestTooLarge     "request_too_large"      431 ""
        "The target is over 8 KiB, a header field over 16 KiB, or there are more than 200 fields."
    24  ContentTooLarge     "content_too_large"      413 ""
        "The body is over the limit of the endpoint."

    40  CredentialsMissing  "credentials_missing"    401 ""
        "The route requires credentials and none of the accepted schemes was present. A proxy may have dropped the Authorization field."
    41  CredentialsMalformed "credentials_malformed" 401 "invalid_token"
        "The Authorization or X-API-Key value does not have the form of its scheme: Basic wants base64 of name:password in UTF-8, an API key has a checksum that catches typing errors."
    42  SchemeNotAccepted   "scheme_not_accepted"    401 ""
        "The client used a scheme that the route does not list. Add it to `schemes` or change the client."
    43  CredentialsInvalid  "credentials_invalid"    401 "invalid_token"
        "Unknown user or wrong password; which of the two is not told to the client. `gatepost user show NAME` tells whether the account exists."
    44  AccountDisabled     "account_disabled"       401 "invalid_token"
        "The password was right but the account is disabled. `gatepost user enable NAME` lets it in again."
    45  PasswordExpired     "password_expired"       401 ""
        "The password was right and is older than [password] max_age. `gatepost user passwd NAME` sets a new one."
    46  FactorRequired      "factor_required"        401 "insufficient_user_authentication"
        "The route asks for a factor that this login did not prove. Basic and API keys never prove one."
    47  LoginTooOld         "login_too_old"          401 "insufficient_user_authentication"
        "The login is older than the route's login_within. Basic and API keys never count as recent."
    48  SessionUnknown      "session_unknown"        401 ""
        "The session cookie names no session: it was ended, or belongs to another state file."
    49  SessionIdle         "session_idle"           401 ""
        "The session was idle for longer than [session] idle."
    50  SessionExpired      "session_expired"        401 ""
        "The session is older than [session] absolute."
    51  SessionRevoked      "session_revoked"        401 ""
        "The session was revoked: by the person, by an operator, or because the password changed."
    52  ApiKeyUnknown       "api_key_unknown"        401 "invalid_token"
        "The key is well formed but not in the state: it was removed, or belongs to another service or environment."
    53  ApiKeyExpired       "api_key_expired"        401 "invalid_token"
        "The key's expiry has passed. `gatepost key issue` makes a new one."
    54  ApiKeyRevoked       "api_key_revoked"        401 "invalid_token"
        "The key was revoked. `gatepost key list` shows when."
    55  TokenMalformed      "token_malformed"        401 "invalid_token"
        "The token is not a compact JWS as RFC 7515 asks: three base64url parts of JSON without duplicate members, nothing critical that is not understood."
    56  TokenIssuer         "token_issuer"           401 "invalid_token"
        "`iss` is missing or equals no [[issuer]] issuer, letter by letter. A trailing slash makes a difference."
    57  TokenAlgorithm      "token_algorithm"        401 "invalid_token"
        "The token's `alg` is not among the issuer's `algorithms`, or the keys that its `kid` leaves are for other algorithms."
    58  TokenKeyUnknown     "token_key_unknown"      401 "invalid_token"
        "The token's `kid` names no key of the issuer, whatever its algorithm. After a rotation, update the key file."
    59  TokenSignature      "token_signature"        401 "invalid_token"
        "No key of the issuer verifies the signature: another key or secret, another environment, or a token that was changed."
    60  TokenExpired        "token_expired"          401 "invalid_token"
        "`exp` has passed, also with the leeway. If it happens at once, compare the clocks of issuer and server."
    61  TokenNotYetValid    "token_not_yet_valid"    401 "invalid_token"
        "`nbf` or `iat` lies in the future, also with the leeway: the clocks of issuer and server differ."
    62  TokenAudience       "token_audience"         401 "invalid_token"
        "`aud` is missing or holds none of the issuer's `audience` values."
    63  TokenType           "token_type"             401 "invalid_token"
        "The header's `typ` is not what the issuer's `type` asks for: perhaps an ID token was sent in place of an access token."
    64  TokenClaim          "token_claim"            401 "invalid_token"
        "A claim is missing, has the wrong type, or holds a value that is not allowed."
    65  TokenRevoked        "token_revoked"          401 "invalid_token"
        "The token, its session or its subject was revoked. `gatepost token revocations` lists what is."
    66  TokenBinding        "token_binding"          401 "invalid_token"
        "The token is bound to a key (`cnf`) and the request does not prove that it comes from who holds it. `gatepost decide --explain` says what was wanted and seen. Behind a proxy see [proxies] certificate."
    67  DpopProof           "dpop_proof"             401 "invalid_dpop_proof"
        "The DPoP proof is missing, repeated, malformed, too old, for another request or token, or was used before. `gatepost decide --explain` says which. Where `htu` differs, check [proxies] scheme and host; where `iat` does, the clocks, or set `dpop_nonce`."
    68  DpopNonce           "dpop_nonce"             401 "use_dpop_nonce"
        "The DPoP proof carries no nonce or an outdated one; the answer holds the new one in DPoP-Nonce, and clients repeat the request with it. If it never ends, the server processes do not share one state file, or a page of another origin may not read the field (Access-Control-Expose-Headers)."

    80  RouteUnknown        "route_unknown"          403 ""
        "No [[route]] matches the host and path. Add one, or set `unmatched`."
    81  MethodNotGranted    "method_not_granted"     403 ""
        "A route matches the path but none with this method. Add it to `methods`."
    82  TlsRequired         "tls_required"           403 ""
        "The route requires TLS and the connection, or what a trusted proxy says of it, is not. Check [proxies] scheme."
    83  NetworkNotAllowed   "network_not_allowed"    403 ""
        "The client's address is not in the route's network list, or could not be determined. Check [proxies]."
    84  CrossSite           "cross_site"             403 ""
        "An unsafe request with a credential that browsers add on their own came from another origin (Sec-Fetch-Site, Origin)."
    85  RoleMissing         "role_missing"           403 ""
        "The identity lacks a role that the route requires. `gatepost user grant NAME ROLE` gives it to a local user."
    86  ScopeMissing        "scope_missing"          403 "insufficient_scope"
        "The credential lacks a scope that the route requires. Basic and sessions carry none."
    87  PermissionMissing   "permission_missing"     403 ""
        "None of the identity's roles gives the permission, or the API key's scopes do not cover it."
    88  ClaimMismatch       "claim_mismatch"         403 ""
        "A claim of the token does not have the value that the route requires, or is not there."
    89  RequirementUnmet    "requirement_unmet"      403 ""
        "The route's requirement is not met. `gatepost decide --explain` shows which part."

    100 Throttled           "throttled"              429 ""
        "A failure counter of [throttle] is full: account, address, prefix or pair; the log says which. It empties with time (Retry-After); no right password empties it before that, nor, with a state file, a restart. To let somebody in at once raise that limit and reload. Where it is address or prefix and everybody is refused, name your proxy in [proxies]: all clients are counted as one."

    120 KeysUnavailable     "keys_unavailable"       503 ""
        "The issuer's keys could not be loaded."
    121 StateUnavailable    "state_unavailable"      503 ""
        "The state could not be read or written. Check the file that `state` under [engine] names, its permissions and the disk."
    122 Overloaded          "overloaded"             503 ""
        "Too many logins at once: the queue or the memory for password hashing is full."
    123 PolicyMissing       "policy_missing"         503 ""
        "No policy is loaded."
    124 Internal            "internal"               500 ""
        "A fault in the engine. Please report it with the decision's id and the log."
}

impl Reason {
    /// The stable name, as logs, problem details and case files show it.
    pub const fn name(self) -> &'static str {
        self.row().name
    }

    /// The number that stands for it in C.
    pub const fn number(self) -> u32 {
        self as u32
    }

    /// The HTTP status that goes with it (RFC 9110 section 15; RFC 6585 for 429 and 431).
    pub const fn status(self) -> u16 {
        self.row().status
    }

    /// The RFC 6750, RFC 9449 or RFC 9470 `error` code, or empty.
    pub const fn error_code(self) -> &'static str {
        self.row().error
    }

    /// A sentence for the operator: what to check and change.
    pub const fn operator(self) -> &'static str {
        self.row().operator
    }

    /// The reason as the person refused may see it: a disabled account reads like a wrong password.
    pub const fn shown(self) -> Reason {
        match self {
            Reason::AccountDisabled => Reason::CredentialsInvalid,
            other => other,
        }
    }

    /// The reason with this name.
    pub fn from_name(name: &str) -> Option<Reason> {
        Reason::ALL.iter().copied().find(|reason| reason.name() == name)
    }
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn names_and_numbers_are_unique_and_found_again() {
        let names: HashSet<_> = Reason::ALL.iter().map(|r| r.name()).collect();
        let numbers: HashSet<_> = Reason::ALL.iter().map(|r| r.number()).collect();
        assert_eq!(names.len(), Reason::ALL.len());
        assert_eq!(numbers.len(), Reason::ALL.len());
        assert!(!numbers.contains(&0), "0 is no reason");
        for &reason in Reason::ALL {
            assert_eq!(Reason::from_number(reason.number()), Some(reason));
            assert_eq!(Reason::from_name(reason.name()), Some(reason));
        }
        assert_eq!(Reason::from_number(0), None);
        assert_eq!(Reason::from_name("nonsense"), None);
    }

    #[test]
    fn a_disabled_account_reads_like_a_wrong_password() {
        let (disabled, wrong) = (Reason::AccountDisabled, Reason::CredentialsInvalid);
        assert_eq!(disabled.shown(), wrong);
        assert_eq!(disabled.status(), wrong.status());
        assert_eq!(disabled.error_code(), wrong.error_code());
    }
}
