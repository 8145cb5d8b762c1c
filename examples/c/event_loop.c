/*
 * A server on one event loop (libevent's evhttp) that never blocks: what is slow, password hashing above all, runs in
 * Gatepost's own pool, whose descriptor the loop watches.
 *
 *     cc -O2 -Wall -Wextra -I include examples/c/event_loop.c -o event_loop -L target/release -lgatepost -levent -pthread
 *     LD_LIBRARY_PATH=target/release ./event_loop POLICY PORT        (0: any free port)
 *
 * SIGHUP reads the policy again, SIGINT and SIGTERM end the server.
 */
#include <gatepost.h>

#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct server {
    struct event_base *base;
    struct evhttp *http;
    struct event *timer;
    gatepost_engine *engine;
    gatepost_pool *pool;
};

/* A request whose decision is under way. */
struct pending {
    struct evhttp_request *request; /* NULL once the client has gone: evhttp frees it then */
    gatepost_job *job;
};

static gatepost_str text(const char *string) { return (gatepost_str){string, string == NULL ? 0 : strlen(string)}; }

/* ---- the application: knows nothing of passwords, only the headers that the decision put there ---- */

static void application(struct evhttp_request *request) {
    const char *who = evhttp_find_header(evhttp_request_get_input_headers(request), "X-Auth-Subject");
    struct evbuffer *body = evhttp_request_get_output_buffer(request);
    evbuffer_add_printf(body, "Hello, %s.\n", who == NULL ? "whoever you are" : who);
    evhttp_add_header(evhttp_request_get_output_headers(request), "Content-Type", "text/plain; charset=utf-8");
    evhttp_send_reply(request, 200, NULL, NULL);
}

/* ---- what a server does with a decision ---- */

static void apply(struct evkeyvalq *fields, const gatepost_header *headers, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const char *name = headers[i].name.ptr;
        if (headers[i].mode == GATEPOST_HEADER_SET) {
            while (evhttp_remove_header(fields, name) == 0) {
            }
        }
        if (headers[i].mode != GATEPOST_HEADER_SET_IF_ABSENT || evhttp_find_header(fields, name) == NULL) {
            evhttp_add_header(fields, name, headers[i].value.ptr);
        }
    }
}

/* Answers a request and ends the decision; without one the request is refused. */
static void answer(struct evhttp_request *request, gatepost_status status, gatepost_decision *decision) {
    struct evkeyvalq *in = evhttp_request_get_input_headers(request);
    struct evkeyvalq *out = evhttp_request_get_output_headers(request);
    gatepost_view view = {.struct_size = sizeof view};
    if (status != GATEPOST_OK || gatepost_decision_view(decision, &view) != GATEPOST_OK) {
        int busy = status == GATEPOST_ERR_OVERLOADED || status == GATEPOST_ERR_STATE || status == GATEPOST_ERR_CANCELLED;
        fprintf(stderr, "no decision: %s\n", gatepost_status_text(status).ptr);
        evhttp_send_reply(request, busy ? 503 : 500, NULL, NULL);
        gatepost_decision_free(decision);
        return;
    }
    /* On every action, before anything else sees the request: what a client made up about himself. */
    for (size_t i = 0; i < view.strip_count; i++) {
        while (evhttp_remove_header(in, view.strip[i].ptr) == 0) {
        }
    }
    apply(out, view.response_headers, view.response_header_count);
    if (view.action == GATEPOST_DENY) { /* what the person refused reads to support; gatepost decide --explain says more */
        fprintf(stderr, "%s %u %s\n", view.id.ptr, view.status, view.reason_name.ptr);
    }
    /* For the demonstration. A disabled account must not be told from a wrong password. */
    gatepost_reason shown = view.reason == GATEPOST_REASON_ACCOUNT_DISABLED ? GATEPOST_REASON_CREDENTIALS_INVALID : view.reason;
    evhttp_add_header(out, "X-Gatepost-Reason", gatepost_reason_name(shown).ptr);
    switch (view.action) {
    case GATEPOST_ALLOW:
        apply(in, view.upstream_headers, view.upstream_header_count);
        application(request);
        break;
    case GATEPOST_PASS: /* no route, and the policy leaves it to us: there is nothing else here */
        evhttp_send_reply(request, 404, NULL, NULL);
        break;
    default: /* GATEPOST_DENY, GATEPOST_RESPOND, and whatever a later release adds */
        evbuffer_add(evhttp_request_get_output_buffer(request), view.body.ptr, view.body.len);
        evhttp_send_reply(request, (int)view.status, NULL, NULL);
    }
    gatepost_decision_free(decision);
}

