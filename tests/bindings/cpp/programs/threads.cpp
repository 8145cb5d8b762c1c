// One engine, copied into threads that decide, reload, poll and ask, while a loop dispatches for a pool of its own.
#include "check.hpp"

#include <atomic>
#include <poll.h>
#include <thread>

using namespace gatepost;

namespace {

// How many each thread takes: fewer under tools that make each slow.
int decisions() {
    const char* wanted = std::getenv("DECISIONS");
    return wanted == nullptr ? 2000 : std::atoi(wanted);
}

void decides(Engine engine, const Request& shared, std::atomic<int>& allowed, int many) {
    for (int i = 0; i < many; i++) {
        const Engine copy = engine;
        allowed += must(copy.decide(shared)).allowed() ? 1 : 0;
        CHECK(must(copy.decide(get("/private"))).status() == 401);
        engine = copy;
    }
}

void loops(const Engine& engine) {
    Pool workers = must(Pool::make(2, 64));
    int told = 0;
    for (int i = 0; i < 20; i++) {
        const auto canceller =
            engine.decide(workers, get("/private", i % 2 == 0 ? RIGHT : WRONG), [&](const Result<Decision>& result) {
                CHECK(result.has_value() ? result->status() == 200 || result->status() == 401
                                         : result.status() == Status::cancelled);
                told++;
            });
        if (i % 5 == 0) {
            std::thread([canceller] { canceller.cancel(); }).join();
        }
    }
    while (told < 20) {
        pollfd waiting = {workers.fd(), POLLIN, 0};
        CHECK(::poll(&waiting, 1, 120000) == 1);
        must(workers.dispatch());
    }
}

}  // namespace

int main(int, char** argv) {
    const int many = decisions();
    CHECK(many > 0);
    std::atomic<int> events{0};
    std::atomic<int> allowed{0};
    Options options;
    options.on_event = [&](const Event&) { ++events; };
    {
        const auto engine = started(argv[1], options);
        const Request shared = get("/public");
        std::vector<std::thread> threads;
        for (int i = 0; i < 4; i++) {
            threads.emplace_back([&] { decides(engine, shared, allowed, many); });
        }
        threads.emplace_back([&] { loops(engine); });
        threads.emplace_back([&] {
            for (int i = 0; i < 20; i++) {
                must(engine.reload());
                (void)must(engine.poll_blocking());
                (void)must(engine.metrics());
                std::this_thread::yield();
            }
        });
        for (std::thread& thread : threads) {
            thread.join();
        }
        CHECK(engine.generation() == 21);
    }
    CHECK(allowed == 4 * many && events > 0);
    return 0;
}
