// Wrong on purpose: reads what was taken out of a decision after its end.
#include "check.hpp"

int main(int, char** argv) {
    const auto engine = started(argv[1]);
    std::string_view body;
    {
        const auto decision = must(engine.decide(get("/private")));
        body = decision.body();
    }
    return body[0] == '{' ? 0 : 1;
}
