/* ruleset_build.c - compiles a ruleset's definition: checks names and teams, then its parts. */
#include "model/ruleset_def.h"

#include "base/limits.h"

#include <stdio.h>
#include <string.h>

struct builder {
    struct ruleset *r;
    const struct ruleset_def *def;
    struct strbuf *notes; /* may be NULL */
    struct err_text *why; /* &told->one */
    struct ruleset_told *told;
};

static bool name_usable(struct str s) {
    if (s.size == 0 || s.size > LIMIT_NAME_BYTES) return false;
    for (size_t i = 0; i < s.size; i++) {
        unsigned char c = (unsigned char)s.at[i];
        if (c < 0x20 || c == 0x7F || strchr("[](),\"'", c)) return false;
    }
    return s.at[0] != ' ' && s.at[s.size - 1] != ' ' && str_utf8_valid(s);
}

struct named {        /* one loop serves attributes, teams, rules */
    const char *list; /* "rules" */
    struct ruleset_names names;
};

static enum err check_name(const struct builder *b, const struct named *n, uint32_t index) {
    struct str name = ruleset_name_at(&n->names, index);
    char field[96];
    snprintf(field, sizeof field, "%s[%u].name", n->list, index);
    if (!name_usable(name)) {
        struct str shown = ruleset_excerpt(name);
        return ruleset_refuse(b->why, field,
                              "is \"%.*s\"; must be 1 to %d bytes without control characters, "
                              "quotes, commas, brackets or outer spaces",
                              STR_PRINT(shown), LIMIT_NAME_BYTES);
    }
    if (str_starts(name, STR("muster.")) && strcmp(n->list, "rules") == 0) {
        return ruleset_refuse(b->why, field,
                              "\"%.*s\" begins with \"muster.\", as only Muster's own rules do",
                              STR_PRINT(name));
    }
    for (uint32_t j = 0; j < index; j++) {
        if (!str_equal(name, ruleset_name_at(&n->names, j))) continue;
        return ruleset_refuse(b->why, field, "\"%.*s\" is the name of %s[%u] already",
                              STR_PRINT(name), n->list, j);
    }
    return ERR_OK;
}

static bool check_all_names(const struct builder *b) {
    const struct ruleset_def *d = b->def;
    const struct named lists[] = {
        {"playerAttributes",
         {d->attributes, sizeof *d->attributes, offsetof(struct attribute_def, value.name),
          d->attribute_count}},
        {"teams", {d->teams, sizeof *d->teams, offsetof(struct team_def, name), d->team_count}},
        {"rules", {d->rules, sizeof *d->rules, offsetof(struct rule_def, name), d->rule_count}},
        {"muster.roles.perTeam",
         {d->additions.roles, sizeof *d->additions.roles, offsetof(struct role_def, name),
          d->additions.role_count}},
    };
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        for (uint32_t k = 0; k < lists[i].names.count; k++) {
            if (!ruleset_go_on(b->told, check_name(b, &lists[i], k))) return false;
        }
    }
    return true;
}

/* Whether definition `a` generates the name of definition `b`: "red" x 2 beside "red_1". */
static bool generates(const struct team_def *a, const struct team_def *b) {
    if (a->quantity == 1 || b->quantity > 1 || !str_starts(b->name, a->name)) return false;
    struct str rest = {b->name.at + a->name.size, b->name.size - a->name.size};
    if (rest.size < 2 || rest.at[0] != '_' || rest.at[1] == '0') return false;
    int64_t number;
    struct str digits = {rest.at + 1, rest.size - 1};
    return str_to_int64(digits, &number) && number >= 1 && number <= a->quantity;
}

static enum err check_team(const struct builder *b, uint32_t index) {
    const struct ruleset_def *d = b->def;
    const struct team_def *t = &d->teams[index];
    char field[96];
    snprintf(field, sizeof field, "teams[%u].minPlayers", index);
    if (t->players_min > t->players_max) {
        return ruleset_refuse(b->why, field, "is %u, above maxPlayers %u", t->players_min,
                              t->players_max);
    }
    for (uint32_t j = 0; j < d->team_count; j++) {
        if (!generates(&d->teams[j], t)) continue;
        snprintf(field, sizeof field, "teams[%u].name", index);
        return ruleset_refuse(b->why, field,
                              "\"%.*s\" is also what teams[%u] with quantity %u generates",
                              STR_PRINT(t->name), j, d->teams[j].quantity);
    }
    return ERR_OK;
}

