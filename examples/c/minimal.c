/*
 * The least that a server does with Gatepost: a thread for each connection (libmicrohttpd), each decision made in place.
 *
 *     cc -O2 -Wall -Wextra -I include examples/c/minimal.c -o minimal -L target/release -lgatepost -lmicrohttpd -pthread
 *     LD_LIBRARY_PATH=target/release ./minimal POLICY PORT           (0: any free port)
 */
#include <gatepost.h>

#include <arpa/inet.h>
#include <microhttpd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static gatepost_str text(const char *string) { return (gatepost_str){string, string == NULL ? 0 : strlen(string)}; }

/* What is kept of a request until it is complete. */
struct seen {
    int fields;     /* its header fields were announced; a body may follow */
    char target[1]; /* raw: it must be taken before libmicrohttpd decodes it */
};

static void *raw_target(void *engine, const char *uri, struct MHD_Connection *connection) {
    (void)engine, (void)connection;
    struct seen *seen = calloc(1, sizeof *seen + strlen(uri));
    if (seen != NULL) {
        memcpy(seen->target, uri, strlen(uri) + 1);
    }
    return seen;
}

static void forget(void *engine, struct MHD_Connection *connection, void **seen, enum MHD_RequestTerminationCode why) {
    (void)engine, (void)connection, (void)why;
    free(*seen);
}

struct fields {
    gatepost_header list[201]; /* Gatepost refuses more than 200; one more lets it say so */
    size_t count;
};

static enum MHD_Result add_field(void *data, enum MHD_ValueKind kind, const char *name, size_t name_size,
                                 const char *value, size_t value_size) {
    (void)kind;
    struct fields *fields = data;
    if (fields->count == sizeof fields->list / sizeof *fields->list) {
        return MHD_NO;
    }
    gatepost_header *field = &fields->list[fields->count++];
    field->name = (gatepost_str){name, name_size};
    field->value = (gatepost_str){value, value_size};
    return MHD_YES;
}

static enum MHD_Result reply(struct MHD_Connection *connection, const gatepost_view *view, uint32_t status,
                             gatepost_str body) {
    struct MHD_Response *response = MHD_create_response_from_buffer(body.len, (void *)body.ptr, MHD_RESPMEM_MUST_COPY);
    if (response == NULL) {
        return MHD_NO;
    }
    /* Nothing else has set response fields here, so that set, append and set-if-absent come to the same. */
    for (size_t i = 0; i < view->response_header_count; i++) {
        MHD_add_response_header(response, view->response_headers[i].name.ptr, view->response_headers[i].value.ptr);
    }
    enum MHD_Result result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

/* The application sees nothing of the request but this: neither credentials nor what a client says about himself. */
static enum MHD_Result application(struct MHD_Connection *connection, const gatepost_view *view) {
    char greeting[512];
    const char *who = view->subject.len == 0 ? "whoever you are" : view->subject.ptr;
    snprintf(greeting, sizeof greeting, "Hello, %s.\n", who);
    return reply(connection, view, 200, text(greeting));
}

static enum MHD_Result on_request(void *engine, struct MHD_Connection *connection, const char *url, const char *method,
                                  const char *version, const char *upload, size_t *upload_size, void **data) {
    (void)url, (void)version, (void)upload;
    struct seen *seen = *data;
    if (seen == NULL) {
        return MHD_NO;
    }
    if (!seen->fields || *upload_size > 0) { /* answered once it is complete; a body is not wanted here */
        seen->fields = 1;
        *upload_size = 0;
        return MHD_YES;
    }
    char peer[INET6_ADDRSTRLEN] = "";
    const struct sockaddr *from = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr;
    if (from->sa_family == AF_INET) {
        inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)from)->sin_addr, peer, sizeof peer);
    }
    struct fields fields = {.count = 0};
    MHD_get_connection_values_n(connection, MHD_HEADER_KIND, add_field, &fields);

    gatepost_request asked = {
        .struct_size = sizeof asked,
        .method = text(method),
        .target = text(seen->target),
        .peer = text(peer),
        .headers = fields.list,
        .header_count = fields.count,
    };
    gatepost_decision *decision = NULL;
    gatepost_view view = {.struct_size = sizeof view};
    gatepost_status status = gatepost_decide_into(engine, &asked, &decision, &view);
    enum MHD_Result result;
    if (status != GATEPOST_OK) { /* no decision could be made: refuse */
        fprintf(stderr, "no decision: %s\n", gatepost_status_text(status).ptr);
        int busy = status == GATEPOST_ERR_OVERLOADED || status == GATEPOST_ERR_STATE;
        result = reply(connection, &view, busy ? 503 : 500, text(""));
    } else if (view.action == GATEPOST_ALLOW) {
        result = application(connection, &view);
    } else if (view.action == GATEPOST_PASS) { /* no route, and the policy leaves it to us: there is nothing else here */
        result = reply(connection, &view, 404, text(""));
    } else { /* the id is what the person refused reads to support */
        fprintf(stderr, "%s %u %s\n", view.id.ptr, view.status, view.reason_name.ptr);
        result = reply(connection, &view, view.status, view.body);
    }
    gatepost_decision_free(decision);
    return result;
}

int main(int argc, char **argv) {
    if (argc != 3) {
        fprintf(stderr, "usage: %s POLICY PORT\n", argv[0]);
        return 2;
    }
    gatepost_engine *engine = NULL;
    gatepost_error *error = NULL;
    if (gatepost_engine_open(text(argv[1]), NULL, &engine, &error) != GATEPOST_OK ||
        gatepost_engine_start(engine, &error) != GATEPOST_OK) {
        fprintf(stderr, "%s\n", gatepost_error_message(error).ptr);
        return 1;
    }
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGINT);
    sigaddset(&ends, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &ends, NULL); /* before the threads start, which inherit it */
    signal(SIGPIPE, SIG_IGN);

    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)strtoul(argv[2], NULL, 10))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    struct MHD_Daemon *daemon = MHD_start_daemon(
        MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL, 0, NULL, NULL, on_request, engine,
        MHD_OPTION_SOCK_ADDR, &address, MHD_OPTION_URI_LOG_CALLBACK, raw_target, engine, MHD_OPTION_NOTIFY_COMPLETED, forget,
        engine, MHD_OPTION_CONNECTION_TIMEOUT, 60u, MHD_OPTION_END);
    if (daemon == NULL) {
        fprintf(stderr, "cannot listen on this port\n");
        return 1;
    }
    printf("listening on 127.0.0.1:%u\n", MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT)->port);
    fflush(stdout);
    struct timespec wait;
    do { /* housekeeping, until a signal comes */
        uint64_t next = 1000;
        if (gatepost_engine_poll(engine, &next, NULL) != GATEPOST_OK) {
            fprintf(stderr, "housekeeping failed\n");
        }
        wait = (struct timespec){(time_t)(next / 1000), (long)(next % 1000 * 1000000)};
    } while (sigtimedwait(&ends, NULL, &wait) < 0);
    MHD_stop_daemon(daemon);
    gatepost_engine_free(engine);
    return 0;
}
