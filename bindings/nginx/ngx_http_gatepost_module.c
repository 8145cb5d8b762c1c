/*
 * The directives, and where the module hooks into nginx.
 */

#include "ngx_http_gatepost.h"

static void *ngx_http_gatepost_create_main_conf(ngx_conf_t *cf);
static char *ngx_http_gatepost_init_main_conf(ngx_conf_t *cf, void *conf);
static void *ngx_http_gatepost_create_loc_conf(ngx_conf_t *cf);
static char *ngx_http_gatepost_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child);
static ngx_int_t ngx_http_gatepost_init(ngx_conf_t *cf);
static ngx_int_t ngx_http_gatepost_init_module(ngx_cycle_t *cycle);
static ngx_int_t ngx_http_gatepost_init_process(ngx_cycle_t *cycle);
static char *ngx_http_gatepost_policy(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
static char *ngx_http_gatepost_pool(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

static ngx_command_t  ngx_http_gatepost_commands[] = {

    { ngx_string("gatepost"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_HTTP_LMT_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_gatepost_loc_conf_t, enable),
      NULL },

    { ngx_string("gatepost_policy"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_gatepost_policy,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("gatepost_pool"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_1MORE,
      ngx_http_gatepost_pool,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

      ngx_null_command
};

static ngx_http_module_t  ngx_http_gatepost_module_ctx = {
    ngx_http_gatepost_add_variables,    /* preconfiguration */
    ngx_http_gatepost_init,             /* postconfiguration */
    ngx_http_gatepost_create_main_conf,
    ngx_http_gatepost_init_main_conf,
    NULL,
    NULL,
    ngx_http_gatepost_create_loc_conf,
    ngx_http_gatepost_merge_loc_conf
};

ngx_module_t  ngx_http_gatepost_module = {
    NGX_MODULE_V1,
    &ngx_http_gatepost_module_ctx,
    ngx_http_gatepost_commands,
    NGX_HTTP_MODULE,
    NULL,                               /* init master */
    ngx_http_gatepost_init_module,
    ngx_http_gatepost_init_process,
    NULL,                               /* init thread */
    NULL,                               /* exit thread */
    ngx_http_gatepost_work_exit,        /* exit process */
    NULL,                               /* exit master */
    NGX_MODULE_V1_PADDING
};

static void *
ngx_http_gatepost_create_main_conf(ngx_conf_t *cf)
{
    ngx_http_gatepost_main_conf_t  *mcf;

    mcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_gatepost_main_conf_t));
    if (mcf == NULL
        || ngx_array_init(&mcf->engines, cf->pool, 2, sizeof(ngx_http_gatepost_engine_t *)) != NGX_OK
        || ngx_array_init(&mcf->places, cf->pool, 2, sizeof(ngx_http_gatepost_place_t *)) != NGX_OK)
    {
        return NULL;
    }
    mcf->realip = NGX_ERROR;
    return mcf;
}

static char *
ngx_http_gatepost_init_main_conf(ngx_conf_t *cf, void *conf)
{
    ngx_http_gatepost_main_conf_t  *mcf = conf;

    if (mcf->queue == 0) {
        mcf->queue = 1024;
    }
    return NGX_CONF_OK;
}

static void *
ngx_http_gatepost_create_loc_conf(ngx_conf_t *cf)
{
    ngx_http_gatepost_loc_conf_t  *lcf;

    lcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_gatepost_loc_conf_t));
    if (lcf == NULL) {
        return NULL;
    }
    lcf->enable = NGX_CONF_UNSET;
    lcf->engine = NGX_CONF_UNSET_PTR;
    lcf->place = NGX_CONF_UNSET_PTR;
    return lcf;
}

static char *
ngx_http_gatepost_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_http_gatepost_loc_conf_t  *prev = parent;
    ngx_http_gatepost_loc_conf_t  *conf = child;

    ngx_conf_merge_value(conf->enable, prev->enable, 0);
    ngx_conf_merge_ptr_value(conf->engine, prev->engine, NULL);
    ngx_conf_merge_ptr_value(conf->place, prev->place, NULL);

    if (conf->enable) {
        if (conf->engine == NULL) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "\"gatepost on\" without a policy: add \"gatepost_policy FILE;\" to the same block or one "
                          "around it, in %s", cf->conf_file->file.name.data);
            return NGX_CONF_ERROR;
        }
        conf->place->asked = 1;
    }
    return NGX_CONF_OK;
}

