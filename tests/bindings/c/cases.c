/*
 * Decides the requests of case files through the C interface, for `gatepost test --through`.
 *
 *     cases [--jobs] POLICY
 *
 * --jobs: each decision with a job pointer, then run and finish, as an event loop does it; otherwise gatepost_decide
 * may block. The clock is the callback of the options.
 */
#include "exchange.h"

#include <time.h>

/* What the clock says: the real time until the runner sets another. */
static int64_t at;
static int is_set;

static int64_t clock_of_cases(void* data) {
    (void)data;
    return is_set ? at : (int64_t)time(NULL);
}

static gatepost_str text(const char* string) { return (gatepost_str){string, strlen(string)}; }

/* A set-up call that failed, in its own words. */
static void say_failed(gatepost_status status, gatepost_error* error) {
    gatepost_str message = gatepost_error_message(error);
    say("error", message.len > 0 ? message : gatepost_status_text(status));
    said();
    gatepost_error_free(error);
}

static const char* action_name(gatepost_action action) {
    static const char* const names[] = {"DENY", "ALLOW", "RESPOND", "PASS"};
    return action < 4 ? names[action] : "DENY";
}

static void say_headers(const char* what, const gatepost_header* headers, size_t count) {
    static const char* const modes[] = {"set", "append", "set-if-absent"};
    for (size_t i = 0; i < count; i++) {
        fputs(what, stdout);
        say_word(text(headers[i].mode < 3 ? modes[headers[i].mode] : "unknown"));
        say_word(headers[i].name);
        say_word(headers[i].value);
        putchar('\n');
    }
}

static void say_decision(const gatepost_decision* decision) {
    gatepost_view view;
    memset(&view, 0, sizeof view);
    view.struct_size = sizeof view;
    gatepost_status status = gatepost_decision_view(decision, &view);
    if (status != GATEPOST_OK) {
        say_error(gatepost_status_text(status).ptr);
        return;
    }
    printf("action %s\nstatus %u\n", action_name(view.action), view.status);
    say("reason", view.reason_name);
    if (view.subject.len > 0) {
        say("subject", view.subject);
    }
    if (view.scheme.len > 0) {
        say("scheme", view.scheme);
    }
    say_headers("response", view.response_headers, view.response_header_count);
    say_headers("upstream", view.upstream_headers, view.upstream_header_count);
    for (size_t i = 0; i < view.strip_count; i++) {
        say("strip", view.strip[i]);
    }
    say("body", view.body);
    said();
}

static gatepost_status decide(const gatepost_engine* engine, const gatepost_request* request, int jobs,
                              gatepost_decision** decision) {
    if (!jobs) {
        return gatepost_decide(engine, request, decision, NULL);
    }
    gatepost_job* job = NULL;
    gatepost_status status = gatepost_decide(engine, request, decision, &job);
    while (status == GATEPOST_PENDING) {
        gatepost_status ran = gatepost_job_run(job);
        if (ran != GATEPOST_OK) {
            gatepost_job_free(job);
            return ran;
        }
        gatepost_job* next = NULL;
        status = gatepost_job_finish(job, decision, &next);
        job = next;
    }
    return status;
}

static int number(gatepost_str word, int64_t* value) {
    char* end = NULL;
    char digits[24];
    if (word.len == 0 || word.len >= sizeof digits) {
        return 0;
    }
    memcpy(digits, word.ptr, word.len);
    digits[word.len] = '\0';
    *value = strtoll(digits, &end, 10);
    return *end == '\0';
}

