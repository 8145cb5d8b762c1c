#include "shim.h"

#include <stdlib.h>
#include <string.h>

#include "_cgo_export.h"

/* Header fields that need no allocation. */
enum { FEW = 48 };

static gatepost_str take(const char **bytes, uint32_t length) {
    gatepost_str string = {*bytes, length};
    *bytes += length;
    return string;
}

/* Lays a gatepost_request over the bytes. The fields are in `few`, or in memory that the caller frees. */
static gatepost_header *unpack(gatepost_request *request, const gp_go_request *in, const char *bytes,
                               const uint32_t *fields, gatepost_header *few) {
    gatepost_header *headers = few;
    if (in->header_count > FEW) {
        headers = malloc(in->header_count * sizeof *headers);
        if (headers == NULL) {
            return NULL;
        }
    }
    memset(request, 0, sizeof *request);
    request->struct_size = sizeof *request;
    request->method = take(&bytes, in->method);
    request->target = take(&bytes, in->target);
    request->host = take(&bytes, in->host);
    request->peer = take(&bytes, in->peer);
    request->request_id = take(&bytes, in->request_id);
    request->client_cert_der = take(&bytes, in->client_cert_der);
    request->body = take(&bytes, in->body);
    request->headers = headers;
    request->header_count = in->header_count;
    for (uint32_t i = 0; i < in->header_count; i++) {
        headers[i].name = take(&bytes, fields[2 * i]);
        headers[i].value = take(&bytes, fields[2 * i + 1]);
        headers[i].mode = 0;
        headers[i].reserved = 0;
    }
    request->flags = in->flags;
    request->now = in->now;
    request->user = (void *)in->user;
    return headers;
}

static inline void put(char **to, gatepost_str string) {
    if (string.len != 0) {
        memcpy(*to, string.ptr, string.len);
        *to += string.len;
    }
}

static inline void put_number(char **to, uint32_t number) {
    memcpy(*to, &number, sizeof number);
    *to += sizeof number;
}

static size_t size_of_fields(const gatepost_header *headers, size_t count) {
    size_t size = count * 3 * sizeof(uint32_t);
    for (size_t i = 0; i < count; i++) {
        size += headers[i].name.len + headers[i].value.len;
    }
    return size;
}

static void put_lengths(char **to, const gatepost_header *headers, size_t count) {
    for (size_t i = 0; i < count; i++) {
        put_number(to, (uint32_t)headers[i].name.len);
        put_number(to, (uint32_t)headers[i].value.len);
        put_number(to, headers[i].mode);
    }
}

static void put_fields(char **to, const gatepost_header *headers, size_t count) {
    for (size_t i = 0; i < count; i++) {
        put(to, headers[i].name);
        put(to, headers[i].value);
    }
}

/* Writes all of a decision as gatepost_decide_flat does. It is ended, or held where the room does not suffice. */
static void pack(gp_go_call *call, gatepost_decision *decision, char *text, size_t room) {
    gatepost_flat *flat = &call->flat;
    gatepost_view view = {.struct_size = sizeof view};
    call->held = 0;
    call->status = gatepost_decision_view(decision, &view);
    if (call->status != GATEPOST_OK) {
        gatepost_decision_free(decision);
        return;
    }
    gatepost_str roles = gatepost_decision_attribute(decision, GATEPOST_STR("roles"));
    gatepost_str scopes = gatepost_decision_attribute(decision, GATEPOST_STR("scopes"));
    size_t size = view.id.len + view.subject.len + view.issuer.len + view.scheme.len + roles.len + scopes.len +
                  view.body.len + size_of_fields(view.response_headers, view.response_header_count) +
                  size_of_fields(view.upstream_headers, view.upstream_header_count);
    for (size_t i = 0; i < view.strip_count; i++) {
        size += sizeof(uint32_t) + view.strip[i].len;
    }
    if (size > UINT32_MAX - sizeof *flat) {
        gatepost_decision_free(decision);
        call->status = GATEPOST_ERR_NO_MEMORY;
        return;
    }
    flat->size = (uint32_t)(sizeof *flat + size);
    if (size > room) {
        call->held = (uintptr_t)decision;
        return;
    }
    flat->head = sizeof *flat;
    flat->generation = view.generation;
    flat->action = view.action;
    flat->status = view.status;
    flat->reason = view.reason;
    flat->retry_after = view.retry_after;
    flat->id = (uint32_t)view.id.len;
    flat->subject = (uint32_t)view.subject.len;
    flat->issuer = (uint32_t)view.issuer.len;
    flat->scheme = (uint32_t)view.scheme.len;
    flat->roles = (uint32_t)roles.len;
    flat->scopes = (uint32_t)scopes.len;
    flat->response_header_count = (uint32_t)view.response_header_count;
    flat->upstream_header_count = (uint32_t)view.upstream_header_count;
    flat->strip_count = (uint32_t)view.strip_count;
    flat->body = (uint32_t)view.body.len;
    char *to = text;
    put_lengths(&to, view.response_headers, view.response_header_count);
    put_lengths(&to, view.upstream_headers, view.upstream_header_count);
    for (size_t i = 0; i < view.strip_count; i++) {
        put_number(&to, (uint32_t)view.strip[i].len);
    }
    put(&to, view.subject);
    put(&to, view.issuer);
    put(&to, view.scheme);
    put(&to, roles);
    put(&to, scopes);
    put_fields(&to, view.response_headers, view.response_header_count);
    put_fields(&to, view.upstream_headers, view.upstream_header_count);
    for (size_t i = 0; i < view.strip_count; i++) {
        put(&to, view.strip[i]);
    }
    put(&to, view.body);
    put(&to, view.id);
    gatepost_decision_free(decision);
}

