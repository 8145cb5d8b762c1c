//! The numbers of the reasons as constants of the header. Generated from `crate::reason`: mend that, then
//! `UPDATE=1 cargo test --lib ffi::reason`.

use super::types::gatepost_reason;

/// "allowed", status 200.
pub const GATEPOST_REASON_ALLOWED: gatepost_reason = 1;
/// "public", status 200.
pub const GATEPOST_REASON_PUBLIC: gatepost_reason = 2;
/// "anonymous", status 200.
pub const GATEPOST_REASON_ANONYMOUS: gatepost_reason = 3;
/// "preflight", status 200.
pub const GATEPOST_REASON_PREFLIGHT: gatepost_reason = 4;
/// "passed", status 200.
pub const GATEPOST_REASON_PASSED: gatepost_reason = 5;
/// "endpoint", status 200.
pub const GATEPOST_REASON_ENDPOINT: gatepost_reason = 6;
/// "login_redirect", status 303.
pub const GATEPOST_REASON_LOGIN_REDIRECT: gatepost_reason = 7;
/// "request_malformed", status 400.
pub const GATEPOST_REASON_REQUEST_MALFORMED: gatepost_reason = 20;
/// "target_ambiguous", status 400.
pub const GATEPOST_REASON_TARGET_AMBIGUOUS: gatepost_reason = 21;
/// "credentials_ambiguous", status 400.
pub const GATEPOST_REASON_CREDENTIALS_AMBIGUOUS: gatepost_reason = 22;
/// "request_too_large", status 431.
pub const GATEPOST_REASON_REQUEST_TOO_LARGE: gatepost_reason = 23;
/// "content_too_large", status 413.
pub const GATEPOST_REASON_CONTENT_TOO_LARGE: gatepost_reason = 24;
/// "credentials_missing", status 401.
pub const GATEPOST_REASON_CREDENTIALS_MISSING: gatepost_reason = 40;
/// "credentials_malformed", status 401.
pub const GATEPOST_REASON_CREDENTIALS_MALFORMED: gatepost_reason = 41;
/// "scheme_not_accepted", status 401.
pub const GATEPOST_REASON_SCHEME_NOT_ACCEPTED: gatepost_reason = 42;
/// "credentials_invalid", status 401.
pub const GATEPOST_REASON_CREDENTIALS_INVALID: gatepost_reason = 43;
/// "account_disabled", status 401.
pub const GATEPOST_REASON_ACCOUNT_DISABLED: gatepost_reason = 44;
/// "password_expired", status 401.
pub const GATEPOST_REASON_PASSWORD_EXPIRED: gatepost_reason = 45;
/// "factor_required", status 401.
pub const GATEPOST_REASON_FACTOR_REQUIRED: gatepost_reason = 46;
/// "login_too_old", status 401.
pub const GATEPOST_REASON_LOGIN_TOO_OLD: gatepost_reason = 47;
/// "session_unknown", status 401.
pub const GATEPOST_REASON_SESSION_UNKNOWN: gatepost_reason = 48;
/// "session_idle", status 401.
pub const GATEPOST_REASON_SESSION_IDLE: gatepost_reason = 49;
/// "session_expired", status 401.
pub const GATEPOST_REASON_SESSION_EXPIRED: gatepost_reason = 50;
/// "session_revoked", status 401.
pub const GATEPOST_REASON_SESSION_REVOKED: gatepost_reason = 51;
/// "api_key_unknown", status 401.
pub const GATEPOST_REASON_API_KEY_UNKNOWN: gatepost_reason = 52;
/// "api_key_expired", status 401.
pub const GATEPOST_REASON_API_KEY_EXPIRED: gatepost_reason = 53;
/// "api_key_revoked", status 401.
pub const GATEPOST_REASON_API_KEY_REVOKED: gatepost_reason = 54;
/// "token_malformed", status 401.
pub const GATEPOST_REASON_TOKEN_MALFORMED: gatepost_reason = 55;
/// "token_issuer", status 401.
pub const GATEPOST_REASON_TOKEN_ISSUER: gatepost_reason = 56;
/// "token_algorithm", status 401.
pub const GATEPOST_REASON_TOKEN_ALGORITHM: gatepost_reason = 57;
/// "token_key_unknown", status 401.
pub const GATEPOST_REASON_TOKEN_KEY_UNKNOWN: gatepost_reason = 58;
/// "token_signature", status 401.
pub const GATEPOST_REASON_TOKEN_SIGNATURE: gatepost_reason = 59;
/// "token_expired", status 401.
pub const GATEPOST_REASON_TOKEN_EXPIRED: gatepost_reason = 60;
/// "token_not_yet_valid", status 401.
pub const GATEPOST_REASON_TOKEN_NOT_YET_VALID: gatepost_reason = 61;
/// "token_audience", status 401.
pub const GATEPOST_REASON_TOKEN_AUDIENCE: gatepost_reason = 62;
/// "token_type", status 401.
pub const GATEPOST_REASON_TOKEN_TYPE: gatepost_reason = 63;
/// "token_claim", status 401.
pub const GATEPOST_REASON_TOKEN_CLAIM: gatepost_reason = 64;
/// "token_revoked", status 401.
pub const GATEPOST_REASON_TOKEN_REVOKED: gatepost_reason = 65;
/// "token_binding", status 401.
pub const GATEPOST_REASON_TOKEN_BINDING: gatepost_reason = 66;
/// "dpop_proof", status 401.
pub const GATEPOST_REASON_DPOP_PROOF: gatepost_reason = 67;
/// "dpop_nonce", status 401.
pub const GATEPOST_REASON_DPOP_NONCE: gatepost_reason = 68;
/// "route_unknown", status 403.
pub const GATEPOST_REASON_ROUTE_UNKNOWN: gatepost_reason = 80;
/// "method_not_granted", status 403.
pub const GATEPOST_REASON_METHOD_NOT_GRANTED: gatepost_reason = 81;
/// "tls_required", status 403.
pub const GATEPOST_REASON_TLS_REQUIRED: gatepost_reason = 82;
/// "network_not_allowed", status 403.
pub const GATEPOST_REASON_NETWORK_NOT_ALLOWED: gatepost_reason = 83;
/// "cross_site", status 403.
pub const GATEPOST_REASON_CROSS_SITE: gatepost_reason = 84;
/// "role_missing", status 403.
pub const GATEPOST_REASON_ROLE_MISSING: gatepost_reason = 85;
/// "scope_missing", status 403.
pub const GATEPOST_REASON_SCOPE_MISSING: gatepost_reason = 86;
/// "permission_missing", status 403.
pub const GATEPOST_REASON_PERMISSION_MISSING: gatepost_reason = 87;
/// "claim_mismatch", status 403.
pub const GATEPOST_REASON_CLAIM_MISMATCH: gatepost_reason = 88;
/// "requirement_unmet", status 403.
pub const GATEPOST_REASON_REQUIREMENT_UNMET: gatepost_reason = 89;
/// "throttled", status 429.
pub const GATEPOST_REASON_THROTTLED: gatepost_reason = 100;
/// "keys_unavailable", status 503.
pub const GATEPOST_REASON_KEYS_UNAVAILABLE: gatepost_reason = 120;
/// "state_unavailable", status 503.
pub const GATEPOST_REASON_STATE_UNAVAILABLE: gatepost_reason = 121;
/// "overloaded", status 503.
pub const GATEPOST_REASON_OVERLOADED: gatepost_reason = 122;
/// "policy_missing", status 503.
pub const GATEPOST_REASON_POLICY_MISSING: gatepost_reason = 123;
/// "internal", status 500.
pub const GATEPOST_REASON_INTERNAL: gatepost_reason = 124;
