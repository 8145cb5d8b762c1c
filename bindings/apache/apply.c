/*
 * What the application sees: fields without what a client made up and with what the engine says, environment, user.
 */
#include "mod_gatepost.h"

#include "apr_lib.h"

/* Texts of a decision end with a NUL, and live as long as the client's request and whatever is made of it. */
static const char *string(gatepost_str text) { return text.len == 0 ? NULL : text.ptr; }

/* AUTH_TYPE of CGI (RFC 3875): the scheme as HTTP writes it. */
static const char *auth_type(gatepost_str scheme) {
    static const char *const names[][2] = {
        {"basic", "Basic"}, {"bearer", "Bearer"}, {"api-key", "ApiKey"}, {"session", "Session"}, {"client-cert", "Certificate"},
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (gate_text_is(scheme, names[i][0])) {
            return names[i][1];
        }
    }
    return string(scheme);
}

static const char *action_name(gatepost_action action) {
    static const char *const names[] = {"deny", "allow", "respond", "pass"};
    return action < sizeof names / sizeof *names ? names[action] : names[0];
}

/* What is published, in this order; the identity begins with the subject. */
enum { ACTION, REASON, ID, SUBJECT, ISSUER, SCHEME, ROLES, WORDS };
static const char *const variables[WORDS] = {
    "GATEPOST_ACTION", "GATEPOST_REASON", "GATEPOST_ID", "GATEPOST_SUBJECT", "GATEPOST_ISSUER", "GATEPOST_SCHEME", "GATEPOST_ROLES",
};
static const char *const notes[WORDS] = {
    "gatepost-action", "gatepost-reason", "gatepost-id", "gatepost-subject", "gatepost-issuer", "gatepost-scheme", "gatepost-roles",
};

/* No name in the table begins like ours. */
static int is_clean(const apr_table_t *table) {
    const apr_array_header_t *elements = apr_table_elts(table);
    const apr_table_entry_t *entries = (const apr_table_entry_t *)elements->elts;
    for (int i = 0; i < elements->nelts; i++) {
        if (entries[i].key != NULL && (entries[i].key[0] | ('a' ^ 'A')) == 'g') {
            return 0;
        }
    }
    return 1;
}

/*
 * Of each name the first `count` values, and no value of the others, whoever has set one. To set one by one has a table
 * compare all names that begin alike, so where there is none yet, they are added unseen.
 */
static void put(apr_table_t *table, const char *const names[WORDS], const char *const values[WORDS], int count) {
    int clean = is_clean(table);
    if (clean && count == 0) {
        return;
    }
    for (int i = 0; i < WORDS; i++) {
        const char *value = i < count ? values[i] : NULL;
        if (value != NULL && clean) {
            apr_table_addn(table, names[i], value);
        } else if (value != NULL) {
            apr_table_setn(table, names[i], value);
        } else if (!clean) {
            apr_table_unset(table, names[i]);
        }
    }
}

/*
 * Notes for LogFormat, on every decision; environment and user only of somebody who was let in, so that nobody refused
 * is taken for somebody where another Require admits him. Reason, action and id say nothing of who it is.
 */
void gate_publish(request_rec *r, const gate_record *record) {
    gate_request *known = gate_request_of(r);
    if (known->published == record) {
        return;
    }
    known->published = record;
    const gatepost_view *view = &record->view;
    int allowed = view->action == GATEPOST_ALLOW;
    const char *values[WORDS] = {
        [ACTION] = action_name(view->action), [REASON] = string(view->reason_name), [ID] = string(view->id),
        [SUBJECT] = string(view->subject),    [ISSUER] = string(view->issuer),      [SCHEME] = string(view->scheme),
    };
    if (values[SUBJECT] != NULL && record->decision != NULL) {
        values[ROLES] = string(gatepost_decision_attribute(record->decision, GATEPOST_STR("roles")));
    }
    put(r->notes, notes, values, WORDS);
    put(r->subprocess_env, variables, values, allowed ? WORDS : SUBJECT);
    if (allowed && values[SUBJECT] != NULL) {
        r->user = (char *)values[SUBJECT]; /* neither is written to */
        r->ap_auth_type = (char *)auth_type(view->scheme);
    }
}

