/* What every C test shares: a check that ends the process, a few short cuts, the prepared service. */
#ifndef CHECK_H
#define CHECK_H

#include <gatepost.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Not assert(): it vanishes with NDEBUG, and a check that can vanish is no check. */
#define CHECK(condition)                                                                                               \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fprintf(stderr, "%s:%d: CHECK failed: %s\n", __FILE__, __LINE__, #condition);                              \
            exit(1);                                                                                                   \
        }                                                                                                              \
    } while (0)

/* A call that must succeed; says which status came instead. */
#define CHECK_STATUS(expected, call)                                                                                   \
    do {                                                                                                               \
        gatepost_status status_ = (call);                                                                              \
        if (status_ != (expected)) {                                                                                   \
            fprintf(stderr, "%s:%d: %s: got %u (%s)\n", __FILE__, __LINE__, #call, status_,                            \
                    gatepost_status_text(status_).ptr);                                                                \
            exit(1);                                                                                                   \
        }                                                                                                              \
    } while (0)

#define NOTHING ((gatepost_str){NULL, 0})

/* As CHECK_STATUS, for set-up calls: prints the error object too. */
static inline void must(gatepost_status status, gatepost_error *error, const char *what) {
    if (status != GATEPOST_OK) {
        fprintf(stderr, "%s: %u (%s): %s\n", what, status, gatepost_status_text(status).ptr,
                error == NULL ? "no error object" : gatepost_error_message(error).ptr);
        exit(1);
    }
    CHECK(error == NULL);
}

static inline gatepost_str text(const char *string) {
    return (gatepost_str){string, string == NULL ? 0 : strlen(string)};
}

/* Equal, and ended by the NUL that the header promises. */
static inline int is(gatepost_str found, const char *expected) {
    return found.ptr != NULL && found.len == strlen(expected) && found.ptr[found.len] == '\0' &&
           memcmp(found.ptr, expected, found.len) == 0;
}

static inline gatepost_request get(const char *target) {
    gatepost_request request;
    memset(&request, 0, sizeof request);
    request.struct_size = sizeof request;
    request.method = text("GET");
    request.target = text(target);
    request.host = text("orders.example.com");
    request.peer = text("192.0.2.7");
    return request;
}

/* The path of a file in the folder that the test was given; ended by free. */
static inline char *in_folder(const char *folder, const char *name) {
    size_t size = strlen(folder) + strlen(name) + 2;
    char *path = malloc(size);
    CHECK(path != NULL);
    snprintf(path, size, "%s/%s", folder, name);
    return path;
}

/* The prepared service: /public for all, /private for alice, /admin for the role admin, which nobody has. */
static inline gatepost_engine *service(const char *folder) {
    char *path = in_folder(folder, "policy.toml");
    gatepost_engine *engine = NULL;
    gatepost_error *error = NULL;
    must(gatepost_engine_open(text(path), NULL, &engine, &error), error, "gatepost_engine_open");
    free(path);
    return engine;
}

static inline gatepost_engine *started(const char *folder) {
    gatepost_engine *engine = service(folder);
    gatepost_error *error = NULL;
    must(gatepost_engine_start(engine, &error), error, "gatepost_engine_start");
    return engine;
}

/* alice with the right password (RFC 7617), and with a wrong one. */
#define RIGHT "Basic YWxpY2U6Y29ycmVjdCBob3JzZSBiYXR0ZXJ5IHN0YXBsZQ=="
#define WRONG "Basic YWxpY2U6bm90IHRoZSByaWdodCBwYXNzd29yZA=="

static inline gatepost_header authorization(const char *value) {
    gatepost_header header = {text("Authorization"), text(value), 0, 0};
    return header;
}

#endif
