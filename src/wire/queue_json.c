/* queue_json.c - one queue's definition from JSON, and a file cut into definitions. */
#include "wire/queue_json.h"

#include "base/limits.h"
#include "wire/game_mode_json.h"
#include "wire/json_place.h"
#include "wire/json_pretty.h"
#include "wire/json_read.h"
#include "wire/json_syntax.h"
#include "wire/queue_life_json.h"
#include "wire/ruleset_json.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define ROWS(table) table, sizeof(table) / sizeof((table)[0])
#define TICKET_TIMEOUT_MS 600000
#define TICK_MS 50
#define DODGE_DECAY_MS 86400000
#define HELD_MATCH_MS 14400000 /* of a queue that holds players, or backfills, and does not say */

/* ---- one definition ---- */

struct definition_json {
    struct str name, description;
    const json_t *ruleset;
    int64_t ticket_timeout_ms, request_timeout_ms; /* 0: not given */
    uint32_t tick_ms;
    struct patience patience; /* uncertainty: borrowed */
    struct queue_life life;
    int backfill_mode; /* index in backfill_modes */
};

static const char *const backfill_modes[] = {"MANUAL", "AUTOMATIC", NULL};

/* A number of points per second, or "auto". */
static enum err read_patience(struct json_reader *r, const json_t *value, void *into) {
    struct patience *p = &((struct definition_json *)into)->patience;
    static const struct json_read_row row = {.kind = READ_NUMBER, .low = 0, .high = 10000};
    p->is_on = true;
    p->is_derived = json_is_string(value) && strcmp(json_string_value(value), "auto") == 0;
    if (p->is_derived) return ERR_OK;
    if (!json_is_number(value)) {
        return json_read_refuse_value(r, value, "a number of points per second or \"auto\"");
    }
    enum err code = json_read_value(r, value, &row, &p->points_per_s);
    p->is_on = p->points_per_s > 0;
    return code;
}

static enum err read_dodge(struct json_reader *r, const json_t *value, void *into) {
    struct definition_json *j = into;
    return queue_life_json_dodge(r, value, &j->life.dodge);
}

static enum err read_hold(struct json_reader *r, const json_t *value, void *into) {
    struct definition_json *j = into;
    if (!json_is_boolean(value)) return json_read_refuse_value(r, value, "true or false");
    j->life.holds_players = json_is_true(value);
    return ERR_OK;
}

