/*
 * Fields of requests and answers. nginx keeps the fields of a request in a list and, of those that it knows, pointers
 * into it besides: both are edited, so that everybody who comes later sees the same.
 */

#include "ngx_http_gatepost.h"

static ngx_uint_t
ngx_http_gatepost_same(const ngx_str_t *name, gatepost_str other)
{
    return name->len == other.len && ngx_strncasecmp(name->data, (u_char *) other.ptr, other.len) == 0;
}

/* ---- the request ---- */

/* Whether a field of the request goes. */
static inline ngx_uint_t
ngx_http_gatepost_goes(const ngx_str_t *name, const gatepost_view *view)
{
    size_t  i;

    for (i = 0; i < view->strip_count; i++) {
        if (ngx_http_gatepost_same(name, view->strip[i])) {
            return 1;
        }
    }
    for (i = 0; i < view->upstream_header_count; i++) {
        if (view->upstream_headers[i].mode == GATEPOST_HEADER_SET
            && ngx_http_gatepost_same(name, view->upstream_headers[i].name))
        {
            return 1;
        }
    }
    return 0;
}

/* The lengths that names which go have, a bit for each (those of 64 and more share them): of most requests none has one. */
static uint64_t
ngx_http_gatepost_lengths(const gatepost_view *view)
{
    uint64_t  lengths = 0;
    size_t    i;

    for (i = 0; i < view->strip_count; i++) {
        lengths |= (uint64_t) 1 << (view->strip[i].len & 63);
    }
    for (i = 0; i < view->upstream_header_count; i++) {
        lengths |= (uint64_t) 1 << (view->upstream_headers[i].name.len & 63);
    }
    return lengths;
}

/*
 * Where the request is malformed: a name that is no name (RFC 9110, token) goes. nginx hands such on with
 * "ignore_invalid_headers off", the engine judges none of them, and who knows what an application makes of them. One that
 * is too large may be malformed besides, of which the reason tells only the former.
 */
static ngx_uint_t
ngx_http_gatepost_goes_malformed(const ngx_str_t *name, const gatepost_view *view)
{
    static u_char  others[] = "!#$%&'*+-.^_`|~";
    size_t         i;
    u_char         c;

    for (i = 0; i < name->len; i++) {
        c = ngx_tolower(name->data[i]);
        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9')
            && ngx_strlchr(others, others + sizeof(others) - 1, c) == NULL)
        {
            return 1;
        }
    }
    return name->len == 0;
}

/* Where nginx keeps its pointer to fields of this name; NULL: it keeps none. */
static ngx_http_header_t *
ngx_http_gatepost_known(ngx_http_request_t *r, ngx_table_elt_t *field)
{
    ngx_http_core_main_conf_t  *cmcf = ngx_http_get_module_main_conf(r, ngx_http_core_module);
    ngx_http_header_t          *known;

    known = ngx_hash_find(&cmcf->headers_in_hash, field->hash, field->lowcase_key, field->key.len);
    return known != NULL && known->offset != 0 ? known : NULL;
}

#if (nginx_version < 1023000)

/* Of some fields nginx kept arrays of pointers then. */
static ngx_array_t *
ngx_http_gatepost_array(ngx_http_request_t *r, ngx_http_header_t *known)
{
    if (known->offset == offsetof(ngx_http_headers_in_t, cookies)) {
        return &r->headers_in.cookies;
    }
#if (NGX_HTTP_X_FORWARDED_FOR)
    if (known->offset == offsetof(ngx_http_headers_in_t, x_forwarded_for)) {
        return &r->headers_in.x_forwarded_for;
    }
#endif
    return NULL;
}

#endif

