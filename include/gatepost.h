/*
 * Gatepost: an embeddable authentication engine. For any HTTP request it answers: let in, 401 or 403, and why.
 *
 * Generated from src/ffi by `UPDATE=1 cargo test --test header`. What is not in this file is not API.
 *
 *
 * API conventions
 * ===============
 *
 * These hold for every function; what is written at a function is what comes on top. A caller who breaks them has
 * undefined behaviour where the library cannot tell, and GATEPOST_ERR_INVALID_ARGUMENT where it can.
 *
 * Order of things. gatepost_engine_open once, before fork; gatepost_engine_start in each process, after fork; then
 * gatepost_decide for each request. Before start there is no thread, no file, no socket and no random state of ours;
 * decide before start, or in a child of a started process, is GATEPOST_ERR_NOT_STARTED. There are no threads of ours at
 * all unless the host makes a gatepost_pool. The library cannot be unloaded.
 * Fork before several threads decide: a child forked while another thread is inside the library may inherit a lock
 * that nobody will open.
 *
 * Status. Functions that can fail return a gatepost_status. Outputs are written only on success, the error object only
 * on failure. A refusal is GATEPOST_OK with a decision that says so. An error means that no decision could be made: the
 * host must refuse. No error leaves an object unusable, and there is no last error: what there is to know is in the
 * status and, of set-up calls, in the gatepost_error.
 *
 * What the host does with a decision, on every action: remove the request fields named in strip before anything else
 * sees them; then, on GATEPOST_ALLOW, apply the upstream headers to the request; apply the response headers to the
 * response. On any action but GATEPOST_ALLOW and GATEPOST_PASS: send status, response headers and body, nothing else.
 * strip holds what a client may have made up, not its credentials: Authorization and X-API-Key stay. A host whose
 * application should not see them removes them too.
 *
 * Log the id and the reason of each refusal: the person refused sees the id, and it is what a log is searched by.
 *
 * Users, roles and keys are made with the command line; there is no function for it yet.
 *
 * Strings. A gatepost_str is bytes with a length; {NULL, 0} is empty and always accepted; GATEPOST_STR makes one of a
 * literal. Strings that come out have a NUL behind them that len does not count, and none inside (a body may have).
 *
 * Ownership. Inputs are borrowed for the call only, also where it returns GATEPOST_PENDING. Views (strings, arrays)
 * live as long as the object that they came from. Decisions outlive reload and end of the engine. "Owned by the caller"
 * means: end it with its _free, exactly once, never with free(). _free(NULL) is a no-op.
 *
 * Threads. A const pointer to an object: any number of threads at once. A pointer that is not const: one thread at a
 * time. Callbacks must not throw and must not unwind or longjmp through the library.
 *
 * Structs that may grow begin with struct_size. Zero them, set struct_size to sizeof, fill in what is needed: zero
 * always is the strict meaning. A library that knows fewer fields than the caller takes the struct only where those it
 * does not know are zero, else GATEPOST_ERR_UNSUPPORTED. Output structs are never written past the caller's size.
 *
 * Numbers. Booleans are 0 and 1 in a uint32_t, times are Unix seconds in an int64_t. New numbers are appended, never
 * renumbered: treat an action that you do not know as GATEPOST_DENY and a status that you do not know as an error.
 *
 * Getters on NULL answer what refuses: GATEPOST_DENY, 500, empty, 0.
 *
 * A panic inside is GATEPOST_ERR_PANIC, or a getter's refusing value, of that call alone; it never unwinds into C.
 */


#ifndef GATEPOST_H
#define GATEPOST_H

#include <stddef.h>
#include <stdint.h>

/**
 * The release that this header belongs to; gatepost_version() says the library's.
 */
#define GATEPOST_VERSION "0.1.0"
#define GATEPOST_VERSION_MAJOR 0
#define GATEPOST_VERSION_MINOR 1
#define GATEPOST_VERSION_PATCH 0

/**
 * The number of the binary interface; gatepost_abi() says the library's. It is the last part of its SONAME.
 */
#define GATEPOST_ABI 0

/**
 * A gatepost_str of a string literal; of anything else, whose sizeof says something else, it does not compile.
 */
#ifdef __cplusplus
#define GATEPOST_STR(literal) (gatepost_str{"" literal, sizeof(literal) - 1})
#else
#define GATEPOST_STR(literal) ((gatepost_str){"" literal, sizeof(literal) - 1})
#endif


/**
 * gatepost_header.mode: replace all fields of that name.
 */
#define GATEPOST_HEADER_SET 0

/**
 * gatepost_header.mode: add one more field of that name.
 */
#define GATEPOST_HEADER_APPEND 1

/**
 * gatepost_header.mode: add it only where no field of that name is there.
 */
#define GATEPOST_HEADER_SET_IF_ABSENT 2

/**
 * For whom a sentence is: the person who was refused. Gives nothing away that helps an attacker.
 */
#define GATEPOST_AUDIENCE_PERSON 0

/**
 * For whom a sentence is: the operator, who reads what to check and change. Never for the client.
 */
#define GATEPOST_AUDIENCE_OPERATOR 1

/**
 * gatepost_options.flags: decide without leaving a trace: no counter, no last use. For tools, never for a server.
 */
#define GATEPOST_OPTION_READ_ONLY 1

/**
 * gatepost_request.flags: the connection to the direct peer is TLS.
 */
#define GATEPOST_REQUEST_TLS 1

/**
 * gatepost_request.flags: body is all of the body.
 */
#define GATEPOST_REQUEST_BODY_COMPLETE 2

/**
 * gatepost_request.flags: the host verified client_cert_der: its chain up to an authority that issues client
 * certificates, and, where it should, that it was not revoked.
 */
#define GATEPOST_REQUEST_CERT_VERIFIED 4

/**
 * gatepost_token_request.flags: a refresh token is wanted too. The signer must give such.
 */
#define GATEPOST_TOKEN_REFRESH 1

/**
 * Bytes that the library made: a report, a password hash. Owned by the caller, ended with gatepost_bytes_free, which
 * also overwrites them.
 */
typedef struct gatepost_bytes gatepost_bytes;

/**
 * The answer to one request. Owned by the caller, ended with gatepost_decision_free. It outlives reload and end of
 * the engine.
 */
typedef struct gatepost_decision gatepost_decision;

/**
 * A loaded policy with its state, shared by all threads. Counted by reference; each reference is ended with
 * gatepost_engine_free. Jobs hold one of their own.
 */
typedef struct gatepost_engine gatepost_engine;

/**
 * Why a set-up call failed. Owned by the caller, ended with gatepost_error_free.
 */
typedef struct gatepost_error gatepost_error;

/**
 * Takes the answer to one gatepost_fetch. The library's own; it ends with the call.
 */
typedef struct gatepost_fetch_reply gatepost_fetch_reply;

/**
 * The slow part of one decision, or of housekeeping. Owned by the caller until gatepost_job_finish, _cancel or _free
 * consume it, or gatepost_pool_submit takes it over. A job that is gone is an error, also where another thread has
 * just consumed it; the handle is never used again for another job.
 */
typedef struct gatepost_job gatepost_job;

/**
 * Threads that run jobs for a host that has none of its own; the host's event loop watches its descriptor. It may
 * serve several engines; each job in it holds its engine. Owned by the caller, ended with gatepost_pool_free.
 */
typedef struct gatepost_pool gatepost_pool;

/**
 * Tokens just issued. Owned by the caller, ended with gatepost_tokens_free, which also overwrites them.
 */
typedef struct gatepost_tokens gatepost_tokens;

/**
 * What the engine says of a token. Owned by the caller, ended with gatepost_verified_free. It outlives reload and end of
 * the engine; it is the truth of the moment at which it was asked for, and no longer.
 */
typedef struct gatepost_verified gatepost_verified;

/**
 * Bytes with a length. {NULL, 0} is empty and accepted wherever a string is taken; NULL with a length, or a length
 * over PTRDIFF_MAX, is an error. A string that the library hands out has a NUL behind it that len does not count,
 * and none inside, so that ptr is a C string too; an empty one may be {NULL, 0} only where the object was NULL.
 */
typedef struct gatepost_str {
    /**
     * The bytes; nothing is assumed of their encoding unless a function says so.
     */
    const char *ptr;
    /**
     * How many.
     */
    size_t len;
} gatepost_str;

/**
 * How a call ended: GATEPOST_OK, GATEPOST_PENDING, GATEPOST_NEED_BODY, or one of GATEPOST_ERR_*. Everything from 16
 * on is an error, also numbers that a later release adds.
 */
typedef uint32_t gatepost_status;

/**
 * Why: one of GATEPOST_REASON_*.
 */
typedef uint32_t gatepost_reason;

/**
 * What a server said. Zero it, set struct_size to sizeof, fill in what there is.
 */
