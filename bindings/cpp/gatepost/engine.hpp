/// \file
/// The engine: a loaded policy with its state.
#ifndef GATEPOST_ENGINE_HPP
#define GATEPOST_ENGINE_HPP

#include "job.hpp"
#include "options.hpp"
#include "pool.hpp"
#include "request.hpp"
#include "tokens.hpp"
#include "version.hpp"

namespace gatepost {

/// When housekeeping is next useful, and what it left to do.
struct Housekeeping {
    /// Time until the next Engine::poll().
    std::chrono::milliseconds next;
    /// The slow part; none where there is nothing slow: run it on a thread that may block, or submit it to a Pool.
    std::optional<Chore> chore;
};

/// A loaded policy with its state, shared by all threads. Copying it is cheap and gives one more reference to the same
/// engine, which ends with the last of them and the last job.
///
/// Order of things: make it once, before fork; start() in each process, after fork; poll() at once after start() and
/// then whenever it said; decide() for each request. Every function may be called by any number of threads at once. One
/// that was moved away answers Status::invalid_argument.
class Engine {
public:
    /// Makes an engine of a policy file. Reads the files that it names; opens nothing else, starts no thread.
    /// \param file path of the policy
    /// \param options what is set besides the policy
    /// \returns the engine, or all that is wrong with the policy
    static Result<Engine> open(std::string_view file, const Options& options = {}) {
        if (file.empty() || file.find('\0') != std::string_view::npos) {
            return Error(Status::invalid_argument, file.empty() ? "the path of the policy is empty"
                                                                : "the path of the policy has a NUL inside");
        }
        return make(options, [file](const gatepost_options* raw, gatepost_engine** engine, gatepost_error** error) {
            return gatepost_engine_open(detail::str(file), raw, engine, error);
        });
    }
    /// Makes an engine of the text of a policy; reload() then has no file to read and fails.
    /// \param text the policy, in UTF-8
    /// \param folder where the files that it names are; empty: the working directory
    /// \param options what is set besides the policy
    /// \returns the engine, or all that is wrong with the policy
    static Result<Engine> from_text(std::string_view text, std::string_view folder = {}, const Options& options = {}) {
        return make(options, [&](const gatepost_options* raw, gatepost_engine** engine, gatepost_error** error) {
            return gatepost_engine_new(detail::str(text), detail::str(folder), raw, engine, error);
        });
    }
    /// Takes over what the C interface handed out.
    /// \param owned ended by this object
    explicit Engine(gatepost_engine* owned) noexcept : handle_(owned) {}
    /// \param other gives one more reference
    Engine(const Engine& other) noexcept : handle_(gatepost_engine_ref(other.handle_.get())) {}
    /// \param other gives one more reference
    /// \returns itself
    Engine& operator=(const Engine& other) noexcept {
        if (this != &other) {
            handle_.reset(gatepost_engine_ref(other.handle_.get()));
        }
        return *this;
    }
    /// Moves the reference away.
    Engine(Engine&&) noexcept = default;
    /// Moves the reference away.
    /// \returns itself
    Engine& operator=(Engine&&) noexcept = default;
    ~Engine() = default;

    /// Opens the state and the events file. Every process that decides calls it, after fork; again does nothing.
    /// \returns success or an error; after an error it may be called again
    Result<void> start() const {
        gatepost_error* error = nullptr;
        const gatepost_status status = gatepost_engine_start(handle_.get(), &error);
        return status == GATEPOST_OK ? Result<void>() : failed(status, error);
    }
    /// Reads the policy file again and swaps it in whole; on an error the old one stays in force. Not for a loop.
    /// \returns success, or all that is wrong with the policy
    Result<void> reload() const {
        gatepost_error* error = nullptr;
        const gatepost_status status = gatepost_engine_reload(handle_.get(), &error);
        return status == GATEPOST_OK ? Result<void>() : failed(status, error);
    }
    /// All housekeeping, without blocking.
    /// \returns when to come back, and what slow part is left
    [[nodiscard]] Result<Housekeeping> poll() const {
        std::uint64_t next = 0;
        gatepost_job* job = nullptr;
        const gatepost_status status = gatepost_engine_poll(handle_.get(), &next, &job);
        if (status != GATEPOST_OK) {
            return failed(status);
        }
        Housekeeping made{milliseconds(next), std::nullopt};
        if (job != nullptr) {
            made.chore.emplace(job);
        }
        return made;
    }
    /// All housekeeping with its slow part. May block.
    /// \returns time until the next call is useful
    Result<std::chrono::milliseconds> poll_blocking() const {
        std::uint64_t next = 0;
        const gatepost_status status = gatepost_engine_poll(handle_.get(), &next, nullptr);
        if (status != GATEPOST_OK) {
            return failed(status);
        }
        return milliseconds(next);
    }
    /// \returns the counters of this process as OpenMetrics text, sent as "application/openmetrics-text;
    ///     version=1.0.0; charset=utf-8"
    [[nodiscard]] Result<Bytes> metrics() const {
        gatepost_bytes* text = nullptr;
        const gatepost_status status = gatepost_engine_metrics(handle_.get(), &text);
        return result<Bytes>(status, text, nullptr);
    }
    /// \returns how many policies were in force: 1 for the first, one more after each reload that succeeded
    [[nodiscard]] std::uint64_t generation() const noexcept { return gatepost_engine_generation(handle_.get()); }
    /// \param request its body may be missing
    /// \returns the most bytes of its body that deciding it takes; 0: none
    [[nodiscard]] std::uint64_t wants_body(const Request& request) const noexcept {
        return gatepost_engine_wants_body(handle_.get(), &request.raw());
    }

