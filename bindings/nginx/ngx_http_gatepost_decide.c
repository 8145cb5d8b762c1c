/*
 * A decision, made at once or, where it takes hashing, later: the request then waits, and its worker goes on with others.
 */

#include "ngx_http_gatepost.h"

/* A decision that takes longer than this is not made: a worker that is to end does not wait for ever. */
#define NGX_HTTP_GATEPOST_LONGEST  60000

/* The body that is taken where the engine asks for one without having said how much. */
#define NGX_HTTP_GATEPOST_BODY  (64 * 1024)

/* Tells troubles of deciding from others. */
#define NGX_HTTP_GATEPOST_UNDECIDED  0x10000

/* The reason that fits a call which gave no decision. */
static gatepost_reason
ngx_http_gatepost_reason_of(gatepost_status status)
{
    switch (status) {
    case GATEPOST_ERR_OVERLOADED:
    case GATEPOST_ERR_CANCELLED:
    case GATEPOST_ERR_NO_MEMORY:
        return GATEPOST_REASON_OVERLOADED;
    case GATEPOST_ERR_STATE:
    case GATEPOST_ERR_NOT_STARTED: /* the log of the worker's start says why */
        return GATEPOST_REASON_STATE_UNAVAILABLE;
    default:
        return GATEPOST_REASON_INTERNAL;
    }
}

/* There is no decision, and there will be none: the request is refused. */
static void
ngx_http_gatepost_undecided(ngx_http_gatepost_ctx_t *ctx, gatepost_reason reason, gatepost_status status)
{
    ctx->decided = 1;
    ctx->reason = reason;
    ctx->status = gatepost_reason_status(reason);
    ngx_memzero(&ctx->view, sizeof(gatepost_view));
    /* Why a policy has not started stands in the log already. */
    if (status != GATEPOST_OK && status != GATEPOST_ERR_NOT_STARTED
        && ngx_http_gatepost_is_news(ctx->engine, NGX_HTTP_GATEPOST_UNDECIDED + status))
    {
        ngx_log_error(NGX_LOG_ERR, ctx->main->connection->log, 0, "gatepost: no decision: %s",
                      gatepost_status_text(status).ptr);
    }
}

static void
ngx_http_gatepost_decided(ngx_http_gatepost_ctx_t *ctx, gatepost_status status, gatepost_decision *decision)
{
    ctx->view.struct_size = sizeof(gatepost_view);
    if (status == GATEPOST_OK) {
        status = gatepost_decision_view(decision, &ctx->view);
    }
    if (status != GATEPOST_OK) {
        gatepost_decision_free(decision);
        ngx_http_gatepost_undecided(ctx, ngx_http_gatepost_reason_of(status), status);
        return;
    }
    ctx->decided = 1;
    ctx->decision = decision;
    ctx->reason = ctx->view.reason;
    ctx->status = ctx->view.status;
    if (ctx->view.action == GATEPOST_DENY) {
        ctx->client = ngx_http_gatepost_heard_client(ctx->main->pool, ctx->view.id);
    }
}

/* Lets all that wait go on, where they were. */
static void
ngx_http_gatepost_go_on(ngx_http_gatepost_ctx_t *ctx)
{
    ngx_connection_t    *c = ctx->main->connection;
    ngx_http_request_t **r;
    ngx_uint_t           i, n;

    if (ctx->wait == NULL) {
        return; /* there was no memory to wait with: the request has failed */
    }
    r = ctx->wait->requests.elts;
    n = ctx->wait->requests.nelts;
    if (ctx->wait->timeout.timer_set) {
        ngx_del_timer(&ctx->wait->timeout);
    }
    ctx->wait->requests.nelts = 0;
    for (i = 0; i < n; i++) {
        r[i]->read_event_handler = ngx_http_block_reading;
        r[i]->write_event_handler = ngx_http_core_run_phases;
        if (ngx_http_post_request(r[i], NULL) != NGX_OK) {
            ngx_http_finalize_request(ctx->main, NGX_ERROR);
            return;
        }
    }
    ngx_http_run_posted_requests(c);
}

static void
ngx_http_gatepost_done(void *data, gatepost_status status, gatepost_decision *decision)
{
    ngx_http_gatepost_ctx_t  *ctx = data;

    ngx_http_set_log_request(ctx->main->connection->log, ctx->main);
    ctx->work = NULL;
    ngx_http_gatepost_decided(ctx, status, decision);
    ngx_http_gatepost_go_on(ctx);
}