/* Another policy may yet have to decide about what the client sent. */
static void keep_received(request_rec *r) {
    if (!gate_policies_several()) {
        return;
    }
    request_rec *top = gate_top(r);
    gate_request *known = gate_request_of(top);
    if (known->received == NULL) {
        known->received = apr_table_copy(top->pool, top->headers_in);
    }
}

/* Equal as some application may read them (CGI): what is no letter or digit counts as `_`. */
static int is_same_name(const char *name, const char *received) {
    for (; *name != '\0' && *received != '\0'; name++, received++) {
        int both = apr_isalnum(*name) && apr_isalnum(*received);
        if (both ? apr_tolower(*name) != apr_tolower(*received) : apr_isalnum(*name) || apr_isalnum(*received)) {
            return 0;
        }
    }
    return *name == *received;
}

/* One of the policies of the configuration calls an identity so. */
static int is_identity(const char *received) {
    for (int i = 0; i < gate_policies_count(); i++) {
        const gate_policy *policy = gate_policies_at(i);
        for (size_t n = 0; n < policy->name_count; n++) {
            if (is_same_name(policy->names[n].ptr, received)) {
                return 1;
            }
        }
    }
    return 0;
}

/* The value is one that a decision about this client has set: the request comes from a place of another policy. */
static int is_ours(request_rec *r, const char *value) {
    for (const gate_record *record = gate_request_of(gate_top(r))->records; record != NULL; record = record->next) {
        for (size_t i = 0; i < record->view.upstream_header_count; i++) {
            if (record->view.upstream_headers[i].value.ptr == value) {
                return 1;
            }
        }
    }
    return 0;
}

/*
 * Removes what would pass as an identity of another policy: the application behind may listen to several.
 */
static void strip_others(request_rec *r) {
    const apr_array_header_t *elements = apr_table_elts(r->headers_in);
    const apr_table_entry_t *entries = (const apr_table_entry_t *)elements->elts;
    for (int i = 0; i < elements->nelts;) {
        if (entries[i].key != NULL && is_identity(entries[i].key) && !is_ours(r, entries[i].val)) {
            keep_received(r);
            apr_table_unset(r->headers_in, entries[i].key);
            i = 0; /* the rest has moved */
        } else {
            i++;
        }
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
    /* A name that is no name, which httpd hands on with HttpProtocolOptions Unsafe, is on no list. */
    int faulty = view->reason == GATEPOST_REASON_REQUEST_MALFORMED || view->reason == GATEPOST_REASON_REQUEST_TOO_LARGE;
    if (gate_policies_several() || faulty) {
        strip_others(r);
    }
}

static void add_upstream(request_rec *r, const gatepost_view *view) {
    if (view->upstream_header_count > 0) {
        keep_received(r);
    }
    for (size_t i = 0; i < view->upstream_header_count; i++) {
        const gatepost_header *field = &view->upstream_headers[i];
        const char *name = string(field->name), *value = string(field->value);
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
    if (record != NULL) {
        gate_publish(r, record);
    } else {
        static const char *const nothing[WORDS];
        put(r->subprocess_env, variables, nothing, 0);
    }
    if (record == NULL || record->decision == NULL) {
        int refused = gate_quiet_strip(r, policy);
        return refused == OK ? DECLINED : refused;
    }
    gate_strip(r, &record->view);
    if (gate_admits(record)) {
        add_upstream(r, &record->view);
    }
    return DECLINED;
}

/* Every request that goes on to an application comes through here, whoever let it in. */
static int before_others(request_rec *r) {
    int answer = gate_catch_up(r);
    gate_policy *policy = gate_directory_of(r)->policy;
    gate_request_of(r)->admitted = answer == OK;
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
