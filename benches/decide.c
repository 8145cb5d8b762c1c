/* What one gatepost_decide costs, with the end of its decision: nanoseconds by the clock, or so many calls and nothing
 * else, for a tool that counts instructions.
 *
 * decide POLICY TOKEN KEY              prints for each path its name and nanoseconds per decision
 * decide POLICY TOKEN KEY PATH COUNT   takes COUNT decisions on one path
 *
 * What a tenth of many short windows were quicker than is told: on a machine that others use as well, a decision takes
 * twice as long whenever somebody has the other half of the core, which the median of long rounds would measure. */
#include <gatepost.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A test of this program asks for fewer. */
#ifndef ROUNDS
#define ROUNDS 2001
#define EACH 100
#endif
#ifndef HOST
#define HOST "orders.example.com"
#endif
/* rita:four cups of green tea each noon */
#define BASIC "Basic cml0YTpmb3VyIGN1cHMgb2YgZ3JlZW4gdGVhIGVhY2ggbm9vbg=="

static gatepost_str text(const char *string) {
    return (gatepost_str){string, strlen(string)};
}

static void fail(const char *what) {
    fprintf(stderr, "decide: %s\n", what);
    exit(1);
}

typedef struct {
    const char *name;
    const char *target;
    const char *field;
    char value[2048];
    uint32_t status;
} path;

/* What a browser or a client library sends besides. */
static const char *const USUAL[][2] = {
    {"Host", HOST},
    {"User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"},
    {"Accept", "application/json"},
    {"Accept-Language", "en-GB,en;q=0.7,de;q=0.3"},
    {"Accept-Encoding", "gzip, deflate, br"},
    {"Connection", "keep-alive"},
    {"Referer", "https://orders.example.com/orders"},
    {"Sec-Fetch-Site", "same-origin"},
};
#define USUALLY (sizeof USUAL / sizeof USUAL[0])

static void decide(const gatepost_engine *engine, const path *path, unsigned count) {
    gatepost_header headers[USUALLY + 1];
    memset(headers, 0, sizeof headers);
    for (size_t i = 0; i < USUALLY; i++) {
        headers[i].name = text(USUAL[i][0]);
        headers[i].value = text(USUAL[i][1]);
    }
    gatepost_request request;
    memset(&request, 0, sizeof request);
    request.struct_size = sizeof request;
    request.method = text("GET");
    request.target = text(path->target);
    request.host = text(HOST);
    request.peer = text("192.0.2.7");
    request.headers = headers;
    request.header_count = USUALLY;
    request.flags = GATEPOST_REQUEST_TLS | GATEPOST_REQUEST_BODY_COMPLETE;
    if (path->field != NULL) {
        headers[USUALLY].name = text(path->field);
        headers[USUALLY].value = text(path->value);
        request.header_count++;
    }
    /* FLAT in the environment: as the Go module asks. */
    const int flat = getenv("FLAT") != NULL;
    for (unsigned i = 0; i < count; i++) {
        gatepost_decision *decision = NULL;
        gatepost_job *job = NULL;
        if (flat) {
            gatepost_flat place[32];
            if (gatepost_decide_flat(engine, &request, place, sizeof place, &decision, &job) != GATEPOST_OK ||
                decision != NULL || job != NULL || place->status != path->status) {
                fail("this path is not decided at once into memory of ours");
            }
            continue;
        }
        gatepost_view view = {.struct_size = sizeof view};
        if (gatepost_decide(engine, &request, &decision, &job) != GATEPOST_OK || job != NULL) {
            fail("this path is not decided at once");
        }
        if (gatepost_decision_view(decision, &view) != GATEPOST_OK || view.status != path->status) {
            fail("this path is decided in another way than the benchmark takes it to be");
        }
        gatepost_decision_free(decision);
    }
}

/* Once with leave to block, so that what can be remembered is. */
static void prepare(const gatepost_engine *engine, const path *path) {
    gatepost_header header = {text(path->field == NULL ? "X-None" : path->field), text(path->value), 0, 0};
    gatepost_request request;
    memset(&request, 0, sizeof request);
    request.struct_size = sizeof request;
    request.method = text("GET");
    request.target = text(path->target);
    request.host = text(HOST);
    request.peer = text("192.0.2.7");
    request.headers = &header;
    request.header_count = 1;
    request.flags = GATEPOST_REQUEST_TLS;
    gatepost_decision *decision = NULL;
    if (gatepost_decide(engine, &request, &decision, NULL) != GATEPOST_OK) {
        fail("no decision");
    }
    gatepost_decision_free(decision);
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double measure(const gatepost_engine *engine, const path *path) {
    double rounds[ROUNDS];
    for (int i = 0; i < 10; i++) {
        decide(engine, path, EACH);
    }
    for (int i = 0; i < ROUNDS; i++) {
        double begun = now();
        decide(engine, path, EACH);
        rounds[i] = (now() - begun) / EACH;
    }
    qsort(rounds, ROUNDS, sizeof rounds[0], ascending);
    return rounds[ROUNDS / 10];
}

int main(int argc, char **argv) {
    if (argc != 4 && argc != 6) {
        fail("usage: decide POLICY TOKEN KEY [PATH COUNT]");
    }
    path paths[] = {
        {"public", "/health", NULL, "", 200},
        {"anonymous", "/catalogue/tea?page=2", NULL, "", 200},
        {"basic", "/orders/7?page=2", "Authorization", BASIC, 200},
        {"api-key", "/orders/7?page=2", "X-API-Key", "", 200},
        {"hs256", "/orders/7?page=2", "Authorization", "", 200},
        {"refused", "/orders/7?page=2", NULL, "", 401},
        {"unknown", "/nowhere", NULL, "", 403},
    };
    snprintf(paths[3].value, sizeof paths[3].value, "%s", argv[3]);
    snprintf(paths[4].value, sizeof paths[4].value, "Bearer %s", argv[2]);

    gatepost_engine *engine = NULL;
    gatepost_error *error = NULL;
    if (gatepost_engine_open(text(argv[1]), NULL, &engine, &error) != GATEPOST_OK ||
        gatepost_engine_start(engine, &error) != GATEPOST_OK) {
        fail(gatepost_error_message(error).ptr);
    }
    if (argc != 6) {
        /* A processor that was idle is slow for some hundredths of a second. */
        prepare(engine, &paths[0]);
        (void)measure(engine, &paths[0]);
    }
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        if (argc == 6 && strcmp(paths[i].name, argv[4]) != 0) {
            continue;
        }
        prepare(engine, &paths[i]);
        if (argc == 6) {
            decide(engine, &paths[i], (unsigned)strtoul(argv[5], NULL, 10));
        } else {
            printf("%s\t%.0f\n", paths[i].name, measure(engine, &paths[i]));
        }
    }
    gatepost_engine_free(engine);
    return 0;
}
