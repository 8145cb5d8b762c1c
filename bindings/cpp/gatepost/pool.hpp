/// \file
/// Threads for a host that has none of its own, watched by its event loop.
#ifndef GATEPOST_POOL_HPP
#define GATEPOST_POOL_HPP

#include "job.hpp"
#include "version.hpp"

namespace gatepost {

namespace detail {

/// Calls what gets a decision. It must not throw: the C interface is below it.
template <class Done>
void tell(Done& done, Result<Decision> result) noexcept {
    done(std::move(result));
}

/// The same for housekeeping.
template <class Done>
void tell(Done& done, Result<void> result) noexcept {
    done(std::move(result));
}

/// gatepost_done for a function object that lies on the heap.
template <class Done, class Value>
void done_boxed(void* data, gatepost_status status, gatepost_decision* decision) noexcept {
    // Gone before the call's end, whatever it does: it may end the pool.
    const std::unique_ptr<Done> done(static_cast<Done*>(data));
    if constexpr (std::is_void_v<Value>) {
        gatepost_decision_free(decision);
        tell(*done, result(status));
    } else {
        tell(*done, decided(status, decision));
    }
}

}  // namespace detail

/// Threads that run jobs. It may serve several engines. Each process makes its own, after fork.
///
/// The host's event loop watches fd() and calls dispatch() when it is readable; that calls what was handed to submit(),
/// on the thread of the loop. Ended, it waits for the jobs in hand and answers all that is outstanding with
/// Status::cancelled.
class Pool {
public:
    /// Makes a pool and starts its threads, in which all signals are blocked.
    /// \param threads 1 to 256; as many as there are processors is a good start
    /// \param queue how many jobs may wait, 1 to 65,536; one more is answered with the refusal "overloaded"
    /// \returns the pool or an error
    static Result<Pool> make(std::uint32_t threads, std::uint32_t queue) {
        if (const Result<void> fits = check_library(); !fits) {
            return fits.error();
        }
        gatepost_pool* pool = nullptr;
        gatepost_error* error = nullptr;
        const gatepost_status status = gatepost_pool_new(threads, queue, &pool, &error);
        return detail::result<Pool>(status, pool, error);
    }
    /// Takes over what the C interface handed out.
    /// \param owned ended by this object
    explicit Pool(gatepost_pool* owned) noexcept : handle_(owned) {}

    /// Hands a job over, which is run and finished with all that follows. Any number of threads at once.
    /// \param job taken over where this succeeds; on an error it is still the caller's
    /// \param done called with a Result<Decision>, exactly once where this succeeds and never where it does not, by
    ///     dispatch() or the pool's end. An error there means that the host must refuse. It must not throw; it may
    ///     submit, cancel, and end the pool. It is destroyed where it was called, right after that; at once where this
    ///     fails.
    /// \returns what cancels the job, or an error
    template <class Done>
    Result<Canceller> submit(Job&& job, Done done) const {
        return hand_over<Decision>(job, std::move(done));
    }
    /// The same for housekeeping.
    /// \param chore taken over where this succeeds
    /// \param done called with a Result<void>, likewise
    /// \returns what cancels the job, or an error
    template <class Done>
    Result<Canceller> submit(Chore&& chore, Done done) const {
        return hand_over<void>(chore, std::move(done));
    }
    /// The same, where nobody needs to hear of its end.
    /// \param chore taken over where this succeeds
    /// \returns what cancels the job, or an error
    Result<Canceller> submit(Chore&& chore) const {
        return submit(std::move(chore), [](const Result<void>&) {});
    }

    /// \returns the descriptor that is readable while completions wait; for poll, epoll and their like. Never read,
    ///     write or close it.
    [[nodiscard]] int fd() const noexcept { return gatepost_pool_fd(handle_.get()); }
    /// Calls what is done for each completion that waits; returns without waiting where there is none. One thread at a
    /// time: that of the event loop.
    /// \returns success, or Status::not_started in a child of the process that made the pool
    Result<void> dispatch() { return detail::result(gatepost_pool_dispatch(handle_.get())); }

    /// \returns the handle, still owned by this object
    [[nodiscard]] gatepost_pool* raw() const noexcept { return handle_.get(); }

private:
    template <class Value, class Work, class Done>
    Result<Canceller> hand_over(Work& work, Done&& done) const {
        using Boxed = std::decay_t<Done>;
        auto boxed = std::make_unique<Boxed>(std::forward<Done>(done));
        const Canceller canceller(work.raw());
        const gatepost_status status =
            gatepost_pool_submit(handle_.get(), work.raw(), detail::done_boxed<Boxed, Value>, boxed.get());
        if (status != GATEPOST_OK) {
            return Error(static_cast<Status>(status));
        }
        (void)boxed.release();
        (void)work.release();
        return canceller;
    }
    detail::Owned<gatepost_pool, gatepost_pool_free> handle_;
};

}  // namespace gatepost

#endif