static const struct json_read_row definition_rows[] = {
    {.name = "name",
     .kind = READ_TEXT,
     .required = true,
     .low = 1,
     .high = LIMIT_NAME_BYTES,
     .offset = offsetof(struct definition_json, name)},
    {.name = "description",
     .kind = READ_TEXT,
     .high = 1000,
     .offset = offsetof(struct definition_json, description)},
    {.name = "ruleset",
     .kind = READ_VALUE,
     .required = true,
     .offset = offsetof(struct definition_json, ruleset)},
    {.name = "ticketTimeoutSeconds",
     .kind = READ_MS,
     .low = 1,
     .high = 43200,
     .offset = offsetof(struct definition_json, ticket_timeout_ms)},
    {.name = "requestTimeoutSeconds",
     .kind = READ_MS,
     .low = 1,
     .high = 43200,
     .offset = offsetof(struct definition_json, request_timeout_ms)},
    {.name = "acceptanceRequired", .kind = READ_CUSTOM, .read = ruleset_json_acceptance},
    {.name = "acceptanceTimeoutSeconds", .kind = READ_CUSTOM, .read = ruleset_json_acceptance_time},
    {.name = "dodgePenaltySeconds", .kind = READ_CUSTOM, .read = read_dodge},
    {.name = "dodgeDecaySeconds",
     .kind = READ_MS,
     .low = 1,
     .high = 31536000,
     .offset = offsetof(struct definition_json, life.dodge.decay_ms)},
    {.name = "heartbeatSeconds",
     .kind = READ_MS,
     .low = 5,
     .high = 3600,
     .offset = offsetof(struct definition_json, life.heartbeat_ms)},
    {.name = "assignTimeoutSeconds",
     .kind = READ_MS,
     .low = 1,
     .high = 86400,
     .offset = offsetof(struct definition_json, life.assign_ms)},
    {.name = "matchTimeoutSeconds",
     .kind = READ_MS,
     .low = 1,
     .high = 604800,
     .offset = offsetof(struct definition_json, life.match_ms)},
    {.name = "holdPlayers", .kind = READ_CUSTOM, .read = read_hold},
    {.name = "backfillMode",
     .kind = READ_CHOICE,
     .choices = backfill_modes,
     .offset = offsetof(struct definition_json, backfill_mode)},
    {.name = "tickMs",
     .kind = READ_COUNT,
     .low = 1,
     .high = 60000,
     .offset = offsetof(struct definition_json, tick_ms)},
    {.name = "patience", .kind = READ_CUSTOM, .read = read_patience},
    {.name = "deadlineSeconds",
     .kind = READ_MS,
     .low = 1,
     .high = 43200,
     .offset = offsetof(struct definition_json, patience.deadline_ms)},
    {.name = "qualityScale",
     .kind = READ_NUMBER,
     .low = 1e-6,
     .high = 1e9,
     .offset = offsetof(struct definition_json, patience.scale)},
    {.name = "uncertaintyAttribute",
     .kind = READ_TEXT,
     .low = 1,
     .high = LIMIT_NAME_BYTES,
     .offset = offsetof(struct definition_json, patience.uncertainty)},
};

/* Tells a problem that no reader of JSON told. */
static enum err refuse(const struct ruleset_reading *x, const struct err_text *what) {
    bool first = !x->problems || x->problems->count == 0;
    if (first && x->why) *x->why = *what;
    problems_add(x->problems, what);
    return ERR_INVALID_ARGUMENT;
}

static enum err check_name(struct str name, const char *field, const struct ruleset_reading *x) {
    if (str_name_valid(name)) return ERR_OK;
    struct str shown = {name.at, name.size > LIMIT_NAME_BYTES ? 0 : name.size};
    struct err_text what;
    char member[LIMIT_NAME_BYTES + 1]; /* a game mode's name is where it stands */
    (void)snprintf(member, sizeof member, "%.*s", STR_PRINT(name));
    bool is_member = strcmp(field, "name") != 0;
    (void)err_set_field(&what, ERR_INVALID_ARGUMENT, is_member ? member : field,
                        "%s \"%.*s\" is no queue name; allowed are 1 to %d of A-Z a-z 0-9 _ . -",
                        field, STR_PRINT(shown), LIMIT_NAME_BYTES);
    return refuse(x, &what);
}

/* Steps that no ticket lives to see. */
static void note_late_steps(const json_t *definition, const struct queue_def *d,
                            struct strbuf *notes) {
    const json_t *expansions =
        json_object_get(json_object_get(definition, "ruleset"), "expansions");
    for (size_t i = 0; notes && i < json_array_size(expansions); i++) {
        const json_t *steps = json_object_get(json_array_get(expansions, i), "steps");
        for (size_t s = 0; s < json_array_size(steps); s++) {
            const json_t *wait = json_object_get(json_array_get(steps, s), "waitTimeSeconds");
            double seconds = json_number_value(wait);
            if (seconds * 1000 < (double)d->ticket_timeout_ms) continue;
            strbuf_printf(notes,
                          "expansions[%zu].steps[%zu] never comes: it is at %g s, and a ticket "
                          "expires after %g s\n",
                          i, s, seconds, (double)d->ticket_timeout_ms / 1000);
        }
    }
}

