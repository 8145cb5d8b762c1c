/*
 * One decision for each request of a client: what it is redirected to inside, and its subrequests, go by the same one.
 */
#include "mod_gatepost.h"

/* What is known of r, where there is nothing yet. */
gate_request *gate_new_request(request_rec *r) {
    gate_request *known = apr_pcalloc(r->pool, sizeof *known);
    ap_set_module_config(r->request_config, &gatepost_module, known);
    return known;
}

/*
 * A second address, that a request names in Destination and wants to write to (COPY, MOVE): mod_dav looks it up as a
 * subrequest. NULL: r is none.
 */
const char *gate_destination(const request_rec *r) {
    if (r->main == NULL) {
        return NULL;
    }
    const request_rec *top = gate_top((request_rec *)r);
    int reads = top->method_number == M_GET || top->method_number == M_POST;
    return !reads && apr_table_get(top->headers_in, "Destination") != NULL ? r->unparsed_uri : NULL;
}

static gate_record *find(request_rec *top, const gate_policy *policy, const char *destination) {
    gate_record *record = gate_request_of(top)->records;
    while (record != NULL && (record->policy != policy || (record->destination == NULL) != (destination == NULL) ||
                              (destination != NULL && strcmp(record->destination, destination) != 0))) {
        record = record->next;
    }
    return record;
}

/* The decision of that policy about the address that r's client asked for, where it was made already. */
gate_record *gate_known(request_rec *r, const gate_policy *policy) { return find(gate_top(r), policy, NULL); }

static apr_status_t forget(void *data) {
    gate_record *record = data;
    gatepost_decision_free(record->decision);
    record->decision = NULL;
    return APR_SUCCESS;
}

static gate_record *new_record(request_rec *top, gate_policy *policy) {
    gate_request *known = gate_request_of(top);
    gate_record *record = apr_pcalloc(top->pool, sizeof *record);
    record->policy = policy;
    record->view.struct_size = sizeof record->view;
    record->next = known->records;
    known->records = record;
    apr_pool_cleanup_register(top->pool, record, forget, apr_pool_cleanup_null);
    return record;
}

/* No decision could be made: what is answered instead. */
static void refuse(gate_record *record, gatepost_reason reason) {
    record->view = (gatepost_view){
        .struct_size = sizeof record->view,
        .action = GATEPOST_DENY,
        .status = gatepost_reason_status(reason),
        .reason = reason,
        .reason_name = gatepost_reason_name(reason),
    };
}

/* The refusal of a request that no policy can be asked about. */
gate_record *gate_without_decision(request_rec *r, gate_policy *policy, gatepost_reason reason) {
    gate_record *record = gate_known(r, policy);
    if (record == NULL) {
        record = new_record(gate_top(r), policy);
        refuse(record, reason);
    }
    return record;
}

/* gatepost.h: 503 where something that is needed is missing for now, else 500. */
static gatepost_reason reason_of(gatepost_status status, const gate_policy *policy) {
    if (status == GATEPOST_ERR_NOT_STARTED && policy->failed != GATEPOST_OK) {
        status = policy->failed;
    }
    switch (status) {
    case GATEPOST_ERR_STATE:
        return GATEPOST_REASON_STATE_UNAVAILABLE;
    case GATEPOST_ERR_OVERLOADED:
        return GATEPOST_REASON_OVERLOADED;
    default:
        return GATEPOST_REASON_INTERNAL;
    }
}

/* What the event of a decision says that the decision does not. */
struct hearing {
    apr_pool_t *pool;
    const char *client;
};

/*
 * Hears events. That of a decision names the client, which is another than the peer behind trusted proxies. Quotes in
 * values are escaped, so that no value can look like a member. Those about no request are for the operator.
 *
 * data: where the server stands whose log they are for, see policies.c.
 */
