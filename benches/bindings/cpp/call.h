/* What both sides of the benchmark share; there is as much room for fields as a Request has in itself. */
#ifndef CALL_H
#define CALL_H

#include <gatepost.h>

#define MOST_FIELDS 24

/* A header field as a server has it. */
struct field {
    const char *name;
    size_t name_length;
    const char *value;
    size_t value_length;
};

#ifdef __cplusplus
extern "C" {
#endif
uint32_t decide_in_c(const gatepost_engine *engine, const char *target, const struct field *fields, size_t count);
#ifdef __cplusplus
}
#endif

#endif
