/* A decision in the caller's own memory says what its view says; where it does not fit it is handed out. */
#include "check.h"

#include <stddef.h>

typedef union {
    gatepost_flat flat;
    unsigned char bytes[4096];
} place;

/* Takes the strings up one after the other, as the header lays them out. */
typedef struct {
    const unsigned char *numbers, *strings;
} reader;

static uint32_t number(reader *from) {
    uint32_t value;
    memcpy(&value, from->numbers, sizeof value);
    from->numbers += sizeof value;
    return value;
}

static void same(reader *from, uint32_t length, gatepost_str expected) {
    CHECK(length == expected.len);
    CHECK(length == 0 || memcmp(from->strings, expected.ptr, length) == 0);
    from->strings += length;
}

static void same_fields(reader *from, uint32_t count, const gatepost_header *expected, size_t expected_count) {
    CHECK(count == expected_count);
    for (size_t i = 0; i < count; i++) {
        uint32_t name = number(from), value = number(from);
        same(from, name, expected[i].name);
        same(from, value, expected[i].value);
        CHECK(number(from) == expected[i].mode);
    }
}

/* All of it against the same request's decision, whose id is the request's own. */
static void says_the_same(const place *place, const gatepost_decision *decision) {
    const gatepost_flat *flat = &place->flat;
    gatepost_view view = {.struct_size = sizeof view};
    CHECK_STATUS(GATEPOST_OK, gatepost_decision_view(decision, &view));
    CHECK(flat->action == view.action && flat->status == view.status && flat->reason == view.reason);
    CHECK(flat->retry_after == view.retry_after && flat->generation == view.generation);
    CHECK(flat->head == sizeof *flat && flat->size >= flat->head && flat->size <= sizeof *place);
    uint32_t fields = flat->response_header_count + flat->upstream_header_count;
    reader from = {place->bytes + flat->head, place->bytes + flat->head};
    from.strings += (fields * 3 + flat->strip_count) * sizeof(uint32_t);
    same(&from, flat->subject, view.subject);
    same(&from, flat->issuer, view.issuer);
    same(&from, flat->scheme, view.scheme);
    same(&from, flat->roles, gatepost_decision_attribute(decision, GATEPOST_STR("roles")));
    same(&from, flat->scopes, gatepost_decision_attribute(decision, GATEPOST_STR("scopes")));
    same_fields(&from, flat->response_header_count, view.response_headers, view.response_header_count);
    same_fields(&from, flat->upstream_header_count, view.upstream_headers, view.upstream_header_count);
    CHECK(flat->strip_count == view.strip_count);
    for (size_t i = 0; i < flat->strip_count; i++) {
        same(&from, number(&from), view.strip[i]);
    }
    same(&from, flat->body, view.body);
    same(&from, flat->id, view.id);
    CHECK(from.strings == place->bytes + flat->size);
}

static void agrees(const gatepost_engine *engine, const gatepost_request *request, uint32_t status) {
    gatepost_decision *decision = NULL, *none = (gatepost_decision *)&decision;
    gatepost_job *job = (gatepost_job *)&decision;
    place place;
    memset(&place, 0xAA, sizeof place);
    CHECK_STATUS(GATEPOST_OK, gatepost_decide(engine, request, &decision, NULL));
    CHECK_STATUS(GATEPOST_OK, gatepost_decide_flat(engine, request, &place.flat, sizeof place, &none, &job));
    CHECK(none == NULL && job == NULL && place.flat.status == status);
    says_the_same(&place, decision);
    for (size_t i = place.flat.size; i < sizeof place; i++) {
        CHECK(place.bytes[i] == 0xAA);
    }

    /* Just enough room, and then ever less: nothing is written behind it, and the decision is handed out. */
    uint32_t size = place.flat.size;
    for (uint32_t room = size; room != UINT32_MAX; room = room > size - 2 ? room - 1 : room / 2 - (room < 2)) {
        memset(&place, 0xAA, sizeof place);
        CHECK_STATUS(GATEPOST_OK, gatepost_decide_flat(engine, request, &place.flat, room, &none, &job));
        CHECK((none == NULL) == (room == size) && job == NULL);
        for (size_t i = room; i < sizeof place; i++) {
            CHECK(place.bytes[i] == 0xAA);
        }
        if (room == size) {
            says_the_same(&place, decision);
        } else {
            CHECK(gatepost_decision_status(none) == status);
        }
        gatepost_decision_free(none);
    }
    gatepost_decision_free(decision);
}