static char *
ngx_http_gatepost_policy(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_gatepost_loc_conf_t   *lcf = conf;
    ngx_http_gatepost_main_conf_t  *mcf;
    ngx_http_gatepost_place_t      *place, **slot;
    ngx_str_t                      *value, file;

    if (lcf->engine != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    value = cf->args->elts;
    file = value[1];
    if (file.len == 0) {
        return "names no file";
    }
    if (ngx_conf_full_name(cf->cycle, &file, 1) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    mcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_gatepost_module);
    lcf->engine = ngx_http_gatepost_engine_open(cf, &mcf->engines, &file);
    place = ngx_pcalloc(cf->pool, sizeof(ngx_http_gatepost_place_t));
    slot = ngx_array_push(&mcf->places);
    if (lcf->engine == NULL || place == NULL || slot == NULL) {
        return NGX_CONF_ERROR;
    }
    place->engine = lcf->engine;
    place->file = cf->conf_file->file.name;
    place->line = cf->conf_file->line;
    lcf->place = place;
    *slot = place;
    return NGX_CONF_OK;
}

/* The number behind "name=", from 1 to most; 0 where it is none. */
static ngx_uint_t
ngx_http_gatepost_number(ngx_str_t *value, size_t name, ngx_int_t most)
{
    ngx_int_t  n = ngx_atoi(value->data + name, value->len - name);

    return n < 1 || n > most ? 0 : (ngx_uint_t) n;
}

static char *
ngx_http_gatepost_pool(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_gatepost_main_conf_t  *mcf = conf;
    ngx_str_t                      *value, name;
    ngx_uint_t                      i;

    if (mcf->pool_set) {
        return "is duplicate";
    }
    mcf->pool_set = 1;
    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {
        if (ngx_strncmp(value[i].data, "threads=", 8) == 0) {
            mcf->threads = ngx_http_gatepost_number(&value[i], 8, 256);
            if (mcf->threads == 0) {
                return "takes threads= from 1 to 256";
            }
            continue;
        }

        if (ngx_strncmp(value[i].data, "queue=", 6) == 0) {
            mcf->queue = ngx_http_gatepost_number(&value[i], 6, 65536);
            if (mcf->queue == 0) {
                return "takes queue= from 1 to 65536";
            }
            continue;
        }

        if (ngx_strncmp(value[i].data, "thread_pool=", 12) == 0) {
            name.data = value[i].data + 12;
            name.len = value[i].len - 12;
#if (NGX_THREADS)
            mcf->thread_pool = ngx_thread_pool_add(cf, &name);
            if (mcf->thread_pool == NULL) {
                return NGX_CONF_ERROR;
            }
            continue;
#else
            return "cannot use thread_pool=: this nginx was built without threads";
#endif
        }

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "gatepost_pool takes threads=, queue= and thread_pool=, not \"%V\"", &value[i]);
        return NGX_CONF_ERROR;
    }
    return NGX_CONF_OK;
}

/* Whether this nginx has a variable: asking for one that it lacks would be an error of the configuration. */
static ngx_uint_t
ngx_http_gatepost_has_variable(ngx_http_core_main_conf_t *cmcf, const char *name)
{
    ngx_hash_key_t  *key = cmcf->variables_keys->keys.elts;
    size_t           len = ngx_strlen(name);
    ngx_uint_t       i;

    for (i = 0; i < cmcf->variables_keys->keys.nelts; i++) {
        if (key[i].key.len == len && ngx_strncmp(key[i].key.data, name, len) == 0) {
            return 1;
        }
    }
    return 0;
}

