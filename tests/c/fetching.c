/* Keys of an issuer that the host fetches with its own HTTP: what it is asked, when, and what becomes of each answer. */
#include "check.h"

#include <pthread.h>
#include <stddef.h>

/* A key that nobody has the private half of any more, and a token that it signed. */
#define SET                                                                                                            \
    "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"one\","                                                  \
    "\"x\":\"lgiNbSdvreoQAG0BBLeInEHs72Q6i5qqiDBu3iqspls\"}]}"
#define TOKEN                                                                                                          \
    "Bearer eyJhbGciOiJFZERTQSIsImtpZCI6Im9uZSJ9."                                                                     \
    "eyJpc3MiOiJodHRwczovL2FjY291bnRzLmV4YW1wbGUuY29tIiwiYXVkIjoib3JkZXJzIiwic3ViIjoidS0xNyIsImV4cCI6MjUzNDAyMzAwNzk5" \
    "fQ.Op-iZptZ6J7Tb-XgMl0ex6y1y7SHwtwWXJaaEvPnORA4hr5EWdhmLd70hW8DEn4s43MMeRvL3TN2YbFLhctYBA"
#define POLICY                                                                                                         \
    "[engine]\nstate = ':memory:'\nschemes = ['bearer']\n[[issuer]]\nname = 'accounts'\n"                              \
    "issuer = 'https://accounts.example.com'\naudience = 'orders'\nalgorithms = 'EdDSA'\n"                             \
    "keys = { url = 'https://accounts.example.com/keys' }\n[[route]]\npath = '/private'\n"

enum how { SAYS_NOTHING, SAYS_WHY, SAYS_404, SAYS_HTML, SAYS_HALF, SAYS_KEYS, SAYS_SAME };

struct host {
    enum how how;
    int asked, finalized, told;
    int64_t now;
    char message[512];
    pthread_t loop;
};

static void on_fetch(void *data, const gatepost_fetch *fetch) {
    struct host *host = data;
    host->asked++;
    CHECK(!pthread_equal(pthread_self(), host->loop));
    CHECK(fetch->struct_size >= sizeof *fetch);
    CHECK(is(fetch->url, "https://accounts.example.com/keys"));
    CHECK(is(fetch->accept, "application/jwk-set+json, application/json") && is(fetch->ca, ""));
    CHECK(fetch->largest >= 65536 && fetch->timeout_ms >= 1000);
    CHECK(is(fetch->etag, host->how == SAYS_SAME ? "\"v1\"" : ""));
    gatepost_fetched fetched = {.struct_size = sizeof fetched, .status = 200};
    switch (host->how) {
    case SAYS_NOTHING: return;
    case SAYS_WHY:
        fetched.status = 0;
        fetched.error = text("the proxy\nsays no");
        break;
    case SAYS_404: fetched.status = 404; break;
    case SAYS_HTML:
        fetched.body = text(SET);
        fetched.content_type = text("text/html");
        break;
    case SAYS_HALF: fetched.body = text("{"); break;
    case SAYS_KEYS:
        fetched.body = text(SET);
        fetched.content_type = text("application/json");
        fetched.etag = text("\"v1\"");
        break;
    case SAYS_SAME: fetched.status = 304; break;
    }
    CHECK_STATUS(GATEPOST_ERR_INVALID_ARGUMENT, gatepost_fetch_reply_set(fetch->reply, NULL));
    CHECK_STATUS(GATEPOST_ERR_INVALID_ARGUMENT, gatepost_fetch_reply_set(NULL, &fetched));
    gatepost_fetched shorter = {.struct_size = 8};
    CHECK_STATUS(GATEPOST_ERR_INVALID_ARGUMENT, gatepost_fetch_reply_set(fetch->reply, &shorter));
    gatepost_fetched unknown = fetched;
    unknown.reserved = 1;
    CHECK_STATUS(GATEPOST_ERR_UNSUPPORTED, gatepost_fetch_reply_set(fetch->reply, &unknown));
    CHECK_STATUS(GATEPOST_OK, gatepost_fetch_reply_set(fetch->reply, &fetched));
}

static void on_event(void *data, const gatepost_event *event) {
    struct host *host = data;
    if (!is(event->name, "keys_failed")) return;
    host->told++;
    CHECK(event->line.len < sizeof host->message);
    memcpy(host->message, event->line.ptr, event->line.len + 1);
}

static int64_t now(void *data) { return ((struct host *)data)->now; }

