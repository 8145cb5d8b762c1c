/*
 * Where nginx asks: in the access phase, as every module that lets in or refuses; and once more before the content, for
 * what nginx never asks in the access phase (subrequests, and requests that another module let in before with
 * "satisfy any"), so that forged identity fields are removed on every path.
 */

#include "ngx_http_gatepost.h"

/* The status of a refusal; whatever is not one of these is 500. */
static ngx_int_t
ngx_http_gatepost_refusal(ngx_http_gatepost_ctx_t *ctx)
{
    return ctx->status >= 400 && ctx->status < 600 ? (ngx_int_t) ctx->status : NGX_HTTP_INTERNAL_SERVER_ERROR;
}

/* Takes from the request what a client may have made up, and adds what the application is to know. */
static ngx_int_t
ngx_http_gatepost_edit(ngx_http_request_t *r, ngx_http_gatepost_ctx_t *ctx)
{
    if (ctx->decision == NULL) {
        return ngx_http_gatepost_quiet_strip(r, ctx->engine); /* for an error page */
    }
    if (ngx_http_gatepost_strip_others(r, ctx->engine) != NGX_OK) {
        return NGX_ERROR;
    }
    return ngx_http_gatepost_edit_request(r, &ctx->view, ctx->engine);
}

/* Where a request ends of which no answer told that it was refused. */
static void
ngx_http_gatepost_unsaid(void *data)
{
    ngx_http_gatepost_ctx_t  *ctx = data;

    if (ctx->refused && !ctx->admitted) {
        ngx_http_gatepost_log(ctx->main, ctx);
    }
}

/*
 * Tells the log of a refusal; where others may let in all the same ("satisfy any" leaves them 401 and 403), not before
 * the client is told, so that nobody is taken for one who guesses because another knows the password.
 */
static void
ngx_http_gatepost_log_refusal(ngx_http_request_t *r, ngx_http_gatepost_ctx_t *ctx)
{
    ngx_http_core_loc_conf_t  *clcf = ngx_http_get_module_loc_conf(ctx->main, ngx_http_core_module);
    ngx_http_cleanup_t        *cleanup = NULL;

    if (clcf->satisfy == NGX_HTTP_SATISFY_ANY
        && (ctx->status == NGX_HTTP_UNAUTHORIZED || ctx->status == NGX_HTTP_FORBIDDEN))
    {
        cleanup = ngx_http_cleanup_add(ctx->main, 0);
    }
    if (cleanup == NULL) {
        ngx_http_gatepost_log(r, ctx);
        return;
    }
    cleanup->handler = ngx_http_gatepost_unsaid;
    cleanup->data = ctx;
}

/* The answer to the client's request is due to this decision from now on. */
static void
ngx_http_gatepost_count(ngx_http_gatepost_ctx_t *ctx, ngx_uint_t refused)
{
    ctx->first->current = ctx;
    ctx->concluded = 1;
    ctx->refused = refused;
    ctx->admitted = 0;
    ctx->redirected = 0;
    ctx->uri = ctx->main->uri;
    ctx->upstream = ctx->main->upstream;
}

/* NGX_DECLINED: not ours to say. */
static ngx_int_t
ngx_http_gatepost_conclude(ngx_http_request_t *r, ngx_http_gatepost_ctx_t *ctx)
{
    ngx_http_gatepost_count(ctx, 0);

    if (ctx->decision != NULL) {
        switch (ctx->view.action) {
        case GATEPOST_ALLOW:
            return NGX_OK;
        case GATEPOST_PASS:
            return NGX_DECLINED;
        case GATEPOST_RESPOND:
            return ngx_http_gatepost_respond(r, ctx);
        default: /* GATEPOST_DENY, and whatever a later release adds */
            break;
        }
    }
    ctx->refused = 1;
    ngx_http_gatepost_log_refusal(r, ctx);
    return ngx_http_gatepost_refusal(ctx);
}

