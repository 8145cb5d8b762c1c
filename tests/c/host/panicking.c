/* A panic ends one call and nothing else, wherever it comes from. Built against a library with the feature test-panic,
 * which alone has these two: */
#define _GNU_SOURCE
#include "host.h"

#include <poll.h>
#include <signal.h>

gatepost_status gatepost_test_panic(const gatepost_engine *engine);
gatepost_status gatepost_test_panic_at(gatepost_str point, uint32_t nth);

static void arm(const char *point) { CHECK_STATUS(GATEPOST_OK, gatepost_test_panic_at(text(point), 1)); }

/* The next call must end with GATEPOST_ERR_PANIC, or with the value that refuses. */
#define PANICS(condition)                                                                                              \
    do {                                                                                                               \
        arm("guard");                                                                                                  \
        CHECK(condition);                                                                                              \
        CHECK_STATUS(GATEPOST_OK, gatepost_test_panic_at(NOTHING, 0));                                                 \
        CHECK(ask(engine, "/public", NULL) == 200);                                                                    \
    } while (0)

static unsigned calls;
static gatepost_status last;

static void done(void *data, gatepost_status status, gatepost_decision *decision) {
    (void)data;
    calls++;
    last = status;
    CHECK((status == GATEPOST_OK) == (decision != NULL));
    gatepost_decision_free(decision);
}

static gatepost_job *pending(const gatepost_engine *engine) {
    gatepost_header header = authorization(WRONG);
    gatepost_request request = get("/private");
    request.headers = &header;
    request.header_count = 1;
    gatepost_decision *decision = NULL;
    gatepost_job *job = NULL;
    CHECK_STATUS(GATEPOST_PENDING, gatepost_decide(engine, &request, &decision, &job));
    return job;
}

