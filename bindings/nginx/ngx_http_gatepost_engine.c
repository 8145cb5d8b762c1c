/*
 * The life of engines: opened with the configuration, started after fork, looked after by a timer.
 */

#include "ngx_http_gatepost.h"

/* How long to wait before a start that failed is tried again. */
#define NGX_HTTP_GATEPOST_RETRY  1000

/* Tells troubles of housekeeping from others. */
#define NGX_HTTP_GATEPOST_KEEPING  0x20000

static void ngx_http_gatepost_timer_handler(ngx_event_t *ev);

/* Writes a text of several lines, a line of the log each; the log cuts longer ones off. */
void
ngx_http_gatepost_log_lines(ngx_uint_t level, ngx_log_t *log, const char *before, gatepost_str text)
{
    const char  *p = text.ptr, *end = text.ptr + text.len, *stop;
    ngx_str_t    line;

    while (p < end) {
        stop = memchr(p, '\n', end - p);
        if (stop == NULL) {
            stop = end;
        }
        line.data = (u_char *) p;
        line.len = stop - p;
        if (line.len != 0) {
            ngx_log_error(level, log, 0, "gatepost: %s%V", before, &line);
        }
        p = stop + 1;
    }
}

/* What the engine last told of a decision, and about whom. Events come on the event loop, before the call that gives the
 * decision returns. */
static struct {
    u_char  id[128];
    size_t  id_len;
    u_char  client[64];
    size_t  client_len;
} ngx_http_gatepost_heard;

/* The client of the decision with this id, where it was the last one that was told of; empty: nobody said. */
gatepost_str
ngx_http_gatepost_heard_client(ngx_pool_t *pool, gatepost_str id)
{
    gatepost_str  client = { NULL, 0 };
    u_char       *copy;

    if (ngx_http_gatepost_heard.client_len == 0 || id.len != ngx_http_gatepost_heard.id_len
        || ngx_memcmp(id.ptr, ngx_http_gatepost_heard.id, id.len) != 0)
    {
        return client;
    }
    copy = ngx_pnalloc(pool, ngx_http_gatepost_heard.client_len);
    if (copy != NULL) {
        ngx_memcpy(copy, ngx_http_gatepost_heard.client, ngx_http_gatepost_heard.client_len);
        client = (gatepost_str) { (const char *) copy, ngx_http_gatepost_heard.client_len };
    }
    return client;
}

static void
ngx_http_gatepost_on_event(void *data, const gatepost_event *event)
{
    ngx_uint_t         level = event->severity == GATEPOST_WARNING ? NGX_LOG_WARN : NGX_LOG_ERR;
    static const char  member[] = "\"client\":\"";
    const char        *found, *end;

    if (event->id.len == 0) {
        if (event->severity >= GATEPOST_WARNING) { /* keys that cannot be fetched, a state that cannot be written */
            ngx_log_error(level, ngx_cycle->log, 0, "gatepost: %s %s", event->name.ptr, event->line.ptr);
        }
        return;
    }

    ngx_http_gatepost_heard.client_len = 0;
    /* Quotes within values are escaped, so that only the member itself is found. */
    found = strstr(event->line.ptr, member);
    if (found == NULL || event->id.len > sizeof(ngx_http_gatepost_heard.id)) {
        return;
    }
    found += sizeof(member) - 1;
    end = strchr(found, '"');
    if (end == NULL || (size_t) (end - found) > sizeof(ngx_http_gatepost_heard.client)) {
        return;
    }
    ngx_http_gatepost_heard.id_len = event->id.len;
    ngx_memcpy(ngx_http_gatepost_heard.id, event->id.ptr, event->id.len);
    ngx_http_gatepost_heard.client_len = end - found;
    ngx_memcpy(ngx_http_gatepost_heard.client, found, end - found);
}

static void
ngx_http_gatepost_engine_cleanup(void *data)
{
    ngx_http_gatepost_engine_t  *engine = data;

    if (engine->timer.timer_set) {
        ngx_del_timer(&engine->timer);
    }
    gatepost_decision_free(engine->bare);
    gatepost_engine_free(engine->engine);
    engine->bare = NULL;
    engine->engine = NULL;
}