/* FlexMatch's name for the timeout, in the ruleset or beside it; all that are given must agree. */
static enum err choose_timeout(struct json_reader *r, struct definition_json *j) {
    const json_t *inline_value = json_object_get(j->ruleset, "requestTimeoutSeconds");
    int64_t inline_ms = 0;
    enum err code = ERR_OK;
    r->notes = NULL; /* the ruleset's reader has noted what there was to note */
    if (inline_value) {
        code = json_read_value(r, inline_value, &ruleset_json_timeout_row, &inline_ms);
    }
    if (code) return code;
    const int64_t given[] = {j->ticket_timeout_ms, j->request_timeout_ms, inline_ms};
    int64_t chosen = 0;
    for (int i = 0; i < 3; i++) {
        if (given[i] == 0) continue;
        if (chosen != 0 && given[i] != chosen) {
            size_t mark = json_read_enter(r, "requestTimeoutSeconds", SIZE_MAX);
            code = json_read_refuse(
                r, "is %g, but %s is %g; give one of them", (double)given[i] / 1000,
                j->ticket_timeout_ms ? "ticketTimeoutSeconds" : "the one beside the ruleset",
                (double)chosen / 1000);
            json_read_leave(r, mark);
            return code;
        }
        chosen = given[i];
    }
    j->ticket_timeout_ms = chosen ? chosen : TICKET_TIMEOUT_MS;
    return ERR_OK;
}

/* Copies what the document gives; the deadline's default is half the timeout. */
static void take_patience(const struct definition_json *j, struct queue_def *d) {
    d->patience = j->patience;
    if (j->patience.uncertainty.size) {
        d->patience.uncertainty.at = mem_text(j->patience.uncertainty);
    }
    if (!d->patience.deadline_ms) d->patience.deadline_ms = d->ticket_timeout_ms / 2;
}

static void note_patience(const struct queue_def *d, struct strbuf *notes) {
    const struct patience *p = &d->patience;
    if (!notes || !p->is_on) return;
    if (p->deadline_ms >= d->ticket_timeout_ms) {
        strbuf_printf(notes, "deadlineSeconds %g has no effect: a ticket expires after %g s\n",
                      (double)p->deadline_ms / 1000, (double)d->ticket_timeout_ms / 1000);
    }
    if (!ruleset_has_key(d->ruleset)) {
        strbuf_printf(notes, "patience weighs no skill: no rule bounds the spread of a number, and "
                             "there is no balancedAttribute\n");
    }
}

static enum err read_definition(const json_t *value, const struct ruleset_reading *x,
                                struct queue_def *d) {
    struct json_reader r = {.arena = arena_new(0),
                            .notes = x->notes,
                            .why = x->why,
                            .problems = x->problems,
                            .root = "queue definition"};
    struct definition_json j = {.tick_ms = TICK_MS, .life.dodge.decay_ms = DODGE_DECAY_MS};
    enum err code = json_read_object(&r, value, ROWS(definition_rows), &j), own = ERR_OK;
    if (!code) code = check_name(j.name, "name", x);
    bool read_on = !code || x->problems;
    if (read_on && j.ruleset) {
        struct ruleset_reading inner = *x;
        struct err_text later;
        if (code) inner.why = &later; /* the first problem is told already */
        own = ruleset_json_read(j.ruleset, &inner, &d->ruleset);
    }
    if (own) code = own;
    if (!code) code = queue_life_json_acceptance(&r, value, &j.life.acceptance_ms);
    if (!code) code = choose_timeout(&r, &j);
    if (!code) {
        d->name = (struct str){mem_text(j.name), j.name.size};
        d->ticket_timeout_ms = j.ticket_timeout_ms;
        d->tick_ms = j.tick_ms;
        take_patience(&j, d);
        note_patience(d, x->notes);
        j.life.backfills = j.backfill_mode == 1;
        bool needs_end = j.life.holds_players || j.life.backfills;
        if (needs_end && !j.life.match_ms) j.life.match_ms = HELD_MATCH_MS;
        d->life = j.life;
    }
    arena_free(r.arena);
    return code;
}