static void in_each_function(gatepost_engine *engine, const char *folder) {
    const gatepost_status panic = GATEPOST_ERR_PANIC;
    char *path = in_folder(folder, "policy.toml");
    gatepost_request request = get("/public");
    gatepost_view view = {.struct_size = sizeof view};
    gatepost_engine *made = NULL;
    gatepost_decision *decision = NULL;
    gatepost_job *job = NULL;
    gatepost_pool *pool = NULL;
    gatepost_bytes *bytes = NULL;
    gatepost_error *error = NULL;
    uint32_t yes = 7;
    uint64_t next = 7;

    PANICS(gatepost_engine_new(GATEPOST_STR(""), NOTHING, NULL, &made, NULL) == panic && made == NULL);
    PANICS(gatepost_engine_open(text(path), NULL, &made, &error) == panic && made == NULL && error != NULL);
    CHECK(gatepost_error_status(error) == panic && gatepost_error_message(error).len > 0);
    PANICS(gatepost_error_status(error) != GATEPOST_OK);
    PANICS(gatepost_error_message(error).len == 0);
    PANICS(gatepost_error_file(error).len == 0);
    PANICS(gatepost_error_line(error) == 0);
    PANICS(gatepost_error_column(error) == 0);
    gatepost_error_free(error);
    PANICS(gatepost_engine_start(engine, NULL) == panic);
    PANICS(gatepost_engine_reload(engine, NULL) == panic);
    PANICS(gatepost_engine_poll(engine, &next, &job) == panic && next == 7 && job == NULL);
    PANICS(gatepost_engine_generation(engine) == 0);
    PANICS(gatepost_engine_metrics(engine, &bytes) == panic && bytes == NULL);
    PANICS(gatepost_engine_wants_body(engine, &request) == 0);
    PANICS(gatepost_engine_ref(engine) == NULL);
    PANICS(gatepost_policy_check(text(path), NOTHING, &bytes, NULL) == panic && bytes == NULL);
    PANICS(gatepost_decide(engine, &request, &decision, NULL) == panic && decision == NULL);
    PANICS(gatepost_decide_into(engine, &request, &decision, &view) == panic && decision == NULL && view.status == 0);
    PANICS(gatepost_strip(engine, &request, &decision, &view) == panic && decision == NULL && view.status == 0);
    gatepost_flat flat[8] = {{.status = 7}};
    PANICS(gatepost_decide_flat(engine, &request, flat, sizeof flat, &decision, &job) == panic && decision == NULL && job == NULL && flat->status == 7);
    gatepost_place place = {sizeof place, flat, sizeof flat, NULL, NULL, 0};
    PANICS(gatepost_decide_text(engine, "0\n0\nGET\n/\n", 10, &place) == panic && place.decision == NULL && place.job == NULL && flat->status == 7);
    CHECK_STATUS(GATEPOST_OK, gatepost_decide(engine, &request, &decision, NULL));
    PANICS(gatepost_decision_view(decision, &view) == panic && view.status == 0 && view.action == GATEPOST_DENY);
    PANICS(gatepost_decision_action(decision) == GATEPOST_DENY);
    PANICS(gatepost_decision_status(decision) == 500);
    PANICS(gatepost_decision_reason(decision) == GATEPOST_REASON_INTERNAL);
    PANICS(gatepost_decision_subject(decision).len == 0);
    PANICS(gatepost_decision_id(decision).len == 0);
    PANICS(gatepost_decision_attribute(decision, GATEPOST_STR("subject")).len == 0);
    CHECK(gatepost_decision_status(decision) == 200);
    gatepost_decision_free(decision);
    job = pending(engine);
    PANICS(gatepost_job_run(job) == panic);
    CHECK_STATUS(GATEPOST_OK, gatepost_job_run(job));
    decision = NULL;
    PANICS(gatepost_job_finish(job, &decision, NULL) == panic && decision == NULL);
    PANICS(gatepost_job_cancel(job) == panic);
    CHECK_STATUS(GATEPOST_OK, gatepost_job_finish(job, &decision, NULL));
    CHECK(gatepost_decision_status(decision) == 401);
    gatepost_decision_free(decision);
    PANICS(gatepost_pool_new(1, 1, &pool, NULL) == panic && pool == NULL);
    CHECK_STATUS(GATEPOST_OK, gatepost_pool_new(1, 1, &pool, NULL));
    job = pending(engine);
    PANICS(gatepost_pool_submit(pool, job, done, NULL) == panic);
    PANICS(gatepost_pool_fd(pool) == -1);
    PANICS(gatepost_pool_dispatch(pool) == panic);
    CHECK_STATUS(GATEPOST_OK, gatepost_pool_submit(pool, job, done, NULL));
    gatepost_pool_free(pool);
    CHECK(calls == 1);
    PANICS(gatepost_password_hash(NULL, GATEPOST_STR("p"), &bytes, NULL) == panic && bytes == NULL);
    PANICS(gatepost_password_verify(GATEPOST_STR("p"), NOTHING, &yes, NULL) == panic && yes == 7);
    PANICS(gatepost_password_needs_rehash(NULL, NOTHING, &yes, NULL) == panic && yes == 7);
    gatepost_verified *verified = NULL;
    gatepost_token_view seen = {.struct_size = sizeof seen};
    gatepost_revocation revocation = {.struct_size = sizeof revocation, .user = GATEPOST_STR("alice")};
    PANICS(gatepost_token_revoke(engine, &revocation, NULL) == panic);
    PANICS(gatepost_token_verify(engine, GATEPOST_STR("t"), 0, &verified, NULL) == panic && verified == NULL);
    CHECK_STATUS(GATEPOST_OK, gatepost_token_verify(engine, GATEPOST_STR("t"), 0, &verified, NULL));
    PANICS(gatepost_verified_view(verified, &seen) == panic && seen.action == GATEPOST_DENY && seen.status == 0);
    gatepost_verified_free(verified);
    gatepost_tokens *tokens = NULL;
    gatepost_issued issued = {.struct_size = sizeof issued};
    gatepost_token_request wanted = {.struct_size = sizeof wanted, .user = GATEPOST_STR("alice")};
    gatepost_refresh_request exchange = {.struct_size = sizeof exchange};
    gatepost_fetched fetched = {.struct_size = sizeof fetched};
    PANICS(gatepost_token_issue(engine, &wanted, &tokens, NULL) == panic && tokens == NULL);
    PANICS(gatepost_token_refresh(engine, &exchange, &tokens, NULL) == panic && tokens == NULL);
    must(gatepost_token_issue(engine, &wanted, &tokens, NULL), NULL, "issue");
    PANICS(gatepost_tokens_view(tokens, &issued) == panic && issued.access_token.len == 0);
    CHECK_STATUS(GATEPOST_OK, gatepost_tokens_view(tokens, &issued));
    CHECK(issued.access_token.len > 0);
    gatepost_tokens_free(tokens);
    PANICS(gatepost_fetch_reply_set(NULL, &fetched) == panic);
    must(gatepost_password_hash(NULL, GATEPOST_STR("p"), &bytes, NULL), NULL, "hash");
    PANICS(gatepost_bytes_view(bytes).len == 0);
    gatepost_bytes_free(bytes);
    PANICS(gatepost_reason_name(GATEPOST_REASON_ALLOWED).len == 0);
    PANICS(gatepost_reason_text(GATEPOST_REASON_ALLOWED, 0).len == 0);
    PANICS(gatepost_status_text(GATEPOST_OK).len == 0);
    PANICS(gatepost_reason_status(GATEPOST_REASON_ALLOWED) == 500);
    PANICS(gatepost_version().len == 0);
    PANICS(gatepost_abi() == UINT32_MAX);
    PANICS(gatepost_abi_check(GATEPOST_ABI) == panic);
    PANICS(gatepost_has_feature(GATEPOST_STR("basic")) == 0);
    free(path);
    works(engine);
}

