/* What a decision on a bearer token costs through the C interface, with its view and end: "name algorithm nanoseconds"
 * lines, the median of eleven rounds. The request is that of a usual client of an API.
 *
 * ours NAME POLICY FOLDER SECONDS ALGORITHM... */
#include <gatepost.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROUNDS = 11 };

static gatepost_str text(const char *string) {
    return (gatepost_str){string, strlen(string)};
}

static void fail(const char *what) {
    fprintf(stderr, "ours: %s\n", what);
    exit(1);
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* A host knows how long a field is. */
static void decide(const gatepost_engine *engine, gatepost_str authorization) {
    gatepost_header headers[] = {
        {text("Host"), text("orders.example.com"), 0, 0},
        {text("User-Agent"), text("curl/8.14.1"), 0, 0},
        {text("Accept"), text("application/json"), 0, 0},
        {text("Authorization"), authorization, 0, 0},
    };
    gatepost_request request;
    memset(&request, 0, sizeof request);
    request.struct_size = sizeof request;
    request.method = text("GET");
    request.target = text("/orders/7");
    request.peer = text("192.0.2.7");
    request.headers = headers;
    request.header_count = sizeof headers / sizeof headers[0];
    request.flags = GATEPOST_REQUEST_TLS;
    gatepost_decision *decision = NULL;
    gatepost_job *job = NULL;
    gatepost_view view = {.struct_size = sizeof view};
    if (gatepost_decide(engine, &request, &decision, &job) != GATEPOST_OK || job != NULL) {
        fail("this token is not decided at once");
    }
    if (gatepost_decision_view(decision, &view) != GATEPOST_OK || view.action != GATEPOST_ALLOW) {
        fail("this token is not let in");
    }
    gatepost_decision_free(decision);
}

/* Once with leave to block: what is read of the state is read now. */
static void prepare(const gatepost_engine *engine, const char *authorization) {
    gatepost_header header = {text("Authorization"), text(authorization), 0, 0};
    gatepost_request request;
    memset(&request, 0, sizeof request);
    request.struct_size = sizeof request;
    request.method = text("GET");
    request.target = text("/orders/7");
    request.headers = &header;
    request.header_count = 1;
    gatepost_decision *decision = NULL;
    if (gatepost_decide(engine, &request, &decision, NULL) != GATEPOST_OK) {
        fail("no decision");
    }
    gatepost_decision_free(decision);
}

int main(int argc, char **argv) {
    if (argc < 6) {
        fail("usage: ours NAME POLICY FOLDER SECONDS ALGORITHM...");
    }
    double seconds = strtod(argv[4], NULL) / ROUNDS;
    gatepost_engine *engine = NULL;
    gatepost_error *error = NULL;
    if (gatepost_engine_open(text(argv[2]), NULL, &engine, &error) != GATEPOST_OK ||
        gatepost_engine_start(engine, &error) != GATEPOST_OK) {
        fail(gatepost_error_message(error).ptr);
    }
    for (int each = 5; each < argc; each++) {
        char path[4096], authorization[16384] = "Bearer ";
        snprintf(path, sizeof path, "%s/%s.token", argv[3], argv[each]);
        FILE *file = fopen(path, "r");
        if (file == NULL || fgets(authorization + 7, sizeof authorization - 7, file) == NULL) {
            fail("no token");
        }
        fclose(file);
        const gatepost_str field = text(authorization);
        prepare(engine, authorization);
        double rounds[ROUNDS];
        for (int round = 0; round < ROUNDS; round++) {
            double begun = now(), passed;
            unsigned count = 0;
            do {
                for (int call = 0; call < 16; call++) {
                    decide(engine, field);
                }
                count += 16;
                passed = now() - begun;
            } while (passed < seconds);
            rounds[round] = passed * 1e9 / count;
        }
        qsort(rounds, ROUNDS, sizeof rounds[0], ascending);
        printf("%s %s %.0f\n", argv[1], argv[each], rounds[ROUNDS / 2]);
    }
    gatepost_engine_free(engine);
    return 0;
}