static enum err read_game_mode(const json_t *value, const struct ruleset_reading *x,
                               struct queue_def *d) {
    const char *name = json_object_iter_key(json_object_iter((json_t *)value)); /* only reads */
    enum err code = check_name(str_of(name), "game mode", x);
    if (!code) code = game_mode_json_read(value, x, &d->ruleset);
    if (code) return code;
    d->name = (struct str){mem_text(str_of(name)), strlen(name)};
    d->ticket_timeout_ms = TICKET_TIMEOUT_MS;
    d->tick_ms = TICK_MS;
    return ERR_OK;
}

static bool has_member(const json_t *object, const char *name) {
    return json_object_get(object, name) != NULL;
}

static bool is_definition(const json_t *value) {
    return has_member(value, "ruleset") || has_member(value, "name");
}

static bool is_ruleset(const json_t *value) {
    return has_member(value, "ruleLanguageVersion") && !has_member(value, "ruleset");
}

/* Why it is neither form; the text is in `what`. False: it is one of them. */
static bool is_no_form(const json_t *value, struct err_text *what) {
    if (!json_is_object(value)) {
        (void)err_set(what, ERR_INVALID_ARGUMENT,
                      "a queue definition is one object; this is %s, put its queues one by one",
                      json_is_array(value) ? "a list" : "a single value");
        return true;
    }
    if (is_ruleset(value)) {
        (void)err_set(what, ERR_INVALID_ARGUMENT,
                      "this is a ruleset without a queue; write {\"name\": \"...\", \"ruleset\": "
                      "{...}} around it");
        return true;
    }
    if (is_definition(value)) return false;
    size_t count = json_object_size(value);
    if (json_is_array(json_object_get(value, "queues"))) {
        (void)err_set(what, ERR_INVALID_ARGUMENT,
                      "this is a file of several queues; put its queues one by one");
        return true;
    }
    if (count == 1) return false;
    (void)err_set(what, ERR_INVALID_ARGUMENT,
                  "a queue definition has \"name\" and \"ruleset\", or is one game mode "
                  "{\"name\": {...}}; this object has %zu members and neither",
                  count);
    return true;
}

static enum err read_queue(const json_t *value, const struct ruleset_reading *x,
                           struct queue_def *d) {
    struct err_text what;
    if (is_no_form(value, &what)) return refuse(x, &what);
    return is_definition(value) ? read_definition(value, x, d) : read_game_mode(value, x, d);
}

/* Where each problem is: its field is a path from the definition, or from its ruleset. */
static void find_places(struct str clean, struct problems *all) {
    for (size_t i = 0; all && i < all->count; i++) {
        struct problem *p = &all->at[i];
        if (p->line) continue; /* known */
        char inside[ERR_FIELD_BYTES + 16];
        bool whole;
        struct json_place place = json_place_find(clean, p->what.field, &whole);
        if (!whole) {
            (void)snprintf(inside, sizeof inside, "ruleset.%s", p->what.field);
            struct json_place inner = json_place_find(clean, inside, &whole);
            bool deeper = inner.line > place.line ||
                          (inner.line == place.line && inner.column > place.column);
            if (deeper) place = inner;
        }
        p->line = place.line;
        p->column = place.column;
    }
    if (all) problems_sort(all);
}

/* Told with its place, where it has one. */
static enum err refuse_fault(const struct ruleset_reading *x, const struct problem *fault) {
    if (x->why) problem_text(fault, x->why);
    problems_add_at(x->problems, &fault->what, fault->line, fault->column);
    return ERR_INVALID_ARGUMENT;
}