static void
ngx_http_gatepost_too_late(ngx_event_t *ev)
{
    ngx_http_gatepost_ctx_t  *ctx = ev->data;

    if (ctx->work != NULL) {
        ngx_http_gatepost_work_cancel(ctx->work);
        ctx->work = NULL;
    }
    ngx_http_set_log_request(ctx->main->connection->log, ctx->main);
    ngx_http_gatepost_undecided(ctx, GATEPOST_REASON_OVERLOADED, GATEPOST_ERR_OVERLOADED);
    ngx_http_gatepost_go_on(ctx);
}

/* r stops here until the decision is there; meanwhile nginx sees whether the client goes away. */
static ngx_int_t
ngx_http_gatepost_wait(ngx_http_request_t *r, ngx_http_gatepost_ctx_t *ctx)
{
    ngx_http_request_t  **waiting;
    ngx_event_t          *timeout;

    if (ctx->wait == NULL) {
        ctx->wait = ngx_pcalloc(r->pool, sizeof(ngx_http_gatepost_wait_t));
        if (ctx->wait == NULL || ngx_array_init(&ctx->wait->requests, r->pool, 1, sizeof(*waiting)) != NGX_OK) {
            ctx->wait = NULL;
            return NGX_ERROR;
        }
    }
    if (ngx_handle_read_event(r->connection->read, 0) != NGX_OK) {
        return NGX_ERROR;
    }
    waiting = ngx_array_push(&ctx->wait->requests);
    if (waiting == NULL) {
        return NGX_ERROR;
    }
    *waiting = r;

    timeout = &ctx->wait->timeout;
    if (!timeout->timer_set) {
        timeout->handler = ngx_http_gatepost_too_late;
        timeout->data = ctx;
        timeout->log = r->connection->log;
        ngx_add_timer(timeout, NGX_HTTP_GATEPOST_LONGEST);
    }
    r->read_event_handler = ngx_http_test_reading;
    r->write_event_handler = ngx_http_request_empty_handler;
    if (r->connection->read->pending_eof || r->connection->read->ready) {
        /* its end may have come together with the request: no further event tells of it */
        ngx_post_event(r->connection->read, &ngx_posted_events);
    }
    return NGX_AGAIN;
}

/* ---- the body, where the engine asks for it ---- */

/* All of the body in one piece; too much of it, or a file that cannot be read, is NGX_DECLINED. */
static ngx_int_t
ngx_http_gatepost_body(ngx_http_request_t *r, uint64_t most, gatepost_str *out)
{
    ngx_chain_t  *cl = r->request_body == NULL ? NULL : r->request_body->bufs, *link;
    u_char       *text, *p;
    off_t         size = 0;
    ssize_t       n;

    for (link = cl; link != NULL; link = link->next) {
        size += ngx_buf_size(link->buf);
    }
    if ((uint64_t) size > most) {
        return NGX_DECLINED;
    }
    text = ngx_pnalloc(r->pool, size + 1);
    if (text == NULL) {
        return NGX_DECLINED;
    }

    for (link = cl, p = text; link != NULL; link = link->next) {
        if (ngx_buf_in_memory(link->buf)) {
            p = ngx_cpymem(p, link->buf->pos, link->buf->last - link->buf->pos);
        } else if (link->buf->in_file) {
            n = ngx_read_file(link->buf->file, p, ngx_buf_size(link->buf), link->buf->file_pos);
            if (n != ngx_buf_size(link->buf)) {
                return NGX_DECLINED;
            }
            p += n;
        }
    }
    *out = (gatepost_str) { (const char *) text, p - text };
    return NGX_OK;
}

static void
ngx_http_gatepost_body_handler(ngx_http_request_t *r)
{
    ngx_http_gatepost_loc_conf_t  *lcf = ngx_http_get_module_loc_conf(r, ngx_http_gatepost_module);
    ngx_http_gatepost_ctx_t       *ctx = ngx_http_gatepost_ctx_of(r, lcf->engine);

    ctx->reading = 0;
    ctx->body_read = 1;
    r->preserve_body = 1; /* whoever comes next finds it */
    r->read_event_handler = ngx_http_block_reading;
    r->write_event_handler = ngx_http_core_run_phases;
    ngx_http_core_run_phases(r);
}