/* A panic on the way in: the object is still whole, and the next call frees it. */
static void in_each_free(gatepost_engine *engine) {
    gatepost_request request = get("/public");
    gatepost_decision *decision = NULL;
    gatepost_pool *pool = NULL;
    gatepost_bytes *bytes = NULL;
    gatepost_error *error = NULL;
    gatepost_verified *verified = NULL;
    gatepost_tokens *tokens = NULL;
    gatepost_token_request wanted = {.struct_size = sizeof wanted, .user = GATEPOST_STR("alice")};
    must(gatepost_token_issue(engine, &wanted, &tokens, NULL), NULL, "issue");
    gatepost_engine *other = gatepost_engine_ref(engine);
    gatepost_job *job = pending(engine);
    CHECK_STATUS(GATEPOST_OK, gatepost_decide(engine, &request, &decision, NULL));
    CHECK_STATUS(GATEPOST_OK, gatepost_pool_new(1, 1, &pool, NULL));
    must(gatepost_password_hash(NULL, GATEPOST_STR("p"), &bytes, NULL), NULL, "hash");
    CHECK(gatepost_engine_new(GATEPOST_STR("nonsense"), NOTHING, NULL, NULL, &error) != GATEPOST_OK && error != NULL);
    CHECK_STATUS(GATEPOST_OK, gatepost_token_verify(engine, GATEPOST_STR("t"), 0, &verified, NULL));
    for (int i = 0; i < 2; i++) {
#define FREES(call)                                                                                                    \
    do {                                                                                                               \
        if (i == 0) {                                                                                                  \
            arm("guard");                                                                                              \
        }                                                                                                              \
        call;                                                                                                          \
    } while (0)
        FREES(gatepost_job_free(job));
        FREES(gatepost_decision_free(decision));
        FREES(gatepost_pool_free(pool));
        FREES(gatepost_bytes_free(bytes));
        FREES(gatepost_error_free(error));
        FREES(gatepost_verified_free(verified));
        FREES(gatepost_tokens_free(tokens));
        FREES(gatepost_engine_free(other));
    }
    works(engine);
}

