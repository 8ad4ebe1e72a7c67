/* explain.c - a candidate match, judged rule by rule. */
#include "model/explain.h"

#include "base/limits.h"
#include "model/split.h"

#include <math.h>

int64_t explain_age_ms(const struct ruleset *r, const int64_t *created_ms, uint32_t count,
                       int64_t now_ms) {
    bool newest = ruleset_age_is_newest(r);
    int64_t age_ms = 0;
    for (uint32_t i = 0; i < count; i++) {
        int64_t own_ms = now_ms > created_ms[i] ? now_ms - created_ms[i] : 0;
        bool decides = i == 0 || (newest ? own_ms < age_ms : own_ms > age_ms);
        if (decides) age_ms = own_ms;
    }
    return age_ms;
}

bool explain_place(const struct ruleset *r, struct candidate *c, uint32_t *team_of,
                   struct arena *scratch) {
    const struct ruleset_limits *l = ruleset_limits_at(r, c->age_ms);
    if (c->ticket_count == 0 || c->ticket_count > LIMIT_MATCH_PLAYERS) return false;
    struct split_item *items = arena_alloc(scratch, c->ticket_count * sizeof *items);
    for (uint32_t i = 0; i < c->ticket_count; i++) {
        const struct ticket_spec *spec = &c->specs[i];
        items[i].players = spec->player_count;
        for (uint32_t k = 0; k < spec->player_count; k++)
            items[i].sum += ruleset_player_key(r, &spec->players[k]);
    }
    struct split *found = arena_alloc(scratch, SPLIT_RESULTS * sizeof *found);
    struct split_problem p = {items, c->ticket_count, l->teams, l->team_count, true};
    uint32_t count = split_find(&p, found, SPLIT_RESULTS);
    c->team_of = team_of;
    for (uint32_t s = 0; s <= count && count > 0; s++) {
        uint32_t index = s < count ? s : 0; /* none is legal: the evenest */
        for (uint32_t i = 0; i < c->ticket_count; i++)
            team_of[i] = found[index].team_of[i];
        if (s == count || ruleset_evaluate(r, c, scratch).legal) break;
    }
    return count > 0;
}

static void add_number(struct strbuf *out, double v) {
    if (isfinite(v))
        strbuf_printf(out, "%.6g", v);
    else
        strbuf_printf(out, "none");
}

static void add_teams(const struct ruleset_limits *l, const struct candidate *c,
                      struct strbuf *out) {
    for (uint32_t t = 0; t < l->team_count; t++) {
        const struct ruleset_team *team = &l->teams[t];
        uint32_t players = 0;
        for (uint32_t i = 0; i < c->ticket_count; i++) {
            if (c->team_of[i] == t) players += c->specs[i].player_count;
        }
        strbuf_printf(out, "team \"%.*s\": %u players of %u to %u: %s\n", STR_PRINT(team->name),
                      players, team->players_min, team->players_max,
                      players < team->players_min   ? "too few"
                      : players > team->players_max ? "too many"
                                                    : "ok");
    }
}

static void add_rule(const struct rule_report *r, struct strbuf *out) {
    static const char *const outcomes[] = {
        [RULE_HOLDS] = "holds", [RULE_FAILS] = "FAILS", [RULE_ORDERS] = "orders candidates"};
    strbuf_printf(out, "rule \"%.*s\" (%s%s): ", STR_PRINT(r->name), r->type,
                  r->governed ? ", in a compound" : "");
    if (r->has_numbers) {
        strbuf_printf(out, "measured ");
        add_number(out, r->measured);
        strbuf_printf(out, ", bound ");
        add_number(out, r->bound);
        strbuf_printf(out, ": ");
    }
    strbuf_printf(out, "%s\n", outcomes[r->outcome]);
}

static void add_roles(const struct ruleset *r, const struct candidate *c, struct strbuf *out,
                      struct arena *scratch) {
    struct str *roles = arena_alloc(scratch, LIMIT_MATCH_PLAYERS * sizeof *roles);
    uint32_t n = 0, written = 0;
    ruleset_assign_roles(r, c, roles, scratch);
    for (uint32_t t = 0; t < c->ticket_count; t++) {
        const struct ticket_spec *spec = &c->specs[t];
        for (uint32_t i = 0; i < spec->player_count; i++, n++) {
            if (roles[n].size == 0) continue;
            strbuf_printf(out, "%s\"%.*s\" %.*s",
                          written++ ? ", " : "roles: ", STR_PRINT(spec->players[i].id),
                          STR_PRINT(roles[n]));
        }
    }
    if (written) strbuf_add_char(out, '\n');
}

void explain_text(const struct ruleset *r, const struct candidate *c, struct strbuf *out) {
    struct arena *scratch = arena_new(0);
    uint32_t count = ruleset_rule_count(r);
    struct rule_report *reports = arena_alloc(scratch, (count + 1) * sizeof *reports);
    struct verdict v = ruleset_explain(r, c, reports, scratch);
    strbuf_printf(out, "%s at the age of %.6g s", v.legal ? "a legal match" : "NOT a legal match",
                  (double)c->age_ms / 1000);
    if (v.region.size) {
        strbuf_printf(out, ", in region \"%.*s\" with a mean latency of %.6g ms",
                      STR_PRINT(v.region), v.mean_latency_ms);
    }
    strbuf_add_char(out, '\n');
    add_teams(ruleset_limits_at(r, c->age_ms), c, out);
    for (uint32_t i = 0; i < count; i++)
        add_rule(&reports[i], out);
    if (ruleset_has_roles(r)) add_roles(r, c, out, scratch);
    if (v.legal && ruleset_has_soft_cost(r)) {
        strbuf_printf(out, "soft cost: %.6g points\n", ruleset_soft_cost(r, c, v.region, scratch));
    }
    arena_free(scratch);
}