/* Makes the main request's fields what this decision wants. */
static ngx_int_t
ngx_http_gatepost_edit_main(ngx_http_gatepost_ctx_t *ctx)
{
    ngx_int_t  rc = ngx_http_gatepost_edit(ctx->main, ctx);

    ctx->edited = 1;
    return rc;
}

/* A refusal that nginx has redirected (error_page), of the request that r is or belongs to; NULL: there is none. */
static ngx_http_gatepost_ctx_t *
ngx_http_gatepost_standing(ngx_http_request_t *r)
{
    ngx_http_gatepost_ctx_t  *ctx;

    for (ctx = ngx_http_gatepost_first(r); ctx != NULL; ctx = ctx->next) {
        if (ctx->refused && ctx->redirected && !ctx->admitted) {
            return ctx;
        }
    }
    return NULL;
}

/*
 * Whether r, which was refused, has come to a page about that: a file that has a location of its own. A handler
 * (proxy_pass, fastcgi_pass) would hand the refused request to an application; a named location ("error_page 401 = @app")
 * keeps its address, method and body; a location of many files may look for the one that was asked for (try_files). The
 * name and r's handler hold within "if" and "limit_except" too, whose own configuration knows of neither.
 */
static ngx_uint_t
ngx_http_gatepost_is_page(ngx_http_request_t *r, ngx_http_gatepost_ctx_t *ctx)
{
    ngx_http_core_loc_conf_t  *clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    return r->content_handler == NULL && clcf->handler == NULL
           && clcf->name.len == r->uri.len && ngx_memcmp(clcf->name.data, r->uri.data, r->uri.len) == 0
           && !(ctx->uri.len == r->uri.len && ngx_memcmp(ctx->uri.data, r->uri.data, r->uri.len) == 0)
           && r->upstream == ctx->upstream; /* X-Accel-Redirect of whoever answered meanwhile */
}

/* In any other guarded location a refusal stands, as with nginx's own modules, which ask there again. */
static ngx_int_t
ngx_http_gatepost_refuse_again(ngx_http_request_t *r, ngx_http_gatepost_ctx_t *ctx)
{
    ngx_http_core_loc_conf_t  *clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    ngx_log_error(NGX_LOG_INFO, r->connection->log, 0,
                  "gatepost: what was refused came to location \"%V\" by a redirect (error_page), and is refused there "
                  "too; if that location may answer whoever was refused, write \"gatepost off\" in it", &clcf->name);
    ctx->redirected = 0; /* the answer is ours again, */
    r->error_page = 1;   /* and goes to no other page, which would be refused as well */
    return ngx_http_gatepost_refusal(ctx);
}

