// Wrong on purpose: two threads use one Request while one of them changes it.
#include "check.hpp"

#include <atomic>
#include <thread>

int main(int, char** argv) {
    const auto engine = started(argv[1]);
    gatepost::Request shared = get("/public");
    // Relaxed: they order nothing, and so hide no race; both loops overlap for certain.
    std::atomic<bool> runs{false};
    std::atomic<bool> ends{false};
    std::thread other([&] {
        while (!ends.load(std::memory_order_relaxed)) {
            shared.target("/public").peer("192.0.2.8");
            runs.store(true, std::memory_order_relaxed);
        }
    });
    while (!runs.load(std::memory_order_relaxed)) {
        std::this_thread::yield();
    }
    for (int i = 0; i < 500; i++) {
        (void)engine.decide(gatepost::Request(shared)).has_value();
    }
    ends.store(true, std::memory_order_relaxed);
    other.join();
    return 0;
}
