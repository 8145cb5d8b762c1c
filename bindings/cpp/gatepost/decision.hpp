/// \file
/// What the host gets back.
#ifndef GATEPOST_DECISION_HPP
#define GATEPOST_DECISION_HPP

#include "names.hpp"
#include "result.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace gatepost {

class Decision;

/// A header field for the host to apply.
struct Header {
    /// Its name, ended by a NUL.
    std::string_view name;
    /// Its value, ended by a NUL.
    std::string_view value;
    /// How it is applied.
    HeaderMode mode;
};

namespace detail {

struct Undecided {};

template <>
inline constexpr bool says_no<Decision> = true;

struct ReadHeader {
    Header operator()(const gatepost_header& header) const noexcept {
        return {view(header.name), view(header.value), static_cast<HeaderMode>(header.mode)};
    }
};

/// Takes apart what identity headers carry: joined by a comma or a space, with the rest percent-encoded.
inline std::vector<std::string> taken_apart(std::string_view joined, char by) {
    const auto hex = [](char digit) -> int {
        if (digit >= '0' && digit <= '9') {
            return digit - '0';
        }
        return digit >= 'A' && digit <= 'F' ? digit - 'A' + 10 : digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
    };
    std::vector<std::string> found;
    if (joined.empty()) {
        return found;
    }
    found.emplace_back();
    for (std::size_t i = 0; i < joined.size(); ++i) {
        if (joined[i] == by) {
            found.emplace_back();
        } else if (joined[i] == '%' && i + 2 < joined.size() && hex(joined[i + 1]) >= 0 && hex(joined[i + 2]) >= 0) {
            found.back().push_back(static_cast<char>(hex(joined[i + 1]) * 16 + hex(joined[i + 2])));
            i += 2;
        } else {
            found.back().push_back(joined[i]);
        }
    }
    return found;
}

}  // namespace detail

/// Header fields of a decision.
using Headers = Range<gatepost_header, detail::ReadHeader>;

/// The answer to one request. It outlives reload and end of the engine; what it hands out lives as long as it does.
///
/// One that was made without an answer, or moved away, denies: Action::deny, 500.
///
/// What the host does with it, on every action: remove the request fields named in strip() before anything else sees
/// them; then, on Action::allow, apply upstream_headers() to the request; apply response_headers() to the response. On
/// any action but Action::allow and Action::pass: send status(), response headers and body(), nothing else.
class Decision {
public:
    /// One that denies.
    Decision() noexcept : view_(denying()) {}
    /// Takes over what the C interface handed out.
    /// \param owned ended by this object; NULL gives one that denies
    explicit Decision(gatepost_decision* owned) noexcept : Decision() {
        handle_.reset(owned);
        gatepost_view view = detail::sized<gatepost_view>();
        if (gatepost_decision_view(owned, &view) == GATEPOST_OK) {
            view_ = view;
        }
    }
    Decision(const Decision&) = delete;
    Decision& operator=(const Decision&) = delete;
    /// \param other denies afterwards
    Decision(Decision&& other) noexcept : handle_(std::move(other.handle_)), view_(other.view_) {
        other.view_ = denying();
    }
    /// \param other denies afterwards
    /// \returns itself
    Decision& operator=(Decision&& other) noexcept {
        if (this != &other) {
            handle_ = std::move(other.handle_);
            view_ = other.view_;
            other.view_ = denying();
        }
        return *this;
    }
    ~Decision() = default;

