/*
 * In place of the library: an engine that asks for bodies, which no release does yet, and that answers what a later one
 * may. The path of a request says what: /wants/N is asked for up to N octets before the decision, /needs during it, and
 * /insists for ever; what follows is the action. ALLOW unless the target ends otherwise: .deny .respond .unknown .panic
 */
#include <gatepost.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct gatepost_decision {
    char body[512];
    gatepost_header headers[2];
};

static int begins(gatepost_str text, const char *with) { return text.len >= strlen(with) && memcmp(text.ptr, with, strlen(with)) == 0; }

static int ends(gatepost_str text, const char *with) {
    return text.len >= strlen(with) && memcmp(text.ptr + text.len - strlen(with), with, strlen(with)) == 0;
}

uint32_t gatepost_abi(void) { return GATEPOST_ABI; }
gatepost_status gatepost_abi_check(uint32_t abi) { return abi == GATEPOST_ABI ? GATEPOST_OK : GATEPOST_ERR_UNSUPPORTED; }
gatepost_str gatepost_version(void) { return GATEPOST_STR("stub"); }
gatepost_str gatepost_status_text(gatepost_status status) { return (void)status, GATEPOST_STR("so it is"); }
gatepost_str gatepost_reason_name(gatepost_reason reason) {
    return reason == GATEPOST_REASON_INTERNAL ? GATEPOST_STR("internal") : GATEPOST_STR("other");
}
gatepost_str gatepost_reason_text(gatepost_reason reason, uint32_t audience) { return (void)reason, (void)audience, GATEPOST_STR("mend it"); }
uint32_t gatepost_reason_status(gatepost_reason reason) { return reason == GATEPOST_REASON_INTERNAL ? 500 : 503; }
gatepost_str gatepost_error_message(const gatepost_error *error) { return (void)error, GATEPOST_STR("an error"); }
void gatepost_error_free(gatepost_error *error) { (void)error; }
gatepost_str gatepost_bytes_view(const gatepost_bytes *bytes) { return (void)bytes, GATEPOST_STR(""); }
void gatepost_bytes_free(gatepost_bytes *bytes) { (void)bytes; }

gatepost_status gatepost_policy_check(gatepost_str file, gatepost_str text, gatepost_bytes **report, gatepost_error **error) {
    (void)file, (void)text, (void)error;
    if (report != NULL) {
        *report = NULL;
    }
    return GATEPOST_OK;
}

gatepost_status gatepost_engine_open(gatepost_str file, const gatepost_options *options, gatepost_engine **engine,
                                     gatepost_error **error) {
    (void)file, (void)options, (void)error;
    *engine = malloc(1);
    return GATEPOST_OK;
}

gatepost_status gatepost_engine_start(const gatepost_engine *engine, gatepost_error **error) { return (void)engine, (void)error, GATEPOST_OK; }
gatepost_engine *gatepost_engine_ref(const gatepost_engine *engine) { return (gatepost_engine *)engine; }
void gatepost_engine_free(gatepost_engine *engine) { free(engine); }
gatepost_status gatepost_engine_poll(const gatepost_engine *engine, uint64_t *next, gatepost_job **job) {
    (void)engine, (void)job;
    *next = 1000;
    return GATEPOST_OK;
}

uint64_t gatepost_engine_wants_body(const gatepost_engine *engine, const gatepost_request *request) {
    (void)engine;
    return begins(request->target, "/wants/") ? strtoull(request->target.ptr + 7, NULL, 10) : 0;
}

gatepost_status gatepost_decide_into(const gatepost_engine *engine, const gatepost_request *request,
                                     gatepost_decision **decision, gatepost_view *view) {
    (void)engine;
    int insists = begins(request->target, "/insists");
    if (insists || (begins(request->target, "/needs") && request->body.ptr == NULL)) {
        return GATEPOST_NEED_BODY;
    }
    if (ends(request->target, ".panic")) {
        return GATEPOST_ERR_PANIC;
    }
    gatepost_decision *made = *decision = calloc(1, sizeof *made);
    snprintf(made->body, sizeof made->body, "%zu %s %.*s", request->body.len,
             request->flags & GATEPOST_REQUEST_BODY_COMPLETE ? "complete" : "cut", (int)(request->body.len > 100 ? 100 : request->body.len),
             request->body.ptr == NULL ? "" : request->body.ptr);
    made->headers[0] = (gatepost_header){.name = GATEPOST_STR("Content-Type"), .value = GATEPOST_STR("text/x-engine")};
    made->headers[1] = (gatepost_header){.name = GATEPOST_STR("X-Engine"), .value = GATEPOST_STR("1")};
    *view = (gatepost_view){.struct_size = sizeof *view, .action = GATEPOST_ALLOW, .status = 200, .reason_name = GATEPOST_STR("said"),
                            .id = GATEPOST_STR("7"), .response_headers = made->headers, .response_header_count = 2};
    if (ends(request->target, ".deny")) {
        view->action = GATEPOST_DENY;
        view->status = 403;
    } else if (ends(request->target, ".respond")) {
        view->action = GATEPOST_RESPOND;
    } else if (ends(request->target, ".elsewhere")) {
        view->action = GATEPOST_RESPOND;
        view->status = 303;
    } else if (ends(request->target, ".unknown")) {
        view->action = 9;
    }
    if (view->action != GATEPOST_ALLOW) {
        view->body = (gatepost_str){made->body, strlen(made->body)};
    }
    return GATEPOST_OK;
}

gatepost_status gatepost_strip(const gatepost_engine *engine, const gatepost_request *request, gatepost_decision **decision,
                               gatepost_view *view) {
    (void)engine, (void)request;
    *decision = NULL;
    *view = (gatepost_view){.struct_size = sizeof *view, .action = GATEPOST_DENY, .status = 500};
    return GATEPOST_OK;
}

gatepost_str gatepost_decision_attribute(const gatepost_decision *decision, gatepost_str name) { return (void)decision, (void)name, (gatepost_str){NULL, 0}; }
void gatepost_decision_free(gatepost_decision *decision) { free(decision); }
