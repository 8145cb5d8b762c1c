// What every C++ test shares: a check that ends the process, the prepared service.
#ifndef CHECK_HPP
#define CHECK_HPP

#include <gatepost.hpp>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

// Not assert(): it vanishes with NDEBUG, and a check that can vanish is no check.
#define CHECK(condition)                                                                                               \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            std::fprintf(stderr, "%s:%d: CHECK failed: %s\n", __FILE__, __LINE__, #condition);                         \
            std::exit(1);                                                                                              \
        }                                                                                                              \
    } while (0)

using namespace std::string_view_literals;

// alice:correct horse battery staple (RFC 7617), and a wrong password.
inline constexpr std::string_view RIGHT = "Basic YWxpY2U6Y29ycmVjdCBob3JzZSBiYXR0ZXJ5IHN0YXBsZQ==";
inline constexpr std::string_view WRONG = "Basic YWxpY2U6bm90IHRoZSByaWdodCBwYXNzd29yZA==";

// The value, or the end of the test with the message.
template <class T>
T must(gatepost::Result<T> result) {
    if (!result.has_value()) {
        std::fprintf(stderr, "failed: %s\n", result.error().what());
        std::exit(1);
    }
    if constexpr (!std::is_void_v<T>) {
        return std::move(result).value();
    }
}

inline std::string policy(const char* folder) { return std::string(folder) + "/policy.toml"; }

inline gatepost::Engine started(const char* folder, const gatepost::Options& options = {}) {
    auto engine = must(gatepost::Engine::open(policy(folder), options));
    must(engine.start());
    return engine;
}

// A request of the service: /public for all, /private for alice, /admin for the role admin, which nobody has.
inline gatepost::Request get(std::string_view target, std::string_view authorization = {}) {
    gatepost::Request request("GET", target);
    request.host("orders.example.com").peer("192.0.2.7").tls(true);
    if (!authorization.empty()) {
        request.header("Authorization", authorization);
    }
    return request;
}

#endif