/* An error leaves a tree where keys repeat and all problems are wanted: the last of them counts. */
static enum err load(struct str json, const struct ruleset_reading *x, struct strbuf *clean,
                     bool *had_comments, json_t **tree) {
    struct problem fault;
    struct problems repeats = {0};
    enum err code = json_read_clean(json, clean, had_comments, &fault);
    if (!code) code = json_read_parse(strbuf_str(clean), tree, &fault);
    if (code) return refuse_fault(x, &fault);
    json_syntax_repeats(strbuf_str(clean), &repeats);
    for (size_t i = repeats.count; i > 0; i--) /* the first is told last, into x->why */
        code = refuse_fault(x, &repeats.at[i - 1]);
    if (code && !x->problems) {
        json_decref(*tree);
        *tree = NULL;
    }
    problems_fini(&repeats);
    return code;
}

static enum err read_text(struct str json, const struct ruleset_reading *x,
                          struct queue_def **out) {
    struct strbuf clean = {0};
    json_t *tree = NULL;
    bool had_comments;
    enum err code = load(json, x, &clean, &had_comments, &tree);
    if (code && !tree) {
        strbuf_fini(&clean);
        return code;
    }
    bool repeats = code != ERR_OK;
    if (had_comments && x->notes) strbuf_printf(x->notes, "comments (//) were read as blanks\n");
    struct queue_def *d = mem_alloc(sizeof *d);
    struct ruleset_reading rest = *x;
    struct err_text later;
    if (repeats) rest.why = &later; /* the first problem is told already */
    code = read_queue(tree, &rest, d);
    if (!code && !repeats) note_late_steps(tree, d, x->notes);
    json_decref(tree);
    if (code || repeats) {
        code = ERR_INVALID_ARGUMENT;
        find_places(strbuf_str(&clean), x->problems);
        queue_def_free(d);
    } else {
        d->json = (struct str){mem_text(json), json.size};
        d->allow_shrinking = x->allow_shrinking;
        *out = d;
    }
    strbuf_fini(&clean);
    return code;
}

void queue_json_places(struct str json, struct problems *all) {
    struct strbuf clean = {0};
    json_t *tree = NULL;
    struct problem ignored;
    bool had_comments;
    bool is_json = json.size <= LIMIT_RULESET_BYTES &&
                   json_read_clean(json, &clean, &had_comments, &ignored) == ERR_OK &&
                   json_read_parse(strbuf_str(&clean), &tree, &ignored) == ERR_OK;
    if (is_json) find_places(strbuf_str(&clean), all);
    json_decref(tree);
    strbuf_fini(&clean);
}

static enum err read_bounded(struct str json, const struct ruleset_reading *x,
                             struct queue_def **out) {
    *out = NULL;
    if (json.size <= LIMIT_RULESET_BYTES) return read_text(json, x, out);
    struct err_text what;
    (void)err_set(&what, ERR_INVALID_ARGUMENT, "the definition has %zu bytes; at most %d",
                  json.size, LIMIT_RULESET_BYTES);
    return refuse(x, &what);
}

enum err queue_json_parse(struct str json, bool allow_shrinking, struct queue_def **out,
                          struct strbuf *notes, struct err_text *why) {
    struct ruleset_reading x = {.allow_shrinking = allow_shrinking, .notes = notes, .why = why};
    return read_bounded(json, &x, out);
}

enum err queue_json_check(struct str json, bool allow_shrinking, struct queue_def **out,
                          struct strbuf *notes, struct problems *all) {
    struct err_text first;
    struct ruleset_reading x = {
        .allow_shrinking = allow_shrinking, .notes = notes, .why = &first, .problems = all};
    return read_bounded(json, &x, out);
}

/* ---- the canonical form ---- */

/* `rules`: the ruleset, as it was printed at this depth. */
static void print_settings(const json_t *tree, struct str rules, struct json_pretty *w) {
    for (size_t i = 0; i < sizeof definition_rows / sizeof definition_rows[0]; i++) {
        const char *name = definition_rows[i].name;
        const json_t *value = json_object_get(tree, name);
        if (!value) continue;
        json_pretty_key(w, name);
        if (strcmp(name, "ruleset") == 0)
            strbuf_add_str(w->out, rules);
        else if (definition_rows[i].kind == READ_TEXT)
            json_pretty_json(w, value);
        else
            json_pretty_setting(w, value);
    }
}

