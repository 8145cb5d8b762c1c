/*
 * What the sources of the module share. It knows of Gatepost what gatepost.h says, and nothing else.
 *
 * config.c     directives, and what a directory inherits
 * policies.c   one engine for each policy file, opened by the parent
 * keep.c       what a child does with an engine besides deciding
 * describe.c   what httpd knows of a request, as the engine wants it
 * body.c       the body of a request, where the engine asks for it
 * decide.c     one decision for each request of a client
 * access.c     where httpd asks who may come in
 * apply.c      what the application sees: fields, environment, user
 * answer.c     what the client gets
 * tell.c       what the error log says
 * forgotten.c  policies that nothing asks
 */
#ifndef MOD_GATEPOST_H
#define MOD_GATEPOST_H

#include <gatepost.h>

#include "httpd.h"

#include "apr_strings.h"
#include "http_config.h"
#include "http_core.h"
#include "http_log.h"
#include "http_protocol.h"
#include "http_request.h"
#include "util_filter.h"

/* httpd finds the module by this name; nothing else is seen outside. */
extern module AP_MODULE_DECLARE_DATA gatepost_module __attribute__((visibility("default")));
#ifndef GATEPOST_HAS_MODULE /* where the module is declared, that is declared too */
APLOG_USE_MODULE(gatepost);
#endif

/* A policy file. Made when the configuration is read; the engine and the names are there after post_config. */
typedef struct gate_policy {
    const char *file;            /* absolute */
    gatepost_engine *engine;
    volatile int started;        /* in this process */
    volatile gatepost_status failed; /* why not, as far as is known */
    const gatepost_str *names;   /* that it gives an identity */
    size_t name_count;
} gate_policy;

/* What a directory says or inherits. */
typedef struct gate_directory {
    gate_policy *policy; /* NULL: none */
    int on;              /* GATE_UNSET: neither on nor off was said */
} gate_directory;

#define GATE_UNSET (-1)

/* One decision, and what it is about. It ends with the request of the client. */
typedef struct gate_record {
    struct gate_record *next;
    gate_policy *policy;
    const char *destination;     /* NULL: about the address that the client asked for */
    gatepost_decision *decision; /* NULL: none could be made, and status is what the client gets */
    gatepost_view view;
    const char *client;          /* address of the client, behind proxies that the policy trusts */
    int told;                    /* the error log has its line */
} gate_record;

/* What is known of a request_rec: of the client's own request, of one that it was redirected to, or of a subrequest. */
typedef struct gate_request {
    gate_record *records;         /* of the client's own request only */
    apr_table_t *received;        /* likewise: its fields, once those of headers_in are not the client's any more */
    struct gate_body *body;       /* likewise: what the engine has read of its body */
    const gate_record *asked;     /* what access to this one goes by, as far as it was asked */
    const gate_record *refusal;   /* this one was refused by us */
    const gate_record *published; /* what notes and environment tell of */
    const gate_policy *policy;    /* whose identity headers this one carries or lacks */
    const gate_record *applied;   /* by which decision; NULL: by none */
    int admitted;                 /* whatever httpd asked about this one has let it in */
} gate_request;

/* config.c */
extern const command_rec gate_commands[];
void *gate_create_directory(apr_pool_t *pool, char *directory);
void *gate_merge_directory(apr_pool_t *pool, void *outer, void *inner);
const gate_directory *gate_directory_of(request_rec *r);

/* policies.c */
void gate_policies_begin(apr_pool_t *pool);
const char *gate_policy_named(cmd_parms *command, const char *name, gate_policy **policy);
int gate_policies_check(apr_pool_t *pool, server_rec *server);
int gate_policies_open(apr_pool_t *pool, server_rec *server);
void gate_policies_start(apr_pool_t *pool, server_rec *server);
void gate_policies_wanted(const char *by);
int gate_policies_several(void);
int gate_policies_count(void);
const gate_policy *gate_policies_at(int i);

/* keep.c */
void gate_keep(gate_policy *policy, apr_pool_t *pool, server_rec *server);
int gate_ending(void);
void gate_stay_loaded(void);
void gate_enter(void);
void gate_leave(void);

/* describe.c */
void gate_optional_functions(void);
void gate_describe(request_rec *r, request_rec *top, apr_table_t *fields, gatepost_request *request);

/* body.c */
void gate_register_body_filter(void);
void gate_replay_body(request_rec *r);
int gate_read_body(request_rec *r, apr_size_t most, gatepost_request *request);

/* decide.c */
gate_request *gate_new_request(request_rec *r);
gate_record *gate_known(request_rec *r, const gate_policy *policy);
const char *gate_destination(const request_rec *r);
const gate_record *gate_decide(request_rec *r, gate_policy *policy);
gate_record *gate_without_decision(request_rec *r, gate_policy *policy, gatepost_reason reason);
int gate_quiet_strip(request_rec *r, gate_policy *policy);
void gate_event(void *data, const gatepost_event *event);
/* The request that came from the client. */
static inline request_rec *gate_top(request_rec *r) {
    while (r->main != NULL || r->prev != NULL) {
        r = r->main != NULL ? r->main : r->prev;
    }
    return r;
}
/* What is known of r. */
static inline gate_request *gate_request_of(request_rec *r) {
    gate_request *known = ap_get_module_config(r->request_config, &gatepost_module);
    return known != NULL ? known : gate_new_request(r);
}
static inline int gate_admits(const gate_record *record) {
    return record->view.action == GATEPOST_ALLOW || record->view.action == GATEPOST_PASS;
}
static inline int gate_text_is(gatepost_str text, const char *other) {
    return strlen(other) == text.len && strncasecmp(text.ptr, other, text.len) == 0;
}

/* access.c */
void gate_register_access(apr_pool_t *pool);
const gate_record *gate_excused(request_rec *r);
int gate_catch_up(request_rec *r);

/* apply.c */
void gate_publish(request_rec *r, const gate_record *record);
void gate_strip(request_rec *r, const gatepost_view *view);
void gate_register_application(void);

/* answer.c */
void gate_register_answer(void);
int gate_refuse(request_rec *r, const gate_record *record);
int gate_respond(request_rec *r, const gate_record *record);

/* tell.c */
void gate_tell(request_rec *r, const gate_record *record);
void gate_register_tell(void);
void gate_tell_lines(server_rec *server, int level, const char *before, const char *text);

/* forgotten.c */
void gate_warn_of_forgotten(apr_pool_t *pool, server_rec *server, int level);

#ifdef GATEPOST_TESTING
/* testing.c, in a build for tests only: what a client cannot choose over loopback, from fields of the request */
void gate_testing(request_rec *r, apr_table_t *fields, gatepost_request *request);
int gate_testing_fields(request_rec *r);
int64_t gate_testing_clock(void *data);
#endif

#endif