/* The field may be a copy of the one that nginx points to: the same is what has its value in the same place. */
static void
ngx_http_gatepost_forget(ngx_http_request_t *r, ngx_table_elt_t *field)
{
    ngx_http_header_t  *known = ngx_http_gatepost_known(r, field);
    ngx_table_elt_t   **place;

    if (known == NULL) {
        return;
    }

#if (nginx_version < 1023000)
    {
        ngx_array_t  *array = ngx_http_gatepost_array(r, known);
        ngx_uint_t    i;

        if (array != NULL) {
            place = array->elts;
            for (i = 0; i < array->nelts; i++) {
                if (place[i]->value.data == field->value.data) {
                    ngx_memmove(&place[i], &place[i + 1], (array->nelts - i - 1) * sizeof(*place));
                    array->nelts--;
                    return;
                }
            }
            return;
        }
    }
    place = (ngx_table_elt_t **) ((char *) &r->headers_in + known->offset);
    if (*place != NULL && (*place)->value.data == field->value.data) {
        *place = NULL;
    }
#else
    for (place = (ngx_table_elt_t **) ((char *) &r->headers_in + known->offset); *place != NULL; place = &(*place)->next) {
        if ((*place)->value.data == field->value.data) {
            *place = (*place)->next;
            return;
        }
    }
#endif
}

static ngx_int_t
ngx_http_gatepost_remember(ngx_http_request_t *r, ngx_table_elt_t *field)
{
    ngx_http_header_t  *known = ngx_http_gatepost_known(r, field);
    ngx_table_elt_t   **place;

    if (known == NULL) {
        return NGX_OK;
    }

#if (nginx_version < 1023000)
    {
        ngx_array_t  *array = ngx_http_gatepost_array(r, known);

        if (array != NULL) {
            if (array->elts == NULL && ngx_array_init(array, r->pool, 1, sizeof(*place)) != NGX_OK) {
                return NGX_ERROR;
            }
            place = ngx_array_push(array);
            if (place == NULL) {
                return NGX_ERROR;
            }
            *place = field;
            return NGX_OK;
        }
    }
    place = (ngx_table_elt_t **) ((char *) &r->headers_in + known->offset);
    if (*place == NULL) {
        *place = field;
    }
#else
    for (place = (ngx_table_elt_t **) ((char *) &r->headers_in + known->offset); *place != NULL; place = &(*place)->next) {
        /* void */
    }
    *place = field;
#endif
    return NGX_OK;
}

/* What is to be known of a name that a policy gives to the application; NULL: there is no room for it. */
static ngx_http_gatepost_name_t *
ngx_http_gatepost_name(ngx_http_request_t *r, ngx_http_gatepost_engine_t *engine, gatepost_str text)
{
    ngx_http_core_main_conf_t  *cmcf = ngx_http_get_module_main_conf(r, ngx_http_core_module);
    ngx_http_gatepost_name_t   *name = engine->names, *end = name + NGX_HTTP_GATEPOST_NAMES;
    ngx_http_header_t          *known;

    for (/* void */; name < end && name->key.len != 0; name++) {
        if (name->key.len == text.len && ngx_memcmp(name->key.data, text.ptr, text.len) == 0) {
            return name;
        }
    }
    if (name == end) {
        return NULL;
    }
    name->key.data = ngx_pnalloc(engine->pool, text.len);
    name->lowcase = ngx_pnalloc(engine->pool, text.len);
    if (name->key.data == NULL || name->lowcase == NULL) {
        return NULL;
    }
    ngx_memcpy(name->key.data, text.ptr, text.len);
    name->hash = ngx_hash_strlow(name->lowcase, name->key.data, text.len);
    known = ngx_hash_find(&cmcf->headers_in_hash, name->hash, name->lowcase, text.len);
    name->known = known != NULL;
    name->key.len = text.len;
    return name;
}

static ngx_int_t
ngx_http_gatepost_add(ngx_http_request_t *r, const gatepost_header *header, ngx_http_gatepost_engine_t *engine)
{
    ngx_http_gatepost_name_t  *name;
    ngx_table_elt_t           *field = ngx_list_push(&r->headers_in.headers);

    if (field == NULL) {
        return NGX_ERROR;
    }
    ngx_memzero(field, sizeof(ngx_table_elt_t));
    field->value.data = (u_char *) header->value.ptr;
    field->value.len = header->value.len;
    name = engine != NULL ? ngx_http_gatepost_name(r, engine, header->name) : NULL;
    if (name != NULL) {
        field->key = name->key;
        field->lowcase_key = name->lowcase;
        field->hash = name->hash;
        return name->known ? ngx_http_gatepost_remember(r, field) : NGX_OK;
    }
    field->key.data = (u_char *) header->name.ptr;
    field->key.len = header->name.len;
    field->lowcase_key = ngx_pnalloc(r->pool, header->name.len);
    if (field->lowcase_key == NULL) {
        return NGX_ERROR;
    }
    field->hash = ngx_hash_strlow(field->lowcase_key, field->key.data, field->key.len);
    return ngx_http_gatepost_remember(r, field);
}