typedef struct gatepost_fetched {
    /**
     * sizeof (gatepost_fetched).
     */
    size_t struct_size;
    /**
     * The HTTP status; 0 where there is none, and then error says why.
     */
    uint32_t status;
    /**
     * 0.
     */
    uint32_t reserved;
    /**
     * The content.
     */
    struct gatepost_str body;
    /**
     * The field ETag.
     */
    struct gatepost_str etag;
    /**
     * The field Cache-Control.
     */
    struct gatepost_str cache_control;
    /**
     * The field Content-Type.
     */
    struct gatepost_str content_type;
    /**
     * Why no answer came, in words for the operator.
     */
    struct gatepost_str error;
} gatepost_fetched;

/**
 * Answers Unix seconds. Called by decide, finish, run and poll, from any thread, also from several at once; it must
 * not call the engine and must not throw.
 */
typedef int64_t (*gatepost_clock)(void *data);

/**
 * Ends what a callback's data points to. Called exactly once, from the thread that lets go of it last.
 */
typedef void (*gatepost_finalizer)(void *data);

/**
 * How much an event asks for attention: one of GATEPOST_INFO, GATEPOST_NOTICE, GATEPOST_WARNING, GATEPOST_ERROR.
 */
typedef uint32_t gatepost_severity;

/**
 * What the host does with a request: one of GATEPOST_DENY, GATEPOST_ALLOW, GATEPOST_RESPOND, GATEPOST_PASS. A number
 * that the host does not know means GATEPOST_DENY.
 */
typedef uint32_t gatepost_action;

/**
 * Something that happened. All of it lives for the call only.
 */
typedef struct gatepost_event {
    /**
     * The library's sizeof (gatepost_event): fields behind it are not there.
     */
    size_t struct_size;
    /**
     * The user pointer of the request that it is about; NULL where it is about none.
     */
    void *user;
    /**
     * One JSON object without line breaks, as docs/EVENTS.md and docs/events.schema.json have it. Never a secret.
     */
    struct gatepost_str line;
    /**
     * What happened: "decision", "policy_reloaded" and so on.
     */
    struct gatepost_str name;
    /**
     * The decision's id; empty where it is about none.
     */
    struct gatepost_str id;
    /**
     * One of GATEPOST_INFO, GATEPOST_NOTICE, GATEPOST_WARNING, GATEPOST_ERROR.
     */
    gatepost_severity severity;
    /**
     * The decision's HTTP status; 0 where it is about none.
     */
    uint32_t status;
    /**
     * The decision's action; GATEPOST_DENY where it is about none.
     */
    gatepost_action action;
    /**
     * The decision's reason; 0 where it is about none.
     */
    gatepost_reason reason;
} gatepost_event;

/**
 * Hears events. Those of a request come from the call that hands out its decision (gatepost_decide,
 * gatepost_decide_into, gatepost_job_finish, gatepost_pool_dispatch), before it returns, on its thread; all others from
 * gatepost_engine_poll. Never from gatepost_job_run. Several threads may be in it at once where several decide. It must
 * not call the engine, and must not throw.
 *
 * data: event_data of the options.
 * event: borrowed for the call.
 */
typedef void (*gatepost_on_event)(void *data,
                                  const struct gatepost_event *event);

/**
 * A document that is wanted. All of it lives for the call only.
 */
typedef struct gatepost_fetch {
    /**
     * The library's sizeof (gatepost_fetch): fields behind it are not there.
     */
    size_t struct_size;
    /**
     * The https address.
     */
    struct gatepost_str url;
    /**
     * Sent as If-None-Match, where it is not empty: what is known already.
     */
    struct gatepost_str etag;
    /**
     * Sent as Accept.
     */
    struct gatepost_str accept;
    /**
     * Certificates in PEM of the authorities that may vouch for the server, and no others; empty: the host's own.
     */
    struct gatepost_str ca;
    /**
     * Most octets of content that are taken.
     */
    uint64_t largest;
    /**
     * Milliseconds after which the answer comes too late.
     */
    uint64_t timeout_ms;
    /**
     * Takes the answer: gatepost_fetch_reply_set.
     */
    struct gatepost_fetch_reply *reply;
} gatepost_fetch;

/**
 * Fetches a document with the host's own HTTP: sends one GET, waits for the answer, and hands it to
 * gatepost_fetch_reply_set before it returns; one that hands nothing over has failed. Called by gatepost_job_run of
 * housekeeping, by gatepost_engine_poll without a job, and by a pool's threads: on any thread, also on several at once.
 * It verifies the server's certificate and name, and follows no redirect. It must not call the engine, and must not throw.
 *
 * data: fetch_data of the options.
 * fetch: borrowed for the call.
 */
typedef void (*gatepost_on_fetch)(void *data,
                                  const struct gatepost_fetch *fetch);

/**
 * What the host sets besides the policy. Zero it, set struct_size to sizeof, fill in what is wanted.
 */
typedef struct gatepost_options {
    /**
     * sizeof (gatepost_options).
     */
    size_t struct_size;
    /**
     * The clock; NULL: the system's.
     */
    gatepost_clock clock;
    /**
     * Handed to clock.
     */
    void *clock_data;
    /**
     * Ends clock_data once nothing can call clock any more, also where making the engine fails; NULL: nothing to do.
     * Not called only where the options themselves cannot be read: NULL, or a struct_size that is too small.
     */
    gatepost_finalizer clock_finalizer;
    /**
     * Most memory for password hashing in this process, in bytes; 0: 256 MiB. Of several engines the most counts.
     */
    uint64_t hashing_memory;
    /**
     * GATEPOST_OPTION_* together.
     */
    uint32_t flags;
    /**
     * 0.
     */
    uint32_t reserved;
    /**
     * Hears events, also where the policy names no file for them; NULL: nobody does.
     */
    gatepost_on_event on_event;
    /**
     * Handed to on_event.
     */
    void *event_data;
    /**
     * Ends event_data once nothing can call on_event any more, as clock_finalizer does; NULL: nothing to do.
     */
    gatepost_finalizer event_finalizer;
    /**
     * Fetches keys of issuers (`url` and `discovery` in the policy) in place of the engine's own client; NULL: that one
     * does, where the build has it (gatepost_has_feature "https").
     */
    gatepost_on_fetch on_fetch;
    /**
     * Handed to on_fetch.
     */
    void *fetch_data;
    /**
     * Ends fetch_data once nothing can call on_fetch any more, as clock_finalizer does; NULL: nothing to do.
     */
    gatepost_finalizer fetch_finalizer;
} gatepost_options;

/**
 * One header field. In a request: as the client sent it, mode and reserved 0. In a decision: for the host to apply.
 */
typedef struct gatepost_header {
    /**
     * Field name, in the spelling received.
     */
    struct gatepost_str name;
    /**
     * Field value, without the line break.
     */
    struct gatepost_str value;
    /**
     * One of GATEPOST_HEADER_*; 0 in a request.
     */
    uint32_t mode;
    /**
     * 0.
     */
    uint32_t reserved;
} gatepost_header;

/**
 * One HTTP request, as the client sent it. Zero it, set struct_size to sizeof, fill in what there is. All of it is
 * borrowed for the call only, also where the call returns GATEPOST_PENDING.
 */
typedef struct gatepost_request {
    /**
     * sizeof (gatepost_request).
     */
    size_t struct_size;
    /**
     * The method, as received.
     */
    struct gatepost_str method;
    /**
     * The raw request-target, as received: not decoded, not normalised, with its query. A path begins with "/"; one
     * without it is refused, target_ambiguous.
     */
    struct gatepost_str target;
    /**
     * :authority (HTTP/2, HTTP/3); empty: the Host field counts.
     */
    struct gatepost_str host;
    /**
     * Address of the direct peer, with or without a port, or "unix:". Empty or anything else is nobody in particular:
     * such clients share one failure counter, no network requirement holds, and no proxy is trusted.
     */
    struct gatepost_str peer;
    /**
     * The host's own id for the request; empty: the engine draws one.
     */
    struct gatepost_str request_id;
    /**
     * The client certificate of the connection in DER, from a TLS handshake in which the client proved that it holds
     * its key; empty: none. Without GATEPOST_REQUEST_CERT_VERIFIED it says nothing of who the client is, and counts
     * only for tokens that are bound to it (RFC 8705). Without GATEPOST_REQUEST_TLS it counts as none.
     */
    struct gatepost_str client_cert_der;
    /**
     * The body, where gatepost_engine_wants_body asked for it.
     */
    struct gatepost_str body;
    /**
     * All header fields, complete, in the order received, repeated ones one by one.
     */
    const struct gatepost_header *headers;
    /**
     * How many.
     */
    size_t header_count;
    /**
     * In place of headers: "name: value" lines, each ended by CR LF, without folding. Both given: an error.
     */
    struct gatepost_str header_block;
    /**
     * GATEPOST_REQUEST_* together.
     */
    uint32_t flags;
    /**
     * Unix seconds to decide at; 0: the engine's clock.
     */
    int64_t now;
    /**
     * The host's own pointer, handed back with the events of this request. Never followed.
     */
    void *user;
} gatepost_request;

/**
 * All of a decision in one struct. Set struct_size to sizeof before the call that fills it; nothing is written past
 * it. Everything it points to belongs to the decision.
 */
