/*
 * For tests only, in a build with GATEPOST_TESTING: what a client cannot choose over loopback, from fields of the request.
 */
#include "mod_gatepost.h"

#ifndef GATEPOST_TESTING
#error "testing.c belongs to a build for tests"
#endif

#include <stdlib.h>
#include <time.h>

static const char *const names[] = {"X-Test-At", "X-Test-Peer", "X-Test-Id", "X-Test-Tls", "X-Test-Cert", "X-Test-Cert-Verified"};

/* Before anybody sees the fields: they become notes. */
int gate_testing_fields(request_rec *r) {
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *value = apr_table_get(r->headers_in, names[i]);
        if (value != NULL) {
            apr_table_setn(r->notes, names[i], value);
            apr_table_unset(r->headers_in, names[i]);
        }
    }
    return DECLINED;
}

/* What the last request said, also for what the engine does between requests. */
static volatile int64_t said;

int64_t gate_testing_clock(void *data) {
    (void)data;
    return said != 0 ? said : (int64_t)time(NULL);
}

static int digit(char c) { return c <= '9' ? c - '0' : (c | 32) - 'a' + 10; }

static gatepost_str text(const char *string) { return (gatepost_str){string, strlen(string)}; }

void gate_testing(request_rec *r, apr_table_t *fields, gatepost_request *request) {
    (void)fields;
    const char *value;
    if ((value = apr_table_get(r->notes, "X-Test-At")) != NULL) {
        said = strtoll(value, NULL, 10);
        request->now = said;
        request->peer = (gatepost_str){NULL, 0}; /* unless it is said, like everything of such a request */
    }
    if ((value = apr_table_get(r->notes, "X-Test-Peer")) != NULL) {
        request->peer = text(value);
    }
    if ((value = apr_table_get(r->notes, "X-Test-Id")) != NULL) {
        request->request_id = text(value);
    }
    if (apr_table_get(r->notes, "X-Test-Tls") != NULL) {
        request->flags |= GATEPOST_REQUEST_TLS;
    }
    if (apr_table_get(r->notes, "X-Test-Cert-Verified") != NULL) {
        request->flags |= GATEPOST_REQUEST_CERT_VERIFIED;
    }
    if ((value = apr_table_get(r->notes, "X-Test-Cert")) != NULL) {
        size_t size = strlen(value) / 2;
        char *der = apr_palloc(r->pool, size + 1);
        for (size_t i = 0; i < size; i++) {
            der[i] = (char)(digit(value[2 * i]) << 4 | digit(value[2 * i + 1]));
        }
        request->client_cert_der = (gatepost_str){der, size};
    }
}
