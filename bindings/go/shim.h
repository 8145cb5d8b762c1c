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

enum {
    /* How many header fields gp_go_lend takes. */
    GP_GO_FEW = 16,
    /* Room for the text of most decisions. */
    GP_GO_ROOM = 1536
};

/* A request as lengths. */
typedef struct gp_go_request {
    uint32_t method, target, host, peer, request_id, client_cert_der, body;
    uint32_t header_count;
    uint32_t flags;
    int64_t now;
    uintptr_t user;
} gp_go_request;

/* One call: what goes in, and how it went. */
typedef struct gp_go_call {
    gp_go_request request;
    /* For gp_go_lend: the lengths of name and value of each header field. */
    uint32_t fields[2 * GP_GO_FEW];
    /* What the C interface answered. */
    gatepost_status status;
    /* A decision that did not fit, for gp_go_text. Handles of the library are numbers here, so that there are no
     * pointers in it to look after. */
    uintptr_t held;
    /* Slow work that is left, for gp_go_run or gp_go_cancel. */
    uintptr_t job;
    /* The decision, and what stands behind it where there is room for that. */
    gatepost_flat flat;
    char text[GP_GO_ROOM];
} gp_go_call;

/* Decides what is cheap. */
void gp_go_ask(uintptr_t engine, const gatepost_request *request, gp_go_call *call);

/* gp_go_ask for strings in Go's memory. Go lends memory to C for a call where a pointer to it is an argument, and not where
 * it is in an array: so each string is an argument, and nothing is copied. */
#define GP_GO_EACH_OF_4(FIELD) FIELD(0) FIELD(1) FIELD(2) FIELD(3)
#define GP_GO_EACH_OF_10(FIELD)                                                                                        \
    GP_GO_EACH_OF_4(FIELD) FIELD(4) FIELD(5) FIELD(6) FIELD(7) FIELD(8) FIELD(9)
#define GP_GO_EACH_OF_16(FIELD)                                                                                        \
    GP_GO_EACH_OF_10(FIELD) FIELD(10) FIELD(11) FIELD(12) FIELD(13) FIELD(14) FIELD(15)
#define GP_GO_PARAMETERS(i) , const char *name##i, const char *value##i
#define GP_GO_FIELD(i)                                                                                                 \
    if (in->header_count == (i)) goto complete;                                                                        \
    headers[i].name = (gatepost_str){name##i, call->fields[2 * (i)]};                                                  \
    headers[i].value = (gatepost_str){value##i, call->fields[2 * (i) + 1]};                                            \
    headers[i].mode = headers[i].reserved = 0;
__attribute__((always_inline))
static inline void gp_go_ask_with(uintptr_t engine, gp_go_call *call, const char *method, const char *target,
                                  const char *host, const char *peer, const char *request_id,
                                  const char *client_cert_der, const gatepost_header *headers) {
    const gp_go_request *in = &call->request;
    gatepost_request request;
    request.struct_size = sizeof request;
    request.method = (gatepost_str){method, in->method};
    request.target = (gatepost_str){target, in->target};
    request.host = (gatepost_str){host, in->host};
    request.peer = (gatepost_str){peer, in->peer};
    request.request_id = (gatepost_str){request_id, in->request_id};
    request.client_cert_der = (gatepost_str){client_cert_der, in->client_cert_der};
    request.body = (gatepost_str){NULL, 0};
    request.headers = headers;
    request.header_count = in->header_count;
    request.header_block = (gatepost_str){NULL, 0};
    request.flags = in->flags;
    request.now = in->now;
    request.user = NULL;
    gp_go_ask(engine, &request, call);
}
/* Each argument costs, also one that is empty: so there is one of these for few fields, and one for many. */
#define GP_GO_LEND(count)                                                                                              \
    __attribute__((always_inline)) static inline void gp_go_lend_##count(                                              \
        uintptr_t engine, gp_go_call *call, const char *method, const char *target, const char *host,                  \
        const char *peer, const char *request_id, const char *client_cert_der                                          \
        GP_GO_EACH_OF_##count(GP_GO_PARAMETERS)) {                                                                     \
        const gp_go_request *in = &call->request;                                                                      \
        gatepost_header headers[count];                                                                                \
        GP_GO_EACH_OF_##count(GP_GO_FIELD)                                                                             \
    complete:                                                                                                          \
        gp_go_ask_with(engine, call, method, target, host, peer, request_id, client_cert_der, headers);                \
    }
GP_GO_LEND(4)
GP_GO_LEND(10)
GP_GO_LEND(16)

/* gp_go_ask for any request: the strings lie one after the other in `bytes`, in the order of the members and then name and
 * value of each header field, whose lengths are in `fields`. gp_go_decide_told is the same for an engine that calls back
 * into Go. */
void gp_go_decide(uintptr_t engine, gp_go_call *call, const char *bytes,
                  const uint32_t *fields);
void gp_go_decide_told(uintptr_t engine, gp_go_call *call, const char *bytes,
                       const uint32_t *fields);
/* Does the slow work to its end. gp_go_run_told is the same for an engine that calls back into Go. */
void gp_go_run(uintptr_t job, gp_go_call *call);
void gp_go_run_told(uintptr_t job, gp_go_call *call);
/* Ends slow work that nobody wants any more. */
void gp_go_cancel(uintptr_t job);
/* Writes what stands behind the decision that is held, into room that suffices, and ends it. */
void gp_go_text(gp_go_call *call, char *text);

/* Tells whether a request takes its body: gatepost_engine_wants_body. */
uint64_t gp_go_wants_body(const gatepost_engine *engine, const gp_go_request *request, const char *bytes,
                          const uint32_t *fields);

/* Sets the callbacks whose data, a cgo.Handle, is not 0. */
void gp_go_callbacks(gatepost_options *options, uintptr_t clock, uintptr_t event, uintptr_t fetch);

#endif