    /// What of a request must not reach the application where nothing is decided about it: the policy is not asked
    /// there, somebody else has let the request in, or the engine cannot decide yet. Needs no start().
    /// \param request borrowed for the call
    /// \returns a decision that denies and whose strip() is what was asked for; or an error
    [[nodiscard]] Result<Decision> strip(const Request& request) const { return stripped(&request.raw()); }
    /// What the policy strips of every request: the names of its identity headers. Needs no start().
    /// \returns as above
    [[nodiscard]] Result<Decision> strip() const { return stripped(nullptr); }

    /// Decides a request. May block, for passwords and reads of the state. Once for each request of a client: internal
    /// redirects and subrequests reuse the decision.
    /// \param request borrowed for the call
    /// \returns the decision, also where it is a refusal; or an error: then no decision could be made and the host must
    ///     refuse, with Error::http_status()
    [[nodiscard]] Result<Decision> decide(const Request& request) const {
        // Decided into the place that the caller gets: nothing is copied on the way.
        Result<Decision> made(std::in_place, detail::Undecided{});
        const gatepost_status status = made->decide(handle_.get(), request.raw());
        if (status != GATEPOST_OK) {
            made = failed(status);
        }
        return made;
    }
    /// Begins to decide a request, without blocking.
    /// \param request borrowed for the call
    /// \returns the decision where it is cheap, or the Job that is left; or an error: then the host must refuse
    [[nodiscard]] Result<Outcome> begin(const Request& request) const {
        gatepost_decision* decision = nullptr;
        gatepost_job* job = nullptr;
        const gatepost_status status = gatepost_decide(handle_.get(), &request.raw(), &decision, &job);
        if (handle_ == nullptr) {
            return failed(status);
        }
        return detail::outcome(status, decision, job);
    }
    /// Decides a request without blocking: what is slow is done by a pool.
    /// \param pool whose dispatch() the event loop calls
    /// \param request borrowed for the call
    /// \param done called with a Result<Decision>, exactly once: before this returns where the decision is cheap or
    ///     could not be made, otherwise by Pool::dispatch() or the pool's end. An error means that the host must refuse.
    ///     It must not throw. It is destroyed where it is called, right after that.
    /// \returns what cancels it, because the client has gone; done is then called with Status::cancelled. Of no job
    ///     where done was called already.
    template <class Done>
    Canceller decide(const Pool& pool, const Request& request, Done done) const {
        gatepost_decision* decision = nullptr;
        gatepost_job* begun = nullptr;
        const gatepost_status status = gatepost_decide(handle_.get(), &request.raw(), &decision, &begun);
        if (status != GATEPOST_PENDING) {
            detail::tell(done,
                         handle_ == nullptr ? Result<Decision>(failed(status)) : detail::decided(status, decision));
            return {};
        }
        Job job(begun);
        // It stays here until the job is taken: where it is not, this is still what gets the answer.
        auto kept = std::make_unique<Done>(std::move(done));
        const gatepost_status taken =
            gatepost_pool_submit(pool.raw(), job.raw(), detail::done_boxed<Done, Decision>, kept.get());
        if (taken != GATEPOST_OK) {
            detail::tell(*kept, Result<Decision>(Error(static_cast<Status>(taken))));
            return {};
        }
        (void)kept.release();
        return Canceller(job.release());
    }