/* Who names a policy means it to be asked: a forgotten "on" lets in everybody. */
static void
ngx_http_gatepost_warn_unasked(ngx_conf_t *cf, ngx_array_t *places)
{
    ngx_http_gatepost_place_t  **place = places->elts;
    ngx_uint_t                   i;

    for (i = 0; i < places->nelts; i++) {
        if (!place[i]->asked) {
            ngx_log_error(NGX_LOG_WARN, cf->log, 0,
                          "gatepost_policy \"%V\" in %V:%ui is asked nowhere: nothing is checked there; add "
                          "\"gatepost on;\" to the same block or to one within it", &place[i]->engine->file,
                          &place[i]->file, place[i]->line);
        }
    }
}

static ngx_int_t
ngx_http_gatepost_init(ngx_conf_t *cf)
{
    ngx_http_gatepost_main_conf_t  *mcf;
    ngx_http_core_main_conf_t      *cmcf;
    ngx_http_handler_pt            *h;
    ngx_module_t                  **module;
    ngx_str_t                       name = ngx_string("realip_remote_addr");

    mcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_gatepost_module);
    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    ngx_http_gatepost_warn_unasked(cf, &mcf->places);

    if (ngx_http_gatepost_has_variable(cmcf, "realip_remote_addr")) {
        mcf->realip = ngx_http_get_variable_index(cf, &name);
        if (mcf->realip == NGX_ERROR) {
            return NGX_ERROR;
        }
        for (module = cf->cycle->modules; *module != NULL; module++) {
            if (ngx_strcmp((*module)->name, "ngx_http_realip_module") == 0) {
                mcf->realip_module = *module;
            }
        }
    }

    h = ngx_array_push(&cmcf->phases[NGX_HTTP_ACCESS_PHASE].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }
    *h = ngx_http_gatepost_access_handler;

    h = ngx_array_push(&cmcf->phases[NGX_HTTP_PRECONTENT_PHASE].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }
    *h = ngx_http_gatepost_precontent_handler;

    ngx_http_gatepost_filters_init();
    return NGX_OK;
}

/* Finds the variables $http_...: all are known when the configuration has been read. */
static ngx_int_t
ngx_http_gatepost_find_fields(ngx_cycle_t *cycle, ngx_http_gatepost_main_conf_t *mcf)
{
    ngx_http_core_main_conf_t  *cmcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_core_module);
    ngx_http_variable_t        *v = cmcf->variables.elts;
    ngx_uint_t                 *index, i;

    if (ngx_array_init(&mcf->fields, cycle->pool, 4, sizeof(ngx_uint_t)) != NGX_OK) {
        return NGX_ERROR;
    }
    for (i = 0; i < cmcf->variables.nelts; i++) {
        if (v[i].name.len > 5 && ngx_strncmp(v[i].name.data, "http_", 5) == 0) {
            index = ngx_array_push(&mcf->fields);
            if (index == NULL) {
                return NGX_ERROR;
            }
            *index = i;
        }
    }
    return NGX_OK;
}

static ngx_int_t
ngx_http_gatepost_start(ngx_cycle_t *cycle)
{
    ngx_http_gatepost_main_conf_t  *mcf;

    mcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_gatepost_module);
    if (mcf == NULL || mcf->engines.nelts == 0) {
        return NGX_OK;
    }
    if (ngx_http_gatepost_find_fields(cycle, mcf) != NGX_OK) {
        return NGX_ERROR;
    }
    if (ngx_http_gatepost_work_init(cycle, mcf) == NGX_OK) {
        ngx_http_gatepost_engines_start(cycle, &mcf->engines);
    }
    return NGX_OK;
}

/* With "master_process off" a reload starts no process, so that what a process does at its start is due here. */
static ngx_int_t
ngx_http_gatepost_init_module(ngx_cycle_t *cycle)
{
    if (ngx_process == NGX_PROCESS_SINGLE && !ngx_is_init_cycle(cycle->old_cycle) && !ngx_test_config) {
        return ngx_http_gatepost_start(cycle);
    }
    return NGX_OK;
}

/* After fork, and after the worker has become the user that it is to be. */
static ngx_int_t
ngx_http_gatepost_init_process(ngx_cycle_t *cycle)
{
    if (ngx_process == NGX_PROCESS_WORKER || ngx_process == NGX_PROCESS_SINGLE) {
        return ngx_http_gatepost_start(cycle);
    }
    return NGX_OK;
}
