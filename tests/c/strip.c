/* What must not reach the application of requests about which nothing is decided: known before the engine is started. */
#include "check.h"

static const char POLICY[] =
    "[engine]\nname = \"strip\"\nstate = \":memory:\"\nunmatched = \"pass\"\nschemes = [\"basic\"]\n"
    "[identity]\nsubject = \"X-Auth-Subject\"\nroles = \"X-Auth-Roles\"\n"
    "[[route]]\npath = \"/private\"\n"
    "[[route]]\npath = \"/public\"\naccess = \"public\"\n"
    "[[route]]\npath = \"/read\"\naccess = \"public\"\nmethods = [\"GET\"]\n";

static gatepost_engine *made(void) {
    gatepost_engine *engine = NULL;
    gatepost_error *error = NULL;
    must(gatepost_engine_new(text(POLICY), NOTHING, NULL, &engine, &error), error, "gatepost_engine_new");
    return engine;
}

static int has(const gatepost_view *view, const char *name) {
    int found = 0;
    for (size_t i = 0; i < view->strip_count; i++) {
        found += is(view->strip[i], name);
    }
    CHECK(found <= 1);
    return found;
}

/* Whoever takes it for a decision lets nobody in, and names nobody. */
static void nobody_is_let_in(const gatepost_view *view, uint32_t status, gatepost_reason reason) {
    CHECK(view->action == GATEPOST_DENY && view->status == status && view->reason == reason);
    CHECK(view->subject.len == 0 && view->scheme.len == 0 && view->id.len == 0 && view->body.len == 0);
    CHECK(view->response_header_count == 0 && view->upstream_header_count == 0);
}

static void the_names_are_known_without_a_request(const gatepost_engine *engine) {
    gatepost_decision *decision = NULL;
    gatepost_view view = {.struct_size = sizeof view};
    CHECK_STATUS(GATEPOST_OK, gatepost_strip(engine, NULL, &decision, &view));
    nobody_is_let_in(&view, 500, GATEPOST_REASON_INTERNAL);
    CHECK(view.strip_count == 2 && has(&view, "X-Auth-Subject") && has(&view, "X-Auth-Roles"));
    gatepost_decision_free(decision);
}

static gatepost_header field(const char *name, const char *value) { return (gatepost_header){text(name), text(value), 0, 0}; }

struct asked {
    const char *target; /* a method may stand before it */
    gatepost_header fields[4];
    const char *stripped, *left; /* one that goes, and one that stays; NULL: none to look for */
    uint32_t status;
    gatepost_reason reason;
};

static const struct asked *requests(size_t *count) {
    static struct asked all[16];
    const struct asked here[] = {
        {"/public", {field("X_auth.SUBJECT", "evil"), field("X-Author", "Ann")}, "X_auth.SUBJECT", "X-Author", 500, GATEPOST_REASON_INTERNAL},
        {"/private", {field("Connection", "x_auth_roles")}, "Connection", NULL, 500, GATEPOST_REASON_INTERNAL},
        {"/private", {field("Connection", "close, x_auth_roles")}, "x_auth_roles", "Connection", 500, GATEPOST_REASON_INTERNAL},
        {"/read", {field("X-HTTP-Method-Override", "DELETE")}, "X-HTTP-Method-Override", NULL, 500, GATEPOST_REASON_INTERNAL},
        {"/public", {field("X-HTTP-Method-Override", "DELETE")}, NULL, "X-HTTP-Method-Override", 500, GATEPOST_REASON_INTERNAL},
        {"/elsewhere", {field("X-HTTP-Method-Override", "DELETE")}, NULL, "X-HTTP-Method-Override", 500, GATEPOST_REASON_INTERNAL},
        {"/public", {field("Host", "other.example"), field("X-HTTP-Method-Override", "DELETE")}, "X-HTTP-Method-Override", NULL, 500, GATEPOST_REASON_INTERNAL},
        {"/public", {field("Host", "orders.example.com"), field("Host", "orders.example.com."), field("X-HTTP-Method", "DELETE")}, "X-HTTP-Method", NULL, 500, GATEPOST_REASON_INTERNAL},
        {"/public", {field("Host", "Orders.Example.com"), field("X-HTTP-Method", "DELETE")}, NULL, "X-HTTP-Method", 500, GATEPOST_REASON_INTERNAL},
        {"POST /read", {field("X-HTTP-Method", "DELETE")}, "X-HTTP-Method", NULL, 500, GATEPOST_REASON_INTERNAL},
        {"/public/%2e%2e/read", {field("X-Method-Override", "DELETE")}, "X-Method-Override", NULL, 500, GATEPOST_REASON_INTERNAL},
        {"/public", {field("X Auth", "evil"), field("X-HTTP-Method", "DELETE")}, "X-HTTP-Method", NULL, 400, GATEPOST_REASON_REQUEST_MALFORMED},
        {"/public", {field("X Auth", "evil"), field("x-auth_roles", "admin")}, "x-auth_roles", "X Auth", 400, GATEPOST_REASON_REQUEST_MALFORMED},
    };
    *count = sizeof here / sizeof *here;
    memcpy(all, here, sizeof here);
    return all;
}