static void print_game_mode(const json_t *tree, struct str rules, struct json_pretty *w) {
    void *only = json_object_iter((json_t *)tree); /* takes no const; reads only */
    const json_t *description = json_object_get(json_object_iter_value(only), "description");
    json_pretty_text_member(w, "name", str_of(json_object_iter_key(only)));
    if (description)
        json_pretty_text_member(w, "description", str_of(json_string_value(description)));
    json_pretty_key(w, "ruleset");
    strbuf_add_str(w->out, rules);
}

enum err queue_json_print(struct str json, bool allow_shrinking, struct strbuf *out,
                          struct err_text *why) {
    struct strbuf rules = {0}, clean = {0};
    struct json_pretty inner = {.out = &rules, .depth = 1}, w = {.out = out};
    struct ruleset_reading x = {.allow_shrinking = allow_shrinking, .why = why, .print = &inner};
    struct queue_def *def = NULL;
    json_t *tree = NULL;
    enum err code = read_bounded(json, &x, &def);
    struct problem ignored; /* it was read before */
    if (!code) code = json_read_load(json, &clean, &tree, &ignored);
    if (!code) {
        json_pretty_open(&w, '{');
        if (is_definition(tree))
            print_settings(tree, strbuf_str(&rules), &w);
        else
            print_game_mode(tree, strbuf_str(&rules), &w);
        json_pretty_close(&w, '}');
        strbuf_add_char(out, '\n');
    }
    json_decref(tree);
    queue_def_free(def);
    strbuf_fini(&rules);
    strbuf_fini(&clean);
    return code;
}

/* ---- a file of definitions ---- */

/* Walks the members of a container in text that is known to be JSON without comments. */
struct cutter {
    struct str clean; /* what is walked */
    struct str given; /* what is cut: the same offsets, comments still there */
    size_t at;
};

static void skip_space(struct cutter *c) {
    while (c->at < c->clean.size && strchr(" \t\r\n", c->clean.at[c->at]))
        c->at++;
}

/* Past one whole value: a string, a container, or a bare word. */
static struct str cut_value(struct cutter *c) {
    skip_space(c);
    size_t start = c->at;
    int depth = 0;
    bool in_string = false;
    for (; c->at < c->clean.size; c->at++) {
        char ch = c->clean.at[c->at];
        if (in_string) {
            if (ch == '\\') c->at++;
            in_string = ch != '"';
            if (in_string || depth > 0) continue;
            c->at++;
            break;
        }
        if (depth == 0 && strchr(",:]} \t\r\n", ch)) break;
        if (ch == '"') in_string = true;
        if (ch == '{' || ch == '[') depth++;
        if ((ch == '}' || ch == ']') && --depth == 0) {
            c->at++;
            break;
        }
    }
    return (struct str){c->given.at + start, c->at - start};
}

/* Whether another member follows; steps over the comma or the opening bracket before it. */
static bool next_member(struct cutter *c) {
    skip_space(c);
    assert(c->at < c->clean.size);
    char ch = c->clean.at[c->at];
    if (ch == '}' || ch == ']') return false;
    c->at++; /* '{', '[' or ',' */
    skip_space(c);
    return c->clean.at[c->at] != '}' && c->clean.at[c->at] != ']';
}

/* `offset`: where the text, or its copy, begins in the file. */
static void add_text(const struct cutter *c, struct queue_texts *out, struct str text,
                     size_t offset) {
    out->at = mem_grow(out->at, out->count + 1, sizeof *out->at);
    out->starts = mem_grow(out->starts, out->count + 1, sizeof *out->starts);
    out->starts[out->count] = json_place_at(c->given, offset);
    out->at[out->count++] = (struct str){mem_text(text), text.size};
}

static void cut_list(struct cutter *c, struct queue_texts *out) {
    while (next_member(c)) {
        struct str text = cut_value(c);
        add_text(c, out, text, (size_t)(text.at - c->given.at));
    }
}

