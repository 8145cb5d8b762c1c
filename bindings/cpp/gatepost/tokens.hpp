/// \file
/// Tokens outside of requests: verified, issued, refreshed, revoked.
#ifndef GATEPOST_TOKENS_HPP
#define GATEPOST_TOKENS_HPP

#include "decision.hpp"
#include "text.hpp"

#include <chrono>
#include <vector>

namespace gatepost {

class Verified;

namespace detail {

template <>
inline constexpr bool says_no<Verified> = true;

/// Strings as an array of the C interface. It borrows.
class StringArray {
public:
    explicit StringArray(const std::vector<Text>& from) {
        strings_.reserve(from.size());
        for (const Text text : from) {
            strings_.push_back(str(text.view()));
        }
    }
    [[nodiscard]] const gatepost_str* data() const noexcept { return strings_.empty() ? nullptr : strings_.data(); }
    [[nodiscard]] std::size_t size() const noexcept { return strings_.size(); }

private:
    std::vector<gatepost_str> strings_;
};

}  // namespace detail

/// What the engine says of a token. It outlives reload and end of the engine; it is the truth of the moment at which it
/// was asked for, and no longer. What it hands out lives as long as it does.
class Verified {
public:
    /// Takes over what the C interface handed out.
    /// \param owned ended by this object
    explicit Verified(gatepost_verified* owned) noexcept : handle_(owned), view_(refused()) {
        auto view = detail::sized<gatepost_token_view>();
        if (gatepost_verified_view(owned, &view) == GATEPOST_OK) {
            view_ = view;
        }
    }
    Verified(const Verified&) = delete;
    Verified& operator=(const Verified&) = delete;
    /// \param other counts as refused afterwards
    Verified(Verified&& other) noexcept : handle_(std::move(other.handle_)), view_(other.view_) {
        other.view_ = refused();
    }
    /// \param other counts as refused afterwards
    /// \returns itself
    Verified& operator=(Verified&& other) noexcept {
        if (this != &other) {
            handle_ = std::move(other.handle_);
            view_ = other.view_;
            other.view_ = refused();
        }
        return *this;
    }
    ~Verified() = default;

