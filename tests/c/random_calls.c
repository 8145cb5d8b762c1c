/* Calls in an order that nobody would choose, each with whatever handle is at hand, NULL among them: no crash, no leak,
 * and whatever is refused stays usable. */
#include "check.h"

#ifndef STEPS
#define STEPS 20000
#endif
#define SLOTS 4

static uint64_t seed = 88172645463325252u;

static unsigned pick(unsigned below) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (unsigned)(seed % below);
}

static unsigned submitted, answered;

static void done(void *data, gatepost_status status, gatepost_decision *decision) {
    (void)data;
    CHECK((status == GATEPOST_OK) == (decision != NULL));
    answered++;
    gatepost_decision_free(decision);
}

int main(int argc, char **argv) {
    CHECK(argc == 2);
    gatepost_engine *engines[SLOTS] = {NULL};
    gatepost_decision *decisions[SLOTS] = {NULL};
    gatepost_job *jobs[SLOTS] = {NULL};
    gatepost_pool *pools[2] = {NULL};
    gatepost_error *error = NULL;
    const char *targets[] = {"/public", "/private", "/admin", "/unknown", "/..%2f", ""};
    unsigned decided = 0, pending = 0;

    for (int step = 0; step < STEPS; step++) {
        unsigned e = pick(SLOTS), d = pick(SLOTS), j = pick(SLOTS), p = pick(2);
        gatepost_request request = get(targets[pick(6)]);
        gatepost_header header = authorization(pick(4) == 0 ? RIGHT : WRONG);
        request.headers = &header;
        request.header_count = pick(2);
        gatepost_view view = {.struct_size = pick(8) == 0 ? pick(400) : sizeof view};
        union {
            gatepost_view view;
            char room[400];
        } place;
        place.view = view;
        switch (pick(18)) {
        case 0:
            if (engines[e] == NULL) {
                engines[e] = service(argv[1]);
            }
            break;
        case 1:
        case 2:
            (void)gatepost_engine_start(engines[e], NULL);
            break;
        case 3:
            if (pick(8) == 0) {
                gatepost_engine_free(engines[e]);
                engines[e] = NULL;
            }
            break;
        case 4:
            if (engines[d] == NULL) {
                engines[d] = gatepost_engine_ref(engines[e]);
            }
            break;
        case 5:
            (void)gatepost_engine_reload(engines[e], &error);
            gatepost_error_free(error);
            error = NULL;
            break;
        case 6:
        case 7:
        case 8:
            gatepost_decision_free(decisions[d]);
            decisions[d] = NULL;
            gatepost_job_free(jobs[j]);
            jobs[j] = NULL;
            switch (gatepost_decide(engines[e], pick(16) == 0 ? NULL : &request, &decisions[d], &jobs[j])) {
            case GATEPOST_OK: decided++; break;
            case GATEPOST_PENDING: pending++; break;
            default: CHECK(decisions[d] == NULL && jobs[j] == NULL);
            }
            break;
        case 9:
            gatepost_decision_free(decisions[d]);
            decisions[d] = NULL;
            if (pick(2) == 0) {
                (void)gatepost_decide_into(engines[e], &request, &decisions[d], &place.view);
            } else if (gatepost_strip(engines[e], pick(4) == 0 ? NULL : &request, &decisions[d], &place.view) == GATEPOST_OK) {
                CHECK(gatepost_decision_action(decisions[d]) == GATEPOST_DENY);
            }
            gatepost_job_free(jobs[j]);
            jobs[j] = NULL;
            gatepost_decision_free(decisions[d]);
            decisions[d] = NULL;
            gatepost_flat flat[8];
            (void)gatepost_decide_flat(engines[e], &request, flat, pick(sizeof flat), &decisions[d], &jobs[j]);
            gatepost_job_free(jobs[j]);
            jobs[j] = NULL;
            gatepost_decision_free(decisions[d]);
            decisions[d] = NULL;
            /* Room for a longer one than is known, too. */
            union {
                gatepost_place place;
                unsigned char room[64];
            } asked;
            memset(&asked, 0, sizeof asked);
            asked.place.struct_size = pick(8) * 8;
            asked.place.memory = flat;
            asked.place.room = pick(sizeof flat);
            (void)gatepost_decide_text(engines[e], "2\n1\nGET\n/public\n\na\nb", pick(23), &asked.place);
            decisions[d] = asked.place.decision;
            jobs[j] = asked.place.job;
            break;
        case 10:
            (void)gatepost_decision_view(decisions[d], &place.view);
            break;
        case 11:
            CHECK(gatepost_decision_action(decisions[d]) <= GATEPOST_PASS);
            CHECK(gatepost_decision_status(decisions[d]) >= 200);
            (void)gatepost_decision_attribute(decisions[d], GATEPOST_STR("roles"));
            break;
        case 12:
        case 13:
            (void)gatepost_job_run(jobs[j]);
            break;
        case 14:
            gatepost_decision_free(decisions[d]);
            decisions[d] = NULL;
            /* Both the old handle and the next one may end up here; the old one is gone then. */
            (void)gatepost_job_finish(jobs[j], &decisions[d], pick(2) == 0 ? NULL : &jobs[pick(SLOTS)]);
            break;
        case 15:
            (void)gatepost_job_cancel(jobs[j]);
            break;
        case 16:
            if (gatepost_pool_submit(pools[p], jobs[j], done, NULL) == GATEPOST_OK) {
                submitted++;
            }
            (void)gatepost_pool_dispatch(pools[p]);
            break;
        default:
            if (pools[p] == NULL) {
                (void)gatepost_pool_new(1 + pick(2), 1 + pick(3), &pools[p], NULL);
            } else if (pick(8) == 0) {
                gatepost_pool_free(pools[p]);
                pools[p] = NULL;
            }
        }
    }
    CHECK(decided > 0 && pending > 0 && submitted > 0);
    for (int i = 0; i < SLOTS; i++) {
        gatepost_engine_free(engines[i]);
        gatepost_decision_free(decisions[i]);
        gatepost_job_free(jobs[i]);
    }
    gatepost_pool_free(pools[0]);
    gatepost_pool_free(pools[1]);
    CHECK(answered == submitted);
    return 0;
}
