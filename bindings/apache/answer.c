/*
 * What the client gets: the engine's fields on every answer, and its whole answer where it refuses.
 *
 * A refusal goes the way of every error of httpd, so that ErrorDocument, `Header always` and logs do what they always
 * do. Where no ErrorDocument is set, the body that httpd has for it is replaced on its way out.
 */
#include "mod_gatepost.h"

#include "mod_core.h"

static ap_filter_rec_t *fields_filter, *answer_filter;

/* On a refusal that no application has a part in, the type of the body is ours. */
static void set_fields(request_rec *r, const gatepost_view *view, int with_type) {
    for (size_t i = 0; i < view->response_header_count; i++) {
        const gatepost_header *field = &view->response_headers[i];
        const char *name = field->name.ptr, *value = field->value.ptr;
        if (gate_text_is(field->name, "Content-Type")) {
            if (with_type) {
                ap_set_content_type(r, value);
            }
        } else if (gate_text_is(field->name, "Content-Language") && !with_type) {
            continue; /* of our body, not of the document in its place */
        } else if (field->mode == GATEPOST_HEADER_APPEND) {
            apr_table_addn(r->headers_out, name, value);
        } else if (field->mode == GATEPOST_HEADER_SET) {
            apr_table_unset(r->err_headers_out, name);
            apr_table_setn(r->headers_out, name, value);
        } else if (apr_table_get(r->headers_out, name) == NULL && apr_table_get(r->err_headers_out, name) == NULL) {
            apr_table_setn(r->headers_out, name, value);
        }
    }
}

/* Late, since only then it is known which fields the application has set itself. */
static apr_status_t add_fields(ap_filter_t *filter, apr_bucket_brigade *brigade) {
    const gate_record *record = filter->ctx;
    set_fields(filter->r, &record->view, 0);
    ap_remove_output_filter(filter);
    return ap_pass_brigade(filter->next, brigade);
}

static apr_status_t pass_answer(ap_filter_t *next, request_rec *r, const gate_record *record) {
    gatepost_str body = record->view.body;
    apr_bucket_alloc_t *allocator = r->connection->bucket_alloc;
    apr_bucket_brigade *out = apr_brigade_create(r->pool, allocator);
    ap_set_content_type(r, NULL); /* httpd's own, of what it would have said */
    set_fields(r, &record->view, 1);
    if (body.len > 0 && !r->header_only) {
        ap_set_content_length(r, (apr_off_t)body.len);
        APR_BRIGADE_INSERT_TAIL(out, apr_bucket_heap_create(body.ptr, body.len, NULL, allocator));
    }
    APR_BRIGADE_INSERT_TAIL(out, apr_bucket_eos_create(allocator));
    return ap_pass_brigade(next, out);
}

/* Takes what httpd says about an error, up to its end, and says what the engine says. */
static apr_status_t replace(ap_filter_t *filter, apr_bucket_brigade *brigade) {
    int ended = 0;
    for (apr_bucket *bucket = APR_BRIGADE_FIRST(brigade); bucket != APR_BRIGADE_SENTINEL(brigade);
         bucket = APR_BUCKET_NEXT(bucket)) {
        ended |= APR_BUCKET_IS_EOS(bucket);
    }
    apr_brigade_cleanup(brigade);
    if (!ended) {
        return APR_SUCCESS;
    }
    const gate_record *record = filter->ctx;
    ap_filter_t *next = filter->next;
    ap_remove_output_filter(filter);
    return pass_answer(next, filter->r, record);
}

/* A decision that let r in and has something to say to the client. */
static const gate_record *admitting(request_rec *r) {
    const gate_directory *here = gate_directory_of(r);
    const gate_record *record = here->policy == NULL ? NULL : gate_known(r, here->policy);
    return record != NULL && gate_admits(record) ? record : NULL;
}

static void add_filter(ap_filter_rec_t *which, request_rec *r, const gate_record *record) {
    if (record != NULL && (which == answer_filter || record->view.response_header_count > 0)) {
        ap_add_output_filter_handle(which, (void *)record, r, r->connection);
    }
}

/* What the policy said to r, that another module has refused with a challenge of its own: ours is as good a way in. */
static const gate_record *refused_beside(request_rec *r, int status) {
    const gate_request *known = gate_request_of(r);
    int both = known->refusal == NULL && known->asked != NULL && !gate_admits(known->asked) &&
               status == HTTP_UNAUTHORIZED && known->asked->view.status == HTTP_UNAUTHORIZED;
    return both ? known->asked : NULL;
}

/* An application answers, or an ErrorDocument. */
static void before_content(request_rec *r) {
    if (r->main == NULL) {
        gate_replay_body(r);
        const gate_record *refused = gate_excused(r);
        if (refused == NULL && r->prev != NULL) {
            refused = refused_beside(r->prev, r->status);
        }
        add_filter(fields_filter, r, refused != NULL ? refused : admitting(r));
    }
}

/* httpd answers with an error. */
static void before_error(request_rec *r) {
    if (r->main != NULL) {
        return;
    }
    gate_request *known = gate_request_of(r);
    const gate_record *refusal = known->refusal;
    if (refusal != NULL && (int)refusal->view.status == r->status) {
        const char *document = ap_response_code_string(r, ap_index_of_response(r->status));
        int own = document == NULL || *document != '"'; /* an ErrorDocument of another kind would be on its way by now */
        add_filter(own && refusal->decision != NULL ? answer_filter : fields_filter, r, refusal);
    } else if (known->asked != NULL && !gate_admits(known->asked)) {
        add_filter(fields_filter, r, refused_beside(r, r->status));
    } else {
        add_filter(fields_filter, r, admitting(r));
    }
}

/* Refuses r. Returns the status, which the hook that asked returns. */
int gate_refuse(request_rec *r, const gate_record *record) {
    gate_request_of(r)->refusal = record;
    gate_publish(r, record);
    gate_strip(r, &record->view); /* before an ErrorDocument sees the fields */
    gate_tell(r, record);
    int status = (int)record->view.status;
    return ap_is_HTTP_ERROR(status) ? status : HTTP_INTERNAL_SERVER_ERROR;
}

/* The engine answers r itself. Returns what the hook that asked returns. */
int gate_respond(request_rec *r, const gate_record *record) {
    gate_publish(r, record);
    gate_tell(r, record);
    if (r->main != NULL) {
        return HTTP_FORBIDDEN; /* an answer has no place inside another one */
    }
    r->status = (int)record->view.status;
    int discarded = ap_discard_request_body(r);
    if (discarded != OK) {
        return discarded;
    }
    ap_run_insert_error_filter(r);
    pass_answer(r->output_filters, r, record);
    return DONE;
}

void gate_register_answer(void) {
    /* before mod_headers, so that the operator has the last word, and before caches, which must read Cache-Control */
    fields_filter = ap_register_output_filter("GATEPOST_FIELDS", add_fields, NULL, (ap_filter_type)(AP_FTYPE_CONTENT_SET - 1));
    answer_filter = ap_register_output_filter("GATEPOST_ANSWER", replace, NULL, (ap_filter_type)(AP_FTYPE_CONTENT_SET - 1));
    ap_hook_insert_filter(before_content, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_insert_error_filter(before_error, NULL, NULL, APR_HOOK_MIDDLE);
}