    /// \returns whether the token is good
    [[nodiscard]] bool good() const noexcept { return view_.action == GATEPOST_ALLOW; }
    /// \returns whether the token is good
    explicit operator bool() const noexcept { return good(); }
    /// \returns the HTTP status that a request with it would get if nothing else were asked
    [[nodiscard]] unsigned status() const noexcept { return view_.status; }
    /// \returns why
    [[nodiscard]] Reason reason() const noexcept { return static_cast<Reason>(view_.reason); }
    /// \returns the stable name of the reason
    [[nodiscard]] std::string_view reason_name() const noexcept GATEPOST_BOUND {
        return view_.reason_name.ptr == nullptr ? name_of(reason()) : detail::view(view_.reason_name);
    }
    /// \returns for the operator: what was seen and what was wanted; empty where it is good
    [[nodiscard]] std::string_view detail() const noexcept GATEPOST_BOUND {
        return gatepost::detail::view(view_.detail);
    }
    /// \returns for whom it stands; empty where it is not good
    [[nodiscard]] std::string_view subject() const noexcept GATEPOST_BOUND {
        return gatepost::detail::view(view_.subject);
    }
    /// \returns whose subject that is; empty for local users
    [[nodiscard]] std::string_view issuer() const noexcept GATEPOST_BOUND {
        return gatepost::detail::view(view_.issuer);
    }
    /// \returns the roles of whom it stands for
    [[nodiscard]] std::vector<std::string> roles() const {
        return gatepost::detail::taken_apart(gatepost::detail::view(view_.roles), ',');
    }
    /// \returns its scopes
    [[nodiscard]] std::vector<std::string> scopes() const {
        return gatepost::detail::taken_apart(gatepost::detail::view(view_.scopes), ' ');
    }
    /// \returns all claims as they were sent, a JSON object; empty where it is not good
    [[nodiscard]] std::string_view claims() const noexcept GATEPOST_BOUND {
        return gatepost::detail::view(view_.claims);
    }
    /// \returns the policy's name of the issuer, where the signature and the claims are right
    [[nodiscard]] std::string_view issuer_name() const noexcept GATEPOST_BOUND {
        return gatepost::detail::view(view_.issuer_name);
    }
    /// \returns "jti", likewise
    [[nodiscard]] std::string_view token_id() const noexcept GATEPOST_BOUND {
        return gatepost::detail::view(view_.token_id);
    }
    /// \returns "sid", likewise
    [[nodiscard]] std::string_view session_id() const noexcept GATEPOST_BOUND {
        return gatepost::detail::view(view_.session_id);
    }
    /// \returns "iat" in Unix seconds, likewise; 0: not said
    [[nodiscard]] std::int64_t issued_at() const noexcept { return view_.issued_at; }
    /// \returns "exp" in Unix seconds; 0 where it is not good
    [[nodiscard]] std::int64_t expires_at() const noexcept { return view_.expires_at; }

private:
    static gatepost_token_view refused() noexcept {
        auto view = gatepost::detail::sized<gatepost_token_view>();
        view.action = GATEPOST_DENY;
        view.status = 500;
        view.reason = GATEPOST_REASON_INTERNAL;
        return view;
    }
    gatepost::detail::Owned<gatepost_verified, gatepost_verified_free> handle_;
    gatepost_token_view view_;
};

/// What a token is asked for with. Its strings are borrowed for the call.
struct TokenRequest {
    /// Name of the [[signer]]; empty: the policy's only one.
    Text signer{};
    /// The local user that the token is for.
    Text user{};
    /// Who asks for it (OAuth client_id); empty: nobody in particular.
    Text client_id{};
    /// The host's own name for the session (claim sid); empty: one is drawn where there is a refresh token.
    Text session{};
    /// Further claims as a JSON object, up to 4 KiB; empty: none.
    Text claims{};
    /// Scopes.
    std::vector<Text> scopes{};
    /// Some of the signer's audience; none: all of it.
    std::vector<Text> audience{};
    /// By which factors the user proved who they are (claim amr, RFC 8176).
    std::vector<Text> factors{};
    /// How long it lasts, at most what the policy says; 0: that.
    std::chrono::seconds lifetime{0};
    /// When the user proved who they are (claim auth_time), Unix seconds; 0: not known.
    std::int64_t authenticated_at = 0;
    /// Unix seconds to issue it at; 0: the engine's clock.
    std::int64_t now = 0;
    /// A refresh token is wanted too. The signer must give such.
    bool refresh = false;
};

/// A refresh token that is handed in. Its strings are borrowed for the call.
struct RefreshRequest {
    /// The refresh token, as it was sent.
    Text token{};
    /// Who hands it in: the client_id that it was issued with.
    Text client_id{};
    /// Fewer scopes than the login has; none: all of them.
    std::vector<Text> scopes{};
    /// Unix seconds; 0: the engine's clock.
    std::int64_t now = 0;
};

/// Tokens just issued. Overwritten when it ends; what was issued stays good. What it hands out lives as long as it does.
class Tokens {
public:
    /// Takes over what the C interface handed out.
    /// \param owned ended by this object
    explicit Tokens(gatepost_tokens* owned) noexcept : handle_(owned), view_(detail::sized<gatepost_issued>()) {
        auto view = detail::sized<gatepost_issued>();
        if (gatepost_tokens_view(owned, &view) == GATEPOST_OK) {
            view_ = view;
        }
    }
    Tokens(const Tokens&) = delete;
    Tokens& operator=(const Tokens&) = delete;
    /// \param other empty afterwards
    Tokens(Tokens&& other) noexcept : handle_(std::move(other.handle_)), view_(other.view_) {
        other.view_ = detail::sized<gatepost_issued>();
    }
    /// \param other empty afterwards
    /// \returns itself
    Tokens& operator=(Tokens&& other) noexcept {
        if (this != &other) {
            handle_ = std::move(other.handle_);
            view_ = other.view_;
            other.view_ = detail::sized<gatepost_issued>();
        }
        return *this;
    }
    ~Tokens() = default;

