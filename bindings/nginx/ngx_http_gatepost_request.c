/*
 * What nginx has of a request, as the engine wants it: the octets that the client sent, nothing that nginx made of them.
 */

#include "ngx_http_gatepost.h"

/*
 * All fields in the order received. In HTTP/2 and 3 the host is :authority. Newer releases of nginx keep it apart; older
 * ones put it first among the fields, under the name of Host: there it is told apart again, so that a Host field beside
 * it counts as one.
 */
static ngx_int_t
ngx_http_gatepost_fields(ngx_http_request_t *r, ngx_http_gatepost_request_t *out)
{
    ngx_list_part_t  *part;
    ngx_table_elt_t  *field;
    gatepost_header  *header = out->fields;
    size_t            count = 0;
    ngx_uint_t        i, authority = r->http_version >= NGX_HTTP_VERSION_20;

    for (part = &r->headers_in.headers.part; part != NULL; part = part->next) {
        count += part->nelts;
    }
    if (count > sizeof(out->fields) / sizeof(out->fields[0])) {
        header = ngx_palloc(r->pool, count * sizeof(gatepost_header));
        if (header == NULL) {
            return NGX_ERROR;
        }
    }
    out->request.headers = header;

    if (authority && r->host_start != NULL && r->host_end != NULL) {
        out->request.host = (gatepost_str) { (const char *) r->host_start, r->host_end - r->host_start };
        authority = 0;
    }
    for (part = &r->headers_in.headers.part; part != NULL; part = part->next) {
        field = part->elts;
        for (i = 0; i < part->nelts; i++) {
            if (authority && field[i].key.len == 4 && ngx_strncasecmp(field[i].key.data, (u_char *) "host", 4) == 0) {
                out->request.host = ngx_http_gatepost_text(&field[i].value);
                authority = 0;
                continue;
            }
            *header++ = (gatepost_header) {
                .name = ngx_http_gatepost_text(&field[i].key), .value = ngx_http_gatepost_text(&field[i].value)
            };
        }
    }
    out->request.header_count = header - out->request.headers;
    return NGX_OK;
}

/* The method of the client's request; an error page has one of its own. */
static gatepost_str
ngx_http_gatepost_method(ngx_http_request_t *r)
{
    u_char  *p = r->request_line.data, *stop;

    if (r->method_name.data == p) {
        return ngx_http_gatepost_text(&r->method_name);
    }
    stop = ngx_strlchr(p, p + r->request_line.len, ' ');
    return stop != NULL ? (gatepost_str) { (const char *) p, stop - p } : ngx_http_gatepost_text(&r->method_name);
}

/*
 * The request-target as it came. nginx keeps all of it but an absolute form ("GET http://host/path"), of which only the
 * line of the request has everything.
 */
static gatepost_str
ngx_http_gatepost_target(ngx_http_request_t *r)
{
    u_char  *p = r->request_line.data, *end = p + r->request_line.len, *stop;

    if (r->schema.len == 0 || r->http_version >= NGX_HTTP_VERSION_20 || p == NULL) {
        return ngx_http_gatepost_text(&r->unparsed_uri);
    }

    while (p < end && *p != ' ') {
        p++;
    }
    while (p < end && *p == ' ') {
        p++;
    }
    for (stop = p; stop < end && *stop != ' '; stop++) { /* void */ }
    return (gatepost_str) { (const char *) p, stop - p };
}

/*
 * The direct peer: never the address that the realip module has put in its place, since whom to believe that is for the
 * policy's [proxies] to say.
 */
static gatepost_str
ngx_http_gatepost_peer(ngx_http_request_t *r)
{
    ngx_http_gatepost_main_conf_t  *mcf = ngx_http_get_module_main_conf(r, ngx_http_gatepost_module);
    ngx_http_variable_value_t      *v;

    /* Where realip keeps nothing of the request, it has put nothing in the place of the peer. */
    if (mcf->realip_module != NULL && !r->internal && !r->filter_finalize
        && ngx_http_get_module_ctx(r, (*mcf->realip_module)) == NULL)
    {
        return ngx_http_gatepost_text(&r->connection->addr_text);
    }
    if (mcf->realip != NGX_ERROR) {
        v = ngx_http_get_indexed_variable(r, mcf->realip);
        if (v != NULL && !v->not_found) {
            return (gatepost_str) { (const char *) v->data, v->len };
        }
    }
    return ngx_http_gatepost_text(&r->connection->addr_text);
}

#if (NGX_HTTP_SSL)

/*
 * The certificate that the client proved to hold the key of, and whether nginx verified its chain: by what this server
 * goes by, which a connection that was made to another server of the same port was not held against.
 */
static ngx_int_t
ngx_http_gatepost_certificate(ngx_http_request_t *r, gatepost_request *out)
{
    ngx_http_ssl_srv_conf_t  *sscf = ngx_http_get_module_srv_conf(r, ngx_http_ssl_module);
    ngx_connection_t         *c = r->connection;
    u_char                   *der, *end;
    X509                     *cert;
    int                       len;

    if (c->ssl == NULL) {
        return NGX_OK;
    }
    out->flags |= GATEPOST_REQUEST_TLS;

    cert = SSL_get_peer_certificate(c->ssl->connection);
    if (cert == NULL) {
        return NGX_OK;
    }
    len = i2d_X509(cert, NULL);
    der = len > 0 ? ngx_pnalloc(r->pool, len) : NULL;
    end = der;
    if (der == NULL || i2d_X509(cert, &end) != len) {
        X509_free(cert);
        return NGX_ERROR;
    }
    X509_free(cert);

    out->client_cert_der = (gatepost_str) { (const char *) der, len };
    if (sscf->verify != 0 && SSL_get_verify_result(c->ssl->connection) == X509_V_OK) {
        out->flags |= GATEPOST_REQUEST_CERT_VERIFIED;
    }
    return NGX_OK;
}

#endif

/* Fills the request, but for its body. r: the main request. What it points to lives as long as r. */
ngx_int_t
ngx_http_gatepost_request(ngx_http_request_t *r, ngx_http_gatepost_request_t *room)
{
    gatepost_request  *out = &room->request;

    *out = (gatepost_request) { .struct_size = sizeof(gatepost_request), .user = r };
    if (ngx_http_gatepost_fields(r, room) != NGX_OK) {
        return NGX_ERROR;
    }
    out->method = ngx_http_gatepost_method(r);
    out->target = ngx_http_gatepost_target(r);
    out->peer = ngx_http_gatepost_peer(r);

#if (NGX_HTTP_SSL)
    if (ngx_http_gatepost_certificate(r, out) != NGX_OK) {
        return NGX_ERROR;
    }
#endif
#if (NGX_HTTP_GATEPOST_TEST)
    return ngx_http_gatepost_test(r, out);
#else
    return NGX_OK;
#endif
}
