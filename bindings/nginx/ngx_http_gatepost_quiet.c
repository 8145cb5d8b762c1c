/*
 * Where a policy is named but nobody is asked ("gatepost off"), requests reach the application all the same: what a
 * client may have made up of an identity goes there too.
 */

#include "ngx_http_gatepost.h"

static ngx_uint_t
ngx_http_gatepost_is_credential(gatepost_str name)
{
    static const gatepost_str  names[] = { { "authorization", 13 }, { "x-api-key", 9 }, { "cookie", 6 }, { "dpop", 4 } };
    ngx_uint_t                 i;

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (name.len == names[i].len && ngx_strncasecmp((u_char *) name.ptr, (u_char *) names[i].ptr, name.len) == 0) {
            return 1;
        }
    }
    return 0;
}

/*
 * Asks for a decision without credentials, of which only the strip list counts: it is the same on every action. Where
 * there is none, only what is harmless is left of the request.
 */
ngx_int_t
ngx_http_gatepost_quiet_strip(ngx_http_request_t *r, ngx_http_gatepost_engine_t *engine)
{
    ngx_http_gatepost_request_t   room;
    gatepost_decision            *decision = NULL;
    gatepost_request             *request = &room.request;
    gatepost_header              *header;
    gatepost_status               status;
    gatepost_view                 view = { .struct_size = sizeof(gatepost_view) };
    gatepost_job                 *job = NULL;
    ngx_int_t                     rc;
    size_t                        i, count = 0;

    if (ngx_http_gatepost_request(r->main, &room) != NGX_OK) {
        return NGX_ERROR;
    }
    header = (gatepost_header *) request->headers;
    for (i = 0; i < request->header_count; i++) {
        if (!ngx_http_gatepost_is_credential(header[i].name)) {
            header[count++] = header[i];
        }
    }
    request->header_count = count;
    request->client_cert_der = (gatepost_str) { NULL, 0 };
    request->flags |= GATEPOST_REQUEST_BODY_COMPLETE;
    request->flags &= ~GATEPOST_REQUEST_CERT_VERIFIED;

    status = gatepost_decide(engine->quiet, request, &decision, &job);
    gatepost_job_free(job);
    if (status != GATEPOST_OK || gatepost_decision_view(decision, &view) != GATEPOST_OK) {
        gatepost_decision_free(decision);
        return ngx_http_gatepost_bare_request(r);
    }

    view.upstream_header_count = 0;
    rc = ngx_http_gatepost_strip_others(r, engine);
    if (rc == NGX_OK) {
        rc = ngx_http_gatepost_edit_request(r, &view, engine);
    }
    gatepost_decision_free(decision);
    return rc;
}
