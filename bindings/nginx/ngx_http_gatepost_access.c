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
        /* The names are not known: of what the client sent only the harmless is left, also for an error page. */
        return ngx_http_gatepost_bare_request(r);
    }
    return ngx_http_gatepost_edit_request(r, &ctx->view);
}

/* NGX_DECLINED: not ours to say. */
static ngx_int_t
ngx_http_gatepost_conclude(ngx_http_request_t *r, ngx_http_gatepost_ctx_t *ctx)
{
    ctx->concluded = 1;
    ngx_http_gatepost_log(r, ctx);

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

    ctx = ngx_http_gatepost_ctx(r);
    if (ctx != NULL && ctx->refused && ctx->redirected && !ctx->admitted) {
        return NGX_DECLINED; /* the page of this very refusal (error_page) */
    }

    rc = ngx_http_gatepost_decide(r, &ctx);
    if (rc != NGX_OK) {
        return rc;
    }
    if (ngx_http_gatepost_edit(r, ctx) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    return ngx_http_gatepost_conclude(r, ctx);
}

/* A subrequest gets what its client's request got. */
static ngx_int_t
ngx_http_gatepost_subrequest(ngx_http_request_t *r, ngx_http_gatepost_ctx_t *ctx)
{
    if (ctx->decision != NULL && (ctx->view.action == GATEPOST_ALLOW || ctx->view.action == GATEPOST_PASS)) {
        return NGX_DECLINED;
    }
    if (ctx->admitted) {
        return NGX_DECLINED;
    }
    ngx_http_gatepost_log(r, ctx);
    return ctx->decision != NULL && ctx->view.action == GATEPOST_RESPOND ? NGX_HTTP_FORBIDDEN
                                                                         : ngx_http_gatepost_refusal(ctx);
}

ngx_int_t
ngx_http_gatepost_precontent_handler(ngx_http_request_t *r)
{
    ngx_http_gatepost_loc_conf_t  *lcf = ngx_http_get_module_loc_conf(r, ngx_http_gatepost_module);
    ngx_http_gatepost_ctx_t       *ctx;
    ngx_int_t                      rc;

    ctx = ngx_http_gatepost_ctx(r);
    if (r == r->main && ctx != NULL && ctx->decided) {
        if (ctx->refused && !ctx->redirected) {
            ctx->admitted = 1;
        }
        return NGX_DECLINED;
    }
    if (!lcf->enable) {
        if (lcf->engine != NULL && (ctx == NULL || !ctx->decided)
            && ngx_http_gatepost_quiet_strip(r, lcf->engine) != NGX_OK)
        {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }
        return NGX_DECLINED;
    }

    rc = ngx_http_gatepost_decide(r, &ctx);
    if (rc != NGX_OK) {
        return rc;
    }
    if (ngx_http_gatepost_edit(r, ctx) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    if (r != r->main) {
        return ngx_http_gatepost_subrequest(r, ctx);
    }

    /* Let in before anybody asked us. Without a decision nobody knows what to remove, so that it goes no further. */
    rc = ngx_http_gatepost_conclude(r, ctx);
    if (ctx->refused && ctx->decision != NULL) {
        ctx->admitted = 1;
        return NGX_DECLINED;
    }
    return rc == NGX_OK ? NGX_DECLINED : rc;
}
