/*
 * The body of a request, read where the engine asks for it. Whoever reads the request afterwards gets it all the same.
 */
#include "mod_gatepost.h"

struct gate_body {
    char *data;
    apr_size_t size, at;
    int complete;
    const request_rec *reader; /* whose filters hand it out */
};

static ap_filter_rec_t *replay_filter;

/* Hands out what was read already, and then what is left. */
static apr_status_t replay(ap_filter_t *filter, apr_bucket_brigade *brigade, ap_input_mode_t mode, apr_read_type_e block,
                           apr_off_t most) {
    struct gate_body *body = filter->ctx;
    apr_bucket_alloc_t *allocator = filter->c->bucket_alloc;
    if (body->at == body->size && !body->complete) {
        ap_remove_input_filter(filter);
        return ap_get_brigade(filter->next, brigade, mode, block, most);
    }
    if (mode != AP_MODE_READBYTES && mode != AP_MODE_SPECULATIVE) {
        return APR_ENOTIMPL;
    }
    apr_size_t left = body->size - body->at, size = most > 0 && (apr_size_t)most < left ? (apr_size_t)most : left;
    if (size > 0) {
        APR_BRIGADE_INSERT_TAIL(brigade, apr_bucket_pool_create(body->data + body->at, size, filter->r->pool, allocator));
    }
    if (mode == AP_MODE_READBYTES) {
        body->at += size;
    }
    if (size == left && body->complete) {
        APR_BRIGADE_INSERT_TAIL(brigade, apr_bucket_eos_create(allocator));
    }
    return APR_SUCCESS;
}

static void hand_out(request_rec *r, struct gate_body *body) {
    body->reader = r;
    ap_add_input_filter_handle(replay_filter, body, r, r->connection);
}

/* An internal redirect leaves filters behind, and the application that r leads to wants the body all the same. */
void gate_replay_body(request_rec *r) {
    struct gate_body *body = gate_request_of(gate_top(r))->body;
    if (body != NULL && body->reader != r) {
        hand_out(r, body);
    }
}

/* Adds what a brigade holds; 0 where it cannot be read or there is no room for it. */
static int take(request_rec *r, struct gate_body *body, apr_size_t room, apr_bucket_brigade *brigade) {
    for (apr_bucket *bucket = APR_BRIGADE_FIRST(brigade); bucket != APR_BRIGADE_SENTINEL(brigade);
         bucket = APR_BUCKET_NEXT(bucket)) {
        const char *data;
        apr_size_t size;
        if (APR_BUCKET_IS_EOS(bucket)) {
            body->complete = 1;
            return 1;
        }
        if (APR_BUCKET_IS_METADATA(bucket)) {
            continue;
        }
        if (apr_bucket_read(bucket, &data, &size, APR_BLOCK_READ) != APR_SUCCESS || size > room - body->size) {
            ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r, "gatepost: the body cannot be read");
            return 0;
        }
        memcpy(body->data + body->size, data, size);
        body->size += size;
    }
    return 1;
}

/*
 * Reads up to `most` octets of the body, and one more, by which the engine sees that it is longer, into `request`.
 *
 * Returns 1, or 0 where the body cannot be read: then no decision can be made.
 */
int gate_read_body(request_rec *r, apr_size_t most, gatepost_request *request) {
    if (r->main != NULL || most >= APR_SIZE_MAX - 1) {
        return 0; /* a subrequest has none */
    }
    apr_size_t room = most + 1;
    struct gate_body *body = apr_pcalloc(r->pool, sizeof *body);
    body->data = apr_palloc(r->pool, room);
    apr_bucket_brigade *brigade = apr_brigade_create(r->pool, r->connection->bucket_alloc);
    int good = 1;
    while (good && !body->complete && body->size < room) {
        good = ap_get_brigade(r->input_filters, brigade, AP_MODE_READBYTES, APR_BLOCK_READ,
                              (apr_off_t)(room - body->size)) == APR_SUCCESS &&
               take(r, body, room, brigade);
        apr_brigade_cleanup(brigade);
    }
    gate_request_of(gate_top(r))->body = body;
    hand_out(r, body);
    request->body = (gatepost_str){body->data, body->size};
    request->flags |= body->complete ? GATEPOST_REQUEST_BODY_COMPLETE : 0;
    return good;
}

void gate_register_body_filter(void) {
    replay_filter = ap_register_input_filter("GATEPOST_BODY", replay, NULL, (ap_filter_type)(AP_FTYPE_PROTOCOL - 1));
}