/* The engine of a policy file; each file is opened once. NULL: it does not load, and the log says why. */
ngx_http_gatepost_engine_t *
ngx_http_gatepost_engine_open(ngx_conf_t *cf, ngx_array_t *engines, ngx_str_t *file)
{
    ngx_http_gatepost_engine_t  *engine, **slot = engines->elts;
    ngx_pool_cleanup_t          *cleanup;
    gatepost_options             options;
    gatepost_bytes              *report = NULL;
    gatepost_error              *error = NULL;
    gatepost_status              status;
    ngx_uint_t                   i;

    for (i = 0; i < engines->nelts; i++) {
        if (slot[i]->file.len == file->len && ngx_memcmp(slot[i]->file.data, file->data, file->len) == 0) {
            return slot[i];
        }
    }

    if (gatepost_abi_check(GATEPOST_ABI) != GATEPOST_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "this module was built for another libgatepost (ABI %d, the library's is %uD): build it again",
                           GATEPOST_ABI, gatepost_abi());
        return NULL;
    }

    engine = ngx_pcalloc(cf->pool, sizeof(ngx_http_gatepost_engine_t));
    cleanup = ngx_pool_cleanup_add(cf->pool, 0);
    slot = ngx_array_push(engines);
    if (engine == NULL || cleanup == NULL || slot == NULL) {
        return NULL;
    }
    engine->file = *file;
    engine->pool = cf->pool;
    engine->all = engines;
    *slot = engine;

    ngx_memzero(&options, sizeof(options));
    options.struct_size = sizeof(options);
    options.on_event = ngx_http_gatepost_on_event;

    cleanup->handler = ngx_http_gatepost_engine_cleanup;
    cleanup->data = engine;

    status = gatepost_engine_open(ngx_http_gatepost_text(file), &options, &engine->engine, &error);
    if (status != GATEPOST_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "gatepost_policy \"%V\": %s", file, gatepost_status_text(status).ptr);
        ngx_http_gatepost_log_lines(NGX_LOG_EMERG, cf->log, "", gatepost_error_message(error));
        gatepost_error_free(error);
        if (!ngx_test_config && !ngx_is_init_cycle(cf->cycle->old_cycle)) {
            ngx_log_error(NGX_LOG_WARN, cf->log, 0, "gatepost: the configuration and the policies from before stay in force");
        }
        return NULL;
    }
    if (gatepost_policy_check(ngx_http_gatepost_text(file), (gatepost_str) { NULL, 0 }, &report, NULL) == GATEPOST_OK) {
        ngx_http_gatepost_log_lines(NGX_LOG_WARN, cf->log, "", gatepost_bytes_view(report));
        gatepost_bytes_free(report);
    }
    if (ngx_http_gatepost_names_share(engine) != NGX_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "gatepost_policy \"%V\": no memory for the names of its fields", file);
        return NULL;
    }
    return engine;
}

static void
ngx_http_gatepost_engine_start(ngx_http_gatepost_engine_t *engine)
{
    gatepost_error   *error = NULL;
    gatepost_status   status;

    status = gatepost_engine_start(engine->engine, &error);
    if (status != GATEPOST_OK) {
        ngx_http_gatepost_tell_start(engine, status, error);
        gatepost_error_free(error);
        return;
    }
    engine->started = 1;
    if (engine->troubles[0].told != 0) {
        ngx_log_error(NGX_LOG_NOTICE, engine->timer.log, 0, "gatepost: policy \"%V\" has started", &engine->file);
        ngx_memzero(engine->troubles, sizeof(engine->troubles));
    }
}

/* Starts all engines in this process, and their timers. */
void
ngx_http_gatepost_engines_start(ngx_cycle_t *cycle, ngx_array_t *engines)
{
    ngx_http_gatepost_engine_t  **engine = engines->elts;
    ngx_uint_t                    i;

    for (i = 0; i < engines->nelts; i++) {
        engine[i]->timer.handler = ngx_http_gatepost_timer_handler;
        engine[i]->timer.data = engine[i];
        engine[i]->timer.log = cycle->log;
        engine[i]->timer.cancelable = 1; /* holds up no worker that is to end */
        ngx_http_gatepost_engine_start(engine[i]);
        ngx_add_timer(&engine[i]->timer, engine[i]->started ? 1 : NGX_HTTP_GATEPOST_RETRY);
    }
}

static void
ngx_http_gatepost_kept(void *data, gatepost_status status, gatepost_decision *decision)
{
    ngx_http_gatepost_engine_t  *engine = data;

    if (status != GATEPOST_OK && status != GATEPOST_ERR_CANCELLED
        && ngx_http_gatepost_is_news(engine, NGX_HTTP_GATEPOST_KEEPING + status))
    {
        ngx_log_error(NGX_LOG_ERR, engine->timer.log, 0, "gatepost: housekeeping of \"%V\": %s", &engine->file,
                      gatepost_status_text(status).ptr);
    }
}

static void
ngx_http_gatepost_timer_handler(ngx_event_t *ev)
{
    ngx_http_gatepost_engine_t  *engine = ev->data;
    gatepost_status              status;
    gatepost_job                *job = NULL;
    uint64_t                     next = NGX_HTTP_GATEPOST_RETRY;

    if (!engine->started) {
        ngx_http_gatepost_engine_start(engine);
    }

    if (engine->started) {
        status = gatepost_engine_poll(engine->engine, &next, &job);
        if (status == GATEPOST_OK && job != NULL) {
            status = ngx_http_gatepost_work_start(job, 1, ngx_http_gatepost_kept, engine, NULL);
        }
        ngx_http_gatepost_kept(engine, status, NULL);
    }
    ngx_add_timer(ev, ngx_max(1, ngx_min(next, 3600 * 1000)));
}
