/*
 * Where httpd asks who may come in.
 *
 * `Gatepost on` is asked after everything that goes by the connection (TLS, Order and Allow) and before the Require
 * directives, which hold besides. `Require gatepost` is one voice among them: what it does not let in, another one may.
 * The answer of the engine is then the client's only where nobody else had one.
 */
#include "mod_gatepost.h"

#include "ap_provider.h"
#include "mod_auth.h"

/* What stands in for a document that is not there (FallbackResource) is none of its parts; a variant of it is one. */
static int is_part(const request_rec *part, const request_rec *document) {
    return document->finfo.filetype != APR_NOFILE || document->handler != NULL ||
           (part->filename != NULL && document->filename != NULL &&
            strncmp(part->filename, document->filename, strlen(document->filename)) == 0);
}

/*
 * The refusal that r is the ErrorDocument of, or a part of it; NULL: it is none. Such a document is shown to those who
 * were refused, so they are not refused again. What it redirects to is asked about like everything else.
 */
const gate_record *gate_excused(request_rec *r) {
    request_rec *document = r;
    while (document->main != NULL) {
        document = document->main;
    }
    if (document->prev == NULL || !ap_is_HTTP_ERROR(document->status) || (document != r && !is_part(r, document))) {
        return NULL;
    }
    return gate_request_of(document->prev)->refusal;
}

/* httpd does not ask about r: its configuration is that of a request that was asked about. */
static int is_taken_on_trust(const request_rec *r, const request_rec *from) {
    return from != NULL && from->per_dir_config == r->per_dir_config;
}

/* With a configuration of its own, if of the same content, r is asked about. */
static int ask_anew(request_rec *r) {
    int by_redirect = is_taken_on_trust(r, r->prev) && gate_excused(r->prev) != NULL;
    int as_part = is_taken_on_trust(r, r->main) && (gate_excused(r->main) != NULL || gate_destination(r) != NULL);
    if ((by_redirect || as_part) && gate_excused(r) == NULL) {
        r->per_dir_config = ap_merge_per_dir_configs(r->pool, r->per_dir_config, ap_create_per_dir_config(r->pool));
    }
    return OK;
}

/* OK where the record lets r in, else what the hook that asked must return. */
static int enforce(request_rec *r, const gate_record *record) {
    gate_request_of(r)->asked = record;
    if (gate_admits(record)) {
        gate_publish(r, record);
        return OK;
    }
    return record->view.action == GATEPOST_RESPOND ? gate_respond(r, record) : gate_refuse(r, record);
}

static const gate_record *decide_here(request_rec *r) {
    gate_policy *policy = gate_directory_of(r)->policy;
    if (policy == NULL) {
        return gate_without_decision(r, NULL, GATEPOST_REASON_POLICY_MISSING);
    }
    if (gate_top(r)->proxyreq == PROXYREQ_PROXY) { /* an address elsewhere, of which the policy says nothing */
        return gate_without_decision(r, policy, GATEPOST_REASON_TARGET_AMBIGUOUS);
    }
    return gate_decide(r, policy);
}

/* Gatepost on. */
static int check_access(request_rec *r) {
    if (gate_directory_of(r)->on != 1 || gate_excused(r) != NULL) {
        return DECLINED;
    }
    int answer = enforce(r, decide_here(r));
    return answer == OK ? DECLINED : answer; /* the Require directives have their say too */
}

/*
 * Gatepost on, where httpd has asked nobody about r: its configuration is that of the request that it comes from, which
 * may have been refused before anybody asked us; or it is admitted by its address (Satisfy Any), as .htaccess may say.
 *
 * Returns OK, or what a hook must return.
 */
int gate_catch_up(request_rec *r) {
    if (gate_directory_of(r)->on != 1 || gate_request_of(r)->asked != NULL || gate_excused(r) != NULL) {
        return OK;
    }
    return enforce(r, decide_here(r));
}

/* Require gatepost. httpd asks before it looks for a user, and once more where another module has found one. */
static authz_status check_require(request_rec *r, const char *line, const void *parsed) {
    (void)line, (void)parsed;
    if (gate_excused(r) != NULL) {
        return AUTHZ_GRANTED;
    }
    const gate_record *record = decide_here(r);
    gate_request_of(r)->asked = record;
    switch (record->view.action) {
    case GATEPOST_ALLOW:
        gate_publish(r, record);
        return AUTHZ_GRANTED;
    case GATEPOST_PASS: /* no voice: alone it lets nobody in */
        return AUTHZ_NEUTRAL;
    default:
        return r->user != NULL ? AUTHZ_DENIED : AUTHZ_DENIED_NO_USER;
    }
}

static const char *parse_require(cmd_parms *command, const char *line, const void **parsed) {
    (void)command, (void)parsed;
    if (line != NULL && *line != '\0') {
        return "Require gatepost stands alone: who is meant is said in the policy";
    }
    gate_policies_wanted("Require gatepost");
    return NULL;
}

static int is_own_type(request_rec *r) {
    const char *type = ap_auth_type(r);
    return type == NULL || strcasecmp(type, "Gatepost") == 0;
}

/*
 * A Require directive wants a user. Where no AuthType gives the question to another module it is ours: Require gatepost
 * was asked and has refused, or there is a Require valid-user or the like where a policy holds.
 */
static int check_user(request_rec *r) {
    const gate_directory *here = gate_directory_of(r);
    int asked = gate_request_of(r)->asked != NULL;
    if (!is_own_type(r) || (!asked && ap_auth_type(r) == NULL && (here->policy == NULL || here->on == 0))) {
        return DECLINED;
    }
    int answer = enforce(r, decide_here(r));
    if (answer == OK && r->user == NULL) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r,
                      "gatepost: the policy lets everybody in here, but a Require directive wants a user: %s", r->uri);
        return HTTP_FORBIDDEN;
    }
    return answer;
}

/* AuthType Gatepost, and a Require directive that the user does not meet: httpd answers 401 and wants a challenge. */
static int note_failure(request_rec *r, const char *type) {
    if (strcasecmp(type, "Gatepost") != 0) {
        return DECLINED;
    }
    const char *name = ap_auth_name(r);
    apr_table_setn(r->err_headers_out, "WWW-Authenticate",
                   apr_pstrcat(r->pool, "Gatepost realm=\"", name == NULL ? "" : name, "\"", NULL));
    return OK;
}

void gate_register_access(apr_pool_t *pool) {
    static const authz_provider provider = {check_require, parse_require};
    static const char *const before[] = {"mod_ssl.c", NULL};
    ap_hook_post_perdir_config(ask_anew, NULL, NULL, APR_HOOK_MIDDLE);
    /* mod_authz_core asks last */
    ap_hook_check_access_ex(check_access, before, NULL, APR_HOOK_MIDDLE, AP_AUTH_INTERNAL_PER_CONF);
    ap_hook_check_authn(check_user, NULL, NULL, APR_HOOK_FIRST, AP_AUTH_INTERNAL_PER_CONF);
    ap_hook_note_auth_failure(note_failure, NULL, NULL, APR_HOOK_MIDDLE);
    ap_register_auth_provider(pool, AUTHZ_PROVIDER_GROUP, "gatepost", AUTHZ_PROVIDER_VERSION, &provider,
                              AP_AUTH_INTERNAL_PER_CONF);
}
