/*
 * mod_gatepost: asks Gatepost who may come in.
 *
 *     GatepostPolicy conf/orders.toml        a server, a virtual host, a directory or a location
 *     Gatepost on                            its policy must let in what comes here; or:
 *     Require gatepost                       the same as one voice among others
 *
 * The parent opens engines, children start them. Nothing is decided in the parent.
 */
#define GATEPOST_HAS_MODULE
#include "mod_gatepost.h"

static int begin(apr_pool_t *pool, apr_pool_t *log, apr_pool_t *temporary) {
    (void)log, (void)temporary;
    if (gatepost_abi_check(GATEPOST_ABI) != GATEPOST_OK) {
        ap_log_perror(APLOG_MARK, APLOG_CRIT | APLOG_STARTUP, 0, pool,
                      "gatepost: libgatepost %s has ABI %u; this module was built for %u: build it again",
                      gatepost_version().ptr, gatepost_abi(), (unsigned)GATEPOST_ABI);
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    gate_policies_begin(pool);
    return OK;
}

static int check(apr_pool_t *pool, apr_pool_t *log, apr_pool_t *temporary, server_rec *server) {
    (void)pool, (void)log;
    if (ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_PRE_CONFIG) { /* all of `apachectl configtest` */
        gate_warn_of_forgotten(temporary, server, APLOG_WARNING | APLOG_STARTUP);
    }
    return gate_policies_check(temporary, server);
}

/* httpd reads its configuration twice when it starts, and throws the first reading away: only the second one counts. */
static int open_policies(apr_pool_t *pool, apr_pool_t *log, apr_pool_t *temporary, server_rec *server) {
    (void)log;
    if (ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_PRE_CONFIG) {
        return OK;
    }
    gate_warn_of_forgotten(temporary, server, APLOG_WARNING); /* the error log is open by now */
    return gate_policies_open(pool, server);
}

static void register_hooks(apr_pool_t *pool) {
    ap_hook_pre_config(begin, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_check_config(check, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_post_config(open_policies, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_optional_fn_retrieve(gate_optional_functions, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_child_init(gate_policies_start, NULL, NULL, APR_HOOK_MIDDLE);
    gate_register_access(pool);
    gate_register_body_filter();
    gate_register_answer();
    gate_register_application();
    gate_register_tell();
#ifdef GATEPOST_TESTING
    ap_hook_post_read_request(gate_testing_fields, NULL, NULL, APR_HOOK_REALLY_FIRST);
#endif
}

AP_DECLARE_MODULE(gatepost) = {
    STANDARD20_MODULE_STUFF, gate_create_directory, gate_merge_directory, NULL, NULL, gate_commands, register_hooks,
    AP_MODULE_FLAG_NONE,
};
