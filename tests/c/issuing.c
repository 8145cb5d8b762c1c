/* Tokens for local users: issued, used, exchanged, exchanged again. The service has a signer with refresh tokens whose
 * grace is a minute; the route /token takes tokens alone. */
#include "check.h"

static gatepost_token_request wanted(const char *user) {
    gatepost_token_request request;
    memset(&request, 0, sizeof request);
    request.struct_size = sizeof request;
    request.user = text(user);
    return request;
}

static gatepost_refresh_request hand_in(gatepost_str token, int64_t now) {
    gatepost_refresh_request request;
    memset(&request, 0, sizeof request);
    request.struct_size = sizeof request;
    request.token = token;
    request.now = now;
    return request;
}

static gatepost_issued view(const gatepost_tokens *tokens) {
    gatepost_issued issued;
    memset(&issued, 0, sizeof issued);
    issued.struct_size = sizeof issued;
    CHECK_STATUS(GATEPOST_OK, gatepost_tokens_view(tokens, &issued));
    CHECK(issued.struct_size == sizeof issued);
    return issued;
}

static gatepost_reason decide(const gatepost_engine *engine, gatepost_str token) {
    char value[4096];
    CHECK(token.len < sizeof value - 16);
    snprintf(value, sizeof value, "Bearer %s", token.ptr);
    gatepost_header header = authorization(value);
    gatepost_request request = get("/token");
    request.headers = &header;
    request.header_count = 1;
    gatepost_decision *decision = NULL;
    CHECK_STATUS(GATEPOST_OK, gatepost_decide(engine, &request, &decision, NULL));
    gatepost_reason reason = gatepost_decision_reason(decision);
    CHECK(reason != GATEPOST_REASON_ALLOWED || is(gatepost_decision_subject(decision), "alice"));
    gatepost_decision_free(decision);
    return reason;
}

/* The error is where the call put it: arguments are evaluated in any order. */
static void refused(gatepost_status expected, gatepost_status found, gatepost_error **error, const char *why) {
    CHECK(found == expected);
    CHECK(gatepost_error_status(*error) == expected);
    CHECK(strstr(gatepost_error_message(*error).ptr, why) != NULL);
    gatepost_error_free(*error);
    *error = NULL;
}

