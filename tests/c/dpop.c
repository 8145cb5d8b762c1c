/* A token that is bound to a key, or to the certificate of its connection, as a server hands it in (RFC 9449, RFC 8705).
 * The service's folder holds token.txt with proof.txt and again.txt, proofs of its key for GET https://orders.example.com/ at
 * 1795435200; bearer.txt, which is bound to client.der; and stranger.der, to which nothing is. */
#include "check.h"

static const int64_t WHEN = 1795435200;

static char *contents(const char *folder, const char *name, size_t *length) {
    char *path = in_folder(folder, name);
    FILE *file = fopen(path, "rb");
    CHECK(file != NULL);
    free(path);
    char *bytes = calloc(1, 65536);
    CHECK(bytes != NULL);
    *length = fread(bytes, 1, 65535, file);
    CHECK(*length > 100 && *length < 65535);
    fclose(file);
    return bytes;
}

/* "DPoP token" and the like, owned by the caller. */
static char *credentials(const char *scheme, const char *token) {
    size_t length = strlen(scheme) + strlen(token) + 2;
    char *value = malloc(length);
    CHECK(value != NULL);
    snprintf(value, length, "%s %s", scheme, token);
    return value;
}

static gatepost_decision *decide(const gatepost_engine *engine, const char *method, const char *authorization,
                                 const char *proof, gatepost_str der, uint32_t flags) {
    gatepost_header headers[2] = {{.name = text("Authorization"), .value = text(authorization)},
                                  {.name = text("DPoP"), .value = text(proof == NULL ? "" : proof)}};
    gatepost_request request = get("/");
    request.method = text(method);
    request.headers = headers;
    request.header_count = proof == NULL ? 1 : 2;
    request.client_cert_der = der;
    request.flags = flags;
    request.now = WHEN;
    gatepost_decision *decision = NULL;
    CHECK_STATUS(GATEPOST_OK, gatepost_decide(engine, &request, &decision, NULL));
    return decision;
}

static void allowed(gatepost_decision *decision) {
    CHECK(gatepost_decision_action(decision) == GATEPOST_ALLOW);
    CHECK(is(gatepost_decision_subject(decision), "u-17"));
    gatepost_decision_free(decision);
}

static void refused(gatepost_decision *decision, gatepost_reason reason) {
    CHECK(gatepost_decision_action(decision) == GATEPOST_DENY && gatepost_decision_status(decision) == 401);
    CHECK(gatepost_decision_reason(decision) == reason);
    CHECK(gatepost_decision_subject(decision).len == 0);
    gatepost_decision_free(decision);
}

int main(int argc, char **argv) {
    CHECK(argc == 2);
    gatepost_engine *engine = started(argv[1]);
    size_t length = 0, own_length = 0, other_length = 0;
    char *token = contents(argv[1], "token.txt", &length);
    char *proof = contents(argv[1], "proof.txt", &length);
    char *again = contents(argv[1], "again.txt", &length);
    char *bearer = contents(argv[1], "bearer.txt", &length);
    char *own = contents(argv[1], "client.der", &own_length);
    char *other = contents(argv[1], "stranger.der", &other_length);
    char *bound = credentials("DPoP", token);
    char *stolen = credentials("Bearer", token);
    char *held = credentials("Bearer", bearer);
    const uint32_t tls = GATEPOST_REQUEST_TLS;

    refused(decide(engine, "GET", bound, NULL, NOTHING, tls), GATEPOST_REASON_DPOP_PROOF);
    refused(decide(engine, "POST", bound, proof, NOTHING, tls), GATEPOST_REASON_DPOP_PROOF);
    refused(decide(engine, "GET", bound, proof, NOTHING, 0), GATEPOST_REASON_DPOP_PROOF);
    refused(decide(engine, "GET", stolen, proof, NOTHING, tls), GATEPOST_REASON_TOKEN_BINDING);
    allowed(decide(engine, "GET", bound, proof, NOTHING, tls));
    refused(decide(engine, "GET", bound, proof, NOTHING, tls), GATEPOST_REASON_DPOP_PROOF);
    allowed(decide(engine, "GET", bound, again, NOTHING, tls));

    /* Verified or not: TLS proves that the client holds its key. */
    gatepost_str der = {own, own_length}, wrong = {other, other_length};
    allowed(decide(engine, "GET", held, NULL, der, tls));
    allowed(decide(engine, "GET", held, NULL, der, tls | GATEPOST_REQUEST_CERT_VERIFIED));
    refused(decide(engine, "GET", held, NULL, NOTHING, tls), GATEPOST_REASON_TOKEN_BINDING);
    refused(decide(engine, "GET", held, NULL, wrong, tls | GATEPOST_REQUEST_CERT_VERIFIED),
            GATEPOST_REASON_TOKEN_BINDING);

    free(token);
    free(proof);
    free(again);
    free(bearer);
    free(own);
    free(other);
    free(bound);
    free(stolen);
    free(held);
    gatepost_engine_free(engine);
    return 0;
}
