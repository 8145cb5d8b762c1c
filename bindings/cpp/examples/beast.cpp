// A server on Boost.Beast with one event loop that never blocks: what is slow, password hashing above all, runs in
// Gatepost's own pool, whose descriptor the loop watches.
//
//     c++ -std=c++17 -O2 beast.cpp -o beast $(pkg-config --cflags --libs gatepost) -pthread
//     ./beast POLICY PORT        (0: any free port)
//
// SIGHUP reads the policy again, SIGINT and SIGTERM end the server.
#include <gatepost.hpp>

#include <boost/asio.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include <csignal>
#include <iostream>

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using tcp = asio::ip::tcp;

using Incoming = http::request<http::string_body>;
using Answer = http::response<http::string_body>;

namespace {

// ---- the application: knows nothing of passwords, only the fields that the decision put there ----

Answer application(const Incoming& request) {
    Answer answer(http::status::ok, request.version());
    const auto who = request.find("X-Auth-Subject");
    answer.set(http::field::content_type, "text/plain; charset=utf-8");
    answer.body() = "Hello, " + (who == request.end() ? "whoever you are" : std::string(who->value())) + ".\n";
    return answer;
}

// ---- what a server does with a decision ----

beast::string_view beasts(std::string_view text) { return {text.data(), text.size()}; }

template <class Fields>
void put(Fields& fields, const gatepost::Headers& headers) {
    for (const auto [name, value, mode] : headers) {
        if (mode == gatepost::HeaderMode::set) {
            fields.erase(beasts(name));
        }
        if (mode != gatepost::HeaderMode::set_if_absent || fields.find(beasts(name)) == fields.end()) {
            fields.insert(beasts(name), beasts(value));
        }
    }
}

Answer answer_to(Incoming& request, const gatepost::Decision& decision) {
    for (const std::string_view name : decision.strip()) {
        request.erase(beasts(name));
    }
    Answer answer;
    if (decision.allowed()) {
        put(request, decision.upstream_headers());
        answer = application(request);
    } else {
        // Action::pass too: this server has nothing of its own to say to it.
        const unsigned status = decision.answers() ? decision.status() : 404;
        answer = Answer(static_cast<http::status>(status), request.version());
        answer.body() = std::string(decision.body());
        if (decision.answers()) {
            std::clog << decision.id() << ' ' << decision.status() << ' ' << decision.reason_name() << std::endl;
        }
    }
    put(answer, decision.response_headers());
    return answer;
}

/// The engine and the pool, with the loop that both live on.
class Service {
public:
    Service(asio::io_context& loop, gatepost::Engine engine, gatepost::Pool pool)
        : engine_(std::move(engine)), pool_(std::move(pool)), completions_(loop, pool_.fd()), timer_(loop) {
        watch();
        keep_house();
    }
    ~Service() { completions_.release(); }  // it is the pool's to close
    Service(const Service&) = delete;
    Service& operator=(const Service&) = delete;

    [[nodiscard]] const gatepost::Engine& engine() const { return engine_; }
    [[nodiscard]] const gatepost::Pool& pool() const { return pool_; }

private:
    void watch() {
        completions_.async_wait(asio::posix::stream_descriptor::wait_read, [this](beast::error_code error) {
            if (!error) {
                pool_.dispatch().value();
                watch();
            }
        });
    }
    void keep_house() {
        auto next = std::chrono::milliseconds(1000);
        if (auto kept = engine_.poll()) {
            next = kept->next;
            if (kept->chore) {
                (void)pool_.submit(std::move(*kept->chore));
            }
        }
        timer_.expires_after(next);
        timer_.async_wait([this](beast::error_code error) {
            if (!error) {
                keep_house();
            }
        });
    }
    gatepost::Engine engine_;
    gatepost::Pool pool_;
    asio::posix::stream_descriptor completions_;
    asio::steady_timer timer_;
};

/// One connection.
class Session : public std::enable_shared_from_this<Session> {
public:
    Session(tcp::socket socket, Service& service) : stream_(std::move(socket)), service_(service) {
        beast::error_code gone;
        const auto peer = stream_.socket().remote_endpoint(gone);
        peer_ = gone ? std::string() : peer.address().to_string();
    }

