/*
 * Policies that nothing asks: most likely somebody forgot `Gatepost on`, and everybody comes in.
 *
 * It goes by the words of the configuration, section by section. Where it cannot tell whether what asks holds where the
 * policy does (<Directory> and <Location>, regular expressions), it is silent.
 */
#include "mod_gatepost.h"

/* A section, and what stands in it. Those that only hold under a condition (<IfModule>, <Limit>) are part of it. */
struct section {
    const ap_directive_t *host; /* its <VirtualHost>; NULL: none */
    const char *kind;           /* <Location and so on; NULL: none, a server or a virtual host itself */
    const char *path;           /* NULL: not one path */
    const char *policy;         /* the file that GatepostPolicy names here */
    const ap_directive_t *named;
    const char *auth_type;
    int on;
    int asks;     /* something here asks the policy that holds here */
    int of_users; /* a Require wants a user, and it is ours to say who that is unless AuthType says otherwise */
};

static int is(const ap_directive_t *directive, const char *name) { return strcasecmp(directive->directive, name) == 0; }

static int begins(const char *text, const char *with) { return strncasecmp(text, with, strlen(with)) == 0; }

/* The next word, without its quotes and without what closes a section. */
static char *word(apr_pool_t *pool, const char **rest) {
    char *found = ap_getword_conf(pool, rest);
    size_t size = strlen(found);
    if (size > 0 && found[size - 1] == '>') {
        found[size - 1] = '\0';
    }
    return found;
}

static int has_word(apr_pool_t *pool, const char *words, const char *wanted) {
    while (*words != '\0') {
        if (strcasecmp(word(pool, &words), wanted) == 0) {
            return 1;
        }
    }
    return 0;
}

/* What a directive says of the section that it stands in. */
static void take(apr_pool_t *pool, const ap_directive_t *directive, struct section *section) {
    const char *words = directive->args == NULL ? "" : directive->args;
    if (is(directive, "GatepostPolicy")) {
        section->policy = ap_server_root_relative(pool, word(pool, &words));
        section->named = directive;
    } else if (is(directive, "Gatepost")) {
        section->on = strcasecmp(word(pool, &words), "on") == 0;
    } else if (is(directive, "AuthType")) {
        section->auth_type = word(pool, &words);
    } else if (is(directive, "Require")) {
        const char *what = word(pool, &words);
        what = strcasecmp(what, "not") == 0 ? word(pool, &words) : what;
        section->asks |= strcasecmp(what, "gatepost") == 0;
        section->of_users |= strcasecmp(what, "valid-user") == 0 || strcasecmp(what, "user") == 0;
    } else if (is(directive, "AllowOverride")) { /* .htaccess may say Require gatepost */
        section->asks |= has_word(pool, words, "AuthConfig") || has_word(pool, words, "All");
    } else if (is(directive, "AllowOverrideList")) {
        section->asks |= has_word(pool, words, "Require");
    }
}

/* Sections of their own. What they hold and cannot be told by a path alone is taken to hold wherever they stand. */
static int is_section(const ap_directive_t *directive) {
    static const char *const kinds[] = {"<VirtualHost", "<Directory", "<Location", "<Files", "<If", "<ElseIf", "<Else", "<Proxy"};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (is(directive, kinds[i]) || (i > 0 && begins(directive->directive, kinds[i]) &&
                                        strcasecmp(directive->directive + strlen(kinds[i]), "Match") == 0)) {
            return 1;
        }
    }
    return 0;
}

static struct section inner(apr_pool_t *pool, const ap_directive_t *directive, const struct section *outer) {
    struct section own = {.host = outer->host, .kind = directive->directive, .path = outer->path, .on = GATE_UNSET};
    if (is(directive, "<VirtualHost")) {
        own.host = directive;
        own.kind = NULL;
    } else if (outer->kind != NULL) {
        own.kind = outer->kind; /* a part of what its path says */
    } else if (is(directive, "<Directory") || is(directive, "<Location")) {
        const char *words = directive->args == NULL ? "" : directive->args;
        own.path = word(pool, &words);
        if (*own.path == '~' || strpbrk(own.path, "*?[") != NULL) {
            own.path = NULL;
        }
    }
    return own;
}

