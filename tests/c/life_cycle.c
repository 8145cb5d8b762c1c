/* From a policy to a decision and back to nothing, with every object ended in an order that looks wrong. */
#include "check.h"

static int finalized;

static void finalizer(void *data) {
    CHECK(*(int64_t *)data != 0);
    finalized++;
}

static int64_t host_clock(void *data) { return *(int64_t *)data; }

static void versions_match(void) {
    char version[64];
    snprintf(version, sizeof version, "%d.%d.%d", GATEPOST_VERSION_MAJOR, GATEPOST_VERSION_MINOR,
             GATEPOST_VERSION_PATCH);
    CHECK(is(gatepost_version(), GATEPOST_VERSION));
    CHECK(is(gatepost_version(), version));
    CHECK(gatepost_abi() == GATEPOST_ABI);
    CHECK_STATUS(GATEPOST_OK, gatepost_abi_check(GATEPOST_ABI));
    CHECK_STATUS(GATEPOST_ERR_UNSUPPORTED, gatepost_abi_check(GATEPOST_ABI + 1));
    CHECK(gatepost_has_feature(GATEPOST_STR("basic")) == 1);
    CHECK(gatepost_has_feature(GATEPOST_STR("telepathy")) == 0);
    CHECK(gatepost_has_feature(NOTHING) == 0);
}

static void a_public_route_is_let_in(const gatepost_engine *engine) {
    gatepost_request request = get("/public");
    gatepost_decision *decision = NULL;
    gatepost_job *job = (gatepost_job *)&request;
    CHECK_STATUS(GATEPOST_OK, gatepost_decide(engine, &request, &decision, &job));
    CHECK(job == NULL);
    CHECK(gatepost_decision_action(decision) == GATEPOST_ALLOW);
    CHECK(gatepost_decision_status(decision) == 200);
    CHECK(gatepost_decision_reason(decision) == GATEPOST_REASON_PUBLIC);
    CHECK(is(gatepost_decision_subject(decision), ""));
    CHECK(gatepost_decision_id(decision).len > 0);
    gatepost_decision_free(decision);
}

static void nobody_gets_in_without_credentials(const gatepost_engine *engine) {
    gatepost_request request = get("/private");
    request.request_id = text("request-7");
    gatepost_header forged = {text("x_auth-subject"), text("root"), 0, 0};
    request.headers = &forged;
    request.header_count = 1;
    gatepost_decision *decision = NULL;
    gatepost_view view = {.struct_size = sizeof view};
    CHECK_STATUS(GATEPOST_OK, gatepost_decide_into(engine, &request, &decision, &view));
    CHECK(view.struct_size == sizeof view);
    CHECK(view.action == GATEPOST_DENY && view.status == 401);
    CHECK(view.reason == GATEPOST_REASON_CREDENTIALS_MISSING);
    CHECK(is(view.reason_name, "credentials_missing"));
    CHECK(is(view.id, "request-7"));
    CHECK(is(view.subject, "") && is(view.issuer, ""));
    CHECK(view.upstream_header_count == 0 && view.upstream_headers == NULL);
    CHECK(view.generation == 1);
    int challenged = 0, stripped = 0;
    for (size_t i = 0; i < view.response_header_count; i++) {
        const gatepost_header *header = &view.response_headers[i];
        CHECK(header->name.ptr[header->name.len] == '\0' && header->value.ptr[header->value.len] == '\0');
        CHECK(header->mode <= GATEPOST_HEADER_SET_IF_ABSENT);
        challenged += is(header->name, "WWW-Authenticate") && strstr(header->value.ptr, "Basic") != NULL;
    }
    for (size_t i = 0; i < view.strip_count; i++) {
        stripped += is(view.strip[i], "x_auth-subject");
    }
    CHECK(challenged == 1);
    CHECK(stripped == 1);
    CHECK(view.body.len > 0);

    gatepost_view again = {.struct_size = sizeof again};
    CHECK_STATUS(GATEPOST_OK, gatepost_decision_view(decision, &again));
    CHECK(memcmp(&view, &again, sizeof view) == 0);
    gatepost_decision_free(decision);
}

static gatepost_decision *alice(const gatepost_engine *engine, const char *target, const char *credentials) {
    gatepost_request request = get(target);
    gatepost_header header = authorization(credentials);
    request.headers = &header;
    request.header_count = 1;
    gatepost_decision *decision = NULL;
    CHECK_STATUS(GATEPOST_OK, gatepost_decide(engine, &request, &decision, NULL));
    return decision;
}

