/* Our pool: each submission is answered exactly once, by dispatch or free, on the thread that calls them. */
#include "check.h"

#include <poll.h>
#include <pthread.h>

#define MANY 24

static pthread_t loop_thread;

struct answer {
    int calls;
    gatepost_status status;
    uint32_t http;
    gatepost_pool *free_this;
};

static void done(void *data, gatepost_status status, gatepost_decision *decision) {
    struct answer *answer = data;
    CHECK(pthread_equal(pthread_self(), loop_thread));
    CHECK((status == GATEPOST_OK) == (decision != NULL));
    answer->calls++;
    answer->status = status;
    answer->http = gatepost_decision_status(decision);
    gatepost_decision_free(decision);
    if (answer->free_this != NULL) {
        gatepost_pool_free(answer->free_this);
    }
}

/* A job of its own account each time, so that no throttle and no memory of earlier passwords decides at once. */
static gatepost_job *slow(const gatepost_engine *engine) {
    gatepost_header header = authorization(WRONG);
    gatepost_request request = get("/private");
    request.headers = &header;
    request.header_count = 1;
    gatepost_decision *decision = NULL;
    gatepost_job *job = NULL;
    CHECK_STATUS(GATEPOST_PENDING, gatepost_decide(engine, &request, &decision, &job));
    return job;
}

static gatepost_pool *pool(uint32_t threads, uint32_t queue) {
    gatepost_pool *made = NULL;
    gatepost_error *error = NULL;
    must(gatepost_pool_new(threads, queue, &made, &error), error, "gatepost_pool_new");
    return made;
}

/* As an event loop does: waits for the descriptor, then dispatches, until all are answered. */
static void dispatch_until(gatepost_pool *pool, const struct answer *answers, int count) {
    for (;;) {
        int answered = 0;
        for (int i = 0; i < count; i++) {
            CHECK(answers[i].calls <= 1);
            answered += answers[i].calls;
        }
        if (answered == count) {
            return;
        }
        struct pollfd waiting = {gatepost_pool_fd(pool), POLLIN, 0};
        CHECK(poll(&waiting, 1, 120000) == 1);
        CHECK_STATUS(GATEPOST_OK, gatepost_pool_dispatch(pool));
    }
}

static int readable(const gatepost_pool *pool) {
    struct pollfd waiting = {gatepost_pool_fd(pool), POLLIN, 0};
    return poll(&waiting, 1, 0) == 1;
}

static void all_are_answered_once(const gatepost_engine *engine) {
    gatepost_pool *workers = pool(2, MANY);
    struct answer answers[MANY] = {{0}};
    CHECK(!readable(workers));
    for (int i = 0; i < MANY; i++) {
        CHECK_STATUS(GATEPOST_OK, gatepost_pool_submit(workers, slow(engine), done, &answers[i]));
    }
    dispatch_until(workers, answers, MANY);
    for (int i = 0; i < MANY; i++) {
        CHECK(answers[i].status == GATEPOST_OK && answers[i].http == 401);
    }
    CHECK(!readable(workers));
    gatepost_pool_free(workers);
    for (int i = 0; i < MANY; i++) {
        CHECK(answers[i].calls == 1);
    }
}

static void a_full_queue_is_a_refusal(const gatepost_engine *engine) {
    gatepost_pool *workers = pool(1, 1);
    struct answer answers[MANY] = {{0}};
    for (int i = 0; i < MANY; i++) {
        CHECK_STATUS(GATEPOST_OK, gatepost_pool_submit(workers, slow(engine), done, &answers[i]));
        CHECK(answers[i].calls == 0);
    }
    dispatch_until(workers, answers, MANY);
    int refused = 0;
    for (int i = 0; i < MANY; i++) {
        CHECK(answers[i].status == GATEPOST_OK);
        CHECK(answers[i].http == 401 || answers[i].http == 503);
        refused += answers[i].http == 503;
    }
    CHECK(refused > 0 && refused < MANY);
    gatepost_pool_free(workers);
}

static void what_is_cancelled_is_answered_as_cancelled(const gatepost_engine *engine) {
    gatepost_pool *workers = pool(1, MANY);
    struct answer answers[MANY] = {{0}};
    gatepost_job *jobs[MANY];
    for (int i = 0; i < MANY; i++) {
        jobs[i] = slow(engine);
        CHECK_STATUS(GATEPOST_OK, gatepost_pool_submit(workers, jobs[i], done, &answers[i]));
    }
    for (int i = 0; i < MANY; i += 2) {
        CHECK_STATUS(GATEPOST_OK, gatepost_job_cancel(jobs[i]));
        CHECK_STATUS(GATEPOST_ERR_CANCELLED, gatepost_job_cancel(jobs[i]));
    }
    dispatch_until(workers, answers, MANY);
    for (int i = 0; i < MANY; i++) {
        CHECK(answers[i].status == (i % 2 == 0 ? GATEPOST_ERR_CANCELLED : GATEPOST_OK));
        CHECK_STATUS(GATEPOST_ERR_CANCELLED, gatepost_job_cancel(jobs[i]));
    }
    gatepost_pool_free(workers);
}

