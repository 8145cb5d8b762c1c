/* Slow work as a job: run once, finished or cancelled once, and whoever comes late finds it gone. */
#include "check.h"

#include <pthread.h>

/* A fresh address each time: what was verified a moment ago may be remembered and decided at once. */
static gatepost_status begin(const gatepost_engine *engine, const char *credentials, gatepost_decision **decision,
                             gatepost_job **job) {
    /* Everything on this stack is overwritten when begin returns: nothing in a job may point here. */
    char value[128];
    snprintf(value, sizeof value, "%s", credentials);
    gatepost_header header = authorization(value);
    gatepost_request request = get("/private");
    request.headers = &header;
    request.header_count = 1;
    gatepost_status status = gatepost_decide(engine, &request, decision, job);
    memset(value, 'x', sizeof value);
    memset(&header, 0xAA, sizeof header);
    memset(&request, 0xAA, sizeof request);
    return status;
}

/* Runs what is left to its decision. */
static gatepost_decision *to_the_end(gatepost_job *job) {
    gatepost_decision *decision = NULL;
    gatepost_status status = GATEPOST_PENDING;
    while (status == GATEPOST_PENDING) {
        CHECK_STATUS(GATEPOST_OK, gatepost_job_run(job));
        gatepost_job *next = NULL;
        status = gatepost_job_finish(job, &decision, &next);
        CHECK((status == GATEPOST_PENDING) == (next != NULL));
        job = next;
    }
    CHECK_STATUS(GATEPOST_OK, status);
    return decision;
}

static void cheap_outcomes_come_at_once(const gatepost_engine *engine) {
    gatepost_decision *decision = NULL;
    gatepost_job *job = NULL;
    gatepost_request request = get("/private");
    CHECK_STATUS(GATEPOST_OK, gatepost_decide(engine, &request, &decision, &job));
    CHECK(job == NULL && gatepost_decision_status(decision) == 401);
    gatepost_decision_free(decision);
}

static void passwords_are_pending(const gatepost_engine *engine) {
    gatepost_decision *decision = NULL;
    gatepost_job *job = NULL;
    CHECK_STATUS(GATEPOST_PENDING, begin(engine, WRONG, &decision, &job));
    CHECK(decision == NULL && job != NULL);
    decision = to_the_end(job);
    CHECK(gatepost_decision_status(decision) == 401);
    CHECK(gatepost_decision_reason(decision) == GATEPOST_REASON_CREDENTIALS_INVALID);
    gatepost_decision_free(decision);

    CHECK_STATUS(GATEPOST_PENDING, begin(engine, RIGHT, &decision, &job));
    decision = to_the_end(job);
    CHECK(gatepost_decision_action(decision) == GATEPOST_ALLOW && is(gatepost_decision_subject(decision), "alice"));
    gatepost_decision_free(decision);
}

static void each_step_happens_once_and_in_order(const gatepost_engine *engine) {
    gatepost_decision *decision = NULL;
    gatepost_job *job = NULL, *next = NULL;
    CHECK_STATUS(GATEPOST_PENDING, begin(engine, WRONG, &decision, &job));
    CHECK_STATUS(GATEPOST_ERR_NOT_RUN, gatepost_job_finish(job, &decision, &next));
    CHECK_STATUS(GATEPOST_OK, gatepost_job_run(job));
    CHECK_STATUS(GATEPOST_ERR_CONFLICT, gatepost_job_run(job));
    CHECK_STATUS(GATEPOST_ERR_INVALID_ARGUMENT, gatepost_job_finish(job, NULL, &next));
    CHECK_STATUS(GATEPOST_OK, gatepost_job_finish(job, &decision, NULL));
    gatepost_decision_free(decision);
    decision = NULL;
    CHECK_STATUS(GATEPOST_ERR_CANCELLED, gatepost_job_finish(job, &decision, &next));
    CHECK_STATUS(GATEPOST_ERR_CANCELLED, gatepost_job_run(job));
    CHECK_STATUS(GATEPOST_ERR_CANCELLED, gatepost_job_cancel(job));
    gatepost_job_free(job);
    CHECK(decision == NULL && next == NULL);
}

