// A Request takes whatever holds header fields, in its order, and allocates nothing for a usual request.
#include "check.hpp"

#include <array>
#include <deque>
#include <list>
#include <map>
#include <new>
#if __cplusplus >= 202002L
#include <ranges>
#endif
#include <unordered_map>

#if defined(__GNUC__) && !defined(__clang__)
// It takes the two replacements below for no pair.
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"
#endif

namespace {

std::size_t allocations = 0;

}  // namespace

void* operator new(std::size_t size) {
    ++allocations;
    if (void* memory = std::malloc(size)) {
        return memory;
    }
    throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

using namespace gatepost;

namespace {

struct Field {
    std::string name;
    std::string value;
};

struct Views {
    std::string_view name, value;
};

class Object {
public:
    Object(std::string name, std::string value) : name_(std::move(name)), value_(std::move(value)) {}
    const std::string& name() const { return name_; }
    const std::string& value() const { return value_; }

private:
    std::string name_, value_;
};

// As the strings of other libraries are: no std::string_view, no conversion to one.
struct Piece {
    const char* begin;
    std::size_t count;
    const char* data() const { return begin; }
    std::size_t size() const { return count; }
};

struct BeastLike {
    const char* name;
    Piece name_string() const { return {name, std::strlen(name)}; }
    Piece value() const { return {"v", 1}; }
};

// Hands out fields by value, which is fine as long as they own nothing.
struct Computed {
    struct iterator {
        int at;
        std::pair<std::string_view, std::string_view> operator*() const { return {at == 0 ? "A" : "B", "v"}; }
        iterator& operator++() { return ++at, *this; }
        bool operator!=(const iterator& other) const { return at != other.at; }
    };
    iterator begin() const { return {0}; }
    iterator end() const { return {2}; }
};

// As those of Qt: its size is signed.
struct Signed {
    const char* begin;
    int count;
    const char* data() const { return begin; }
    int size() const { return count; }
};

std::string taken_by(const Request& request) {
    const gatepost_request raw = request.raw();
    std::string made;
    for (std::size_t i = 0; i < raw.header_count; i++) {
        const gatepost_header& header = raw.headers[i];
        CHECK(header.mode == 0 && header.reserved == 0);
        made.append(header.name.ptr, header.name.len)
            .append("=")
            .append(header.value.ptr, header.value.len)
            .append(";");
    }
    return made;
}

template <class Container>
std::string taken(const Container& container) {
    return taken_by(Request("GET", "/").headers(container));
}

void containers() {
    using namespace std::string_literals;
    CHECK(taken(std::vector<std::pair<std::string, std::string>>{{"A", "v"}, {"B", "v"}, {"A", ""}}) == "A=v;B=v;A=;");
    CHECK(taken(std::map<std::string, std::string>{{"B", "v"}, {"A", "v"}}) == "A=v;B=v;");
    CHECK(taken(std::multimap<std::string_view, const char*>{{"A", "1"}, {"A", "2"}}) == "A=1;A=2;");
    CHECK(taken(std::unordered_map<std::string, std::string>{{"A", "v"}}) == "A=v;");
    CHECK(taken(std::list<Field>{{"A", "v"}, {"B", "a\0b"s}}) == "A=v;B=a\0b;"s);
    CHECK(taken(std::array<Views, 2>{Views{"A", "v"}, Views{"B", "v"}}) == "A=v;B=v;");
    CHECK(taken(std::deque<Object>{{"A", "v"}}) == "A=v;");
    CHECK(taken(std::vector<std::tuple<std::string, std::string_view>>{{"A", "v"}}) == "A=v;");
    CHECK(taken(std::vector<std::array<std::string, 2>>{{"A", "v"}}) == "A=v;");
    CHECK(taken(std::vector<BeastLike>{{"A"}, {"B"}}) == "A=v;B=v;");
    CHECK(taken(Computed{}) == "A=v;B=v;");
    CHECK(taken(std::vector<std::pair<Signed, const char*>>{{{"A", 1}, nullptr}}) == "A=;");
    const std::string value = "v";
    CHECK(taken_by(Request().headers({{"A", value}, {"B", {"w", 1}}}).header({}, {})) == "A=v;B=w;=;");
    const std::pair<const char*, const char*> plain[] = {{"A", "v"}, {"B", "v"}};
    CHECK(taken(plain) == "A=v;B=v;");
    CHECK(taken(std::vector<Views>{}).empty());
    std::vector<std::pair<std::string, std::string>> many;
    std::string wanted;
    for (int i = 0; i < 200; i++) {
        many.emplace_back("X-" + std::to_string(i), std::to_string(i));
        wanted += many.back().first + "=" + many.back().second + ";";
    }
    CHECK(taken(many) == wanted);
}

void every_member() {
    int mine = 0;
    const auto made = Request("POST", "/a")
                          .host("h")
                          .peer("p")
                          .request_id("i")
                          .client_certificate("der", true)
                          .body("b", false)
                          .tls(true)
                          .now(7)
                          .user(&mine)
                          .header("A", "v");
    const gatepost_request raw = made.raw();
    const auto is = [](gatepost_str found, const char* text) { return detail::view(found) == text; };
    CHECK(raw.struct_size == sizeof raw && is(raw.method, "POST") && is(raw.target, "/a") && is(raw.host, "h"));
    CHECK(is(raw.peer, "p") && is(raw.request_id, "i") && is(raw.client_cert_der, "der") && is(raw.body, "b"));
    CHECK(raw.flags == (GATEPOST_REQUEST_TLS | GATEPOST_REQUEST_CERT_VERIFIED) && raw.now == 7 && raw.user == &mine);
    CHECK(raw.header_count == 1 && raw.header_block.len == 0);
    CHECK(Request(made).body("b").client_certificate("der", false).tls(false).raw().flags ==
          GATEPOST_REQUEST_BODY_COMPLETE);
    const std::chrono::system_clock::time_point time{std::chrono::seconds(1'800'000'000)};
    CHECK(Request().now(time).raw().now == 1'800'000'000);
    CHECK(is(Request().header_block("A: v\r\n").raw().header_block, "A: v\r\n") && Request().raw().headers == nullptr);
    CHECK(Request(made).clear_headers().header_block("x").clear_headers().raw().header_count == 0);
}

// Copies have fields of their own, few and many.
void copies() {
    for (const int count : {3, 24, 25, 60}) {
        std::vector<std::pair<std::string, std::string>> fields;
        for (int i = 0; i < count; i++) {
            fields.emplace_back("N" + std::to_string(i), "v");
        }
        auto first = std::make_unique<Request>("GET", "/public");
        first->headers(fields);
        Request second = *first;
        Request third("GET", "/");
        third.header("Old", "gone");
        third = *first;
        Request& same = third;
        third = same;
        first.reset();
        for (const Request* request : {&second, &third}) {
            const gatepost_request raw = request->raw();
            CHECK(raw.header_count == static_cast<std::size_t>(count));
            CHECK(detail::view(raw.headers[count - 1].name) == fields.back().first);
        }
        second.clear_headers().header("A", "v");
        CHECK(second.raw().header_count == 1 && detail::view(second.raw().headers[0].name) == "A");
    }
}

#if GATEPOST_EXCEPTIONS
// Throws in the middle, as a parser that hands out fields may.
struct Breaks {
    struct iterator {
        int at;
        Views operator*() const { return at < 40 ? Views{"A", "v"} : throw at; }
        iterator& operator++() { return ++at, *this; }
        bool operator!=(const iterator& other) const { return at != other.at; }
    };
    iterator begin() const { return {0}; }
    iterator end() const { return {99}; }
};

// What was added before is there, and nothing that was freed.
void a_container_that_throws() {
    Request request("GET", "/");
    int thrown = 0;
    try {
        request.headers(Breaks{});
    } catch (int at) {
        thrown = at;
    }
    CHECK(thrown == 40 && request.raw().header_count == 40 && taken_by(request).size() == 160);
}
#else
void a_container_that_throws() {}
#endif

#if defined(__cpp_lib_ranges) && !defined(__clang__)  // clang 14 does not compile these of libstdc++
void ranges() {
    const std::vector<Views> fields = {{"A", "v"}, {"Host", "h"}, {"B", "v"}};
    Request request;
    // Its begin() is not const.
    request.headers(fields | std::views::filter([](const Views& field) { return field.name != "Host"; }));
    request.headers(fields |
                    std::views::transform([](const Views& field) { return std::pair(field.value, field.name); }));
    CHECK(taken_by(request) == "A=v;B=v;v=A;h=Host;v=B;");
}
#else
void ranges() {}
#endif

void a_usual_request_allocates_nothing(const Engine& engine) {
    const std::vector<Views> fields(20, Views{"Accept", "text/html"});
    CHECK(must(engine.decide(get("/public"))).allowed());
    const std::size_t before = allocations;
    {
        const auto decision = engine.decide(get("/public").headers(fields));
        CHECK(decision.has_value() && decision->allowed());
    }
    CHECK(allocations == before);
}

void what_they_say_counts(const Engine& engine) {
    const std::map<std::string, std::string> right{{"Authorization", std::string(RIGHT)}};
    CHECK(must(engine.decide(get("/private").headers(right))).allowed());
    const std::string block = "Authorization: " + std::string(RIGHT) + "\r\n";
    CHECK(must(engine.decide(get("/private").header_block(block))).allowed());
    CHECK(engine.decide(get("/private").headers(right).header_block("A: b\r\n")).status() == Status::invalid_argument);
    CHECK(must(engine.decide(Request())).status() == 400);
    CHECK(engine.wants_body(get("/private")) == 0);
}

void what_goes_is_known_without_a_decision(const std::string& folder) {
    const auto engine = must(Engine::open(folder + "/policy.toml"));
    CHECK(engine.decide(get("/public")).status() == Status::not_started);
    const std::map<std::string, std::string> forged{{"x_auth_SUBJECT", "evil"}, {"X-Author", "Ann"}};
    const auto of_all = must(engine.strip());
    const auto of_one = must(engine.strip(get("/public").headers(forged)));
    CHECK(!of_all.allowed() && !of_one.allowed() && of_one.answers() && of_one.status() == 500);
    CHECK(of_one.strip().size() == of_all.strip().size() + 1);
    const auto goes = [&](std::string_view name) {
        const auto names = of_one.strip();
        return std::count(names.begin(), names.end(), name) == 1;
    };
    CHECK(goes("x_auth_SUBJECT") && !goes("X-Author"));
    CHECK(engine.strip(get("/public").headers(forged).header_block("A: b\r\n")).status() == Status::invalid_argument);
}

}  // namespace

int main(int, char** argv) {
    containers();
    every_member();
    copies();
    a_container_that_throws();
    ranges();
    const auto engine = started(argv[1]);
    a_usual_request_allocates_nothing(engine);
    what_they_say_counts(engine);
    what_goes_is_known_without_a_decision(argv[1]);
    return 0;
}
