/*
 * One engine for each policy file: opened by the parent; keep.c is about what a child does with it.
 *
 * What is opened lives in the parent until the next restart has opened what comes after it: a policy that does not load
 * then leaves the old one in force. httpd unloads and loads the module at each restart, and all that the configuration
 * points to is gone by then; so what such an engine calls and is given must stay.
 */
#include "mod_gatepost.h"

#include <stdlib.h>

/* What the parent keeps over restarts, in the order of the files. */
struct kept {
    struct kept *next;
    char *file;
    gatepost_engine *engine;
    gatepost_decision *about; /* no request; holds the names of the policy */
};

static apr_array_header_t *policies; /* of the configuration at hand: gate_policy * */
static const char *wanted;           /* what asks for a policy somewhere */

static gatepost_str text(const char *string) { return (gatepost_str){string, strlen(string)}; }

void gate_policies_begin(apr_pool_t *pool) {
    policies = apr_array_make(pool, 4, sizeof(gate_policy *));
    wanted = NULL;
}

static gate_policy *policy_at(int i) { return APR_ARRAY_IDX(policies, i, gate_policy *); }

void gate_policies_wanted(const char *by) {
    if (wanted == NULL) {
        wanted = by;
    }
}

int gate_policies_several(void) { return policies->nelts > 1; }
int gate_policies_count(void) { return policies->nelts; }
const gate_policy *gate_policies_at(int i) { return policy_at(i); }

/* The first reading of the configuration, which is all of `apachectl configtest`: everything wrong with a policy is said. */
static const char *check_file(cmd_parms *command, const char *file) {
    gatepost_bytes *report = NULL;
    gatepost_error *error = NULL;
    if (gatepost_policy_check(text(file), (gatepost_str){NULL, 0}, &report, &error) != GATEPOST_OK) {
        /* line by line: httpd makes one line of what a directive returns */
        gate_tell_lines(command->server, APLOG_ERR | APLOG_STARTUP, "", gatepost_error_message(error).ptr);
        gatepost_error_free(error);
        return apr_pstrcat(command->pool, "GatepostPolicy: ", file, " does not load, for the reasons above", NULL);
    }
    gate_tell_lines(command->server, APLOG_WARNING | APLOG_STARTUP, "", gatepost_bytes_view(report).ptr);
    gatepost_bytes_free(report);
    return NULL;
}

/* GatepostPolicy: the policy of that file, made where it is not there yet. Returns what is wrong, or NULL. */
const char *gate_policy_named(cmd_parms *command, const char *name, gate_policy **policy) {
    const char *file = ap_server_root_relative(command->pool, name);
    if (file == NULL) {
        return apr_pstrcat(command->pool, "GatepostPolicy: ", name, " is no path", NULL);
    }
    for (int i = 0; i < policies->nelts; i++) {
        if (strcmp(policy_at(i)->file, file) == 0) {
            *policy = policy_at(i);
            return NULL;
        }
    }
    if (ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_PRE_CONFIG) {
        const char *wrong = check_file(command, file);
        if (wrong != NULL) {
            return wrong;
        }
    }
    *policy = apr_pcalloc(policies->pool, sizeof **policy);
    (*policy)->file = apr_pstrdup(policies->pool, file);
    APR_ARRAY_PUSH(policies, gate_policy *) = *policy;
    return NULL;
}

