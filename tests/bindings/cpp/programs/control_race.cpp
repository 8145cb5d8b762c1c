// Wrong on purpose: two threads use one Request while one of them changes it.
#include "check.hpp"

#include <thread>

int main(int, char** argv) {
    const auto engine = started(argv[1]);
    gatepost::Request shared = get("/public");
    std::thread other([&] {
        for (int i = 0; i < 200; i++) {
            shared.target("/public").clear_headers().header("A", "v");
        }
    });
    for (int i = 0; i < 200; i++) {
        (void)engine.decide(shared).has_value();
    }
    other.join();
    return 0;
}