void gp_go_ask(uintptr_t engine, const gatepost_request *request, gp_go_call *call) {
    gatepost_decision *decision = NULL;
    gatepost_job *job = NULL;
    call->held = 0;
    call->status = gatepost_decide_flat((const gatepost_engine *)engine, request, &call->flat,
                                        sizeof call->flat + sizeof call->text, &decision, &job);
    call->job = (uintptr_t)job;
    if (decision != NULL) {
        pack(call, decision, call->text, sizeof call->text);
    } else if (call->status == GATEPOST_OK && call->flat.head != sizeof call->flat) {
        /* A newer library, which says more than we know. */
        const char *begin = (const char *)&call->flat + call->flat.head;
        call->flat.size -= call->flat.head;
        memmove(call->text, begin, call->flat.size);
        call->flat.head = sizeof call->flat;
        call->flat.size += call->flat.head;
    }
}

void gp_go_decide(uintptr_t engine, gp_go_call *call, const char *bytes,
                  const uint32_t *fields) {
    gatepost_request request;
    gatepost_header few[FEW];
    gatepost_header *headers = unpack(&request, &call->request, bytes, fields, few);
    if (headers == NULL) {
        call->held = 0;
        call->status = GATEPOST_ERR_NO_MEMORY;
        return;
    }
    gp_go_ask(engine, &request, call);
    if (headers != few) {
        free(headers);
    }
}

void gp_go_decide_told(uintptr_t engine, gp_go_call *call, const char *bytes,
                       const uint32_t *fields) {
    gp_go_decide(engine, call, bytes, fields);
}

void gp_go_run(uintptr_t handle, gp_go_call *call) {
    gatepost_job *job = (gatepost_job *)handle;
    gatepost_decision *decision = NULL;
    call->held = 0;
    call->job = 0;
    call->status = gatepost_job_run(job);
    if (call->status == GATEPOST_OK) {
        call->status = gatepost_job_finish(job, &decision, NULL);
    }
    if (call->status == GATEPOST_OK) {
        pack(call, decision, call->text, sizeof call->text);
    } else {
        /* Does nothing where it is gone already. */
        gatepost_job_free(job);
    }
}

void gp_go_run_told(uintptr_t job, gp_go_call *call) {
    gp_go_run(job, call);
}

void gp_go_cancel(uintptr_t job) {
    gatepost_job_cancel((gatepost_job *)job);
}

void gp_go_text(gp_go_call *call, char *text) {
    pack(call, (gatepost_decision *)call->held, text, call->flat.size - sizeof call->flat);
}

uint64_t gp_go_wants_body(const gatepost_engine *engine, const gp_go_request *in, const char *bytes,
                          const uint32_t *fields) {
    gatepost_request request;
    gatepost_header few[FEW];
    gatepost_header *headers = unpack(&request, in, bytes, fields, few);
    if (headers == NULL) {
        return 0;
    }
    uint64_t most = gatepost_engine_wants_body(engine, &request);
    if (headers != few) {
        free(headers);
    }
    return most;
}

static int64_t on_clock(void *data) {
    return gatepostGoClock((uintptr_t)data);
}

static void on_event(void *data, const gatepost_event *event) {
    gatepostGoEvent((uintptr_t)data, (uintptr_t)event->user, (gatepost_event *)event);
}

static void on_fetch(void *data, const gatepost_fetch *fetch) {
    gatepostGoFetch((uintptr_t)data, (gatepost_fetch *)fetch);
}

static void on_end(void *data) {
    gatepostGoEnd((uintptr_t)data);
}

void gp_go_callbacks(gatepost_options *options, uintptr_t clock, uintptr_t event, uintptr_t fetch) {
    if (clock != 0) {
        options->clock = on_clock;
        options->clock_data = (void *)clock;
        options->clock_finalizer = on_end;
    }
    if (event != 0) {
        options->on_event = on_event;
        options->event_data = (void *)event;
        options->event_finalizer = on_end;
    }
    if (fetch != 0) {
        options->on_fetch = on_fetch;
        options->fetch_data = (void *)fetch;
        options->fetch_finalizer = on_end;
    }
}
