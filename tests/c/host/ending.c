/* How processes and threads end while the library is in use: each way must end in its own exit status, and soon. */
#define _GNU_SOURCE
#include "host.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>

static gatepost_engine *engine;
static gatepost_pool *pool;
static gatepost_job *job;
static gatepost_decision *decision;
static const char *folder;

static void ignore(void *data, gatepost_status status, gatepost_decision *made) {
    (void)data;
    (void)status;
    gatepost_decision_free(made);
}

static gatepost_job *pending(void) {
    gatepost_header header = authorization(WRONG);
    gatepost_request request = get("/private");
    request.headers = &header;
    request.header_count = 1;
    gatepost_decision *none = NULL;
    gatepost_job *made = NULL;
    CHECK_STATUS(GATEPOST_PENDING, gatepost_decide(engine, &request, &none, &made));
    return made;
}

static void busy_pool(void) {
    must(gatepost_pool_new(2, 64, &pool, NULL), NULL, "pool");
    for (int i = 0; i < 40; i++) {
        CHECK_STATUS(GATEPOST_OK, gatepost_pool_submit(pool, pending(), ignore, NULL));
    }
}

static void free_all(void) {
    gatepost_pool_free(pool);
    gatepost_job_free(job);
    gatepost_decision_free(decision);
    gatepost_engine_free(engine);
    pool = NULL, job = NULL, decision = NULL, engine = NULL;
}

/* Runs after main and after what atexit was given later. */
__attribute__((destructor)) static void at_the_very_end(void) {
    if (engine != NULL) {
        works(engine);
        free_all();
    }
}

static void ask_at_exit(void) { works(engine); }

static void while_the_pool_works(void) {
    busy_pool();
    engine = NULL;
    exit(7);
}

static void with_handlers_that_use_it(void) {
    CHECK(atexit(ask_at_exit) == 0);
    busy_pool();
    exit(7);
}

static void with_handlers_that_free_it(void) {
    CHECK(atexit(free_all) == 0);
    busy_pool();
    exit(7);
}

static void exit_in_completion(void *data, gatepost_status status, gatepost_decision *made) {
    ignore(data, status, made);
    engine = NULL;
    exit(7);
}

static void in_a_completion(void) {
    must(gatepost_pool_new(1, 64, &pool, NULL), NULL, "pool");
    CHECK_STATUS(GATEPOST_OK, gatepost_pool_submit(pool, pending(), exit_in_completion, NULL));
    struct pollfd ready = {gatepost_pool_fd(pool), POLLIN, 0};
    for (;;) {
        CHECK(poll(&ready, 1, 300000) == 1);
        CHECK_STATUS(GATEPOST_OK, gatepost_pool_dispatch(pool));
    }
}

static void *decide_for_ever(void *data) {
    const gatepost_engine *mine = data;
    for (;;) {
        CHECK(ask(mine, "/private", WRONG) == 401);
    }
}

static void while_a_thread_decides(void) {
    pthread_t other;
    CHECK(pthread_create(&other, NULL, decide_for_ever, gatepost_engine_ref(engine)) == 0);
    works(engine);
    engine = NULL;
    exit(7);
}

static void *outlive_main(void *data) {
    (void)data;
    works(engine);
    free_all();
    exit(7);
}

static void by_the_last_thread(void) {
    pthread_t other;
    CHECK(pthread_create(&other, NULL, outlive_main, NULL) == 0);
    pthread_exit(NULL);
}

static void *leave_things(void *data) {
    (void)data;
    engine = started(folder);
    must(gatepost_pool_new(1, 4, &pool, NULL), NULL, "pool");
    gatepost_request request = get("/public");
    CHECK_STATUS(GATEPOST_OK, gatepost_decide(engine, &request, &decision, NULL));
    job = pending();
    return NULL;
}

static void after_the_thread_that_made_it_all(void) {
    gatepost_engine_free(engine);
    pthread_t other;
    CHECK(pthread_create(&other, NULL, leave_things, NULL) == 0 && pthread_join(other, NULL) == 0);
    works(engine);
    CHECK(gatepost_decision_status(decision) == 200);
    CHECK_STATUS(GATEPOST_OK, gatepost_job_run(job));
    gatepost_decision_free(decision);
    CHECK_STATUS(GATEPOST_OK, gatepost_job_finish(job, &decision, NULL));
    CHECK(gatepost_decision_status(decision) == 401);
    CHECK_STATUS(GATEPOST_OK, gatepost_pool_submit(pool, pending(), ignore, NULL));
    job = NULL;
    free_all();
    exit(7);
}

static pthread_key_t early, late;

static void use_in_destructor(void *data) {
    /* Once more, so that it surely runs after the library's own storage of this thread has gone. */
    if (data == &early) {
        CHECK(pthread_setspecific(late, &late) == 0);
    } else {
        works(engine);
        must(gatepost_engine_reload(engine, NULL), NULL, "reload");
        gatepost_job_free(pending());
    }
}

static void *with_destructors(void *data) {
    (void)data;
    CHECK(pthread_setspecific(early, &early) == 0);
    works(engine);
    return NULL;
}

static void in_destructors_of_threads(void) {
    CHECK(pthread_key_create(&early, use_in_destructor) == 0 && pthread_key_create(&late, use_in_destructor) == 0);
    for (int i = 0; i < 8; i++) {
        pthread_t other;
        CHECK(pthread_create(&other, NULL, with_destructors, NULL) == 0 && pthread_join(other, NULL) == 0);
    }
    works(engine);
    free_all();
    exit(7);
}

static void by_quick_exit(void) {
    busy_pool();
    quick_exit(7);
}

int main(int argc, char **argv) {
    CHECK(argc == 2);
    folder = argv[1];
    void (*ways[])(void) = {while_the_pool_works,
                            with_handlers_that_use_it,
                            with_handlers_that_free_it,
                            in_a_completion,
                            while_a_thread_decides,
                            by_the_last_thread,
                            after_the_thread_that_made_it_all,
                            in_destructors_of_threads,
                            by_quick_exit};
    for (unsigned i = 0; i < sizeof ways / sizeof *ways; i++) {
        pid_t child = fork();
        if (child == 0) {
            alarm(600);
            engine = started(folder);
            ways[i]();
            _exit(1);
        }
        int status = 0;
        CHECK(waitpid(child, &status, 0) == child);
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 7) {
            fprintf(stderr, "way %u ended with %#x\n", i, (unsigned)status);
            return 1;
        }
    }
    engine = started(folder);
    works(engine);
    free_all();
    return 0;
}