static ngx_int_t
ngx_http_gatepost_read_body(ngx_http_request_t *r, ngx_http_gatepost_ctx_t *ctx, uint64_t most)
{
    ngx_int_t  rc;

    if (r != r->main) { /* its body may be under way to somebody else */
        ngx_http_gatepost_undecided(ctx, GATEPOST_REASON_INTERNAL, GATEPOST_NEED_BODY);
        return NGX_OK;
    }
    if (r->headers_in.content_length_n > 0 && (uint64_t) r->headers_in.content_length_n > most) {
        ngx_http_gatepost_undecided(ctx, GATEPOST_REASON_CONTENT_TOO_LARGE, GATEPOST_OK);
        return NGX_OK;
    }

    ctx->reading = 1;
    ctx->most = most;
    ctx->uri = r->uri; /* where it cannot be read, that is what was refused */
    ctx->upstream = r->upstream;
    rc = ngx_http_read_client_request_body(r, ngx_http_gatepost_body_handler);
    if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {
        return rc;
    }
    ngx_http_finalize_request(r, NGX_DONE);
    return NGX_DONE;
}

/* The body could not be read, and nginx shows a page about that: the request is refused, as nginx has refused it. */
void
ngx_http_gatepost_unread(ngx_http_gatepost_ctx_t *ctx)
{
    ctx->reading = 0;
    ctx->refused = 1;
    ngx_http_gatepost_undecided(ctx, GATEPOST_REASON_REQUEST_MALFORMED, GATEPOST_OK);
    if (ctx->main->err_status >= NGX_HTTP_BAD_REQUEST) {
        ctx->status = ctx->main->err_status;
    }
}

/* ---- deciding ---- */

/*
 * Sees to it that there is a decision. r: whose location asks, by its policy; the decision is about its main request.
 * NGX_OK: ctx->decided; NGX_AGAIN, NGX_DONE: r goes on later, in the same place; anything else: an error, refuse.
 */
ngx_int_t
ngx_http_gatepost_decide(ngx_http_request_t *r, ngx_http_gatepost_ctx_t **found)
{
    ngx_http_gatepost_loc_conf_t  *lcf = ngx_http_get_module_loc_conf(r, ngx_http_gatepost_module);
    ngx_http_gatepost_ctx_t       *ctx = ngx_http_gatepost_ctx_of(r, lcf->engine);
    ngx_http_request_t            *m = r->main;
    gatepost_decision             *decision = NULL;
    ngx_http_gatepost_request_t    request;
    gatepost_status                status;
    gatepost_job                  *job = NULL;
    ngx_uint_t                     has_body;
    uint64_t                       most;

    if (ctx == NULL) {
        ctx = ngx_http_gatepost_new_ctx(r, lcf->engine);
        if (ctx == NULL) {
            return NGX_ERROR;
        }
    }
    *found = ctx;
    if (ctx->decided) {
        return NGX_OK;
    }
    if (ctx->work != NULL) {
        return ngx_http_gatepost_wait(r, ctx);
    }
    if (ctx->reading) {
        return NGX_DONE;
    }
    if (ctx->engine == NULL || ctx->engine->engine == NULL) {
        ngx_http_gatepost_undecided(ctx, GATEPOST_REASON_POLICY_MISSING, GATEPOST_OK);
        return NGX_OK;
    }
    if (ngx_http_gatepost_request(m, &request) != NGX_OK) {
        return NGX_ERROR;
    }

    has_body = m->headers_in.content_length_n > 0 || m->headers_in.chunked;
    if (!has_body) {
        request.request.flags |= GATEPOST_REQUEST_BODY_COMPLETE;
    } else if (!ctx->body_read) {
        most = gatepost_engine_wants_body(ctx->engine->engine, &request.request);
        if (most != 0) {
            return ngx_http_gatepost_read_body(r, ctx, most);
        }
    } else {
        if (ngx_http_gatepost_body(m, ctx->most, &request.request.body) != NGX_OK) {
            ngx_http_gatepost_undecided(ctx, GATEPOST_REASON_CONTENT_TOO_LARGE, GATEPOST_OK);
            return NGX_OK;
        }
        request.request.flags |= GATEPOST_REQUEST_BODY_COMPLETE;
    }

    status = gatepost_decide(ctx->engine->engine, &request.request, &decision, &job);

    if (status == GATEPOST_NEED_BODY && has_body && !ctx->body_read) {
        most = gatepost_engine_wants_body(ctx->engine->engine, &request.request);
        return ngx_http_gatepost_read_body(r, ctx, most != 0 ? most : NGX_HTTP_GATEPOST_BODY);
    }
    if (status == GATEPOST_PENDING) {
        status = ngx_http_gatepost_work_start(job, 0, ngx_http_gatepost_done, ctx, &ctx->work);
        if (status == GATEPOST_OK) {
            return ngx_http_gatepost_wait(r, ctx);
        }
    }
    ngx_http_gatepost_decided(ctx, status, decision);
    return NGX_OK;
}
