/* Two copies of the library in one process, beside a SQLite of the host's own: each has its own everything. They cannot
 * share a state file, since SQLite's locks cannot tell them apart, and say so instead of spoiling it. */
#define _GNU_SOURCE
#include "host.h"

#include <dlfcn.h>

/* Of the SQLite that the host links. */
typedef struct sqlite3 sqlite3;
const char *sqlite3_libversion(void);
int sqlite3_open(const char *, sqlite3 **);
int sqlite3_exec(sqlite3 *, const char *, int (*)(void *, int, char **, char **), void *, char **);
int sqlite3_close(sqlite3 *);

struct copy {
    void *library;
    __typeof__(gatepost_engine_open) *open;
    __typeof__(gatepost_engine_start) *start;
    __typeof__(gatepost_engine_free) *free;
    __typeof__(gatepost_decide) *decide;
    __typeof__(gatepost_decision_status) *status;
    __typeof__(gatepost_decision_free) *decision_free;
    __typeof__(gatepost_error_message) *message;
    __typeof__(gatepost_error_free) *error_free;
    __typeof__(gatepost_job_run) *run;
    __typeof__(gatepost_job_free) *job_free;
};

#define FIND(copy, member, name)                                                                                       \
    do {                                                                                                               \
        (copy)->member = __extension__(__typeof__(name) *) dlsym((copy)->library, #name);                              \
        CHECK((copy)->member != NULL);                                                                                 \
    } while (0)

static struct copy find(void *library) {
    if (library == NULL) {
        fprintf(stderr, "%s\n", dlerror());
        exit(1);
    }
    struct copy copy = {.library = library};
    FIND(&copy, open, gatepost_engine_open);
    FIND(&copy, start, gatepost_engine_start);
    FIND(&copy, free, gatepost_engine_free);
    FIND(&copy, decide, gatepost_decide);
    FIND(&copy, status, gatepost_decision_status);
    FIND(&copy, decision_free, gatepost_decision_free);
    FIND(&copy, message, gatepost_error_message);
    FIND(&copy, error_free, gatepost_error_free);
    FIND(&copy, run, gatepost_job_run);
    FIND(&copy, job_free, gatepost_job_free);
    /* Nothing of what it is built from can be seen. */
    Dl_info found;
    void *sqlite = dlsym(library, "sqlite3_open");
    CHECK(sqlite == NULL || (dladdr(sqlite, &found) != 0 && strstr(found.dli_fname, "libsqlite3") != NULL));
    return copy;
}

static gatepost_engine *make(const struct copy *copy, const char *policy) {
    gatepost_engine *engine = NULL;
    CHECK(copy->open(text(policy), NULL, &engine, NULL) == GATEPOST_OK);
    return engine;
}

static uint32_t http(const struct copy *copy, const gatepost_engine *engine, const char *credentials) {
    gatepost_header header = authorization(credentials);
    gatepost_request request = get("/private");
    request.headers = &header;
    request.header_count = 1;
    gatepost_decision *decision = NULL;
    CHECK(copy->decide(engine, &request, &decision, NULL) == GATEPOST_OK);
    uint32_t status = copy->status(decision);
    copy->decision_free(decision);
    return status;
}

static void refuses_a_shared_state(const struct copy *first, const struct copy *second, const char *policy) {
    gatepost_engine *here = make(first, policy), *again = make(first, policy), *there = make(second, policy);
    CHECK(first->start(here, NULL) == GATEPOST_OK);
    CHECK(first->start(again, NULL) == GATEPOST_OK);
    gatepost_error *error = NULL;
    CHECK(second->start(there, &error) == GATEPOST_ERR_STATE);
    CHECK(error != NULL && strstr(second->message(error).ptr, "another copy of the library in this process") != NULL);
    second->error_free(error);
    CHECK(http(first, here, RIGHT) == 200);
    first->free(again);
    CHECK(second->start(there, NULL) == GATEPOST_ERR_STATE);
    /* A child that has inherited everything does not hold it up either. */
    int ends[2];
    CHECK(pipe(ends) == 0);
    pid_t child = fork();
    if (child == 0) {
        char end;
        close(ends[1]);
        CHECK(read(ends[0], &end, 1) == 0);
        _exit(0);
    }
    first->free(here);
    CHECK(second->start(there, NULL) == GATEPOST_OK);
    CHECK(http(second, there, RIGHT) == 200 && http(second, there, WRONG) == 401);
    second->free(there);
    CHECK(close(ends[0]) == 0 && close(ends[1]) == 0);
    must_end_well(child);
}

int main(int argc, char **argv) {
    CHECK(argc == 5);
    char *policy = in_folder(argv[1], "policy.toml"), *other_policy = in_folder(argv[2], "policy.toml"),
         *own = in_folder(argv[1], "hosts-own.db");
    sqlite3 *database = NULL;
    (void)remove(own);
    CHECK(sqlite3_open(own, &database) == 0);
    CHECK(sqlite3_exec(database, "CREATE TABLE t (n); PRAGMA journal_mode = wal", NULL, NULL, NULL) == 0);

    struct copy first = find(dlopen(argv[3], RTLD_NOW | RTLD_GLOBAL));
    struct copy second = find(dlopen(argv[4], RTLD_NOW | RTLD_GLOBAL));
    struct copy third = find(dlmopen(LM_ID_NEWLM, argv[3], RTLD_NOW));
    CHECK(first.decide != second.decide && first.decide != third.decide && second.decide != third.decide);

    gatepost_engine *one = make(&first, policy), *two = make(&second, other_policy);
    CHECK(first.start(one, NULL) == GATEPOST_OK);
    CHECK(second.start(two, NULL) == GATEPOST_OK);
    for (int round = 0; round < 20; round++) {
        CHECK(http(&first, one, RIGHT) == 200 && http(&second, two, RIGHT) == 200);
        CHECK(http(&first, one, WRONG) == 401 && http(&second, two, WRONG) == 401);
        CHECK(sqlite3_exec(database, "INSERT INTO t VALUES (1)", NULL, NULL, NULL) == 0);
    }
    /* A job of one is none of the other's. */
    gatepost_header header = authorization(WRONG);
    gatepost_request request = get("/private");
    request.headers = &header;
    request.header_count = 1;
    gatepost_decision *decision = NULL;
    gatepost_job *job = NULL;
    CHECK(first.decide(one, &request, &decision, &job) == GATEPOST_PENDING);
    CHECK(second.run(job) == GATEPOST_ERR_CANCELLED);
    CHECK(first.run(job) == GATEPOST_OK);
    first.job_free(job);
    first.free(one);
    CHECK(http(&second, two, RIGHT) == 200);
    second.free(two);

    refuses_a_shared_state(&first, &second, policy);
    refuses_a_shared_state(&second, &third, policy);
    CHECK(sqlite3_close(database) == 0);
    printf("the host's SQLite is %s\n", sqlite3_libversion());
    free(policy), free(other_policy), free(own);
    return 0;
}
