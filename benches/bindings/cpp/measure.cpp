// measure POLICY TOKEN KEY: nanoseconds of one decision by the C call and by gatepost.hpp, as `LABEL PATH NS` lines.
// Both take turns in this process, in many short rounds, so that what else the machine does meets both alike; told is what
// a tenth of the rounds were quicker than.
#include "call.h"

#include <gatepost.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>

// A test of this program asks for fewer.
#ifndef ROUNDS
#define ROUNDS 1201
#define EACH 100
#endif

namespace {

struct Path {
    const char* name;
    const char* target;
    std::string field;
    std::string value;
    std::uint32_t status;
};

// A server's own fields, which a Request takes as they are.
struct Field {
    std::string_view name;
    std::string_view value;
};

// What a browser or a client library sends besides.
const std::vector<Field> USUAL = {
    {"Host", "orders.example.com"},
    {"User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"},
    {"Accept", "application/json"},
    {"Accept-Language", "en-GB,en;q=0.7,de;q=0.3"},
    {"Accept-Encoding", "gzip, deflate, br"},
    {"Connection", "keep-alive"},
    {"Referer", "https://orders.example.com/orders"},
    {"Sec-Fetch-Site", "same-origin"},
};

[[noreturn]] void fail(const char* what) {
    std::fprintf(stderr, "measure: %s\n", what);
    std::exit(1);
}

std::uint32_t decide_in_cpp(const gatepost::Engine& engine, const char* target, const std::vector<Field>& fields) {
    gatepost::Request request("GET", target);
    request.host("orders.example.com").peer("192.0.2.7").tls(true).body("").headers(fields);
    const auto decision = engine.decide(request);
    return decision.has_value() ? decision->status() : 0;
}

template <class Decide>
double round_of(const Path& path, Decide decide) {
    const auto begun = std::chrono::steady_clock::now();
    for (int i = 0; i < EACH; i++) {
        if (decide() != path.status) {
            fail("this path is decided in another way than the benchmark takes it to be");
        }
    }
    return std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - begun).count() / EACH;
}

// What a tenth were quicker than.
double quick(std::vector<double>& of) {
    std::nth_element(of.begin(), of.begin() + static_cast<std::ptrdiff_t>(of.size() / 10), of.end());
    return of[of.size() / 10];
}

void measure(const gatepost::Engine& engine, const Path& path) {
    std::vector<Field> fields = USUAL;
    if (!path.field.empty()) {
        fields.push_back({path.field, path.value});
    }
    std::vector<field> plain;
    for (const Field& one : fields) {
        plain.push_back({one.name.data(), one.name.size(), one.value.data(), one.value.size()});
    }
    const auto by_c = [&] { return decide_in_c(engine.raw(), path.target, plain.data(), plain.size()); };
    const auto by_cpp = [&] { return decide_in_cpp(engine, path.target, fields); };
    std::vector<double> c;
    std::vector<double> cpp;
    (void)round_of(path, by_c);
    for (int i = 0; i < ROUNDS; i++) {
        // Who goes first changes.
        if (i % 2 == 0) {
            c.push_back(round_of(path, by_c));
            cpp.push_back(round_of(path, by_cpp));
        } else {
            cpp.push_back(round_of(path, by_cpp));
            c.push_back(round_of(path, by_c));
        }
    }
    std::printf("c\t%s\t%.1f\ncpp\t%s\t%.1f\n", path.name, quick(c), path.name, quick(cpp));
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 4) {
        fail("usage: measure POLICY TOKEN KEY");
    }
    const auto engine = gatepost::Engine::open(argv[1]).value();
    engine.start().value();
    // rita:four cups of green tea each noon
    const char* basic = "Basic cml0YTpmb3VyIGN1cHMgb2YgZ3JlZW4gdGVhIGVhY2ggbm9vbg==";
    for (const Path& path : {
             Path{"public", "/health", "", "", 200},
             Path{"basic", "/orders/7?page=2", "Authorization", basic, 200},
             Path{"api-key", "/orders/7?page=2", "X-API-Key", argv[3], 200},
             Path{"hs256", "/orders/7?page=2", "Authorization", std::string("Bearer ") + argv[2], 200},
             Path{"refused", "/orders/7?page=2", "", "", 401},
         }) {
        measure(engine, path);
    }
    return 0;
}
