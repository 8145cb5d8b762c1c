/* Signals that interrupt every call that waits, from all sides and without SA_RESTART: no call of ours fails for it. And
 * a process that does nothing about SIGPIPE, with nobody reading what it prints. */
#define _GNU_SOURCE
#include "host.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/time.h>

#define ROUNDS 40

static atomic_uint caught, calls;
static atomic_int stop;

static void handler(int signal) {
    (void)signal;
    atomic_fetch_add(&caught, 1);
}

static void done(void *data, gatepost_status status, gatepost_decision *decision) {
    CHECK_STATUS(GATEPOST_OK, status);
    CHECK(gatepost_decision_status(decision) == 401);
    gatepost_decision_free(decision);
    (*(unsigned *)data)++;
}

static void everything(const char *folder) {
    gatepost_engine *engine = started(folder);
    gatepost_error *error = NULL;
    gatepost_pool *pool = NULL;
    must(gatepost_pool_new(1, 16, &pool, &error), error, "pool");
    for (int round = 0; round < ROUNDS; round++) {
        works(engine);
        /* New connections to the state, and its files mapped anew. */
        gatepost_engine *other = started(folder);
        CHECK(ask(other, "/private", RIGHT) == 200);
        gatepost_engine_free(other);
        must(gatepost_engine_reload(engine, &error), error, "reload");
        must(gatepost_engine_poll(engine, NULL, NULL), NULL, "housekeeping");
        gatepost_bytes *hash = NULL;
        must(gatepost_password_hash(engine, GATEPOST_STR("a password"), &hash, &error), error, "hash");
        uint32_t yes = 0;
        must(gatepost_password_verify(GATEPOST_STR("a password"), gatepost_bytes_view(hash), &yes, &error), error, "verify");
        CHECK(yes == 1);
        gatepost_bytes_free(hash);

        gatepost_header header = authorization(WRONG);
        gatepost_request request = get("/private");
        request.headers = &header;
        request.header_count = 1;
        gatepost_decision *decision = NULL;
        gatepost_job *job = NULL;
        unsigned answered = 0;
        CHECK_STATUS(GATEPOST_PENDING, gatepost_decide(engine, &request, &decision, &job));
        CHECK_STATUS(GATEPOST_OK, gatepost_pool_submit(pool, job, done, &answered));
        while (answered == 0) {
            struct pollfd ready = {gatepost_pool_fd(pool), POLLIN, 0};
            CHECK(poll(&ready, 1, 300000) == 1 || errno == EINTR);
            CHECK_STATUS(GATEPOST_OK, gatepost_pool_dispatch(pool));
        }
        CHECK(answered == 1);
        atomic_fetch_add(&calls, 1);
    }
    gatepost_pool_free(pool);
    gatepost_engine_free(engine);
}

static void *storm(void *data) {
    pthread_t target = *(pthread_t *)data;
    while (!atomic_load(&stop)) {
        CHECK(pthread_kill(target, SIGUSR1) == 0);
        struct timespec pause = {0, 50000};
        nanosleep(&pause, NULL);
    }
    return NULL;
}

int main(int argc, char **argv) {
    CHECK(argc == 2);
    struct sigaction action = {.sa_handler = handler};
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0 && sigaction(SIGALRM, &action, NULL) == 0);
    CHECK(sigaction(SIGCHLD, &action, NULL) == 0);
    pthread_t self = pthread_self(), other;
    CHECK(pthread_create(&other, NULL, storm, &self) == 0);
    struct itimerval timer = {{0, 700}, {0, 700}};
    CHECK(setitimer(ITIMER_REAL, &timer, NULL) == 0);
    everything(argv[1]);
    atomic_store(&stop, 1);
    CHECK(pthread_join(other, NULL) == 0);
    memset(&timer, 0, sizeof timer);
    CHECK(setitimer(ITIMER_REAL, &timer, NULL) == 0);
    CHECK(atomic_load(&calls) == ROUNDS);
    unsigned count = atomic_load(&caught);
    CHECK(count > 200);
    printf("%u signals in %d rounds\n", count, ROUNDS);
    CHECK(fflush(stdout) == 0);

    int ends[2];
    CHECK(pipe(ends) == 0 && close(ends[0]) == 0);
    CHECK(signal(SIGPIPE, SIG_DFL) != SIG_ERR);
    CHECK(dup2(ends[1], 1) == 1 && dup2(ends[1], 2) == 2);
    everything(argv[1]);
    return 0;
}
