/// \file
/// What the other parts stand on: owned handles, strings to and from C, views of arrays.
#ifndef GATEPOST_HANDLE_HPP
#define GATEPOST_HANDLE_HPP

#include <gatepost.h>

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <string_view>
#include <utility>

/// The release that these headers belong to. They come with a gatepost.h of the same release.
#define GATEPOST_HPP_VERSION "0.1.0"
#if GATEPOST_VERSION_MAJOR != 0 || GATEPOST_VERSION_MINOR != 1 || GATEPOST_VERSION_PATCH != 0 || GATEPOST_ABI != 0
#error "gatepost.hpp is of release 0.1.0 and the gatepost.h that was found is of another: install both of one release"
#endif

/// \def GATEPOST_EXCEPTIONS
/// 1 where Result::value() throws, 0 (with -fno-exceptions) where it ends the program.
#if defined(__cpp_exceptions) || defined(__EXCEPTIONS) || defined(_CPPUNWIND)
#define GATEPOST_EXCEPTIONS 1
#else
#define GATEPOST_EXCEPTIONS 0
#endif

/// \cond
/// What is handed out lives as long as the object that it was taken from: clang warns of what outlives it.
#if defined(__has_cpp_attribute)
#if __has_cpp_attribute(clang::lifetimebound)
#define GATEPOST_BOUND [[clang::lifetimebound]]
#endif
#endif
#ifndef GATEPOST_BOUND
#define GATEPOST_BOUND
#endif
/// A program may have parts that are compiled with exceptions and parts without. What differs between them must not be
/// one function for both, of which the linker takes either.
#if defined(__GNUC__)
#define GATEPOST_INLINE __attribute__((always_inline)) inline
#else
#define GATEPOST_INLINE inline
#endif
/// \endcond

namespace gatepost {

/// Everything that is not API.
namespace detail {

template <auto End>
struct Ender {
    template <class T>
    void operator()(T* object) const noexcept {
        End(object);
    }
};

/// A handle of the C interface that ends itself, once.
template <class T, auto End>
using Owned = std::unique_ptr<T, Ender<End>>;

inline gatepost_str str(std::string_view text) noexcept { return {text.data(), text.size()}; }

inline std::string_view view(gatepost_str text) noexcept {
    return text.ptr == nullptr ? std::string_view{} : std::string_view{text.ptr, text.len};
}

/// A struct of the C interface as it has to be handed over: zero, and with its size.
template <class T>
T sized() noexcept {
    T made{};
    made.struct_size = sizeof made;
    return made;
}

}  // namespace detail

/// A view of an array of the C interface, for range-for and algorithms. It lives as long as the object that it came
/// from, and costs nothing to copy.
///
/// \tparam Raw what the array holds
/// \tparam Read a function object that makes of one of them what is handed out
template <class Raw, class Read>
class Range {
public:
    /// What iterating gives.
    using value_type = decltype(Read{}(std::declval<const Raw&>()));

    /// Goes over the range; hands out values, not references.
    class iterator {
    public:
        /// It may be gone over more than once; it hands out values, so that C++17 calls it no more than this.
        using iterator_category = std::input_iterator_tag;
        /// What it hands out.
        using value_type = typename Range::value_type;
        /// Distance of two.
        using difference_type = std::ptrdiff_t;
        /// Holds what it points to.
        class pointer {
        public:
            /// \param held the element
            explicit pointer(value_type held) noexcept : held_(held) {}
            /// \returns the element
            const value_type* operator->() const noexcept { return &held_; }

        private:
            value_type held_;
        };
        /// A value.
        using reference = value_type;

        iterator() noexcept = default;
        /// \param at the element that it stands at
        explicit iterator(const Raw* at) noexcept : at_(at) {}
        /// \returns the element
        value_type operator*() const noexcept { return Read{}(*at_); }
        /// \returns what leads to the element
        pointer operator->() const noexcept { return pointer(**this); }
        /// \returns itself, one further
        iterator& operator++() noexcept {
            ++at_;
            return *this;
        }
        /// \returns where it stood
        iterator operator++(int) noexcept {
            iterator before = *this;
            ++at_;
            return before;
        }
        /// \returns whether both stand at one place
        friend bool operator==(iterator a, iterator b) noexcept { return a.at_ == b.at_; }
        /// \returns whether they stand at two
        friend bool operator!=(iterator a, iterator b) noexcept { return a.at_ != b.at_; }

    private:
        const Raw* at_ = nullptr;
    };
    /// There is no other.
    using const_iterator = iterator;

    Range() noexcept = default;
    /// \param first the array
    /// \param count how many it holds
    Range(const Raw* first, std::size_t count) noexcept : first_(first), count_(count) {}
    /// \returns the first element
    [[nodiscard]] iterator begin() const noexcept { return iterator(first_); }
    /// \returns the end
    [[nodiscard]] iterator end() const noexcept { return iterator(count_ == 0 ? first_ : first_ + count_); }
    /// \returns how many there are
    [[nodiscard]] std::size_t size() const noexcept { return count_; }
    /// \returns whether there is none
    [[nodiscard]] bool empty() const noexcept { return count_ == 0; }
    /// \param index less than size()
    /// \returns that element
    [[nodiscard]] value_type operator[](std::size_t index) const noexcept { return Read{}(first_[index]); }

private:
    const Raw* first_ = nullptr;
    std::size_t count_ = 0;
};

namespace detail {

struct ReadString {
    std::string_view operator()(const gatepost_str& text) const noexcept { return view(text); }
};

}  // namespace detail

/// Strings that the library handed out.
using Strings = Range<gatepost_str, detail::ReadString>;

/// Bytes that the library made: a report, a password hash, metrics. Overwritten when it ends.
class Bytes {
public:
    Bytes() noexcept = default;
    /// Takes over what the C interface handed out.
    /// \param owned ended by this object
    explicit Bytes(gatepost_bytes* owned) noexcept : handle_(owned) {}
    /// \returns the bytes, with a NUL behind them; they live as long as this object
    [[nodiscard]] std::string_view view() const noexcept GATEPOST_BOUND {
        return detail::view(gatepost_bytes_view(handle_.get()));
    }
    /// As view().
    operator std::string_view() const noexcept GATEPOST_BOUND { return view(); }  // NOLINT: a string is what it is

private:
    detail::Owned<gatepost_bytes, gatepost_bytes_free> handle_;
};

}  // namespace gatepost

#if defined(__cpp_lib_ranges)
/// Its iterators live as long as what it is a view of, and so longer than itself.
template <class Raw, class Read>
inline constexpr bool std::ranges::enable_borrowed_range<gatepost::Range<Raw, Read>> = true;
#endif

#endif
