/// \file
/// The slow part of a decision, for hosts with threads of their own; those without have a Pool.
#ifndef GATEPOST_JOB_HPP
#define GATEPOST_JOB_HPP

#include "decision.hpp"

namespace gatepost {

/// Cancels one job, from any thread, also while another runs it, and after it went to a Pool. Copied freely; it is safe
/// to keep it longer than the job, since a handle never stands for another job.
class Canceller {
public:
    /// Of no job.
    Canceller() noexcept = default;
    /// \param job borrowed, and only its name
    explicit Canceller(gatepost_job* job) noexcept : job_(job) {}
    /// Ends the job, whose decision nobody wants any more, because the client has gone.
    /// \returns whether it was still there
    bool cancel() const noexcept { return job_ != nullptr && gatepost_job_cancel(job_) == GATEPOST_OK; }

private:
    gatepost_job* job_ = nullptr;
};

namespace detail {

/// What a decision came to, made in its place.
inline Result<Decision> decided(gatepost_status status, gatepost_decision* decision) {
    if (status == GATEPOST_OK) {
        return Result<Decision>(std::in_place, decision);
    }
    return Error(static_cast<Status>(status));
}

}  // namespace detail

class Job;

/// What a step of a decision gives: the decision, or the job that is still to be done for it.
using Outcome = std::variant<Decision, Job>;

/// The slow part of one decision: run() on a thread that may block, then finish() on any. Ended without that, it is
/// cancelled. One thread at a time, but for Canceller.
class Job {
public:
    /// Takes over what the C interface handed out.
    /// \param owned ended by this object
    explicit Job(gatepost_job* owned) noexcept : handle_(owned) {}

    /// Does the slow part. Once. May block.
    /// \returns success, or Status::cancelled where it is gone, or Status::conflict where it ran already; what went
    ///     wrong inside comes from finish()
    Result<void> run() { return detail::result(gatepost_job_run(handle_.get())); }

    /// Turns a job that was run into its decision, or into the next job. Quick.
    /// \returns one of both; Status::not_run where run() has not returned yet, and then it may be asked again; or
    ///     another error: the job is over and the host must refuse
    Result<Outcome> finish();

    /// Runs it, and all that follows. May block.
    /// \returns the decision, or an error: then the host must refuse
    Result<Decision> complete() {
        if (const Result<void> ran = run(); !ran) {
            return ran.error();
        }
        gatepost_decision* decision = nullptr;
        const gatepost_status status = finish(&decision, nullptr);
        return detail::decided(status, decision);
    }

    /// Ends it now. Nobody gets a decision.
    void cancel() noexcept { handle_.reset(); }
    /// \returns what cancels it from elsewhere
    [[nodiscard]] Canceller canceller() const noexcept { return Canceller(handle_.get()); }
    /// \returns whether it is still to be done; false once it was finished, cancelled, submitted or moved away
    explicit operator bool() const noexcept { return handle_ != nullptr; }

    /// \returns the handle, still owned by this object
    [[nodiscard]] gatepost_job* raw() const noexcept { return handle_.get(); }
    /// \returns the handle, owned by the caller
    [[nodiscard]] gatepost_job* release() noexcept { return handle_.release(); }

private:
    gatepost_status finish(gatepost_decision** decision, gatepost_job** next) noexcept {
        const gatepost_status status = gatepost_job_finish(handle_.get(), decision, next);
        if (status != GATEPOST_ERR_NOT_RUN && status != GATEPOST_ERR_INVALID_ARGUMENT) {
            (void)handle_.release();  // consumed
        }
        return status;
    }
    detail::Owned<gatepost_job, gatepost_job_free> handle_;
};

namespace detail {

/// What a step came to that may leave a job.
inline Result<Outcome> outcome(gatepost_status status, gatepost_decision* decision, gatepost_job* job) {
    if (status == GATEPOST_OK) {
        return Result<Outcome>(std::in_place, std::in_place_type<Decision>, decision);
    }
    if (status == GATEPOST_PENDING) {
        return Result<Outcome>(std::in_place, std::in_place_type<Job>, job);
    }
    return Error(static_cast<Status>(status));
}

}  // namespace detail

inline Result<Outcome> Job::finish() {
    gatepost_decision* decision = nullptr;
    gatepost_job* next = nullptr;
    const gatepost_status status = finish(&decision, &next);
    return detail::outcome(status, decision, next);
}

/// The slow part of housekeeping: run() on a thread that may block, or a Pool does it.
class Chore {
public:
    /// Takes over what the C interface handed out.
    /// \param owned ended by this object
    explicit Chore(gatepost_job* owned) noexcept : handle_(owned) {}
    /// Does it. Once. May block.
    /// \returns success or an error
    Result<void> run() { return detail::result(gatepost_job_run(handle_.get())); }
    /// \returns whether it is there; false once it was submitted or moved away
    explicit operator bool() const noexcept { return handle_ != nullptr; }
    /// \returns the handle, still owned by this object
    [[nodiscard]] gatepost_job* raw() const noexcept { return handle_.get(); }
    /// \returns the handle, owned by the caller
    [[nodiscard]] gatepost_job* release() noexcept { return handle_.release(); }

private:
    detail::Owned<gatepost_job, gatepost_job_free> handle_;
};

}  // namespace gatepost

#endif
