/* Loses a decision and its engine on purpose: a leak check that lets this pass checks nothing. */
#include "check.h"

int main(int argc, char **argv) {
    CHECK(argc == 2);
    gatepost_engine *engine = started(argv[1]);
    gatepost_request request = get("/public");
    gatepost_decision *decision = NULL;
    CHECK_STATUS(GATEPOST_OK, gatepost_decide(engine, &request, &decision, NULL));
    CHECK(gatepost_decision_status(decision) == 200);
    decision = NULL;
    engine = NULL;
    return decision == NULL && engine == NULL ? 0 : 1;
}
