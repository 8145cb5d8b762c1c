/* The same decision by C alone, on the same library in the same process: what the Go module is measured against. */
#include "direct.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static gatepost_str text(const char *string) {
    return (gatepost_str){string, string == NULL ? 0 : strlen(string)};
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

void *direct_open(const char *policy) {
    gatepost_engine *engine = NULL;
    if (gatepost_engine_open(text(policy), NULL, &engine, NULL) != GATEPOST_OK ||
        gatepost_engine_start(engine, NULL) != GATEPOST_OK) {
        return NULL;
    }
    return engine;
}

void direct_request(
    gatepost_request *request, gatepost_header *headers, const char *target, const char *const *fields, int count) {
    memset(headers, 0, (size_t)count * sizeof headers[0]);
    for (int i = 0; i < count; i++) {
        headers[i].name = text(fields[2 * i]);
        headers[i].value = text(fields[2 * i + 1]);
    }
    memset(request, 0, sizeof *request);
    request->struct_size = sizeof *request;
    request->method = text("GET");
    request->target = text(target);
    request->host = text("orders.example.com");
    request->peer = text("192.0.2.7:4711");
    request->headers = headers;
    request->header_count = (size_t)count;
    request->flags = GATEPOST_REQUEST_TLS | GATEPOST_REQUEST_BODY_COMPLETE;
}

double direct_decide(void *engine, const char *target, const char *const *fields, int count, int times, uint32_t status) {
    gatepost_header headers[32];
    gatepost_request request;
    direct_request(&request, headers, target, fields, count);
    /* Once with leave to block, so that what can be remembered is. */
    gatepost_decision *first = NULL;
    if (gatepost_decide(engine, &request, &first, NULL) != GATEPOST_OK) {
        return -1;
    }
    gatepost_decision_free(first);
    double begun = now();
    for (int i = 0; i < times; i++) {
        gatepost_decision *decision = NULL;
        gatepost_job *job = NULL;
        gatepost_view view = {.struct_size = sizeof view};
        if (gatepost_decide(engine, &request, &decision, &job) != GATEPOST_OK || job != NULL ||
            gatepost_decision_view(decision, &view) != GATEPOST_OK || view.status != status) {
            return -1;
        }
        gatepost_decision_free(decision);
    }
    return (now() - begun) / times;
}
