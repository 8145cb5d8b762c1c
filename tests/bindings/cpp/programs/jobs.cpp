// Jobs on threads of the host, and a pool that the host's loop watches: each decision is told once.
#include "check.hpp"

#include <atomic>
#include <poll.h>
#include <thread>

using namespace gatepost;

namespace {

// Slow, since a wrong password is never remembered.
Job slow(const Engine& engine, std::string_view authorization = WRONG) {
    auto outcome = must(engine.begin(get("/private", authorization)));
    CHECK(std::holds_alternative<Job>(outcome));
    return std::get<Job>(std::move(outcome));
}

Pool pool(std::uint32_t threads, std::uint32_t queue) { return must(Pool::make(threads, queue)); }

// As an event loop does it.
template <class Condition>
void dispatch_until(Pool& workers, Condition condition) {
    while (!condition()) {
        pollfd waiting = {workers.fd(), POLLIN, 0};
        CHECK(::poll(&waiting, 1, 120000) == 1);
        must(workers.dispatch());
    }
}

void by_hand(const Engine& engine) {
    CHECK(std::holds_alternative<Decision>(must(engine.begin(get("/public")))));
    Job job = slow(engine);
    CHECK(job && job.finish().status() == Status::not_run && job);
    std::thread([&] { must(job.run()); }).join();
    CHECK(job.run().status() == Status::conflict);
    const auto outcome = must(job.finish());
    CHECK(std::get<Decision>(outcome).reason() == Reason::credentials_invalid && !job);
    CHECK(!job.finish() && !job.run() && !job.complete().has_value());

    CHECK(must(slow(engine).complete()).status() == 401);
    Job cancelled = slow(engine);
    const Canceller canceller = cancelled.canceller();
    CHECK(canceller.cancel() && !canceller.cancel());
    CHECK(cancelled.run().status() == Status::cancelled && cancelled.finish().status() == Status::cancelled);
    Job ended = slow(engine);
    const Canceller late = ended.canceller();
    ended.cancel();
    CHECK(!ended && !late.cancel() && !Canceller().cancel());
    { Job dropped = slow(engine); }
    Job moved = slow(engine);
    Job other = std::move(moved);
    CHECK(!moved && other);  // NOLINT
    moved = std::move(other);
    CHECK(must(moved.complete()).status() == 401);
    Decision decision(must(slow(engine).complete()));
    CHECK(decision.status() == 401);
}

void cancelled_while_it_runs(const Engine& engine) {
    for (int i = 0; i < 20; i++) {
        Job job = slow(engine);
        const Canceller canceller = job.canceller();
        std::thread other([canceller] { canceller.cancel(); });
        (void)job.run();
        other.join();
        CHECK(job.finish().status() == Status::cancelled);
    }
}

void in_a_pool(const Engine& engine) {
    Pool workers = pool(2, 64);
    const auto loop = std::this_thread::get_id();
    int told = 0;
    for (int i = 0; i < 16; i++) {
        must(workers.submit(slow(engine), [&, i](Result<Decision> result) {
            CHECK(std::this_thread::get_id() == loop && result.has_value() && result->status() == 401 && i >= 0);
            told++;
        }));
    }
    CHECK(told == 0);
    dispatch_until(workers, [&] { return told == 16; });

    // A lambda that only moves, and what it holds ends with it.
    auto alive = std::make_shared<int>(1);
    const std::weak_ptr<int> watch = alive;
    bool done = false;
    must(workers.submit(slow(engine), [held = std::move(alive), only = std::make_unique<int>(2),
                                       &done](Result<Decision>) { done = *held + *only == 3; }));
    dispatch_until(workers, [&] { return done; });
    CHECK(watch.expired());

    // A job that is gone is not taken, and nothing is told.
    Job gone = slow(engine);
    CHECK(gone.canceller().cancel());
    CHECK(workers.submit(std::move(gone), [](Result<Decision>) { CHECK(false); }).status() == Status::cancelled);
    CHECK(gone);  // NOLINT: still the caller's
}

void cancelled_in_a_pool(const Engine& engine) {
    // Where this thread stands still, the pool has run all of them before the first is cancelled: then anew.
    constexpr int turns = 50;
    Pool workers = pool(1, 64);
    int cancelled = 0;
    int told = 0;
    int hits = 0;
    for (int turn = 0; turn < turns && hits == 0; turn++) {
        cancelled = told = 0;
        std::vector<Canceller> cancellers;
        for (int i = 0; i < 16; i++) {
            cancellers.push_back(must(workers.submit(slow(engine), [&](const Result<Decision>& result) {
                told++;
                cancelled += result.status() == Status::cancelled ? 1 : 0;
            })));
        }
        for (const Canceller& canceller : cancellers) {
            hits += canceller.cancel() ? 1 : 0;
        }
        dispatch_until(workers, [&] { return told == 16; });
        CHECK(hits == cancelled);
        CHECK(!cancellers[0].cancel());
    }
    CHECK(hits > 0);

    // Ended with work outstanding, all is told.
    cancelled = 0;
    for (int turn = 0; turn < turns && cancelled == 0; turn++) {
        told = 0;
        Pool ending = pool(1, 64);
        for (int i = 0; i < 16; i++) {
            must(ending.submit(slow(engine), [&](const Result<Decision>& result) {
                told++;
                cancelled += result.status() == Status::cancelled ? 1 : 0;
            }));
        }
    }
    CHECK(told == 16 && cancelled > 0);
    Pool none = pool(1, 1);
    Pool moved = std::move(none);
    CHECK(none.fd() == -1 && !none.dispatch() && moved.fd() >= 0);  // NOLINT
    CHECK(Pool::make(0, 1).status() == Status::invalid_argument && !Pool::make(1, 0) &&
          !Pool::make(257, 1).error().message().empty());
}

void decided_by_a_pool(const Engine& engine) {
    Pool workers = pool(2, 64);
    int told = 0;
    // What is cheap is told at once.
    engine.decide(workers, get("/public"), [&](Result<Decision> result) { told += result->allowed() ? 1 : 100; });
    CHECK(told == 1);
    // An error too, exactly once.
    Engine moved = engine;
    const Engine there = std::move(moved);
    moved.decide(workers, get("/public"), [&](const Result<Decision>& result) {
        told += result.status() == Status::invalid_argument ? 1 : 100;
    });  // NOLINT
    CHECK(told == 2);
    // What is slow, by dispatch.
    Decision kept;
    {
        // Everything that was borrowed is gone before it is decided.
        const std::string credential(RIGHT);
        const std::string target = "/private";
        engine.decide(workers, get(target, credential), [&](Result<Decision> result) {
            kept = std::move(result).value();
            told++;
        });
    }
    dispatch_until(workers, [&] { return told == 3; });
    CHECK(kept.allowed() && kept.subject() == "alice");
    const Canceller canceller = engine.decide(workers, get("/private", WRONG), [&](const Result<Decision>& result) {
        CHECK(result.status() == Status::cancelled || result.has_value());
        told++;
    });
    (void)canceller.cancel();
    dispatch_until(workers, [&] { return told == 4; });
    CHECK(!canceller.cancel());
    // A pool that is no pool any more: told, and the job is not lost.
    Pool gone = pool(1, 1);
    Pool held = std::move(gone);
    engine.decide(gone, get("/private", WRONG),
                  [&](const Result<Decision>& result) { told += !result.has_value() ? 1 : 100; });  // NOLINT
    CHECK(told == 5);
}

void a_full_queue_is_a_refusal(const Engine& engine) {
    Pool workers = pool(1, 1);
    int told = 0;
    int overloaded = 0;
    for (int i = 0; i < 24; i++) {
        engine.decide(workers, get("/private", WRONG), [&](Result<Decision> result) {
            overloaded += result->reason() == Reason::overloaded && result->status() == 503 ? 1 : 0;
            told++;
        });
    }
    dispatch_until(workers, [&] { return told == 24; });
    CHECK(overloaded > 0 && overloaded < 24);
}

// A completion may submit, and may end its pool.
void completions_call_back_in(const Engine& engine) {
    auto workers = std::make_unique<Pool>(pool(2, 8));
    int told = 0;
    engine.decide(*workers, get("/private", WRONG), [&](const Result<Decision>&) {
        told++;
        engine.decide(*workers, get("/private", WRONG), [&](const Result<Decision>&) {
            told++;
            workers.reset();
        });
    });
    while (workers != nullptr) {
        pollfd waiting = {workers->fd(), POLLIN, 0};
        CHECK(::poll(&waiting, 1, 120000) == 1);
        (void)workers->dispatch();
    }
    CHECK(told == 2);
}

void housekeeping(const Engine& engine) {
    auto kept = must(engine.poll());
    CHECK(kept.next.count() > 0);
    CHECK(must(engine.poll_blocking()).count() > 0);
    Pool workers = pool(1, 8);
    bool told = false;
    for (int i = 0; i < 100 && !kept.chore; i++) {
        kept = must(engine.poll());
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    if (kept.chore) {
        must(workers.submit(std::move(*kept.chore), [&](const Result<void>& result) { told = result.has_value(); }));
        dispatch_until(workers, [&] { return told; });
    }
    // Run by hand, and left undone.
    for (int i = 0; i < 2; i++) {
        auto again = must(engine.poll());
        if (again.chore && i == 0) {
            must(again.chore->run());
        }
    }
    CHECK(must(engine.metrics()).view().find("gatepost_decisions") != std::string_view::npos);
    CHECK(std::string_view(must(engine.metrics())).substr(0, 1) == "#");
}

// Whichever goes first: engine, job, pool or decision.
void any_order(const char* folder) {
    for (int order = 0; order < 24; order++) {
        auto engine = std::make_unique<Engine>(started(folder));
        auto workers = std::make_unique<Pool>(pool(1, 8));
        auto job = std::make_unique<Job>(slow(*engine));
        auto decision = std::make_unique<Decision>(must(engine->decide(get("/public"))));
        engine->decide(*workers, get("/private", WRONG), [](const Result<Decision>& result) {
            CHECK(result.has_value() || result.status() == Status::cancelled);
        });
        int left = order;
        std::vector<int> things = {0, 1, 2, 3};
        for (int count = 4; count > 0; left /= count, count--) {
            const auto which = things.begin() + left % count;
            switch (*which) {
            case 0: engine.reset(); break;
            case 1: workers.reset(); break;
            case 2: job.reset(); break;
            default: CHECK(decision->allowed()); decision.reset();
            }
            things.erase(which);
        }
    }
}

}  // namespace

int main(int, char** argv) {
    const auto engine = started(argv[1]);
    by_hand(engine);
    cancelled_while_it_runs(engine);
    in_a_pool(engine);
    cancelled_in_a_pool(engine);
    decided_by_a_pool(engine);
    a_full_queue_is_a_refusal(engine);
    completions_call_back_in(engine);
    housekeeping(engine);
    any_order(argv[1]);
    return 0;
}
