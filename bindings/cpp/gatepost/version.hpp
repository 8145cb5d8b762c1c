/// \file
/// Which library runs, and whether it can serve this header.
#ifndef GATEPOST_VERSION_HPP
#define GATEPOST_VERSION_HPP

#include "result.hpp"

#include <initializer_list>
#include <string>

namespace gatepost {

/// \returns the version of the library that runs, like "0.1.0"; GATEPOST_VERSION is this header's
[[nodiscard]] inline std::string_view version() noexcept { return detail::view(gatepost_version()); }

/// \returns the number of the binary interface of the library that runs; GATEPOST_ABI is this header's
[[nodiscard]] inline std::uint32_t abi() noexcept { return gatepost_abi(); }

/// \param name like "sqlite" or "https"; those there are stand at gatepost_has_feature
/// \returns whether the library was built with it; false for a name that it does not know
[[nodiscard]] inline bool has_feature(std::string_view name) noexcept {
    return gatepost_has_feature(detail::str(name)) != 0;
}

namespace detail {

/// The number at the beginning of a text, which is taken away with the dot behind it.
inline unsigned number(std::string_view& text) noexcept {
    unsigned found = 0;
    while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
        found = found * 10 + static_cast<unsigned>(text.front() - '0');
        text.remove_prefix(1);
    }
    if (!text.empty()) {
        text.remove_prefix(1);
    }
    return found;
}

inline bool is_older_than_header(std::string_view library) noexcept {
    for (const int part : {GATEPOST_VERSION_MAJOR, GATEPOST_VERSION_MINOR, GATEPOST_VERSION_PATCH}) {
        const auto ours = static_cast<unsigned>(part);
        const unsigned theirs = number(library);
        if (theirs != ours) {
            return theirs < ours;
        }
    }
    return false;
}

}  // namespace detail

/// Tells whether the library that runs can serve programs that were compiled with this header. Whatever makes an engine
/// or a pool asks it first; call it to say so earlier. Cheap. Any thread.
/// \returns success, or Status::unsupported with a message that names both versions
inline Result<void> check_library() {
    const std::string_view library = version();
    if (gatepost_abi_check(GATEPOST_ABI) == GATEPOST_OK && !detail::is_older_than_header(library)) {
        return {};
    }
    return Error(Status::unsupported,
                 "the shared library libgatepost is " + std::string(library) + " (ABI " + std::to_string(abi()) +
                     "), and this program was compiled with gatepost.hpp " GATEPOST_HPP_VERSION " (ABI " +
                     std::to_string(GATEPOST_ABI) +
                     "): install libgatepost " GATEPOST_HPP_VERSION
                     " or newer, or compile the program with the header of that library");
}

}  // namespace gatepost

#endif
