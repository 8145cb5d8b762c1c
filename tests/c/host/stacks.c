/* Threads with small stacks, as musl makes them and as hosts with many threads ask for. Each kind of call is made on a
 * thread whose stack is of a known size and painted, so that what it took can be read off. */
#define _GNU_SOURCE
#include "host.h"

#include <pthread.h>
#include <sys/mman.h>

#define PAINT 0xA5
/* Room for what one call is measured with. */
#define ROOM (4 * 1024 * 1024)

struct work {
    const char *name;
    void (*run)(struct work *);
    size_t stack;
    gatepost_engine *engine;
    gatepost_job *job;
    const char *folder;
};

static char nested[12000], long_target[8000], long_token[15000];
static gatepost_header many[200];

/* The requests that make it think most. */
static void worst_requests(gatepost_engine *engine, void (*with)(gatepost_engine *, const gatepost_request *)) {
    gatepost_header one[2];
    gatepost_request request = get("/a%2f..%5c;b//%2e%2e/%252fc;d=%3b/../%2e./PRIVATE/%25%32%66");
    with(engine, &request);
    request = get(long_target);
    with(engine, &request);
    request = get("/private");
    request.headers = many;
    request.header_count = 200;
    with(engine, &request);
    const char *credentials[] = {RIGHT, WRONG, nested, long_token, "ApiKey gp_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAD7wYzu"};
    const char *targets[] = {"/private", "/admin", "/deep", "/key"};
    for (size_t c = 0; c < sizeof credentials / sizeof *credentials; c++) {
        for (size_t t = 0; t < sizeof targets / sizeof *targets; t++) {
            one[0] = authorization(credentials[c]);
            one[1] = (gatepost_header){text("Accept"), text("text/html, application/json;q=0.5"), 0, 0};
            request = get(targets[t]);
            request.headers = one;
            request.header_count = 2;
            with(engine, &request);
        }
    }
}

static void with_job(gatepost_engine *engine, const gatepost_request *request) {
    gatepost_decision *decision = NULL;
    gatepost_job *job = NULL;
    gatepost_status status = gatepost_decide(engine, request, &decision, &job);
    CHECK(status == GATEPOST_OK || status == GATEPOST_PENDING);
    gatepost_decision_free(decision);
    gatepost_job_free(job);
}

static void without_job(gatepost_engine *engine, const gatepost_request *request) {
    gatepost_decision *decision = NULL;
    CHECK_STATUS(GATEPOST_OK, gatepost_decide(engine, request, &decision, NULL));
    gatepost_decision_free(decision);
}

static void decide_with_a_job(struct work *work) { worst_requests(work->engine, with_job); }
static void decide_without(struct work *work) { worst_requests(work->engine, without_job); }
static void run(struct work *work) { CHECK_STATUS(GATEPOST_OK, gatepost_job_run(work->job)); }

static void finish(struct work *work) {
    gatepost_decision *decision = NULL;
    CHECK_STATUS(GATEPOST_OK, gatepost_job_finish(work->job, &decision, NULL));
    CHECK(gatepost_decision_status(decision) == 401);
    gatepost_decision_free(decision);
}

static void open_and_start(struct work *work) { gatepost_engine_free(started(work->folder)); }

static void reload(struct work *work) {
    must(gatepost_engine_reload(work->engine, NULL), NULL, "reload");
    must(gatepost_engine_poll(work->engine, NULL, NULL), NULL, "poll");
}

static void hash(struct work *work) {
    gatepost_bytes *bytes = NULL;
    (void)work;
    must(gatepost_password_hash(NULL, GATEPOST_STR("a password"), &bytes, NULL), NULL, "hash");
    gatepost_bytes_free(bytes);
}

static void nothing(struct work *work) { (void)work; }

static void *begin(void *data) {
    struct work *work = data;
    work->run(work);
    return NULL;
}

/* How deep the thread's stack was used. */
static size_t on_a_thread(struct work *work, size_t size) {
    unsigned char *stack = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    CHECK(stack != MAP_FAILED);
    memset(stack, PAINT, size);
    /* Below it nothing is mapped for us: a page that none may touch. */
    CHECK(mprotect(stack, 4096, PROT_NONE) == 0);
    pthread_attr_t attributes;
    pthread_t thread;
    CHECK(pthread_attr_init(&attributes) == 0 && pthread_attr_setstack(&attributes, stack, size) == 0);
    CHECK(pthread_create(&thread, &attributes, begin, work) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK(pthread_attr_destroy(&attributes) == 0);
    size_t untouched = 4096;
    while (untouched < size && stack[untouched] == PAINT) {
        untouched++;
    }
    CHECK(munmap(stack, size) == 0);
    return size - untouched;
}

static void fill(char *into, size_t size, const char *front, const char *repeated) {
    size_t have = strlen(front), part = strlen(repeated);
    memcpy(into, front, have + 1);
    while (have + part < size) {
        memcpy(into + have, repeated, part + 1);
        have += part;
    }
}

int main(int argc, char **argv) {
    CHECK(argc == 2);
    /* Claims that are arrays in arrays, "[[[[..." in base64url, under a header that says HS256. */
    fill(nested, sizeof nested, "Bearer eyJhbGciOiJIUzI1NiJ9.", "W1tb");
    strcpy(nested + sizeof nested - 10, ".AAAA");
    fill(long_token, sizeof long_token, "Bearer eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJodHRwczovL2EuZXhhbXBsZSIs", "ICAg");
    fill(long_target, sizeof long_target, "", "/%2e%2e%2f;a=%5c..");
    for (int i = 0; i < 200; i++) {
        many[i] = (gatepost_header){text("X-Auth_Subject"), text("somebody, somebody else"), 0, 0};
    }
    gatepost_engine *engine = started(argv[1]);
    struct work works_[] = {
        {"a thread that does nothing", nothing, 0, engine, NULL, NULL},
        {"gatepost_decide with a job", decide_with_a_job, 64 * 1024, engine, NULL, NULL},
        {"gatepost_job_run", run, 64 * 1024, engine, NULL, NULL},
        {"gatepost_job_finish", finish, 64 * 1024, engine, NULL, NULL},
        {"gatepost_decide without a job", decide_without, 64 * 1024, engine, NULL, NULL},
        {"gatepost_password_hash", hash, 64 * 1024, engine, NULL, NULL},
        {"gatepost_engine_reload, _poll", reload, 128 * 1024, engine, NULL, NULL},
        {"gatepost_engine_open, _start, _free", open_and_start, 128 * 1024, engine, NULL, argv[1]},
    };
    for (int pass = 0; pass < 2; pass++) {
        gatepost_job *job = NULL;
        for (size_t i = 0; i < sizeof works_ / sizeof *works_; i++) {
            struct work *work = &works_[i];
            if (work->run == run) {
                gatepost_header header = authorization(WRONG);
                gatepost_request request = get("/private");
                request.headers = &header;
                request.header_count = 1;
                gatepost_decision *decision = NULL;
                CHECK_STATUS(GATEPOST_PENDING, gatepost_decide(engine, &request, &decision, &job));
            }
            work->job = job;
            size_t used = on_a_thread(work, pass == 0 || work->stack == 0 ? ROOM : work->stack);
            if (pass == 0) {
                printf("%-36s %4zu KiB\n", work->name, (used + 1023) / 1024);
                fflush(stdout);
            }
        }
    }
    gatepost_engine_free(engine);
    return 0;
}
