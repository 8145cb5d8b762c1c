// Wrong on purpose: a decision that nobody ends.
#include "check.hpp"

int main(int, char** argv) {
    const auto engine = started(argv[1]);
    auto* lost = new gatepost::Decision(must(engine.decide(get("/public"))));
    CHECK(lost->allowed());
    lost = nullptr;
    return 0;
}