typedef struct gatepost_view {
    /**
     * sizeof (gatepost_view), set by the caller.
     */
    size_t struct_size;
    /**
     * What to do.
     */
    gatepost_action action;
    /**
     * The HTTP status; 200 for GATEPOST_ALLOW and GATEPOST_PASS.
     */
    uint32_t status;
    /**
     * Why. For logs; what the person may know is in the body.
     */
    gatepost_reason reason;
    /**
     * Seconds until another try may succeed; 0: not said.
     */
    uint32_t retry_after;
    /**
     * The stable name of the reason.
     */
    struct gatepost_str reason_name;
    /**
     * What a user reads to support and what the log is searched by.
     */
    struct gatepost_str id;
    /**
     * Who was recognised, also where the request is refused; empty: nobody.
     */
    struct gatepost_str subject;
    /**
     * Whose subject it is; empty for local users. (issuer, subject) is the person, never the subject alone.
     */
    struct gatepost_str issuer;
    /**
     * The scheme that was used or tried, like "basic"; empty: none.
     */
    struct gatepost_str scheme;
    /**
     * Header fields for the response to the client.
     */
    const struct gatepost_header *response_headers;
    /**
     * How many.
     */
    size_t response_header_count;
    /**
     * Header fields for the application, to apply after those to strip are gone.
     */
    const struct gatepost_header *upstream_headers;
    /**
     * How many.
     */
    size_t upstream_header_count;
    /**
     * Names of request fields to remove before the application sees the request, on every action.
     */
    const struct gatepost_str *strip;
    /**
     * How many.
     */
    size_t strip_count;
    /**
     * Body of the answer; its type is among the response headers. Empty on GATEPOST_ALLOW and GATEPOST_PASS,
     * and for HEAD.
     */
    struct gatepost_str body;
    /**
     * Which of the engine's policies decided: gatepost_engine_generation at that moment.
     */
    uint64_t generation;
} gatepost_view;

/**
 * How a decision begins that was written into memory of the caller's. Behind it, at `head`, is a table of uint32_t:
 * for each header field for the response the lengths of name and value and the mode, the same for each for the
 * application, and the length of each name to strip. Behind the table are the strings, one after the other and without
 * NUL: subject, issuer, scheme, roles, scopes; name and value of each header field, in the order of the table; the names
 * to strip; the body; the id. All before the id may be the same for many decisions.
 */
typedef struct gatepost_flat {
    /**
     * How many bytes all of it is.
     */
    uint32_t size;
    /**
     * Where the table begins: the length of this struct, which may grow.
     */
    uint32_t head;
    /**
     * Which of the engine's policies decided: gatepost_engine_generation at that moment.
     */
    uint64_t generation;
    /**
     * What to do.
     */
    gatepost_action action;
    /**
     * The HTTP status; 200 for GATEPOST_ALLOW and GATEPOST_PASS.
     */
    uint32_t status;
    /**
     * Why. For logs; what the person may know is in the body.
     */
    gatepost_reason reason;
    /**
     * Seconds until another try may succeed; 0: not said.
     */
    uint32_t retry_after;
    /**
     * Length of the id.
     */
    uint32_t id;
    /**
     * Length of the subject; 0: nobody was recognised.
     */
    uint32_t subject;
    /**
     * Length of the issuer.
     */
    uint32_t issuer;
    /**
     * Length of the scheme's name.
     */
    uint32_t scheme;
    /**
     * Length of the roles, joined as gatepost_decision_attribute joins them.
     */
    uint32_t roles;
    /**
     * Length of the scopes, joined as gatepost_decision_attribute joins them.
     */
    uint32_t scopes;
    /**
     * How many header fields for the response there are.
     */
    uint32_t response_header_count;
    /**
     * How many header fields for the application there are.
     */
    uint32_t upstream_header_count;
    /**
     * How many names to strip there are.
     */
    uint32_t strip_count;
    /**
     * Length of the body.
     */
    uint32_t body;
} gatepost_flat;

/**
 * Where gatepost_decide_text puts a decision. Zero it, set struct_size to sizeof, memory and room; it may be used for any
 * number of calls, one at a time.
 */
typedef struct gatepost_place {
    /**
     * sizeof (gatepost_place).
     */
    size_t struct_size;
    /**
     * Gets the decision: the struct and what stands behind it. Unless the decision is written there, what it then holds
     * means nothing.
     */
    struct gatepost_flat *memory;
    /**
     * How many bytes it has.
     */
    size_t room;
    /**
     * Written by the call: NULL where the decision is in memory; where it does not fit, the decision, owned by the caller.
     */
    struct gatepost_decision *decision;
    /**
     * Written by the call: slow work that is left, owned by the caller; else NULL.
     */
    struct gatepost_job *job;
    /**
     * Written by the call where the decision is in memory: a number that all decisions have which differ from this in the
     * octets of their id alone. Others may have it too: it says where to compare.
     */
    uint64_t mark;
} gatepost_place;

/**
 * Gets what a submission came to: exactly once, from gatepost_pool_dispatch or gatepost_pool_free, on the thread that
 * calls them. It must not throw; it may submit, cancel and free.
 *
 * data: as submitted.
 * status: GATEPOST_OK; GATEPOST_ERR_CANCELLED; or another error, and then the host must refuse.
 * decision: with GATEPOST_OK the decision, owned by the callback: gatepost_decision_free. Also the refusal
 *     "overloaded", 503, where the queue was full. NULL with an error, and for housekeeping.
 */
typedef void (*gatepost_done)(void *data,
                              gatepost_status status,
                              struct gatepost_decision *decision);

/**
 * All of it in one struct. Set struct_size to sizeof before the call that fills it; nothing is written past it.
 * Everything it points to belongs to the gatepost_verified.
 */
typedef struct gatepost_token_view {
    /**
     * sizeof (gatepost_token_view), set by the caller.
     */
    size_t struct_size;
    /**
     * GATEPOST_ALLOW: the token is good. GATEPOST_DENY: it is not, and reason says why.
     */
    gatepost_action action;
    /**
     * The HTTP status that a request with it would get if nothing else were asked.
     */
    uint32_t status;
    /**
     * Why.
     */
    gatepost_reason reason;
    /**
     * 0.
     */
    uint32_t reserved;
    /**
     * The stable name of the reason.
     */
    struct gatepost_str reason_name;
    /**
     * For the operator: what was seen and what was wanted; empty where it is good. Not for whoever sent the token.
     */
    struct gatepost_str detail;
    /**
     * For whom it stands; empty where it is not good.
     */
    struct gatepost_str subject;
    /**
     * Whose subject that is; empty for local users. (issuer, subject) is the person, never the subject alone.
     */
    struct gatepost_str issuer;
    /**
     * Roles, joined by a comma; bytes outside 0x21-0x7E, "%" and "," are percent-encoded.
     */
    struct gatepost_str roles;
    /**
     * Scopes, joined by a space and encoded likewise.
     */
    struct gatepost_str scopes;
    /**
     * All claims as they were sent, a JSON object; empty where it is not good.
     */
    struct gatepost_str claims;
    /**
     * The policy's name of the issuer, where the signature and the claims are right.
     */
    struct gatepost_str issuer_name;
    /**
     * "jti", likewise; empty where there is none, or it has a NUL in it.
     */
    struct gatepost_str token_id;
    /**
     * "sid", likewise.
     */
    struct gatepost_str session_id;
    /**
     * "iat" in Unix seconds, likewise; 0: not said.
     */
    int64_t issued_at;
    /**
     * "exp" in Unix seconds; 0 where it is not good.
     */
    int64_t expires_at;
} gatepost_token_view;

/**
 * What is to be revoked: exactly one of token, token_id, session_id, subject and user. Zero it, set struct_size to
 * sizeof, fill in what is wanted.
 */
typedef struct gatepost_revocation {
    /**
     * sizeof (gatepost_revocation).
     */
    size_t struct_size;
    /**
     * A token. Its signature must be right; it may have expired. Or a refresh token: with it end its login and the
     * access tokens of its session (RFC 7009). Its refresh token outlives an access token that is revoked.
     */
    struct gatepost_str token;
    /**
     * Whose token_id, session_id or subject: the issuer's name in the policy, or its URL.
     */
    struct gatepost_str issuer;
    /**
     * One token, by its "jti".
     */
    struct gatepost_str token_id;
    /**
     * The tokens of a session, by their "sid".
     */
    struct gatepost_str session_id;
    /**
     * The tokens of a person that were issued before `before`, and those that do not say when.
     */
    struct gatepost_str subject;
    /**
     * The same of a local user, by every issuer whose subjects are local users.
     */
    struct gatepost_str user;
    /**
     * Unix seconds, not later than now and the leeway; 0: all that say that they were issued until now, by this
     * machine's clock. Of an issuer whose clock is ahead, name a time so much later. Only with subject and user.
     */
    int64_t before;
    /**
     * By when all these tokens have expired, Unix seconds, so that the entry may be forgotten; 0: not known, it is kept
     * for good. Not with token, which says so itself.
     */
    int64_t until;
} gatepost_revocation;

/**
 * What a token is asked for with. Zero it, set struct_size to sizeof, fill in what there is. All of it is borrowed for
 * the call. Strings are UTF-8 without control characters.
 */
