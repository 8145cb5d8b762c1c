// Opened before fork, started after it; a child of a started process must start itself, and ends what it inherited.
#include "check.hpp"
#include "../../../c/settled.h"

#include <sys/wait.h>
#include <unistd.h>

using namespace gatepost;

namespace {

template <class Child>
void in_a_child(Child child) {
    settle();
    const pid_t process = fork();
    CHECK(process >= 0);
    if (process == 0) {
        child();
        std::exit(0);
    }
    int status = 0;
    CHECK(waitpid(process, &status, 0) == process && WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

void works(const Engine& engine) {
    CHECK(must(engine.decide(get("/private", RIGHT))).allowed() &&
          must(engine.decide(get("/private"))).status() == 401);
}

}  // namespace

int main(int, char** argv) {
    const auto engine = must(Engine::open(policy(argv[1])));
    for (int i = 0; i < 3; i++) {
        in_a_child([&] {
            must(engine.start());
            works(engine);
        });
    }
    must(engine.start());
    works(engine);
    bool told = false;
    auto workers = std::make_unique<Pool>(must(Pool::make(1, 8)));
    engine.decide(*workers, get("/private", WRONG), [&](const Result<Decision>&) { told = true; });
    in_a_child([&] {
        CHECK(engine.decide(get("/public")).status() == Status::not_started);
        // The parent's pool answers nobody here.
        CHECK(workers->dispatch().status() == Status::not_started);
        workers.reset();
        CHECK(!told);
        must(engine.start());
        works(engine);
        Pool own = must(Pool::make(1, 8));
        engine.decide(own, get("/private", WRONG), [&](const Result<Decision>&) { told = true; });
    });
    in_a_child([&] { Engine(engine).reload().value(); });
    works(engine);
    workers.reset();
    CHECK(told);
    return 0;
}
