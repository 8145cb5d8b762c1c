/*
 * What the operator has to mend is told once, and again where it is another trouble or lasts: a log that is flooded with
 * one line hides all others.
 */

#include "ngx_http_gatepost.h"

/* How long a trouble that lasts is not told again, in seconds. */
#define NGX_HTTP_GATEPOST_REMIND  60

/* Whether this process has not told of this trouble of a policy lately; it counts as told then. */
ngx_uint_t
ngx_http_gatepost_is_news(ngx_http_gatepost_engine_t *engine, uint32_t what)
{
    ngx_http_gatepost_trouble_t  *oldest, *t, *end;
    time_t                        now = ngx_time();

    if (engine == NULL) {
        return 1;
    }
    oldest = engine->troubles;
    end = oldest + NGX_HTTP_GATEPOST_TROUBLES;
    for (t = engine->troubles; t < end; t++) {
        if (t->told != 0 && t->what == what) {
            oldest = t;
            if (now >= t->told && now - t->told < NGX_HTTP_GATEPOST_REMIND) {
                return 0;
            }
            break;
        }
        if (t->told < oldest->told) {
            oldest = t;
        }
    }
    oldest->what = what;
    oldest->told = now;
    return 1;
}

/* Says in one line why a policy does not start: which file, and what to do. */
void
ngx_http_gatepost_tell_start(ngx_http_gatepost_engine_t *engine, gatepost_status status, gatepost_error *error)
{
    gatepost_str  message = gatepost_error_message(error);
    ngx_str_t     line;
    u_char        room[1024];
    size_t        i;

    if (message.len == 0) {
        message = gatepost_status_text(status);
    }
    line.data = room;
    line.len = ngx_min(message.len, sizeof(room));
    for (i = 0; i < line.len; i++) {
        room[i] = message.ptr[i] == '\n' ? ' ' : (u_char) message.ptr[i];
    }
    while (line.len != 0 && room[line.len - 1] == ' ') {
        line.len--;
    }
    if (!ngx_http_gatepost_is_news(engine, ngx_crc32_short(line.data, line.len))) {
        return;
    }
    ngx_log_error(NGX_LOG_ERR, engine->timer.log, 0,
                  "gatepost: policy \"%V\" cannot start, all its requests are refused with 503 until it does, public ones "
                  "too (tried again each second): %V", &engine->file, &line);
}