/* False: nothing can be built on them. */
static bool check_teams(const struct builder *b) {
    const struct ruleset_def *d = b->def;
    uint64_t total = 0;
    if (d->team_count == 0) {
        (void)ruleset_go_on(b->told, ruleset_refuse(b->why, "teams", "is empty; needs 1 or more"));
        return false;
    }
    for (uint32_t i = 0; i < d->team_count; i++) {
        if (!ruleset_go_on(b->told, check_team(b, i))) return false;
        total += d->teams[i].quantity;
    }
    if (total > LIMIT_TEAMS) {
        (void)ruleset_go_on(b->told, ruleset_refuse(b->why, "teams", "make %llu teams; at most %d",
                                                    (unsigned long long)total, LIMIT_TEAMS));
        return false;
    }
    b->r->team_count = (uint32_t)total;
    return true;
}

static void note_backfill(const struct builder *b) {
    const struct algorithm_def *a = &b->def->algorithm;
    if (!b->notes || !a->is_balanced || a->backfill == BACKFILL_NORMAL) return;
    strbuf_printf(b->notes,
                  "algorithm.backfillPriority %s has no effect with strategy balanced, where "
                  "backfill is always tried first\n",
                  ruleset_backfill_names[a->backfill]);
}

static void note_balanced(const struct builder *b) {
    enum { SMALL_MATCH_MAX = 40 };
    uint32_t most = b->r->steps[0].limits.players_max;
    if (!b->notes || !b->r->steps[0].order->balance || most > SMALL_MATCH_MAX) return;
    strbuf_printf(b->notes,
                  "algorithm.strategy balanced is meant for matches of more than %d players; this "
                  "one has at most %u and is balanced all the same\n",
                  SMALL_MATCH_MAX, most);
}

/* Each part tells its problems, and the next is built as long as somebody collects them. */
static void build_parts(struct builder *b) {
    struct ruleset_told *told = b->told;
    if (!check_all_names(b) || !check_teams(b)) return;
    ruleset_rules_build(b->r, b->def, b->notes, told);
    if (told->any && !told->all) return;
    const struct ruleset_order sorts = b->r->first_order;
    enum err code = ruleset_sort_build(b->r, &b->def->algorithm, ruleset_algorithm_later(b->def),
                                       &b->r->first_order, b->why);
    if (!ruleset_go_on(told, code)) return;
    ruleset_additions_build(b->r, b->def, told);
    if (told->any && !told->all) return;
    ruleset_steps_build(b->r, b->def, told);
    if (told->any) return;
    (void)ruleset_go_on(told, ruleset_algorithm_build(b->r, b->def, &sorts, b->why));
}

enum err ruleset_build(struct arena *arena, const struct ruleset_def *def, struct ruleset **out,
                       struct strbuf *notes, struct err_text *why) {
    *out = NULL;
    struct ruleset *r = arena_alloc(arena, sizeof *r);
    *r = (struct ruleset){.arena = arena,
                          .name = def->name,
                          .age_is_oldest = def->algorithm.age_is_oldest,
                          .attributes = def->attributes,
                          .attribute_count = def->attribute_count,
                          .team_defs = def->teams,
                          .team_def_count = def->team_count,
                          .expansions = def->expansions,
                          .expansion_count = def->expansion_count};
    struct ruleset_told told = {.all = def->problems, .why = why};
    struct builder b = {.r = r, .def = def, .notes = notes, .why = &told.one, .told = &told};
    if (def->rule_count > LIMIT_RULES) {
        return ruleset_refuse(why, "rules", "are %u; at most %d", def->rule_count, LIMIT_RULES);
    }
    build_parts(&b);
    if (told.any) return ERR_INVALID_ARGUMENT;
    ruleset_key_build(r);
    note_balanced(&b);
    note_backfill(&b);
    if (notes) ruleset_warn(r, def, notes);
    *out = r;
    return ERR_OK;
}
