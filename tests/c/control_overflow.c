/* Reads behind a decision's memory after it was freed: a memory check that lets this pass checks nothing. */
#include "check.h"

int main(int argc, char **argv) {
    CHECK(argc == 2);
    gatepost_engine *engine = started(argv[1]);
    gatepost_request request = get("/public");
    gatepost_decision *decision = NULL;
    CHECK_STATUS(GATEPOST_OK, gatepost_decide(engine, &request, &decision, NULL));
    gatepost_str id = gatepost_decision_id(decision);
    gatepost_decision_free(decision);
    gatepost_engine_free(engine);
    return id.ptr[0] == 'x' && id.ptr[1] == 'y' ? 1 : 0;
}