static void finalizer(void *data) { ((struct host *)data)->finalized++; }

static void *run(void *job) {
    CHECK_STATUS(GATEPOST_OK, gatepost_job_run(job));
    gatepost_job_free(job);
    return NULL;
}

/* One round of housekeeping with its slow part on another thread, so many seconds later. */
static void keep_house(const gatepost_engine *engine, struct host *host, int64_t later) {
    host->now += later;
    uint64_t next = 0;
    gatepost_job *job = NULL;
    CHECK_STATUS(GATEPOST_OK, gatepost_engine_poll(engine, &next, &job));
    CHECK(job != NULL && next > 0 && next <= 1000);
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, run, job) == 0 && pthread_join(thread, NULL) == 0);
    gatepost_job *rest = NULL;
    CHECK_STATUS(GATEPOST_OK, gatepost_engine_poll(engine, NULL, &rest));
    gatepost_job_free(rest);
}

static void comes_to(const gatepost_engine *engine, struct host *host, gatepost_reason reason) {
    gatepost_header header = authorization(TOKEN);
    gatepost_request request = get("/private");
    request.headers = &header;
    request.header_count = 1;
    gatepost_decision *decision = NULL;
    int asked = host->asked;
    CHECK_STATUS(GATEPOST_OK, gatepost_decide(engine, &request, &decision, NULL));
    CHECK(gatepost_decision_reason(decision) == reason);
    CHECK(host->asked == asked);
    gatepost_decision_free(decision);
}

static gatepost_options with(struct host *host) {
    gatepost_options options = {.struct_size = sizeof options};
    options.clock = now;
    options.clock_data = host;
    options.on_event = on_event;
    options.event_data = host;
    options.on_fetch = on_fetch;
    options.fetch_data = host;
    options.fetch_finalizer = finalizer;
    return options;
}

int main(void) {
    struct host host = {.now = 1790000000, .loop = pthread_self()};
    gatepost_options options = with(&host);
    gatepost_engine *engine = NULL;
    gatepost_error *error = NULL;

    /* The data ends also where the policy does not load. */
    CHECK_STATUS(GATEPOST_ERR_POLICY, gatepost_engine_new(text("["), NOTHING, &options, &engine, NULL));
    CHECK(host.finalized == 1);

    must(gatepost_engine_new(text(POLICY), NOTHING, &options, &engine, &error), error, "new");
    must(gatepost_engine_start(engine, &error), error, "start");
    CHECK(host.asked == 0);
    comes_to(engine, &host, GATEPOST_REASON_KEYS_UNAVAILABLE);

    const struct {
        enum how how;
        const char *says;
    } bad[] = {
        {SAYS_NOTHING, "handed no answer over"},
        {SAYS_WHY, "the proxy\\\\nsays no"},
        {SAYS_404, "it answered 404"},
        {SAYS_HTML, "where JSON belongs"},
        {SAYS_HALF, "no JWK Set"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        host.how = bad[i].how;
        int asked = host.asked, told = host.told;
        keep_house(engine, &host, 400);
        CHECK(host.asked == asked + 1 && host.told == told + 1);
        CHECK(strstr(host.message, bad[i].says) != NULL);
        comes_to(engine, &host, GATEPOST_REASON_KEYS_UNAVAILABLE);
    }
    host.how = SAYS_KEYS;
    keep_house(engine, &host, 400);
    comes_to(engine, &host, GATEPOST_REASON_ALLOWED);
    int asked = host.asked;
    keep_house(engine, &host, 1);
    CHECK(host.asked == asked);
    host.how = SAYS_SAME;
    keep_house(engine, &host, 600);
    CHECK(host.asked == asked + 1);
    comes_to(engine, &host, GATEPOST_REASON_ALLOWED);

    CHECK(host.finalized == 1);
    gatepost_engine_free(engine);
    CHECK(host.finalized == 2);

    /* With the fields of the first release, nobody fetches but the engine itself. */
    options = with(&host);
    options.struct_size = offsetof(gatepost_options, on_event);
    engine = NULL;
    must(gatepost_engine_new(text(POLICY), NOTHING, &options, &engine, &error), error, "first release");
    gatepost_status came = gatepost_engine_start(engine, NULL);
    CHECK(came == (gatepost_has_feature(GATEPOST_STR("https")) ? GATEPOST_OK : GATEPOST_ERR_POLICY));
    gatepost_engine_free(engine);
    CHECK(host.finalized == 2);
    return 0;
}
