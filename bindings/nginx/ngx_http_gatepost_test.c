/*
 * Only in a build for tests (GATEPOST_TEST=1): lets a request say what a client must never say, the clock, the peer, the
 * connection's TLS and certificate, in fields X-Test-*, which go no further. Whoever builds the module for use does not
 * compile this file.
 */

#include "ngx_http_gatepost.h"

#if !(NGX_HTTP_GATEPOST_TEST)
#error "for tests alone"
#endif

static ngx_uint_t
ngx_http_gatepost_test_is(gatepost_str name, const char *field)
{
    return name.len == ngx_strlen(field) && ngx_strncasecmp((u_char *) name.ptr, (u_char *) field, name.len) == 0;
}

static gatepost_str
ngx_http_gatepost_test_hex(ngx_http_request_t *r, gatepost_str text)
{
    gatepost_str   bytes = { NULL, 0 };
    u_char        *p = ngx_pnalloc(r->pool, text.len / 2 + 1);
    size_t         i;

    if (p != NULL) {
        for (i = 0; i + 1 < text.len; i += 2) {
            p[i / 2] = (u_char) ngx_hextoi((u_char *) text.ptr + i, 2);
        }
        bytes = (gatepost_str) { (const char *) p, text.len / 2 };
    }
    return bytes;
}

ngx_int_t
ngx_http_gatepost_test(ngx_http_request_t *r, gatepost_request *out)
{
    gatepost_header  *header = (gatepost_header *) out->headers;
    gatepost_str      strip[] = {
        GATEPOST_STR("X-Test-At"), GATEPOST_STR("X-Test-Peer"), GATEPOST_STR("X-Test-Id"), GATEPOST_STR("X-Test-Tls"),
        GATEPOST_STR("X-Test-Cert"), GATEPOST_STR("X-Test-Cert-Verified"),
    };
    gatepost_view     view = { .strip = strip, .strip_count = sizeof(strip) / sizeof(strip[0]) };
    size_t            i, kept = 0;

    for (i = 0; i < out->header_count; i++) {
        if (ngx_http_gatepost_test_is(header[i].name, "X-Test-At")) {
            out->now = ngx_atotm((u_char *) header[i].value.ptr, header[i].value.len);
        } else if (ngx_http_gatepost_test_is(header[i].name, "X-Test-Peer")) {
            out->peer = header[i].value;
        } else if (ngx_http_gatepost_test_is(header[i].name, "X-Test-Id")) {
            out->request_id = header[i].value;
        } else if (ngx_http_gatepost_test_is(header[i].name, "X-Test-Tls")) {
            out->flags |= GATEPOST_REQUEST_TLS;
        } else if (ngx_http_gatepost_test_is(header[i].name, "X-Test-Cert")) {
            out->client_cert_der = ngx_http_gatepost_test_hex(r, header[i].value);
        } else if (ngx_http_gatepost_test_is(header[i].name, "X-Test-Cert-Verified")) {
            out->flags |= GATEPOST_REQUEST_CERT_VERIFIED;
        } else {
            header[kept++] = header[i];
        }
    }
    out->header_count = kept;
    return ngx_http_gatepost_edit_request(r, &view, NULL);
}