    void read() {
        parser_.emplace();
        parser_->header_limit(64 * 1024);
        parser_->body_limit(1024 * 1024);
        stream_.expires_after(std::chrono::seconds(30));
        http::async_read(stream_, buffer_, *parser_, [self = shared_from_this()](beast::error_code error, std::size_t) {
            if (!error) {
                self->decide();
            }
        });
    }

private:
    void decide() {
        request_ = parser_->release();
        // Nothing is to end it while it is being decided.
        stream_.expires_never();
        gatepost::Request request(request_.method_string(), request_.target());
        request.peer(peer_).headers(request_);
        service_.engine().decide(service_.pool(), request,
                                 [self = shared_from_this()](gatepost::Result<gatepost::Decision> decision) {
                                     self->decided(std::move(decision));
                                 });
    }

    void decided(const gatepost::Result<gatepost::Decision>& decision) {
        if (decision.has_value()) {
            answer_ = answer_to(request_, *decision);
        } else {
            // No decision could be made: refused.
            std::clog << decision.error().what() << std::endl;
            answer_ = Answer(static_cast<http::status>(decision.error().http_status()), request_.version());
        }
        answer_.keep_alive(request_.keep_alive());
        if (request_.method() == http::verb::head) {
            answer_.content_length(answer_.body().size());
            answer_.body().clear();
        } else {
            answer_.prepare_payload();
        }
        stream_.expires_after(std::chrono::seconds(30));
        http::async_write(stream_, answer_, [self = shared_from_this()](beast::error_code error, std::size_t) {
            if (!error && self->answer_.keep_alive()) {
                self->read();
            } else {
                self->stream_.socket().shutdown(tcp::socket::shutdown_send, error);
            }
        });
    }

    beast::tcp_stream stream_;
    Service& service_;
    std::string peer_;
    beast::flat_buffer buffer_;
    std::optional<http::request_parser<http::string_body>> parser_;
    Incoming request_;
    Answer answer_;
};

void accept(tcp::acceptor& acceptor, Service& service) {
    acceptor.async_accept([&](beast::error_code error, tcp::socket socket) {
        if (!error) {
            std::make_shared<Session>(std::move(socket), service)->read();
        }
        if (acceptor.is_open()) {
            accept(acceptor, service);
        }
    });
}

/// Reloading reads files: on a thread of its own.
void reload_on(asio::signal_set& hangup, asio::thread_pool& reader, const gatepost::Engine& engine) {
    hangup.async_wait([&](beast::error_code error, int) {
        if (error) {
            return;
        }
        asio::post(reader, [&engine] {
            const auto done = engine.reload();
            std::clog << (done ? "reloaded" : "the old policy stays in force") << std::endl;
            if (!done) {
                std::clog << done.error().what() << std::endl;
            }
        });
        reload_on(hangup, reader, engine);
    });
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) {
        std::cerr << "usage: beast POLICY PORT\n";
        return 1;
    }
    try {
        auto engine = gatepost::Engine::open(argv[1]).value();
        engine.start().value();
        asio::io_context loop;
        Service service(loop, std::move(engine), gatepost::Pool::make(2, 1024).value());
        asio::thread_pool reader(1);

        tcp::acceptor acceptor(loop,
                               {asio::ip::make_address("127.0.0.1"), static_cast<unsigned short>(std::stoi(argv[2]))});
        accept(acceptor, service);
        asio::signal_set hangup(loop, SIGHUP);
        reload_on(hangup, reader, service.engine());
        asio::signal_set end(loop, SIGINT, SIGTERM);
        end.async_wait([&](beast::error_code, int) { loop.stop(); });

        std::cout << "listening on http://127.0.0.1:" << acceptor.local_endpoint().port() << std::endl;
        loop.run();
        reader.join();
        return 0;
    } catch (const std::exception& error) {
        std::cerr << error.what() << '\n';
        return 1;
    }
}
