/* NULL and {NULL, 0} in every place of every function: refused or empty, never a crash, and no output written. The test
 * that runs this also checks that no function of the library is left out here. */
#include "check.h"

#include <stdint.h>

static void done(void *data, gatepost_status status, gatepost_decision *decision) {
    (void)data, (void)status, (void)decision;
    CHECK(!"called though nothing was submitted");
}

int main(int argc, char **argv) {
    CHECK(argc == 2);
    const gatepost_status bad = GATEPOST_ERR_INVALID_ARGUMENT;
    gatepost_engine *engine = started(argv[1]), *other = NULL;
    gatepost_request request = get("/public");
    gatepost_decision *decision = NULL;
    gatepost_view view = {.struct_size = sizeof view};
    gatepost_error *error = NULL;
    gatepost_bytes *bytes = NULL;
    gatepost_pool *pool = NULL;
    gatepost_job *job = NULL;
    uint32_t yes = 7;
    uint64_t next = 7;
    const gatepost_str broken = {NULL, 1};
    const gatepost_str endless = {"x", (size_t)PTRDIFF_MAX + 1};

    CHECK(gatepost_version().len > 0);
    CHECK(gatepost_abi() == GATEPOST_ABI);
    CHECK_STATUS(GATEPOST_OK, gatepost_abi_check(gatepost_abi()));
    CHECK(gatepost_has_feature(broken) == 0);
    CHECK(gatepost_has_feature(endless) == 0);
    CHECK(gatepost_reason_name(0).len == 0);
    CHECK(gatepost_reason_text(0, 0).len == 0);
    CHECK(gatepost_reason_status(0) == 500);
    CHECK(gatepost_status_text(UINT32_MAX).len > 0);

    CHECK(gatepost_error_status(NULL) == bad);
    CHECK(gatepost_error_message(NULL).len == 0);
    CHECK(gatepost_error_file(NULL).len == 0);
    CHECK(gatepost_error_line(NULL) == 0);
    CHECK(gatepost_error_column(NULL) == 0);
    gatepost_error_free(NULL);
    CHECK(gatepost_bytes_view(NULL).len == 0);
    gatepost_bytes_free(NULL);

    CHECK_STATUS(bad, gatepost_policy_check(NOTHING, NOTHING, NULL, NULL));
    CHECK_STATUS(bad, gatepost_policy_check(broken, NOTHING, &bytes, NULL));
    CHECK_STATUS(bad, gatepost_policy_check(GATEPOST_STR("p"), broken, &bytes, &error));
    CHECK(bytes == NULL && error != NULL);
    gatepost_error_free(error);
    error = NULL;

    CHECK(gatepost_engine_new(NOTHING, NOTHING, NULL, NULL, NULL) == bad);
    CHECK(gatepost_engine_new(broken, NOTHING, NULL, &other, NULL) == bad);
    CHECK(gatepost_engine_new(NOTHING, broken, NULL, &other, NULL) == bad);
    CHECK(gatepost_engine_open(NOTHING, NULL, &other, NULL) == bad);
    CHECK(gatepost_engine_open(endless, NULL, &other, NULL) == bad);
    CHECK(gatepost_engine_open(GATEPOST_STR("a\0b"), NULL, &other, NULL) == bad);
    CHECK(gatepost_engine_open(GATEPOST_STR("x"), NULL, NULL, NULL) == bad);
    CHECK(other == NULL);
    CHECK_STATUS(bad, gatepost_engine_start(NULL, NULL));
    CHECK_STATUS(bad, gatepost_engine_start(NULL, &error));
    CHECK(strstr(gatepost_error_message(error).ptr, "NULL") != NULL);
    gatepost_error_free(error);
    error = NULL;
    CHECK_STATUS(bad, gatepost_engine_reload(NULL, NULL));
    CHECK_STATUS(bad, gatepost_engine_poll(NULL, &next, &job));
    CHECK(next == 7 && job == NULL);
    CHECK_STATUS(GATEPOST_OK, gatepost_engine_poll(engine, NULL, NULL));
    CHECK_STATUS(bad, gatepost_engine_metrics(NULL, &bytes));
    CHECK_STATUS(bad, gatepost_engine_metrics(engine, NULL));
    CHECK(bytes == NULL);
    CHECK(gatepost_engine_generation(NULL) == 0);
    CHECK(gatepost_engine_wants_body(NULL, &request) == 0);
    CHECK(gatepost_engine_wants_body(engine, NULL) == 0);
    CHECK(gatepost_engine_ref(NULL) == NULL);
    gatepost_engine_free(NULL);

    CHECK_STATUS(bad, gatepost_decide(NULL, &request, &decision, NULL));
    CHECK_STATUS(bad, gatepost_decide(engine, NULL, &decision, &job));
    CHECK_STATUS(bad, gatepost_decide(engine, &request, NULL, &job));
    CHECK_STATUS(bad, gatepost_decide_flat(NULL, NULL, NULL, 0, &decision, &job));
    CHECK_STATUS(bad, gatepost_decide_text(NULL, NULL, 0, NULL));
    CHECK_STATUS(bad, gatepost_decide_into(NULL, &request, &decision, &view));
    CHECK_STATUS(bad, gatepost_decide_into(engine, NULL, &decision, &view));
    CHECK_STATUS(bad, gatepost_decide_into(engine, &request, NULL, &view));
    CHECK_STATUS(bad, gatepost_decide_into(engine, &request, &decision, NULL));
    CHECK_STATUS(bad, gatepost_strip(NULL, &request, &decision, &view));
    CHECK_STATUS(bad, gatepost_strip(engine, NULL, NULL, &view));
    CHECK_STATUS(bad, gatepost_strip(engine, NULL, &decision, NULL));
    CHECK(decision == NULL && job == NULL && view.id.ptr == NULL);

    CHECK_STATUS(bad, gatepost_decision_view(NULL, &view));
    CHECK(view.status == 0 && view.action == GATEPOST_DENY);
    CHECK(gatepost_decision_action(NULL) == GATEPOST_DENY);
    CHECK(gatepost_decision_status(NULL) == 500);
    CHECK(gatepost_decision_reason(NULL) == GATEPOST_REASON_INTERNAL);
    CHECK(gatepost_decision_subject(NULL).len == 0);
    CHECK(gatepost_decision_id(NULL).len == 0);
    CHECK(gatepost_decision_attribute(NULL, GATEPOST_STR("subject")).len == 0);
    gatepost_decision_free(NULL);
    CHECK_STATUS(GATEPOST_OK, gatepost_decide(engine, &request, &decision, NULL));
    CHECK_STATUS(bad, gatepost_decision_view(decision, NULL));
    CHECK(gatepost_decision_attribute(decision, NOTHING).len == 0);
    CHECK(gatepost_decision_attribute(decision, broken).len == 0);

    /* A handle of another type is told from the right one. */
    CHECK(gatepost_decision_status((const gatepost_decision *)(const void *)engine) == 500);
    CHECK(gatepost_engine_generation((const gatepost_engine *)(const void *)decision) == 0);
    gatepost_engine_free((gatepost_engine *)(void *)decision);
    CHECK_STATUS(bad, gatepost_job_run((gatepost_job *)(void *)decision));
    CHECK(gatepost_decision_status(decision) == 200);

    CHECK_STATUS(bad, gatepost_job_run(NULL));
    gatepost_decision *none = NULL;
    CHECK_STATUS(bad, gatepost_job_finish(NULL, &none, &job));
    CHECK_STATUS(bad, gatepost_job_finish((gatepost_job *)(void *)decision, NULL, &job));
    CHECK(none == NULL && job == NULL);
    CHECK_STATUS(bad, gatepost_job_cancel(NULL));
    gatepost_job_free(NULL);
    gatepost_decision_free(decision);

    CHECK_STATUS(bad, gatepost_pool_new(1, 1, NULL, NULL));
    CHECK_STATUS(bad, gatepost_pool_new(0, 1, &pool, NULL));
    CHECK_STATUS(bad, gatepost_pool_new(1, 0, &pool, NULL));
    CHECK_STATUS(bad, gatepost_pool_new(257, 1, &pool, &error));
    CHECK(pool == NULL && error != NULL);
    gatepost_error_free(error);
    error = NULL;
    must(gatepost_pool_new(1, 1, &pool, &error), error, "gatepost_pool_new");
    CHECK_STATUS(bad, gatepost_pool_submit(NULL, NULL, done, NULL));
    CHECK_STATUS(bad, gatepost_pool_submit(pool, NULL, done, NULL));
    CHECK_STATUS(bad, gatepost_pool_submit(pool, NULL, NULL, NULL));
    CHECK(gatepost_pool_fd(NULL) == -1);
    CHECK(gatepost_pool_fd(pool) >= 0);
    CHECK_STATUS(bad, gatepost_pool_dispatch(NULL));
    CHECK_STATUS(GATEPOST_OK, gatepost_pool_dispatch(pool));
    gatepost_pool_free(NULL);
    gatepost_pool_free(pool);

    CHECK_STATUS(bad, gatepost_password_hash(NULL, NOTHING, &bytes, NULL));
    CHECK_STATUS(bad, gatepost_password_hash(NULL, broken, &bytes, NULL));
    CHECK_STATUS(bad, gatepost_password_hash(NULL, GATEPOST_STR("p"), NULL, NULL));
    CHECK(bytes == NULL);
    CHECK_STATUS(bad, gatepost_password_verify(NOTHING, NOTHING, NULL, NULL));
    CHECK(gatepost_password_verify(NOTHING, NOTHING, &yes, NULL) >= bad);
    CHECK_STATUS(bad, gatepost_password_verify(NOTHING, broken, &yes, &error));
    gatepost_error_free(error);
    CHECK_STATUS(bad, gatepost_password_needs_rehash(NULL, NOTHING, NULL, NULL));
    CHECK_STATUS(bad, gatepost_password_needs_rehash(NULL, broken, &yes, NULL));
    CHECK(yes == 7);

    gatepost_verified *verified = NULL;
    gatepost_token_view seen = {.struct_size = sizeof seen};
    gatepost_revocation revocation = {.struct_size = sizeof revocation};
    CHECK_STATUS(bad, gatepost_token_verify(NULL, NOTHING, 0, &verified, NULL));
    CHECK_STATUS(bad, gatepost_token_verify(engine, broken, 0, &verified, NULL));
    CHECK_STATUS(bad, gatepost_token_verify(engine, NOTHING, 0, NULL, NULL));
    CHECK(verified == NULL);
    CHECK_STATUS(bad, gatepost_verified_view(NULL, &seen));
    CHECK_STATUS(GATEPOST_OK, gatepost_token_verify(engine, NOTHING, 0, &verified, NULL));
    CHECK_STATUS(bad, gatepost_verified_view(verified, NULL));
    CHECK_STATUS(GATEPOST_OK, gatepost_verified_view(verified, &seen));
    CHECK(seen.action == GATEPOST_DENY && seen.reason == GATEPOST_REASON_TOKEN_MALFORMED && seen.subject.len == 0);
    gatepost_verified_free(verified);
    gatepost_verified_free(NULL);
    CHECK_STATUS(bad, gatepost_token_revoke(NULL, &revocation, NULL));
    CHECK_STATUS(bad, gatepost_token_revoke(engine, NULL, NULL));
    CHECK_STATUS(bad, gatepost_token_revoke(engine, &revocation, NULL));
    revocation.user = broken;
    CHECK_STATUS(bad, gatepost_token_revoke(engine, &revocation, NULL));

    gatepost_fetched fetched = {.struct_size = sizeof fetched};
    CHECK_STATUS(bad, gatepost_fetch_reply_set(NULL, &fetched));
    CHECK_STATUS(bad, gatepost_fetch_reply_set((gatepost_fetch_reply *)(void *)engine, &fetched));

    gatepost_token_request token_request = {.struct_size = sizeof token_request};
    gatepost_refresh_request refresh_request = {.struct_size = sizeof refresh_request};
    gatepost_issued issued = {.struct_size = sizeof issued};
    gatepost_tokens *tokens = NULL;
    CHECK_STATUS(bad, gatepost_token_issue(engine, NULL, &tokens, NULL));
    CHECK_STATUS(bad, gatepost_token_issue(engine, &token_request, NULL, NULL));
    CHECK_STATUS(bad, gatepost_token_issue(NULL, &token_request, &tokens, NULL));
    /* No signer in this policy, and no user. */
    CHECK_STATUS(bad, gatepost_token_issue(engine, &token_request, &tokens, NULL));
    token_request.user = broken;
    CHECK_STATUS(bad, gatepost_token_issue(engine, &token_request, &tokens, NULL));
    CHECK_STATUS(bad, gatepost_token_refresh(engine, NULL, &tokens, NULL));
    CHECK_STATUS(bad, gatepost_token_refresh(engine, &refresh_request, NULL, NULL));
    CHECK_STATUS(bad, gatepost_token_refresh(NULL, &refresh_request, &tokens, NULL));
    CHECK_STATUS(GATEPOST_ERR_REFUSED, gatepost_token_refresh(engine, &refresh_request, &tokens, NULL));
    refresh_request.token = endless;
    CHECK_STATUS(bad, gatepost_token_refresh(engine, &refresh_request, &tokens, NULL));
    CHECK_STATUS(bad, gatepost_tokens_view(NULL, &issued));
    CHECK_STATUS(bad, gatepost_tokens_view(NULL, NULL));
    CHECK(tokens == NULL && issued.access_token.ptr == NULL);
    gatepost_tokens_free(NULL);

    gatepost_engine_free(engine);
    return 0;
}
