/* Events and counters as a host gets them: with the request's own pointer, from decide and finish on the calling thread
 * and never from run; all others from poll. The finalizer comes once, when the engine is gone. Prints the counters. */
#include "check.h"
#include "settled.h"

#include <pthread.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

struct heard {
    pthread_t thread;
    int decisions, others, finalized, silent;
    void *user;
    uint32_t status;
    gatepost_reason reason;
    char id[256], last[64];
};

static void copy(char *place, size_t size, gatepost_str string) {
    CHECK(string.len < size && string.ptr != NULL && string.ptr[string.len] == '\0');
    memcpy(place, string.ptr, string.len + 1);
}

static void on_event(void *data, const gatepost_event *event) {
    struct heard *heard = data;
    CHECK(!heard->silent);
    CHECK(pthread_equal(pthread_self(), heard->thread));
    CHECK(event->struct_size >= sizeof *event);
    CHECK(event->line.len > 2 && event->line.ptr[0] == '{' && event->line.ptr[event->line.len - 1] == '}');
    CHECK(memchr(event->line.ptr, '\n', event->line.len) == NULL);
    CHECK(strstr(event->line.ptr, "horse") == NULL && strstr(event->line.ptr, "Basic ") == NULL);
    copy(heard->last, sizeof heard->last, event->name);
    if (strcmp(heard->last, "decision") != 0) {
        CHECK(event->user == NULL && event->id.len == 0 && event->reason == 0);
        heard->others++;
        return;
    }
    heard->decisions++;
    heard->user = event->user;
    heard->status = event->status;
    heard->reason = event->reason;
    copy(heard->id, sizeof heard->id, event->id);
    CHECK((event->action == GATEPOST_ALLOW) == (event->status == 200));
}

static void finalizer(void *data) { ((struct heard *)data)->finalized++; }

static struct heard heard;

/* Decides, with a job where there is one, and holds that the event came before the call returned, with the pointer. */
static void ask(const gatepost_engine *engine, const char *target, const char *credentials, uint32_t status, int told) {
    int mark = 0, before = heard.decisions;
    gatepost_header header = authorization(credentials);
    gatepost_request request = get(target);
    request.headers = &header;
    request.header_count = credentials != NULL;
    request.user = &mark;
    gatepost_decision *decision = NULL;
    gatepost_job *job = NULL;
    gatepost_status came = gatepost_decide(engine, &request, &decision, &job);
    while (came == GATEPOST_PENDING) {
        CHECK(heard.decisions == before);
        heard.silent = 1;
        CHECK_STATUS(GATEPOST_OK, gatepost_job_run(job));
        heard.silent = 0;
        gatepost_job *next = NULL;
        came = gatepost_job_finish(job, &decision, &next);
        job = next;
    }
    CHECK(came == GATEPOST_OK);
    CHECK(gatepost_decision_status(decision) == status);
    CHECK(heard.decisions == before + told);
    if (told) {
        CHECK(heard.user == &mark && heard.status == status);
        CHECK(heard.reason == gatepost_decision_reason(decision));
        CHECK(is(gatepost_decision_id(decision), heard.id));
    }
    gatepost_decision_free(decision);
}

/* The value of a counter; 0 where there is no such line. */
static long counter(const gatepost_engine *engine, const char *sample) {
    gatepost_bytes *bytes = NULL;
    CHECK_STATUS(GATEPOST_OK, gatepost_engine_metrics(engine, &bytes));
    const char *line = gatepost_bytes_view(bytes).ptr;
    while (line != NULL && strncmp(line, sample, strlen(sample)) != 0) {
        line = strchr(line, '\n');
        line = line == NULL ? NULL : line + 1;
    }
    long value = line == NULL ? 0 : strtol(line + strlen(sample), NULL, 10);
    gatepost_bytes_free(bytes);
    return value;
}

int main(int argc, char **argv) {
    CHECK(argc == 2);
    heard.thread = pthread_self();
    char *path = in_folder(argv[1], "policy.toml");
    gatepost_options options = {.struct_size = sizeof options};
    options.on_event = on_event;
    options.event_data = &heard;
    options.event_finalizer = finalizer;
    gatepost_engine *engine = NULL;
    gatepost_error *error = NULL;
    must(gatepost_engine_open(text(path), &options, &engine, &error), error, "open");
    must(gatepost_engine_start(engine, &error), error, "start");

    ask(engine, "/private", NULL, 401, 1);
    ask(engine, "/private", WRONG, 401, 1);
    ask(engine, "/private", RIGHT, 200, 1); /* a login */
    ask(engine, "/private", RIGHT, 200, 0); /* remembered: no login, no event */
    ask(engine, "/admin", RIGHT, 403, 1);
    ask(engine, "/public", NULL, 200, 0);
    ask(engine, "/nowhere\"},{\"forged\":\"", NULL, 403, 1);

    /* What is about no request comes from poll alone. */
    int others = heard.others;
    must(gatepost_engine_reload(engine, &error), error, "reload");
    CHECK(heard.others == others);
    CHECK_STATUS(GATEPOST_OK, gatepost_engine_poll(engine, NULL, NULL));
    CHECK(heard.others > others && strcmp(heard.last, "policy_reloaded") == 0);

    /* Counters go on over a reload. */
    const char *missing = "gatepost_decisions_total{reason=\"credentials_missing\",scheme=\"none\"} ";
    CHECK(counter(engine, missing) == 1);
    must(gatepost_engine_reload(engine, &error), error, "reload again");
    ask(engine, "/private", NULL, 401, 1);
    CHECK(counter(engine, missing) == 2);
    CHECK(counter(engine, "gatepost_policy_generation ") == 3);
    CHECK(counter(engine, "gatepost_policy_reloads_total{result=\"ok\"} ") == 2);

    /* A child is told of nothing that is its parent's, and counts from the beginning. */
    settle();
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        gatepost_bytes *bytes = NULL;
        CHECK_STATUS(GATEPOST_ERR_NOT_STARTED, gatepost_engine_metrics(engine, &bytes));
        CHECK(bytes == NULL);
        int before = heard.decisions + heard.others;
        must(gatepost_engine_start(engine, &error), error, "start in a child");
        CHECK(counter(engine, missing) == 0);
        CHECK(heard.decisions + heard.others == before);
        ask(engine, "/private", NULL, 401, 1);
        CHECK(counter(engine, missing) == 1);
        _exit(0);
    }
    int status = 0;
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
    CHECK(counter(engine, missing) == 2);

    gatepost_bytes *bytes = NULL;
    CHECK_STATUS(GATEPOST_OK, gatepost_engine_metrics(engine, &bytes));
    fputs(gatepost_bytes_view(bytes).ptr, stdout);
    gatepost_bytes_free(bytes);

    CHECK(heard.finalized == 0);
    gatepost_engine *second = gatepost_engine_ref(engine);
    gatepost_engine_free(engine);
    CHECK(heard.finalized == 0);
    gatepost_engine_free(second);
    CHECK(heard.finalized == 1);
    free(path);
    return 0;
}