/* ---- asking for a decision ---- */

/* The pool's answer, on the loop's thread, exactly once. */
static void decided(void *data, gatepost_status status, gatepost_decision *decision) {
    struct pending *pending = data;
    if (pending->request == NULL) {
        gatepost_decision_free(decision);
    } else {
        evhttp_connection_set_closecb(evhttp_request_get_connection(pending->request), NULL, NULL);
        answer(pending->request, status, decision);
    }
    free(pending);
}

/* The client went away meanwhile: nobody needs the decision. */
static void gone(struct evhttp_connection *connection, void *data) {
    (void)connection;
    struct pending *pending = data;
    pending->request = NULL;
    gatepost_job_cancel(pending->job);
}

static const char *method(struct evhttp_request *request) {
    switch (evhttp_request_get_command(request)) {
    case EVHTTP_REQ_GET: return "GET";
    case EVHTTP_REQ_POST: return "POST";
    case EVHTTP_REQ_HEAD: return "HEAD";
    case EVHTTP_REQ_PUT: return "PUT";
    case EVHTTP_REQ_DELETE: return "DELETE";
    case EVHTTP_REQ_OPTIONS: return "OPTIONS";
    case EVHTTP_REQ_TRACE: return "TRACE";
    case EVHTTP_REQ_CONNECT: return "CONNECT";
    case EVHTTP_REQ_PATCH: return "PATCH";
    default: return ""; /* which is refused */
    }
}

static void on_request(struct evhttp_request *request, void *data) {
    struct server *server = data;
    struct evhttp_connection *connection = evhttp_request_get_connection(request);
    struct evkeyvalq *fields = evhttp_request_get_input_headers(request);
    char *peer = NULL;
    ev_uint16_t port = 0;
    evhttp_connection_get_peer(connection, &peer, &port);

    /* All fields, as received; borrowed for the call only. */
    size_t count = 0;
    for (struct evkeyval *field = fields->tqh_first; field != NULL; field = field->next.tqe_next) {
        count++;
    }
    gatepost_header *headers = calloc(count + 1, sizeof *headers);
    struct pending *pending = calloc(1, sizeof *pending);
    if (headers == NULL || pending == NULL) {
        free(headers);
        free(pending);
        evhttp_send_reply(request, 503, NULL, NULL);
        return;
    }
    count = 0;
    for (struct evkeyval *field = fields->tqh_first; field != NULL; field = field->next.tqe_next) {
        headers[count].name = text(field->key);
        headers[count++].value = text(field->value);
    }
    gatepost_request asked = {
        .struct_size = sizeof asked,
        .method = text(method(request)),
        .target = text(evhttp_request_get_uri(request)), /* raw: evhttp has not touched it */
        .peer = text(peer),
        .headers = headers,
        .header_count = count,
    };
    gatepost_decision *decision = NULL;
    gatepost_status status = gatepost_decide(server->engine, &asked, &decision, &pending->job);
    free(headers);
    if (status == GATEPOST_PENDING) {
        pending->request = request;
        status = gatepost_pool_submit(server->pool, pending->job, decided, pending);
        if (status == GATEPOST_OK) {
            evhttp_connection_set_closecb(connection, gone, pending);
            return;
        }
        gatepost_job_free(pending->job);
    }
    free(pending);
    answer(request, status, decision);
}

/* ---- the loop's other events ---- */

static void on_completions(evutil_socket_t fd, short what, void *data) {
    (void)fd, (void)what;
    gatepost_pool_dispatch(((struct server *)data)->pool);
}

static void swept(void *data, gatepost_status status, gatepost_decision *decision) {
    (void)data, (void)decision;
    if (status != GATEPOST_OK && status != GATEPOST_ERR_CANCELLED) {
        fprintf(stderr, "housekeeping: %s\n", gatepost_status_text(status).ptr);
    }
}

static void on_timer(evutil_socket_t fd, short what, void *data) {
    (void)fd, (void)what;
    struct server *server = data;
    uint64_t next = 1000;
    gatepost_job *job = NULL;
    if (gatepost_engine_poll(server->engine, &next, &job) == GATEPOST_OK && job != NULL &&
        gatepost_pool_submit(server->pool, job, swept, NULL) != GATEPOST_OK) {
        gatepost_job_free(job);
    }
    struct timeval wait = {(time_t)(next / 1000), (suseconds_t)(next % 1000 * 1000)};
    evtimer_add(server->timer, &wait);
}

