/* What Go calls in place of the C interface itself where each crossing is dear: one call decides, and leaves all of the
 * answer in memory of Go's. Nothing here keeps a pointer beyond its call. */
#ifndef GATEPOST_GO_SHIM_H
#define GATEPOST_GO_SHIM_H

#ifdef __has_include
#if !__has_include(<gatepost.h>)
#error "gatepost.h is missing. Run make go-archive; or, where no archive is made for the platform, build with -tags gatepost_shared."
#endif
#endif
#include <gatepost.h>

/* A request as lengths. The bytes lie one after the other in a buffer: the strings in the order of the members, then
 * name and value of each header field, whose lengths are in a table of their own. */
typedef struct gp_go_request {
    uint32_t method, target, host, peer, request_id, client_cert_der, body;
    uint32_t header_count;
    uint32_t flags;
    int64_t now;
    uintptr_t user;
} gp_go_request;

/* A decision as lengths. The text begins with a table of uint32_t (name, value and mode of each header field for the
 * response, then for the application, then the length of each name to strip); behind it are the strings in the order of
 * the members, then name and value of each field, the names to strip, and the body. */
typedef struct gp_go_decision {
    uint64_t generation;
    uint32_t action, status, reason, retry_after;
    uint32_t id, subject, issuer, scheme, roles, scopes;
    uint32_t response_count, upstream_count, strip_count;
    uint32_t body;
} gp_go_decision;

/* One call: what goes in, and what comes out. */
typedef struct gp_go_call {
    gp_go_request request;
    gp_go_decision decision;
    /* What the C interface answered. */
    gatepost_status status;
    /* How long the text is. */
    size_t size;
    /* A decision whose text did not fit, for gp_go_text. Handles of the library are numbers here, so that there are no
     * pointers in it to look after. */
    uintptr_t held;
    /* Slow work that is left, for gp_go_run or gp_go_cancel. */
    uintptr_t job;
} gp_go_call;

/* Decides what is cheap. gp_go_decide_told is the same for an engine that calls back into Go. */
void gp_go_decide(const gatepost_engine *engine, gp_go_call *call, const char *bytes, const uint32_t *fields, char *text,
                  size_t room);
void gp_go_decide_told(const gatepost_engine *engine, gp_go_call *call, const char *bytes, const uint32_t *fields,
                       char *text, size_t room);
/* Does the slow work to its end. */
void gp_go_run(uintptr_t job, gp_go_call *call, char *text, size_t room);
/* Ends slow work that nobody wants any more. */
void gp_go_cancel(uintptr_t job);
/* Writes the text of the decision that is held, into room that suffices, and ends it. */
void gp_go_text(gp_go_call *call, char *text);

/* Tells whether a request takes its body: gatepost_engine_wants_body. */
uint64_t gp_go_wants_body(const gatepost_engine *engine, const gp_go_request *request, const char *bytes,
                          const uint32_t *fields);

/* Sets the callbacks whose data, a cgo.Handle, is not 0. */
void gp_go_callbacks(gatepost_options *options, uintptr_t clock, uintptr_t event, uintptr_t fetch);

#endif
