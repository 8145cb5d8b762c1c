/*
 * Decides the requests of case files through gatepost.hpp, for `gatepost test --through`.
 *
 *     cases [--jobs] POLICY
 *
 * --jobs: Engine::begin, then Job::run and Job::finish, as an event loop does it; otherwise Engine::decide may block.
 * The clock is that of the options.
 */
#include <gatepost.hpp>

#include <charconv>
#include <fstream>
#include <iostream>
#include <map>

namespace {

using Words = std::vector<std::string>;
using Exchange = std::vector<Words>;

int hex(char digit) {
    if (digit >= '0' && digit <= '9') {
        return digit - '0';
    }
    return digit >= 'A' && digit <= 'F' ? digit - 'A' + 10 : digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

/// The words of a line, decoded; none where it cannot be read.
Words split(std::string_view line) {
    Words words(1);
    for (std::size_t i = 0; i < line.size(); ++i) {
        if (line[i] == ' ') {
            words.emplace_back();
        } else if (line[i] != '%') {
            words.back().push_back(line[i]);
        } else if (i + 2 < line.size() && hex(line[i + 1]) >= 0 && hex(line[i + 2]) >= 0) {
            words.back().push_back(static_cast<char>(hex(line[i + 1]) * 16 + hex(line[i + 2])));
            i += 2;
        } else {
            return {};
        }
    }
    return words;
}

/// The lines up to `end`; false at the end of the input.
bool hear(Exchange& lines) {
    lines.clear();
    for (std::string line; std::getline(std::cin, line);) {
        if (line == "end") {
            return true;
        }
        lines.push_back(split(line));
    }
    return false;
}

std::string encoded(std::string_view text) {
    static constexpr char digits[] = "0123456789ABCDEF";
    std::string made;
    for (const char octet : text) {
        const auto number = static_cast<unsigned char>(octet);
        if (number >= 0x21 && number <= 0x7E && octet != '%') {
            made.push_back(octet);
        } else {
            made.append({'%', digits[number / 16], digits[number % 16]});
        }
    }
    return made;
}

void say(const gatepost::Error& error) { std::cout << "error " << encoded(error.message()) << '\n'; }

void say(const char* what, const gatepost::Headers& headers) {
    for (const auto [name, value, mode] : headers) {
        const char* how = mode == gatepost::HeaderMode::set      ? "set"
                          : mode == gatepost::HeaderMode::append ? "append"
                                                                 : "set-if-absent";
        std::cout << what << ' ' << how << ' ' << encoded(name) << ' ' << encoded(value) << '\n';
    }
}

void say(const gatepost::Decision& decision) {
    std::cout << "action " << name_of(decision.action()) << "\nstatus " << decision.status() << "\nreason "
              << decision.reason_name() << '\n';
    if (!decision.subject().empty()) {
        std::cout << "subject " << encoded(decision.subject()) << '\n';
    }
    if (!decision.scheme().empty()) {
        std::cout << "scheme " << decision.scheme() << '\n';
    }
    say("response", decision.response_headers());
    say("upstream", decision.upstream_headers());
    for (const std::string_view name : decision.strip()) {
        std::cout << "strip " << encoded(name) << '\n';
    }
    std::cout << "body " << encoded(decision.body()) << '\n';
}

/// What the clock says; 0: the real time.
std::int64_t at = 0;

/// Puts a line where it belongs; false where it is none of a request.
bool take(const Words& line, gatepost::Request& request, std::string_view& certificate, bool& verified) {
    using Setter = gatepost::Request& (gatepost::Request::*)(gatepost::Text);
    static const std::map<std::string_view, Setter> texts = {
        {"method", &gatepost::Request::method}, {"target", &gatepost::Request::target},
        {"host", &gatepost::Request::host},     {"peer", &gatepost::Request::peer},
        {"id", &gatepost::Request::request_id},
    };
    const std::string_view what = line.empty() ? std::string_view{} : line[0];
    if (const auto text = texts.find(what); text != texts.end() && line.size() == 2) {
        (request.*text->second)(line[1]);
    } else if (what == "header" && line.size() == 3) {
        request.header(line[1], line[2]);
    } else if (what == "body" && line.size() == 2) {
        request.body(line[1]);
    } else if (what == "cert" && line.size() == 2) {
        certificate = line[1];
    } else if (what == "cert-verified" && line.size() == 1) {
        verified = true;
    } else if (what == "tls" && line.size() == 1) {
        request.tls(true);
    } else if (what == "at" && line.size() == 2) {
        const char* end = line[1].data() + line[1].size();
        return std::from_chars(line[1].data(), end, at).ptr == end && !line[1].empty();
    } else {
        return false;
    }
    return true;
}

gatepost::Result<gatepost::Decision> decided(const gatepost::Engine& engine, const gatepost::Request& request,
                                             bool jobs) {
    if (!jobs) {
        return engine.decide(request);
    }
    auto outcome = engine.begin(request);
    while (outcome && std::holds_alternative<gatepost::Job>(*outcome)) {
        gatepost::Job job = std::get<gatepost::Job>(std::move(*outcome));
        if (const auto ran = job.run(); !ran) {
            return ran.error();
        }
        outcome = job.finish();
    }
    if (!outcome) {
        return outcome.error();
    }
    return std::get<gatepost::Decision>(std::move(*outcome));
}

void decide(const gatepost::Engine& engine, const Exchange& asked, bool jobs) {
    gatepost::Request request;
    request.body("");
    std::string_view certificate;
    bool verified = false;
    for (std::size_t i = 1; i < asked.size(); ++i) {
        if (!take(asked[i], request, certificate, verified)) {
            return say(gatepost::Error(gatepost::Status::invalid_argument, "a line of this request cannot be read"));
        }
    }
    const auto decision = decided(engine, request.client_certificate(certificate, verified), jobs);
    decision.has_value() ? say(*decision) : say(decision.error());
}

/// The engine reads the file again that it was made of: what it shall read is put there.
bool put_in_place(const std::string& from, const std::string& to) {
    if (from == to) {
        return true;
    }
    std::ifstream source(from, std::ios::binary);
    return source && (std::ofstream(to, std::ios::binary) << source.rdbuf()).flush().good();
}

void reload(const gatepost::Engine& engine, const std::string& from, const std::string& policy) {
    if (!put_in_place(from, policy)) {
        return say(gatepost::Error(gatepost::Status::invalid_argument, "the policy to reload cannot be read"));
    }
    const auto done = engine.reload();
    done ? void(std::cout << "ok\n") : say(done.error());
}

gatepost::Result<gatepost::Engine> started(const std::string& policy) {
    gatepost::Options options;
    options.clock = [] { return at != 0 ? at : static_cast<std::int64_t>(std::time(nullptr)); };
    auto engine = gatepost::Engine::open(policy, options);
    if (engine) {
        if (const auto start = engine->start(); !start) {
            return start.error();
        }
    }
    return engine;
}

}  // namespace

int main(int argc, char** argv) {
    const bool jobs = argc == 3 && argv[1] == std::string_view("--jobs");
    if (argc != (jobs ? 3 : 2)) {
        std::cerr << "usage: cases [--jobs] POLICY\n";
        return 1;
    }
    const std::string policy = argv[argc - 1];
    const auto engine = started(policy);
    if (!engine) {
        say(engine.error());
        std::cout << "end" << std::endl;
        return 1;
    }
    std::cout << "ready\nend" << std::endl;
    for (Exchange asked; hear(asked);) {
        const Words first = asked.empty() ? Words{} : asked[0];
        if (first == Words{"decide"}) {
            decide(*engine, asked, jobs);
        } else if (first.size() == 2 && first[0] == "reload" && asked.size() == 1) {
            reload(*engine, first[1], policy);
        } else {
            say(gatepost::Error(gatepost::Status::invalid_argument, "neither decide nor reload"));
        }
        std::cout << "end" << std::endl;
    }
    return 0;
}
