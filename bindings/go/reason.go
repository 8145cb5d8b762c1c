package gatepost

// #include "shim.h"
import "C"

// Reason says why a decision came out as it did. It is an error, so that errors.Is(decision.Err(),
// gatepost.ReasonRoleMissing) works.
type Reason uint32

// Error is the stable name of the reason.
func (r Reason) Error() string {
	return r.String()
}

// String is the stable name of the reason, like "credentials_missing": for logs and for comparing. It is empty for a
// number that is no reason of this release.
func (r Reason) String() string {
	return static(C.gatepost_reason_name(C.gatepost_reason(r)))
}

// Status is the HTTP status that goes with the reason; 500 for a number that is no reason of this release.
func (r Reason) Status() int {
	return int(C.gatepost_reason_status(C.gatepost_reason(r)))
}

// Audience is for whom a sentence is.
type Audience uint32

const (
	// Person is who was refused: the sentence gives nothing away that helps an attacker.
	Person Audience = C.GATEPOST_AUDIENCE_PERSON
	// Operator reads what to check and change. Never for the client.
	Operator Audience = C.GATEPOST_AUDIENCE_OPERATOR
)

// Text is the sentence that goes with the reason, in English.
func (r Reason) Text(audience Audience) string {
	return static(C.gatepost_reason_text(C.gatepost_reason(r), C.uint32_t(audience)))
}

