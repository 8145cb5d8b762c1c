/* One decision as a host in C takes it: a request made of the host's own fields, decided, looked at, ended. */
#include "call.h"

#include <string.h>

static gatepost_str text(const char *string) { return (gatepost_str){string, strlen(string)}; }

uint32_t decide_in_c(const gatepost_engine *engine, const char *target, const struct field *fields, size_t count) {
    gatepost_header headers[MOST_FIELDS];
    for (size_t i = 0; i < count; i++) {
        headers[i] = (gatepost_header){{fields[i].name, fields[i].name_length}, {fields[i].value, fields[i].value_length}, 0, 0};
    }
    gatepost_request request;
    memset(&request, 0, sizeof request);
    request.struct_size = sizeof request;
    request.method = text("GET");
    request.target = text(target);
    request.host = text("orders.example.com");
    request.peer = text("192.0.2.7");
    request.headers = headers;
    request.header_count = count;
    request.flags = GATEPOST_REQUEST_TLS | GATEPOST_REQUEST_BODY_COMPLETE;
    gatepost_decision *decision = NULL;
    gatepost_view view; /* written by the library */
    view.struct_size = sizeof view;
    if (gatepost_decide_into(engine, &request, &decision, &view) != GATEPOST_OK) {
        return 0;
    }
    gatepost_decision_free(decision);
    return view.status;
}