static gatepost_request described(const struct asked *asked) {
    const char *blank = strchr(asked->target, ' ');
    gatepost_request request = get(blank == NULL ? asked->target : blank + 1);
    if (blank != NULL) {
        request.method.ptr = asked->target;
        request.method.len = (size_t)(blank - asked->target);
    }
    request.headers = asked->fields;
    while (request.header_count < 4 && asked->fields[request.header_count].name.ptr != NULL) {
        request.header_count++;
    }
    return request;
}

static void of_each_request_it_is_known_what_goes(const gatepost_engine *engine) {
    size_t count;
    const struct asked *all = requests(&count);
    for (size_t i = 0; i < count; i++) {
        gatepost_request request = described(&all[i]);
        gatepost_decision *decision = NULL;
        gatepost_view view = {.struct_size = sizeof view};
        CHECK_STATUS(GATEPOST_OK, gatepost_strip(engine, &request, &decision, &view));
        nobody_is_let_in(&view, all[i].status, all[i].reason);
        CHECK(has(&view, "X-Auth-Subject") && has(&view, "X-Auth-Roles"));
        CHECK(all[i].stripped == NULL || has(&view, all[i].stripped));
        CHECK(all[i].left == NULL || !has(&view, all[i].left));
        gatepost_decision_free(decision);
    }
}

/* Once it can be decided, the decision says the same, whatever it is. */
static void decisions_have_the_same_list(const gatepost_engine *engine) {
    size_t count;
    const struct asked *all = requests(&count);
    for (size_t i = 0; i < count; i++) {
        gatepost_request request = described(&all[i]);
        gatepost_decision *decision = NULL, *undecided = NULL;
        gatepost_view view = {.struct_size = sizeof view}, bare = {.struct_size = sizeof bare};
        CHECK_STATUS(GATEPOST_OK, gatepost_decide_into(engine, &request, &decision, &view));
        CHECK_STATUS(GATEPOST_OK, gatepost_strip(engine, &request, &undecided, &bare));
        CHECK(view.strip_count == bare.strip_count);
        for (size_t n = 0; n < bare.strip_count; n++) {
            CHECK(has(&view, bare.strip[n].ptr));
        }
        CHECK(view.id.len > 0 && view.generation == bare.generation);
        gatepost_decision_free(decision);
        gatepost_decision_free(undecided);
    }
}

static void what_is_no_request_is_refused(const gatepost_engine *engine) {
    gatepost_request request = get("/public");
    gatepost_decision *decision = NULL;
    gatepost_view view = {.struct_size = sizeof view};
    request.flags = 0x80000000;
    CHECK_STATUS(GATEPOST_ERR_UNSUPPORTED, gatepost_strip(engine, &request, &decision, &view));
    request.flags = 0;
    request.struct_size = 8;
    CHECK_STATUS(GATEPOST_ERR_INVALID_ARGUMENT, gatepost_strip(engine, &request, &decision, &view));
    request.struct_size = sizeof request;
    view.struct_size = 8;
    CHECK_STATUS(GATEPOST_ERR_INVALID_ARGUMENT, gatepost_strip(engine, NULL, &decision, &view));
    CHECK(decision == NULL && view.strip == NULL);
}

int main(int argc, char **argv) {
    CHECK(argc == 2 && argv[1] != NULL);
    gatepost_engine *engine = made();
    gatepost_request request = get("/public");
    gatepost_decision *decision = NULL;
    CHECK_STATUS(GATEPOST_ERR_NOT_STARTED, gatepost_decide(engine, &request, &decision, NULL));
    the_names_are_known_without_a_request(engine);
    of_each_request_it_is_known_what_goes(engine);
    what_is_no_request_is_refused(engine);

    must(gatepost_engine_start(engine, NULL), NULL, "gatepost_engine_start");
    the_names_are_known_without_a_request(engine);
    decisions_have_the_same_list(engine);
    gatepost_engine_free(engine);
    return 0;
}