/* Inside the engine, where locks are held and a request is half done. */
static void deep_inside(gatepost_engine *engine) {
    gatepost_decision *decision = NULL;
    gatepost_header header = authorization(WRONG);
    gatepost_request request = get("/private");
    request.headers = &header;
    request.header_count = 1;
    arm("decide");
    CHECK_STATUS(GATEPOST_ERR_PANIC, gatepost_decide(engine, &request, &decision, NULL));
    CHECK(decision == NULL);
    works(engine);

    /* On a thread that runs a job: the job is answered, as 500 or as an error. */
    arm("job");
    CHECK_STATUS(GATEPOST_OK, gatepost_decide(engine, &request, &decision, NULL));
    CHECK(gatepost_decision_status(decision) == 500);
    gatepost_decision_free(decision);
    works(engine);
    gatepost_job *job = pending(engine);
    arm("job");
    CHECK_STATUS(GATEPOST_OK, gatepost_job_run(job));
    CHECK_STATUS(GATEPOST_OK, gatepost_job_finish(job, &decision, NULL));
    CHECK(gatepost_decision_status(decision) == 500);
    gatepost_decision_free(decision);
    works(engine);

    gatepost_pool *pool = NULL;
    CHECK_STATUS(GATEPOST_OK, gatepost_pool_new(1, 4, &pool, NULL));
    const char *points[] = {"job", "pool", "finish"};
    for (int i = 0; i < 3; i++) {
        /* The one thread of the pool survives each of them, and whoever waits is told. */
        calls = 0;
        arm(points[i]);
        CHECK_STATUS(GATEPOST_OK, gatepost_pool_submit(pool, pending(engine), done, NULL));
        struct pollfd ready = {gatepost_pool_fd(pool), POLLIN, 0};
        while (calls == 0) {
            CHECK(poll(&ready, 1, 300000) == 1);
            CHECK_STATUS(GATEPOST_OK, gatepost_pool_dispatch(pool));
        }
        CHECK(calls == 1 && last == (i == 0 ? GATEPOST_OK : GATEPOST_ERR_PANIC));
        works(engine);
    }
    gatepost_pool_free(pool);

    /* While a policy is being swapped: the old one stays. */
    uint64_t generation = gatepost_engine_generation(engine);
    arm("reload");
    CHECK_STATUS(GATEPOST_ERR_PANIC, gatepost_engine_reload(engine, NULL));
    CHECK(gatepost_engine_generation(engine) == generation);
    CHECK_STATUS(GATEPOST_OK, gatepost_engine_reload(engine, NULL));
    CHECK(gatepost_engine_generation(engine) == generation + 1);
    works(engine);
}

int main(int argc, char **argv) {
    CHECK(argc == 2);
    gatepost_engine *engine = started(argv[1]);
    for (int i = 0; i < 3; i++) {
        CHECK_STATUS(GATEPOST_ERR_PANIC, gatepost_test_panic(engine));
        works(engine);
    }
    CHECK_STATUS(GATEPOST_ERR_INVALID_ARGUMENT, gatepost_test_panic(NULL));
    in_each_function(engine, argv[1]);
    in_each_free(engine);
    deep_inside(engine);

    /* The message goes to standard error; nobody reading there must not end the process. */
    int ends[2];
    CHECK(pipe(ends) == 0 && close(ends[0]) == 0 && signal(SIGPIPE, SIG_DFL) != SIG_ERR);
    int said = dup(2);
    CHECK(dup2(ends[1], 2) == 2);
    CHECK_STATUS(GATEPOST_ERR_PANIC, gatepost_test_panic(engine));
    sigset_t pending_signals;
    CHECK(sigpending(&pending_signals) == 0 && sigismember(&pending_signals, SIGPIPE) == 0);
    CHECK(dup2(said, 2) == 2);
    works(engine);
    gatepost_engine_free(engine);
    return 0;
}
