/// \file
/// Errors as values, and as exceptions where the program has them.
#ifndef GATEPOST_RESULT_HPP
#define GATEPOST_RESULT_HPP

#include "names.hpp"

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace gatepost {

/// Why a call failed: a value that can be kept, copied and thrown. Copying it does not throw.
class Error : public std::exception {
public:
    /// \param status how the call ended
    explicit Error(Status status) noexcept : status_(status) {}
    /// \param status how the call ended
    /// \param message what happened and what to do about it
    Error(Status status, std::string message)
        : status_(status), words_(std::make_shared<const Words>(Words{std::move(message), {}, 0, 0})) {}
    /// Copies what an error object of the C interface says, and ends it.
    /// \param status how the call ended
    /// \param owned taken over; NULL where there is none
    Error(Status status, gatepost_error* owned) : status_(status) {
        const detail::Owned<gatepost_error, gatepost_error_free> error(owned);
        if (error != nullptr) {
            status_ = static_cast<Status>(gatepost_error_status(error.get()));
            words_ = std::make_shared<const Words>(Words{std::string(detail::view(gatepost_error_message(error.get()))),
                                                         std::string(detail::view(gatepost_error_file(error.get()))),
                                                         gatepost_error_line(error.get()),
                                                         gatepost_error_column(error.get())});
        }
    }

    /// \returns how the call ended
    [[nodiscard]] Status status() const noexcept { return status_; }
    /// \returns what happened and what to do about it, in English, for the operator; several lines where a policy has
    /// several faults. It lives as long as any copy of this error.
    [[nodiscard]] std::string_view message() const noexcept {
        if (status_ == Status::not_started) {
            return "gatepost::Engine::start() was not called in this process";  // the library names the function in C
        }
        return words_ == nullptr || words_->message.empty() ? text_of(status_) : std::string_view(words_->message);
    }
    /// \returns the file that it is about; empty where there is none
    [[nodiscard]] std::string_view file() const noexcept {
        return words_ == nullptr ? "" : std::string_view(words_->file);
    }
    /// \returns the line that it is about, counted from 1; 0 where there is none
    [[nodiscard]] std::uint32_t line() const noexcept { return words_ == nullptr ? 0 : words_->line; }
    /// \returns the column that it is about, in characters, counted from 1; 0 where there is none
    [[nodiscard]] std::uint32_t column() const noexcept { return words_ == nullptr ? 0 : words_->column; }
    /// What to answer a request with for which no decision could be made. It must be refused.
    /// \returns 503 where another try may succeed, else 500
    [[nodiscard]] unsigned http_status() const noexcept {
        const bool busy = status_ == Status::overloaded || status_ == Status::state || status_ == Status::cancelled;
        return busy ? 503 : 500;
    }
    /// \returns the message, ended by a NUL
    [[nodiscard]] const char* what() const noexcept override { return message().data(); }

private:
    struct Words {
        std::string message;
        std::string file;
        std::uint32_t line;
        std::uint32_t column;
    };
    Status status_;
    std::shared_ptr<const Words> words_;
};

/// Prints Error::message(). A program that prints includes the header ostream itself.
/// \param out a stream
/// \param error any
/// \returns the stream
template <class Traits>
std::basic_ostream<char, Traits>& operator<<(std::basic_ostream<char, Traits>& out, const Error& error) {
    return out << error.message();
}

namespace detail {

/// Whether a value may itself be a refusal, so that to have one does not mean yes.
template <class T>
inline constexpr bool says_no = false;
template <>
inline constexpr bool says_no<bool> = true;

/// The end of value() on an error: nobody can go on as if there were a value.
template <bool Throws>
[[noreturn]] void raise(const Error& error) {
#if GATEPOST_EXCEPTIONS
    throw error;
#else
    std::fprintf(stderr, "gatepost: value() of a result that is an error: %s\n", error.what());
    std::abort();
#endif
}

}  // namespace detail

/// A value, or the Error that came in its place; shaped as std::expected is.
///
/// Nothing is undefined here: asking for a value that is not there throws the Error, or, with -fno-exceptions, prints
/// it and aborts. Asking for the error of a success gives one with Status::ok.
template <class T>
class [[nodiscard]] Result {
public:
    /// What it holds.
    using value_type = T;

    /// \param value what came of the call
    Result(T value) noexcept(std::is_nothrow_move_constructible_v<T>)
        : held_(std::in_place_index<0>, std::move(value)) {}  // NOLINT
    /// Makes the value in its place.
    /// \param arguments what it is made of
    template <class... Arguments>
    explicit Result(std::in_place_t, Arguments&&... arguments)
        : held_(std::in_place_index<0>, std::forward<Arguments>(arguments)...) {}
    /// \param error why nothing did
    Result(Error error) noexcept : held_(std::in_place_index<1>, std::move(error)) {}  // NOLINT

    /// \returns whether there is a value
    [[nodiscard]] bool has_value() const noexcept { return held_.index() == 0; }
    /// As has_value(). Not of a value that may be a refusal itself, a Decision, a Verified or a bool, so that nobody lets
    /// in whom it refuses: ask has_value(), or the value.
    /// \returns whether there is a value
    explicit operator bool() const noexcept {
        static_assert(!detail::says_no<T>, "there is a value also where it is a refusal: ask has_value() or the value");
        return has_value();
    }

    /// \returns the value
    /// \throws Error where there is none
    GATEPOST_INLINE T& value() & GATEPOST_BOUND { return checked(), *std::get_if<0>(&held_); }
    /// \returns the value
    /// \throws Error where there is none
    GATEPOST_INLINE const T& value() const& GATEPOST_BOUND { return checked(), *std::get_if<0>(&held_); }
    /// \returns the value, to be moved away
    /// \throws Error where there is none
    GATEPOST_INLINE T&& value() && GATEPOST_BOUND { return checked(), std::move(*std::get_if<0>(&held_)); }
    /// As value().
    /// \returns the value
    /// \throws Error where there is none
    GATEPOST_INLINE T& operator*() & GATEPOST_BOUND { return value(); }
    /// As value().
    /// \returns the value
    /// \throws Error where there is none
    GATEPOST_INLINE const T& operator*() const& GATEPOST_BOUND { return value(); }
    /// As value().
    /// \returns the value
    /// \throws Error where there is none
    GATEPOST_INLINE T&& operator*() && GATEPOST_BOUND { return std::move(*this).value(); }
    /// As value().
    /// \returns the value
    /// \throws Error where there is none
    GATEPOST_INLINE T* operator->() GATEPOST_BOUND { return &value(); }
    /// As value().
    /// \returns the value
    /// \throws Error where there is none
    GATEPOST_INLINE const T* operator->() const GATEPOST_BOUND { return &value(); }
    /// \param other what stands in where there is no value
    /// \returns the value, or that
    [[nodiscard]] T value_or(T other) && {
        T* value = std::get_if<0>(&held_);
        return value == nullptr ? std::move(other) : std::move(*value);
    }

    /// \returns why there is no value; an Error with Status::ok where there is one
    [[nodiscard]] Error error() const noexcept {
        const Error* error = std::get_if<1>(&held_);
        return error == nullptr ? Error(Status::ok) : *error;
    }
    /// \returns Status::ok, or that of the error
    [[nodiscard]] Status status() const noexcept {
        const Error* error = std::get_if<1>(&held_);
        return error == nullptr ? Status::ok : error->status();
    }

private:
    template <bool Throws>
    [[noreturn, gnu::noinline]] void fail() const {
        detail::raise<Throws>(error());
    }
    GATEPOST_INLINE void checked() const {
        if (!has_value()) {
            fail<GATEPOST_EXCEPTIONS != 0>();
        }
    }
    std::variant<T, Error> held_;
};

/// Success, or the Error that came in its place.
template <>
class [[nodiscard]] Result<void> {
public:
    /// Nothing to hold.
    using value_type = void;

    /// Success.
    Result() noexcept = default;
    /// \param error why it failed
    Result(Error error) noexcept : error_(std::move(error)) {}  // NOLINT

    /// \returns whether it succeeded
    [[nodiscard]] bool has_value() const noexcept { return !error_.has_value(); }
    /// \returns whether it succeeded
    explicit operator bool() const noexcept { return has_value(); }
    /// Does nothing.
    /// \throws Error where it failed
    GATEPOST_INLINE void value() const {
        if (error_.has_value()) {
            detail::raise<GATEPOST_EXCEPTIONS != 0>(*error_);
        }
    }
    /// \returns why it failed; an Error with Status::ok where it did not
    [[nodiscard]] Error error() const noexcept { return error_.has_value() ? *error_ : Error(Status::ok); }
    /// \returns Status::ok, or that of the error
    [[nodiscard]] Status status() const noexcept { return error_.has_value() ? error_->status() : Status::ok; }

private:
    std::optional<Error> error_;
};

namespace detail {

/// What a call without outputs came to.
inline Result<void> result(gatepost_status status, gatepost_error* error = nullptr) {
    if (status == GATEPOST_OK) {
        return {};
    }
    return Error(static_cast<Status>(status), error);
}

/// What a call came to that hands out an object.
template <class T, class Raw>
Result<T> result(gatepost_status status, Raw* made, gatepost_error* error) {
    if (status == GATEPOST_OK) {
        return T(made);
    }
    return Error(static_cast<Status>(status), error);
}

}  // namespace detail

}  // namespace gatepost

#endif
