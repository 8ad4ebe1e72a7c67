/* realm_fill.c - newcomers join running matches: whose turn it is, and what is recorded.
 *
 *   found, no acceptance -> ROSTER_CHANGED   they are in; their tickets MATCHED; FILLED when full
 *   found, acceptance    -> MATCH_CREATED    PROPOSED: a match of the newcomers alone asks them
 *   all have accepted    -> ROSTER_CHANGED   likewise, and that match is MERGED
 *   they have not        -> MATCH_UPDATED    as any proposal fails; the backfill is OPEN again
 *
 * A ticket whose turn it is tries the open backfills of its queue, the oldest first, before it
 * looks for a new match (backfillPriority high), after that (low), or those older than itself
 * before and the others after (normal). It looks at FILL_LOOKS of them; where there are more, each
 * ticket goes on where the last one stopped. A backfill has turns of its own, when it is opened,
 * changed, reaches an expansion step, and else from time to time: so whoever a ticket did not look
 * at is met.
 */
#include "base/mem.h"
#include "model/quality.h"
#include "model/realm_state.h"

#include <assert.h>

enum {
    FILL_LOOKS = 64,     /* backfills a ticket looks at, by their numbers */
    FILL_MATCHES = 4,    /* of them it tries to join */
    FILL_TURNS = 32,     /* backfills searched for in one pass over their queue */
    NODES_PER_MATCH = 8, /* to record what was found takes as long as looking at so many */
};

/* ---- the newcomers, as a match of their own ---- */

static const struct str *roles_of(const struct queue *q, const struct fill_result *found,
                                  const struct candidate *c, struct arena *arena,
                                  uint32_t *newcomer) {
    *newcomer = 0;
    for (uint32_t i = 0; i < found->present; i++)
        *newcomer += c->specs[i].player_count;
    if (!ruleset_has_roles(q->def->ruleset)) return NULL;
    struct str *roles = arena_alloc(arena, LIMIT_MATCH_PLAYERS * sizeof *roles);
    ruleset_assign_roles(q->def->ruleset, c, roles, arena);
    return roles;
}

static void build_teams(struct match_spec *s, const struct queue *q,
                        const struct fill_result *found, const struct candidate *c,
                        struct arena *arena) {
    const struct ruleset_limits *l = ruleset_limits_at(q->def->ruleset, found->age_ms);
    struct match_team *teams = arena_alloc(arena, l->team_count * sizeof *teams);
    uint32_t number;
    const struct str *roles = roles_of(q, found, c, arena, &number);
    for (uint32_t t = 0; t < l->team_count; t++) {
        teams[t].name = l->teams[t].name;
        teams[t].members = arena_alloc(arena, LIMIT_MATCH_PLAYERS * sizeof(struct team_member));
    }
    for (uint32_t i = found->present; i < found->ticket_count; i++) {
        struct match_team *team = &teams[found->team_of[i]];
        struct team_member *members = (struct team_member *)team->members; /* ours */
        const struct ticket_spec *spec = &c->specs[i];
        for (uint32_t k = 0; k < spec->player_count; k++, number++)
            members[team->member_count++] =
                (struct team_member){.player_id = arena_str(arena, spec->players[k].id),
                                     .ticket_id = found->tickets[i]->id,
                                     .role = roles ? roles[number] : STR_EMPTY};
    }
    s->teams = teams;
    s->team_count = l->team_count;
}

/* Of everyone together. */
static void rate(struct match_spec *s, const struct queue *q, const struct fill_result *found,
                 const struct candidate *c, struct arena *arena) {
    double soft = ruleset_soft_cost(q->def->ruleset, c, s->region, arena);
    struct quality quality = quality_measure(q->def->ruleset, &q->def->patience, c, soft);
    s->quality = quality.score;
    s->skill_spread = quality.spread;
    s->team_gap = quality.team_gap;
    s->win_gap = quality.win_gap;
    s->mean_latency_ms = found->verdict.mean_latency_ms;
    for (uint32_t i = 0; i < found->ticket_count; i++) {
        const struct ticket_spec *spec = &c->specs[i];
        for (uint32_t k = 0; k < spec->player_count; k++) {
            uint32_t ms = (uint32_t)player_latency_ms(&spec->players[k], s->region);
            if (ms > s->worst_latency_ms) s->worst_latency_ms = ms;
        }
    }
}

