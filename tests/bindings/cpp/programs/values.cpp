// Errors as values and as exceptions; what moves and what copies; what was moved away refuses. Also built without
// exceptions: there value() of an error ends the program.
#include "check.hpp"

#include <algorithm>
#include <csignal>
#include <cstring>
#include <iomanip>
#include <sstream>
#include <sys/wait.h>
#include <unistd.h>

using namespace gatepost;

namespace {

#if __cplusplus >= 202002L
// What is found in a range outlives the range, which is but a view of the decision.
static_assert(std::ranges::borrowed_range<Headers> && std::ranges::borrowed_range<Strings>);
static_assert(std::ranges::input_range<Headers>);
#endif
static_assert(!std::is_copy_constructible_v<Decision> && !std::is_copy_assignable_v<Decision>);
static_assert(!std::is_copy_constructible_v<Job> && !std::is_copy_constructible_v<Chore>);
static_assert(!std::is_copy_constructible_v<Pool> && !std::is_copy_constructible_v<Bytes>);
static_assert(!std::is_copy_constructible_v<Tokens> && !std::is_copy_constructible_v<Verified>);
static_assert(std::is_nothrow_move_constructible_v<Decision> && std::is_nothrow_move_assignable_v<Decision>);
static_assert(std::is_nothrow_move_constructible_v<Engine> && std::is_nothrow_copy_constructible_v<Engine>);
static_assert(std::is_nothrow_move_constructible_v<Pool> && std::is_nothrow_move_constructible_v<Job>);
static_assert(std::is_nothrow_copy_constructible_v<Error> && std::is_base_of_v<std::exception, Error>);
static_assert(std::is_copy_constructible_v<Request>);

void denies(const Decision& decision) {
    CHECK(decision.action() == Action::deny && !decision.allowed() && !decision.passed() && decision.answers());
    CHECK(decision.status() == 500 && decision.reason() == Reason::internal && decision.reason_name() == "internal");
    CHECK(decision.subject().empty() && decision.id().empty() && decision.issuer().empty() &&
          decision.scheme().empty());
    CHECK(decision.response_headers().empty() && decision.upstream_headers().empty() && decision.strip().empty());
    CHECK(decision.body().empty() && decision.roles().empty() && decision.attribute("subject").empty());
    CHECK(decision.generation() == 0 && decision.retry_after().count() == 0 && decision.raw() == nullptr);
    for (const auto header : decision.response_headers()) {
        CHECK(header.name.empty() && false);
    }
}

void decisions(const Engine& engine) {
    denies(Decision());
    denies(Decision(nullptr));
    auto allowed = must(engine.decide(get("/private", RIGHT).header("x_auth_subject", "root").request_id("4711")));
    CHECK(allowed.allowed() && !allowed.answers() && allowed.status() == 200 && allowed.reason() == Reason::allowed);
    CHECK(allowed.subject() == "alice" && allowed.issuer().empty() && allowed.scheme() == "basic");
    CHECK(allowed.id() == "4711" && allowed.generation() == 1 && allowed.body().empty());
    CHECK(allowed.roles() == std::vector<std::string>({"clerk"}) && allowed.scopes().empty());
    CHECK(allowed.attribute("scheme") == "basic" && allowed.attribute("nonsense").empty());
    const auto upstream = allowed.upstream_headers();
    const auto subject =
        std::find_if(upstream.begin(), upstream.end(), [](const Header& h) { return h.name == "X-Auth-Subject"; });
    CHECK(subject != upstream.end() && (*subject).value == "alice" && subject->mode == HeaderMode::set);
    CHECK((*subject).value.data()[5] == '\0');
    const auto strip = allowed.strip();
    CHECK(std::find(strip.begin(), strip.end(), "x_auth_subject") != strip.end() && !strip.empty());
    CHECK(strip.size() == static_cast<std::size_t>(std::distance(strip.begin(), strip.end())) &&
          strip[0] == *strip.begin());

    // Moved away, it denies; what was taken out of it before goes along.
    const std::string_view id = allowed.id();
    Decision moved = std::move(allowed);
    denies(allowed);  // NOLINT
    CHECK(moved.allowed() && id == "4711" && moved.id().data() == id.data());
    Decision other;
    other = std::move(moved);
    denies(moved);  // NOLINT
    CHECK(other.allowed());
    Decision& self = other;
    other = std::move(self);
    CHECK(other.allowed() && other.subject() == "alice");

    const auto refused = must(engine.decide(get("/private")));
    CHECK(refused.answers() && refused.status() == 401 && refused.reason() == Reason::credentials_missing);
    CHECK(refused.reason_name() == "credentials_missing" &&
          refused.body().find("credentials_missing") != std::string_view::npos);
    const auto fields = refused.response_headers();
    CHECK(std::any_of(fields.begin(), fields.end(),
                      [](const Header& h) {
                          return h.name == "WWW-Authenticate" &&
                                 h.value == "Basic realm=\"Orders\", charset=\"UTF-8\"" && h.mode == HeaderMode::append;
                      }) ||
          std::any_of(fields.begin(), fields.end(),
                      [](const Header& h) { return h.name == "WWW-Authenticate" && h.mode == HeaderMode::set; }));
    CHECK(must(engine.decide(get("/admin", RIGHT))).reason() == Reason::role_missing);
    // A decision outlives its engine, as many references as there were.
    const auto last = [&] { return must(Engine(engine).decide(get("/public"))); }();
    CHECK(last.allowed() && last.reason() == Reason::public_);
}

void errors(const char* folder) {
    const auto missing = Engine::open(std::string(folder) + "/none.toml");
    CHECK(!missing && !missing.has_value() && missing.error().status() == Status::policy &&
          missing.status() == Status::policy);
    CHECK(missing.error().message().find("none.toml") != std::string_view::npos);
    const auto broken =
        Engine::from_text("[engine]\nname = \"x\"\n\n[[route]]\npath = \"orders\"\naccess = \"public\"\n");
    const Error error = broken.error();
    CHECK(error.status() == Status::policy && error.line() == 5 && error.column() > 0 && !error.file().empty());
    CHECK(std::strlen(error.what()) == error.message().size() && error.http_status() == 500);
    const Error copy = error;  // NOLINT
    CHECK(copy.message().data() == error.message().data());
    for (const Status busy : {Status::overloaded, Status::state, Status::cancelled}) {
        CHECK(Error(busy).http_status() == 503);  // as in Go and in Python
    }
    for (const Status lasting : {Status::invalid_argument, Status::not_started, Status::conflict, Status::panic}) {
        CHECK(Error(lasting).http_status() == 500);
    }
    CHECK(Error(Status::overloaded).what() == text_of(Status::overloaded));
    CHECK(Error(static_cast<Status>(9999)).message().size() > 0 && is_error(static_cast<Status>(9999)) &&
          !is_error(Status::pending));

    const auto engine = must(Engine::open(policy(folder)));
    const Error early = engine.decide(get("/public")).error();
    CHECK(early.status() == Status::not_started && early.message().find("Engine::start()") != std::string_view::npos);
    CHECK(std::strlen(early.what()) == early.message().size());
    Engine gone = engine;
    const Engine here = std::move(gone);
    CHECK(here && !gone && gone.decide(get("/public")).status() == Status::invalid_argument);  // NOLINT
    CHECK(gone.start().status() == Status::invalid_argument && gone.generation() == 0);
    CHECK(Engine(gone).decide(get("/public")).status() == Status::invalid_argument);
    // In words that say so, by whatever call.
    const auto moved = [](const Error& said) {
        return said.status() == Status::invalid_argument &&
               said.message().find("it was moved away") != std::string_view::npos;
    };
    CHECK(moved(gone.start().error()) && moved(gone.reload().error()) && moved(gone.poll().error()));
    CHECK(moved(gone.decide(get("/public")).error()) && moved(gone.begin(get("/public")).error()));
    CHECK(moved(gone.verify_token("token").error()) && moved(gone.metrics().error()));
    CHECK(moved(gone.issue_token({}).error()) && moved(gone.refresh_token({}).error()));
    int told = 0;
    const auto pool = must(Pool::make(1, 1));
    gone.decide(pool, get("/public"),
                [&](const Result<Decision>& decision) { told += moved(decision.error()) ? 1 : 0; });
    CHECK(told == 1 && !moved(here.decide(get("/public")).error()) && !moved(here.verify_token("token").error()));
    const Error unnamed = Engine::open("").error();
    CHECK(unnamed.status() == Status::invalid_argument && unnamed.message() == "the path of the policy is empty");
    const Error cut = Engine::open("a\0b"sv).error();
    CHECK(cut.status() == Status::invalid_argument && cut.message() == "the path of the policy has a NUL inside");
}

void results() {
    Result<std::string> good(std::string("tea"));
    CHECK(good && *good == "tea" && good->size() == 3 && good.status() == Status::ok &&
          good.error().status() == Status::ok);
    CHECK(std::move(good).value_or("none") == "tea");
    CHECK(Result<std::string>(Error(Status::state)).value_or("none") == "none");
    Result<void> fine;
    fine.value();
    CHECK(fine && fine.error().status() == Status::ok && !Result<void>(Error(Status::state)));
    // What only moves is moved out.
    Result<std::unique_ptr<int>> only(std::make_unique<int>(7));
    const std::unique_ptr<int> out = std::move(only).value();
    CHECK(*out == 7);
}

void texts() {
    CHECK(version() == GATEPOST_VERSION && abi() == GATEPOST_ABI &&
          GATEPOST_HPP_VERSION == std::string_view(GATEPOST_VERSION));
    CHECK(check_library() && has_feature("sqlite") && !has_feature("mind reading"));
    CHECK(name_of(Reason::throttled) == "throttled" && status_of(Reason::throttled) == 429);
    CHECK(name_of(static_cast<Reason>(9999)).empty() && status_of(static_cast<Reason>(9999)) == 500);
    CHECK(!text_of(Reason::throttled, Audience::person).empty());
    CHECK(text_of(Reason::throttled, Audience::person) != text_of(Reason::throttled, Audience::operator_));
    CHECK(name_of(Action::respond) == "RESPOND" && name_of(static_cast<Action>(9)) == "DENY");
    CHECK(detail::is_older_than_header("0.0.9") && !detail::is_older_than_header(GATEPOST_VERSION));
    CHECK(!detail::is_older_than_header("0.10.0") && !detail::is_older_than_header("1.0.0") &&
          detail::is_older_than_header(""));
    CHECK(detail::taken_apart("a%2Cb,c%20d,%", ',') == std::vector<std::string>({"a,b", "c d", "%"}));
}

template <class T>
std::string printed(const T& value) {
    std::ostringstream out;
    out << std::setw(8) << value;
    return out.str();
}

void printing() {
    CHECK(printed(Reason::throttled) == "throttled" && printed(Reason::public_) == "  public");
    CHECK(printed(Action::allow) == "   ALLOW" && printed(HeaderMode::set_if_absent) == "set_if_absent");
    CHECK(printed(HeaderMode::append) == "  append" && printed(HeaderMode::set) == "     set");
    CHECK(printed(Audience::operator_) == "operator" && printed(Audience::person) == "  person");
    CHECK(printed(Severity::info) == "    info" && printed(Severity::notice) == "  notice");
    CHECK(printed(Severity::warning) == " warning" && printed(Severity::error) == "   error");
    CHECK(printed(Status::overloaded) == text_of(Status::overloaded));
    CHECK(printed(Error(Status::state, "no room left")) == "no room left");
    // What this release does not know.
    CHECK(printed(static_cast<Reason>(9999)) == "    9999" && printed(static_cast<HeaderMode>(99)) == "      99");
    CHECK(name_of(static_cast<Severity>(99)).empty() && name_of(static_cast<Audience>(99)).empty());
}

#if GATEPOST_EXCEPTIONS
void exceptions(const char* folder) {
    int caught = 0;
    try {
        Engine::open(std::string(folder) + "/none.toml").value();
    } catch (const Error& error) {
        caught += error.status() == Status::policy ? 1 : 0;
    }
    try {
        Result<void>(Error(Status::state, "words")).value();
    } catch (const std::exception& error) {
        caught += std::strcmp(error.what(), "words") == 0 ? 1 : 0;
    }
    try {
        (void)*Result<int>(Error(Status::state));
    } catch (const Error&) {
        ++caught;
    }
    CHECK(caught == 3);
    // Through C nothing is thrown: it ends the program, and is not passed on to whoever calls.
    for (const bool of_an_event : {false, true}) {
        const pid_t child = fork();
        if (child == 0) {
            (void)!freopen("/dev/null", "w", stderr);
            try {
                Options options;
                options.on_event = [&](const Event&) { throw 1; };
                const auto engine = started(folder, options);
                if (of_an_event) {
                    (void)engine.decide(get("/private"));
                } else {
                    engine.decide(Pool(nullptr), get("/public"), [](const Result<Decision>&) { throw 1; });
                }
            } catch (int) {
                _exit(1);
            }
            _exit(0);
        }
        int status = 0;
        CHECK(waitpid(child, &status, 0) == child && WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    }
}
#else
void exceptions(const char*) {
    // In a child, since it ends there.
    const pid_t child = fork();
    if (child == 0) {
        (void)!freopen("/dev/null", "w", stderr);
        Result<int>(Error(Status::state)).value();
        _exit(0);
    }
    int status = 0;
    CHECK(waitpid(child, &status, 0) == child && WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}
#endif

}  // namespace

int main(int, char** argv) {
    results();
    texts();
    printing();
    errors(argv[1]);
    exceptions(argv[1]);
    decisions(started(argv[1]));
    return 0;
}
