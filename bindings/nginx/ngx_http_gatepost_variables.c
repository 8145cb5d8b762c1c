/*
 * Variables for logs, and for whatever else nginx is to do with a decision. They are empty ("-" in a log) where nothing
 * was decided, and where the decision has none.
 */

#include "ngx_http_gatepost.h"

static ngx_int_t ngx_http_gatepost_attribute(ngx_http_request_t *r, ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_gatepost_reason(ngx_http_request_t *r, ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_gatepost_action(ngx_http_request_t *r, ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_gatepost_client(ngx_http_request_t *r, ngx_http_variable_value_t *v, uintptr_t data);

/* The names that gatepost_decision_attribute knows. */
static ngx_str_t  ngx_http_gatepost_attributes[] = {
    ngx_string("subject"), ngx_string("issuer"), ngx_string("scheme"), ngx_string("roles"), ngx_string("scopes"),
    ngx_string("id"),
};

static ngx_http_variable_t  ngx_http_gatepost_variables[] = {
    { ngx_string("gatepost_subject"), NULL, ngx_http_gatepost_attribute, 0, NGX_HTTP_VAR_NOCACHEABLE, 0 },
    { ngx_string("gatepost_issuer"), NULL, ngx_http_gatepost_attribute, 1, NGX_HTTP_VAR_NOCACHEABLE, 0 },
    { ngx_string("gatepost_scheme"), NULL, ngx_http_gatepost_attribute, 2, NGX_HTTP_VAR_NOCACHEABLE, 0 },
    { ngx_string("gatepost_roles"), NULL, ngx_http_gatepost_attribute, 3, NGX_HTTP_VAR_NOCACHEABLE, 0 },
    { ngx_string("gatepost_scopes"), NULL, ngx_http_gatepost_attribute, 4, NGX_HTTP_VAR_NOCACHEABLE, 0 },
    { ngx_string("gatepost_id"), NULL, ngx_http_gatepost_attribute, 5, NGX_HTTP_VAR_NOCACHEABLE, 0 },
    { ngx_string("gatepost_reason"), NULL, ngx_http_gatepost_reason, 0, NGX_HTTP_VAR_NOCACHEABLE, 0 },
    { ngx_string("gatepost_action"), NULL, ngx_http_gatepost_action, 0, NGX_HTTP_VAR_NOCACHEABLE, 0 },
    { ngx_string("gatepost_denied"), NULL, ngx_http_gatepost_client, 0, NGX_HTTP_VAR_NOCACHEABLE, 0 },
      ngx_http_null_variable
};

static ngx_int_t
ngx_http_gatepost_value(ngx_http_variable_value_t *v, gatepost_str text)
{
    if (text.len == 0) {
        v->not_found = 1;
        return NGX_OK;
    }
    v->data = (u_char *) text.ptr;
    v->len = text.len;
    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;
    return NGX_OK;
}

/* The decision of the policy that holds where r is; where that was not asked, the one that the answer is due to. */
static ngx_http_gatepost_ctx_t *
ngx_http_gatepost_said(ngx_http_request_t *r)
{
    ngx_http_gatepost_loc_conf_t  *lcf = ngx_http_get_module_loc_conf(r, ngx_http_gatepost_module);
    ngx_http_gatepost_ctx_t       *ctx = ngx_http_gatepost_ctx_of(r, lcf->engine);

    if (ctx == NULL || !ctx->decided) {
        ctx = ngx_http_gatepost_first(r);
        ctx = ctx != NULL && ctx->current != NULL ? ctx->current : ctx;
    }
    return ctx != NULL && ctx->decided ? ctx : NULL;
}

static ngx_int_t
ngx_http_gatepost_attribute(ngx_http_request_t *r, ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_http_gatepost_ctx_t  *ctx = ngx_http_gatepost_said(r);
    gatepost_str              name = ngx_http_gatepost_text(&ngx_http_gatepost_attributes[data]);

    return ngx_http_gatepost_value(v, gatepost_decision_attribute(ctx == NULL ? NULL : ctx->decision, name));
}

/* Also where no decision could be made. */
static ngx_int_t
ngx_http_gatepost_reason(ngx_http_request_t *r, ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_http_gatepost_ctx_t  *ctx = ngx_http_gatepost_said(r);
    gatepost_str              none = { NULL, 0 };

    return ngx_http_gatepost_value(v, ctx == NULL ? none : gatepost_reason_name(ctx->reason));
}

static ngx_int_t
ngx_http_gatepost_action(ngx_http_request_t *r, ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_http_gatepost_ctx_t  *ctx = ngx_http_gatepost_said(r);
    gatepost_str              none = { NULL, 0 };

    if (ctx == NULL) {
        return ngx_http_gatepost_value(v, none);
    }
    switch (gatepost_decision_action(ctx->decision)) {
    case GATEPOST_ALLOW:
        return ngx_http_gatepost_value(v, GATEPOST_STR("allow"));
    case GATEPOST_PASS:
        return ngx_http_gatepost_value(v, GATEPOST_STR("pass"));
    case GATEPOST_RESPOND:
        return ngx_http_gatepost_value(v, GATEPOST_STR("respond"));
    default:
        return ngx_http_gatepost_value(v, GATEPOST_STR("deny"));
    }
}

/* The client that was refused; empty where it was let in, also by another module. */
static ngx_int_t
ngx_http_gatepost_client(ngx_http_request_t *r, ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_http_gatepost_ctx_t  *ctx = ngx_http_gatepost_said(r);
    gatepost_str              none = { NULL, 0 };

    if (ctx == NULL || !ctx->refused || ctx->admitted) {
        return ngx_http_gatepost_value(v, none);
    }
    return ngx_http_gatepost_value(v, ctx->client.len != 0 ? ctx->client : ngx_http_gatepost_text(&r->connection->addr_text));
}

ngx_int_t
ngx_http_gatepost_add_variables(ngx_conf_t *cf)
{
    ngx_http_variable_t  *variable, *v;

    for (v = ngx_http_gatepost_variables; v->name.len != 0; v++) {
        variable = ngx_http_add_variable(cf, &v->name, v->flags);
        if (variable == NULL) {
            return NGX_ERROR;
        }
        variable->get_handler = v->get_handler;
        variable->data = v->data;
    }
    return NGX_OK;
}
