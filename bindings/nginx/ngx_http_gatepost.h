/*
 * What the parts of the module share. The module is an adapter: it hands each request to the engine (gatepost.h, and
 * nothing else of Gatepost), and carries out what the engine decided.
 */

#ifndef NGX_HTTP_GATEPOST_H
#define NGX_HTTP_GATEPOST_H

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http.h>

#include <gatepost.h>

#if (NGX_THREADS)
#include <ngx_thread_pool.h>
#endif

/* The name of a field for the application, as nginx wants it: the same for each request. */
typedef struct {
    ngx_str_t    key;
    u_char      *lowcase;
    ngx_uint_t   hash;
    unsigned     known:1; /* nginx keeps a pointer to fields of this name */
} ngx_http_gatepost_name_t;

#define NGX_HTTP_GATEPOST_NAMES  8

#define NGX_HTTP_GATEPOST_TROUBLES  8

/* What was told of a trouble, and when. */
typedef struct {
    uint32_t  what;
    time_t    told; /* 0: never */
} ngx_http_gatepost_trouble_t;

/* One policy file. Made by the master, as root; started by each worker. */
typedef struct {
    ngx_str_t                 file;
    gatepost_engine          *engine;
    ngx_event_t               timer; /* the next housekeeping, or the next attempt to start */
    ngx_pool_t               *pool;  /* that it lies in */
    ngx_http_gatepost_name_t  names[NGX_HTTP_GATEPOST_NAMES]; /* in the order of their coming; the first empty one ends them */
    ngx_http_gatepost_trouble_t  troubles[NGX_HTTP_GATEPOST_TROUBLES];

    ngx_array_t              *all;  /* policies of the configuration: of ngx_http_gatepost_engine_t * */
    gatepost_decision        *bare; /* about no request; holds the names of own */
    const gatepost_str       *own;  /* the fields that this policy strips whatever came */
    size_t                    own_count;
    gatepost_str             *others; /* those of the other policies that are not own */
    size_t                    other_count;
    uint64_t                  other_lengths; /* a bit for each length among them, as of 64 and more */

    unsigned                  started:1;
} ngx_http_gatepost_engine_t;

typedef struct {
    ngx_array_t    engines; /* of ngx_http_gatepost_engine_t * */
    ngx_array_t    places;  /* of ngx_http_gatepost_place_t * */
    ngx_uint_t     threads; /* how many jobs run at once; 0: left to us */
    ngx_uint_t     queue;   /* how many may wait */
    ngx_int_t      realip;  /* index of $realip_remote_addr; NGX_ERROR: this nginx has none */
    ngx_module_t  *realip_module; /* whose variable that is, where it was found */
    ngx_array_t    fields;  /* of ngx_uint_t: indices of the variables $http_... */
#if (NGX_THREADS)
    ngx_thread_pool_t  *thread_pool; /* NULL: a pool of the library's own */
#endif
    unsigned  pool_set:1;
} ngx_http_gatepost_main_conf_t;

/* A place where a policy is named. */
typedef struct {
    ngx_http_gatepost_engine_t  *engine;
    ngx_str_t                    file; /* of the configuration */
    ngx_uint_t                   line;
    ngx_uint_t                   asked; /* "gatepost on" holds there, or somewhere beneath for this very policy */
} ngx_http_gatepost_place_t;

typedef struct {
    ngx_flag_t                   enable;
    ngx_http_gatepost_engine_t  *engine;
    ngx_http_gatepost_place_t   *place;
} ngx_http_gatepost_loc_conf_t;

typedef struct ngx_http_gatepost_work_s  ngx_http_gatepost_work_t;

/* Called on the event loop, exactly once unless the work was cancelled; the decision is the callee's. */
typedef void (*ngx_http_gatepost_done_pt)(void *data, gatepost_status status, gatepost_decision *decision);

/*
 * One decision about a client's request: of its main request, its subrequests and whatever it is redirected to
 * internally, as far as they are guarded by the same policy. It lives in the request's pool.
 */
typedef struct ngx_http_gatepost_ctx_s  ngx_http_gatepost_ctx_t;

/* Who goes on when work is done, and when at the latest. */
typedef struct {
    ngx_array_t  requests; /* of ngx_http_request_t * */
    ngx_event_t  timeout;
} ngx_http_gatepost_wait_t;

struct ngx_http_gatepost_ctx_s {
    ngx_http_request_t          *main;
    ngx_http_gatepost_engine_t  *engine;
    ngx_http_gatepost_ctx_t     *first;    /* of the request; one more for each further policy that it comes to */
    ngx_http_gatepost_ctx_t     *next;
    ngx_http_gatepost_ctx_t     *current;  /* of the first alone: whose decision the answer is due to */
    ngx_http_gatepost_work_t    *work;     /* under way */
    ngx_http_gatepost_wait_t    *wait;     /* of requests, for it; NULL: none had to */
    gatepost_decision           *decision; /* NULL though decided: none could be made */
    gatepost_reason              reason;
    ngx_uint_t                   status;   /* of the answer that a refusal gets */
    uint64_t                     most;     /* octets of body that the engine takes */
    ngx_str_t                    uri;      /* of the main request when it was last asked about, */
    ngx_http_upstream_t         *upstream; /* and who had answered it by then */
    gatepost_str                 client;   /* for the log: another than the peer behind trusted proxies */
    unsigned                     decided:1;
    unsigned                     reading:1;    /* the body is being read */
    unsigned                     body_read:1;
    unsigned                     concluded:1;  /* for the main request itself, not for a subrequest alone */
    unsigned                     edited:1;     /* the main request's fields are as the decision wants them */
    unsigned                     refused:1;    /* the access phase was told to refuse */
    unsigned                     admitted:1;   /* ... and another module let it in all the same (satisfy any) */
    unsigned                     redirected:1; /* by nginx itself, after the decision */
    unsigned                     logged:1;
    unsigned                     replacing:1;  /* nginx's body of an error is exchanged for ours */
    unsigned                     replaced:1;
    gatepost_view                view;     /* of decision; the last member, since it is not cleared before */
};