/* A configuration that asks for a policy and names none anywhere would refuse everything; better to say so at once. */
int gate_policies_check(apr_pool_t *pool, server_rec *server) {
    (void)pool;
    if (wanted != NULL && policies->nelts == 0) {
        ap_log_error(APLOG_MARK, APLOG_CRIT | APLOG_STARTUP, 0, server,
                     "gatepost: the configuration says \"%s\", but no GatepostPolicy names a policy file", wanted);
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    return OK;
}

static struct kept **kept_list(void) {
    static const char key[] = "gatepost-engines";
    struct kept **list = ap_retained_data_get(key);
    return list != NULL ? list : ap_retained_data_create(key, sizeof *list);
}

/* Where engines find the server of the configuration in force. */
static server_rec **listener(void) {
    static const char key[] = "gatepost-listener";
    server_rec **server = ap_retained_data_get(key);
    return server != NULL ? server : ap_retained_data_create(key, sizeof *server);
}

static void forget(struct kept *list) {
    while (list != NULL) {
        struct kept *next = list->next;
        gatepost_engine_free(list->engine);
        gatepost_decision_free(list->about);
        free(list->file);
        free(list);
        list = next;
    }
}

static const struct kept *find(const struct kept *list, const char *file) {
    while (list != NULL && strcmp(list->file, file) != 0) {
        list = list->next;
    }
    return list;
}

static gatepost_status open_engine(const char *file, struct kept *opened, gatepost_error **error) {
    gatepost_options options = {.struct_size = sizeof options, .on_event = gate_event, .event_data = listener()};
#ifdef GATEPOST_TESTING
    options.clock = gate_testing_clock;
#endif
    return gatepost_engine_open(text(file), &options, &opened->engine, error);
}

static void tell_warnings(const char *file, server_rec *server) {
    gatepost_bytes *report = NULL;
    if (gatepost_policy_check(text(file), (gatepost_str){NULL, 0}, &report, NULL) == GATEPOST_OK) {
        gate_tell_lines(server, APLOG_WARNING, "gatepost: ", gatepost_bytes_view(report).ptr);
        gatepost_bytes_free(report);
    }
}

/* Which names the policy gives an identity: of the engine, not the file, since an old one may be in force. */
static int learn_names(gate_policy *policy, server_rec *server, struct kept *opened) {
    gatepost_view view = {.struct_size = sizeof view};
    gatepost_status status = gatepost_strip(opened->engine, NULL, &opened->about, &view);
    if (status != GATEPOST_OK) {
        ap_log_error(APLOG_MARK, APLOG_CRIT, 0, server, "gatepost: %s: %s", policy->file, gatepost_status_text(status).ptr);
        return 0;
    }
    policy->names = view.strip;
    policy->name_count = view.strip_count;
    return 1;
}

/* Opens the policy anew or, where it does not load, takes the engine that was in force. */
static int open_one(gate_policy *policy, const struct kept *before, server_rec *server, struct kept *opened) {
    gatepost_error *error = NULL;
    if (open_engine(policy->file, opened, &error) == GATEPOST_OK) {
        tell_warnings(policy->file, server);
    } else {
        const struct kept *old = find(before, policy->file);
        gate_tell_lines(server, old == NULL ? APLOG_CRIT : APLOG_ERR, "gatepost: ", gatepost_error_message(error).ptr);
        gatepost_error_free(error);
        if (old == NULL) {
            return 0;
        }
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, server,
                     "gatepost: %s does not load; the policy from before stays in force", policy->file);
        opened->engine = gatepost_engine_ref(old->engine);
    }
    policy->engine = opened->engine;
    return learn_names(policy, server, opened);
}

int gate_policies_open(apr_pool_t *pool, server_rec *server) {
    (void)pool;
    struct kept **list = kept_list(), *opened = NULL;
    gate_stay_loaded();
    *listener() = server;
    for (int i = 0; i < policies->nelts; i++) {
        struct kept *one = calloc(1, sizeof *one);
        if (one != NULL) {
            one->next = opened;
            opened = one;
        }
        if (one == NULL || (one->file = strdup(policy_at(i)->file)) == NULL ||
            !open_one(policy_at(i), *list, server, one)) {
            forget(opened);
            return HTTP_INTERNAL_SERVER_ERROR;
        }
    }
    forget(*list);
    *list = opened;
    return OK;
}

void gate_policies_start(apr_pool_t *pool, server_rec *server) {
    for (int i = 0; i < policies->nelts; i++) {
        gate_keep(policy_at(i), pool, server);
    }
}
