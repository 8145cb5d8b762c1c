/*
 * What the error log says: one line for each request that was refused, with the id that the person refused sees.
 *
 *     gatepost: denied 401 credentials_invalid client=192.0.2.7 id=… scheme=basic subject="" method=GET path="/orders/7"
 *
 * The words that stay come first, what a client chose comes last.
 * What clients do wrong is told at level info, so `LogLevel gatepost:info` shows it. What the operator must mend is
 * told at warn and error, with what to do.
 */
#include "mod_gatepost.h"

#define LONGEST_PATH 256

/* Logs take one line at a time. */
void gate_tell_lines(server_rec *server, int level, const char *before, const char *text) {
    while (text != NULL && *text != '\0') {
        int length = (int)strcspn(text, "\n");
        if (length > 0) {
            ap_log_error(APLOG_MARK, level, 0, server, "%s%.*s", before, length, text);
        }
        text += length + (text[length] == '\n');
    }
}

static int level_of(const gatepost_view *view) {
    if (view->status == HTTP_INTERNAL_SERVER_ERROR || view->reason == GATEPOST_REASON_POLICY_MISSING ||
        view->reason == GATEPOST_REASON_STATE_UNAVAILABLE) {
        return APLOG_ERR;
    }
    return view->status == HTTP_SERVICE_UNAVAILABLE ? APLOG_WARNING : APLOG_INFO;
}

/* What stands between quotes: without any of its own, or what looks like the end of a line. */
static const char *plain(request_rec *r, const char *from, size_t size) {
    char *copy = apr_pstrmemdup(r->pool, from, size > LONGEST_PATH ? LONGEST_PATH : size);
    for (char *c = copy; *c != '\0'; c++) {
        if ((unsigned char)*c <= ' ' || (unsigned char)*c >= 0x7F || *c == '"') {
            *c = '?';
        }
    }
    return copy;
}

/*
 * Require gatepost was one voice and another module has answered the refusal (mod_auth_basic, with a challenge of its
 * own): here alone it is known that nobody has let the client in.
 */
static int tell_of_others(request_rec *r) {
    for (request_rec *each = gate_top(r); each != NULL; each = each->next) {
        const gate_request *known = ap_get_module_config(each->request_config, &gatepost_module);
        const gate_record *asked = known == NULL ? NULL : known->asked;
        if (asked != NULL && !gate_admits(asked) && !known->admitted && ap_is_HTTP_ERROR(each->status)) {
            request_rec *last = each;
            while (last->next != NULL) {
                last = last->next;
            }
            gate_publish(last, asked); /* its notes are those that LogFormat sees */
            gate_tell(each, asked);
        }
    }
    return DECLINED;
}

void gate_register_tell(void) {
    ap_hook_log_transaction(tell_of_others, NULL, NULL, APR_HOOK_REALLY_FIRST);
}

/* Of the target the path alone: queries hold what no log should. */
void gate_tell(request_rec *r, const gate_record *record) {
    if (record->told) {
        return;
    }
    ((gate_record *)record)->told = 1;
    const gatepost_view *view = &record->view;
    request_rec *top = gate_top(r);
    const char *line = top->the_request == NULL ? "" : top->the_request;
    const char *target = top->unparsed_uri == NULL ? "" : top->unparsed_uri;
    const char *client = record->client == NULL || *record->client == '\0' ? r->connection->client_ip : record->client;
    size_t method = strcspn(line, " \t");
    int level = level_of(view);
    ap_log_rerror(APLOG_MARK, level, 0, r,
                  "gatepost: %s %u %s client=%s id=%s scheme=%s subject=\"%s\" method=%s path=\"%s\"%s%s%s%s",
                  view->action == GATEPOST_RESPOND ? "answered" : "denied", view->status,
                  view->reason_name.ptr == NULL ? "internal" : view->reason_name.ptr, client,
                  view->id.len == 0 ? "-" : view->id.ptr, view->scheme.len == 0 ? "-" : view->scheme.ptr,
                  plain(r, view->subject.ptr == NULL ? "" : view->subject.ptr, view->subject.len),
                  plain(r, line, method > 32 ? 32 : method), plain(r, target, strcspn(target, "?#")),
                  level < APLOG_INFO && record->policy != NULL ? " policy=" : "",
                  level < APLOG_INFO && record->policy != NULL ? record->policy->file : "", level < APLOG_INFO ? ": " : "",
                  level < APLOG_INFO ? gatepost_reason_text(view->reason, GATEPOST_AUDIENCE_OPERATOR).ptr : "");
}
