/* Tokens outside of requests: verified, revoked, and refused from then on, in every form of naming them. The service's
 * folder holds tokens of alice by a second issuer, whose subjects are local users. */
#include "check.h"

static char *contents(const char *folder, const char *name) {
    char *path = in_folder(folder, name);
    FILE *file = fopen(path, "rb");
    CHECK(file != NULL);
    free(path);
    char *bytes = calloc(1, 16384);
    CHECK(bytes != NULL && fread(bytes, 1, 16383, file) > 100);
    fclose(file);
    return bytes;
}

static gatepost_token_view verify(const gatepost_engine *engine, const char *token, gatepost_verified **verified) {
    gatepost_error *error = NULL;
    gatepost_token_view view = {.struct_size = sizeof view};
    must(gatepost_token_verify(engine, text(token), 0, verified, &error), error, "gatepost_token_verify");
    CHECK_STATUS(GATEPOST_OK, gatepost_verified_view(*verified, &view));
    return view;
}

static void is_refused(const gatepost_engine *engine, const char *token, gatepost_reason reason) {
    gatepost_verified *verified = NULL;
    gatepost_token_view view = verify(engine, token, &verified);
    CHECK(view.action == GATEPOST_DENY && view.reason == reason && view.status == gatepost_reason_status(reason));
    CHECK(is(view.subject, "") && is(view.roles, "") && is(view.claims, "") && view.expires_at == 0);
    CHECK(view.detail.len > 0 && view.detail.ptr[view.detail.len] == '\0');
    gatepost_verified_free(verified);
    char value[16384];
    snprintf(value, sizeof value, "Bearer %s", token);
    gatepost_header header = {.name = text("Authorization"), .value = text(value)};
    gatepost_request request = get("/token");
    request.headers = &header;
    request.header_count = 1;
    gatepost_decision *decision = NULL;
    CHECK_STATUS(GATEPOST_OK, gatepost_decide(engine, &request, &decision, NULL));
    CHECK(gatepost_decision_reason(decision) == reason);
    gatepost_decision_free(decision);
}

/* Whoever hands in the whole field is told so. */
static void the_token_alone_is_wanted(const gatepost_engine *engine, const char *token) {
    static const char *const names[] = {"Bearer", "bearer", "DPoP"};
    for (int i = 0; i < 3; i++) {
        char value[16384];
        snprintf(value, sizeof value, "%s %s", names[i], token);
        gatepost_verified *verified = NULL;
        gatepost_token_view view = verify(engine, value, &verified);
        CHECK(view.action == GATEPOST_DENY && view.reason == GATEPOST_REASON_TOKEN_MALFORMED);
        CHECK(is(view.detail, i < 2 ? "the token alone is wanted: leave out `Bearer `" : "the token alone is wanted: leave out `DPoP `"));
        gatepost_verified_free(verified);
    }
    gatepost_verified *verified = NULL;
    CHECK(strstr(verify(engine, "Bearers", &verified).detail.ptr, "leave out") == NULL);
    gatepost_verified_free(verified);
}

static void is_good(const gatepost_engine *engine, const char *token) {
    gatepost_verified *verified = NULL;
    CHECK(verify(engine, token, &verified).action == GATEPOST_ALLOW);
    gatepost_verified_free(verified);
}

static gatepost_revocation nothing(void) {
    gatepost_revocation revocation;
    memset(&revocation, 0, sizeof revocation);
    revocation.struct_size = sizeof revocation;
    return revocation;
}

static void revoke(const gatepost_engine *engine, gatepost_revocation revocation) {
    gatepost_error *error = NULL;
    must(gatepost_token_revoke(engine, &revocation, &error), error, "gatepost_token_revoke");
}

static void is_no_revocation(const gatepost_engine *engine, gatepost_revocation revocation, const char *says) {
    gatepost_error *error = NULL;
    CHECK_STATUS(GATEPOST_ERR_INVALID_ARGUMENT, gatepost_token_revoke(engine, &revocation, &error));
    CHECK(error != NULL && strstr(gatepost_error_message(error).ptr, says) != NULL);
    gatepost_error_free(error);
}

