/// \file
/// Header fields out of whatever a container holds, as the array that the C interface takes.
#ifndef GATEPOST_FIELDS_HPP
#define GATEPOST_FIELDS_HPP

#include "text.hpp"

#include <algorithm>
#include <iterator>
#include <memory>
#include <tuple>

namespace gatepost {

namespace detail {

template <class T>
using IfText = std::enable_if_t<IsText<Bare<T>>::value>;

template <class T, class = void>
struct IsPair : std::false_type {};
template <class T>
struct IsPair<
    T, std::void_t<IfText<decltype(std::declval<const T&>().first)>, IfText<decltype(std::declval<const T&>().second)>>>
    : std::true_type {};

template <class T, class = void>
struct HasNameString : std::false_type {};
template <class T>
struct HasNameString<T, std::void_t<IfText<decltype(std::declval<const T&>().name_string())>,
                                    IfText<decltype(std::declval<const T&>().value())>>> : std::true_type {};

template <class T, class = void>
struct HasFunctions : std::false_type {};
template <class T>
struct HasFunctions<T, std::void_t<IfText<decltype(std::declval<const T&>().name())>,
                                   IfText<decltype(std::declval<const T&>().value())>>> : std::true_type {};

template <class T, class = void>
struct HasMembers : std::false_type {};
template <class T>
struct HasMembers<
    T, std::void_t<IfText<decltype(std::declval<const T&>().name)>, IfText<decltype(std::declval<const T&>().value)>>>
    : std::true_type {};

template <class T, class = void>
struct IsTuple : std::false_type {};
template <class T>
struct IsTuple<T, std::void_t<decltype(std::tuple_size<T>::value), IfText<std::tuple_element_t<0, T>>,
                              IfText<std::tuple_element_t<1, T>>>>
    : std::bool_constant<std::tuple_size<T>::value == 2> {};

/// What an iterator says that it can do; one that says nothing is taken to be one of a container.
template <class Iterator, class = void>
struct Category {
    using type = std::forward_iterator_tag;
};
template <class Iterator>
struct Category<Iterator, std::void_t<typename std::iterator_traits<Iterator>::iterator_category>> {
    using type = typename std::iterator_traits<Iterator>::iterator_category;
};
template <class Iterator, class = void>
struct Concept : Category<Iterator> {};
template <class Iterator>
struct Concept<Iterator, std::void_t<typename Iterator::iterator_concept>> {
    using type = typename Iterator::iterator_concept;
};

/// Whether what an iterator refers to may be gone once it stands at the next: one that goes over its range but once and
/// hands out references may keep what these refer to itself, as std::istream_iterator does.
template <class Iterator>
inline constexpr bool passes = std::is_lvalue_reference_v<decltype(*std::declval<Iterator&>())> &&
                               !std::is_base_of_v<std::forward_iterator_tag, typename Concept<Iterator>::type>;

using std::begin;

/// What a range-based for makes of it.
template <class Container>
auto first_of(Container& container) -> decltype(begin(container));

template <class>
inline constexpr bool never = false;

/// As text(), of what does not end with the expression.
template <class T>
std::string_view borrowed(T&& from) noexcept {
    static_assert(stays<T>, "these strings end with the expression; a Request only borrows them");
    return text<Bare<T>>(from);
}

/// Name and value of whatever a container holds.
template <class Element>
std::pair<std::string_view, std::string_view> field(Element&& element) noexcept {
    using T = Bare<Element>;
    // A member of what is handed out by value ends with it, and so may what its functions refer to.
    if constexpr (IsPair<T>::value) {
        return {borrowed(std::forward<Element>(element).first), borrowed(std::forward<Element>(element).second)};
    } else if constexpr (HasNameString<T>::value || HasFunctions<T>::value) {
        static_assert(std::is_lvalue_reference_v<Element> || std::is_trivially_destructible_v<T>,
                      "these strings may end with the expression; a Request only borrows them");
        if constexpr (HasNameString<T>::value) {
            return {borrowed(element.name_string()), borrowed(element.value())};
        } else {
            return {borrowed(element.name()), borrowed(element.value())};
        }
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
    Fields() noexcept : first_(inline_), next_(inline_), end_(inline_ + INLINE) {}  // NOLINT: inline_ is written first
    Fields(const Fields& other) : Fields() { take(other); }
    Fields& operator=(const Fields& other) {
        if (this != &other) {
            take(other);
        }
        return *this;
    }
    ~Fields() = default;

    /// Adds one after the other. What it added counts when it ends.
    class Adding {
    public:
        explicit Adding(Fields& to) noexcept : to_(to), next_(to.next_), end_(to.end_) {}
        Adding(const Adding&) = delete;
        Adding& operator=(const Adding&) = delete;
        ~Adding() { to_.next_ = next_; }
        void add(std::string_view name, std::string_view value) {
            if (next_ == end_) {
                to_.next_ = next_;
                to_.grow(2 * to_.size());
                next_ = to_.next_;
                end_ = to_.end_;
            }
            // Member by member: for the parts of a copy made elsewhere the processor would have to wait.
            next_->name.ptr = name.data();
            next_->name.len = name.size();
            next_->value.ptr = value.data();
            next_->value.len = value.size();
            next_->mode = 0;
            next_->reserved = 0;
            ++next_;
        }

    private:
        Fields& to_;
        gatepost_header* next_;
        gatepost_header* end_;
    };

    void clear() noexcept { next_ = first_; }
    [[nodiscard]] const gatepost_header* data() const noexcept { return first_; }
    [[nodiscard]] std::size_t size() const noexcept { return static_cast<std::size_t>(next_ - first_); }

private:
    // Apart, so that adding stays small wherever it is done.
    [[gnu::noinline]] void grow(std::size_t room) {
        auto more = std::make_unique<gatepost_header[]>(room);
        const std::size_t count = size();
        std::copy(first_, next_, more.get());
        many_ = std::move(more);
        first_ = many_.get();
        next_ = first_ + count;
        end_ = first_ + room;
    }
    void take(const Fields& other) {
        clear();
        if (other.size() > static_cast<std::size_t>(end_ - first_)) {
            grow(other.size());
        }
        next_ = std::copy(static_cast<const gatepost_header*>(other.first_),
                          static_cast<const gatepost_header*>(other.next_), first_);
    }
    static constexpr std::size_t INLINE = 24;
    gatepost_header inline_[INLINE];
    gatepost_header* first_;
    gatepost_header* next_;
    gatepost_header* end_;
    std::unique_ptr<gatepost_header[]> many_;
};

}  // namespace detail

}  // namespace gatepost

#endif