typedef struct gatepost_token_request {
    /**
     * sizeof (gatepost_token_request).
     */
    size_t struct_size;
    /**
     * Name of the [[signer]]; empty: the policy's only one.
     */
    struct gatepost_str signer;
    /**
     * The local user that the token is for.
     */
    struct gatepost_str user;
    /**
     * Who asks for it (OAuth client_id); empty: nobody in particular.
     */
    struct gatepost_str client_id;
    /**
     * The host's own name for the session (claim sid); empty: one is drawn where there is a refresh token.
     */
    struct gatepost_str session;
    /**
     * Further claims as a JSON object, up to 4 KiB; empty: none. What the signer writes itself may not be among them.
     */
    struct gatepost_str claims;
    /**
     * Scopes.
     */
    const struct gatepost_str *scopes;
    /**
     * How many.
     */
    size_t scope_count;
    /**
     * Some of the signer's audience; none: all of it.
     */
    const struct gatepost_str *audience;
    /**
     * How many.
     */
    size_t audience_count;
    /**
     * By which factors the user proved who they are (claim amr, RFC 8176).
     */
    const struct gatepost_str *factors;
    /**
     * How many.
     */
    size_t factor_count;
    /**
     * Seconds that it lasts, at most what the policy says; 0: that.
     */
    int64_t lifetime;
    /**
     * When the user proved who they are (claim auth_time), Unix seconds; 0: not known.
     */
    int64_t authenticated_at;
    /**
     * Unix seconds to issue it at; 0: the engine's clock.
     */
    int64_t now;
    /**
     * GATEPOST_TOKEN_* together.
     */
    uint32_t flags;
    /**
     * 0.
     */
    uint32_t reserved;
} gatepost_token_request;

/**
 * A refresh token that is handed in. Zero it, set struct_size to sizeof, fill in what there is. All of it is borrowed
 * for the call.
 */
typedef struct gatepost_refresh_request {
    /**
     * sizeof (gatepost_refresh_request).
     */
    size_t struct_size;
    /**
     * The refresh token, as it was sent.
     */
    struct gatepost_str token;
    /**
     * Who hands it in: the client_id that it was issued with.
     */
    struct gatepost_str client_id;
    /**
     * Fewer scopes than the login has; none: all of them.
     */
    const struct gatepost_str *scopes;
    /**
     * How many.
     */
    size_t scope_count;
    /**
     * Unix seconds; 0: the engine's clock.
     */
    int64_t now;
    /**
     * 0.
     */
    uint32_t flags;
    /**
     * 0.
     */
    uint32_t reserved;
} gatepost_refresh_request;

/**
 * All of it in one struct. Set struct_size to sizeof before the call that fills it; nothing is written past it.
 * Everything it points to belongs to the gatepost_tokens.
 */
typedef struct gatepost_issued {
    /**
     * sizeof (gatepost_issued), set by the caller.
     */
    size_t struct_size;
    /**
     * The access token: a JWT as RFC 9068 has it.
     */
    struct gatepost_str access_token;
    /**
     * The refresh token; empty: none.
     */
    struct gatepost_str refresh_token;
    /**
     * Scopes of the access token, joined by a space.
     */
    struct gatepost_str scope;
    /**
     * The user, in the canonical spelling.
     */
    struct gatepost_str user;
    /**
     * Claim sid; empty: none.
     */
    struct gatepost_str session;
    /**
     * Claim jti.
     */
    struct gatepost_str token_id;
    /**
     * The answer of an OAuth token endpoint (RFC 6749 section 5.1) as JSON, to be sent with Cache-Control: no-store.
     */
    struct gatepost_str json;
    /**
     * Seconds to the end of the access token.
     */
    int64_t expires_in;
    /**
     * The end of the access token, Unix seconds.
     */
    int64_t expires_at;
    /**
     * The end of the last refresh token of this login, Unix seconds; 0: there is none.
     */
    int64_t refresh_expires_at;
} gatepost_issued;

/**
 * Done. A refusal is GATEPOST_OK too, with a decision that says so.
 */
#define GATEPOST_OK 0

/**
 * Slow work is left: run the job, then finish it.
 */
#define GATEPOST_PENDING 1

/**
 * Call again with the body. Reserved: no call answers it yet.
 */
#define GATEPOST_NEED_BODY 2

/**
 * An argument breaks the rules of this header: NULL, a wrong handle, a length without a pointer, a struct too short.
 */
#define GATEPOST_ERR_INVALID_ARGUMENT 16

/**
 * The caller asks for something that this release does not know: a flag, or a field past the end of its structs.
 */
#define GATEPOST_ERR_UNSUPPORTED 17

/**
 * gatepost_engine_start was not called in this process.
 */
#define GATEPOST_ERR_NOT_STARTED 18

/**
 * The policy does not load; the error object says all that is wrong with it.
 */
#define GATEPOST_ERR_POLICY 19

/**
 * The state cannot be opened, read or written.
 */
#define GATEPOST_ERR_STATE 20

/**
 * Memory ran out.
 */
#define GATEPOST_ERR_NO_MEMORY 21

/**
 * No room to work on it now; try again later.
 */
#define GATEPOST_ERR_OVERLOADED 22

/**
 * The job was cancelled, or its pool was freed.
 */
#define GATEPOST_ERR_CANCELLED 23

/**
 * gatepost_job_finish came before gatepost_job_run had returned.
 */
#define GATEPOST_ERR_NOT_RUN 24

/**
 * It exists already, does not exist, or was done before.
 */
#define GATEPOST_ERR_CONFLICT 25

/**
 * The operating system refused something.
 */
#define GATEPOST_ERR_SYSTEM 26

/**
 * A panic was caught: a fault in the library that ended this call alone. Please report it.
 */
#define GATEPOST_ERR_PANIC 27

/**
 * Another fault in the library. Please report it.
 */
#define GATEPOST_ERR_INTERNAL 28

/**
 * A credential that was handed in is not taken; the error object says why, which is for the log and not for the client.
 */
#define GATEPOST_ERR_REFUSED 29

/**
 * Refuse: send the decision's status, headers and body.
 */
#define GATEPOST_DENY 0

/**
 * Let it through: strip the headers to strip, apply the headers for the application.
 */
#define GATEPOST_ALLOW 1

/**
 * The engine answers this request itself: send status, headers and body.
 */
#define GATEPOST_RESPOND 2

/**
 * Not ours: the host's own default holds. Strip the headers to strip all the same.
 */
#define GATEPOST_PASS 3

/**
 * "allowed", status 200.
 */
#define GATEPOST_REASON_ALLOWED 1

/**
 * "public", status 200.
 */
#define GATEPOST_REASON_PUBLIC 2

/**
 * "anonymous", status 200.
 */
#define GATEPOST_REASON_ANONYMOUS 3

/**
 * "preflight", status 200.
 */
#define GATEPOST_REASON_PREFLIGHT 4

/**
 * "passed", status 200.
 */
#define GATEPOST_REASON_PASSED 5

/**
 * "endpoint", status 200.
 */
#define GATEPOST_REASON_ENDPOINT 6

/**
 * "login_redirect", status 303.
 */
#define GATEPOST_REASON_LOGIN_REDIRECT 7

/**
 * "request_malformed", status 400.
 */
#define GATEPOST_REASON_REQUEST_MALFORMED 20

/**
 * "target_ambiguous", status 400.
 */
#define GATEPOST_REASON_TARGET_AMBIGUOUS 21

/**
 * "credentials_ambiguous", status 400.
 */
#define GATEPOST_REASON_CREDENTIALS_AMBIGUOUS 22

/**
 * "request_too_large", status 431.
 */
#define GATEPOST_REASON_REQUEST_TOO_LARGE 23

/**
 * "content_too_large", status 413.
 */
#define GATEPOST_REASON_CONTENT_TOO_LARGE 24

/**
 * "credentials_missing", status 401.
 */
#define GATEPOST_REASON_CREDENTIALS_MISSING 40

/**
 * "credentials_malformed", status 401.
 */
#define GATEPOST_REASON_CREDENTIALS_MALFORMED 41

/**
 * "scheme_not_accepted", status 401.
 */
#define GATEPOST_REASON_SCHEME_NOT_ACCEPTED 42

/**
 * "credentials_invalid", status 401.
 */
#define GATEPOST_REASON_CREDENTIALS_INVALID 43

/**
 * "account_disabled", status 401.
 */
#define GATEPOST_REASON_ACCOUNT_DISABLED 44

/**
 * "password_expired", status 401.
 */
#define GATEPOST_REASON_PASSWORD_EXPIRED 45

/**
 * "factor_required", status 401.
 */
#define GATEPOST_REASON_FACTOR_REQUIRED 46

/**
 * "login_too_old", status 401.
 */
#define GATEPOST_REASON_LOGIN_TOO_OLD 47

/**
 * "session_unknown", status 401.
 */
#define GATEPOST_REASON_SESSION_UNKNOWN 48

/**
 * "session_idle", status 401.
 */
#define GATEPOST_REASON_SESSION_IDLE 49

