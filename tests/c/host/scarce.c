/* Memory that cannot be had. Requests at their limits never ask for much at once; hashing, which does, answers 503 where
 * it gets none, and works again as soon as there is some. */
#define _GNU_SOURCE
#include "host.h"

#include <malloc.h>
#include <pthread.h>
#include <sys/resource.h>

/* No request may need more than this in one piece, but for hashing. */
#define LARGE (256 * 1024)

static _Thread_local size_t largest;
static _Thread_local size_t limit = SIZE_MAX;

/* glibc's own, under other names. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

static int refused(size_t size) {
    if (size > largest) {
        largest = size;
    }
    return size > limit;
}

void *malloc(size_t size) { return refused(size) ? NULL : __libc_malloc(size); }
void *calloc(size_t count, size_t size) { return refused(count * size) ? NULL : __libc_calloc(count, size); }
void *realloc(void *old, size_t size) { return refused(size) ? NULL : __libc_realloc(old, size); }
void *aligned_alloc(size_t alignment, size_t size) { return refused(size) ? NULL : __libc_memalign(alignment, size); }

int posix_memalign(void **place, size_t alignment, size_t size) {
    void *made = refused(size) ? NULL : __libc_memalign(alignment, size);
    if (made == NULL) {
        return 12;
    }
    *place = made;
    return 0;
}

static char target[8192], value[16384], password[2048];
static gatepost_header headers[200];

/* Everything as long as it may be, and then longer. */
static void requests_at_their_limits(const gatepost_engine *engine) {
    for (int over = 0; over < 2; over++) {
        for (int kind = 0; kind < 4; kind++) {
            gatepost_request request = get("/public");
            gatepost_decision *decision = NULL;
            request.headers = headers;
            request.header_count = kind == 1 ? 200 : 1;
            headers[0] = (gatepost_header){text("X-Filler"), {value, sizeof value - 64}, 0, 0};
            if (kind == 0) {
                request.target = (gatepost_str){target, sizeof target - 1 + (size_t)over * 4096};
            }
            if (kind == 2) {
                headers[0] = authorization(value);
                headers[0].value = (gatepost_str){value, sizeof value - 64 + (size_t)over * 4096};
                request.target = text("/private");
            }
            if (kind == 3) {
                request.body = (gatepost_str){value, sizeof value};
            }
            request.target.len = request.target.len > sizeof target ? sizeof target : request.target.len;
            headers[0].value.len = headers[0].value.len > sizeof value ? sizeof value : headers[0].value.len;
            gatepost_status status = gatepost_decide(engine, &request, &decision, NULL);
            CHECK_STATUS(GATEPOST_OK, status);
            gatepost_decision_free(decision);
        }
    }
}

int main(int argc, char **argv) {
    CHECK(argc == 2);
    memset(target, 'a', sizeof target);
    target[0] = '/';
    memset(value, 'A', sizeof value);
    memcpy(value, "Basic ", 6);
    memset(password, 'p', sizeof password);
    for (int i = 0; i < 200; i++) {
        headers[i] = (gatepost_header){text("X-Filler"), {value, 8192}, 0, 0};
    }
    gatepost_engine *engine = started(argv[1]);
    works(engine);

    largest = 0;
    limit = LARGE;
    requests_at_their_limits(engine);
    size_t most = largest;
    CHECK(most > 0 && most <= LARGE);
    /* What was hashed with lies ready; a hash that costs more needs more. */
    gatepost_bytes *hash = NULL;
    gatepost_error *error = NULL;
    CHECK_STATUS(GATEPOST_ERR_OVERLOADED, gatepost_password_hash(NULL, GATEPOST_STR("a password"), &hash, &error));
    CHECK(hash == NULL && gatepost_error_message(error).len > 0);
    gatepost_error_free(error);
    error = NULL;
    CHECK(largest >= 19456 * 1024);
    limit = SIZE_MAX;
    must(gatepost_password_hash(NULL, GATEPOST_STR("a password"), &hash, &error), error, "hash");
    gatepost_bytes_free(hash);
    gatepost_engine_free(engine);

    /* A whole service whose hashes need more than there is: 503, then as ever. */
    char *path = in_folder(argv[1], "dear.toml");
    FILE *file = fopen(path, "w");
    CHECK(file != NULL && fputs("[engine]\nstate = \":memory:\"\nschemes = [\"basic\"]\n[password]\nmemory_kib = 65536\n"
                                "iterations = 1\n[[route]]\npath = \"/public\"\naccess = \"public\"\n[[route]]\npath = "
                                "\"/private\"\n",
                                file) >= 0 && fclose(file) == 0);
    /* Where it is the system that says no. */
    pid_t child = fork();
    if (child == 0) {
        engine = NULL;
        must(gatepost_engine_open(text(path), NULL, &engine, NULL), NULL, "open");
        must(gatepost_engine_start(engine, NULL), NULL, "start");
        CHECK(ask(engine, "/public", NULL) == 200);
        long pages = 0;
        FILE *statm = fopen("/proc/self/statm", "r");
        CHECK(statm != NULL && fscanf(statm, "%ld", &pages) == 1 && fclose(statm) == 0);
        rlim_t size = (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE) + 8 * 1024 * 1024;
        struct rlimit less = {size, RLIM_INFINITY};
        CHECK(setrlimit(RLIMIT_AS, &less) == 0);
        CHECK(ask(engine, "/private", WRONG) == 503);
        CHECK(ask(engine, "/public", NULL) == 200);
        /* Threads need memory too. */
        gatepost_pool *pool = NULL;
        CHECK_STATUS(GATEPOST_ERR_SYSTEM, gatepost_pool_new(64, 4, &pool, &error));
        CHECK(pool == NULL && one_thread_is_left());
        struct rlimit enough = {RLIM_INFINITY, RLIM_INFINITY};
        CHECK(setrlimit(RLIMIT_AS, &enough) == 0);
        CHECK(ask(engine, "/private", WRONG) == 401);
        exit(0);
    }
    must_end_well(child);
    /* Where it is the allocator. */
    engine = NULL;
    must(gatepost_engine_open(text(path), NULL, &engine, &error), error, "open");
    must(gatepost_engine_start(engine, &error), error, "start");
    CHECK(ask(engine, "/public", NULL) == 200);
    limit = LARGE;
    CHECK(ask(engine, "/private", WRONG) == 503);
    CHECK(ask(engine, "/public", NULL) == 200);
    limit = SIZE_MAX;
    CHECK(ask(engine, "/private", WRONG) == 401);
    gatepost_engine_free(engine);
    CHECK(remove(path) == 0);
    free(path);
    printf("most memory that a request asked for at once: %zu bytes\n", most);
    return 0;
}