    /// \returns what to do; Action::deny also for a number that this header does not know
    [[nodiscard]] Action action() const noexcept {
        return view_.action <= GATEPOST_PASS ? static_cast<Action>(view_.action) : Action::deny;
    }
    /// \returns whether it is let through
    [[nodiscard]] bool allowed() const noexcept { return action() == Action::allow; }
    /// \returns whether it is not ours: the host's own default holds
    [[nodiscard]] bool passed() const noexcept { return action() == Action::pass; }
    /// \returns whether the host answers with status(), response headers and body() and nothing else
    [[nodiscard]] bool answers() const noexcept { return !allowed() && !passed(); }
    /// \returns the HTTP status; 200 where it is let through or passed
    [[nodiscard]] unsigned status() const noexcept { return view_.status; }
    /// \returns why; for logs
    [[nodiscard]] Reason reason() const noexcept { return static_cast<Reason>(view_.reason); }
    /// \returns the stable name of the reason
    [[nodiscard]] std::string_view reason_name() const noexcept GATEPOST_BOUND {
        return view_.reason_name.ptr == nullptr ? name_of(reason()) : detail::view(view_.reason_name);
    }
    /// \returns time until another try may succeed; 0: not said
    [[nodiscard]] std::chrono::seconds retry_after() const noexcept { return std::chrono::seconds(view_.retry_after); }
    /// \returns what a user reads to support and what the log is searched by
    [[nodiscard]] std::string_view id() const noexcept GATEPOST_BOUND { return detail::view(view_.id); }
    /// \returns who was recognised, also where the request is refused; empty: nobody
    [[nodiscard]] std::string_view subject() const noexcept GATEPOST_BOUND { return detail::view(view_.subject); }
    /// \returns whose subject it is; empty for local users. Both together are the person, never the subject alone.
    [[nodiscard]] std::string_view issuer() const noexcept GATEPOST_BOUND { return detail::view(view_.issuer); }
    /// \returns the scheme that was used or tried, like "basic"; empty: none
    [[nodiscard]] std::string_view scheme() const noexcept GATEPOST_BOUND { return detail::view(view_.scheme); }
    /// \returns the roles of who was recognised
    [[nodiscard]] std::vector<std::string> roles() const { return detail::taken_apart(attribute("roles"), ','); }
    /// \returns the scopes of the credential
    [[nodiscard]] std::vector<std::string> scopes() const { return detail::taken_apart(attribute("scopes"), ' '); }
    /// \param name "subject", "issuer", "scheme", "roles", "scopes", "id", "reason"
    /// \returns that fact as an identity header carries it; empty where there is none, and for another name
    [[nodiscard]] std::string_view attribute(std::string_view name) const noexcept GATEPOST_BOUND {
        return detail::view(gatepost_decision_attribute(handle_.get(), detail::str(name)));
    }
    /// \returns header fields for the response to the client; not of a decision that ends with the expression, as in
    ///     for (auto field : engine.decide(request).value().response_headers())
    [[nodiscard]] Headers response_headers() const& noexcept GATEPOST_BOUND {
        return {view_.response_headers, view_.response_header_count};
    }
    /// Not of a decision that ends with the expression.
    Headers response_headers() const&& = delete;
    /// \returns header fields for the application, to apply after those to strip are gone; not of one that ends likewise
    [[nodiscard]] Headers upstream_headers() const& noexcept GATEPOST_BOUND {
        return {view_.upstream_headers, view_.upstream_header_count};
    }
    /// Not of a decision that ends with the expression.
    Headers upstream_headers() const&& = delete;
    /// \returns names of request fields to remove before the application sees the request, on every action; not of one
    ///     that ends likewise
    [[nodiscard]] Strings strip() const& noexcept GATEPOST_BOUND { return {view_.strip, view_.strip_count}; }
    /// Not of a decision that ends with the expression.
    Strings strip() const&& = delete;
    /// \returns the body of the answer; its type is among the response headers
    [[nodiscard]] std::string_view body() const noexcept GATEPOST_BOUND { return detail::view(view_.body); }
    /// \returns which of the engine's policies decided: Engine::generation() at that moment
    [[nodiscard]] std::uint64_t generation() const noexcept { return view_.generation; }

    /// \returns the handle, for calls of the C interface; still owned by this object; NULL where it was made without
    [[nodiscard]] const gatepost_decision* raw() const noexcept { return handle_.get(); }

    /// Made before it is decided; only Engine::decide does.
    explicit Decision(detail::Undecided) noexcept {
        view_.struct_size = sizeof view_;
    }  // the rest is written by decide

private:
    friend class Engine;

    gatepost_status decide(const gatepost_engine* engine, const gatepost_request& request) noexcept {
        gatepost_decision* decision = nullptr;
        const gatepost_status status = gatepost_decide_into(engine, &request, &decision, &view_);
        (void)handle_.release();  // of nothing
        handle_.reset(decision);
        return status;
    }
    static gatepost_view denying() noexcept {
        gatepost_view view = detail::sized<gatepost_view>();
        view.action = GATEPOST_DENY;
        view.status = 500;
        view.reason = GATEPOST_REASON_INTERNAL;
        return view;
    }
    detail::Owned<gatepost_decision, gatepost_decision_free> handle_;
    gatepost_view view_;
};

}  // namespace gatepost

#endif