/**
 * "session_expired", status 401.
 */
#define GATEPOST_REASON_SESSION_EXPIRED 50

/**
 * "session_revoked", status 401.
 */
#define GATEPOST_REASON_SESSION_REVOKED 51

/**
 * "api_key_unknown", status 401.
 */
#define GATEPOST_REASON_API_KEY_UNKNOWN 52

/**
 * "api_key_expired", status 401.
 */
#define GATEPOST_REASON_API_KEY_EXPIRED 53

/**
 * "api_key_revoked", status 401.
 */
#define GATEPOST_REASON_API_KEY_REVOKED 54

/**
 * "token_malformed", status 401.
 */
#define GATEPOST_REASON_TOKEN_MALFORMED 55

/**
 * "token_issuer", status 401.
 */
#define GATEPOST_REASON_TOKEN_ISSUER 56

/**
 * "token_algorithm", status 401.
 */
#define GATEPOST_REASON_TOKEN_ALGORITHM 57

/**
 * "token_key_unknown", status 401.
 */
#define GATEPOST_REASON_TOKEN_KEY_UNKNOWN 58

/**
 * "token_signature", status 401.
 */
#define GATEPOST_REASON_TOKEN_SIGNATURE 59

/**
 * "token_expired", status 401.
 */
#define GATEPOST_REASON_TOKEN_EXPIRED 60

/**
 * "token_not_yet_valid", status 401.
 */
#define GATEPOST_REASON_TOKEN_NOT_YET_VALID 61

/**
 * "token_audience", status 401.
 */
#define GATEPOST_REASON_TOKEN_AUDIENCE 62

/**
 * "token_type", status 401.
 */
#define GATEPOST_REASON_TOKEN_TYPE 63

/**
 * "token_claim", status 401.
 */
#define GATEPOST_REASON_TOKEN_CLAIM 64

/**
 * "token_revoked", status 401.
 */
#define GATEPOST_REASON_TOKEN_REVOKED 65

/**
 * "token_binding", status 401.
 */
#define GATEPOST_REASON_TOKEN_BINDING 66

/**
 * "dpop_proof", status 401.
 */
#define GATEPOST_REASON_DPOP_PROOF 67

/**
 * "dpop_nonce", status 401.
 */
#define GATEPOST_REASON_DPOP_NONCE 68

/**
 * "route_unknown", status 403.
 */
#define GATEPOST_REASON_ROUTE_UNKNOWN 80

/**
 * "method_not_granted", status 403.
 */
#define GATEPOST_REASON_METHOD_NOT_GRANTED 81

/**
 * "tls_required", status 403.
 */
#define GATEPOST_REASON_TLS_REQUIRED 82

/**
 * "network_not_allowed", status 403.
 */
#define GATEPOST_REASON_NETWORK_NOT_ALLOWED 83

/**
 * "cross_site", status 403.
 */
#define GATEPOST_REASON_CROSS_SITE 84

/**
 * "role_missing", status 403.
 */
#define GATEPOST_REASON_ROLE_MISSING 85

/**
 * "scope_missing", status 403.
 */
#define GATEPOST_REASON_SCOPE_MISSING 86

/**
 * "permission_missing", status 403.
 */
#define GATEPOST_REASON_PERMISSION_MISSING 87

/**
 * "claim_mismatch", status 403.
 */
#define GATEPOST_REASON_CLAIM_MISMATCH 88

/**
 * "requirement_unmet", status 403.
 */
#define GATEPOST_REASON_REQUIREMENT_UNMET 89

/**
 * "throttled", status 429.
 */
#define GATEPOST_REASON_THROTTLED 100

/**
 * "keys_unavailable", status 503.
 */
#define GATEPOST_REASON_KEYS_UNAVAILABLE 120

/**
 * "state_unavailable", status 503.
 */
#define GATEPOST_REASON_STATE_UNAVAILABLE 121

/**
 * "overloaded", status 503.
 */
#define GATEPOST_REASON_OVERLOADED 122

/**
 * "policy_missing", status 503.
 */
#define GATEPOST_REASON_POLICY_MISSING 123

/**
 * "internal", status 500.
 */
#define GATEPOST_REASON_INTERNAL 124

/**
 * All is well.
 */
#define GATEPOST_INFO 0

/**
 * Somebody was refused, or something was changed.
 */
#define GATEPOST_NOTICE 1

/**
 * Somebody may be trying to get in, or something was given up.
 */
#define GATEPOST_WARNING 2

/**
 * Something does not work.
 */
#define GATEPOST_ERROR 3

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * The version of the library that runs, like "0.1.0". It equals GATEPOST_VERSION where header and library belong
 * together.
 *
 * The string is static. Any thread.
 */
struct gatepost_str gatepost_version(void);

/**
 * The number of the binary interface of the library that runs; it is the last part of its SONAME. It moves
 * independently of the version and equals GATEPOST_ABI where header and library belong together.
 *
 * Any thread.
 */
uint32_t gatepost_abi(void);

/**
 * Tells whether this library can serve a program that was compiled with a header of the given ABI. Call it first,
 * with GATEPOST_ABI, in programs that load the library by hand.
 *
 * header_abi: GATEPOST_ABI of the header.
 * Any thread.
 * Returns GATEPOST_OK, or GATEPOST_ERR_UNSUPPORTED: then call nothing else.
 */
gatepost_status gatepost_abi_check(uint32_t header_abi);

/**
 * Tells whether this build can do something: "basic", "bearer", "api-key", "sqlite", "pool", "https" (keys by URL without
 * on_fetch); later releases add names. All functions are there in every build.
 *
 * name: borrowed for the call.
 * Any thread.
 * Returns 1 or 0; 0 for a name that it does not know.
 */
uint32_t gatepost_has_feature(struct gatepost_str name);

/**
 * The stable name of a reason, like "credentials_missing": for logs and for comparing.
 *
 * reason: one of GATEPOST_REASON_*.
 * The string is static. Any thread.
 * Returns the name; empty for a number that is no reason of this release.
 */
struct gatepost_str gatepost_reason_name(gatepost_reason reason);

/**
 * The sentence that goes with a reason.
 *
 * reason: one of GATEPOST_REASON_*.
 * audience: GATEPOST_AUDIENCE_PERSON or GATEPOST_AUDIENCE_OPERATOR.
 * The string is static. Any thread.
 * Returns the sentence in English; empty for a reason or an audience of no number of this release.
 */
struct gatepost_str gatepost_reason_text(gatepost_reason reason,
                                         uint32_t audience);

/**
 * The HTTP status that goes with a reason.
 *
 * reason: one of GATEPOST_REASON_*.
 * Any thread.
 * Returns the status; 500 for a number that is no reason of this release.
 */
uint32_t gatepost_reason_status(gatepost_reason reason);

/**
 * What a status means, in a few words: for logs.
 *
 * status: what a call returned.
 * The string is static. Any thread.
 * Returns the words; for a number that this release does not know, words that say so.
 */
struct gatepost_str gatepost_status_text(gatepost_status status);

/**
 * The status that the failed call returned.
 *
 * error: borrowed.
 * Any number of threads at once.
 * Returns the status; GATEPOST_ERR_INVALID_ARGUMENT for NULL.
 */
gatepost_status gatepost_error_status(const struct gatepost_error *error);

/**
 * What happened and what to do about it, in English; several lines where a policy has several faults, each with its
 * place and the offending text underlined.
 *
 * error: borrowed.
 * The string lives as long as the error. Any number of threads at once.
 * Returns the message; empty for NULL.
 */
struct gatepost_str gatepost_error_message(const struct gatepost_error *error);

/**
 * The file that the error is about, where there is one.
 *
 * error: borrowed.
 * The string lives as long as the error. Any number of threads at once.
 * Returns the path; empty where there is none, and for NULL.
 */
struct gatepost_str gatepost_error_file(const struct gatepost_error *error);

/**
 * The line that the error is about; the first one where there are several.
 *
 * error: borrowed.
 * Any number of threads at once.
 * Returns the line, counted from 1; 0 where there is none, and for NULL.
 */
uint32_t gatepost_error_line(const struct gatepost_error *error);

/**
 * The column that the error is about, in characters.
 *
 * error: borrowed.
 * Any number of threads at once.
 * Returns the column, counted from 1; 0 where there is none, and for NULL.
 */
uint32_t gatepost_error_column(const struct gatepost_error *error);

/**
 * Ends an error with all strings taken from it. NULL is a no-op.
 *
 * error: taken.
 * One thread.
 */
void gatepost_error_free(struct gatepost_error *error);

/**
 * The bytes themselves, with a NUL behind them.
 *
 * bytes: borrowed.
 * The string lives as long as the object. Any number of threads at once.
 * Returns the bytes; empty for NULL.
 */
struct gatepost_str gatepost_bytes_view(const struct gatepost_bytes *bytes);

/**
 * Overwrites and ends the bytes. NULL is a no-op.
 *
 * bytes: taken.
 * One thread.
 */
void gatepost_bytes_free(struct gatepost_bytes *bytes);