static void note_waits(struct match_spec *s, const struct fill_result *found, int64_t now_ms) {
    double sum = 0;
    uint32_t players = 0;
    for (uint32_t i = found->present; i < found->ticket_count; i++) {
        const struct ticket *t = found->tickets[i];
        int64_t wait_ms = now_ms > t->created_ms ? now_ms - t->created_ms : 0;
        if (wait_ms > s->longest_wait_ms) s->longest_wait_ms = wait_ms;
        sum += (double)wait_ms * t->player_count;
        players += t->player_count;
    }
    s->mean_wait_ms = sum / players;
}

static struct match_spec gather_newcomers(const struct queue *q, const struct backfill *b,
                                          const struct fill_result *found,
                                          const struct decision *d) {
    struct candidate c = {ticket_specs(found->tickets, found->ticket_count, d->arena),
                          found->team_of, found->ticket_count, found->age_ms};
    struct match_spec s = {.id = id_new(d->rng, d->now_ms),
                           .state = MATCH_PROPOSED,
                           .queue = q->def->name,
                           .queue_version = q->version,
                           .region = b->spec.region,
                           .ticket_count = found->ticket_count - found->present,
                           .created_ms = d->now_ms,
                           .rules_age_ms = found->age_ms,
                           .backfill_id = b->spec.id,
                           .joins_id = b->spec.match_id};
    struct id *ids = arena_alloc(d->arena, s.ticket_count * sizeof *ids);
    for (uint32_t i = 0; i < s.ticket_count; i++)
        ids[i] = found->tickets[found->present + i]->id;
    s.ticket_ids = ids;
    build_teams(&s, q, found, &c, d->arena);
    rate(&s, q, found, &c, d->arena);
    note_waits(&s, found, d->now_ms);
    return s;
}

/* ---- joining ---- */

static struct match_team merged_team(const struct match_spec *m, const struct match_team *of,
                                     struct arena *arena) {
    struct match_team team = {of->name, NULL, 0};
    struct team_member *members = arena_alloc(arena, LIMIT_MATCH_PLAYERS * sizeof *members);
    for (uint32_t t = 0; t < m->team_count; t++) {
        if (!str_equal(m->teams[t].name, of->name)) continue;
        for (uint32_t i = 0; i < m->teams[t].member_count; i++)
            members[team.member_count++] = m->teams[t].members[i];
    }
    for (uint32_t i = 0; i < of->member_count; i++)
        members[team.member_count++] = of->members[i];
    team.members = members;
    return team;
}

/* The match with the newcomers; writes their names. */
static void merge(struct match_spec *m, const struct match_spec *newcomers, struct record *record,
                  struct arena *arena) {
    struct match_team *teams = arena_alloc(arena, newcomers->team_count * sizeof *teams);
    struct id *ids = arena_alloc(arena, (m->ticket_count + newcomers->ticket_count) * sizeof *ids);
    struct str *joined = arena_alloc(arena, LIMIT_MATCH_PLAYERS * sizeof *joined);
    uint32_t count = 0;
    for (uint32_t t = 0; t < newcomers->team_count; t++) {
        const struct match_team *team = &newcomers->teams[t];
        teams[t] = merged_team(m, team, arena);
        for (uint32_t i = 0; i < team->member_count; i++)
            joined[count++] = team->members[i].player_id;
    }
    for (uint32_t i = 0; i < m->ticket_count; i++)
        ids[i] = m->ticket_ids[i];
    for (uint32_t i = 0; i < newcomers->ticket_count; i++)
        ids[m->ticket_count + i] = newcomers->ticket_ids[i];
    m->teams = teams;
    m->team_count = newcomers->team_count;
    m->ticket_ids = ids;
    m->ticket_count += newcomers->ticket_count;
    m->queue_version = newcomers->queue_version;
    m->quality = newcomers->quality;
    m->skill_spread = newcomers->skill_spread;
    m->team_gap = newcomers->team_gap;
    m->win_gap = newcomers->win_gap;
    m->mean_latency_ms = newcomers->mean_latency_ms;
    m->worst_latency_ms = newcomers->worst_latency_ms;
    m->rules_age_ms = newcomers->rules_age_ms;
    realm_note_roster(m, joined, count, arena);
    record->roster_changed.joined = joined;
    record->roster_changed.joined_count = count;
}