extern ngx_module_t  ngx_http_gatepost_module;

/* A request as the engine wants it, and room for its fields; most have no more. Nothing of it outlives the call. */
typedef struct {
    gatepost_request  request;
    gatepost_header   fields[24];
} ngx_http_gatepost_request_t;

#pragma GCC visibility push(hidden)

#define ngx_http_gatepost_text(s)  ((gatepost_str) { (const char *) (s)->data, (s)->len })

/* ngx_http_gatepost_engine.c: the life of engines */
ngx_http_gatepost_engine_t *ngx_http_gatepost_engine_open(ngx_conf_t *cf, ngx_array_t *engines, ngx_str_t *file);
void ngx_http_gatepost_engines_start(ngx_cycle_t *cycle, ngx_array_t *engines);
gatepost_str ngx_http_gatepost_heard_client(ngx_pool_t *pool, gatepost_str id);
void ngx_http_gatepost_log_lines(ngx_uint_t level, ngx_log_t *log, const char *before, gatepost_str text);

/* ngx_http_gatepost_names.c: the identity fields of all policies */
ngx_int_t ngx_http_gatepost_names_share(ngx_http_gatepost_engine_t *engine);
ngx_uint_t ngx_http_gatepost_goes_other(const ngx_str_t *name, const gatepost_view *view);

/* ngx_http_gatepost_trouble.c: what the operator has to mend, told once */
ngx_uint_t ngx_http_gatepost_is_news(ngx_http_gatepost_engine_t *engine, uint32_t what);
void ngx_http_gatepost_tell_start(ngx_http_gatepost_engine_t *engine, gatepost_status status, gatepost_error *error);

/* ngx_http_gatepost_request.c: what nginx has of a request, as the engine wants it */
ngx_int_t ngx_http_gatepost_request(ngx_http_request_t *r, ngx_http_gatepost_request_t *out);

/* ngx_http_gatepost_ctx.c: what is known of a client's request */
ngx_http_gatepost_ctx_t *ngx_http_gatepost_first(ngx_http_request_t *r);
ngx_http_gatepost_ctx_t *ngx_http_gatepost_ctx_of(ngx_http_request_t *r, ngx_http_gatepost_engine_t *engine);
ngx_http_gatepost_ctx_t *ngx_http_gatepost_new_ctx(ngx_http_request_t *r, ngx_http_gatepost_engine_t *engine);

/* ngx_http_gatepost_decide.c: a decision, now or later */
ngx_int_t ngx_http_gatepost_decide(ngx_http_request_t *r, ngx_http_gatepost_ctx_t **found);
void ngx_http_gatepost_unread(ngx_http_gatepost_ctx_t *ctx);

/* ngx_http_gatepost_quiet.c: what goes where nobody is asked */
ngx_int_t ngx_http_gatepost_quiet_strip(ngx_http_request_t *r, ngx_http_gatepost_engine_t *engine);

/* ngx_http_gatepost_access.c: where nginx asks */
ngx_int_t ngx_http_gatepost_access_handler(ngx_http_request_t *r);
ngx_int_t ngx_http_gatepost_precontent_handler(ngx_http_request_t *r);

/* ngx_http_gatepost_work.c: slow work on other threads */
ngx_int_t ngx_http_gatepost_work_init(ngx_cycle_t *cycle, ngx_http_gatepost_main_conf_t *mcf);
void ngx_http_gatepost_work_exit(ngx_cycle_t *cycle);
gatepost_status ngx_http_gatepost_work_start(gatepost_job *job, ngx_uint_t housekeeping, ngx_http_gatepost_done_pt done,
    void *data, ngx_http_gatepost_work_t **work);
void ngx_http_gatepost_work_cancel(ngx_http_gatepost_work_t *work);

/* ngx_http_gatepost_fields.c: fields of requests and answers */
ngx_int_t ngx_http_gatepost_edit_request(ngx_http_request_t *r, const gatepost_view *view,
    ngx_http_gatepost_engine_t *engine);
ngx_int_t ngx_http_gatepost_strip_others(ngx_http_request_t *r, ngx_http_gatepost_engine_t *engine);
ngx_int_t ngx_http_gatepost_edit_response(ngx_http_request_t *r, const gatepost_view *view, ngx_uint_t ours);

/* ngx_http_gatepost_answer.c: what the client gets, and what the log says of it */
ngx_int_t ngx_http_gatepost_respond(ngx_http_request_t *r, ngx_http_gatepost_ctx_t *ctx);
void ngx_http_gatepost_log(ngx_http_request_t *r, ngx_http_gatepost_ctx_t *ctx);
void ngx_http_gatepost_filters_init(void);

/* ngx_http_gatepost_variables.c */
ngx_int_t ngx_http_gatepost_add_variables(ngx_conf_t *cf);

#if (NGX_HTTP_GATEPOST_TEST)
/* ngx_http_gatepost_test.c: what a test says in place of connection and clock */
ngx_int_t ngx_http_gatepost_test(ngx_http_request_t *r, gatepost_request *out);
#endif

#pragma GCC visibility pop

#endif /* NGX_HTTP_GATEPOST_H */
