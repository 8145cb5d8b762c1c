/* A client certificate as a TLS server hands it in: the DER of a verified one is its user, of any other nobody. The
 * service's folder holds client.der for a user alice, and stranger.der for nobody. */
#include "check.h"

static char *contents(const char *folder, const char *name, size_t *length) {
    char *path = in_folder(folder, name);
    FILE *file = fopen(path, "rb");
    CHECK(file != NULL);
    free(path);
    char *bytes = malloc(65536);
    CHECK(bytes != NULL);
    *length = fread(bytes, 1, 65536, file);
    CHECK(*length > 100 && *length < 65536);
    fclose(file);
    return bytes;
}

static gatepost_decision *decide(const gatepost_engine *engine, gatepost_str der, uint32_t flags) {
    gatepost_request request = get("/certificate");
    request.client_cert_der = der;
    request.flags = flags;
    gatepost_decision *decision = NULL;
    CHECK_STATUS(GATEPOST_OK, gatepost_decide(engine, &request, &decision, NULL));
    return decision;
}

static void refused(const gatepost_engine *engine, gatepost_str der, uint32_t flags, gatepost_reason reason) {
    gatepost_decision *decision = decide(engine, der, flags);
    CHECK(gatepost_decision_action(decision) == GATEPOST_DENY && gatepost_decision_status(decision) == 401);
    CHECK(gatepost_decision_reason(decision) == reason);
    CHECK(gatepost_decision_subject(decision).len == 0);
    gatepost_decision_free(decision);
}

int main(int argc, char **argv) {
    CHECK(argc == 2);
    gatepost_engine *engine = started(argv[1]);
    size_t own_length = 0, other_length = 0;
    char *own = contents(argv[1], "client.der", &own_length);
    char *other = contents(argv[1], "stranger.der", &other_length);
    gatepost_str der = {own, own_length};

    gatepost_decision *decision = decide(engine, der, GATEPOST_REQUEST_TLS | GATEPOST_REQUEST_CERT_VERIFIED);
    CHECK(gatepost_decision_action(decision) == GATEPOST_ALLOW);
    CHECK(is(gatepost_decision_subject(decision), "alice"));
    gatepost_decision_free(decision);

    /* Without the flag it proves nothing; the flag without a certificate neither. */
    refused(engine, der, GATEPOST_REQUEST_TLS, GATEPOST_REASON_CREDENTIALS_MISSING);
    const uint32_t verified = GATEPOST_REQUEST_TLS | GATEPOST_REQUEST_CERT_VERIFIED;
    refused(engine, NOTHING, verified, GATEPOST_REASON_CREDENTIALS_MISSING);
    refused(engine, (gatepost_str){other, other_length}, verified, GATEPOST_REASON_CREDENTIALS_INVALID);
    refused(engine, (gatepost_str){own, own_length - 1}, verified, GATEPOST_REASON_CREDENTIALS_MALFORMED);
    refused(engine, text("-----BEGIN CERTIFICATE-----"), verified, GATEPOST_REASON_CREDENTIALS_MALFORMED);
    /* Nor has a connection without TLS one. */
    refused(engine, der, GATEPOST_REQUEST_CERT_VERIFIED, GATEPOST_REASON_CREDENTIALS_MISSING);

    free(own);
    free(other);
    gatepost_engine_free(engine);
    return 0;
}
