/// \file
/// Bytes that a host hands in and goes on owning.
#ifndef GATEPOST_TEXT_HPP
#define GATEPOST_TEXT_HPP

#include "handle.hpp"

#include <type_traits>

namespace gatepost {

namespace detail {

template <class T>
using Bare = std::remove_cv_t<std::remove_reference_t<T>>;

/// Whether it is bytes with a length: std::string, a literal, boost::string_view, QByteArray and their like.
template <class T, class = void>
struct IsText : std::is_convertible<const T&, std::string_view> {};
template <class T>
struct IsText<T, std::void_t<decltype(std::string_view(std::declval<const T&>().data(),
                                                       static_cast<std::size_t>(std::declval<const T&>().size())))>>
    : std::true_type {};
template <>
struct IsText<std::nullptr_t, void> : std::false_type {};

template <class T>
std::string_view text(const T& from) noexcept {
    if constexpr (std::is_pointer_v<T>) {
        return from == nullptr ? std::string_view{} : std::string_view{from};
    } else if constexpr (std::is_convertible_v<const T&, std::string_view>) {
        return from;
    } else {
        return {from.data(), static_cast<std::size_t>(from.size())};
    }
}

/// Whether it hands out bytes of its own, as std::array and arrays do: what only looks at bytes hands out the same
/// pointer whether it is const or not.
template <class T, class = void>
struct HoldsBytes : std::is_array<T> {};
template <class T>
struct HoldsBytes<T, std::void_t<decltype(std::declval<const T&>().data())>>
    : std::bool_constant<
          !std::is_same_v<decltype(std::declval<T&>().data()), decltype(std::declval<const T&>().data())>> {};

/// Whether the bytes of a T stay when the expression is over that gave it: a reference, or a view that owns nothing.
template <class T>
inline constexpr bool stays = std::is_lvalue_reference_v<T> ||
                              (std::is_trivially_destructible_v<T> && !HoldsBytes<Bare<T>>::value);

}  // namespace detail

/// Bytes that are borrowed: made of std::string, std::string_view, a literal, or anything else with data() and size().
///
/// A std::string that ends with the expression does not compile: give it a name that lives until the call is over.
class Text {
public:
    /// None.
    Text() noexcept = default;
    /// \param bytes borrowed; NULL: none
    /// \param count how many
    Text(const char* bytes, std::size_t count) noexcept : view_(bytes, count) {}
    /// \param from borrowed; a pointer that is NULL: none
    template <class T, std::enable_if_t<detail::IsText<detail::Bare<T>>::value, int> = 0>
    Text(T&& from) noexcept : view_(detail::text<detail::Bare<T>>(from)) {  // NOLINT: a string is what it is
        static_assert(detail::stays<T>, "this string ends with the expression and is only borrowed: give it a name");
    }
    /// \returns the bytes
    [[nodiscard]] std::string_view view() const noexcept { return view_; }

private:
    std::string_view view_;
};

}  // namespace gatepost

#endif
