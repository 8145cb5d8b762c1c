/* What the programs share that behave as particular hosts do. */
#ifndef HOST_H
#define HOST_H

#include "../check.h"
#include "../resident.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

/* Decides about a target with an Authorization header, or without where it is NULL; the HTTP status. */
static inline uint32_t ask(const gatepost_engine *engine, const char *target, const char *credentials) {
    gatepost_header header = authorization(credentials);
    gatepost_request request = get(target);
    request.headers = &header;
    request.header_count = credentials != NULL;
    gatepost_decision *decision = NULL;
    CHECK_STATUS(GATEPOST_OK, gatepost_decide(engine, &request, &decision, NULL));
    uint32_t status = gatepost_decision_status(decision);
    gatepost_decision_free(decision);
    return status;
}

/* The prepared service answers as it should. */
static inline void works(const gatepost_engine *engine) {
    CHECK(ask(engine, "/public", NULL) == 200);
    CHECK(ask(engine, "/private", NULL) == 401);
    CHECK(ask(engine, "/private", WRONG) == 401);
    CHECK(ask(engine, "/private", RIGHT) == 200);
    CHECK(ask(engine, "/admin", RIGHT) == 403);
}

/* Entries of a folder of /proc, without the two dots. */
static inline int entries(const char *path) {
    DIR *folder = opendir(path);
    CHECK(folder != NULL);
    int count = -2;
    while (readdir(folder) != NULL) {
        count++;
    }
    closedir(folder);
    return count;
}

/* Open descriptors; what counting takes is in each count alike. */
static inline int descriptors(void) { return entries("/proc/self/fd"); }

static inline int threads_running(void) { return entries("/proc/self/task"); }

/* One thread is left, or will be in a moment: who joins a thread may see it in /proc for a little longer. */
static inline int one_thread_is_left(void) {
    for (int waited = 0; threads_running() != 1; waited++) {
        if (waited == 120000) {
            return 0;
        }
        usleep(1000);
    }
    return 1;
}

static inline void must_end_well(pid_t child) {
    int status = 0;
    CHECK(child > 0);
    CHECK(waitpid(child, &status, 0) == child);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        fprintf(stderr, "a child ended with %#x\n", (unsigned)status);
        exit(1);
    }
}

#endif
