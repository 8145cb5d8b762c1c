/* A request in one text is decided as the same in a struct, and nothing in a string makes two of it. */
#include "check.h"

#include <stddef.h>

typedef union {
    gatepost_flat flat;
    unsigned char bytes[4096];
} memory;

/* The request as a text. */
typedef struct {
    char bytes[2048];
    size_t length;
} written;

static void put(written *to, gatepost_str string) {
    CHECK(to->length + 1 + string.len <= sizeof to->bytes);
    if (to->length != 0) {
        to->bytes[to->length++] = '\n';
    }
    if (string.len != 0) {
        memcpy(to->bytes + to->length, string.ptr, string.len);
        to->length += string.len;
    }
}

static written as_text(const gatepost_request *request, uint32_t fields) {
    written line = {.length = 0};
    char numbers[32];
    CHECK(snprintf(numbers, sizeof numbers, "%u\n%u", request->flags, fields) > 0);
    put(&line, text(numbers));
    put(&line, request->method);
    put(&line, request->target);
    put(&line, request->peer);
    for (size_t i = 0; i < request->header_count; i++) {
        put(&line, request->headers[i].name);
        put(&line, request->headers[i].value);
    }
    return line;
}

/* All but the id, which the engine draws and which stands last. */
static void agrees(const gatepost_engine *engine, const gatepost_request *request, uint32_t status) {
    gatepost_decision *decision = (gatepost_decision *)&status;
    gatepost_job *job = (gatepost_job *)&status;
    memory first, second;
    CHECK_STATUS(GATEPOST_OK, gatepost_decide_flat(engine, request, &first.flat, sizeof first, &decision, &job));
    CHECK(decision == NULL && job == NULL && first.flat.status == status);
    written line = as_text(request, (uint32_t)request->header_count);
    gatepost_place place = {sizeof place, &second.flat, sizeof second, (gatepost_decision *)&status, (gatepost_job *)&status, 0};
    CHECK_STATUS(GATEPOST_OK, gatepost_decide_text(engine, line.bytes, line.length, &place));
    CHECK(place.decision == NULL && place.job == NULL && second.flat.status == status);
    CHECK(place.memory == &second.flat && place.room == sizeof second && place.struct_size == sizeof place);
    CHECK(first.flat.reason == second.flat.reason);
    uint64_t mark = place.mark;
    place.mark = 0;
    CHECK_STATUS(GATEPOST_OK, gatepost_decide_text(engine, line.bytes, line.length, &place));
    /* A refusal's text has the id in it. */
    CHECK(mark != 0 && (place.mark == mark) == (status == 200));
    CHECK(place.decision == NULL && place.job == NULL && second.flat.status == status);
    if (status == 200) {
        size_t size = first.flat.size - first.flat.id;
        CHECK(second.flat.size - second.flat.id == size);
        second.flat.size = first.flat.size;
        second.flat.id = first.flat.id;
        CHECK(memcmp(&first, &second, size) == 0);
    }

    place.room = 0;
    CHECK_STATUS(GATEPOST_OK, gatepost_decide_text(engine, line.bytes, line.length, &place));
    CHECK(place.job == NULL && gatepost_decision_status(place.decision) == status);
    gatepost_decision_free(place.decision);

    /* One field more or less than there is: nothing is written. */
    place.room = sizeof second;
    place.decision = (gatepost_decision *)&status;
    for (uint32_t i = 0; i < 7; i++) {
        if (i != request->header_count) {
            line = as_text(request, i);
            CHECK_STATUS(GATEPOST_ERR_INVALID_ARGUMENT, gatepost_decide_text(engine, line.bytes, line.length, &place));
        }
    }
    CHECK(place.decision == (gatepost_decision *)&status && place.job == NULL);
}

