/* Under memcheck, with a library that marks secrets as undefined: one way on which secrets go, or one that is wrong on
 * purpose. paths FOLDER WAY CREDENTIALS STATUS */
#include "../check.h"

uint64_t gatepost_test_marked(void);
uint32_t gatepost_test_naive_comparison(gatepost_str one, gatepost_str other);
uint32_t gatepost_test_naive_decoding(gatepost_str text);

static void decide(const char *folder, const char *credentials, uint32_t status) {
    gatepost_engine *engine = started(folder);
    (void)gatepost_test_marked();
    /* Twice: the second time what is remembered answers, where anything is. */
    for (int i = 0; i < 2; i++) {
        gatepost_header header = authorization(credentials);
        gatepost_request request = get("/secret");
        request.headers = &header;
        request.header_count = 1;
        request.now = 1795435200;
        gatepost_decision *decision = NULL;
        CHECK_STATUS(GATEPOST_OK, gatepost_decide(engine, &request, &decision, NULL));
        CHECK(gatepost_decision_status(decision) == status);
        gatepost_decision_free(decision);
        /* There was a secret on this way, and it was marked: the shortest is a password of 28 octets that is known again. */
        CHECK(gatepost_test_marked() >= 28);
    }
    gatepost_engine_free(engine);
}

int main(int argc, char **argv) {
    CHECK(argc == 5);
    if (strcmp(argv[2], "decide") == 0) {
        decide(argv[1], argv[3], (uint32_t)atoi(argv[4]));
    } else if (strcmp(argv[2], "naive_comparison") == 0) {
        CHECK(gatepost_test_naive_comparison(text("0123456789abcdef"), text("0123456789abcdeg")) == 0);
    } else {
        CHECK(strcmp(argv[2], "naive_decoding") == 0);
        CHECK(gatepost_test_naive_decoding(text("AAAA")) == 1);
    }
    return 0;
}