int main(int argc, char **argv) {
    CHECK(argc == 2);
    gatepost_engine *engine = started(argv[1]);
    gatepost_tokens *tokens = NULL;
    gatepost_error *error = NULL;

    gatepost_token_request request = wanted("alice");
    must(gatepost_token_issue(engine, &request, &tokens, &error), error, "gatepost_token_issue");
    gatepost_issued issued = view(tokens);
    CHECK(is(issued.user, "alice") && issued.refresh_token.len == 0 && issued.session.len == 0 && issued.scope.len == 0);
    CHECK(issued.expires_in == 600 && issued.refresh_expires_at == 0 && issued.token_id.len == 22);
    CHECK(strstr(issued.json.ptr, "\"token_type\":\"Bearer\"") != NULL);
    CHECK(strstr(issued.json.ptr, issued.access_token.ptr) != NULL);
    CHECK(decide(engine, issued.access_token) == GATEPOST_REASON_ALLOWED);
    /* Nothing is written past a caller's older struct. */
    gatepost_issued older;
    memset(&older, 0x5a, sizeof older);
    older.struct_size = sizeof older - 1;
    CHECK_STATUS(GATEPOST_ERR_INVALID_ARGUMENT, gatepost_tokens_view(tokens, &older));
    gatepost_tokens_free(tokens);
    tokens = NULL;

    const gatepost_str scopes[] = {text("orders:read"), text("orders:write")};
    const gatepost_str audience[] = {text("orders")};
    const gatepost_str factors[] = {text("pwd")};
    request.signer = text("access");
    request.client_id = text("web");
    request.session = text("s-1");
    request.claims = text("{\"tenant\":7}");
    request.scopes = scopes;
    request.scope_count = 2;
    request.audience = audience;
    request.audience_count = 1;
    request.factors = factors;
    request.factor_count = 1;
    request.lifetime = 600;
    request.authenticated_at = 1000;
    request.flags = GATEPOST_TOKEN_REFRESH;
    must(gatepost_token_issue(engine, &request, &tokens, &error), error, "gatepost_token_issue");
    issued = view(tokens);
    CHECK(is(issued.scope, "orders:read orders:write") && is(issued.session, "s-1") && issued.expires_in == 600);
    CHECK(issued.refresh_token.len == 53 && issued.refresh_expires_at == issued.expires_at - 600 + 2592000);
    CHECK(strstr(issued.json.ptr, issued.refresh_token.ptr) != NULL);

    int64_t now = issued.expires_at - 600;
    gatepost_refresh_request refresh = hand_in(issued.refresh_token, now);
    gatepost_tokens *next = NULL;
    refused(GATEPOST_ERR_REFUSED, gatepost_token_refresh(engine, &refresh, &next, &error), &error, "another client");
    refresh.client_id = text("web");
    must(gatepost_token_refresh(engine, &refresh, &next, &error), error, "gatepost_token_refresh");
    gatepost_issued second = view(next);
    CHECK(strcmp(second.refresh_token.ptr, issued.refresh_token.ptr) != 0 && is(second.session, "s-1"));
    CHECK(decide(engine, second.access_token) == GATEPOST_REASON_ALLOWED);

    /* A tab that asked at the same time gets the same answer. */
    gatepost_tokens *same = NULL;
    refresh.now = now + 9;
    must(gatepost_token_refresh(engine, &refresh, &same, &error), error, "gatepost_token_refresh");
    gatepost_issued again = view(same);
    CHECK(strcmp(again.access_token.ptr, second.access_token.ptr) == 0);
    CHECK(strcmp(again.refresh_token.ptr, second.refresh_token.ptr) == 0 && again.expires_in == 591);
    gatepost_tokens_free(same);

    refresh = hand_in(second.refresh_token, now + 9);
    refresh.client_id = text("web");
    refresh.scopes = scopes;
    refresh.scope_count = 1;
    same = NULL;
    must(gatepost_token_refresh(engine, &refresh, &same, &error), error, "gatepost_token_refresh");
    CHECK(is(view(same).scope, "orders:read"));

    /* Later it is taken for theft, and everything of that login ends. */
    refresh = hand_in(issued.refresh_token, now + 60);
    refresh.client_id = text("web");
    gatepost_tokens *none = NULL;
    refused(GATEPOST_ERR_REFUSED, gatepost_token_refresh(engine, &refresh, &none, &error), &error, "used before");
    refresh.token = view(same).refresh_token;
    refused(GATEPOST_ERR_REFUSED, gatepost_token_refresh(engine, &refresh, &none, &error), &error, "came again");
    CHECK(decide(engine, second.access_token) == GATEPOST_REASON_TOKEN_REVOKED);
    CHECK(none == NULL);
    gatepost_tokens_free(same);
    gatepost_tokens_free(next);
    gatepost_tokens_free(tokens);

    /* What cannot be issued says why; nothing is written. */
    request = wanted("nobody");
    refused(GATEPOST_ERR_CONFLICT, gatepost_token_issue(engine, &request, &none, &error), &error, "no user named nobody");
    request = wanted("alice");
    request.lifetime = 601;
    refused(GATEPOST_ERR_INVALID_ARGUMENT, gatepost_token_issue(engine, &request, &none, &error), &error, "601");
    request = wanted("alice");
    request.flags = 2;
    refused(GATEPOST_ERR_UNSUPPORTED, gatepost_token_issue(engine, &request, &none, &error), &error, "flags");
    request = wanted("\xff");
    refused(GATEPOST_ERR_INVALID_ARGUMENT, gatepost_token_issue(engine, &request, &none, &error), &error, "UTF-8");
    request = wanted("alice");
    request.scope_count = 1;
    CHECK_STATUS(GATEPOST_ERR_INVALID_ARGUMENT, gatepost_token_issue(engine, &request, &none, NULL));
    CHECK_STATUS(GATEPOST_ERR_INVALID_ARGUMENT, gatepost_token_issue(engine, NULL, &none, NULL));
    CHECK_STATUS(GATEPOST_ERR_INVALID_ARGUMENT, gatepost_token_issue(NULL, &request, &none, NULL));
    CHECK_STATUS(GATEPOST_ERR_INVALID_ARGUMENT, gatepost_token_issue(engine, &request, NULL, NULL));
    refresh = hand_in(NOTHING, 0);
    refused(GATEPOST_ERR_REFUSED, gatepost_token_refresh(engine, &refresh, &none, &error), &error, "invalid_grant");
    refresh.flags = 1;
    CHECK_STATUS(GATEPOST_ERR_UNSUPPORTED, gatepost_token_refresh(engine, &refresh, &none, NULL));
    CHECK_STATUS(GATEPOST_ERR_INVALID_ARGUMENT, gatepost_token_refresh(engine, NULL, &none, NULL));
    CHECK_STATUS(GATEPOST_ERR_INVALID_ARGUMENT, gatepost_tokens_view(NULL, &issued));
    CHECK(none == NULL);
    gatepost_tokens_free(NULL);

    gatepost_engine_free(engine);
    return 0;
}