/**
 * Checks a policy as gatepost_engine_open would, without opening its state.
 *
 * file: path of the policy; borrowed for the call.
 * text: the policy itself, in UTF-8; borrowed for the call. Empty: file is read. Otherwise file only names it for the
 *     messages, and the files that it names are relative to file's folder.
 * report: gets the warnings as text, empty where there are none; owned by the caller. NULL: not wanted.
 * error: gets the reasons of a failure. NULL: not wanted.
 * Reads the policy and the files that it names. Any number of threads at once.
 * Returns GATEPOST_OK where it loads, GATEPOST_ERR_POLICY where it does not, or another error.
 */
gatepost_status gatepost_policy_check(struct gatepost_str file,
                                      struct gatepost_str text,
                                      struct gatepost_bytes **report,
                                      struct gatepost_error **error);

/**
 * Hands over what a server said; the last one counts.
 *
 * reply: of the gatepost_fetch that is being answered, before on_fetch returns; borrowed.
 * fetched: borrowed for the call; its strings are copied.
 * Any thread.
 * Returns GATEPOST_OK or an error.
 */
gatepost_status gatepost_fetch_reply_set(struct gatepost_fetch_reply *reply,
                                         const struct gatepost_fetched *fetched);

/**
 * Makes an engine of the text of a policy. gatepost_engine_reload then has no file to read and fails.
 *
 * text: the policy, in UTF-8; borrowed for the call.
 * folder: where the files that it names are; empty: the working directory. Borrowed for the call.
 * options: borrowed for the call. NULL: none.
 * engine: gets the engine, owned by the caller.
 * error: gets the reasons of a failure. NULL: not wanted.
 * Reads the files that the policy names, at once and never on a request; opens nothing else, starts no thread. Any
 * number of threads at once.
 * Returns GATEPOST_OK or an error.
 */
gatepost_status gatepost_engine_new(struct gatepost_str text,
                                    struct gatepost_str folder,
                                    const struct gatepost_options *options,
                                    struct gatepost_engine **engine,
                                    struct gatepost_error **error);

/**
 * Makes an engine of a policy file.
 *
 * file: path of the policy; borrowed for the call.
 * options: borrowed for the call. NULL: none.
 * engine: gets the engine, owned by the caller.
 * error: gets the reasons of a failure. NULL: not wanted.
 * Reads the policy and the files that it names, at once and never on a request; opens nothing else, starts no thread.
 * Warnings do not stop it and are not told here: gatepost_policy_check reports them.
 * Any number of threads at once.
 * Returns GATEPOST_OK or an error.
 */
gatepost_status gatepost_engine_open(struct gatepost_str file,
                                     const struct gatepost_options *options,
                                     struct gatepost_engine **engine,
                                     struct gatepost_error **error);

/**
 * Opens the state and, where the policy names one, the events file. Every process that decides calls it, after fork; a second call in one process does nothing.
 *
 * engine: borrowed.
 * error: gets the reasons of a failure. NULL: not wanted.
 * Any number of threads at once.
 * Returns GATEPOST_OK or an error; after an error it may be called again.
 */
gatepost_status gatepost_engine_start(const struct gatepost_engine *engine,
                                      struct gatepost_error **error);

/**
 * Reads the policy file again and swaps it in whole: each decision is made by one whole policy. On an error the old
 * one stays in force.
 *
 * engine: borrowed.
 * error: gets the reasons of a failure. NULL: not wanted.
 * Reads files; slow enough to belong outside an event loop. Any number of threads at once, also while others decide.
 * Returns GATEPOST_OK or an error.
 */
gatepost_status gatepost_engine_reload(const struct gatepost_engine *engine,
                                       struct gatepost_error **error);

/**
 * All housekeeping: sweeps failure counters and revocations that are over, once its clock has run on for ten minutes; ends
 * what is over of logins, writes when API keys were last used, fetches keys of issuers by URL, reads files of keys that
 * have changed, writes events that wait, and calls on_event for those that are about no request. Each process calls it at
 * once after gatepost_engine_start, and then every *next_ms milliseconds.
 * Without it keys by URL never come (503, keys_unavailable) and changed files are not noticed. All else is as right;
 * last uses are then written when the engine ends, counters that are over keep their memory until it is needed, and
 * failures that a clock dated ahead by over a minute count until it is that late. A host that never polls gets events
 * written by every gatepost_job_run, by every call that may block, and when the engine ends; an event loop that does none
 * of these loses the newest beyond 1 MiB.
 *
 * engine: borrowed.
 * next_ms: gets the milliseconds until the next call is useful. NULL: not wanted.
 * job: gets the slow part, owned by the caller, or NULL where there is none: gatepost_job_run on a thread that may
 *     block, then gatepost_job_free; or gatepost_pool_submit. NULL: the caller may block and it is done inside.
 * Any number of threads at once; one is enough.
 * Returns GATEPOST_OK or an error.
 */
gatepost_status gatepost_engine_poll(const struct gatepost_engine *engine,
                                     uint64_t *next_ms,
                                     struct gatepost_job **job);

/**
 * The counters of this process as OpenMetrics text: decisions by reason, scheme and route, passwords being checked,
 * events, reloads. For a handler of the host's own, sent as "application/openmetrics-text; version=1.0.0;
 * charset=utf-8". Counters only ever grow, also over a reload; routes are named by their patterns, so that no client can
 * make up new ones.
 *
 * engine: borrowed; started in this process.
 * text: gets the text, in UTF-8, owned by the caller.
 * Quick, and holds up nobody who decides. Any number of threads at once.
 * Returns GATEPOST_OK or an error.
 */
gatepost_status gatepost_engine_metrics(const struct gatepost_engine *engine,
                                        struct gatepost_bytes **text);

/**
 * Counts the policies that were in force: 1 for the first, one more after each reload that succeeded.
 *
 * engine: borrowed.
 * Any number of threads at once.
 * Returns the count; 0 for NULL.
 */
uint64_t gatepost_engine_generation(const struct gatepost_engine *engine);

/**
 * Tells whether deciding this request takes its body, so that the host reads it first. Only the engine's own
 * endpoints ever do; this release has none that does, so that the answer is 0.
 *
 * engine, request: borrowed for the call; the request's body may be missing.
 * Any number of threads at once.
 * Returns the most bytes of body that it takes; 0: none, and for NULL.
 */
uint64_t gatepost_engine_wants_body(const struct gatepost_engine *engine,
                                    const struct gatepost_request *request);

/**
 * One more reference to the same engine, for a part of the host that may outlive the others.
 *
 * engine: borrowed.
 * Any number of threads at once.
 * Returns the reference, owned by the caller and ended with gatepost_engine_free; NULL for NULL.
 */
struct gatepost_engine *gatepost_engine_ref(const struct gatepost_engine *engine);

/**
 * Ends one reference to an engine; the engine ends with the last one and the last job, and then writes the events that
 * wait. Decisions stay. NULL is a no-op.
 *
 * engine: taken.
 * One thread; no call with this reference may be under way.
 */
void gatepost_engine_free(struct gatepost_engine *engine);

/**
 * Fills a struct of the caller's with all of a decision.
 *
 * decision: borrowed.
 * view: struct_size set by the caller, the rest is written.
 * What the view points to lives as long as the decision. Any number of threads at once.
 * Returns GATEPOST_OK or an error; on an error nothing is written and the host must refuse.
 */
gatepost_status gatepost_decision_view(const struct gatepost_decision *decision,
                                       struct gatepost_view *view);

/**
 * What to do.
 *
 * decision: borrowed.
 * Any number of threads at once.
 * Returns one of GATEPOST_DENY, GATEPOST_ALLOW, GATEPOST_RESPOND, GATEPOST_PASS; GATEPOST_DENY for NULL.
 */
gatepost_action gatepost_decision_action(const struct gatepost_decision *decision);

/**
 * The HTTP status.
 *
 * decision: borrowed.
 * Any number of threads at once.
 * Returns the status, 200 for GATEPOST_ALLOW and GATEPOST_PASS; 500 for NULL.
 */
uint32_t gatepost_decision_status(const struct gatepost_decision *decision);

/**
 * Why. For logs; what the person may know is in the decision's body.
 *
 * decision: borrowed.
 * Any number of threads at once.
 * Returns one of GATEPOST_REASON_*; GATEPOST_REASON_INTERNAL for NULL.
 */
gatepost_reason gatepost_decision_reason(const struct gatepost_decision *decision);

/**
 * Who was recognised, also where the request is refused.
 *
 * decision: borrowed.
 * The string lives as long as the decision. Any number of threads at once.
 * Returns the subject; empty where nobody was recognised, and for NULL.
 */
struct gatepost_str gatepost_decision_subject(const struct gatepost_decision *decision);

/**
 * What a user reads to support and what the log is searched by: the request's own id, or one that the engine drew.
 *
 * decision: borrowed.
 * The string lives as long as the decision. Any number of threads at once.
 * Returns the id; empty for NULL.
 */
struct gatepost_str gatepost_decision_id(const struct gatepost_decision *decision);