static void passwords_decide(const gatepost_engine *engine) {
    gatepost_decision *wrong = alice(engine, "/private", WRONG);
    CHECK(gatepost_decision_status(wrong) == 401);
    CHECK(gatepost_decision_reason(wrong) == GATEPOST_REASON_CREDENTIALS_INVALID);
    CHECK(is(gatepost_decision_attribute(wrong, GATEPOST_STR("roles")), ""));

    gatepost_decision *right = alice(engine, "/private", RIGHT);
    CHECK(gatepost_decision_action(right) == GATEPOST_ALLOW);
    CHECK(is(gatepost_decision_subject(right), "alice"));
    CHECK(is(gatepost_decision_attribute(right, GATEPOST_STR("subject")), "alice"));
    CHECK(is(gatepost_decision_attribute(right, GATEPOST_STR("issuer")), ""));
    CHECK(is(gatepost_decision_attribute(right, GATEPOST_STR("scheme")), "basic"));
    CHECK(is(gatepost_decision_attribute(right, GATEPOST_STR("roles")), "clerk"));
    CHECK(is(gatepost_decision_attribute(right, GATEPOST_STR("scopes")), ""));
    CHECK(is(gatepost_decision_attribute(right, GATEPOST_STR("reason")), "allowed"));
    CHECK(gatepost_decision_attribute(right, GATEPOST_STR("id")).len == gatepost_decision_id(right).len);
    CHECK(gatepost_decision_attribute(right, GATEPOST_STR("shoe size")).len == 0);

    gatepost_decision *admin = alice(engine, "/admin", RIGHT);
    CHECK(gatepost_decision_status(admin) == 403);
    CHECK(gatepost_decision_reason(admin) == GATEPOST_REASON_ROLE_MISSING);

    gatepost_decision *odd = alice(engine, "/private/..%2fadmin", RIGHT);
    CHECK(gatepost_decision_status(odd) == 400);

    gatepost_decision_free(right);
    gatepost_decision_free(wrong);
    gatepost_decision_free(odd);
    gatepost_decision_free(admin);
}

static void a_header_block_is_as_good_as_an_array(const gatepost_engine *engine) {
    gatepost_request request = get("/private");
    request.header_block = text("Accept: */*\r\nAuthorization:  " RIGHT " \r\n");
    gatepost_decision *decision = NULL;
    CHECK_STATUS(GATEPOST_OK, gatepost_decide(engine, &request, &decision, NULL));
    CHECK(is(gatepost_decision_subject(decision), "alice"));
    gatepost_decision_free(decision);
}

static void decisions_outlive_the_engine(const char *folder) {
    gatepost_engine *first = started(folder);
    gatepost_engine *second = gatepost_engine_ref(first);
    CHECK(second != NULL);
    gatepost_engine_free(first);
    gatepost_decision *decision = alice(second, "/private", RIGHT);
    gatepost_view view = {.struct_size = sizeof view};
    CHECK_STATUS(GATEPOST_OK, gatepost_decision_view(decision, &view));
    gatepost_engine_free(second);
    CHECK(is(view.subject, "alice"));
    CHECK(is(gatepost_decision_subject(decision), "alice"));
    CHECK(view.upstream_header_count > 0);
    gatepost_decision_free(decision);
}

static void the_hosts_clock_is_asked_and_its_data_ended_once(const char *folder) {
    char *path = in_folder(folder, "policy.toml");
    int64_t now = 1700000000;
    gatepost_options options;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.clock = host_clock;
    options.clock_data = &now;
    options.clock_finalizer = finalizer;
    options.hashing_memory = 64 * 1024 * 1024;
    gatepost_engine *engine = NULL;
    gatepost_error *error = NULL;

    must(gatepost_engine_open(text(path), &options, &engine, &error), error, "with options");
    CHECK(finalized == 0);
    gatepost_engine *other = gatepost_engine_ref(engine);
    gatepost_engine_free(engine);
    CHECK(finalized == 0);
    gatepost_engine_free(other);
    CHECK(finalized == 1);

    engine = NULL;
    CHECK_STATUS(GATEPOST_ERR_POLICY, gatepost_engine_new(GATEPOST_STR("nonsense"), NOTHING, &options, &engine, NULL));
    CHECK(engine == NULL && finalized == 2);
    options.flags = 0x80000000u;
    CHECK_STATUS(GATEPOST_ERR_UNSUPPORTED, gatepost_engine_open(text(path), &options, &engine, NULL));
    CHECK(engine == NULL && finalized == 3);
    options.flags = GATEPOST_OPTION_READ_ONLY;
    CHECK_STATUS(GATEPOST_ERR_INVALID_ARGUMENT, gatepost_engine_open(text(path), &options, NULL, NULL));
    CHECK(finalized == 4);
    must(gatepost_engine_open(text(path), &options, &engine, NULL), NULL, "read only");
    gatepost_engine_free(engine);
    CHECK(finalized == 5);
    free(path);
}