static void what_is_slow_is_a_job(const gatepost_engine *engine) {
    gatepost_header header = authorization(WRONG);
    gatepost_request request = get("/private");
    request.headers = &header;
    request.header_count = 1;
    gatepost_decision *decision = (gatepost_decision *)&header;
    gatepost_job *job = NULL;
    place place;
    CHECK_STATUS(GATEPOST_PENDING,
                 gatepost_decide_flat(engine, &request, &place.flat, sizeof place, &decision, &job));
    CHECK(decision == NULL && job != NULL);
    CHECK_STATUS(GATEPOST_OK, gatepost_job_run(job));
    CHECK_STATUS(GATEPOST_OK, gatepost_job_finish(job, &decision, NULL));
    CHECK(gatepost_decision_reason(decision) == GATEPOST_REASON_CREDENTIALS_INVALID);
    gatepost_decision_free(decision);
}

static void wrong_arguments_are_refused(const gatepost_engine *engine) {
    const gatepost_status bad = GATEPOST_ERR_INVALID_ARGUMENT;
    gatepost_request request = get("/public");
    gatepost_decision *decision = NULL;
    gatepost_job *job = NULL;
    place place;
    memset(&place, 0, sizeof place);
    CHECK_STATUS(bad, gatepost_decide_flat(NULL, &request, &place.flat, sizeof place, &decision, &job));
    CHECK_STATUS(bad, gatepost_decide_flat(engine, NULL, &place.flat, sizeof place, &decision, &job));
    CHECK_STATUS(bad, gatepost_decide_flat(engine, &request, NULL, sizeof place, &decision, &job));
    CHECK_STATUS(bad, gatepost_decide_flat(engine, &request, NULL, 0, &decision, &job));
    CHECK_STATUS(bad, gatepost_decide_flat(engine, &request, (gatepost_flat *)(void *)(place.bytes + 1), 64, &decision, &job));
    CHECK_STATUS(bad, gatepost_decide_flat(engine, &request, &place.flat, SIZE_MAX, &decision, &job));
    CHECK_STATUS(bad, gatepost_decide_flat(engine, &request, &place.flat, sizeof place, NULL, &job));
    CHECK_STATUS(bad, gatepost_decide_flat(engine, &request, &place.flat, sizeof place, &decision, NULL));
    CHECK(decision == NULL && job == NULL && place.flat.status == 0 && place.flat.action == GATEPOST_DENY);
}

int main(int argc, char **argv) {
    CHECK(argc == 2);
    gatepost_engine *engine = started(argv[1]);
    gatepost_header headers[] = {authorization(RIGHT), {text("x_auth-subject"), text("root"), 0, 0}};
    const struct {
        const char *target;
        size_t headers;
        uint32_t status;
    } asked[] = {{"/public", 0, 200}, {"/private", 0, 401}, {"/unknown", 0, 403}, {"/a b", 0, 400}, {"/private", 2, 200},
                 {"/admin", 2, 403}};
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
        gatepost_request request = get(asked[i].target);
        request.request_id = text("request-7");
        request.headers = headers;
        request.header_count = asked[i].headers;
        /* Once with leave to block: from then on the password is known again. */
        gatepost_decision *first = NULL;
        CHECK_STATUS(GATEPOST_OK, gatepost_decide(engine, &request, &first, NULL));
        gatepost_decision_free(first);
        agrees(engine, &request, asked[i].status);
    }
    what_is_slow_is_a_job(engine);
    wrong_arguments_are_refused(engine);
    gatepost_engine_free(engine);
    return 0;
}
