/* Steps from an empty call to a decision: what a call from Go into C costs here at least. */
#ifndef FLOOR_H
#define FLOOR_H
#include "direct.h"

enum { FLOOR_FIELDS = 11 };

/* A decision with its text behind it. */
typedef struct floor_answer {
    gatepost_flat flat;
    char text[1536];
} floor_answer;

static inline void floor_empty(void) {}
static inline void floor_empty_plain(void) {}

/* A request that lies ready in C's memory, for floor_ready and floor_loop. */
void floor_prepare(void *engine, const char *target, const char *const *fields, int count);
/* Decides it, by one call. */
uint32_t floor_ready(void);
/* The same with the answer in memory of Go's. */
uint32_t floor_answered(floor_answer *answer);
/* Nanoseconds that it takes called in a loop in C. */
double floor_loop(int times);

/* The strings of a request as arguments, as Go may lend them: nothing is decided. */
#define FLOOR_STRINGS                                                                                                  \
    const char *s0, const char *s1, const char *s2, const char *s3, const char *s4, const char *s5, const char *s6,    \
        const char *s7, const char *s8, const char *s9, const char *s10, const char *s11, const char *s12,             \
        const char *s13, const char *s14, const char *s15, const char *s16, const char *s17, const char *s18,          \
        const char *s19, const char *s20, const char *s21
static inline uint32_t floor_lent(const uint32_t *lengths, FLOOR_STRINGS) {
    const char *strings[2 * FLOOR_FIELDS] = {s0,  s1,  s2,  s3,  s4,  s5,  s6,  s7,  s8,  s9,
                                             s10, s11, s12, s13, s14, s15, s16, s17, s18, s19, s20, s21};
    uint32_t sum = 0;
    for (int i = 0; i < 2 * FLOOR_FIELDS; i++) {
        sum += strings[i] == NULL ? 0 : lengths[i];
    }
    return sum;
}
/* The same, and the decision. */
uint32_t floor_decide(uintptr_t engine, const uint32_t *lengths, const char *const *strings, floor_answer *answer);
static inline uint32_t floor_lent_decided(uintptr_t engine, const uint32_t *lengths, floor_answer *answer, FLOOR_STRINGS) {
    const char *strings[2 * FLOOR_FIELDS] = {s0,  s1,  s2,  s3,  s4,  s5,  s6,  s7,  s8,  s9,
                                             s10, s11, s12, s13, s14, s15, s16, s17, s18, s19, s20, s21};
    return floor_decide(engine, lengths, strings, answer);
}
#endif