/**
 * One fact of a decision by name: "subject", "issuer", "scheme", "roles", "scopes", "id", "reason". Roles are joined
 * by a comma and scopes by a space; in them bytes outside 0x21-0x7E, "%" and "," are percent-encoded.
 *
 * decision: borrowed.
 * name: borrowed for the call.
 * The string lives as long as the decision. Any number of threads at once.
 * Returns the value; empty where there is none, for a name that it does not know, and for NULL.
 */
struct gatepost_str gatepost_decision_attribute(const struct gatepost_decision *decision,
                                                struct gatepost_str name);

/**
 * Ends a decision with all strings and arrays taken from it. NULL is a no-op.
 *
 * decision: taken.
 * One thread.
 */
void gatepost_decision_free(struct gatepost_decision *decision);

/**
 * Decides a request. Once for each request of a client: internal redirects and subrequests reuse the decision.
 *
 * engine: borrowed; started in this process.
 * request: borrowed for the call only, also where it returns GATEPOST_PENDING.
 * decision: gets the decision, owned by the caller; NULL with GATEPOST_PENDING.
 * job: NULL: the caller may block, and everything happens inside. Otherwise what is cheap is decided at once (and
 *     *job becomes NULL), and where something slow is left *job gets it, owned by the caller: gatepost_job_run on a
 *     thread that may block and then gatepost_job_finish; or gatepost_pool_submit.
 * Any number of threads at once.
 * Returns GATEPOST_OK with a decision, also where it is a refusal; GATEPOST_PENDING with a job; or an error, with
 * nothing written: then no decision could be made and the host must refuse (503 for GATEPOST_ERR_OVERLOADED and
 * GATEPOST_ERR_STATE, else 500).
 */
gatepost_status gatepost_decide(const struct gatepost_engine *engine,
                                const struct gatepost_request *request,
                                struct gatepost_decision **decision,
                                struct gatepost_job **job);

/**
 * gatepost_decide without a job and gatepost_decision_view in one call, for callers to whom each call is dear.
 *
 * engine: borrowed; started in this process.
 * request: borrowed for the call.
 * decision: gets the decision, owned by the caller.
 * view: struct_size set by the caller, the rest is written. What it points to lives as long as the decision.
 * May block. Any number of threads at once.
 * Returns as gatepost_decide, without GATEPOST_PENDING.
 */
gatepost_status gatepost_decide_into(const struct gatepost_engine *engine,
                                     const struct gatepost_request *request,
                                     struct gatepost_decision **decision,
                                     struct gatepost_view *view);

/**
 * gatepost_decide that writes the decision into memory of the caller's, as gatepost_flat says, where it fits: there is
 * nothing to end then.
 *
 * engine: borrowed; started in this process.
 * request: borrowed for the call only, also where it returns GATEPOST_PENDING.
 * memory: gets the decision: the struct and what stands behind it. Unless the decision is written there, what it then
 *     holds means nothing.
 * room: how many bytes it has.
 * decision: NULL where the decision is in memory; where it does not fit, gets it, owned by the caller.
 * job: gets slow work that is left, owned by the caller; else NULL.
 * Any number of threads at once.
 * Returns as gatepost_decide.
 */
gatepost_status gatepost_decide_flat(const struct gatepost_engine *engine,
                                     const struct gatepost_request *request,
                                     struct gatepost_flat *memory,
                                     size_t room,
                                     struct gatepost_decision **decision,
                                     struct gatepost_job **job);

/**
 * gatepost_decide_flat of a request in one text, for languages whose strings do not lie where C could point to them, and
 * to whom each argument is dear. It has what most requests have; any other is decided as a gatepost_request.
 *
 * engine: borrowed; started in this process.
 * text: strings joined by LF, none before the first or behind the last: GATEPOST_REQUEST_* together, in decimal; how many
 *     header fields there are, in decimal; method; target; peer; name and value of each header field. What these are is
 *     said at gatepost_request. Where the text holds another number of strings, because one of them has an LF in it, that
 *     is GATEPOST_ERR_INVALID_ARGUMENT: nothing in a string can make two of it. Borrowed for the call only.
 * length: of the text.
 * place: where the decision goes.
 * Any number of threads at once, each with a place of its own.
 * Returns as gatepost_decide.
 */
gatepost_status gatepost_decide_text(const struct gatepost_engine *engine,
                                     const char *text,
                                     size_t length,
                                     struct gatepost_place *place);

/**
 * What of a request must not reach the application where nothing is decided about it: the policy is not asked there,
 * somebody else has let the request in, or the engine cannot decide yet. Known from gatepost_engine_new and
 * gatepost_engine_open on; it needs no gatepost_engine_start, counts nothing and tells nobody.
 *
 * engine: borrowed.
 * request: borrowed for the call. NULL: none; then it is what the policy strips of every request, which are the names of
 *     its identity headers.
 * decision: gets what the list belongs to, owned by the caller. It lets nobody in: GATEPOST_DENY, 500 internal; where
 *     the request itself is wrong, 400 request_malformed or 431 request_too_large.
 * view: struct_size set by the caller, the rest is written: strip and strip_count are what was asked for, as a decision
 *     about this request would have them. What it points to lives as long as the decision. A field whose name is no
 *     token (RFC 9110) is on no list: it makes the request wrong, and a host that hands it on all the same removes it.
 * Never blocks. Any number of threads at once.
 * Returns GATEPOST_OK or an error, with nothing written.
 */
gatepost_status gatepost_strip(const struct gatepost_engine *engine,
                               const struct gatepost_request *request,
                               struct gatepost_decision **decision,
                               struct gatepost_view *view);

/**
 * Does the slow part. Once.
 *
 * job: borrowed; nothing in it points into the request.
 * On any thread that may block; another thread may cancel it meanwhile.
 * Returns GATEPOST_OK where it ran: the decision, or what went wrong, comes from gatepost_job_finish.
 * GATEPOST_ERR_CANCELLED where it is gone; GATEPOST_ERR_CONFLICT where it runs or ran already, or is in a pool.
 */
gatepost_status gatepost_job_run(struct gatepost_job *job);

/**
 * Turns a job that was run into its decision, or into the next job. Quick.
 *
 * job: consumed, unless the answer is GATEPOST_ERR_NOT_RUN or GATEPOST_ERR_INVALID_ARGUMENT.
 * decision: gets the decision, owned by the caller; NULL with GATEPOST_PENDING.
 * next: gets the next job with GATEPOST_PENDING, else NULL. NULL: the caller may block, and all that follows is done
 *     inside.
 * On the thread of the event loop, or any other; one thread at a time.
 * Returns GATEPOST_OK with a decision; GATEPOST_PENDING with a next job; GATEPOST_ERR_NOT_RUN where gatepost_job_run has
 * not returned yet; GATEPOST_ERR_CANCELLED where it is gone; or another error, and then the host must refuse.
 */
gatepost_status gatepost_job_finish(struct gatepost_job *job,
                                    struct gatepost_decision **decision,
                                    struct gatepost_job **next);

/**
 * Ends a job whose decision nobody wants any more, because the client has gone: also while another thread runs it, and
 * also one that was submitted to a pool. The pool then calls its callback with GATEPOST_ERR_CANCELLED, once, as ever.
 *
 * job: consumed. A run under way goes on to its end or stops earlier; its thread sees no difference.
 * Any thread.
 * Returns GATEPOST_OK, or GATEPOST_ERR_CANCELLED where it is gone.
 */
gatepost_status gatepost_job_cancel(struct gatepost_job *job);

/**
 * Ends a job: housekeeping after its run, or any other as gatepost_job_cancel does. NULL, and a job that is gone, are
 * a no-op.
 *
 * job: consumed.
 * Any thread.
 */
void gatepost_job_free(struct gatepost_job *job);

/**
 * Makes a pool and starts its threads. Each process makes its own, after fork. All signals are blocked in the threads.
 *
 * threads: 1 to 256; as many as there are processors is a good start.
 * queue: how many jobs may wait, 1 to 65,536. One more is answered with the refusal "overloaded".
 * pool: gets the pool, owned by the caller.
 * error: gets the reasons of a failure. NULL: not wanted.
 * Any number of threads at once.
 * Returns GATEPOST_OK or an error.
 */
gatepost_status gatepost_pool_new(uint32_t threads,
                                  uint32_t queue,
                                  struct gatepost_pool **pool,
                                  struct gatepost_error **error);

/**
 * Hands a job to the pool, which runs it, finishes it (and what follows it) and then calls done.
 *
 * pool: borrowed.
 * job: taken over on GATEPOST_OK; the handle then stands for the submission: gatepost_job_cancel still works, until
 *     done is called. On an error it stays the caller's.
 * done: called exactly once where this returns GATEPOST_OK, never where it does not; not before this returns, unless
 *     another thread dispatches meanwhile.
 * data: handed to done; never followed.
 * Any number of threads at once.
 * Returns GATEPOST_OK, also where the queue is full; GATEPOST_ERR_CANCELLED where the job is gone;
 * GATEPOST_ERR_CONFLICT where it runs or ran already, or is in a pool; GATEPOST_ERR_NOT_STARTED in a child of the
 * process that made the pool; or another error.
 */