static void a_job_can_be_cancelled_before_and_after_its_run(const gatepost_engine *engine) {
    gatepost_decision *decision = NULL;
    gatepost_job *job = NULL;
    CHECK_STATUS(GATEPOST_PENDING, begin(engine, WRONG, &decision, &job));
    CHECK_STATUS(GATEPOST_OK, gatepost_job_cancel(job));
    CHECK_STATUS(GATEPOST_ERR_CANCELLED, gatepost_job_run(job));
    CHECK_STATUS(GATEPOST_PENDING, begin(engine, WRONG, &decision, &job));
    CHECK_STATUS(GATEPOST_OK, gatepost_job_run(job));
    CHECK_STATUS(GATEPOST_OK, gatepost_job_cancel(job));
    CHECK_STATUS(GATEPOST_ERR_CANCELLED, gatepost_job_finish(job, &decision, NULL));
    CHECK_STATUS(GATEPOST_PENDING, begin(engine, WRONG, &decision, &job));
    gatepost_job_free(job);
    CHECK(decision == NULL);
}

static void *run(void *job) {
    gatepost_status status = gatepost_job_run(job);
    CHECK(status == GATEPOST_OK || status == GATEPOST_ERR_CANCELLED);
    return NULL;
}

static void a_job_can_be_cancelled_while_it_runs(const gatepost_engine *engine) {
    for (int i = 0; i < 20; i++) {
        gatepost_decision *decision = NULL;
        gatepost_job *job = NULL;
        pthread_t thread;
        CHECK_STATUS(GATEPOST_PENDING, begin(engine, WRONG, &decision, &job));
        CHECK(pthread_create(&thread, NULL, run, job) == 0);
        for (volatile int wait = 0; wait < i * 20000; wait++) {
        }
        CHECK_STATUS(GATEPOST_OK, gatepost_job_cancel(job));
        CHECK(pthread_join(thread, NULL) == 0);
    }
}

static void a_job_outlives_the_hosts_engine(const char *folder) {
    gatepost_engine *engine = started(folder);
    gatepost_decision *decision = NULL;
    gatepost_job *job = NULL;
    CHECK_STATUS(GATEPOST_PENDING, begin(engine, RIGHT, &decision, &job));
    gatepost_engine_free(engine);
    decision = to_the_end(job);
    CHECK(is(gatepost_decision_subject(decision), "alice"));
    gatepost_decision_free(decision);
}

static void housekeeping_is_run_and_freed(const gatepost_engine *engine) {
    gatepost_request request = get("/public");
    gatepost_job *job = (gatepost_job *)&request;
    uint64_t next = 0;
    CHECK_STATUS(GATEPOST_OK, gatepost_engine_poll(engine, &next, &job));
    CHECK(next > 0);
    if (job != NULL) {
        gatepost_decision *decision = NULL;
        CHECK_STATUS(GATEPOST_OK, gatepost_job_run(job));
        CHECK_STATUS(GATEPOST_ERR_INVALID_ARGUMENT, gatepost_job_finish(job, &decision, NULL));
        CHECK(decision == NULL);
        gatepost_job_free(job);
    }
    CHECK_STATUS(GATEPOST_OK, gatepost_engine_poll(engine, NULL, NULL));
}

int main(int argc, char **argv) {
    CHECK(argc == 2);
    gatepost_engine *engine = started(argv[1]);
    cheap_outcomes_come_at_once(engine);
    a_job_can_be_cancelled_before_and_after_its_run(engine);
    passwords_are_pending(engine);
    each_step_happens_once_and_in_order(engine);
    a_job_can_be_cancelled_while_it_runs(engine);
    housekeeping_is_run_and_freed(engine);
    gatepost_engine_free(engine);
    a_job_outlives_the_hosts_engine(argv[1]);
    return 0;
}