/* Reads files, so it has a thread of its own, with a reference of its own. */
static void *reload(void *data) {
    gatepost_engine *engine = data;
    gatepost_error *error = NULL;
    if (gatepost_engine_reload(engine, &error) == GATEPOST_OK) {
        fprintf(stderr, "policy %llu is in force\n", (unsigned long long)gatepost_engine_generation(engine));
    } else {
        fprintf(stderr, "the old policy stays in force:\n%s\n", gatepost_error_message(error).ptr);
    }
    gatepost_error_free(error);
    gatepost_engine_free(engine);
    return NULL;
}

static void on_hangup(evutil_socket_t signal, short what, void *data) {
    (void)signal, (void)what;
    pthread_t thread;
    gatepost_engine *engine = gatepost_engine_ref(((struct server *)data)->engine);
    if (pthread_create(&thread, NULL, reload, engine) == 0) {
        pthread_detach(thread);
    } else {
        gatepost_engine_free(engine);
    }
}

static void on_end(evutil_socket_t signal, short what, void *data) {
    (void)signal, (void)what;
    event_base_loopbreak(((struct server *)data)->base);
}

static void need(int fine, const char *what, gatepost_error *error) {
    if (!fine) {
        fprintf(stderr, "%s: %s\n", what, error == NULL ? "failed" : gatepost_error_message(error).ptr);
        exit(1);
    }
}

int main(int argc, char **argv) {
    if (argc != 3) {
        fprintf(stderr, "usage: %s POLICY PORT\n", argv[0]);
        return 2;
    }
    struct server server = {0};
    gatepost_error *error = NULL;
    need(gatepost_engine_open(text(argv[1]), NULL, &server.engine, &error) == GATEPOST_OK, argv[1], error);
    /* A server with worker processes forks here; each then starts the engine and makes a pool of its own. */
    need(gatepost_engine_start(server.engine, &error) == GATEPOST_OK, "start", error);
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    uint32_t threads = processors > 1 ? (uint32_t)processors : 1;
    need(gatepost_pool_new(threads, 64, &server.pool, &error) == GATEPOST_OK, "pool", error);

    signal(SIGPIPE, SIG_IGN);
    server.base = event_base_new();
    server.http = server.base == NULL ? NULL : evhttp_new(server.base);
    need(server.http != NULL, "libevent", NULL);
    evhttp_set_max_headers_size(server.http, 64 * 1024);
    evhttp_set_max_body_size(server.http, 1024 * 1024);
    evhttp_set_timeout(server.http, 60);
    evhttp_set_allowed_methods(server.http, EVHTTP_REQ_GET | EVHTTP_REQ_POST | EVHTTP_REQ_HEAD | EVHTTP_REQ_PUT |
                                                EVHTTP_REQ_DELETE | EVHTTP_REQ_OPTIONS | EVHTTP_REQ_PATCH);
    evhttp_set_gencb(server.http, on_request, &server);

    struct evhttp_bound_socket *bound =
        evhttp_bind_socket_with_handle(server.http, "127.0.0.1", (ev_uint16_t)strtoul(argv[2], NULL, 10));
    need(bound != NULL, "cannot listen on this port", NULL);
    struct sockaddr_in address;
    socklen_t size = sizeof address;
    need(getsockname(evhttp_bound_socket_get_fd(bound), (struct sockaddr *)&address, &size) == 0, "getsockname", NULL);

    struct event *events[] = {
        event_new(server.base, gatepost_pool_fd(server.pool), EV_READ | EV_PERSIST, on_completions, &server),
        evsignal_new(server.base, SIGHUP, on_hangup, &server),
        evsignal_new(server.base, SIGINT, on_end, &server),
        evsignal_new(server.base, SIGTERM, on_end, &server),
    };
    for (size_t i = 0; i < sizeof events / sizeof *events; i++) {
        need(events[i] != NULL && event_add(events[i], NULL) == 0, "libevent", NULL);
    }
    server.timer = evtimer_new(server.base, on_timer, &server);
    need(server.timer != NULL, "libevent", NULL);
    on_timer(-1, 0, &server);

    printf("listening on 127.0.0.1:%u\n", (unsigned)ntohs(address.sin_port));
    fflush(stdout);
    event_base_dispatch(server.base);

    /* The pool first: what is outstanding is answered as cancelled, while its requests are still there. */
    for (size_t i = 0; i < sizeof events / sizeof *events; i++) {
        event_free(events[i]);
    }
    event_free(server.timer);
    gatepost_pool_free(server.pool);
    evhttp_free(server.http);
    event_base_free(server.base);
    gatepost_engine_free(server.engine);
    return 0;
}
