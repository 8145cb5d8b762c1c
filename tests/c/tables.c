/* Numbers to words: reasons and statuses, and errors whose strings stay until they are freed. */
#include "check.h"

static void reasons_have_their_words(void) {
    unsigned known = 0;
    for (gatepost_reason reason = 0; reason < 1000; reason++) {
        gatepost_str name = gatepost_reason_name(reason);
        gatepost_str person = gatepost_reason_text(reason, GATEPOST_AUDIENCE_PERSON);
        gatepost_str operator_ = gatepost_reason_text(reason, GATEPOST_AUDIENCE_OPERATOR);
        if (name.len == 0) {
            CHECK(person.len == 0 && operator_.len == 0 && gatepost_reason_status(reason) == 500);
            continue;
        }
        known++;
        CHECK(name.ptr[name.len] == '\0' && strlen(name.ptr) == name.len);
        CHECK(strlen(person.ptr) == person.len && person.len > 10);
        CHECK(strlen(operator_.ptr) == operator_.len && operator_.len > 10);
        CHECK(gatepost_reason_status(reason) >= 200 && gatepost_reason_status(reason) < 600);
        CHECK(gatepost_reason_text(reason, 2).len == 0);
    }
    CHECK(known >= 57);
    CHECK(is(gatepost_reason_name(GATEPOST_REASON_ALLOWED), "allowed"));
    CHECK(is(gatepost_reason_name(GATEPOST_REASON_INTERNAL), "internal"));
    CHECK(gatepost_reason_status(GATEPOST_REASON_THROTTLED) == 429);
    CHECK(gatepost_reason_status(GATEPOST_REASON_OVERLOADED) == 503);
    gatepost_str disabled = gatepost_reason_text(GATEPOST_REASON_ACCOUNT_DISABLED, GATEPOST_AUDIENCE_PERSON);
    CHECK(is(gatepost_reason_text(GATEPOST_REASON_CREDENTIALS_INVALID, GATEPOST_AUDIENCE_PERSON), disabled.ptr));
}

static void statuses_have_their_words(void) {
    const gatepost_status all[] = {
        GATEPOST_OK,          GATEPOST_PENDING,         GATEPOST_NEED_BODY,    GATEPOST_ERR_INVALID_ARGUMENT,
        GATEPOST_ERR_UNSUPPORTED, GATEPOST_ERR_NOT_STARTED, GATEPOST_ERR_POLICY, GATEPOST_ERR_STATE,
        GATEPOST_ERR_NO_MEMORY, GATEPOST_ERR_OVERLOADED, GATEPOST_ERR_CANCELLED, GATEPOST_ERR_NOT_RUN,
        GATEPOST_ERR_CONFLICT, GATEPOST_ERR_SYSTEM,     GATEPOST_ERR_PANIC,    GATEPOST_ERR_INTERNAL,
        GATEPOST_ERR_REFUSED,
    };
    gatepost_str unknown = gatepost_status_text(15);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        gatepost_str words = gatepost_status_text(all[i]);
        CHECK(words.len > 0 && strlen(words.ptr) == words.len);
        CHECK(strcmp(words.ptr, unknown.ptr) != 0);
        CHECK(all[i] == (i < 3 ? i : i + 13));
    }
}

static void errors_say_all_that_is_wrong(void) {
    gatepost_engine *engine = NULL;
    gatepost_error *error = NULL;
    gatepost_str policy = GATEPOST_STR("[engine]\nunmatched = \"dny\"\n\n[[route]]\npath = \"orders\"\naccess = \"public\"\n");
    CHECK_STATUS(GATEPOST_ERR_POLICY, gatepost_engine_new(policy, NOTHING, NULL, &engine, &error));
    CHECK(engine == NULL && error != NULL);
    CHECK(gatepost_error_status(error) == GATEPOST_ERR_POLICY);
    CHECK(gatepost_error_line(error) == 2);
    gatepost_str message = gatepost_error_message(error);
    CHECK(strlen(message.ptr) == message.len);
    CHECK(strstr(message.ptr, "dny") != NULL);
    CHECK(strstr(message.ptr, "orders") != NULL);
    gatepost_error_free(error);

    error = NULL;
    CHECK_STATUS(GATEPOST_ERR_POLICY, gatepost_engine_new(GATEPOST_STR("\xff"), NOTHING, NULL, &engine, &error));
    CHECK(strstr(gatepost_error_message(error).ptr, "UTF-8") != NULL);
    gatepost_error_free(error);
}

static void passwords_are_hashed_and_checked(void) {
    gatepost_bytes *hash = NULL;
    gatepost_error *error = NULL;
    gatepost_str password = GATEPOST_STR("correct horse battery staple");
    must(gatepost_password_hash(NULL, password, &hash, &error), error, "gatepost_password_hash");
    gatepost_str phc = gatepost_bytes_view(hash);
    CHECK(strlen(phc.ptr) == phc.len && strncmp(phc.ptr, "$argon2id$v=19$m=19456,t=2,p=1$", 31) == 0);
    uint32_t yes = 7;
    must(gatepost_password_verify(password, phc, &yes, &error), error, "gatepost_password_verify");
    CHECK(yes == 1);
    must(gatepost_password_verify(GATEPOST_STR("correct horse"), phc, &yes, &error), error, "a wrong password");
    CHECK(yes == 0);
    must(gatepost_password_verify(GATEPOST_STR("\xff\xfe"), phc, &yes, &error), error, "no password at all");
    CHECK(yes == 0);
    must(gatepost_password_needs_rehash(NULL, phc, &yes, &error), error, "gatepost_password_needs_rehash");
    CHECK(yes == 0);
    yes = 7;
    CHECK(gatepost_password_verify(password, GATEPOST_STR("plain text"), &yes, &error) >= GATEPOST_ERR_INVALID_ARGUMENT);
    CHECK(yes == 7 && error != NULL);
    gatepost_error_free(error);
    gatepost_bytes_free(hash);
    CHECK_STATUS(GATEPOST_ERR_INVALID_ARGUMENT, gatepost_password_hash(NULL, GATEPOST_STR("a\0b"), &hash, NULL));
}

int main(int argc, char **argv) {
    (void)argv;
    CHECK(argc == 2);
    reasons_have_their_words();
    statuses_have_their_words();
    errors_say_all_that_is_wrong();
    passwords_are_hashed_and_checked();
    return 0;
}
