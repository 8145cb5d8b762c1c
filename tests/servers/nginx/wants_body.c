/*
 * Stands before libgatepost (LD_PRELOAD) and plays a release whose engine asks for bodies: requests with the field
 * X-Wants-Body are asked for theirs, and refused where it is not the one that the field names. How it asks is in
 * WANTS_BODY: "ask" by gatepost_engine_wants_body (at most 1,000 bytes), "need" by GATEPOST_NEED_BODY alone, "always" by
 * GATEPOST_NEED_BODY for ever.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <gatepost.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

typedef gatepost_status (*decide_function)(const gatepost_engine *, const gatepost_request *, gatepost_decision **, gatepost_job **);

static int how(const char *word) {
    const char *said = getenv("WANTS_BODY");
    return said != NULL && strcmp(said, word) == 0;
}

static gatepost_str wanted(const gatepost_request *request) {
    for (size_t i = 0; i < request->header_count; i++) {
        gatepost_str name = request->headers[i].name;
        if (name.len == 12 && strncasecmp(name.ptr, "X-Wants-Body", 12) == 0) {
            return request->headers[i].value;
        }
    }
    return (gatepost_str){NULL, 0};
}

uint64_t gatepost_engine_wants_body(const gatepost_engine *engine, const gatepost_request *request) {
    (void)engine;
    return wanted(request).len != 0 && how("ask") ? 1000 : 0;
}

gatepost_status gatepost_decide(const gatepost_engine *engine, const gatepost_request *request, gatepost_decision **decision,
                                gatepost_job **job) {
    gatepost_str text = wanted(request);
    int complete = (request->flags & GATEPOST_REQUEST_BODY_COMPLETE) != 0;
    if (text.len != 0 && (!complete || how("always"))) {
        return GATEPOST_NEED_BODY;
    }
    /* The body that came is named by its length and its first byte. */
    if (text.len != 0 && ((size_t)atoi(text.ptr + 1) != request->body.len ||
                          (request->body.len != 0 && request->body.ptr[request->body.len - 1] != text.ptr[0]))) {
        return GATEPOST_ERR_INTERNAL;
    }
    return ((decide_function)dlsym(RTLD_NEXT, "gatepost_decide"))(engine, request, decision, job);
}
