/* Structs of callers who are older and newer than the library, and requests that are wrong at the level of C. */
#include "check.h"

#include <stddef.h>
#include <stdint.h>

static gatepost_status ask(const gatepost_engine *engine, const gatepost_request *request) {
    gatepost_decision *decision = NULL;
    gatepost_status status = gatepost_decide(engine, request, &decision, NULL);
    CHECK((status == GATEPOST_OK) == (decision != NULL));
    gatepost_decision_free(decision);
    return status;
}

static void requests_of_other_sizes(const gatepost_engine *engine) {
    gatepost_request request = get("/public");
    CHECK_STATUS(GATEPOST_OK, ask(engine, &request));
    const size_t wrong[] = {0, 1, sizeof(size_t), offsetof(gatepost_request, user), SIZE_MAX};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        request.struct_size = wrong[i];
        CHECK_STATUS(GATEPOST_ERR_INVALID_ARGUMENT, ask(engine, &request));
    }

    struct {
        gatepost_request known;
        uint32_t restriction;
        uint32_t more;
    } newer;
    memset(&newer, 0, sizeof newer);
    newer.known = get("/public");
    newer.known.struct_size = sizeof newer;
    CHECK_STATUS(GATEPOST_OK, ask(engine, &newer.known));
    newer.more = 1;
    CHECK_STATUS(GATEPOST_ERR_UNSUPPORTED, ask(engine, &newer.known));
}

static void options_of_other_sizes(void) {
    const gatepost_str policy = GATEPOST_STR("[engine]\nstate = \":memory:\"\n[[route]]\npath = \"/\"\naccess = \"public\"\n");
    gatepost_engine *engine = NULL;
    gatepost_options options;
    memset(&options, 0, sizeof options);
    CHECK_STATUS(GATEPOST_ERR_INVALID_ARGUMENT, gatepost_engine_new(policy, NOTHING, &options, &engine, NULL));
    struct {
        gatepost_options known;
        uint64_t more;
    } newer;
    memset(&newer, 0, sizeof newer);
    newer.known.struct_size = sizeof newer;
    must(gatepost_engine_new(policy, NOTHING, &newer.known, &engine, NULL), NULL, "a newer caller");
    gatepost_engine_free(engine);
    engine = NULL;
    newer.more = 1;
    CHECK_STATUS(GATEPOST_ERR_UNSUPPORTED, gatepost_engine_new(policy, NOTHING, &newer.known, &engine, NULL));
    newer.more = 0;
    newer.known.reserved = 1;
    CHECK_STATUS(GATEPOST_ERR_UNSUPPORTED, gatepost_engine_new(policy, NOTHING, &newer.known, &engine, NULL));
    CHECK(engine == NULL);
}

static void views_of_other_sizes(const gatepost_engine *engine) {
    gatepost_request request = get("/private");
    gatepost_decision *decision = NULL;
    CHECK_STATUS(GATEPOST_OK, gatepost_decide(engine, &request, &decision, NULL));

    union {
        gatepost_view view;
        unsigned char bytes[sizeof(gatepost_view) + 32];
    } place;
    /* A newer caller: what we do not know is zero, what lies behind his struct is not touched. */
    memset(&place, 0xAA, sizeof place);
    place.view.struct_size = sizeof(gatepost_view) + 16;
    CHECK_STATUS(GATEPOST_OK, gatepost_decision_view(decision, &place.view));
    CHECK(place.view.struct_size == sizeof(gatepost_view) + 16);
    CHECK(place.view.status == 401);
    for (size_t i = sizeof(gatepost_view); i < sizeof place; i++) {
        CHECK(place.bytes[i] == (i < sizeof(gatepost_view) + 16 ? 0 : 0xAA));
    }
    /* Too short for the first release: nothing is written. */
    memset(&place, 0xAA, sizeof place);
    place.view.struct_size = sizeof(gatepost_view) - 1;
    CHECK_STATUS(GATEPOST_ERR_INVALID_ARGUMENT, gatepost_decision_view(decision, &place.view));
    for (size_t i = sizeof(size_t); i < sizeof place; i++) {
        CHECK(place.bytes[i] == 0xAA);
    }
    gatepost_decision *other = NULL;
    CHECK_STATUS(GATEPOST_ERR_INVALID_ARGUMENT, gatepost_decide_into(engine, &request, &other, &place.view));
    CHECK(other == NULL);
    gatepost_decision_free(decision);
}