/* The newcomers' ticket as one of those present. */
static struct backfill_party party_of(const struct realm *r, const struct queue *q,
                                      const struct match_spec *newcomers, uint32_t index,
                                      struct arena *arena) {
    const struct ticket *t = realm_find_ticket(r, newcomers->ticket_ids[index]);
    assert(t && ticket_is_open(t));
    struct ticket_spec spec = ticket_spec(t, arena);
    struct player *players = arena_alloc(arena, t->player_count * sizeof *players);
    struct backfill_party party = {STR_EMPTY, t->id, players, t->player_count};
    for (uint32_t i = 0; i < t->player_count; i++) {
        const struct player *p = &spec.players[i];
        const struct team_member *member = match_member(newcomers, p->id);
        struct realm_seat seat = {newcomers->region, member ? member->role : STR_EMPTY};
        players[i] = realm_present_player(q->def->ruleset, p, &seat, arena);
    }
    for (uint32_t k = 0; k < newcomers->team_count; k++) {
        for (uint32_t i = 0; i < newcomers->teams[k].member_count; i++)
            if (id_equal(newcomers->teams[k].members[i].ticket_id, t->id))
                party.team = newcomers->teams[k].name;
    }
    return party;
}

/* The backfill with them among those present; over when no place is open any more. */
static struct backfill_spec grown(const struct realm *r, const struct backfill *b,
                                  const struct match_spec *newcomers, const struct decision *d) {
    struct backfill_spec s = b->spec;
    uint32_t of_team[LIMIT_TEAMS];
    struct backfill_party *parties =
        arena_alloc(d->arena, (s.party_count + newcomers->ticket_count) * sizeof *parties);
    for (uint32_t i = 0; i < s.party_count; i++)
        parties[i] = b->spec.parties[i];
    for (uint32_t i = 0; i < newcomers->ticket_count; i++)
        parties[s.party_count++] = party_of(r, b->queue, newcomers, i, d->arena);
    s.parties = parties;
    s.proposal_id = (struct id){0, 0};
    s.state = realm_room(b->queue, &s, d->now_ms, of_team) ? BACKFILL_OPEN : BACKFILL_FILLED;
    if (s.state == BACKFILL_FILLED) s.ended_ms = d->now_ms;
    return s;
}

/* `proposal_id`: the match that asked them; none: they were not asked. */
static void join(struct realm *r, const struct decision *d, const struct match_spec *newcomers,
                 struct id proposal_id) {
    const struct match *m = realm_find_match(r, newcomers->joins_id);
    const struct backfill *b = realm_find_backfill(r, newcomers->backfill_id);
    struct record *record = realm_new_record(d, RECORD_ROSTER_CHANGED);
    record->roster_changed.spec = realm_copy_match(m, d);
    merge(&record->roster_changed.spec, newcomers, record, d->arena);
    record->roster_changed.ticket_ids = newcomers->ticket_ids;
    record->roster_changed.ticket_count = newcomers->ticket_count;
    record->roster_changed.proposal_id = proposal_id;
    record->roster_changed.backfill = grown(r, b, newcomers, d);
    realm_emit(r, d, record);
}

static bool still_wanted(const struct realm *r, const struct match_spec *newcomers) {
    const struct match *m = realm_find_match(r, newcomers->joins_id);
    const struct backfill *b = realm_find_backfill(r, newcomers->backfill_id);
    return m && match_is_live(&m->spec) && b && b->queue && backfill_is_active(&b->spec);
}

void realm_join_accepted(struct realm *r, const struct decision *d,
                         const struct match_spec *proposal) {
    if (still_wanted(r, proposal))
        join(r, d, proposal, proposal->id);
    else /* the oldest matches are forgotten at a limit */
        realm_withdraw_proposal(r, d, realm_find_match(r, proposal->id),
                                STR("the match it was for is not kept any more"), false);
}

static void take(struct realm *r, const struct queue *q, const struct backfill *b,
                 const struct fill_result *found, const struct decision *d) {
    struct match_spec newcomers = gather_newcomers(q, b, found, d);
    if (!q->def->life.acceptance_ms) {
        join(r, d, &newcomers, (struct id){0, 0});
        return;
    }
    realm_time_match(&newcomers, q, d->now_ms);
    newcomers.holds_players = false; /* those of the running match are held by it */
    struct record *record = realm_new_record(d, RECORD_MATCH_CREATED);
    record->match_created = newcomers;
    realm_emit(r, d, record);
}