static void cut_game_modes(struct cutter *c, struct queue_texts *out) {
    struct strbuf text = {0};
    while (next_member(c)) {
        struct str key = cut_value(c);
        skip_space(c);
        c->at++; /* ':' */
        struct str mode = cut_value(c);
        strbuf_clear(&text);
        strbuf_printf(&text, "{%.*s: ", STR_PRINT(key));
        strbuf_add_str(&text, mode);
        strbuf_add_char(&text, '}');
        /* the bracket before the key stands where '{' or ',' or a blank does */
        add_text(c, out, strbuf_str(&text), (size_t)(key.at - c->given.at) - 1);
    }
    strbuf_fini(&text);
}

/* Moves to the value of the only member of an object. */
static void enter_only_member(struct cutter *c) {
    bool found = next_member(c);
    assert(found);
    (void)cut_value(c);
    skip_space(c);
    c->at++; /* ':' */
    skip_space(c);
}

static enum err cut_file(const json_t *tree, struct cutter *c, struct queue_texts *out,
                         struct problem *fault) {
    skip_space(c);
    const json_t *list = json_is_array(tree) ? tree : json_object_get(tree, "queues");
    bool wrapped = json_is_object(tree) && json_is_array(list);
    if (wrapped && json_object_size(tree) > 1) {
        return err_set_field(&fault->what, ERR_INVALID_ARGUMENT, "queues",
                             "a file with \"queues\" has nothing else beside it");
    }
    bool one = json_is_object(tree) && !wrapped && (is_definition(tree) || is_ruleset(tree));
    size_t count = one ? 1 : json_is_array(list) ? json_array_size(list) : json_object_size(tree);
    if (count < 1 || count > LIMIT_QUEUES) {
        return err_set(&fault->what, ERR_INVALID_ARGUMENT, "the file has %zu queues; must be 1..%d",
                       count, LIMIT_QUEUES);
    }
    if (wrapped) enter_only_member(c);
    if (one) {
        add_text(c, out, c->given, 0);
    } else if (json_is_array(list)) {
        cut_list(c, out);
    } else {
        cut_game_modes(c, out);
    }
    assert(out->count == count);
    return ERR_OK;
}

/* Repeated keys inside a definition are told when that is read; of the file's own, the first. */
static bool repeats_itself(const json_t *tree, struct str clean, struct problem *fault) {
    struct problems repeats = {0};
    bool one = json_is_object(tree) && (is_definition(tree) || is_ruleset(tree)), found = false;
    if (!one && json_is_object(tree)) json_syntax_repeats(clean, &repeats);
    for (size_t i = 0; !found && i < repeats.count; i++) {
        found = json_object_get(tree, repeats.at[i].what.field) != NULL; /* its path is one name */
        if (found) *fault = repeats.at[i];
    }
    problems_fini(&repeats);
    return found;
}

enum err queue_json_split(struct str json, struct queue_texts *out, struct problem *fault) {
    *out = (struct queue_texts){0};
    *fault = (struct problem){0};
    struct strbuf clean = {0};
    json_t *tree = NULL;
    bool had_comments;
    enum err code = json_read_clean(json, &clean, &had_comments, fault);
    if (!code) code = json_read_parse(strbuf_str(&clean), &tree, fault);
    if (!code && repeats_itself(tree, strbuf_str(&clean), fault)) code = ERR_INVALID_ARGUMENT;
    if (!code) {
        struct cutter c = {.clean = strbuf_str(&clean), .given = json};
        code = cut_file(tree, &c, out, fault);
    }
    json_decref(tree);
    strbuf_fini(&clean);
    return code;
}

void queue_texts_fini(struct queue_texts *t) {
    for (size_t i = 0; i < t->count; i++)
        mem_free((char *)t->at[i].at);
    mem_free(t->at);
    mem_free(t->starts);
    *t = (struct queue_texts){0};
}
