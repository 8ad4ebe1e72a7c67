/* realm_search.c - gives each queue its turns, and turns what a search found into a record. */
#include "base/mem.h"
#include "model/quality.h"
#include "model/realm_state.h"

#include <assert.h>

/* To record a ticket's match and take it out of every index takes as long as looking at so many
 * groups: 6 us, measured with 1 M tickets queued. */
enum { NODES_PER_TICKET = 4 };

/* The player's role, whose number among the candidate's is `number`. */
static struct str role_of(const struct str *roles, uint32_t number, struct arena *arena) {
    return roles ? arena_str(arena, roles[number]) : STR_EMPTY;
}

/* The roles of all players in the candidate's order; NULL: the ruleset has none. */
static struct str *assign_roles(const struct ruleset *rules, const struct candidate *c,
                                struct arena *arena) {
    if (!ruleset_has_roles(rules)) return NULL;
    struct str *roles = arena_alloc(arena, LIMIT_MATCH_PLAYERS * sizeof *roles);
    ruleset_assign_roles(rules, c, roles, arena);
    return roles;
}

/* `tickets`: those of the candidate. */
static struct match_team *build_teams(const struct candidate *found,
                                      const struct ticket *const *tickets, const struct queue *q,
                                      struct arena *arena, uint32_t *team_count) {
    const struct ruleset_limits *l = ruleset_limits_at(q->def->ruleset, found->age_ms);
    const struct str *roles = assign_roles(q->def->ruleset, found, arena);
    struct match_team *teams = arena_alloc(arena, l->team_count * sizeof *teams);
    uint32_t total = 0;
    for (uint32_t i = 0; i < found->ticket_count; i++) {
        uint32_t players = found->specs[i].player_count;
        teams[found->team_of[i]].member_count += players;
        total += players;
    }
    struct team_member *members = arena_alloc(arena, total * sizeof *members);
    for (uint32_t t = 0; t < l->team_count; t++) {
        struct team_member *own = members;
        teams[t].name = arena_str(arena, l->teams[t].name);
        teams[t].members = own;
        members += teams[t].member_count;
        uint32_t number = 0;
        for (uint32_t i = 0; i < found->ticket_count; i++) {
            const struct ticket_spec *spec = &found->specs[i];
            for (uint32_t k = 0; k < spec->player_count; k++, number++) {
                if (found->team_of[i] != t) continue;
                *own++ = (struct team_member){.player_id = arena_str(arena, spec->players[k].id),
                                              .ticket_id = tickets[i]->id,
                                              .role = role_of(roles, number, arena)};
            }
        }
        assert(own == members);
    }
    *team_count = l->team_count;
    return teams;
}

static uint32_t worst_latency(const struct candidate *c, struct str region) {
    int32_t worst = 0;
    for (uint32_t i = 0; i < c->ticket_count; i++) {
        const struct ticket_spec *spec = &c->specs[i];
        for (uint32_t k = 0; k < spec->player_count; k++) {
            int32_t ms = player_latency_ms(&spec->players[k], region);
            if (ms > worst) worst = ms;
        }
    }
    return (uint32_t)worst;
}

static double mean_wait_ms(const struct pick_result *found, int64_t now_ms) {
    double sum = 0;
    uint32_t players = 0;
    for (uint32_t i = 0; i < found->ticket_count; i++) {
        const struct ticket *t = found->tickets[i];
        if (now_ms > t->created_ms) sum += (double)(now_ms - t->created_ms) * t->player_count;
        players += t->player_count;
    }
    return sum / players;
}

static void emit_match(struct realm *r, const struct queue *q, const struct pick_result *found,
                       const struct decision *d) {
    struct candidate c = {ticket_specs(found->tickets, found->ticket_count, d->arena),
                          found->team_of, found->ticket_count, found->age_ms};
    double soft = ruleset_soft_cost(q->def->ruleset, &c, found->verdict.region, d->arena);
    struct quality quality = quality_measure(q->def->ruleset, &q->def->patience, &c, soft);
    struct record *record = arena_alloc(d->arena, sizeof *record);
    struct id *ids = arena_alloc(d->arena, found->ticket_count * sizeof *ids);
    for (uint32_t i = 0; i < found->ticket_count; i++)
        ids[i] = found->tickets[i]->id;
    int64_t oldest_ms = found->tickets[0]->created_ms;
    record->kind = RECORD_MATCH_CREATED;
    record->time_ms = d->now_ms;
    struct match_spec *m = &record->match_created;
    m->id = id_new(d->rng, d->now_ms);
    m->state = q->def->life.acceptance_ms ? MATCH_PROPOSED : MATCH_CONFIRMED;
    realm_time_match(m, q, d->now_ms);
    m->queue = arena_str(d->arena, q->def->name);
    m->queue_version = q->version;
    m->region = arena_str(d->arena, found->verdict.region);
    m->teams = build_teams(&c, found->tickets, q, d->arena, &m->team_count);
    m->ticket_ids = ids;
    m->ticket_count = found->ticket_count;
    m->quality = quality.score;
    m->skill_spread = quality.spread;
    m->team_gap = quality.team_gap;
    m->win_gap = quality.win_gap;
    m->mean_latency_ms = found->verdict.mean_latency_ms;
    m->worst_latency_ms = worst_latency(&c, found->verdict.region);
    m->mean_wait_ms = mean_wait_ms(found, d->now_ms);
    m->longest_wait_ms = d->now_ms > oldest_ms ? d->now_ms - oldest_ms : 0;
    m->created_ms = d->now_ms;
    m->rules_age_ms = found->age_ms;
    realm_emit(r, d, record);
    if (m->state == MATCH_CONFIRMED) realm_begin_backfill(r, d, m);
}