static void a_broken_policy_keeps_the_old_one(const char *folder) {
    char *path = in_folder(folder, "changing.toml");
    const char *good = "[[route]]\npath = \"/public\"\naccess = \"public\"\n[engine]\nstate = \":memory:\"\n";
    const char *bad = "[[route]]\npath = \"/public\"\naccess = \"pubic\"\nschemes = [\"basic\"]\n";
    FILE *file = fopen(path, "w");
    CHECK(file != NULL && fputs(good, file) >= 0 && fclose(file) == 0);
    gatepost_engine *engine = NULL;
    gatepost_error *error = NULL;
    must(gatepost_engine_open(text(path), NULL, &engine, &error), error, "changing.toml");
    must(gatepost_engine_start(engine, &error), error, "start");
    must(gatepost_engine_start(engine, &error), error, "a second start does nothing");
    CHECK(gatepost_engine_generation(engine) == 1);
    must(gatepost_engine_reload(engine, &error), error, "reload");
    CHECK(gatepost_engine_generation(engine) == 2);

    file = fopen(path, "w");
    CHECK(file != NULL && fputs(bad, file) >= 0 && fclose(file) == 0);
    CHECK_STATUS(GATEPOST_ERR_POLICY, gatepost_engine_reload(engine, &error));
    CHECK(gatepost_error_status(error) == GATEPOST_ERR_POLICY);
    CHECK(gatepost_error_line(error) == 3);
    CHECK(gatepost_error_column(error) > 0);
    CHECK(strstr(gatepost_error_message(error).ptr, "pubic") != NULL);
    CHECK(is(gatepost_error_file(error), path));
    gatepost_error_free(error);
    CHECK(gatepost_engine_generation(engine) == 2);
    a_public_route_is_let_in(engine);
    gatepost_engine_free(engine);
    CHECK(remove(path) == 0);
    free(path);
}

static void an_engine_can_be_made_of_text(void) {
    gatepost_engine *engine = NULL;
    gatepost_error *error = NULL;
    const char *policy = "[engine]\nstate = \":memory:\"\n[[route]]\npath = \"/public\"\naccess = \"public\"\n";
    must(gatepost_engine_new(text(policy), NOTHING, NULL, &engine, &error), error, "gatepost_engine_new");
    gatepost_request request = get("/public");
    gatepost_decision *decision = NULL;
    CHECK_STATUS(GATEPOST_ERR_NOT_STARTED, gatepost_decide(engine, &request, &decision, NULL));
    CHECK(decision == NULL);
    must(gatepost_engine_start(engine, &error), error, "gatepost_engine_start");
    a_public_route_is_let_in(engine);
    CHECK(gatepost_engine_wants_body(engine, &request) == 0);
    CHECK(gatepost_engine_reload(engine, NULL) >= GATEPOST_ERR_INVALID_ARGUMENT);
    a_public_route_is_let_in(engine);
    gatepost_engine_free(engine);
}

static void a_policy_can_be_checked_alone(const char *folder) {
    char *path = in_folder(folder, "policy.toml");
    gatepost_bytes *report = NULL;
    gatepost_error *error = NULL;
    must(gatepost_policy_check(text(path), NOTHING, &report, &error), error, "gatepost_policy_check");
    CHECK(report != NULL && gatepost_bytes_view(report).ptr[gatepost_bytes_view(report).len] == '\0');
    gatepost_bytes_free(report);
    report = NULL;
    CHECK_STATUS(GATEPOST_ERR_POLICY,
                 gatepost_policy_check(text(path), GATEPOST_STR("[engine]\nnmae = \"x\"\n"), &report, &error));
    CHECK(report == NULL);
    CHECK(gatepost_error_line(error) == 2);
    CHECK(strstr(gatepost_error_message(error).ptr, "nmae") != NULL);
    gatepost_error_free(error);
    error = NULL;
    CHECK_STATUS(GATEPOST_ERR_POLICY, gatepost_policy_check(text("/nonexistent/policy.toml"), NOTHING, NULL, &error));
    CHECK(strstr(gatepost_error_message(error).ptr, "/nonexistent/policy.toml") != NULL);
    gatepost_error_free(error);
    free(path);
}

int main(int argc, char **argv) {
    CHECK(argc == 2);
    versions_match();
    an_engine_can_be_made_of_text();
    a_policy_can_be_checked_alone(argv[1]);
    gatepost_engine *engine = started(argv[1]);
    a_public_route_is_let_in(engine);
    nobody_gets_in_without_credentials(engine);
    passwords_decide(engine);
    a_header_block_is_as_good_as_an_array(engine);
    gatepost_engine_free(engine);
    decisions_outlive_the_engine(argv[1]);
    the_hosts_clock_is_asked_and_its_data_ended_once(argv[1]);
    a_broken_policy_keeps_the_old_one(argv[1]);
    return 0;
}
