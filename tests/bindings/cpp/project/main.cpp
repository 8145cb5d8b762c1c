#include <gatepost.hpp>

#include <iostream>

int main() {
    const auto engine = gatepost::Engine::from_text("[engine]\nstate = \":memory:\"\nschemes = [\"basic\"]\n"
                                                    "[[route]]\npath = \"/orders\"\n");
    if (!engine || !engine->start()) {
        std::cerr << engine.error().message() << '\n';
        return 1;
    }
    const auto decision = engine->decide(gatepost::Request("GET", "/orders").host("orders.example.com"));
    std::cout << gatepost::version() << ' ' << decision->status() << ' ' << decision->reason_name() << '\n';
    return 0;
}
