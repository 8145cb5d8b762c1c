/*
 * The names of identity fields of all policies. An application may stand behind several of them: where one holds, the
 * names of the others are as little the client's to send as its own.
 */

#include "ngx_http_gatepost.h"

static ngx_uint_t
ngx_http_gatepost_is_sign(u_char c)
{
    return !(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z');
}

/* The same name to some application: CGI and others make one character of all that is no letter or digit. */
static ngx_uint_t
ngx_http_gatepost_same_spelling(gatepost_str a, gatepost_str b)
{
    size_t  i;
    u_char  c, d;

    if (a.len != b.len) {
        return 0;
    }
    for (i = 0; i < a.len; i++) {
        c = (u_char) a.ptr[i];
        d = (u_char) b.ptr[i];
        if (ngx_http_gatepost_is_sign(c) ? !ngx_http_gatepost_is_sign(d) : ngx_tolower(c) != ngx_tolower(d)) {
            return 0;
        }
    }
    return 1;
}

/* Whether a field has a name of another policy, in whichever spelling; view: that has these names to strip. */
ngx_uint_t
ngx_http_gatepost_goes_other(const ngx_str_t *name, const gatepost_view *view)
{
    size_t  i;

    for (i = 0; i < view->strip_count; i++) {
        if (ngx_http_gatepost_same_spelling(ngx_http_gatepost_text(name), view->strip[i])) {
            return 1;
        }
    }
    return 0;
}

static ngx_int_t
ngx_http_gatepost_learn(ngx_http_gatepost_engine_t *engine)
{
    gatepost_view  view = { .struct_size = sizeof(gatepost_view) };

    if (gatepost_strip(engine->engine, NULL, &engine->bare, &view) != GATEPOST_OK) {
        return NGX_ERROR;
    }
    engine->own = view.strip;
    engine->own_count = view.strip_count;
    return NGX_OK;
}

static ngx_uint_t
ngx_http_gatepost_is_among(gatepost_str name, const gatepost_str *names, size_t count)
{
    size_t  i;

    for (i = 0; i < count; i++) {
        if (ngx_http_gatepost_same_spelling(name, names[i])) {
            return 1;
        }
    }
    return 0;
}

/* Tells one policy the names of the others. */
static ngx_int_t
ngx_http_gatepost_tell(ngx_http_gatepost_engine_t *engine, ngx_http_gatepost_engine_t **all, ngx_uint_t n)
{
    gatepost_str  *others;
    ngx_uint_t     i, most = 0;
    size_t         j;

    for (i = 0; i < n; i++) {
        most += all[i]->own_count;
    }
    others = ngx_palloc(engine->pool, ngx_max(most, 1) * sizeof(gatepost_str));
    if (others == NULL) {
        return NGX_ERROR;
    }
    engine->others = others;
    engine->other_count = 0;
    engine->other_lengths = 0;

    for (i = 0; i < n; i++) {
        for (j = 0; j < all[i]->own_count; j++) {
            if (!ngx_http_gatepost_is_among(all[i]->own[j], engine->own, engine->own_count)
                && !ngx_http_gatepost_is_among(all[i]->own[j], others, engine->other_count))
            {
                others[engine->other_count++] = all[i]->own[j];
                engine->other_lengths |= (uint64_t) 1 << (all[i]->own[j].len & 63);
            }
        }
    }
    return NGX_OK;
}

/* Finds the names of an engine that was just opened, the last of all, and tells all others. */
ngx_int_t
ngx_http_gatepost_names_share(ngx_http_gatepost_engine_t *engine)
{
    ngx_http_gatepost_engine_t  **all = engine->all->elts;
    ngx_uint_t                    i;

    if (ngx_http_gatepost_learn(engine) != NGX_OK) {
        return NGX_ERROR;
    }
    for (i = 0; i < engine->all->nelts; i++) {
        if (ngx_http_gatepost_tell(all[i], all, engine->all->nelts) != NGX_OK) {
            return NGX_ERROR;
        }
    }
    return NGX_OK;
}