static void requests_that_are_wrong_in_c(const gatepost_engine *engine) {
    const gatepost_status bad = GATEPOST_ERR_INVALID_ARGUMENT;
    const size_t strings[] = {
        offsetof(gatepost_request, method),          offsetof(gatepost_request, target),
        offsetof(gatepost_request, host),            offsetof(gatepost_request, peer),
        offsetof(gatepost_request, request_id),      offsetof(gatepost_request, client_cert_der),
        offsetof(gatepost_request, body),            offsetof(gatepost_request, header_block),
    };
    const gatepost_str wrong[] = {{NULL, 1}, {"x", (size_t)PTRDIFF_MAX + 1}, {"x", SIZE_MAX}};
    for (size_t i = 0; i < sizeof strings / sizeof *strings; i++) {
        for (size_t j = 0; j < sizeof wrong / sizeof *wrong; j++) {
            gatepost_request request = get("/public");
            memcpy((char *)&request + strings[i], &wrong[j], sizeof wrong[j]);
            CHECK_STATUS(bad, ask(engine, &request));
        }
    }

    gatepost_header header = authorization(RIGHT);
    gatepost_request request = get("/public");
    request.header_count = 1;
    CHECK_STATUS(bad, ask(engine, &request));
    request.headers = &header;
    CHECK_STATUS(GATEPOST_OK, ask(engine, &request));
    request.header_count = SIZE_MAX / sizeof header + 2;
    CHECK_STATUS(bad, ask(engine, &request));
    request.header_count = 1;
    request.header_block = GATEPOST_STR("Accept: */*\r\n");
    CHECK_STATUS(bad, ask(engine, &request));
    request.header_block = NOTHING;
    header.name = (gatepost_str){NULL, 4};
    CHECK_STATUS(bad, ask(engine, &request));
    header = authorization(RIGHT);
    header.reserved = 1;
    CHECK_STATUS(GATEPOST_ERR_UNSUPPORTED, ask(engine, &request));

    const char *blocks[] = {"A: b", "A: b\n", "A: b\r\n folded\r\n", "no colon\r\n", "A: b\nC: d\r\n"};
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) {
        request = get("/public");
        request.header_block = text(blocks[i]);
        CHECK_STATUS(bad, ask(engine, &request));
    }

    request = get("/public");
    request.flags = GATEPOST_REQUEST_TLS | GATEPOST_REQUEST_BODY_COMPLETE | GATEPOST_REQUEST_CERT_VERIFIED;
    CHECK_STATUS(GATEPOST_OK, ask(engine, &request));
    request.flags = 8;
    CHECK_STATUS(GATEPOST_ERR_UNSUPPORTED, ask(engine, &request));
}

/* What is wrong as HTTP is no error of the call but a refusal. */
static void requests_that_are_wrong_as_http(const gatepost_engine *engine) {
    const char *targets[] = {"", "/a b", "//public", "/%zz", "/../..", "/public\n"};
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        gatepost_request request = get(targets[i]);
        gatepost_decision *decision = NULL;
        CHECK_STATUS(GATEPOST_OK, gatepost_decide(engine, &request, &decision, NULL));
        CHECK(gatepost_decision_status(decision) == 400);
        CHECK(gatepost_decision_action(decision) == GATEPOST_DENY);
        gatepost_decision_free(decision);
    }
    gatepost_request zero;
    memset(&zero, 0, sizeof zero);
    zero.struct_size = sizeof zero;
    gatepost_decision *decision = NULL;
    CHECK_STATUS(GATEPOST_OK, gatepost_decide(engine, &zero, &decision, NULL));
    CHECK(gatepost_decision_action(decision) == GATEPOST_DENY);
    CHECK(gatepost_decision_status(decision) == 400);
    gatepost_decision_free(decision);
}

int main(int argc, char **argv) {
    CHECK(argc == 2);
    gatepost_engine *engine = started(argv[1]);
    requests_of_other_sizes(engine);
    options_of_other_sizes();
    views_of_other_sizes(engine);
    requests_that_are_wrong_in_c(engine);
    requests_that_are_wrong_as_http(engine);
    gatepost_engine_free(engine);
    return 0;
}