static void what_names_nothing_or_too_much_is_an_error(const gatepost_engine *engine, const char *token) {
    is_no_revocation(engine, nothing(), "exactly one");
    gatepost_revocation revocation = nothing();
    revocation.token = text(token);
    revocation.issuer = text("staff");
    is_no_revocation(engine, revocation, "itself");
    revocation.issuer = NOTHING;
    revocation.user = text("alice");
    is_no_revocation(engine, revocation, "exactly one");
    revocation = nothing();
    revocation.token_id = text("a");
    is_no_revocation(engine, revocation, "issuer is empty");
    revocation.issuer = text("nobody");
    is_no_revocation(engine, revocation, "staff");
    revocation.issuer = text("staff");
    revocation.session_id = text("b");
    is_no_revocation(engine, revocation, "exactly one");
    revocation = nothing();
    revocation.user = text("\xff");
    is_no_revocation(engine, revocation, "UTF-8");
    revocation = nothing();
    revocation.token = text("no.to.ken");
    is_no_revocation(engine, revocation, "token_malformed");
    /* A larger struct may hold a restriction that this library does not know. */
    struct {
        gatepost_revocation known;
        uint64_t more;
    } larger = {nothing(), 1};
    larger.known.struct_size = sizeof larger;
    larger.known.token = text(token);
    CHECK_STATUS(GATEPOST_ERR_UNSUPPORTED, gatepost_token_revoke(engine, &larger.known, NULL));
    is_good(engine, token);
    the_token_alone_is_wanted(engine, token);
}

int main(int argc, char **argv) {
    CHECK(argc == 2);
    gatepost_engine *engine = started(argv[1]);
    char *first = contents(argv[1], "first.jwt"), *second = contents(argv[1], "second.jwt");
    char *third = contents(argv[1], "third.jwt"), *fourth = contents(argv[1], "fourth.jwt");

    gatepost_verified *verified = NULL;
    gatepost_token_view view = verify(engine, first, &verified);
    CHECK(view.action == GATEPOST_ALLOW && view.status == 200 && view.reason == GATEPOST_REASON_ALLOWED);
    CHECK(is(view.reason_name, "allowed") && is(view.detail, "") && is(view.subject, "alice") && is(view.issuer, ""));
    CHECK(is(view.roles, "clerk") && is(view.scopes, "a b") && is(view.issuer_name, "staff"));
    CHECK(is(view.token_id, "t1") && is(view.session_id, "s1") && view.issued_at > 0 && view.expires_at > view.issued_at);
    CHECK(strstr(view.claims.ptr, "\"jti\":\"t1\"") != NULL && strlen(view.claims.ptr) == view.claims.len);
    gatepost_verified *late = NULL;
    CHECK_STATUS(GATEPOST_OK, gatepost_token_verify(engine, text(first), view.expires_at + 3600, &late, NULL));
    gatepost_token_view expired = {.struct_size = sizeof expired};
    CHECK_STATUS(GATEPOST_OK, gatepost_verified_view(late, &expired));
    CHECK(expired.reason == GATEPOST_REASON_TOKEN_EXPIRED && expired.status == 401);
    gatepost_verified_free(late);

    what_names_nothing_or_too_much_is_an_error(engine, first);

    gatepost_revocation revocation = nothing();
    revocation.token = text(first);
    revoke(engine, revocation);
    revoke(engine, revocation);
    is_refused(engine, first, GATEPOST_REASON_TOKEN_REVOKED);
    is_good(engine, second);
    revocation = nothing();
    revocation.issuer = text("staff");
    revocation.session_id = text("s1");
    revocation.until = view.expires_at;
    revoke(engine, revocation);
    is_refused(engine, second, GATEPOST_REASON_TOKEN_REVOKED);
    is_good(engine, third);
    revocation = nothing();
    revocation.issuer = text("https://staff.example.com");
    revocation.token_id = text("t3");
    revoke(engine, revocation);
    is_refused(engine, third, GATEPOST_REASON_TOKEN_REVOKED);
    is_good(engine, fourth);
    revocation = nothing();
    revocation.user = text("Alice");
    revocation.before = view.issued_at;
    revoke(engine, revocation);
    is_good(engine, fourth);
    revocation.before = 0;
    revoke(engine, revocation);
    is_refused(engine, fourth, GATEPOST_REASON_TOKEN_REVOKED);
    is_refused(engine, "no.to.ken", GATEPOST_REASON_TOKEN_MALFORMED);

    /* What was found out stays what it was. */
    gatepost_engine_free(engine);
    CHECK_STATUS(GATEPOST_OK, gatepost_verified_view(verified, &view));
    CHECK(view.action == GATEPOST_ALLOW && is(view.subject, "alice"));
    gatepost_verified_free(verified);
    free(first);
    free(second);
    free(third);
    free(fourth);
    return 0;
}
