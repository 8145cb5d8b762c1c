/// \file
/// What a host sets besides the policy: clock, events, its own HTTP.
#ifndef GATEPOST_OPTIONS_HPP
#define GATEPOST_OPTIONS_HPP

#include "names.hpp"
#include "result.hpp"
#include "text.hpp"

#include <chrono>
#include <cstring>
#include <functional>

namespace gatepost {

/// Something that happened. All of it lives for the call only.
struct Event {
    /// One JSON object without line breaks, as docs/EVENTS.md has it. Never a secret.
    std::string_view line;
    /// What happened: "decision", "policy_reloaded" and so on.
    std::string_view name;
    /// The decision's id; empty where it is about none.
    std::string_view id;
    /// How much it asks for attention.
    Severity severity;
    /// The decision's HTTP status; 0 where it is about none.
    unsigned status;
    /// The decision's action; Action::deny where it is about none.
    Action action;
    /// The decision's reason; Reason::none where it is about none.
    Reason reason;
    /// Request::user of the request that it is about; NULL where it is about none.
    void* user;
};

/// What a server said to a Fetch. Whatever it is made of is copied by Fetch::answer.
struct Fetched {
    /// The HTTP status; 0 where there is none, and then error says why.
    std::uint32_t status = 0;
    /// The content.
    Text body;
    /// The field ETag.
    Text etag;
    /// The field Cache-Control.
    Text cache_control;
    /// The field Content-Type.
    Text content_type;
    /// Why no answer came, in words for the operator.
    Text error;
};

/// A document that is wanted. All of it lives for the call only.
class Fetch {
public:
    /// \param raw of the C interface; borrowed
    explicit Fetch(const gatepost_fetch& raw) noexcept : raw_(&raw) {}
    /// \returns the https address
    [[nodiscard]] std::string_view url() const noexcept { return detail::view(raw_->url); }
    /// \returns what is sent as If-None-Match, where it is not empty
    [[nodiscard]] std::string_view etag() const noexcept { return detail::view(raw_->etag); }
    /// \returns what is sent as Accept
    [[nodiscard]] std::string_view accept() const noexcept { return detail::view(raw_->accept); }
    /// \returns certificates in PEM of the authorities that may vouch for the server; empty: the host's own
    [[nodiscard]] std::string_view ca() const noexcept { return detail::view(raw_->ca); }
    /// \returns most octets of content that are taken
    [[nodiscard]] std::uint64_t largest() const noexcept { return raw_->largest; }
    /// \returns time after which the answer comes too late
    [[nodiscard]] std::chrono::milliseconds timeout() const noexcept {
        return std::chrono::milliseconds(static_cast<std::chrono::milliseconds::rep>(raw_->timeout_ms));
    }
    /// Hands over what the server said, before the callback returns; the last one counts.
    /// \param said copied
    /// \returns success or an error
    Result<void> answer(const Fetched& said) const {
        auto fetched = detail::sized<gatepost_fetched>();
        fetched.status = said.status;
        fetched.body = detail::str(said.body.view());
        fetched.etag = detail::str(said.etag.view());
        fetched.cache_control = detail::str(said.cache_control.view());
        fetched.content_type = detail::str(said.content_type.view());
        fetched.error = detail::str(said.error.view());
        return detail::result(gatepost_fetch_reply_set(raw_->reply, &fetched));
    }

private:
    const gatepost_fetch* raw_;
};

/// What the host sets besides the policy. The functions are called on any thread, also on several at once; they must
/// not call the engine and must not throw. They end when the last engine of these options has.
struct Options {
    /// Answers Unix seconds; none: the system's clock.
    std::function<std::int64_t()> clock;
    /// Hears events, also where the policy names no file for them; none: nobody does.
    std::function<void(const Event&)> on_event;
    /// Fetches keys of issuers in place of the engine's own client: sends one GET, waits, and calls Fetch::answer. It
    /// verifies the server's certificate and name, and follows no redirect. None: the engine's own client does.
    std::function<void(const Fetch&)> on_fetch;
    /// Most memory for password hashing in this process, in bytes; 0: 256 MiB.
    std::uint64_t hashing_memory = 0;
    /// Decide without leaving a trace: no counter, no last use. For tools, never for a server.
    bool read_only = false;
};

namespace detail {

using Clock = std::function<std::int64_t()>;
using OnEvent = std::function<void(const Event&)>;
using OnFetch = std::function<void(const Fetch&)>;

inline std::int64_t call_clock(void* data) noexcept { return (*static_cast<Clock*>(data))(); }

inline void call_event(void* data, const gatepost_event* event) noexcept {
    // A library of an earlier release could have less than this: what is not there reads as zero.
    auto known = sized<gatepost_event>();
    std::memcpy(&known, event, event->struct_size < sizeof known ? event->struct_size : sizeof known);
    (*static_cast<OnEvent*>(data))({view(known.line), view(known.name), view(known.id),
                                    static_cast<Severity>(known.severity), known.status,
                                    static_cast<Action>(known.action), static_cast<Reason>(known.reason), known.user});
}

inline void call_fetch(void* data, const gatepost_fetch* fetch) noexcept {
    (*static_cast<OnFetch*>(data))(Fetch(*fetch));
}

template <class T>
void end(void* data) noexcept {
    delete static_cast<T*>(data);
}

/// From the return on, the functions belong to whatever the struct is handed to.
inline gatepost_options options(const Options& wanted) {
    auto raw = sized<gatepost_options>();
    // All three first: what is made when one of them cannot be must not be lost.
    auto clock = wanted.clock ? std::make_unique<Clock>(wanted.clock) : nullptr;
    auto event = wanted.on_event ? std::make_unique<OnEvent>(wanted.on_event) : nullptr;
    auto fetch = wanted.on_fetch ? std::make_unique<OnFetch>(wanted.on_fetch) : nullptr;
    if (clock != nullptr) {
        raw.clock = call_clock;
        raw.clock_data = clock.release();
        raw.clock_finalizer = end<Clock>;
    }
    if (event != nullptr) {
        raw.on_event = call_event;
        raw.event_data = event.release();
        raw.event_finalizer = end<OnEvent>;
    }
    if (fetch != nullptr) {
        raw.on_fetch = call_fetch;
        raw.fetch_data = fetch.release();
        raw.fetch_finalizer = end<OnFetch>;
    }
    raw.hashing_memory = wanted.hashing_memory;
    raw.flags = wanted.read_only ? GATEPOST_OPTION_READ_ONLY : 0u;
    return raw;
}

}  // namespace detail

}  // namespace gatepost

#endif