    /// \returns the access token: a JWT as RFC 9068 has it
    [[nodiscard]] std::string_view access_token() const noexcept GATEPOST_BOUND {
        return detail::view(view_.access_token);
    }
    /// \returns the refresh token; empty: none
    [[nodiscard]] std::string_view refresh_token() const noexcept GATEPOST_BOUND {
        return detail::view(view_.refresh_token);
    }
    /// \returns scopes of the access token, joined by a space
    [[nodiscard]] std::string_view scope() const noexcept GATEPOST_BOUND { return detail::view(view_.scope); }
    /// \returns the user, in the canonical spelling
    [[nodiscard]] std::string_view user() const noexcept GATEPOST_BOUND { return detail::view(view_.user); }
    /// \returns claim sid; empty: none
    [[nodiscard]] std::string_view session() const noexcept GATEPOST_BOUND { return detail::view(view_.session); }
    /// \returns claim jti
    [[nodiscard]] std::string_view token_id() const noexcept GATEPOST_BOUND { return detail::view(view_.token_id); }
    /// \returns the answer of an OAuth token endpoint as JSON, to be sent with Cache-Control: no-store
    [[nodiscard]] std::string_view json() const noexcept GATEPOST_BOUND { return detail::view(view_.json); }
    /// \returns time to the end of the access token
    [[nodiscard]] std::chrono::seconds expires_in() const noexcept { return std::chrono::seconds(view_.expires_in); }
    /// \returns the end of the access token, Unix seconds
    [[nodiscard]] std::int64_t expires_at() const noexcept { return view_.expires_at; }
    /// \returns the end of the last refresh token of this login, Unix seconds; 0: there is none
    [[nodiscard]] std::int64_t refresh_expires_at() const noexcept { return view_.refresh_expires_at; }

private:
    detail::Owned<gatepost_tokens, gatepost_tokens_free> handle_;
    gatepost_issued view_;
};

/// What is to be revoked: one of the ways to name it. It borrows.
class Revocation {
public:
    /// \param token its signature must be right; it may have expired
    /// \returns the revocation of that token
    static Revocation of_token(Text token) noexcept { return make(&gatepost_revocation::token, token, {}); }
    /// \param issuer the issuer's name in the policy, or its URL
    /// \param id the token's "jti"
    /// \returns the revocation of that token
    static Revocation of_token_id(Text issuer, Text id) noexcept {
        return make(&gatepost_revocation::token_id, id, issuer);
    }
    /// \param issuer the issuer's name in the policy, or its URL
    /// \param id the session's "sid"
    /// \returns the revocation of the session's tokens
    static Revocation of_session(Text issuer, Text id) noexcept {
        return make(&gatepost_revocation::session_id, id, issuer);
    }
    /// \param issuer the issuer's name in the policy, or its URL
    /// \param subject "sub" of the tokens
    /// \returns the revocation of the tokens of that person
    static Revocation of_subject(Text issuer, Text subject) noexcept {
        return make(&gatepost_revocation::subject, subject, issuer);
    }
    /// \param user a local user
    /// \returns the revocation of that user's tokens, by every issuer whose subjects are local users
    static Revocation of_user(Text user) noexcept { return make(&gatepost_revocation::user, user, {}); }

    /// \param seconds those issued before; 0: all that were issued until now. Only of a subject or user.
    /// \returns itself
    Revocation& before(std::int64_t seconds) noexcept {
        raw_.before = seconds;
        return *this;
    }
    /// \param seconds by when all these tokens have expired, so that the entry may be forgotten; 0: not known
    /// \returns itself
    Revocation& until(std::int64_t seconds) noexcept {
        raw_.until = seconds;
        return *this;
    }
    /// \returns what is handed to the C interface
    [[nodiscard]] const gatepost_revocation& raw() const noexcept { return raw_; }

private:
    static Revocation make(gatepost_str gatepost_revocation::*what, Text value, Text issuer) noexcept {
        Revocation made;
        made.raw_.*what = detail::str(value.view());
        made.raw_.issuer = detail::str(issuer.view());
        return made;
    }
    Revocation() noexcept : raw_(detail::sized<gatepost_revocation>()) {}
    gatepost_revocation raw_;
};

}  // namespace gatepost

#endif
