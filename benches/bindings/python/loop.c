/* The same decision so many times in C: the processor's nanoseconds on this thread. Called by decide.py with the
 * functions of the library that the package has loaded, its engine and its request. */
#include <gatepost.h>

#include <time.h>

typedef gatepost_status (*decide_into)(const gatepost_engine *, const gatepost_request *, gatepost_decision **, gatepost_view *);
typedef void (*decision_free)(gatepost_decision *);

int64_t loop(decide_into decide, decision_free end, const gatepost_engine *engine, const gatepost_request *request,
             uint32_t status, uint32_t count) {
    struct timespec from, to;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from);
    for (uint32_t i = 0; i < count; i++) {
        gatepost_decision *decision = NULL;
        gatepost_view view = {.struct_size = sizeof view};
        if (decide(engine, request, &decision, &view) != GATEPOST_OK || view.status != status) {
            return -1;
        }
        end(decision);
    }
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &to);
    return (int64_t)(to.tv_sec - from.tv_sec) * 1000000000 + (to.tv_nsec - from.tv_nsec);
}