struct race {
    gatepost_job *jobs[MANY];
};

static void *cancel_all(void *data) {
    struct race *race = data;
    for (int i = 0; i < MANY; i++) {
        (void)gatepost_job_cancel(race->jobs[i]);
    }
    return NULL;
}

/* Cancelled by another thread while they are submitted, run and dispatched. */
static void races_of_submit_and_cancel(const gatepost_engine *engine) {
    for (int round = 0; round < 3; round++) {
        gatepost_pool *workers = pool(2, MANY);
        struct answer answers[MANY] = {{0}};
        struct race race;
        pthread_t thread;
        for (int i = 0; i < MANY; i++) {
            race.jobs[i] = slow(engine);
        }
        CHECK(pthread_create(&thread, NULL, cancel_all, &race) == 0);
        for (int i = 0; i < MANY; i++) {
            gatepost_status status = gatepost_pool_submit(workers, race.jobs[i], done, &answers[i]);
            CHECK(status == GATEPOST_OK || status == GATEPOST_ERR_CANCELLED);
            if (status != GATEPOST_OK) {
                CHECK(answers[i].calls == 0);
                answers[i].calls = 1;
            }
        }
        dispatch_until(workers, answers, MANY);
        CHECK(pthread_join(thread, NULL) == 0);
        gatepost_pool_free(workers);
        for (int i = 0; i < MANY; i++) {
            CHECK(answers[i].calls == 1);
        }
    }
}

static void free_answers_what_is_outstanding(const gatepost_engine *engine) {
    gatepost_pool *workers = pool(2, MANY);
    struct answer answers[MANY] = {{0}};
    for (int i = 0; i < MANY; i++) {
        CHECK_STATUS(GATEPOST_OK, gatepost_pool_submit(workers, slow(engine), done, &answers[i]));
    }
    gatepost_pool_free(workers);
    for (int i = 0; i < MANY; i++) {
        CHECK(answers[i].calls == 1 && answers[i].status == GATEPOST_ERR_CANCELLED);
    }
}

static void a_callback_may_free_the_pool(const gatepost_engine *engine) {
    gatepost_pool *workers = pool(1, MANY);
    struct answer answers[3] = {{0}};
    answers[0].free_this = workers;
    for (int i = 0; i < 3; i++) {
        CHECK_STATUS(GATEPOST_OK, gatepost_pool_submit(workers, slow(engine), done, &answers[i]));
    }
    while (answers[0].calls == 0) {
        struct pollfd waiting = {gatepost_pool_fd(workers), POLLIN, 0};
        CHECK(poll(&waiting, 1, 120000) == 1);
        CHECK_STATUS(GATEPOST_OK, gatepost_pool_dispatch(workers));
    }
    for (int i = 0; i < 3; i++) {
        CHECK(answers[i].calls == 1);
    }
}

static void what_cannot_be_submitted_stays_the_callers(const gatepost_engine *engine) {
    gatepost_pool *workers = pool(1, MANY);
    struct answer answer = {0};
    gatepost_job *job = slow(engine);
    gatepost_decision *decision = NULL;
    CHECK_STATUS(GATEPOST_ERR_INVALID_ARGUMENT, gatepost_pool_submit(workers, job, NULL, &answer));
    CHECK_STATUS(GATEPOST_OK, gatepost_job_run(job));
    CHECK_STATUS(GATEPOST_ERR_CONFLICT, gatepost_pool_submit(workers, job, done, &answer));
    CHECK_STATUS(GATEPOST_OK, gatepost_job_finish(job, &decision, NULL));
    CHECK_STATUS(GATEPOST_ERR_CANCELLED, gatepost_pool_submit(workers, job, done, &answer));
    gatepost_decision_free(decision);

    job = slow(engine);
    struct answer other = {0};
    CHECK_STATUS(GATEPOST_OK, gatepost_pool_submit(workers, job, done, &other));
    CHECK_STATUS(GATEPOST_ERR_CONFLICT, gatepost_pool_submit(workers, job, done, &answer));
    CHECK_STATUS(GATEPOST_ERR_CONFLICT, gatepost_job_run(job));
    decision = NULL;
    CHECK_STATUS(GATEPOST_ERR_NOT_RUN, gatepost_job_finish(job, &decision, NULL));
    dispatch_until(workers, &other, 1);
    CHECK(other.status == GATEPOST_OK && decision == NULL);
    gatepost_pool_free(workers);
    CHECK(answer.calls == 0);
}

int main(int argc, char **argv) {
    CHECK(argc == 2);
    loop_thread = pthread_self();
    gatepost_engine *engine = started(argv[1]);
    all_are_answered_once(engine);
    a_full_queue_is_a_refusal(engine);
    what_is_cancelled_is_answered_as_cancelled(engine);
    races_of_submit_and_cancel(engine);
    free_answers_what_is_outstanding(engine);
    a_callback_may_free_the_pool(engine);
    what_cannot_be_submitted_stays_the_callers(engine);
    gatepost_engine_free(engine);
    return 0;
}
