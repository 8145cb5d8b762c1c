/* A panic ends one call and nothing else. Built against a library with the feature test-panic, which alone has this: */
#include "check.h"

gatepost_status gatepost_test_panic(const gatepost_engine *engine);

int main(int argc, char **argv) {
    CHECK(argc == 2);
    gatepost_engine *engine = started(argv[1]);
    for (int i = 0; i < 3; i++) {
        gatepost_request request = get("/public");
        gatepost_decision *decision = NULL;
        CHECK_STATUS(GATEPOST_ERR_PANIC, gatepost_test_panic(engine));
        CHECK_STATUS(GATEPOST_OK, gatepost_decide(engine, &request, &decision, NULL));
        CHECK(gatepost_decision_status(decision) == 200);
        gatepost_decision_free(decision);
        CHECK_STATUS(GATEPOST_OK, gatepost_engine_reload(engine, NULL));
    }
    CHECK_STATUS(GATEPOST_ERR_INVALID_ARGUMENT, gatepost_test_panic(NULL));
    gatepost_engine_free(engine);
    return 0;
}