    /// Verifies a token outside of any request, as a decision would. Not for an event loop.
    /// \param token the token alone, without "Bearer"
    /// \param now Unix seconds; 0: the clock
    /// \returns what came of it, also where the token is not good; or an error
    [[nodiscard]] Result<Verified> verify_token(std::string_view token, std::int64_t now = 0) const {
        gatepost_verified* verified = nullptr;
        gatepost_error* error = nullptr;
        const gatepost_status status = gatepost_token_verify(handle_.get(), detail::str(token), now, &verified, &error);
        return result<Verified>(status, verified, error);
    }
    /// Revokes tokens: on the disk when it returns, and true for the next decision in every process that shares the
    /// state. Doing it again is no error. Not for an event loop.
    /// \param revocation names them
    /// \returns success or an error
    Result<void> revoke_tokens(const Revocation& revocation) const {
        gatepost_error* error = nullptr;
        const gatepost_status status = gatepost_token_revoke(handle_.get(), &revocation.raw(), &error);
        return status == GATEPOST_OK ? Result<void>() : failed(status, error);
    }
    /// Issues an access token for a local user and, where it is asked for, a refresh token. Whether the user is who they
    /// say they are is the host's to have checked. Not for an event loop.
    /// \param wanted what the token is asked for with
    /// \returns the tokens; Status::conflict where the user does not exist or is disabled; or another error
    [[nodiscard]] Result<Tokens> issue_token(const TokenRequest& wanted) const {
        const detail::StringArray scopes(wanted.scopes);
        const detail::StringArray audience(wanted.audience);
        const detail::StringArray factors(wanted.factors);
        auto raw = detail::sized<gatepost_token_request>();
        raw.signer = detail::str(wanted.signer.view());
        raw.user = detail::str(wanted.user.view());
        raw.client_id = detail::str(wanted.client_id.view());
        raw.session = detail::str(wanted.session.view());
        raw.claims = detail::str(wanted.claims.view());
        raw.scopes = scopes.data();
        raw.scope_count = scopes.size();
        raw.audience = audience.data();
        raw.audience_count = audience.size();
        raw.factors = factors.data();
        raw.factor_count = factors.size();
        raw.lifetime = wanted.lifetime.count();
        raw.authenticated_at = wanted.authenticated_at;
        raw.now = wanted.now;
        raw.flags = wanted.refresh ? GATEPOST_TOKEN_REFRESH : 0u;
        gatepost_tokens* tokens = nullptr;
        gatepost_error* error = nullptr;
        const gatepost_status status = gatepost_token_issue(handle_.get(), &raw, &tokens, &error);
        return result<Tokens>(status, tokens, error);
    }
    /// Exchanges a refresh token for an access token and the next refresh token. Not for an event loop.
    /// \param wanted the refresh token with what belongs to it
    /// \returns the tokens; Status::refused where the client hears invalid_grant; or another error
    [[nodiscard]] Result<Tokens> refresh_token(const RefreshRequest& wanted) const {
        const detail::StringArray scopes(wanted.scopes);
        auto raw = detail::sized<gatepost_refresh_request>();
        raw.token = detail::str(wanted.token.view());
        raw.client_id = detail::str(wanted.client_id.view());
        raw.scopes = scopes.data();
        raw.scope_count = scopes.size();
        raw.now = wanted.now;
        gatepost_tokens* tokens = nullptr;
        gatepost_error* error = nullptr;
        const gatepost_status status = gatepost_token_refresh(handle_.get(), &raw, &tokens, &error);
        return result<Tokens>(status, tokens, error);
    }
    /// Hashes a password with Argon2id, at the cost that the policy says. Slow on purpose: not for an event loop.
    /// \param password UTF-8, up to 1,024 bytes, without control characters
    /// \returns the hash, "$argon2id$v=19$..."; or an error
    [[nodiscard]] Result<Bytes> hash_password(std::string_view password) const {
        return hash_with(handle_.get(), password);
    }
    /// \param hash of a password
    /// \returns whether it was made with another cost or form than the policy asks for now; or an error
    [[nodiscard]] Result<bool> needs_rehash(std::string_view hash) const {
        std::uint32_t needs = 0;
        gatepost_error* error = nullptr;
        const gatepost_status status = gatepost_password_needs_rehash(handle_.get(), detail::str(hash), &needs, &error);
        if (status != GATEPOST_OK) {
            return failed(status, error);
        }
        return needs != 0;
    }

