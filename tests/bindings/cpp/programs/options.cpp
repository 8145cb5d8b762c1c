// Functions of the host: clock, events, its own HTTP. Each ends once, whatever becomes of the engine.
#include "check.hpp"

#include <atomic>
#include <fstream>
#include <thread>

using namespace gatepost;

namespace {

// Counts what it is copied into and ends.
struct Held {
    std::shared_ptr<int> alive = std::make_shared<int>(0);
    long others() const { return alive.use_count() - 1; }
};

void the_clock(const char* folder) {
    const Held held;
    std::atomic<std::int64_t> time{1'800'000'000};
    std::atomic<int> calls{0};
    {
        Options options;
        options.clock = [alive = held.alive, &time, &calls] {
            ++calls;
            return time.load();
        };
        const auto engine = must(Engine::open(policy(folder), options));
        must(engine.start());
        options = {};
        CHECK(held.others() > 0);
        const auto token = must(engine.issue_token({{}, "alice"}));
        CHECK(token.expires_at() == time + token.expires_in().count() && calls > 0);
        CHECK(must(engine.verify_token(token.access_token())).good());
        time += 24 * 3600;
        CHECK(must(engine.verify_token(token.access_token())).reason() == Reason::token_expired);
        // The request's own time goes before it.
        const std::string bearer = "Bearer " + std::string(token.access_token());
        CHECK(must(engine.decide(get("/token", bearer))).reason() == Reason::token_expired);
        CHECK(must(engine.decide(get("/token", bearer).now(1'800'000'001))).allowed());
    }
    CHECK(held.others() == 0);
    // Ended also where there is no engine.
    Options options;
    options.clock = [alive = held.alive] { return std::int64_t{0}; };
    options.on_event = [alive = held.alive](const Event&) {};
    options.on_fetch = [alive = held.alive](const Fetch&) {};
    CHECK(!Engine::open("/nowhere", options) && !Engine::from_text("nonsense", {}, options));
    options = {};
    CHECK(held.others() == 0);
}

void events(const char* folder) {
    std::vector<std::string> lines;
    std::vector<std::string> names;
    int mine = 0;
    int of_mine = 0;
    Options options;
    options.on_event = [&](const Event& event) {
        lines.emplace_back(event.line);
        names.emplace_back(event.name);
        CHECK(event.line.front() == '{' && event.line.back() == '}');
        if (event.name == "decision") {
            CHECK(event.user == &mine && event.id == "4711" && event.status == 401 &&
                  event.severity != Severity::error);
            CHECK(event.action == Action::deny && event.reason == Reason::credentials_missing);
            of_mine++;
        } else {
            CHECK(event.user == nullptr && event.reason == Reason::none && event.status == 0);
        }
    };
    const auto engine = started(folder, options);
    (void)must(engine.decide(get("/private").request_id("4711").user(&mine)));
    CHECK(of_mine == 1 && lines.back().find("\"4711\"") != std::string::npos);
    must(engine.reload());
    (void)must(engine.poll_blocking());
    CHECK(engine.generation() == 2);
    CHECK(std::find(names.begin(), names.end(), "policy_reloaded") != names.end());
}

const char* const FETCHING = R"(
[engine]
state = ":memory:"
[[issuer]]
name = "accounts"
issuer = "https://accounts.example.com"
audience = ["orders"]
algorithms = ["ES256"]
keys = { url = "https://accounts.example.com/jwks.json" }
[[route]]
path = "/token"
schemes = ["bearer"]
)";

void fetches() {
    const Held held;
    std::atomic<int> asked{0};
    {
        Options options;
        options.on_fetch = [&asked, alive = held.alive](const Fetch& fetch) {
            CHECK(fetch.url() == "https://accounts.example.com/jwks.json" && !fetch.accept().empty());
            CHECK(fetch.largest() > 0 && fetch.timeout().count() > 0 && fetch.ca().empty() && fetch.etag().empty());
            Fetched said;
            if (asked++ == 0) {
                said.error = "nobody is there";
            } else {
                said.status = 200;
                said.content_type = "application/json";
                said.cache_control = "max-age=60";
                said.etag = "\"one\"";
                // RFC 7517, appendix A.1.
                said.body = R"({"keys":[{"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",)"
                            R"("y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM","use":"sig","kid":"1"}]})";
            }
            must(fetch.answer(said));
        };
        const auto engine = must(Engine::from_text(FETCHING, {}, options));
        must(engine.start());
        const auto reason = [&] {
            // A token of that issuer with that key and a signature that is none.
            return must(engine.decide(get(
                            "/token",
                            "Bearer eyJhbGciOiJFUzI1NiIsImtpZCI6IjEifQ."
                            "eyJpc3MiOiJodHRwczovL2FjY291bnRzLmV4YW1wbGUuY29tIn0."
                            "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")))
                .reason();
        };
        CHECK(reason() == Reason::keys_unavailable);
        (void)must(engine.poll_blocking());
        CHECK(asked == 1 && reason() == Reason::keys_unavailable);
        for (int i = 0; i < 600 && reason() == Reason::keys_unavailable; i++) {
            std::this_thread::sleep_for(must(engine.poll_blocking()) / 4);
        }
        CHECK(asked == 2 && reason() == Reason::token_signature);
    }
    CHECK(held.others() == 0);
}

void leaves_no_trace(const char* folder) {
    Options options;
    options.read_only = true;
    options.hashing_memory = 64 << 20;
    const auto engine = started(folder, options);
    for (int i = 0; i < 3; i++) {
        CHECK(must(engine.decide(get("/private", WRONG))).reason() == Reason::credentials_invalid);
    }
    CHECK(must(engine.decide(get("/private", RIGHT))).allowed());
}

void a_reload_that_fails_keeps_the_old_policy(const char* folder) {
    std::string text;
    std::getline(std::ifstream(policy(folder)), text, '\0');
    const std::string file = std::string(folder) + "/reloaded.toml";
    std::ofstream(file) << text;
    const auto engine = must(Engine::open(file));
    must(engine.start());
    std::ofstream(file) << text << "[[route]]\npath = \"new\"\naccess = \"public\"\n";
    const auto failed = engine.reload();
    CHECK(failed.status() == Status::policy && failed.error().line() > 1 && engine.generation() == 1);
    CHECK(must(engine.decide(get("/public"))).allowed());
    std::ofstream(file) << text << "[[route]]\npath = \"/new\"\naccess = \"public\"\n";
    must(engine.reload());
    CHECK(must(engine.decide(get("/new"))).generation() == 2);
    CHECK(must(check_policy(file)).view().size() < 10'000 &&
          must(check_policy_text(text, file)).view().data() != nullptr);
    CHECK(check_policy_text("[[route]]\npath = \"x\"\n").status() == Status::policy && !check_policy("/nowhere"));
    CHECK(Engine::from_text(text, folder)->reload().status() != Status::ok);
}

}  // namespace

int main(int, char** argv) {
    the_clock(argv[1]);
    events(argv[1]);
    fetches();
    leaves_no_trace(argv[1]);
    a_reload_that_fails_keeps_the_old_policy(argv[1]);
    return 0;
}
