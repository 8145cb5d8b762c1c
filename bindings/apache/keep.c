/*
 * What a child does with an engine besides deciding: starts it, does its housekeeping on a thread of its own, ends it.
 */
#include "mod_gatepost.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

/* How long the end of a child waits for the last events and last uses to be written. */
#define PATIENCE_MS 2000

/* How long the error log does without the reason why nothing can be decided. */
#ifdef GATEPOST_TESTING
#define TELL_AGAIN_S 3
#else
#define TELL_AGAIN_S 60
#endif

/* The thread of this call is inside the library. */
static __thread volatile sig_atomic_t inside;

void gate_enter(void) { inside++; }
void gate_leave(void) { inside--; }

/* What the thread needs. It may outlive all pools of a child that does not wait for it any longer, so it is in none. */
struct keeper {
    gate_policy *policy;
    gatepost_engine *engine;
    server_rec *server;
    char *told;     /* why it does not start, as the error log has it */
    time_t told_at; /* by the monotonic clock */
    sem_t stop, stopped;
};

/* This child ends: pools and logs may go at any moment. */
static volatile sig_atomic_t ending;

int gate_ending(void) { return ending; }

/* Why the engine does not start: when that changes, and again each minute, since the line may be long past by then. */
static void tell_why(struct keeper *keeper, const char *why) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (keeper->told != NULL && strcmp(keeper->told, why) == 0 && now.tv_sec - keeper->told_at < TELL_AGAIN_S) {
        return;
    }
    free(keeper->told);
    keeper->told = strdup(why);
    keeper->told_at = now.tv_sec;
    gate_tell_lines(keeper->server, APLOG_ERR, "gatepost: ", why);
    ap_log_error(APLOG_MARK, APLOG_ERR, 0, keeper->server,
                 "gatepost: %s cannot decide yet, all requests that ask it are refused", keeper->policy->file);
}

/* Starts the engine. What cannot be started is tried again; until then every request is refused. */
static void start(struct keeper *keeper) {
    gate_policy *policy = keeper->policy;
    gatepost_error *error = NULL;
    gatepost_status status = gatepost_engine_start(policy->engine, &error);
    if (status == GATEPOST_OK) {
        if (policy->failed != GATEPOST_OK) {
            ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, keeper->server, "gatepost: %s decides again", policy->file);
        }
        policy->started = 1;
    } else {
        tell_why(keeper, gatepost_error_message(error).ptr);
    }
    policy->failed = status;
    gatepost_error_free(error);
}

/* Whether the semaphore was posted in time. */
static int wait_for(sem_t *semaphore, uint64_t milliseconds) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += (time_t)(milliseconds / 1000);
    until.tv_nsec += (long)(milliseconds % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    int got;
    while ((got = sem_timedwait(semaphore, &until)) != 0 && errno == EINTR) {
    }
    return got == 0;
}

static void *keep(void *data) {
    struct keeper *keeper = data;
    int started = keeper->policy->started;
    uint64_t next;
    do {
        next = 1000;
        if (!started && !ending) {
            start(keeper);
            started = keeper->policy->started;
        }
        if (started) {
            gatepost_engine_poll(keeper->engine, &next, NULL);
        }
    } while (!wait_for(&keeper->stop, next < 100 ? 100 : next));
    gatepost_engine_free(keeper->engine);
    sem_post(&keeper->stopped);
    return NULL;
}

/*
 * The end of a child. The prefork MPM calls it from the handler of SIGTERM, perhaps in the middle of a decision, whose
 * locks nobody will open: then nothing is ended. Nothing here is asked that a signal handler must not, and the wait
 * has an end.
 */
static apr_status_t stop(void *data) {
    struct keeper *keeper = data;
    ending = 1;
    if (inside == 0) {
        sem_post(&keeper->stop);
        wait_for(&keeper->stopped, PATIENCE_MS);
    }
    return APR_SUCCESS;
}

/*
 * From now on the module stays where it is in memory, as the library does: the parent unloads it at each restart, but an
 * engine that outlives the restart goes on calling it; and a child unloads it at its exit, while the thread of this file
 * may still be in it.
 */
void gate_stay_loaded(void) {
    Dl_info own;
    if (dladdr(&gatepost_module, &own) != 0) {
        dlopen(own.dli_fname, RTLD_NOW | RTLD_NOLOAD | RTLD_NODELETE);
    }
}

/* Starts an engine in this child, and the thread that keeps it. pool: the child's. */
void gate_keep(gate_policy *policy, apr_pool_t *pool, server_rec *server) {
    struct keeper *keeper = calloc(1, sizeof *keeper);
    if (keeper == NULL) {
        return; /* nothing is started: all is refused */
    }
    keeper->policy = policy;
    keeper->engine = policy->engine;
    keeper->server = server;
    sem_init(&keeper->stop, 0, 0);
    sem_init(&keeper->stopped, 0, 0);
    start(keeper);

    pthread_t thread;
    sigset_t all, before;
    sigfillset(&all); /* the MPM's signals are for its own threads */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&thread, NULL, keep, keeper);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed != 0) {
        ap_log_error(APLOG_MARK, APLOG_CRIT, failed, server, "gatepost: no thread for the housekeeping of %s",
                     policy->file);
        return;
    }
    pthread_detach(thread);
    apr_pool_cleanup_register(pool, keeper, stop, apr_pool_cleanup_null);
}
