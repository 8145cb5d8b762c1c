/// \file
/// What a host hands in.
#ifndef GATEPOST_REQUEST_HPP
#define GATEPOST_REQUEST_HPP

#include "fields.hpp"

#include <chrono>
#include <initializer_list>

namespace gatepost {

/// One HTTP request, as the client sent it.
///
/// It borrows: whatever is handed to it must live until the call that decides it returns (also where that leaves a Job,
/// which keeps nothing of it). A std::string or a container that ends before that, with the expression that makes it,
/// does not compile. It may be reused and copied.
///
/// \code
/// auto decision = engine.decide(gatepost::Request("GET", "/orders/7").host(host).peer(peer).tls(true).headers(fields));
/// \endcode
class Request {
public:
    /// A request with neither method nor target, which is refused.
    Request() noexcept {
        // One by one, so that what is set next is not written twice.
        raw_.struct_size = sizeof raw_;
        raw_.method = {};
        raw_.target = {};
        raw_.host = {};
        raw_.peer = {};
        raw_.request_id = {};
        raw_.client_cert_der = {};
        raw_.body = {};
        raw_.headers = nullptr;
        raw_.header_count = 0;
        raw_.header_block = {};
        raw_.flags = 0;
        raw_.now = 0;
        raw_.user = nullptr;
    }
    /// \param method as received
    /// \param target the raw request-target, as received: not decoded, not normalised, with its query; a path without
    ///     a "/" in front is refused
    Request(Text method, Text target) noexcept : Request() { this->method(method).target(target); }
    /// \param other borrows the same; the fields themselves are a copy's own
    Request(const Request& other) : raw_(other.raw_), fields_(other.fields_) { point(); }
    /// \param other borrows the same; the fields themselves are a copy's own
    /// \returns itself
    Request& operator=(const Request& other) {
        fields_ = other.fields_;
        raw_ = other.raw_;
        return point();
    }
    ~Request() = default;

    /// \param text the method, as received
    /// \returns itself
    Request& method(Text text) noexcept { return set(raw_.method, text); }
    /// \param text the raw request-target, as received
    /// \returns itself
    Request& target(Text text) noexcept { return set(raw_.target, text); }
    /// \param text :authority (HTTP/2, HTTP/3); empty: the Host field counts
    /// \returns itself
    Request& host(Text text) noexcept { return set(raw_.host, text); }
    /// \param text the address of the direct peer, with or without a port, or "unix:"; empty: nobody in particular
    /// \returns itself
    Request& peer(Text text) noexcept { return set(raw_.peer, text); }
    /// \param text the host's own id for the request; empty: the engine draws one
    /// \returns itself
    Request& request_id(Text text) noexcept { return set(raw_.request_id, text); }
    /// \param der the client certificate of the connection in DER, from a handshake in which the client proved that it
    ///     holds its key
    /// \param verified the host verified its chain up to an authority that issues client certificates
    /// \returns itself
    Request& client_certificate(Text der, bool verified) noexcept {
        return set(raw_.client_cert_der, der).flag(GATEPOST_REQUEST_CERT_VERIFIED, verified);
    }
    /// \param bytes the body, where Engine::wants_body asked for it
    /// \param complete it is all of the body
    /// \returns itself
    Request& body(Text bytes, bool complete = true) noexcept {
        return set(raw_.body, bytes).flag(GATEPOST_REQUEST_BODY_COMPLETE, complete);
    }
    /// \param is the connection to the direct peer is TLS
    /// \returns itself
    Request& tls(bool is) noexcept { return flag(GATEPOST_REQUEST_TLS, is); }
    /// \param seconds Unix seconds to decide at; 0: the engine's clock
    /// \returns itself
    Request& now(std::int64_t seconds) noexcept {
        raw_.now = seconds;
        return *this;
    }
    /// \param time to decide at
    /// \returns itself
    Request& now(std::chrono::system_clock::time_point time) noexcept {
        return now(std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count());
    }
    /// \param pointer the host's own, handed back with the events of this request; never followed
    /// \returns itself
    Request& user(void* pointer) noexcept {
        raw_.user = pointer;
        return *this;
    }

    /// Adds a header field. All of them are needed, in the order received, repeated ones one by one.
    /// \param name in the spelling received
    /// \param value without the line break
    /// \returns itself
    Request& header(Text name, Text value) {
        detail::Fields::Adding(fields_).add(name.view(), value.view());
        return point();
    }
    /// Adds all fields of a container or range, in its order: pairs (so also maps), tuples of two, structs with name and
    /// value, objects with name() and value() or, as those of Boost.Beast, name_string() and value(). Names and values
    /// are std::string_view, or anything with data() and size().
    /// \param container borrowed, with all that is in it
    /// \returns itself
    template <class Container>
    Request& headers(Container&& container) {
        static_assert(!detail::passes<decltype(detail::first_of(container))>,
                      "the iterators of this range may keep what they refer to; a Request only borrows it");
        // Of a container that ends with the expression its elements do, too.
        constexpr bool ends = !std::is_lvalue_reference_v<Container> && !std::is_trivially_destructible_v<Container>;
        // Also where the container throws, what was added counts.
        const Pointing pointing{*this};
        detail::Fields::Adding adding(fields_);
        for (auto&& element : container) {
            using Element = decltype(element);
            using Ending = std::conditional_t<ends, std::remove_reference_t<Element>&&, Element>;
            const auto [name, value] = detail::field(static_cast<Ending>(element));
            adding.add(name, value);
        }
        return *this;
    }
    /// Adds fields that are written down, as headers({{"Accept", accept}, {"Authorization", authorization}}).
    /// \param fields names with their values; borrowed
    /// \returns itself
    Request& headers(std::initializer_list<std::pair<Text, Text>> fields) {
        const Pointing pointing{*this};
        detail::Fields::Adding adding(fields_);
        for (const auto& [name, value] : fields) {
            adding.add(name.view(), value.view());
        }
        return *this;
    }
    /// In place of single fields.
    /// \param lines "name: value" lines, each ended by CR LF, without folding; together with single fields: an error
    /// \returns itself
    Request& header_block(Text lines) noexcept { return set(raw_.header_block, lines); }
    /// Takes all fields away, to use the object for another request.
    /// \returns itself
    Request& clear_headers() noexcept {
        fields_.clear();
        raw_.header_block = {};
        return point();
    }

    /// \returns what is handed to the C interface; it is true as long as this object stays as it is
    [[nodiscard]] const gatepost_request& raw() const noexcept { return raw_; }

private:
    Request& point() noexcept {
        raw_.headers = fields_.data();
        raw_.header_count = fields_.size();
        return *this;
    }
    struct Pointing {
        Request& request;
        ~Pointing() { request.point(); }
    };
    Request& set(gatepost_str& place, Text text) noexcept {
        place = detail::str(text.view());
        return *this;
    }
    Request& flag(std::uint32_t bit, bool on) noexcept {
        raw_.flags = on ? raw_.flags | bit : raw_.flags & ~bit;
        return *this;
    }
    gatepost_request raw_;
    detail::Fields fields_;
};

}  // namespace gatepost

#endif