    /// \returns whether it stands for an engine; false once it was moved away
    explicit operator bool() const noexcept { return handle_ != nullptr; }
    /// \returns the handle, for calls of the C interface; still owned by this object
    [[nodiscard]] const gatepost_engine* raw() const noexcept { return handle_.get(); }

private:
    friend Result<Bytes> hash_password(std::string_view password);

    /// Why a call failed. An engine that was moved away is said to be that, which the library cannot know.
    Error failed(gatepost_status status, gatepost_error* error = nullptr) const {
        const Error said(static_cast<Status>(status), error);
        if (handle_ != nullptr) {
            return said;
        }
        return Error(said.status(), "this gatepost::Engine stands for no engine: it was moved away");
    }
    template <class T, class Raw>
    Result<T> result(gatepost_status status, Raw* made, gatepost_error* error) const {
        if (status == GATEPOST_OK) {
            return T(made);
        }
        return failed(status, error);
    }
    Result<Decision> stripped(const gatepost_request* request) const {
        gatepost_decision* decision = nullptr;
        auto view = detail::sized<gatepost_view>();
        const gatepost_status status = gatepost_strip(handle_.get(), request, &decision, &view);
        return result<Decision>(status, decision, nullptr);
    }
    static std::chrono::milliseconds milliseconds(std::uint64_t count) noexcept {
        return std::chrono::milliseconds(static_cast<std::chrono::milliseconds::rep>(count));
    }
    template <class Call>
    static Result<Engine> make(const Options& options, Call call) {
        // First: an older library could lack what is called next.
        if (const Result<void> fits = check_library(); !fits) {
            return fits.error();
        }
        const gatepost_options raw = detail::options(options);
        gatepost_engine* engine = nullptr;
        gatepost_error* error = nullptr;
        const gatepost_status status = call(&raw, &engine, &error);
        return detail::result<Engine>(status, engine, error);
    }
    static Result<Bytes> hash_with(const gatepost_engine* engine, std::string_view password) {
        gatepost_bytes* hash = nullptr;
        gatepost_error* error = nullptr;
        const gatepost_status status = gatepost_password_hash(engine, detail::str(password), &hash, &error);
        return detail::result<Bytes>(status, hash, error);
    }
    detail::Owned<gatepost_engine, gatepost_engine_free> handle_;
};

/// Hashes a password with Argon2id, at the default cost of policies. Slow on purpose: not for an event loop.
/// \param password UTF-8, up to 1,024 bytes, without control characters
/// \returns the hash, "$argon2id$v=19$..."; or an error
[[nodiscard]] inline Result<Bytes> hash_password(std::string_view password) {
    return Engine::hash_with(nullptr, password);
}

/// Checks a password against a hash of any form that policies take, in constant time with respect to both. Slow on
/// purpose: not for an event loop.
/// \param password as it was sent
/// \param hash Argon2, bcrypt, sha512-crypt and others, as gatepost_password_verify lists them
/// \returns whether it matches; or an error where the form of the hash is not known or there is no room to work
[[nodiscard]] inline Result<bool> verify_password(std::string_view password, std::string_view hash) {
    std::uint32_t matches = 0;
    gatepost_error* error = nullptr;
    const gatepost_status status = gatepost_password_verify(detail::str(password), detail::str(hash), &matches, &error);
    if (status != GATEPOST_OK) {
        return Error(static_cast<Status>(status), error);
    }
    return matches != 0;
}

namespace detail {

inline Result<Bytes> check_policy(std::string_view file, std::string_view text) {
    if (const Result<void> fits = check_library(); !fits) {
        return fits.error();
    }
    gatepost_bytes* report = nullptr;
    gatepost_error* error = nullptr;
    const gatepost_status status = gatepost_policy_check(str(file), str(text), &report, &error);
    return result<Bytes>(status, report, error);
}

}  // namespace detail

/// Checks a policy file as Engine::open would, without opening its state.
/// \param file path of the policy
/// \returns the warnings, empty where there are none; or all that is wrong with it
[[nodiscard]] inline Result<Bytes> check_policy(std::string_view file) { return detail::check_policy(file, {}); }

/// Checks the text of a policy.
/// \param text the policy, in UTF-8; not empty
/// \param file names it for the messages; the files that it names are relative to that file's folder
/// \returns the warnings, empty where there are none; or all that is wrong with it
[[nodiscard]] inline Result<Bytes> check_policy_text(std::string_view text, std::string_view file = "policy.toml") {
    return detail::check_policy(file, text);
}

}  // namespace gatepost

#endif
