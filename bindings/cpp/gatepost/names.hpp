/// \file
/// The numbers of the C interface as enumerations, with their texts. Later releases append numbers: an Action that you
/// do not know means Action::deny, a Status that you do not know is an error.
#ifndef GATEPOST_NAMES_HPP
#define GATEPOST_NAMES_HPP

#include "handle.hpp"

#include <iosfwd>

namespace gatepost {

/// How a call ended.
enum class Status : gatepost_status {
    /// Done. A refusal is GATEPOST_OK too, with a decision that says so.
    ok = GATEPOST_OK,
    /// Slow work is left: run the job, then finish it.
    pending = GATEPOST_PENDING,
    /// Call again with the body. Reserved: no call answers it yet.
    need_body = GATEPOST_NEED_BODY,
    /// An argument breaks the rules of this header: NULL, a wrong handle, a length without a pointer, a struct
    /// too short.
    invalid_argument = GATEPOST_ERR_INVALID_ARGUMENT,
    /// The caller asks for something that this release does not know: a flag, or a field past the end of its
    /// structs.
    unsupported = GATEPOST_ERR_UNSUPPORTED,
    /// gatepost_engine_start was not called in this process.
    not_started = GATEPOST_ERR_NOT_STARTED,
    /// The policy does not load; the error object says all that is wrong with it.
    policy = GATEPOST_ERR_POLICY,
    /// The state cannot be opened, read or written.
    state = GATEPOST_ERR_STATE,
    /// Memory ran out.
    no_memory = GATEPOST_ERR_NO_MEMORY,
    /// No room to work on it now; try again later.
    overloaded = GATEPOST_ERR_OVERLOADED,
    /// The job was cancelled, or its pool was freed.
    cancelled = GATEPOST_ERR_CANCELLED,
    /// gatepost_job_finish came before gatepost_job_run had returned.
    not_run = GATEPOST_ERR_NOT_RUN,
    /// It exists already, does not exist, or was done before.
    conflict = GATEPOST_ERR_CONFLICT,
    /// The operating system refused something.
    system = GATEPOST_ERR_SYSTEM,
    /// A panic was caught: a fault in the library that ended this call alone. Please report it.
    panic = GATEPOST_ERR_PANIC,
    /// Another fault in the library. Please report it.
    internal = GATEPOST_ERR_INTERNAL,
    /// A credential that was handed in is not taken; the error object says why, which is for the log and not
    /// for the client.
    refused = GATEPOST_ERR_REFUSED,
};

/// What the host does with a request.
enum class Action : gatepost_action {
    /// Refuse: send the decision's status, headers and body.
    deny = GATEPOST_DENY,
    /// Let it through: strip the headers to strip, apply the headers for the application.
    allow = GATEPOST_ALLOW,
    /// The engine answers this request itself: send status, headers and body.
    respond = GATEPOST_RESPOND,
    /// Not ours: the host's own default holds. Strip the headers to strip all the same.
    pass = GATEPOST_PASS,
};

/// How a header field is applied.
enum class HeaderMode : std::uint32_t {
    /// Replace all fields of that name.
    set = GATEPOST_HEADER_SET,
    /// Add one more field of that name.
    append = GATEPOST_HEADER_APPEND,
    /// Add it only where no field of that name is there.
    set_if_absent = GATEPOST_HEADER_SET_IF_ABSENT,
};

/// For whom a sentence is.
enum class Audience : std::uint32_t {
    /// The person who was refused. Gives nothing away that helps an attacker.
    person = GATEPOST_AUDIENCE_PERSON,
    /// The operator, who reads what to check and change. Never for the client.
    operator_ = GATEPOST_AUDIENCE_OPERATOR,
};

/// How much an event asks for attention.
enum class Severity : gatepost_severity {
    /// All is well.
    info = GATEPOST_INFO,
    /// Somebody was refused, or something was changed.
    notice = GATEPOST_NOTICE,
    /// Somebody may be trying to get in, or something was given up.
    warning = GATEPOST_WARNING,
    /// Something does not work.
    error = GATEPOST_ERROR,
};

/// Why. The names are those of docs/REASONS.md.
enum class Reason : gatepost_reason {
    /// None: what an event says that is about no decision.
    none = 0,
    /// HTTP status 200.
    allowed = GATEPOST_REASON_ALLOWED,
    /// HTTP status 200.
    public_ = GATEPOST_REASON_PUBLIC,
    /// HTTP status 200.
    anonymous = GATEPOST_REASON_ANONYMOUS,
    /// HTTP status 200.
    preflight = GATEPOST_REASON_PREFLIGHT,
    /// HTTP status 200.
    passed = GATEPOST_REASON_PASSED,
    /// HTTP status 200.
    endpoint = GATEPOST_REASON_ENDPOINT,
    /// HTTP status 303.
    login_redirect = GATEPOST_REASON_LOGIN_REDIRECT,
    /// HTTP status 400.
    request_malformed = GATEPOST_REASON_REQUEST_MALFORMED,
    /// HTTP status 400.
    target_ambiguous = GATEPOST_REASON_TARGET_AMBIGUOUS,
    /// HTTP status 400.
    credentials_ambiguous = GATEPOST_REASON_CREDENTIALS_AMBIGUOUS,
    /// HTTP status 431.
    request_too_large = GATEPOST_REASON_REQUEST_TOO_LARGE,
    /// HTTP status 413.
    content_too_large = GATEPOST_REASON_CONTENT_TOO_LARGE,
    /// HTTP status 401.
    credentials_missing = GATEPOST_REASON_CREDENTIALS_MISSING,
    /// HTTP status 401.
    credentials_malformed = GATEPOST_REASON_CREDENTIALS_MALFORMED,
    /// HTTP status 401.
    scheme_not_accepted = GATEPOST_REASON_SCHEME_NOT_ACCEPTED,
    /// HTTP status 401.
    credentials_invalid = GATEPOST_REASON_CREDENTIALS_INVALID,
    /// HTTP status 401.
    account_disabled = GATEPOST_REASON_ACCOUNT_DISABLED,
    /// HTTP status 401.
    password_expired = GATEPOST_REASON_PASSWORD_EXPIRED,
    /// HTTP status 401.
    factor_required = GATEPOST_REASON_FACTOR_REQUIRED,
    /// HTTP status 401.
    login_too_old = GATEPOST_REASON_LOGIN_TOO_OLD,
    /// HTTP status 401.
    session_unknown = GATEPOST_REASON_SESSION_UNKNOWN,
    /// HTTP status 401.
    session_idle = GATEPOST_REASON_SESSION_IDLE,
    /// HTTP status 401.
    session_expired = GATEPOST_REASON_SESSION_EXPIRED,
    /// HTTP status 401.
    session_revoked = GATEPOST_REASON_SESSION_REVOKED,
    /// HTTP status 401.
    api_key_unknown = GATEPOST_REASON_API_KEY_UNKNOWN,
    /// HTTP status 401.
    api_key_expired = GATEPOST_REASON_API_KEY_EXPIRED,
    /// HTTP status 401.
    api_key_revoked = GATEPOST_REASON_API_KEY_REVOKED,
    /// HTTP status 401.
    token_malformed = GATEPOST_REASON_TOKEN_MALFORMED,
    /// HTTP status 401.
    token_issuer = GATEPOST_REASON_TOKEN_ISSUER,
    /// HTTP status 401.
    token_algorithm = GATEPOST_REASON_TOKEN_ALGORITHM,
    /// HTTP status 401.
    token_key_unknown = GATEPOST_REASON_TOKEN_KEY_UNKNOWN,
    /// HTTP status 401.
    token_signature = GATEPOST_REASON_TOKEN_SIGNATURE,
    /// HTTP status 401.
    token_expired = GATEPOST_REASON_TOKEN_EXPIRED,
    /// HTTP status 401.
    token_not_yet_valid = GATEPOST_REASON_TOKEN_NOT_YET_VALID,
    /// HTTP status 401.
    token_audience = GATEPOST_REASON_TOKEN_AUDIENCE,
    /// HTTP status 401.
    token_type = GATEPOST_REASON_TOKEN_TYPE,
    /// HTTP status 401.
    token_claim = GATEPOST_REASON_TOKEN_CLAIM,
    /// HTTP status 401.
    token_revoked = GATEPOST_REASON_TOKEN_REVOKED,
    /// HTTP status 401.
    token_binding = GATEPOST_REASON_TOKEN_BINDING,
    /// HTTP status 401.
    dpop_proof = GATEPOST_REASON_DPOP_PROOF,
    /// HTTP status 401.
    dpop_nonce = GATEPOST_REASON_DPOP_NONCE,
    /// HTTP status 403.
    route_unknown = GATEPOST_REASON_ROUTE_UNKNOWN,
    /// HTTP status 403.
    method_not_granted = GATEPOST_REASON_METHOD_NOT_GRANTED,
    /// HTTP status 403.
    tls_required = GATEPOST_REASON_TLS_REQUIRED,
    /// HTTP status 403.
    network_not_allowed = GATEPOST_REASON_NETWORK_NOT_ALLOWED,
    /// HTTP status 403.
    cross_site = GATEPOST_REASON_CROSS_SITE,
    /// HTTP status 403.
    role_missing = GATEPOST_REASON_ROLE_MISSING,
    /// HTTP status 403.
    scope_missing = GATEPOST_REASON_SCOPE_MISSING,
    /// HTTP status 403.
    permission_missing = GATEPOST_REASON_PERMISSION_MISSING,
    /// HTTP status 403.
    claim_mismatch = GATEPOST_REASON_CLAIM_MISMATCH,
    /// HTTP status 403.
    requirement_unmet = GATEPOST_REASON_REQUIREMENT_UNMET,
    /// HTTP status 429.
    throttled = GATEPOST_REASON_THROTTLED,
    /// HTTP status 503.
    keys_unavailable = GATEPOST_REASON_KEYS_UNAVAILABLE,
    /// HTTP status 503.
    state_unavailable = GATEPOST_REASON_STATE_UNAVAILABLE,
    /// HTTP status 503.
    overloaded = GATEPOST_REASON_OVERLOADED,
    /// HTTP status 503.
    policy_missing = GATEPOST_REASON_POLICY_MISSING,
    /// HTTP status 500.
    internal = GATEPOST_REASON_INTERNAL,
};

/// \param status how a call ended
/// \returns whether no decision, or nothing else, came of it
[[nodiscard]] constexpr bool is_error(Status status) noexcept {
    return static_cast<gatepost_status>(status) >= GATEPOST_ERR_INVALID_ARGUMENT;
}

/// \param status how a call ended
/// \returns what that means in a few words, for logs; static
[[nodiscard]] inline std::string_view text_of(Status status) noexcept {
    return detail::view(gatepost_status_text(static_cast<gatepost_status>(status)));
}

/// \param reason any
/// \returns its stable name, like "credentials_missing"; empty where this release has no such reason; static
[[nodiscard]] inline std::string_view name_of(Reason reason) noexcept {
    return detail::view(gatepost_reason_name(static_cast<gatepost_reason>(reason)));
}

/// \param reason any
/// \param audience for whom it is
/// \returns the sentence that goes with it, in English; empty where this release has no such reason; static
[[nodiscard]] inline std::string_view text_of(Reason reason, Audience audience) noexcept {
    return detail::view(
        gatepost_reason_text(static_cast<gatepost_reason>(reason), static_cast<std::uint32_t>(audience)));
}

/// \param reason any
/// \returns the HTTP status that goes with it; 500 where this release has no such reason
[[nodiscard]] inline std::uint32_t status_of(Reason reason) noexcept {
    return gatepost_reason_status(static_cast<gatepost_reason>(reason));
}

/// \param action any
/// \returns "DENY", "ALLOW", "RESPOND" or "PASS"; "DENY" for one that this release does not know; static
[[nodiscard]] constexpr std::string_view name_of(Action action) noexcept {
    switch (action) {
    case Action::allow: return "ALLOW";
    case Action::respond: return "RESPOND";
    case Action::pass: return "PASS";
    case Action::deny: break;
    }
    return "DENY";
}

/// \param mode any
/// \returns "set", "append" or "set_if_absent"; empty for one that this release does not know; static
[[nodiscard]] constexpr std::string_view name_of(HeaderMode mode) noexcept {
    switch (mode) {
    case HeaderMode::set: return "set";
    case HeaderMode::append: return "append";
    case HeaderMode::set_if_absent: return "set_if_absent";
    }
    return {};
}

/// \param audience any
/// \returns "person" or "operator"; empty for one that this release does not know; static
[[nodiscard]] constexpr std::string_view name_of(Audience audience) noexcept {
    switch (audience) {
    case Audience::person: return "person";
    case Audience::operator_: return "operator";
    }
    return {};
}

/// \param severity any
/// \returns "info", "notice", "warning" or "error"; empty for one that this release does not know; static
[[nodiscard]] constexpr std::string_view name_of(Severity severity) noexcept {
    switch (severity) {
    case Severity::info: return "info";
    case Severity::notice: return "notice";
    case Severity::warning: return "warning";
    case Severity::error: return "error";
    }
    return {};
}

namespace detail {

/// What is printed of an enumeration: its name, or its text where it has no names.
inline std::string_view printed(Status status) noexcept { return text_of(status); }
template <class Enum>
std::string_view printed(Enum value) noexcept {
    return name_of(value);
}

template <class Enum>
inline constexpr bool prints = false;
template <>
inline constexpr bool prints<Status> = true;
template <>
inline constexpr bool prints<Action> = true;
template <>
inline constexpr bool prints<HeaderMode> = true;
template <>
inline constexpr bool prints<Audience> = true;
template <>
inline constexpr bool prints<Severity> = true;
template <>
inline constexpr bool prints<Reason> = true;

}  // namespace detail

/// Prints a Status as text_of() says it, the other enumerations as name_of() does, and what this release does not know
/// as its number. A program that prints includes the header ostream itself.
/// \param out a stream
/// \param value any
/// \returns the stream
template <class Traits, class Enum, std::enable_if_t<detail::prints<Enum>, int> = 0>
std::basic_ostream<char, Traits>& operator<<(std::basic_ostream<char, Traits>& out, Enum value) {
    const std::string_view name = detail::printed(value);
    return name.empty() ? out << static_cast<std::uint32_t>(value) : out << name;
}

}  // namespace gatepost

#endif