/* Takes what stands at this level into `section`; sections of their own go to the end of the list. */
static void walk(apr_pool_t *pool, const ap_directive_t *directive, struct section *section, apr_array_header_t *list) {
    for (; directive != NULL; directive = directive->next) {
        if (is_section(directive)) {
            struct section own = inner(pool, directive, section);
            walk(pool, directive->first_child, &own, list);
            own.asks |= own.on == 1 ||
                        (own.of_users && (own.auth_type == NULL || strcasecmp(own.auth_type, "Gatepost") == 0));
            APR_ARRAY_PUSH(list, struct section) = own;
        } else {
            take(pool, directive, section);
            walk(pool, directive->first_child, section, list);
        }
    }
}

static int is_below(const char *path, const char *above) {
    size_t size = strlen(above);
    return strncmp(path, above, size) == 0 && (path[size] == '\0' || path[size] == '/' || (size > 0 && above[size - 1] == '/'));
}

/* The policy that `section` takes from its virtual host; NULL: none, or it is the virtual host. */
static const char *policy_of_host(const struct section *section, const apr_array_header_t *list) {
    for (int i = 0; i < list->nelts; i++) {
        const struct section *each = &APR_ARRAY_IDX(list, i, struct section);
        if (section->host != NULL && each->host == section->host && each->kind == NULL) {
            return each->policy;
        }
    }
    return NULL;
}

/* `wide` holds wherever `narrow` does. */
static int holds_over(const struct section *wide, const struct section *narrow) {
    if (wide->kind == NULL) {
        return wide->host == NULL || wide->host == narrow->host;
    }
    return narrow->kind != NULL && wide->path != NULL && narrow->path != NULL && strcasecmp(wide->kind, narrow->kind) == 0 &&
           is_below(narrow->path, wide->path);
}

/* What asks in `asking` may ask the policy that `naming` names. */
static int may_ask(const struct section *asking, const struct section *naming, const apr_array_header_t *list) {
    if (asking->host != naming->host && asking->host != NULL && naming->host != NULL) {
        return 0;
    }
    if (holds_over(asking, naming)) {
        return 1; /* it asks whichever policy holds */
    }
    const char *policy = asking->policy;
    if (policy == NULL && asking->host != naming->host) {
        policy = policy_of_host(asking, list);
    }
    if (policy != NULL && naming->policy != NULL && strcmp(policy, naming->policy) != 0) {
        return 0;
    }
    return naming->kind == NULL || asking->path == NULL || naming->path == NULL ||
           strcasecmp(asking->kind, naming->kind) != 0 || is_below(asking->path, naming->path);
}

static int is_forgotten(const struct section *naming, const apr_array_header_t *list) {
    for (int i = 0; i < list->nelts; i++) {
        const struct section *each = &APR_ARRAY_IDX(list, i, struct section);
        if (each->asks && may_ask(each, naming, list)) {
            return 0;
        }
    }
    return 1;
}

/* Says so of each GatepostPolicy that nothing asks. `Gatepost off` beside it says that this is meant. */
void gate_warn_of_forgotten(apr_pool_t *pool, server_rec *server, int level) {
    apr_array_header_t *list = apr_array_make(pool, 16, sizeof(struct section));
    struct section whole = {.on = GATE_UNSET};
    walk(pool, ap_conftree, &whole, list);
    whole.asks |= whole.on == 1 || (whole.of_users && (whole.auth_type == NULL || strcasecmp(whole.auth_type, "Gatepost") == 0));
    APR_ARRAY_PUSH(list, struct section) = whole;
    for (int i = 0; i < list->nelts; i++) {
        const struct section *naming = &APR_ARRAY_IDX(list, i, struct section);
        if (naming->named != NULL && naming->on != 0 && is_forgotten(naming, list)) {
            ap_log_error(APLOG_MARK, level, 0, server,
                         "gatepost: %s:%d: a GatepostPolicy is named, but neither \"Gatepost on\" nor \"Require gatepost\" "
                         "stands where it holds: nothing is checked",
                         naming->named->filename, naming->named->line_num);
        }
    }
}