/* ---- turns ---- */

static bool fits_record(const struct backfill *b, const struct fill_result *found,
                        struct arena *arena) {
    size_t bytes = realm_parties_bytes(b->spec.parties, b->spec.party_count);
    uint32_t count = found->ticket_count - found->present;
    const struct ticket_spec *specs = ticket_specs(found->tickets + found->present, count, arena);
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t k = 0; k < specs[i].player_count; k++)
            bytes += realm_player_bytes(&specs[i].players[k]);
    }
    return bytes <= LIMIT_BACKFILL_BYTES;
}

/* Searches, and records what was found. */
static bool fill(struct realm *r, const struct fill_ask *ask, struct pool_entry *x,
                 const struct decision *d, uint64_t *budget) {
    struct backfill *b = ask->backfill;
    const struct match *m = realm_find_match(r, b->spec.match_id);
    if (!m || !match_is_live(&m->spec)) {
        realm_end_backfill(r, d, b->spec.match_id, STR("its match is not kept any more"));
        return false;
    }
    const struct fill_result *found = fill_find(r->fill, ask, x);
    r->counts.fills++;
    r->counts.groups += found->nodes;
    realm_spend(budget, found->nodes);
    if (found->found && fits_record(b, found, d->arena)) {
        realm_spend(budget, NODES_PER_MATCH * (found->ticket_count - found->present));
        take(r, b->queue, b, found, d);
        return true;
    }
    if (!x) heap_start(&b->queue->backfill_dues, &b->due, fill_retry_ms(ask, found));
    return false;
}

/* Whether the backfill is looked at before the ticket looks for a new match. */
static bool comes_before(const struct backfill *b, const struct pool_entry *x,
                         enum ruleset_backfill priority) {
    if (priority != BACKFILL_NORMAL) return priority == BACKFILL_HIGH;
    return b->spec.created_ms < pool_created_ms(x);
}

/* The next of the queue's, around; NULL: it has none. */
static struct backfill *next(struct queue *q) {
    struct list_node *node = q->backfill_next;
    if (!node || node == &q->backfills.head) node = list_first(&q->backfills);
    if (!node) return NULL;
    q->backfill_next = node->next;
    return LIST_OF(node, struct backfill, kept);
}

bool realm_fill_with(struct realm *r, struct realm_turn *turn, struct pool_entry *x,
                     enum realm_fill_when when) {
    struct queue *q = turn->queue;
    if (q->backfills.count == 0) return false;
    int64_t now_ms = turn->decision->now_ms;
    enum ruleset_backfill priority = ruleset_backfill_priority(
        q->def->ruleset, now_ms > pool_created_ms(x) ? now_ms - pool_created_ms(x) : 0);
    struct fill_ask ask = {q->pool, &q->def->patience, NULL, now_ms};
    size_t looks = q->backfills.count < FILL_LOOKS ? q->backfills.count : FILL_LOOKS;
    if (q->backfills.count <= FILL_LOOKS) q->backfill_next = NULL; /* all, the oldest first */
    for (uint32_t tries = 0; looks > 0 && tries < FILL_MATCHES; looks--) {
        ask.backfill = next(q);
        if (!ask.backfill) return false;
        if (ask.backfill->spec.state != BACKFILL_OPEN || !ask.backfill->fits) continue;
        if (comes_before(ask.backfill, x, priority) != (when == FILL_BEFORE)) continue;
        if (!fill_may(&ask, x)) continue;
        if (fill(r, &ask, x, turn->decision, turn->budget)) return true;
        tries++;
    }
    return false;
}

void realm_fill_due(struct realm *r, struct realm_turn *turn) {
    struct queue *q = turn->queue;
    struct fill_ask ask = {q->pool, &q->def->patience, NULL, turn->decision->now_ms};
    for (int i = 0; i<FILL_TURNS && * turn->budget> 0; i++) {
        struct heap_node *node = heap_take_due(&q->backfill_dues, ask.now_ms);
        if (!node) return;
        ask.backfill = HEAP_OF(node, struct backfill, due);
        (void)fill(r, &ask, NULL, turn->decision, turn->budget);
    }
}
