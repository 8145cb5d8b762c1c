/* Before gatepost_engine_start a host has what it had: no thread, no descriptor, no file beside the state. After it,
 * every descriptor is closed on exec, and none is 0, 1 or 2, also where the host has closed those. */
#define _GNU_SOURCE
#include "host.h"

static void nothing_is_there_before_start(const char *folder) {
    int before = descriptors();
    char *state = in_folder(folder, "gatepost.db-epoch");
    /* Whoever made the service has left it there. */
    (void)remove(state);
    gatepost_engine *engine = service(folder);
    gatepost_error *error = NULL;
    must(gatepost_engine_reload(engine, &error), error, "reload before start");
    gatepost_bytes *hash = NULL;
    must(gatepost_password_hash(engine, GATEPOST_STR("a password"), &hash, &error), error, "hash before start");
    gatepost_bytes_free(hash);
    CHECK(descriptors() == before);
    CHECK(threads_running() == 1);
    CHECK(access(state, F_OK) != 0);
    must(gatepost_engine_start(engine, &error), error, "start");
    works(engine);
    CHECK(access(state, F_OK) == 0);
    /* No thread either, as long as nobody asks for a pool. */
    CHECK(threads_running() == 1);
    CHECK(descriptors() > before);
    gatepost_engine_free(engine);
    CHECK(descriptors() == before);
    free(state);
}

static void everything_is_closed_on_exec(const char *folder) {
    char host[64] = {0};
    for (int fd = 0; fd < 64; fd++) {
        host[fd] = fcntl(fd, F_GETFD) >= 0;
    }
    gatepost_engine *engine = started(folder);
    gatepost_pool *pool = NULL;
    gatepost_error *error = NULL;
    must(gatepost_pool_new(2, 4, &pool, &error), error, "pool");
    works(engine);
    int ours = 0;
    for (int fd = 0; fd < 64; fd++) {
        int flags = fcntl(fd, F_GETFD);
        if (flags >= 0 && !host[fd]) {
            CHECK(flags & FD_CLOEXEC);
            ours++;
        }
    }
    CHECK(ours >= 4);
    gatepost_pool_free(pool);
    gatepost_engine_free(engine);
}

/* A daemon has closed its standard descriptors, and something in it still prints. */
static void nothing_lands_where_others_print(const char *folder) {
    pid_t child = fork();
    if (child == 0) {
        int said = fcntl(2, F_DUPFD_CLOEXEC, 10);
        for (int fd = 0; fd < 3; fd++) {
            close(fd);
        }
        gatepost_engine *engine = started(folder);
        gatepost_pool *pool = NULL;
        must(gatepost_pool_new(2, 4, &pool, NULL), NULL, "pool");
        int bad = gatepost_pool_fd(pool) < 3;
        for (int fd = 0; fd < 3; fd++) {
            char path[32], target[256] = {0};
            snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
            ssize_t length = readlink(path, target, sizeof target - 1);
            /* SQLite fills what is free with /dev/null, for the same reason. */
            bad |= length >= 0 && strcmp(target, "/dev/null") != 0;
        }
        for (int i = 0; i < 100; i++) {
            (void)!write(2, "noise\n", 6);
        }
        works(engine);
        gatepost_pool_free(pool);
        gatepost_engine_free(engine);
        if (bad) {
            (void)!write(said, "a descriptor below 3\n", 21);
        }
        _exit(bad);
    }
    must_end_well(child);
    /* What was printed has not hurt the state. */
    gatepost_engine *engine = started(folder);
    works(engine);
    gatepost_engine_free(engine);
}

int main(int argc, char **argv) {
    CHECK(argc == 2);
    nothing_is_there_before_start(argv[1]);
    everything_is_closed_on_exec(argv[1]);
    nothing_lands_where_others_print(argv[1]);
    return 0;
}