// The reasons, with the HTTP status of each. Later releases add others; docs/REASONS.md says what to check.
const (
	// ReasonAllowed: "allowed", status 200.
	ReasonAllowed Reason = C.GATEPOST_REASON_ALLOWED
	// ReasonPublic: "public", status 200.
	ReasonPublic Reason = C.GATEPOST_REASON_PUBLIC
	// ReasonAnonymous: "anonymous", status 200.
	ReasonAnonymous Reason = C.GATEPOST_REASON_ANONYMOUS
	// ReasonPreflight: "preflight", status 200.
	ReasonPreflight Reason = C.GATEPOST_REASON_PREFLIGHT
	// ReasonPassed: "passed", status 200.
	ReasonPassed Reason = C.GATEPOST_REASON_PASSED
	// ReasonEndpoint: "endpoint", status 200.
	ReasonEndpoint Reason = C.GATEPOST_REASON_ENDPOINT
	// ReasonLoginRedirect: "login_redirect", status 303.
	ReasonLoginRedirect Reason = C.GATEPOST_REASON_LOGIN_REDIRECT
	// ReasonRequestMalformed: "request_malformed", status 400.
	ReasonRequestMalformed Reason = C.GATEPOST_REASON_REQUEST_MALFORMED
	// ReasonTargetAmbiguous: "target_ambiguous", status 400.
	ReasonTargetAmbiguous Reason = C.GATEPOST_REASON_TARGET_AMBIGUOUS
	// ReasonCredentialsAmbiguous: "credentials_ambiguous", status 400.
	ReasonCredentialsAmbiguous Reason = C.GATEPOST_REASON_CREDENTIALS_AMBIGUOUS
	// ReasonRequestTooLarge: "request_too_large", status 431.
	ReasonRequestTooLarge Reason = C.GATEPOST_REASON_REQUEST_TOO_LARGE
	// ReasonContentTooLarge: "content_too_large", status 413.
	ReasonContentTooLarge Reason = C.GATEPOST_REASON_CONTENT_TOO_LARGE
	// ReasonCredentialsMissing: "credentials_missing", status 401.
	ReasonCredentialsMissing Reason = C.GATEPOST_REASON_CREDENTIALS_MISSING
	// ReasonCredentialsMalformed: "credentials_malformed", status 401.
	ReasonCredentialsMalformed Reason = C.GATEPOST_REASON_CREDENTIALS_MALFORMED
	// ReasonSchemeNotAccepted: "scheme_not_accepted", status 401.
	ReasonSchemeNotAccepted Reason = C.GATEPOST_REASON_SCHEME_NOT_ACCEPTED
	// ReasonCredentialsInvalid: "credentials_invalid", status 401.
	ReasonCredentialsInvalid Reason = C.GATEPOST_REASON_CREDENTIALS_INVALID
	// ReasonAccountDisabled: "account_disabled", status 401.
	ReasonAccountDisabled Reason = C.GATEPOST_REASON_ACCOUNT_DISABLED
	// ReasonPasswordExpired: "password_expired", status 401.
	ReasonPasswordExpired Reason = C.GATEPOST_REASON_PASSWORD_EXPIRED
	// ReasonFactorRequired: "factor_required", status 401.
	ReasonFactorRequired Reason = C.GATEPOST_REASON_FACTOR_REQUIRED
	// ReasonLoginTooOld: "login_too_old", status 401.
	ReasonLoginTooOld Reason = C.GATEPOST_REASON_LOGIN_TOO_OLD
	// ReasonSessionUnknown: "session_unknown", status 401.
	ReasonSessionUnknown Reason = C.GATEPOST_REASON_SESSION_UNKNOWN
	// ReasonSessionIdle: "session_idle", status 401.
	ReasonSessionIdle Reason = C.GATEPOST_REASON_SESSION_IDLE
	// ReasonSessionExpired: "session_expired", status 401.
	ReasonSessionExpired Reason = C.GATEPOST_REASON_SESSION_EXPIRED
	// ReasonSessionRevoked: "session_revoked", status 401.
	ReasonSessionRevoked Reason = C.GATEPOST_REASON_SESSION_REVOKED
	// ReasonAPIKeyUnknown: "api_key_unknown", status 401.
	ReasonAPIKeyUnknown Reason = C.GATEPOST_REASON_API_KEY_UNKNOWN
	// ReasonAPIKeyExpired: "api_key_expired", status 401.
	ReasonAPIKeyExpired Reason = C.GATEPOST_REASON_API_KEY_EXPIRED
	// ReasonAPIKeyRevoked: "api_key_revoked", status 401.
	ReasonAPIKeyRevoked Reason = C.GATEPOST_REASON_API_KEY_REVOKED
	// ReasonTokenMalformed: "token_malformed", status 401.
	ReasonTokenMalformed Reason = C.GATEPOST_REASON_TOKEN_MALFORMED
	// ReasonTokenIssuer: "token_issuer", status 401.
	ReasonTokenIssuer Reason = C.GATEPOST_REASON_TOKEN_ISSUER
	// ReasonTokenAlgorithm: "token_algorithm", status 401.
	ReasonTokenAlgorithm Reason = C.GATEPOST_REASON_TOKEN_ALGORITHM
	// ReasonTokenKeyUnknown: "token_key_unknown", status 401.
	ReasonTokenKeyUnknown Reason = C.GATEPOST_REASON_TOKEN_KEY_UNKNOWN
	// ReasonTokenSignature: "token_signature", status 401.
	ReasonTokenSignature Reason = C.GATEPOST_REASON_TOKEN_SIGNATURE
	// ReasonTokenExpired: "token_expired", status 401.
	ReasonTokenExpired Reason = C.GATEPOST_REASON_TOKEN_EXPIRED
	// ReasonTokenNotYetValid: "token_not_yet_valid", status 401.
	ReasonTokenNotYetValid Reason = C.GATEPOST_REASON_TOKEN_NOT_YET_VALID
	// ReasonTokenAudience: "token_audience", status 401.
	ReasonTokenAudience Reason = C.GATEPOST_REASON_TOKEN_AUDIENCE
	// ReasonTokenType: "token_type", status 401.
	ReasonTokenType Reason = C.GATEPOST_REASON_TOKEN_TYPE
	// ReasonTokenClaim: "token_claim", status 401.
	ReasonTokenClaim Reason = C.GATEPOST_REASON_TOKEN_CLAIM
	// ReasonTokenRevoked: "token_revoked", status 401.
	ReasonTokenRevoked Reason = C.GATEPOST_REASON_TOKEN_REVOKED
	// ReasonTokenBinding: "token_binding", status 401.
	ReasonTokenBinding Reason = C.GATEPOST_REASON_TOKEN_BINDING
	// ReasonDPoPProof: "dpop_proof", status 401.
	ReasonDPoPProof Reason = C.GATEPOST_REASON_DPOP_PROOF
	// ReasonDPoPNonce: "dpop_nonce", status 401.
	ReasonDPoPNonce Reason = C.GATEPOST_REASON_DPOP_NONCE
	// ReasonRouteUnknown: "route_unknown", status 403.
	ReasonRouteUnknown Reason = C.GATEPOST_REASON_ROUTE_UNKNOWN
	// ReasonMethodNotGranted: "method_not_granted", status 403.
	ReasonMethodNotGranted Reason = C.GATEPOST_REASON_METHOD_NOT_GRANTED
	// ReasonTLSRequired: "tls_required", status 403.
	ReasonTLSRequired Reason = C.GATEPOST_REASON_TLS_REQUIRED
	// ReasonNetworkNotAllowed: "network_not_allowed", status 403.
	ReasonNetworkNotAllowed Reason = C.GATEPOST_REASON_NETWORK_NOT_ALLOWED
	// ReasonCrossSite: "cross_site", status 403.
	ReasonCrossSite Reason = C.GATEPOST_REASON_CROSS_SITE
	// ReasonRoleMissing: "role_missing", status 403.
	ReasonRoleMissing Reason = C.GATEPOST_REASON_ROLE_MISSING
	// ReasonScopeMissing: "scope_missing", status 403.
	ReasonScopeMissing Reason = C.GATEPOST_REASON_SCOPE_MISSING
	// ReasonPermissionMissing: "permission_missing", status 403.
	ReasonPermissionMissing Reason = C.GATEPOST_REASON_PERMISSION_MISSING
	// ReasonClaimMismatch: "claim_mismatch", status 403.
	ReasonClaimMismatch Reason = C.GATEPOST_REASON_CLAIM_MISMATCH
	// ReasonRequirementUnmet: "requirement_unmet", status 403.
	ReasonRequirementUnmet Reason = C.GATEPOST_REASON_REQUIREMENT_UNMET
	// ReasonThrottled: "throttled", status 429.
	ReasonThrottled Reason = C.GATEPOST_REASON_THROTTLED
	// ReasonKeysUnavailable: "keys_unavailable", status 503.
	ReasonKeysUnavailable Reason = C.GATEPOST_REASON_KEYS_UNAVAILABLE
	// ReasonStateUnavailable: "state_unavailable", status 503.
	ReasonStateUnavailable Reason = C.GATEPOST_REASON_STATE_UNAVAILABLE
	// ReasonOverloaded: "overloaded", status 503.
	ReasonOverloaded Reason = C.GATEPOST_REASON_OVERLOADED
	// ReasonPolicyMissing: "policy_missing", status 503.
	ReasonPolicyMissing Reason = C.GATEPOST_REASON_POLICY_MISSING
	// ReasonInternal: "internal", status 500.
	ReasonInternal Reason = C.GATEPOST_REASON_INTERNAL
)