/* Puts one line of a request where it belongs; 0 where it is none. */
static int take(const heard* line, gatepost_request* request, gatepost_header* headers) {
    const struct {
        const char* name;
        gatepost_str* place;
    } strings[] = {
        {"method", &request->method}, {"target", &request->target}, {"host", &request->host},
        {"peer", &request->peer},     {"id", &request->request_id}, {"cert", &request->client_cert_der},
        {"body", &request->body},
    };
    for (size_t i = 0; i < sizeof strings / sizeof strings[0]; i++) {
        if (says(line, strings[i].name, 2)) {
            *strings[i].place = line->word[1];
            return 1;
        }
    }
    if (says(line, "at", 2)) {
        return is_set = number(line->word[1], &at);
    }
    if (says(line, "tls", 1)) {
        request->flags |= GATEPOST_REQUEST_TLS;
        return 1;
    }
    if (says(line, "cert-verified", 1)) {
        request->flags |= GATEPOST_REQUEST_CERT_VERIFIED;
        return 1;
    }
    if (says(line, "header", 3)) {
        headers[request->header_count].name = line->word[1];
        headers[request->header_count].value = line->word[2];
        request->header_count++;
        return 1;
    }
    return 0;
}

static void answer_decide(const gatepost_engine* engine, const exchange* asked, int jobs) {
    gatepost_header* headers = or_die(calloc(asked->count, sizeof headers[0]));
    gatepost_request request;
    memset(&request, 0, sizeof request);
    request.struct_size = sizeof request;
    request.flags = GATEPOST_REQUEST_BODY_COMPLETE;
    request.headers = headers;
    for (size_t i = 1; i < asked->count; i++) {
        if (!take(&asked->lines[i], &request, headers)) {
            say_error("a line of this request cannot be read");
            free(headers);
            return;
        }
    }
    gatepost_decision* decision = NULL;
    gatepost_status status = decide(engine, &request, jobs, &decision);
    if (status == GATEPOST_OK) {
        say_decision(decision);
    } else {
        say_error(gatepost_status_text(status).ptr);
    }
    gatepost_decision_free(decision);
    free(headers);
}

/* The engine reads the file again that it was made of: what it shall read is put there. */
static int put_in_place(gatepost_str from, const char* to) {
    if (from.len == strlen(to) && memcmp(from.ptr, to, from.len) == 0) {
        return 1;
    }
    char* path = or_die(calloc(from.len + 1, 1));
    memcpy(path, from.ptr, from.len);
    FILE *source = fopen(path, "rb"), *target = source == NULL ? NULL : fopen(to, "wb");
    free(path);
    int good = target != NULL;
    for (int octet; good && (octet = getc(source)) != EOF;) {
        good = putc(octet, target) != EOF;
    }
    good = good && !ferror(source);
    if (source != NULL) {
        fclose(source);
    }
    return target != NULL && fclose(target) == 0 && good;
}

static void answer_reload(const gatepost_engine* engine, gatepost_str from, const char* policy) {
    gatepost_error* error = NULL;
    if (!put_in_place(from, policy)) {
        say_error("the policy to reload cannot be read");
        return;
    }
    gatepost_status status = gatepost_engine_reload(engine, &error);
    if (status != GATEPOST_OK) {
        say_failed(status, error);
        return;
    }
    puts("ok");
    said();
}

int main(int argc, char** argv) {
    int jobs = argc == 3 && strcmp(argv[1], "--jobs") == 0;
    if (argc != 2 + jobs) {
        fputs("usage: cases [--jobs] POLICY\n", stderr);
        return 1;
    }
    const char* policy = argv[1 + jobs];
    gatepost_options options;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.clock = clock_of_cases;
    gatepost_engine* engine = NULL;
    gatepost_error* error = NULL;
    gatepost_status status = gatepost_engine_open(text(policy), &options, &engine, &error);
    if (status == GATEPOST_OK) {
        status = gatepost_engine_start(engine, &error);
    }
    if (status != GATEPOST_OK) {
        say_failed(status, error);
        gatepost_engine_free(engine);
        return 1;
    }
    puts("ready");
    said();
    exchange asked = {NULL, 0, 0};
    while (hear(stdin, &asked)) {
        const heard* first = asked.count == 0 ? &(heard){NULL, {{NULL, 0}}, 0} : &asked.lines[0];
        if (says(first, "decide", 1)) {
            answer_decide(engine, &asked, jobs);
        } else if (says(first, "reload", 2) && asked.count == 1) {
            answer_reload(engine, first->word[1], policy);
        } else {
            say_error("neither decide nor reload");
        }
    }
    forget(&asked);
    free(asked.lines);
    gatepost_engine_free(engine);
    return 0;
}
