/*
 * What the application sees: fields without what a client made up and with what the engine says, environment, user.
 */
#include "mod_gatepost.h"

static const char *copy(request_rec *r, gatepost_str text) {
    return text.len == 0 ? NULL : apr_pstrmemdup(r->pool, text.ptr, text.len);
}

static void publish_one(request_rec *r, const char *variable, const char *note, const char *value, int to_application) {
    if (value == NULL) {
        return;
    }
    apr_table_setn(r->notes, note, value);
    if (to_application) {
        apr_table_setn(r->subprocess_env, variable, value);
    }
}

/* AUTH_TYPE of CGI (RFC 3875): the scheme as HTTP writes it. */
static char *auth_type(request_rec *r, gatepost_str scheme) {
    static const char *const names[][2] = {
        {"basic", "Basic"}, {"bearer", "Bearer"}, {"api-key", "ApiKey"}, {"session", "Session"}, {"client-cert", "Certificate"},
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (gate_text_is(scheme, names[i][0])) {
            return apr_pstrdup(r->pool, names[i][1]);
        }
    }
    return apr_pstrmemdup(r->pool, scheme.ptr, scheme.len);
}

static const char *action_name(gatepost_action action) {
    static const char *const names[] = {"deny", "allow", "respond", "pass"};
    return action < sizeof names / sizeof *names ? names[action] : names[0];
}

/*
 * Notes for LogFormat, on every decision; environment and user only of somebody who was let in, so that nobody refused
 * is taken for somebody where another Require admits him. Reason, action and id say nothing of who it is.
 */
void gate_publish(request_rec *r, const gate_record *record) {
    const gatepost_view *view = &record->view;
    int allowed = view->action == GATEPOST_ALLOW;
    gatepost_str roles = {NULL, 0};
    if (record->decision != NULL) {
        roles = gatepost_decision_attribute(record->decision, GATEPOST_STR("roles"));
    }
    publish_one(r, "GATEPOST_ACTION", "gatepost-action", action_name(view->action), 1);
    publish_one(r, "GATEPOST_REASON", "gatepost-reason", copy(r, view->reason_name), 1);
    publish_one(r, "GATEPOST_ID", "gatepost-id", copy(r, view->id), 1);
    publish_one(r, "GATEPOST_SUBJECT", "gatepost-subject", copy(r, view->subject), allowed);
    publish_one(r, "GATEPOST_ISSUER", "gatepost-issuer", copy(r, view->issuer), allowed);
    publish_one(r, "GATEPOST_SCHEME", "gatepost-scheme", copy(r, view->scheme), allowed);
    publish_one(r, "GATEPOST_ROLES", "gatepost-roles", copy(r, roles), allowed);
    if (allowed && view->subject.len > 0) {
        r->user = apr_pstrmemdup(r->pool, view->subject.ptr, view->subject.len);
        r->ap_auth_type = auth_type(r, view->scheme);
    }
}

/* Another policy may yet have to decide about what the client sent. */
static void keep_received(request_rec *r) {
    request_rec *top = gate_top(r);
    gate_request *known = gate_request_of(top);
    if (known->received == NULL) {
        known->received = apr_table_copy(top->pool, top->headers_in);
    }
}

/* Removes the fields that a client may have made up. */
void gate_strip(request_rec *r, const gatepost_view *view) {
    for (size_t i = 0; i < view->strip_count; i++) {
        if (apr_table_get(r->headers_in, view->strip[i].ptr) != NULL) {
            keep_received(r);
            apr_table_unset(r->headers_in, view->strip[i].ptr);
        }
    }
}

static void add_upstream(request_rec *r, const gatepost_view *view) {
    if (view->upstream_header_count > 0) {
        keep_received(r);
    }
    for (size_t i = 0; i < view->upstream_header_count; i++) {
        const gatepost_header *field = &view->upstream_headers[i];
        const char *name = copy(r, field->name), *value = copy(r, field->value);
        if (name == NULL || (field->mode == GATEPOST_HEADER_SET_IF_ABSENT && apr_table_get(r->headers_in, name) != NULL)) {
            continue;
        }
        value = value == NULL ? "" : value;
        if (field->mode == GATEPOST_HEADER_APPEND) {
            apr_table_addn(r->headers_in, name, value);
        } else {
            apr_table_setn(r->headers_in, name, value);
        }
    }
}

/* Applies what is known by now. Returns DECLINED, or the status to refuse with. */
static int apply(request_rec *r, gate_policy *policy, const gate_record *record) {
    gate_request *known = gate_request_of(r);
    known->policy = policy;
    known->applied = record;
    if (record == NULL || record->decision == NULL) {
        return gate_quiet_strip(r, policy) == OK ? DECLINED : HTTP_SERVICE_UNAVAILABLE;
    }
    gate_strip(r, &record->view);
    if (gate_admits(record)) {
        add_upstream(r, &record->view);
    }
    gate_publish(r, record);
    return DECLINED;
}

/* Every request that goes on to an application comes through here, whoever let it in. */
static int before_others(request_rec *r) {
    int answer = gate_catch_up(r);
    gate_policy *policy = gate_directory_of(r)->policy;
    return answer != OK ? answer : policy == NULL ? DECLINED : apply(r, policy, gate_known(r, policy));
}

/*
 * The page that stands for a directory, or the variant of a page, is found and asked about as a subrequest, and then r
 * goes on in its place: under its policy, but with the fields of the client.
 */
static int before_handlers(request_rec *r) {
    gate_policy *policy = gate_directory_of(r)->policy;
    if (policy == NULL) {
        return DECLINED;
    }
    const gate_request *known = gate_request_of(r);
    const gate_record *record = gate_known(r, policy);
    return known->policy == policy && known->applied == record ? DECLINED : apply(r, policy, record);
}

void gate_register_application(void) {
    /* before whatever reads fields: rewriting, RequestHeader, proxies, CGI */
    ap_hook_fixups(before_others, NULL, NULL, APR_HOOK_REALLY_FIRST);
    ap_hook_handler(before_handlers, NULL, NULL, APR_HOOK_REALLY_FIRST);
}
