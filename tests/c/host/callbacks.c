/* Callbacks that call back in: a clock that decides, reloads and lets go, a completion that submits and ends its pool, a
 * finalizer that asks another engine. All are answered like anybody else, and none waits for itself. */
#define _GNU_SOURCE
#include "host.h"

#include <poll.h>

#define NOW 1795435200

static gatepost_engine *engine;
static gatepost_job *current;
static int depth, nested, finalized;

static int64_t clock_of_the_host(void *data) {
    CHECK(data == &depth);
    if (depth > 0 || engine == NULL) {
        return NOW;
    }
    depth++;
    nested++;
    works(engine);
    gatepost_request request = get("/public");
    gatepost_decision *decision = NULL;
    gatepost_view view = {.struct_size = sizeof view};
    CHECK_STATUS(GATEPOST_OK, gatepost_decide_into(engine, &request, &decision, &view));
    gatepost_decision_free(decision);
    must(gatepost_engine_start(engine, NULL), NULL, "start again");
    must(gatepost_engine_reload(engine, NULL), NULL, "reload");
    must(gatepost_engine_poll(engine, NULL, NULL), NULL, "poll");
    CHECK(gatepost_engine_generation(engine) > 1);
    gatepost_engine_free(gatepost_engine_ref(engine));
    gatepost_pool *pool = NULL;
    must(gatepost_pool_new(1, 1, &pool, NULL), NULL, "pool");
    gatepost_pool_free(pool);
    if (current != NULL) {
        /* The very job in which the clock is asked. */
        CHECK(gatepost_job_run(current) != GATEPOST_OK);
        gatepost_job_free(current);
    }
    depth--;
    return NOW;
}

static void finalizer(void *data) {
    CHECK(data == &depth);
    finalized++;
    gatepost_engine *other = NULL;
    must(gatepost_engine_new(text("[engine]\nstate = \":memory:\"\n[[route]]\npath = \"/public\"\naccess = \"public\"\n"),
                             NOTHING, NULL, &other, NULL),
         NULL, "an engine in a finalizer");
    must(gatepost_engine_start(other, NULL), NULL, "start in a finalizer");
    CHECK(ask(other, "/public", NULL) == 200);
    gatepost_engine_free(other);
}

static gatepost_job *pending(void) {
    gatepost_header header = authorization(WRONG);
    gatepost_request request = get("/private");
    request.headers = &header;
    request.header_count = 1;
    request.now = NOW;
    gatepost_decision *decision = NULL;
    gatepost_job *job = NULL;
    CHECK_STATUS(GATEPOST_PENDING, gatepost_decide(engine, &request, &decision, &job));
    return job;
}

static gatepost_pool *pool;
static int answers, ended;

static void done(void *data, gatepost_status status, gatepost_decision *decision) {
    int left = *(int *)data;
    CHECK(status == GATEPOST_OK || status == GATEPOST_ERR_CANCELLED);
    gatepost_decision_free(decision);
    answers++;
    works(engine);
    must(gatepost_engine_reload(engine, NULL), NULL, "reload in a completion");
    if (ended) {
        return;
    }
    CHECK_STATUS(GATEPOST_OK, gatepost_pool_dispatch(pool));
    if (left > 0) {
        static int lefts[16];
        lefts[left] = left - 1;
        gatepost_job *unwanted = pending();
        CHECK_STATUS(GATEPOST_OK, gatepost_job_cancel(unwanted));
        CHECK_STATUS(GATEPOST_OK, gatepost_pool_submit(pool, pending(), done, &lefts[left]));
    } else {
        ended = 1;
        gatepost_pool_free(pool);
    }
}

int main(int argc, char **argv) {
    CHECK(argc == 2);
    /* Whatever waits for itself would wait for ever. */
    alarm(600);
    char *path = in_folder(argv[1], "policy.toml");
    gatepost_options options = {.struct_size = sizeof options};
    options.clock = clock_of_the_host;
    options.clock_data = &depth;
    options.clock_finalizer = finalizer;
    gatepost_engine *made = NULL;
    must(gatepost_engine_open(text(path), &options, &made, NULL), NULL, "open");
    must(gatepost_engine_start(made, NULL), NULL, "start");
    engine = made;
    works(engine);
    int before = nested;
    CHECK(before >= 5);
    must(gatepost_engine_poll(engine, NULL, NULL), NULL, "poll");
    CHECK(nested > before);

    before = nested;
    current = pending();
    CHECK_STATUS(GATEPOST_OK, gatepost_job_run(current));
    gatepost_decision *decision = NULL;
    gatepost_status status = gatepost_job_finish(current, &decision, NULL);
    CHECK(status == GATEPOST_OK || status == GATEPOST_ERR_CANCELLED);
    gatepost_decision_free(decision);
    current = NULL;

    must(gatepost_pool_new(1, 16, &pool, NULL), NULL, "pool");
    int left = 4;
    CHECK_STATUS(GATEPOST_OK, gatepost_pool_submit(pool, pending(), done, &left));
    while (!ended) {
        struct pollfd ready = {gatepost_pool_fd(pool), POLLIN, 0};
        CHECK(poll(&ready, 1, 300000) == 1);
        CHECK_STATUS(GATEPOST_OK, gatepost_pool_dispatch(pool));
    }
    CHECK(answers == 5);
    works(engine);
    engine = NULL;
    CHECK(finalized == 0);
    gatepost_engine_free(made);
    CHECK(finalized == 1);
    free(path);
    return 0;
}
