/*
 * What is known of a client's request: for each policy that it came to one decision, in the order of asking.
 */

#include "ngx_http_gatepost.h"

static void
ngx_http_gatepost_cleanup(void *data)
{
    ngx_http_gatepost_ctx_t  *ctx = data;

    if (ctx->work != NULL) {
        ngx_http_gatepost_work_cancel(ctx->work); /* the client is gone */
        ctx->work = NULL;
    }
    if (ctx->wait != NULL && ctx->wait->timeout.timer_set) {
        ngx_del_timer(&ctx->wait->timeout);
    }
    gatepost_decision_free(ctx->decision);
    ctx->decision = NULL;
}

/*
 * The first decision of the client's request that r belongs to, the others behind it; NULL: nobody has asked yet. nginx
 * forgets the contexts of modules when it redirects internally; the request's pool remembers.
 */
ngx_http_gatepost_ctx_t *
ngx_http_gatepost_first(ngx_http_request_t *r)
{
    ngx_http_gatepost_ctx_t  *first, *ctx;
    ngx_pool_cleanup_t       *cleanup;

    r = r->main;
    first = ngx_http_get_module_ctx(r, ngx_http_gatepost_module);
    if (first != NULL || !(r->internal || r->filter_finalize)) {
        return first;
    }
    for (cleanup = r->pool->cleanup; cleanup != NULL; cleanup = cleanup->next) {
        if (cleanup->handler == ngx_http_gatepost_cleanup) {
            first = ((ngx_http_gatepost_ctx_t *) cleanup->data)->first;
            for (ctx = first; ctx != NULL; ctx = ctx->next) {
                if (ctx->reading) {
                    ngx_http_gatepost_unread(ctx);
                }
                ctx->redirected = ctx->decided;
            }
            ngx_http_set_ctx(r, first, ngx_http_gatepost_module);
            return first;
        }
    }
    return NULL;
}

/* What was, or is to be, decided by this policy; NULL: it was not asked. */
ngx_http_gatepost_ctx_t *
ngx_http_gatepost_ctx_of(ngx_http_request_t *r, ngx_http_gatepost_engine_t *engine)
{
    ngx_http_gatepost_ctx_t  *ctx;

    for (ctx = ngx_http_gatepost_first(r); ctx != NULL && ctx->engine != engine; ctx = ctx->next) { /* void */ }
    return ctx;
}

ngx_http_gatepost_ctx_t *
ngx_http_gatepost_new_ctx(ngx_http_request_t *r, ngx_http_gatepost_engine_t *engine)
{
    ngx_http_gatepost_ctx_t  *ctx, *last, *first = ngx_http_gatepost_first(r);
    ngx_pool_cleanup_t       *cleanup;

    r = r->main;
    cleanup = ngx_pool_cleanup_add(r->pool, sizeof(ngx_http_gatepost_ctx_t));
    if (cleanup == NULL) {
        return NULL;
    }
    cleanup->handler = ngx_http_gatepost_cleanup;
    ctx = cleanup->data;
    ngx_memzero(ctx, offsetof(ngx_http_gatepost_ctx_t, view));
    ctx->main = r;
    ctx->engine = engine;

    if (first == NULL) {
        ctx->first = ctx;
        ngx_http_set_ctx(r, ctx, ngx_http_gatepost_module);
        return ctx;
    }
    ctx->first = first;
    for (last = first; last->next != NULL; last = last->next) { /* void */ }
    last->next = ctx;
    return ctx;
}
