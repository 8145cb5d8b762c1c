/*
 * Directives, and what a directory inherits.
 */
#include "mod_gatepost.h"

void *gate_create_directory(apr_pool_t *pool, char *directory) {
    (void)directory;
    gate_directory *made = apr_pcalloc(pool, sizeof *made);
    made->on = GATE_UNSET;
    return made;
}

void *gate_merge_directory(apr_pool_t *pool, void *outer, void *inner) {
    const gate_directory *from = outer, *own = inner;
    gate_directory *merged = apr_palloc(pool, sizeof *merged);
    merged->policy = own->policy != NULL ? own->policy : from->policy;
    merged->on = own->on != GATE_UNSET ? own->on : from->on;
    return merged;
}

const gate_directory *gate_directory_of(request_rec *r) {
    return ap_get_module_config(r->per_dir_config, &gatepost_module);
}

static const char *set_policy(cmd_parms *command, void *directory, const char *name) {
    gate_directory *own = directory;
    const char *wrong = ap_check_cmd_context(command, NOT_IN_LIMIT);
    return wrong != NULL ? wrong : gate_policy_named(command, name, &own->policy);
}

static const char *set_on(cmd_parms *command, void *directory, int on) {
    gate_directory *own = directory;
    const char *wrong = ap_check_cmd_context(command, NOT_IN_LIMIT); /* it would hold for all methods */
    if (wrong != NULL) {
        return wrong;
    }
    own->on = on;
    if (on) {
        gate_policies_wanted("Gatepost on");
    }
    return NULL;
}

/* Not in .htaccess: whoever may write there decides neither which policy holds nor whether one does. */
const command_rec gate_commands[] = {
    AP_INIT_TAKE1("GatepostPolicy", set_policy, NULL, RSRC_CONF | ACCESS_CONF,
                  "the policy file, relative to ServerRoot; the same file is the same engine everywhere"),
    AP_INIT_FLAG("Gatepost", set_on, NULL, RSRC_CONF | ACCESS_CONF,
                 "on: the policy must let in what comes here; off: it is not asked here"),
    {.name = NULL},
};