gatepost_status gatepost_pool_submit(const struct gatepost_pool *pool,
                                     struct gatepost_job *job,
                                     gatepost_done done,
                                     void *data);

/**
 * The descriptor that is readable while completions wait for gatepost_pool_dispatch: for poll, epoll and their like.
 * Never read, write or close it.
 *
 * pool: borrowed; the descriptor lives as long as the pool.
 * Any number of threads at once.
 * Returns the descriptor; -1 for NULL.
 */
int gatepost_pool_fd(const struct gatepost_pool *pool);

/**
 * Calls done for each completion that waits. Returns without waiting where there is none.
 *
 * pool: borrowed.
 * One thread at a time: that of the event loop.
 * Returns GATEPOST_OK, or GATEPOST_ERR_NOT_STARTED in a child of the process that made the pool.
 */
gatepost_status gatepost_pool_dispatch(struct gatepost_pool *pool);

/**
 * Ends a pool: waits until each thread is done with the job that it has in hand, then calls done with
 * GATEPOST_ERR_CANCELLED for all that is outstanding. In a child of the process that made the pool nothing is called.
 * NULL is a no-op.
 *
 * pool: taken.
 * One thread; no other call with this pool may be under way.
 */
void gatepost_pool_free(struct gatepost_pool *pool);

/**
 * Hashes a password with Argon2id (RFC 9106) and a fresh salt.
 *
 * engine: borrowed; its policy says the cost. NULL: the default cost of policies.
 * password: UTF-8, up to 1,024 bytes, without control characters; prepared as RFC 8265 OpaqueString, so that all ways
 *     of typing it are one. Borrowed for the call. How strong it is is not judged here.
 * hash: gets the hash in PHC form, "$argon2id$v=19$...", owned by the caller.
 * error: gets the reasons of a failure. NULL: not wanted.
 * Slow on purpose, and takes memory of the ceiling for hashing: not for an event loop. Any number of threads at once.
 * Returns GATEPOST_OK, GATEPOST_ERR_INVALID_ARGUMENT where it cannot be a password, GATEPOST_ERR_OVERLOADED where the
 * ceiling is reached, or another error.
 */
gatepost_status gatepost_password_hash(const struct gatepost_engine *engine,
                                       struct gatepost_str password,
                                       struct gatepost_bytes **hash,
                                       struct gatepost_error **error);

/**
 * Checks a password against a hash, in constant time with respect to both.
 *
 * password: up to 1,024 bytes, as it was sent. For a hash that gatepost_password_hash made it is prepared as RFC 8265
 *     OpaqueString, for one made elsewhere it is taken as it is. What cannot be a password does not match. Borrowed for
 *     the call.
 * hash: Argon2, bcrypt, sha256-crypt, sha512-crypt, scrypt, PBKDF2, apr1, md5-crypt, {SHA} or {SSHA}, as crypt(3),
 *     htpasswd, Django, passlib and Werkzeug write them. Borrowed for the call.
 * matches: gets 1 or 0.
 * error: gets the reasons of a failure. NULL: not wanted.
 * Slow on purpose: not for an event loop. Any number of threads at once.
 * Returns GATEPOST_OK, also where it does not match; GATEPOST_ERR_UNSUPPORTED where the form of the hash is not known
 * or its cost is over the cap; GATEPOST_ERR_OVERLOADED where the memory ceiling is reached; or another error.
 */
gatepost_status gatepost_password_verify(struct gatepost_str password,
                                         struct gatepost_str hash,
                                         uint32_t *matches,
                                         struct gatepost_error **error);

/**
 * Tells whether a hash was made with another cost or form than the policy asks for now, so that it is worth hashing
 * the password again when it is next at hand.
 *
 * engine: borrowed; its policy says the cost. NULL: the default cost of policies.
 * hash: borrowed for the call.
 * needs: gets 1 or 0.
 * error: gets the reasons of a failure. NULL: not wanted.
 * Quick. Any number of threads at once.
 * Returns GATEPOST_OK or an error.
 */
gatepost_status gatepost_password_needs_rehash(const struct gatepost_engine *engine,
                                               struct gatepost_str hash,
                                               uint32_t *needs,
                                               struct gatepost_error **error);

/**
 * Verifies a token outside of any request, as a decision would: signature, times, audience, type, claims, revocation, and
 * of a local user what the state says. No route is asked. A token that is bound to a key is refused, since only a request
 * can show who holds it.
 *
 * engine: borrowed; started in this process.
 * token: the token alone, without "Bearer"; borrowed for the call.
 * now: Unix seconds; 0: the clock.
 * verified: gets what came of it, owned by the caller, also where the token is not good.
 * error: gets the reasons of a failure. NULL: not wanted.
 * May ask the state, which reads the disk: not for an event loop. Any number of threads at once.
 * Returns GATEPOST_OK, also where the token is not good, or an error.
 */
gatepost_status gatepost_token_verify(const struct gatepost_engine *engine,
                                      struct gatepost_str token,
                                      int64_t now,
                                      struct gatepost_verified **verified,
                                      struct gatepost_error **error);

/**
 * Fills a struct of the caller's with all that is known of the token.
 *
 * verified: borrowed.
 * view: struct_size set by the caller, the rest is written.
 * What the view points to lives as long as verified. Any number of threads at once.
 * Returns GATEPOST_OK or an error; on an error nothing is written and the token must count as refused.
 */
gatepost_status gatepost_verified_view(const struct gatepost_verified *verified,
                                       struct gatepost_token_view *view);

/**
 * Ends what came of a token with all strings taken from it. NULL is a no-op.
 *
 * verified: taken.
 * One thread.
 */
void gatepost_verified_free(struct gatepost_verified *verified);

/**
 * Revokes tokens. When it returns GATEPOST_OK the revocation is on the disk and holds for the next decision, in every
 * process that shares the state. Doing it again is no error.
 *
 * engine: borrowed; started in this process.
 * revocation: borrowed for the call.
 * error: gets the reasons of a failure. NULL: not wanted.
 * Writes to the disk: not for an event loop. Any number of threads at once.
 * Returns GATEPOST_OK, GATEPOST_ERR_INVALID_ARGUMENT where it does not name one thing, where the policy has no such
 * issuer, or where the token is not signed by one; GATEPOST_ERR_STATE where it could not be written; or another error.
 */
gatepost_status gatepost_token_revoke(const struct gatepost_engine *engine,
                                      const struct gatepost_revocation *revocation,
                                      struct gatepost_error **error);

/**
 * Issues an access token for a local user and, with GATEPOST_TOKEN_REFRESH, a refresh token. Whether the user is who
 * they say they are is the host's to have checked.
 *
 * engine: borrowed; started in this process.
 * request: borrowed for the call.
 * tokens: gets the tokens, owned by the caller.
 * error: gets the reasons of a failure. NULL: not wanted.
 * Reads the state, and writes it where there is a refresh token: on the disk before the call returns. Not for an event
 * loop. Any number of threads at once.
 * Returns GATEPOST_OK; GATEPOST_ERR_CONFLICT where the user does not exist or is disabled;
 * GATEPOST_ERR_INVALID_ARGUMENT where something cannot be issued as it was asked for; or another error.
 */
gatepost_status gatepost_token_issue(const struct gatepost_engine *engine,
                                     const struct gatepost_token_request *request,
                                     struct gatepost_tokens **tokens,
                                     struct gatepost_error **error);

/**
 * Exchanges a refresh token for an access token and the next refresh token. Each is exchanged once. A used one that
 * comes again gets the same answer for the policy's grace (10 seconds unless it says otherwise); later it ends its login,
 * and all refresh tokens that came of it.
 *
 * engine: borrowed; started in this process.
 * request: borrowed for the call.
 * tokens: gets the tokens, owned by the caller.
 * error: gets the reasons of a failure, for the log and not for the client. NULL: not wanted.
 * Writes the state: on the disk before the call returns. Not for an event loop. Any number of threads at once.
 * Returns GATEPOST_OK; GATEPOST_ERR_REFUSED where the token is unknown, expired, revoked, used before or another
 * client's, which the client hears as invalid_grant, whichever it is; GATEPOST_ERR_INVALID_ARGUMENT where more scopes
 * are asked for than the login has; or another error.
 */
gatepost_status gatepost_token_refresh(const struct gatepost_engine *engine,
                                       const struct gatepost_refresh_request *request,
                                       struct gatepost_tokens **tokens,
                                       struct gatepost_error **error);

/**
 * Fills a struct of the caller's with all of the tokens.
 *
 * tokens: borrowed.
 * issued: struct_size set by the caller, the rest is written.
 * What the struct points to lives as long as the tokens. Any number of threads at once.
 * Returns GATEPOST_OK or an error; on an error nothing is written.
 */
gatepost_status gatepost_tokens_view(const struct gatepost_tokens *tokens,
                                     struct gatepost_issued *issued);

/**
 * Overwrites and ends tokens with all strings taken from them; what was issued stays good. NULL is a no-op.
 *
 * tokens: taken.
 * One thread.
 */
void gatepost_tokens_free(struct gatepost_tokens *tokens);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* GATEPOST_H */


