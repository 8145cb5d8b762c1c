/*
 * What the client gets of a decision, and what the log says of it. A refusal goes nginx's own way (error_page, satisfy,
 * keep-alive), with the body exchanged for the decision's where nginx would send a page of its own.
 */

#include "ngx_http_gatepost.h"

static ngx_http_output_header_filter_pt  ngx_http_gatepost_next_header_filter;
static ngx_http_output_body_filter_pt    ngx_http_gatepost_next_body_filter;

/* Whether nginx is about to send its own page for the very refusal that was decided. */
static ngx_uint_t
ngx_http_gatepost_is_refusal(ngx_http_request_t *r, ngx_http_gatepost_ctx_t *ctx)
{
    return ctx->refused && !ctx->redirected && r->headers_out.status == ctx->status && r->upstream == NULL;
}

/* Whether an answer carries what this decision says. */
static ngx_uint_t
ngx_http_gatepost_tells(ngx_http_gatepost_ctx_t *ctx)
{
    return ctx->concluded && ctx->decision != NULL && !ctx->admitted;
}

static ngx_int_t
ngx_http_gatepost_header_filter(ngx_http_request_t *r)
{
    ngx_http_gatepost_ctx_t  *ctx, *other;
    ngx_uint_t                ours;

    ctx = r == r->main ? ngx_http_gatepost_first(r) : NULL;
    if (ctx == NULL || ctx->current == NULL) {
        return ngx_http_gatepost_next_header_filter(r);
    }
    for (other = ctx, ctx = ctx->current; other != NULL; other = other->next) {
        if (other != ctx && ngx_http_gatepost_tells(other)
            && ngx_http_gatepost_edit_response(r, &other->view, 0) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    if (ctx->refused && !ctx->admitted) {
        ngx_http_gatepost_log(r, ctx);
    }
    if (!ngx_http_gatepost_tells(ctx)) {
        return ngx_http_gatepost_next_header_filter(r);
    }
    ours = ngx_http_gatepost_is_refusal(r, ctx);
    if (ours && !ctx->replacing) {
        ctx->replacing = 1;
        ngx_http_clear_content_length(r);
        /* HEAD has no body that could be counted */
        r->headers_out.content_length_n = r->method == NGX_HTTP_HEAD ? -1 : (off_t) ctx->view.body.len;
        r->headers_out.content_type.len = 0;
        r->headers_out.content_type_len = 0;
    }
    if (ngx_http_gatepost_edit_response(r, &ctx->view, ours || ctx->view.action == GATEPOST_RESPOND) != NGX_OK) {
        return NGX_ERROR;
    }
    return ngx_http_gatepost_next_header_filter(r);
}

/* The decision's body as a chain of one buffer, the last one. */
static ngx_int_t
ngx_http_gatepost_body_chain(ngx_http_request_t *r, ngx_http_gatepost_ctx_t *ctx, ngx_chain_t *out)
{
    ngx_buf_t  *b = ngx_calloc_buf(r->pool);

    if (b == NULL) {
        return NGX_ERROR;
    }
    b->pos = (u_char *) ctx->view.body.ptr;
    b->last = b->pos + ctx->view.body.len;
    b->memory = ctx->view.body.len != 0;
    b->last_buf = 1;
    b->last_in_chain = 1;
    out->buf = b;
    out->next = NULL;
    return NGX_OK;
}

static ngx_int_t
ngx_http_gatepost_body_filter(ngx_http_request_t *r, ngx_chain_t *in)
{
    ngx_http_gatepost_ctx_t  *ctx = r == r->main ? ngx_http_get_module_ctx(r, ngx_http_gatepost_module) : NULL;
    ngx_chain_t               out;

    ctx = ctx != NULL ? ctx->current : NULL;
    if (ctx == NULL || !ctx->replacing || in == NULL) {
        return ngx_http_gatepost_next_body_filter(r, in);
    }

    for (/* void */; in != NULL; in = in->next) {
        in->buf->pos = in->buf->last;
        in->buf->file_pos = in->buf->file_last;
    }
    if (ctx->replaced) {
        return NGX_OK;
    }
    ctx->replaced = 1;
    if (ngx_http_gatepost_body_chain(r, ctx, &out) != NGX_OK) {
        return NGX_ERROR;
    }
    return ngx_http_gatepost_next_body_filter(r, &out);
}

void
ngx_http_gatepost_filters_init(void)
{
    ngx_http_gatepost_next_header_filter = ngx_http_top_header_filter;
    ngx_http_top_header_filter = ngx_http_gatepost_header_filter;

    ngx_http_gatepost_next_body_filter = ngx_http_top_body_filter;
    ngx_http_top_body_filter = ngx_http_gatepost_body_filter;
}

/* The engine answers itself. */
ngx_int_t
ngx_http_gatepost_respond(ngx_http_request_t *r, ngx_http_gatepost_ctx_t *ctx)
{
    ngx_chain_t  out;
    ngx_int_t    rc;

    rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) {
        return rc;
    }
    if (ngx_http_gatepost_body_chain(r, ctx, &out) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    r->headers_out.status = ctx->status;
    r->headers_out.content_length_n = r->method == NGX_HTTP_HEAD ? -1 : (off_t) ctx->view.body.len;

    rc = ngx_http_send_header(r);
    if (rc == NGX_OK && !r->header_only) {
        rc = ngx_http_output_filter(r, &out);
    }
    ngx_http_finalize_request(r, rc);
    return NGX_DONE;
}

/* ---- the log ---- */

/* What a client chose, with nothing in it that could end a line or a quotation. */
static ngx_str_t
ngx_http_gatepost_plain(ngx_http_request_t *r, gatepost_str text)
{
    static const char  hex[] = "0123456789ABCDEF";
    size_t             i;
    u_char            *p, c;
    ngx_str_t          plain = ngx_null_string;

    plain.data = ngx_pnalloc(r->pool, text.len * 3 + 1);
    if (plain.data == NULL) {
        return plain;
    }
    for (i = 0, p = plain.data; i < text.len; i++) {
        c = (u_char) text.ptr[i];
        if (c > 0x20 && c < 0x7f && c != '"' && c != '\\' && c != '%' && c != ',') {
            *p++ = c;
        } else {
            *p++ = '%';
            *p++ = hex[c >> 4];
            *p++ = hex[c & 15];
        }
    }
    plain.len = p - plain.data;
    return plain;
}

/*
 * One line for each refusal: status, reason, client and id first, in words that stay, before anything that the client
 * chose. What the client did wrong is info; what the operator has to mend is warn or error, and says what to do: once, the
 * refusals that follow are info as well.
 */
void
ngx_http_gatepost_log(ngx_http_request_t *r, ngx_http_gatepost_ctx_t *ctx)
{
    ngx_log_t   *log = r->connection->log;
    ngx_uint_t   level;
    ngx_str_t    subject, none = ngx_null_string, client = r->connection->addr_text;

    level = ctx->status < 500 ? NGX_LOG_INFO : ctx->reason == GATEPOST_REASON_OVERLOADED ? NGX_LOG_WARN : NGX_LOG_ERR;
    if (ctx->engine != NULL && !ctx->engine->started) {
        level = NGX_LOG_INFO; /* that it cannot start was told */
    }
    if (ctx->logged || log->log_level < level || (ctx->decision != NULL && ctx->view.action != GATEPOST_DENY)) {
        return;
    }
    ctx->logged = 1;
    if (level != NGX_LOG_INFO && !ngx_http_gatepost_is_news(ctx->engine, ctx->reason)) {
        level = NGX_LOG_INFO;
        if (log->log_level < level) {
            return;
        }
    }

    if (ctx->client.len != 0) {
        client.data = (u_char *) ctx->client.ptr;
        client.len = ctx->client.len;
    }
    subject = ngx_http_gatepost_plain(r, ctx->view.subject);
    ngx_log_error(level, log, 0, "gatepost: denied %ui %s client=%V id=%s scheme=%s subject=\"%V\"%s%V%s%s", ctx->status,
                  gatepost_reason_name(ctx->reason).ptr, &client, ctx->view.id.len != 0 ? ctx->view.id.ptr : "-",
                  ctx->view.scheme.len != 0 ? ctx->view.scheme.ptr : "-", &subject, level == NGX_LOG_INFO ? "" : " policy=\"",
                  level == NGX_LOG_INFO || ctx->engine == NULL ? &none : &ctx->engine->file,
                  level == NGX_LOG_INFO ? "" : "\": ",
                  level == NGX_LOG_INFO ? "" : gatepost_reason_text(ctx->reason, GATEPOST_AUDIENCE_OPERATOR).ptr);
}