typedef ngx_uint_t (*ngx_http_gatepost_goes_pt)(const ngx_str_t *name, const gatepost_view *view);

/* What a variable $http_... was found to be, before the access phase say, holds no longer. */
static void
ngx_http_gatepost_flush(ngx_http_request_t *r)
{
    ngx_http_gatepost_main_conf_t  *mcf = ngx_http_get_module_main_conf(r, ngx_http_gatepost_module);
    ngx_uint_t                     *index = mcf->fields.elts, i;

    for (i = 0; i < mcf->fields.nelts; i++) {
        r->variables[index[i]].valid = 0;
        r->variables[index[i]].not_found = 0;
    }
}

/*
 * Makes the list anew without what goes. The fields themselves stay where they are, so that nginx's pointers to those
 * that stay are good. A subrequest's list is in part that of its parent, so that it needs one of its own in any case.
 * lengths: those that a name which goes may have.
 */
static inline ngx_int_t
ngx_http_gatepost_remove(ngx_http_request_t *r, ngx_http_gatepost_goes_pt goes, const gatepost_view *view,
    uint64_t lengths)
{
    ngx_list_part_t  *part, old = r->headers_in.headers.part;
    ngx_table_elt_t  *field, *kept;
    ngx_uint_t        i, found = r != r->main;

    for (part = &old; part != NULL && !found; part = part->next) {
        field = part->elts;
        for (i = 0; i < part->nelts && !found; i++) {
            found = (lengths >> (field[i].key.len & 63) & 1) && goes(&field[i].key, view);
        }
    }
    if (!found) {
        return NGX_OK;
    }

    if (ngx_list_init(&r->headers_in.headers, r->pool, 20, sizeof(ngx_table_elt_t)) != NGX_OK) {
        return NGX_ERROR;
    }
    for (part = &old; part != NULL; part = part->next) {
        field = part->elts;
        for (i = 0; i < part->nelts; i++) {
            if ((lengths >> (field[i].key.len & 63) & 1) && goes(&field[i].key, view)) {
                ngx_http_gatepost_forget(r, &field[i]);
                continue;
            }
            kept = ngx_list_push(&r->headers_in.headers);
            if (kept == NULL) {
                return NGX_ERROR;
            }
            *kept = field[i];
        }
    }
    ngx_http_gatepost_flush(r);
    return NGX_OK;
}

static ngx_uint_t
ngx_http_gatepost_has(ngx_http_request_t *r, gatepost_str name)
{
    ngx_list_part_t  *part;
    ngx_table_elt_t  *field;
    ngx_uint_t        i;

    for (part = &r->headers_in.headers.part; part != NULL; part = part->next) {
        field = part->elts;
        for (i = 0; i < part->nelts; i++) {
            if (ngx_http_gatepost_same(&field[i].key, name)) {
                return 1;
            }
        }
    }
    return 0;
}

/* Strips what the decision says, and, where it lets in, adds what it says. May be done again with the same outcome. */
ngx_int_t
ngx_http_gatepost_edit_request(ngx_http_request_t *r, const gatepost_view *view, ngx_http_gatepost_engine_t *engine)
{
    const gatepost_header  *header;
    size_t                  i;

    if (ngx_http_gatepost_remove(r, ngx_http_gatepost_goes, view, ngx_http_gatepost_lengths(view)) != NGX_OK
        || ((view->reason == GATEPOST_REASON_REQUEST_MALFORMED || view->reason == GATEPOST_REASON_REQUEST_TOO_LARGE)
            && ngx_http_gatepost_remove(r, ngx_http_gatepost_goes_malformed, view, UINT64_MAX) != NGX_OK))
    {
        return NGX_ERROR;
    }
    if (view->action != GATEPOST_ALLOW || view->upstream_header_count == 0) {
        return NGX_OK;
    }
    ngx_http_gatepost_flush(r);
    for (i = 0; i < view->upstream_header_count; i++) {
        header = &view->upstream_headers[i];
        if (header->mode == GATEPOST_HEADER_SET_IF_ABSENT && ngx_http_gatepost_has(r, header->name)) {
            continue;
        }
        if (ngx_http_gatepost_add(r, header, engine) != NGX_OK) {
            return NGX_ERROR;
        }
    }
    return NGX_OK;
}

