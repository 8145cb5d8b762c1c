/// \file
/// What a host hands in.
#ifndef GATEPOST_REQUEST_HPP
#define GATEPOST_REQUEST_HPP

#include "handle.hpp"

#include <chrono>
#include <cstring>
#include <tuple>
#include <type_traits>
#include <vector>

namespace gatepost {

namespace detail {

/// Anything that is bytes with a length: std::string, a literal, boost::string_view, folly::StringPiece and their like.
template <class T>
std::string_view text(const T& from) noexcept {
    if constexpr (std::is_convertible_v<const T&, std::string_view>) {
        return from;
    } else {
        return {from.data(), from.size()};
    }
}

template <class T, class = void>
struct IsPair : std::false_type {};
template <class T>
struct IsPair<T, std::void_t<decltype(std::declval<const T&>().first), decltype(std::declval<const T&>().second)>>
    : std::true_type {};

template <class T, class = void>
struct HasNameString : std::false_type {};
template <class T>
struct HasNameString<
    T, std::void_t<decltype(std::declval<const T&>().name_string()), decltype(std::declval<const T&>().value())>>
    : std::true_type {};

template <class T, class = void>
struct HasFunctions : std::false_type {};
template <class T>
struct HasFunctions<T,
                    std::void_t<decltype(std::declval<const T&>().name()), decltype(std::declval<const T&>().value())>>
    : std::true_type {};

template <class T, class = void>
struct HasMembers : std::false_type {};
template <class T>
struct HasMembers<
    T, std::void_t<decltype(text(std::declval<const T&>().name)), decltype(text(std::declval<const T&>().value))>>
    : std::true_type {};

template <class T, class = void>
struct IsTuple : std::false_type {};
template <class T>
struct IsTuple<T, std::void_t<decltype(std::tuple_size<T>::value)>>
    : std::bool_constant<std::tuple_size<T>::value == 2> {};

template <class>
inline constexpr bool never = false;

/// Whether the bytes of a T stay when the expression is over that gave it: a reference, or a view that owns nothing.
template <class T>
inline constexpr bool stays = std::is_lvalue_reference_v<T> || std::is_trivially_destructible_v<T>;

/// As text(), of what does not end with the expression.
template <class T>
std::string_view borrowed(T&& from) noexcept {
    static_assert(stays<T>, "this container hands out strings of its own by value; a Request only borrows them");
    return text(from);
}

/// Name and value of whatever a container holds.
template <class Element>
std::pair<std::string_view, std::string_view> field(Element&& element) noexcept {
    using T = std::remove_cv_t<std::remove_reference_t<Element>>;
    // A member of what is handed out by value ends with it.
    if constexpr (IsPair<T>::value) {
        return {borrowed(std::forward<Element>(element).first), borrowed(std::forward<Element>(element).second)};
    } else if constexpr (HasNameString<T>::value) {
        return {borrowed(element.name_string()), borrowed(element.value())};
    } else if constexpr (HasFunctions<T>::value) {
        return {borrowed(element.name()), borrowed(element.value())};
    } else if constexpr (HasMembers<T>::value) {
        return {borrowed(std::forward<Element>(element).name), borrowed(std::forward<Element>(element).value)};
    } else if constexpr (IsTuple<T>::value) {
        return {borrowed(std::get<0>(std::forward<Element>(element))),
                borrowed(std::get<1>(std::forward<Element>(element)))};
    } else {
        static_assert(never<T>,
                      "a header field is a pair, a tuple of two, or has name and value (or name_string() and value())");
    }
}

/// Header fields; so many of them lie in the object itself that usual requests allocate nothing.
class Fields {
public:
    Fields() noexcept {}  // NOLINT: inline_ is written before it is read
    Fields(const Fields& other) : count_(other.count_), many_(other.many_) { copy(other); }
    Fields& operator=(const Fields& other) {
        if (this != &other) {
            many_ = other.many_;
            count_ = other.count_;
            copy(other);
        }
        return *this;
    }
    ~Fields() = default;