void gate_event(void *data, const gatepost_event *event) {
    struct hearing *hearing = event->user;
    if (hearing == NULL) {
        if (event->severity >= GATEPOST_WARNING && !gate_ending()) {
            ap_log_error(APLOG_MARK, event->severity == GATEPOST_WARNING ? APLOG_WARNING : APLOG_ERR, 0,
                         *(server_rec **)data, "gatepost: %s %s", event->name.ptr, event->line.ptr);
        }
        return;
    }
    static const char member[] = "\"client\":\"";
    const char *found = strstr(event->line.ptr, member);
    if (found != NULL && gate_text_is(event->name, "decision")) {
        found += sizeof member - 1;
        hearing->client = apr_pstrmemdup(hearing->pool, found, strcspn(found, "\""));
    }
}

/* The engine is asked what it wants of a body where there can be one. */
static int may_have_body(const request_rec *top) {
    return top->method_number != M_GET || apr_table_get(top->headers_in, "Content-Length") != NULL ||
           apr_table_get(top->headers_in, "Transfer-Encoding") != NULL;
}

/* Asks the engine, and once more where it turns out to want the body. Returns what the engine did. */
static gatepost_status ask(request_rec *r, gate_policy *policy, gatepost_request *request, gate_record *record) {
    uint64_t most = may_have_body(gate_top(r)) ? gatepost_engine_wants_body(policy->engine, request) : 0;
    int read = 0;
    for (;;) {
        if (most > 0) {
            if (!gate_read_body(r, (apr_size_t)most, request)) {
                return GATEPOST_ERR_INTERNAL;
            }
            read = 1;
            most = 0;
        }
        gate_enter();
        gatepost_status status = gatepost_decide_into(policy->engine, request, &record->decision, &record->view);
        gate_leave();
        if (status != GATEPOST_NEED_BODY || read) {
            return status;
        }
        most = 65536; /* it did not say beforehand how much */
    }
}

/*
 * The decision of the policy about r's client, made now where it was not made yet. This thread may wait for it. Where r
 * is the destination of a request, it is about writing there.
 *
 * Returns the record, never NULL; it lives as long as the client's own request.
 */
const gate_record *gate_decide(request_rec *r, gate_policy *policy) {
    request_rec *top = gate_top(r);
    const char *destination = gate_destination(r);
    gate_record *record = find(top, policy, destination);
    if (record != NULL) {
        return record;
    }
    gate_request *known = gate_request_of(top);
    record = new_record(top, policy);
    struct hearing hearing = {top->pool, NULL};
    gatepost_request request;
    gate_describe(r, top, known->received != NULL ? known->received : top->headers_in, &request);
    if (destination != NULL) {
        record->destination = apr_pstrdup(top->pool, destination);
        request.method = GATEPOST_STR("PUT");
        request.target = (gatepost_str){record->destination, strlen(record->destination)};
    }
    request.user = &hearing;
    gatepost_status status = ask(r, policy, &request, record);
    record->client = hearing.client != NULL ? hearing.client : apr_pstrmemdup(top->pool, request.peer.ptr, request.peer.len);
    if (status != GATEPOST_OK) {
        if (status != GATEPOST_ERR_NOT_STARTED) { /* why not is told by keep.c, in words that help */
            ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r, "gatepost: no decision: %s", gatepost_status_text(status).ptr);
        }
        refuse(record, reason_of(status, policy));
    } else if (record->view.action > GATEPOST_PASS) {
        /* a later library may answer what this module cannot do */
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r, "gatepost: unknown action %u", record->view.action);
        refuse(record, GATEPOST_REASON_INTERNAL);
    }
    return record;
}

/*
 * Removes what a client may have made up from a request that comes through without a decision: another Require admits
 * it, nothing asks, or none could be made.
 *
 * Returns OK, or the status to refuse with.
 */
int gate_quiet_strip(request_rec *r, gate_policy *policy) {
    gatepost_request request;
    gate_describe(r, gate_top(r), r->headers_in, &request);
    gatepost_decision *decision = NULL;
    gatepost_view view = {.struct_size = sizeof view};
    gate_enter();
    gatepost_status status = gatepost_strip(policy->engine, &request, &decision, &view);
    gate_leave();
    if (status != GATEPOST_OK) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r, "gatepost: cannot say what a client may have made up: %s",
                      gatepost_status_text(status).ptr);
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    gate_strip(r, &view);
    gatepost_decision_free(decision);
    return OK;
}
