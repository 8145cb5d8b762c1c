/*
 * What httpd knows of a request, as the engine wants it: raw, and of the direct peer.
 */
#include "mod_gatepost.h"

#include "apr_base64.h"
#include "apr_lib.h"
#include "apr_optional.h"

/* As mod_ssl.h declares them, which not every installation has. */
APR_DECLARE_OPTIONAL_FN(int, ssl_is_https, (conn_rec *));
APR_DECLARE_OPTIONAL_FN(char *, ssl_var_lookup, (apr_pool_t *, server_rec *, conn_rec *, request_rec *, char *));

static APR_OPTIONAL_FN_TYPE(ssl_is_https) * is_https;
static APR_OPTIONAL_FN_TYPE(ssl_var_lookup) * variable;

void gate_optional_functions(void) {
    is_https = APR_RETRIEVE_OPTIONAL_FN(ssl_is_https);
    variable = APR_RETRIEVE_OPTIONAL_FN(ssl_var_lookup);
}

static gatepost_str text(const char *string) {
    return (gatepost_str){string, string == NULL ? 0 : strlen(string)};
}

/* A stream of HTTP/2 has a connection of its own below the client's. */
static int is_tls(conn_rec *connection) {
    return is_https != NULL &&
           (is_https(connection) || (connection->master != NULL && is_https(connection->master)));
}

/* What mod_ssl says of the client's certificate. It hands it out as PEM only. */
static void add_certificate(request_rec *r, gatepost_request *request) {
    char *pem = variable(r->pool, r->server, r->connection, r, "SSL_CLIENT_CERT");
    static const char begins[] = "-----BEGIN CERTIFICATE-----", ends[] = "-----END CERTIFICATE-----";
    char *start = pem == NULL ? NULL : strstr(pem, begins), *end = start == NULL ? NULL : strstr(start, ends);
    if (end == NULL) {
        return;
    }
    char *encoded = apr_pstrmemdup(r->pool, start + sizeof begins - 1, (apr_size_t)(end - start) - (sizeof begins - 1));
    char *to = encoded;
    for (const char *from = encoded; *from != '\0'; from++) {
        if (!apr_isspace(*from)) {
            *to++ = *from;
        }
    }
    *to = '\0';
    char *der = apr_palloc(r->pool, (apr_size_t)apr_base64_decode_len(encoded) + 1);
    int size = apr_base64_decode_binary((unsigned char *)der, encoded);
    if (size <= 0) {
        return;
    }
    request->client_cert_der = (gatepost_str){der, (size_t)size};
    const char *verified = variable(r->pool, r->server, r->connection, r, "SSL_CLIENT_VERIFY");
    if (verified != NULL && strcmp(verified, "SUCCESS") == 0) {
        request->flags |= GATEPOST_REQUEST_CERT_VERIFIED;
    }
}

/* The address at the other end of the connection, whatever mod_remoteip makes of it, without an interface. */
static gatepost_str peer_of(request_rec *r) {
    const conn_rec *connection = r->connection->master != NULL ? r->connection->master : r->connection;
    const char *address = connection->client_ip;
    return (gatepost_str){address, address == NULL ? 0 : strcspn(address, "%")};
}

/*
 * httpd joins fields of one name with a comma and a blank. Of these two, whose values have neither, they are taken apart
 * again: two keys or two sessions are ambiguous, and not one that is wrong. (Those of Authorization the engine tells apart.)
 */
static int is_taken_apart(const char *name) {
    int first = *name | ('a' ^ 'A'); /* most are neither, which need not be found out to the end */
    return (first == 'x' && strcasecmp(name, "X-API-Key") == 0) || (first == 'c' && strcasecmp(name, "Cookie") == 0);
}

static size_t parts_of(const char *name, const char *value) {
    size_t count = 1;
    if (is_taken_apart(name)) {
        for (; (value = strstr(value, ", ")) != NULL; value += 2) {
            count++;
        }
    }
    return count;
}

static void add_fields(request_rec *r, const apr_table_t *fields, gatepost_request *request) {
    const apr_array_header_t *elements = apr_table_elts(fields);
    const apr_table_entry_t *entries = (const apr_table_entry_t *)elements->elts;
    size_t count = 0;
    for (int i = 0; i < elements->nelts; i++) {
        count += entries[i].key == NULL ? 0 : parts_of(entries[i].key, entries[i].val);
    }
    gatepost_header *list = apr_palloc(r->pool, sizeof *list * (count + 1)), *next = list;
    for (int i = 0; i < elements->nelts; i++) {
        const char *name = entries[i].key, *value = entries[i].val;
        if (name == NULL) {
            continue;
        }
        for (size_t left = parts_of(name, value); left > 1; left--, next++) {
            size_t size = (size_t)(strstr(value, ", ") - value);
            *next = (gatepost_header){.name = text(name), .value = {value, size}};
            value += size + 2;
        }
        *next++ = (gatepost_header){.name = text(name), .value = text(value)};
    }
    request->headers = list;
    request->header_count = count;
}

/*
 * Fills in `request`. What it points to lives as long as r.
 *
 * r: the request at hand: its connection may have been renegotiated. top: the client's own request. fields: its fields.
 */
void gate_describe(request_rec *r, request_rec *top, apr_table_t *fields, gatepost_request *request) {
    memset(request, 0, sizeof *request);
    request->struct_size = sizeof *request;
    /* an ErrorDocument turns r->method into GET for a while; the request line stays */
    const char *line = top->the_request == NULL ? "" : top->the_request;
    request->method = (gatepost_str){line, strcspn(line, " \t")};
    request->target = text(top->unparsed_uri);
    request->peer = peer_of(r);
    request->request_id = text(apr_table_get(top->subprocess_env, "UNIQUE_ID"));
    if (is_tls(r->connection)) {
        request->flags |= GATEPOST_REQUEST_TLS;
        if (variable != NULL) {
            add_certificate(r, request);
        }
    }
    add_fields(r, fields, request);
    request->user = r;
#ifdef GATEPOST_TESTING
    gate_testing(top, fields, request);
#endif
}