static void what_is_slow_is_a_job(const gatepost_engine *engine) {
    gatepost_header header = authorization(WRONG);
    gatepost_request request = get("/private");
    request.headers = &header;
    request.header_count = 1;
    written line = as_text(&request, 1);
    memory memory;
    gatepost_place place = {sizeof place, &memory.flat, sizeof memory, (gatepost_decision *)&header, NULL, 0};
    CHECK_STATUS(GATEPOST_PENDING, gatepost_decide_text(engine, line.bytes, line.length, &place));
    /* Nothing in the job points into the text. */
    memset(&line, 0xAA, sizeof line);
    CHECK(place.decision == NULL && place.job != NULL);
    gatepost_decision *decision = NULL;
    CHECK_STATUS(GATEPOST_OK, gatepost_job_run(place.job));
    CHECK_STATUS(GATEPOST_OK, gatepost_job_finish(place.job, &decision, NULL));
    CHECK(gatepost_decision_reason(decision) == GATEPOST_REASON_CREDENTIALS_INVALID);
    gatepost_decision_free(decision);
}

static void wrong_arguments_are_refused(const gatepost_engine *engine) {
    const gatepost_status bad = GATEPOST_ERR_INVALID_ARGUMENT;
    const char line[] = "2\n1\nGET\n/public\n\nhost\na.example", odd[] = "64\n0\nGET\n/public\n";
    const size_t length = sizeof line - 1;
    memory memory;
    memset(&memory, 0, sizeof memory);
    const gatepost_place good = {sizeof good, &memory.flat, sizeof memory, NULL, NULL, 0};
    gatepost_place place = good;
    CHECK_STATUS(bad, gatepost_decide_text(NULL, line, length, &place));
    CHECK_STATUS(bad, gatepost_decide_text(engine, NULL, length, &place));
    CHECK_STATUS(bad, gatepost_decide_text(engine, line, SIZE_MAX, &place));
    CHECK_STATUS(bad, gatepost_decide_text(engine, line, 0, &place));
    CHECK_STATUS(bad, gatepost_decide_text(engine, line, length - 10, &place));
    CHECK_STATUS(bad, gatepost_decide_text(engine, line + 1, length - 1, &place));
    CHECK_STATUS(bad, gatepost_decide_text(engine, line, length, NULL));
    CHECK_STATUS(GATEPOST_ERR_UNSUPPORTED, gatepost_decide_text(engine, odd, sizeof odd - 1, &place));
    place.struct_size = 8;
    CHECK_STATUS(bad, gatepost_decide_text(engine, line, length, &place));
    place = good;
    place.memory = NULL;
    CHECK_STATUS(bad, gatepost_decide_text(engine, line, length, &place));
    place.memory = (gatepost_flat *)(void *)(memory.bytes + 1);
    place.room = 64;
    CHECK_STATUS(bad, gatepost_decide_text(engine, line, length, &place));
    place = good;
    place.room = SIZE_MAX;
    CHECK_STATUS(bad, gatepost_decide_text(engine, line, length, &place));
    CHECK(place.decision == NULL && place.job == NULL);
    CHECK(memory.flat.status == 0 && memory.flat.action == GATEPOST_DENY);
    place = good;
    CHECK_STATUS(GATEPOST_OK, gatepost_decide_text(engine, line, length, &place));
    CHECK(memory.flat.action == GATEPOST_ALLOW);
}

int main(int argc, char **argv) {
    CHECK(argc == 2);
    gatepost_engine *engine = started(argv[1]);
    gatepost_header headers[] = {{text("host"), text("orders.example.com"), 0, 0},
                                 authorization(RIGHT), {text("x_auth-subject"), text("root"), 0, 0},
                                 {text("x-none"), text(""), 0, 0}, 
                                 {text("x-name: a"), text("b\r"), 0, 0}};
    const struct {
        const char *target;
        size_t headers;
        uint32_t status;
    } asked[] = {{"/public", 1, 200}, {"/private", 1, 401}, {"/unknown", 1, 403}, {"/a b", 1, 400}, {"/private", 4, 200},
                 {"/admin", 3, 403}, {"/private", 5, 400}};
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
        gatepost_request request = get(asked[i].target);
        /* Which no text has. */
        request.host = (gatepost_str){NULL, 0};
        request.headers = headers;
        request.header_count = asked[i].headers;
        /* Once with leave to block: from then on the password is known again. */
        gatepost_decision *once = NULL;
        CHECK_STATUS(GATEPOST_OK, gatepost_decide(engine, &request, &once, NULL));
        gatepost_decision_free(once);
        agrees(engine, &request, asked[i].status);
    }
    what_is_slow_is_a_job(engine);
    wrong_arguments_are_refused(engine);
    gatepost_engine_free(engine);
    return 0;
}