    void add(std::string_view name, std::string_view value) {
        const gatepost_header made{str(name), str(value), 0, 0};
        if (count_ < INLINE) {
            inline_[count_] = made;
        } else {
            if (many_.empty()) {
                many_.assign(inline_, inline_ + INLINE);
            }
            many_.push_back(made);
        }
        ++count_;
    }
    void clear() noexcept {
        count_ = 0;
        many_.clear();
    }
    [[nodiscard]] const gatepost_header* data() const noexcept {
        return count_ == 0 ? nullptr : many_.empty() ? inline_ : many_.data();
    }
    [[nodiscard]] std::size_t size() const noexcept { return count_; }

private:
    void copy(const Fields& other) noexcept {
        if (many_.empty() && count_ > 0) {
            std::memcpy(inline_, other.inline_, count_ * sizeof inline_[0]);
        }
    }
    static constexpr std::size_t INLINE = 24;
    gatepost_header inline_[INLINE];
    std::size_t count_ = 0;
    std::vector<gatepost_header> many_;
};

}  // namespace detail

/// One HTTP request, as the client sent it.
///
/// It borrows: whatever is handed to it must live until the call that decides it returns (also where that leaves a Job,
/// which keeps nothing of it). It may be reused and copied.
///
/// \code
/// auto decision = engine.decide(gatepost::Request("GET", "/orders/7").host(host).peer(peer).tls(true).headers(fields));
/// \endcode
class Request {
public:
    /// A request with neither method nor target, which is refused.
    Request() noexcept : raw_(detail::sized<gatepost_request>()) {}
    /// \param method as received
    /// \param target the raw request-target, as received: not decoded, not normalised, with its query
    Request(std::string_view method, std::string_view target) noexcept : Request() {
        this->method(method).target(target);
    }
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
    Request& method(std::string_view text) noexcept { return set(raw_.method, text); }
    /// \param text the raw request-target, as received
    /// \returns itself
    Request& target(std::string_view text) noexcept { return set(raw_.target, text); }
    /// \param text :authority (HTTP/2, HTTP/3); empty: the Host field counts
    /// \returns itself
    Request& host(std::string_view text) noexcept { return set(raw_.host, text); }
    /// \param text the address of the direct peer, with or without a port, or "unix:"; empty: nobody in particular
    /// \returns itself
    Request& peer(std::string_view text) noexcept { return set(raw_.peer, text); }
    /// \param text the host's own id for the request; empty: the engine draws one
    /// \returns itself
    Request& request_id(std::string_view text) noexcept { return set(raw_.request_id, text); }
    /// \param der the client certificate of the connection in DER, from a handshake in which the client proved that it
    ///     holds its key
    /// \param verified the host verified its chain up to an authority that issues client certificates
    /// \returns itself
    Request& client_certificate(std::string_view der, bool verified) noexcept {
        return set(raw_.client_cert_der, der).flag(GATEPOST_REQUEST_CERT_VERIFIED, verified);
    }
    /// \param bytes the body, where Engine::wants_body asked for it
    /// \param complete it is all of the body
    /// \returns itself
    Request& body(std::string_view bytes, bool complete = true) noexcept {
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
    Request& header(std::string_view name, std::string_view value) {
        fields_.add(name, value);
        return point();
    }
    /// Adds all fields of a container, in its order: pairs (so also maps), tuples of two, structs with name and value,
    /// objects with name() and value() or, as those of Boost.Beast, name_string() and value(). Names and values are
    /// std::string_view, or anything with data() and size().
    /// \param container borrowed, with all that is in it
    /// \returns itself
    template <class Container>
    Request& headers(const Container& container) {
        for (auto&& element : container) {
            const auto [name, value] = detail::field(std::forward<decltype(element)>(element));
            fields_.add(name, value);
        }
        return point();
    }
    /// In place of single fields.
    /// \param lines "name: value" lines, each ended by CR LF, without folding; together with single fields: an error
    /// \returns itself
    Request& header_block(std::string_view lines) noexcept { return set(raw_.header_block, lines); }
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
    Request& set(gatepost_str& place, std::string_view text) noexcept {
        place = detail::str(text);
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
