/*
 * Where a policy is named but no decision can be had, because nobody is asked ("gatepost off") or none could be made,
 * requests reach the application or an error page all the same: what a client may have made up of an identity must not.
 */

#include "ngx_http_gatepost.h"

/* Takes from the request what any decision of this policy would have taken from it, and the names of all others. */
ngx_int_t
ngx_http_gatepost_quiet_strip(ngx_http_request_t *r, ngx_http_gatepost_engine_t *engine)
{
    ngx_http_gatepost_request_t   room;
    gatepost_decision            *decision = NULL;
    gatepost_view                 view = { .struct_size = sizeof(gatepost_view) };
    ngx_int_t                     rc;

    if (ngx_http_gatepost_request(r->main, &room) != NGX_OK
        || gatepost_strip(engine->engine, &room.request, &decision, &view) != GATEPOST_OK)
    {
        return NGX_ERROR;
    }
    rc = ngx_http_gatepost_strip_others(r, engine);
    if (rc == NGX_OK) {
        rc = ngx_http_gatepost_edit_request(r, &view, engine);
    }
    gatepost_decision_free(decision);
    return rc;
}
