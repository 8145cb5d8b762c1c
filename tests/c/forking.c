/* What a server with worker processes does: one engine, made before fork, started in each process after it. */
#include "check.h"
#include "settled.h"

#include <sys/wait.h>
#include <unistd.h>

static void done(void *data, gatepost_status status, gatepost_decision *decision) {
    *(int *)data += 1;
    CHECK(status == GATEPOST_ERR_CANCELLED && decision == NULL);
}

static uint32_t http(const gatepost_engine *engine, const char *target) {
    gatepost_header header = authorization(RIGHT);
    gatepost_request request = get(target);
    request.headers = &header;
    request.header_count = 1;
    gatepost_decision *decision = NULL;
    CHECK_STATUS(GATEPOST_OK, gatepost_decide(engine, &request, &decision, NULL));
    uint32_t status = gatepost_decision_status(decision);
    gatepost_decision_free(decision);
    return status;
}

static gatepost_status ask(const gatepost_engine *engine) {
    gatepost_request request = get("/private");
    gatepost_decision *decision = NULL;
    gatepost_status status = gatepost_decide(engine, &request, &decision, NULL);
    CHECK((status == GATEPOST_OK) == (decision != NULL));
    gatepost_decision_free(decision);
    return status;
}

/* What must not reach the application is known in any process, whoever has started the engine. */
static void the_names_are_known(const gatepost_engine *engine) {
    gatepost_decision *decision = NULL;
    gatepost_view view = {.struct_size = sizeof view};
    CHECK_STATUS(GATEPOST_OK, gatepost_strip(engine, NULL, &decision, &view));
    CHECK(view.action == GATEPOST_DENY && view.strip_count == 2 && is(view.strip[0], "X-Auth-Subject"));
    gatepost_decision_free(decision);
}

static void must_end_well(pid_t child) {
    int status = 0;
    CHECK(child > 0);
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* The id of a decision, which must differ between processes. */
static void draw_id(const gatepost_engine *engine, char *id, size_t size) {
    gatepost_request request = get("/public");
    gatepost_decision *decision = NULL;
    CHECK_STATUS(GATEPOST_OK, gatepost_decide(engine, &request, &decision, NULL));
    snprintf(id, size, "%s", gatepost_decision_id(decision).ptr);
    gatepost_decision_free(decision);
}

int main(int argc, char **argv) {
    CHECK(argc == 2);
    gatepost_engine *engine = service(argv[1]);
    CHECK_STATUS(GATEPOST_ERR_NOT_STARTED, ask(engine));

    /* The usual way: made before fork, started after it, in two workers. */
    char ids[2][128];
    for (int i = 0; i < 2; i++) {
        int ends[2];
        CHECK(pipe(ends) == 0);
        pid_t worker = fork();
        if (worker == 0) {
            char id[128] = {0};
            CHECK_STATUS(GATEPOST_ERR_NOT_STARTED, ask(engine));
            the_names_are_known(engine);
            must(gatepost_engine_start(engine, NULL), NULL, "start in a worker");
            CHECK(http(engine, "/private") == 200);
            draw_id(engine, id, sizeof id);
            CHECK(write(ends[1], id, sizeof id) == (ssize_t)sizeof id);
            gatepost_engine_free(engine);
            _exit(0);
        }
        CHECK(read(ends[0], ids[i], sizeof ids[i]) == (ssize_t)sizeof ids[i]);
        must_end_well(worker);
        close(ends[0]);
        close(ends[1]);
    }
    CHECK(strlen(ids[0]) > 0 && strcmp(ids[0], ids[1]) != 0);

    /* A child of a started process: refused until it starts for itself; the parent goes on. */
    must(gatepost_engine_start(engine, NULL), NULL, "start in the parent");
    CHECK(http(engine, "/private") == 200);
    gatepost_pool *pool = NULL;
    must(gatepost_pool_new(1, 4, &pool, NULL), NULL, "pool in the parent");
    int answered = 0;
    settle();
    pid_t child = fork();
    if (child == 0) {
        gatepost_error *error = NULL;
        gatepost_header header = authorization(WRONG);
        gatepost_request request = get("/private");
        request.headers = &header;
        request.header_count = 1;
        gatepost_decision *decision = NULL;
        gatepost_job *job = NULL;
        CHECK_STATUS(GATEPOST_ERR_NOT_STARTED, gatepost_decide(engine, &request, &decision, &job));
        CHECK(decision == NULL && job == NULL);
        the_names_are_known(engine);
        must(gatepost_engine_start(engine, &error), error, "start in the child");
        CHECK(http(engine, "/private") == 200);

        /* The pool is the parent's. */
        CHECK_STATUS(GATEPOST_PENDING, gatepost_decide(engine, &request, &decision, &job));
        CHECK_STATUS(GATEPOST_ERR_NOT_STARTED, gatepost_pool_submit(pool, job, done, &answered));
        CHECK_STATUS(GATEPOST_ERR_NOT_STARTED, gatepost_pool_dispatch(pool));
        gatepost_job_free(job);
        gatepost_pool_free(pool);
        CHECK(answered == 0);
        must(gatepost_pool_new(1, 4, &pool, &error), error, "pool in the child");
        CHECK_STATUS(GATEPOST_PENDING, gatepost_decide(engine, &request, &decision, &job));
        CHECK_STATUS(GATEPOST_OK, gatepost_pool_submit(pool, job, done, &answered));
        gatepost_pool_free(pool);
        CHECK(answered == 1);
        gatepost_engine_free(engine);
        _exit(0);
    }
    must_end_well(child);
    CHECK(http(engine, "/private") == 200);
    gatepost_pool_free(pool);
    gatepost_engine_free(engine);
    return 0;
}