ngx_int_t
ngx_http_gatepost_access_handler(ngx_http_request_t *r)
{
    ngx_http_gatepost_loc_conf_t  *lcf = ngx_http_get_module_loc_conf(r, ngx_http_gatepost_module);
    ngx_http_gatepost_ctx_t       *ctx;
    ngx_int_t                      rc;

    if (!lcf->enable) {
        return NGX_DECLINED;
    }

    ctx = ngx_http_gatepost_standing(r);
    if (ctx != NULL) {
        return ngx_http_gatepost_is_page(r, ctx) ? NGX_DECLINED : ngx_http_gatepost_refuse_again(r, ctx);
    }

    rc = ngx_http_gatepost_decide(r, &ctx);
    if (rc != NGX_OK) {
        return rc;
    }
    if (ngx_http_gatepost_edit_main(ctx) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    return ngx_http_gatepost_conclude(r, ctx);
}

/* Whether r's client waits in the access phase for what r comes to: auth_request, and others that ask so. */
static ngx_uint_t
ngx_http_gatepost_is_asked(ngx_http_request_t *r)
{
    ngx_http_core_main_conf_t  *cmcf = ngx_http_get_module_main_conf(r, ngx_http_core_module);

    return r->parent == r->main
           && cmcf->phase_engine.handlers[r->main->phase_handler].checker == ngx_http_core_access_phase;
}

/* A subrequest gets what its client's request got. */
static ngx_int_t
ngx_http_gatepost_subrequest(ngx_http_request_t *r, ngx_http_gatepost_ctx_t *ctx)
{
    ngx_uint_t  let_in, asked, responds;

    let_in = ctx->decision != NULL && (ctx->view.action == GATEPOST_ALLOW || ctx->view.action == GATEPOST_PASS);
    responds = ctx->decision != NULL && ctx->view.action == GATEPOST_RESPOND;
    asked = ngx_http_gatepost_is_asked(r);

    if (asked && !responds) {
        /* So that the client gets our challenge: of a subrequest's answer auth_request hands on one at most. */
        ngx_http_gatepost_count(ctx, !let_in);
    }
    if (let_in || (ctx->admitted && !asked)) {
        return NGX_DECLINED;
    }
    /* An error_page would lead it on to where another policy has let its client in; and whoever answers there lets in
     * whom auth_request asks about. */
    r->error_page = 1;
    if (asked) {
        ngx_http_gatepost_log_refusal(r, ctx);
    } else {
        ngx_http_gatepost_log(r, ctx);
    }
    return responds ? NGX_HTTP_FORBIDDEN : ngx_http_gatepost_refusal(ctx);
}

/* What the access phase has left to do for a main request. */
static ngx_int_t
ngx_http_gatepost_after_access(ngx_http_request_t *r)
{
    ngx_http_gatepost_ctx_t  *ctx;

    for (ctx = ngx_http_gatepost_first(r); ctx != NULL; ctx = ctx->next) {
        if (ctx->refused && !ctx->redirected) {
            ctx->admitted = 1; /* or it would not have come here */
        }
        if (ctx->decided && !ctx->edited && ngx_http_gatepost_edit_main(ctx) != NGX_OK) {
            return NGX_ERROR; /* decided for a subrequest, whose fields are its own */
        }
    }
    return NGX_OK;
}

ngx_int_t
ngx_http_gatepost_precontent_handler(ngx_http_request_t *r)
{
    ngx_http_gatepost_loc_conf_t  *lcf = ngx_http_get_module_loc_conf(r, ngx_http_gatepost_module);
    ngx_http_gatepost_ctx_t       *ctx, *standing;
    ngx_int_t                      rc;

    if (r == r->main && ngx_http_gatepost_after_access(r) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    if (lcf->engine == NULL) {
        return NGX_DECLINED;
    }
    standing = ngx_http_gatepost_standing(r);
    if (standing != NULL && r == r->main && lcf->enable) {
        standing->admitted = !ngx_http_gatepost_is_page(r, standing); /* by another module, before anybody asked us */
        return NGX_DECLINED;
    }
    ctx = ngx_http_gatepost_ctx_of(r, lcf->engine);
    if (r == r->main && ctx != NULL && ctx->decided) {
        return NGX_DECLINED;
    }
    if (!lcf->enable) {
        if (ctx == NULL || !ctx->decided) {
            rc = ngx_http_gatepost_quiet_strip(r, lcf->engine);
        } else {
            rc = ctx->edited ? NGX_OK : ngx_http_gatepost_edit(r, ctx); /* decided for another subrequest */
        }
        return rc == NGX_OK ? NGX_DECLINED : NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (standing != NULL) {
        ctx = standing; /* another policy is not asked: it would count what this one has refused against the client */
    } else {
        rc = ngx_http_gatepost_decide(r, &ctx);
        if (rc != NGX_OK) {
            return rc;
        }
    }
    if (r != r->main) {
        if (ngx_http_gatepost_edit(r, ctx) != NGX_OK) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }
        return ngx_http_gatepost_subrequest(r, ctx);
    }

    if (ngx_http_gatepost_edit_main(ctx) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    /* Let in before anybody asked us. Where no decision can be made it goes no further, as in the access phase. */
    rc = ngx_http_gatepost_conclude(r, ctx);
    if (ctx->refused && ctx->decision != NULL) {
        ctx->admitted = 1;
        return NGX_DECLINED;
    }
    return rc == NGX_OK ? NGX_DECLINED : rc;
}
