/* One call, whose instructions callgrind counts: deciding about credentials, or verifying a password against a hash.
 * work FOLDER decide CREDENTIALS, work FOLDER verify HASH */
#include "../check.h"

int main(int argc, char **argv) {
    CHECK(argc == 4);
    if (strcmp(argv[2], "verify") == 0) {
        uint32_t yes = 7;
        must(gatepost_password_verify(GATEPOST_STR("not the right password"), text(argv[3]), &yes, NULL), NULL, "verify");
        CHECK(yes == 0);
        return 0;
    }
    gatepost_engine *engine = started(argv[1]);
    gatepost_header header = authorization(argv[3]);
    gatepost_request request = get("/private");
    request.headers = &header;
    request.header_count = 1;
    gatepost_decision *decision = NULL;
    CHECK_STATUS(GATEPOST_OK, gatepost_decide(engine, &request, &decision, NULL));
    CHECK(gatepost_decision_status(decision) == 401);
    gatepost_decision_free(decision);
    gatepost_engine_free(engine);
    return 0;
}