void realm_spend(uint64_t *budget, uint64_t nodes) {
    *budget -= nodes < *budget ? nodes : *budget;
}

static void count_expansions(struct queue *q, int64_t age_ms) {
    const struct ruleset *r = q->def->ruleset;
    for (uint32_t i = 0; i < ruleset_expansion_count(r); i++)
        q->stats.search.expanded[i] += ruleset_expansion(r, i).from_ms <= age_ms;
}

/* Which rule is in the way: asked of the first few refusals in a while, so that it costs nothing.
 */
static void count_refusal(struct realm *r, struct queue *q, const struct pool_entry *x,
                          const struct pick_result *result, int64_t now_ms) {
    enum { ASKED_AT_ONCE = 4, ASK_EVERY_MS = 100 };
    if (now_ms < q->ask_from_ms) return;
    if (++q->asked == ASKED_AT_ONCE) {
        q->asked = 0;
        q->ask_from_ms = now_ms + ASK_EVERY_MS;
    }
    struct queue_search_stats *s = &q->stats.search;
    uint32_t by = refusal_find(r->refusal, q->pool, x, now_ms, result);
    if (by == REFUSAL_PATIENCE)
        s->refused_patience++;
    else if (by == REFUSAL_TOO_FEW)
        s->refused_few++;
    else
        s->refused[by]++;
}

/* Groups of neighbours, as long as most of the queue was never searched. */
static void sweep_queue(struct realm *r, struct queue *q, const struct decision *d,
                        uint64_t *budget) {
    while (*budget > 0 && sweep_is_due(q->pool)) {
        sweep_plan(r->sweep, q->pool, d->now_ms,
                   (struct sweep_plan){q->def->allow_shrinking, *budget / NODES_PER_TICKET});
        const struct pick_result *found;
        while (*budget > 0 && (found = sweep_take(r->sweep))) {
            realm_spend(budget, 1 + (uint64_t)found->ticket_count * NODES_PER_TICKET);
            r->counts.groups++;
            count_expansions(q, found->age_ms);
            emit_match(r, q, found, d);
        }
        realm_spend(budget, 1);
    }
}

/* One pass over the queue's dirty tickets, oldest first; takes its work off the budget. */
static void search_queue(struct realm *r, struct queue *q, const struct decision *d,
                         uint64_t *budget) {
    struct pool *pool = q->pool;
    struct realm_turn turn = {q, d, budget};
    bool first = ruleset_backfill_priority(q->def->ruleset, 0) == BACKFILL_HIGH;
    pool_wake(pool, d->now_ms);
    if (first) realm_fill_due(r, &turn);
    sweep_queue(r, q, d, budget);
    struct pool_entry *x;
    while (*budget > 0 && (x = pool_take(pool))) {
        if (realm_fill_with(r, &turn, x, FILL_BEFORE)) continue;
        const struct pick_result *found =
            pick_find(r->pick, pool, x, d->now_ms, q->def->allow_shrinking);
        realm_spend(budget, found->nodes);
        r->counts.searches++;
        r->counts.groups += found->nodes;
        r->counts.truncated += !found->found && found->truncated;
        if (found->found) {
            realm_spend(budget, (uint64_t)found->ticket_count * NODES_PER_TICKET);
            count_expansions(q, found->age_ms);
            emit_match(r, q, found, d);
        } else if (!realm_fill_with(r, &turn, x, FILL_AFTER)) {
            count_refusal(r, q, x, found, d->now_ms);
            pool_sleep(pool, x, pick_retry_ms(pool, x, d->now_ms, found));
        }
    }
    if (!first) realm_fill_due(r, &turn);
    if (!pool_is_dirty(pool)) pool->search_from_ms = d->now_ms + q->def->tick_ms;
}

bool realm_search(struct realm *r, const struct decision *d, uint64_t node_budget) {
    while (heap_due(&r->turns) <= d->now_ms) {
        if (node_budget == 0) return true;
        struct queue *q = HEAP_OF(heap_first(&r->turns), struct pool, turn)->queue;
        search_queue(r, q, d, &node_budget);
        if (pool_is_dirty(q->pool)) {
            /* To the end of the line, so that the next call begins with another queue. */
            q->pool->search_from_ms = d->now_ms;
            heap_start(&r->turns, &q->pool->turn, d->now_ms);
            return true;
        }
        realm_set_turn(r, q);
    }
    return false;
}
