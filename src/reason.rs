//! The one table of reasons: why a decision came out as it did.
//!
//! Names and numbers are part of every interface (C, logs, case files, problem details): never reused, never
//! renumbered, only appended. `docs/REASONS.md` and the constants of the C header are generated from here.

/// One row of the table.
struct Row {
    name: &'static str,
    status: u16,
    error: &'static str,
    person: &'static str,
    operator: &'static str,
}

macro_rules! reasons {
    ($( $number:literal $variant:ident $name:literal $status:literal $error:literal $person:literal $operator:literal )*) => {
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
                    $( Reason::$variant => Row { name: $name, status: $status, error: $error, person: $person, operator: $operator }, )*
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
//      what the person refused reads: what happened, what they can do; nothing that helps an attacker
//      what the operator reads: what to check and change
    1   Allowed             "allowed"                200 ""
        "The request was let in."
        "The credentials were good and the requirement of the route is met."
    2   Public              "public"                 200 ""
        "This address is open to everyone."
        "The route has access = \"public\": credentials were not looked at."
    3   Anonymous           "anonymous"              200 ""
        "The request was let in without a login."
        "The route has access = \"optional\" and the request carried no credentials."
    4   Preflight           "preflight"              200 ""
        "The browser may ask before it sends the request itself."
        "A CORS preflight, let through because preflight = \"allow\" and the method that it names is granted."
    5   Passed              "passed"                 200 ""
        "This address is not guarded here."
        "No route matches and unmatched = \"pass\": the host's own default holds."
    6   Endpoint            "endpoint"               200 ""
        "The answer comes from the login service."
        "The request is for one of the engine's own endpoints."
    7   LoginRedirect       "login_redirect"         303 ""
        "Please log in to continue."
        "A navigation without a session was sent to the login page."

    20  RequestMalformed    "request_malformed"      400 ""
        "The request could not be read. Check the address and the program that sends it."
        "The method, the Host field or a header field is not valid, Host is repeated, or it differs from the authority. Look at the client or the proxy before this server."
    21  TargetAmbiguous     "target_ambiguous"       400 ""
        "The address can be understood in more than one way. Write it in its plain form, without encoded slashes, dots or semicolons."
        "Servers differ in how they read this target and the readings lead to different rules. `gatepost decide --explain` shows them; a reading that your server never makes can be dropped under [paths]."
    22  CredentialsAmbiguous "credentials_ambiguous" 400 ""
        "The request carries more than one credential. Send exactly one."
        "Authorization or X-API-Key is repeated, both are present, a value was joined with a comma, or one session cookie came twice. Look for a proxy or a client library that adds its own."
    23  RequestTooLarge     "request_too_large"      431 ""
        "The address or a header field is too long. Shorten it, or clear this site's cookies."
        "The target is over 8 KiB, a header field over 16 KiB, or there are more than 200 fields."
    24  ContentTooLarge     "content_too_large"      413 ""
        "The request's content is too large."
        "The body is over the limit of the endpoint."

    40  CredentialsMissing  "credentials_missing"    401 ""
        "This address needs a login and the request carried none. Log in, or send your credentials with the request."
        "The route requires credentials and none of the accepted schemes was present. A proxy may have dropped the Authorization field."
    41  CredentialsMalformed "credentials_malformed" 401 "invalid_token"
        "The credentials could not be read. Check that they were copied whole and are sent in the expected form."
        "The Authorization or X-API-Key value does not have the form of its scheme: Basic wants base64 of name:password in UTF-8, an API key has a checksum that catches typing errors."
    42  SchemeNotAccepted   "scheme_not_accepted"    401 ""
        "This address does not accept this kind of credentials. The WWW-Authenticate field lists what it accepts."
        "The client used a scheme that the route does not list. Add it to `schemes` or change the client."
    43  CredentialsInvalid  "credentials_invalid"    401 "invalid_token"
        "The user name or the password is not right. Check both, and whether Caps Lock is on."
        "Unknown user or wrong password; which of the two is not told to the client. `gatepost user show NAME` tells whether the account exists."
    44  AccountDisabled     "account_disabled"       401 "invalid_token"
        "The user name or the password is not right. Check both, and whether Caps Lock is on."
        "The password was right but the account is disabled. `gatepost user enable NAME` lets it in again."
    45  PasswordExpired     "password_expired"       401 ""
        "Your password has expired. Change it, then log in again."
        "The password was right and is older than [password] max_age. `gatepost user passwd NAME` sets a new one."
    46  FactorRequired      "factor_required"        401 "insufficient_user_authentication"
        "This address needs a second step of login. Log in again with your second factor."
        "The route asks for a factor that this login did not prove. Basic and API keys never prove one."
    47  LoginTooOld         "login_too_old"          401 "insufficient_user_authentication"
        "This address needs a recent login. Log in again."
        "The login is older than the route's login_within. Basic and API keys never count as recent."
    48  SessionUnknown      "session_unknown"        401 ""
        "You are not logged in any more. Log in again."
        "The session cookie names no session: it was ended, or belongs to another state file."
    49  SessionIdle         "session_idle"           401 ""
        "You were logged out because nothing happened for a while. Log in again."
        "The session was idle for longer than [session] idle."
    50  SessionExpired      "session_expired"        401 ""
        "Your login has expired. Log in again."
        "The session is older than [session] absolute."
    51  SessionRevoked      "session_revoked"        401 ""
        "Your login was ended. Log in again."
        "The session was revoked: by the person, by an operator, or because the password changed."
    52  ApiKeyUnknown       "api_key_unknown"        401 "invalid_token"
        "This API key is not known here. Check that it belongs to this service, or ask for a new one."
        "The key is well formed but not in the state: it was removed, or belongs to another service or environment."
    53  ApiKeyExpired       "api_key_expired"        401 "invalid_token"
        "This API key has expired. Ask for a new one."
        "The key's expiry has passed. `gatepost key issue` makes a new one."
    54  ApiKeyRevoked       "api_key_revoked"        401 "invalid_token"
        "This API key was revoked. Ask for a new one."
        "The key was revoked. `gatepost key list` shows when."
    55  TokenMalformed      "token_malformed"        401 "invalid_token"
        "The token could not be read. Get a new one and send it whole."
        "The token is not a compact JWS as RFC 7515 asks: three base64url parts of JSON without duplicate members, nothing critical that is not understood."
    56  TokenIssuer         "token_issuer"           401 "invalid_token"
        "This token does not come from an issuer that is accepted here. Get one from the right issuer."
        "`iss` is missing or equals no [[issuer]] issuer, letter by letter. A trailing slash makes a difference."
    57  TokenAlgorithm      "token_algorithm"        401 "invalid_token"
        "This token is signed in a way that is not accepted here. Get a new one from the issuer."
        "The token's `alg` is not among the issuer's `algorithms`, or no key of the issuer is for it."
    58  TokenKeyUnknown     "token_key_unknown"      401 "invalid_token"
        "This token is signed with a key that is not known here. Get a new one from the issuer."
        "The token's `kid` names no key of the issuer. After a rotation, update the key file."
    59  TokenSignature      "token_signature"        401 "invalid_token"
        "The token's signature is not right. Get a new one from the issuer."
        "No key of the issuer verifies the signature: another key or secret, another environment, or a token that was changed."
    60  TokenExpired        "token_expired"          401 "invalid_token"
        "The token has expired. Get a new one."
        "`exp` has passed, also with the leeway. If it happens at once, compare the clocks of issuer and server."
    61  TokenNotYetValid    "token_not_yet_valid"    401 "invalid_token"
        "The token is not valid yet. Check the clock of the machine that made it."
        "`nbf` or `iat` lies in the future, also with the leeway: the clocks of issuer and server differ."
    62  TokenAudience       "token_audience"         401 "invalid_token"
        "This token was made for another service. Get one for this service."
        "`aud` is missing or holds none of the issuer's `audience` values."
    63  TokenType           "token_type"             401 "invalid_token"
        "This is not the kind of token that is accepted here. Send an access token."
        "The header's `typ` is not what the issuer's `type` asks for: perhaps an ID token was sent in place of an access token."
    64  TokenClaim          "token_claim"            401 "invalid_token"
        "The token lacks something that is needed here. Get a new one from the issuer."
        "A claim is missing, has the wrong type, or holds a value that is not allowed."
    65  TokenRevoked        "token_revoked"          401 "invalid_token"
        "The token was revoked. Log in again to get a new one."
        "The token, its session or its subject was revoked."
    66  TokenBinding        "token_binding"          401 "invalid_token"
        "The token is bound to another client. Use it from where it was issued."
        "The token's `cnf` does not match the client certificate or the DPoP proof."
    67  DpopProof           "dpop_proof"             401 "invalid_dpop_proof"
        "The proof that belongs to the token is not right. Make a new one for each request."
        "The DPoP proof is missing, malformed, too old, for another request, or was seen before."
    68  DpopNonce           "dpop_nonce"             401 "use_dpop_nonce"
        "The proof must carry the nonce of this server. Repeat the request with it."
        "The DPoP proof carries no nonce or an outdated one; the answer holds the new one."

    80  RouteUnknown        "route_unknown"          403 ""
        "There is nothing to see at this address. Check it for typing errors."
        "No [[route]] matches the host and path. Add one, or set `unmatched`."
    81  MethodNotGranted    "method_not_granted"     403 ""
        "This kind of request is not allowed at this address."
        "A route matches the path but none with this method. Add it to `methods`."
    82  TlsRequired         "tls_required"           403 ""
        "This address can only be used over a secure connection. Use https."
        "The route requires TLS and the connection, or what a trusted proxy says of it, is not. Check [proxies] scheme."
    83  NetworkNotAllowed   "network_not_allowed"    403 ""
        "This address cannot be used from your network."
        "The client's address is not in the route's network list, or could not be determined. Check [proxies]."
    84  CrossSite           "cross_site"             403 ""
        "The request came from another site and was stopped. Open the page itself and try again."
        "An unsafe request with a credential that browsers add on their own came from another origin (Sec-Fetch-Site, Origin)."
    85  RoleMissing         "role_missing"           403 ""
        "You are logged in, but your account does not have the role that this needs. Ask an administrator."
        "The identity lacks a role that the route requires. `gatepost user grant NAME ROLE` gives it to a local user."
    86  ScopeMissing        "scope_missing"          403 "insufficient_scope"
        "Your token or key was not given the scope that this needs. Get one with the right scope."
        "The credential lacks a scope that the route requires. Basic and sessions carry none."
    87  PermissionMissing   "permission_missing"     403 ""
        "You are logged in, but your account may not do this. Ask an administrator."
        "None of the identity's roles gives the permission, or the API key's scopes do not cover it."
    88  ClaimMismatch       "claim_mismatch"         403 ""
        "You are logged in, but your account may not do this. Ask an administrator."
        "A claim of the token does not have the value that the route requires, or is not there."
    89  RequirementUnmet    "requirement_unmet"      403 ""
        "You are logged in, but your account may not do this. Ask an administrator."
        "The route's requirement is not met. `gatepost decide --explain` shows which part."

    100 Throttled           "throttled"              429 ""
        "Too many failed attempts. Wait as long as the Retry-After field says, then try again."
        "A failure counter of [throttle] is full: account, address, prefix or pair."

    120 KeysUnavailable     "keys_unavailable"       503 ""
        "The service cannot check logins at the moment. Try again in a minute."
        "The issuer's keys could not be loaded."
    121 StateUnavailable    "state_unavailable"      503 ""
        "The service cannot check logins at the moment. Try again in a minute."
        "The state could not be read or written. Check the file, its permissions and the disk."
    122 Overloaded          "overloaded"             503 ""
        "The service is busy. Try again in a few seconds."
        "Too many logins at once: the queue or the memory for password hashing is full."
    123 PolicyMissing       "policy_missing"         503 ""
        "The service is not set up yet. Try again later."
        "No policy is loaded."
    124 Internal            "internal"               500 ""
        "Something went wrong in the service. Try again; if it stays, tell support the id."
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

    /// A sentence for the person: what happened and what they can do.
    pub const fn person(self) -> &'static str {
        self.row().person
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
        assert_eq!(disabled.person(), wrong.person());
        assert_eq!(disabled.error_code(), wrong.error_code());
    }
}
