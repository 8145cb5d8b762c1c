#include "floor.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static gatepost_engine *engine_of;
static gatepost_request ready;
static gatepost_header headers_of[32];
static floor_answer answer_of;

void floor_prepare(void *engine, const char *target, const char *const *fields, int count) {
    engine_of = engine;
    direct_request(&ready, headers_of, target, fields, count);
}

uint32_t floor_answered(floor_answer *answer) {
    gatepost_decision *decision = NULL;
    gatepost_job *job = NULL;
    if (gatepost_decide_flat(engine_of, &ready, &answer->flat, sizeof *answer, &decision, &job) != GATEPOST_OK ||
        decision != NULL) {
        abort();
    }
    return answer->flat.status;
}

uint32_t floor_ready(void) {
    return floor_answered(&answer_of);
}

double floor_loop(int times) {
    struct timespec begun, ended;
    clock_gettime(CLOCK_MONOTONIC, &begun);
    for (int i = 0; i < times; i++) {
        floor_ready();
    }
    clock_gettime(CLOCK_MONOTONIC, &ended);
    return ((double)(ended.tv_sec - begun.tv_sec) * 1e9 + (double)(ended.tv_nsec - begun.tv_nsec)) / times;
}

uint32_t floor_decide(uintptr_t engine, const uint32_t *lengths, const char *const *strings, floor_answer *answer) {
    gatepost_header headers[FLOOR_FIELDS - 2];
    gatepost_request request;
    int count = 0;
    for (; count < FLOOR_FIELDS - 2 && lengths[4 + 2 * count] != 0; count++) {
        headers[count].name = (gatepost_str){strings[4 + 2 * count], lengths[4 + 2 * count]};
        headers[count].value = (gatepost_str){strings[5 + 2 * count], lengths[5 + 2 * count]};
        headers[count].mode = headers[count].reserved = 0;
    }
    memset(&request, 0, sizeof request);
    request.struct_size = sizeof request;
    request.method = (gatepost_str){strings[0], lengths[0]};
    request.target = (gatepost_str){strings[1], lengths[1]};
    request.host = (gatepost_str){strings[2], lengths[2]};
    request.peer = (gatepost_str){strings[3], lengths[3]};
    request.headers = headers;
    request.header_count = (size_t)count;
    request.flags = GATEPOST_REQUEST_TLS | GATEPOST_REQUEST_BODY_COMPLETE;
    gatepost_decision *decision = NULL;
    gatepost_job *job = NULL;
    if (gatepost_decide_flat((gatepost_engine *)engine, &request, &answer->flat, sizeof *answer, &decision, &job) !=
            GATEPOST_OK ||
        decision != NULL) {
        abort();
    }
    return answer->flat.status;
}