/* Takes from what a client sent the names of all other policies: before anything is added, and once of a main request. */
ngx_int_t
ngx_http_gatepost_strip_others(ngx_http_request_t *r, ngx_http_gatepost_engine_t *engine)
{
    ngx_http_gatepost_ctx_t  *ctx;
    gatepost_view             view;

    if (engine->other_count == 0) {
        return NGX_OK;
    }
    for (ctx = r == r->main ? ngx_http_gatepost_first(r) : NULL; ctx != NULL; ctx = ctx->next) {
        if (ctx->edited) {
            return NGX_OK; /* what there is of such names by now is a policy's own word */
        }
    }
    view.strip = engine->others;
    view.strip_count = engine->other_count;
    return ngx_http_gatepost_remove(r, ngx_http_gatepost_goes_other, &view, engine->other_lengths);
}

/* ---- the answer ---- */

/* Fields that speak of a body: of use only with the body that they were made for. */
static ngx_uint_t
ngx_http_gatepost_of_body(gatepost_str name)
{
    return name.len > 8 && ngx_strncasecmp((u_char *) name.ptr, (u_char *) "content-", 8) == 0;
}

static ngx_uint_t
ngx_http_gatepost_drop(ngx_http_request_t *r, gatepost_str name, ngx_uint_t look_only)
{
    ngx_list_part_t  *part;
    ngx_table_elt_t  *field;
    ngx_uint_t        i, found = 0;

    for (part = &r->headers_out.headers.part; part != NULL; part = part->next) {
        field = part->elts;
        for (i = 0; i < part->nelts; i++) {
            if (field[i].hash != 0 && ngx_http_gatepost_same(&field[i].key, name)) {
                found = 1;
                if (!look_only) {
                    field[i].hash = 0;
                }
            }
        }
    }
    return found;
}

/* Applies the fields for the client. ours: the body is the decision's own. */
ngx_int_t
ngx_http_gatepost_edit_response(ngx_http_request_t *r, const gatepost_view *view, ngx_uint_t ours)
{
    const gatepost_header  *header;
    ngx_table_elt_t        *field;
    gatepost_str            type = GATEPOST_STR("Content-Type");
    ngx_str_t               name;
    size_t                  i;

    for (i = 0; i < view->response_header_count; i++) {
        header = &view->response_headers[i];

        if (ngx_http_gatepost_of_body(header->name) && !ours) {
            continue;
        }
        name.data = (u_char *) header->name.ptr;
        name.len = header->name.len;
        if (ngx_http_gatepost_same(&name, type)) {
            r->headers_out.content_type.data = (u_char *) header->value.ptr;
            r->headers_out.content_type.len = header->value.len;
            r->headers_out.content_type_len = header->value.len;
            r->headers_out.content_type_lowcase = NULL;
            ngx_str_null(&r->headers_out.charset);
            continue;
        }
        if (header->mode == GATEPOST_HEADER_SET) {
            (void) ngx_http_gatepost_drop(r, header->name, 0);
        } else if (header->mode == GATEPOST_HEADER_SET_IF_ABSENT && ngx_http_gatepost_drop(r, header->name, 1)) {
            continue;
        }

        field = ngx_list_push(&r->headers_out.headers);
        if (field == NULL) {
            return NGX_ERROR;
        }
        ngx_memzero(field, sizeof(ngx_table_elt_t));
        field->hash = 1;
        field->key = name;
        field->value.data = (u_char *) header->value.ptr;
        field->value.len = header->value.len;
    }
    return NGX_OK;
}
