/* realm_present.c - who is in a running match, as the rules see him: what a backfill is made of.
 *
 * A player who plays already is where he is: of his latencies only that to the match's region
 * counts, and of his roles only the one he plays.
 */
#include "base/limits.h"
#include "model/realm_state.h"

#include <stdio.h>

/* ---- one player ---- */

static const struct attribute *with_role(const struct player *p, struct str name, struct str role,
                                         struct arena *arena, uint32_t *count) {
    struct attribute *all = arena_alloc(arena, (p->attribute_count + 1) * sizeof *all);
    struct str *items = arena_alloc(arena, sizeof *items);
    uint32_t n = 0, i = 0;
    *items = role;
    for (; i < p->attribute_count && str_compare(p->attributes[i].name, name) < 0; i++)
        all[n++] = p->attributes[i];
    if (i < p->attribute_count && str_equal(p->attributes[i].name, name)) i++;
    all[n++] =
        (struct attribute){.name = name, .kind = ATTRIBUTE_LIST, .item_count = 1, .items = items};
    for (; i < p->attribute_count; i++)
        all[n++] = p->attributes[i];
    *count = n;
    return all;
}

static const struct latency *latency_to(const struct player *p, struct str region) {
    for (uint32_t i = 0; i < p->latency_count; i++)
        if (str_equal(p->latencies[i].region, region)) return &p->latencies[i];
    return NULL;
}

struct player realm_present_player(const struct ruleset *rules, const struct player *p,
                                   const struct realm_seat *seat, struct arena *arena) {
    struct player present = *p;
    struct str roles = ruleset_roles_attribute(rules);
    if (seat->role.size && roles.size)
        present.attributes = with_role(p, roles, seat->role, arena, &present.attribute_count);
    if (!seat->region.size) return present;
    present.latencies = latency_to(p, seat->region);
    present.latency_count = present.latencies != NULL;
    return present;
}

/* ---- parties ---- */

static const struct player *player_of(const struct ticket *t, struct str id, struct arena *arena) {
    if (!t || !ticket_has_player(t, id)) return NULL;
    struct ticket_spec spec = ticket_spec(t, arena);
    uint32_t i = 0;
    while (!str_equal(spec.players[i].id, id))
        i++;
    return &spec.players[i];
}

/* Adds the member to the party of his ticket among those from `first` on, which are his team's. */
static void add_member(struct realm_parties *to, uint32_t first, struct str team,
                       const struct ticket *ticket, const struct player *p) {
    uint32_t i = first;
    while (i < to->count && !id_equal(to->at[i].ticket_id, ticket->id))
        i++;
    if (i == to->count) {
        struct player *players = arena_alloc(to->arena, ticket->player_count * sizeof *players);
        to->at[to->count++] = (struct backfill_party){team, ticket->id, players, 0};
    }
    struct player *players = (struct player *)to->at[i].players; /* ours */
    players[to->at[i].player_count++] = *p;
}

bool realm_present_parties(const struct realm *r, const struct queue *q, const struct match_spec *m,
                           struct realm_parties *out) {
    uint32_t players = match_player_count(m);
    out->at = arena_alloc(out->arena, players * sizeof *out->at);
    out->count = 0;
    for (uint32_t t = 0; t < m->team_count; t++) {
        uint32_t first = out->count;
        for (uint32_t i = 0; i < m->teams[t].member_count; i++) {
            const struct team_member *member = &m->teams[t].members[i];
            const struct ticket *ticket = realm_find_ticket(r, member->ticket_id);
            const struct player *p = player_of(ticket, member->player_id, out->arena);
            if (!p) return false;
            struct realm_seat seat = {m->region, member->role};
            struct player present = realm_present_player(q->def->ruleset, p, &seat, out->arena);
            add_member(out, first, m->teams[t].name, ticket, &present);
        }
    }
    return true;
}

void realm_parties_without(const struct backfill_spec *b, const struct match_spec *m,
                           struct realm_parties *out) {
    out->at = arena_alloc(out->arena, b->party_count * sizeof *out->at);
    out->count = 0;
    for (uint32_t i = 0; i < b->party_count; i++) {
        const struct backfill_party *from = &b->parties[i];
        struct player *players = arena_alloc(out->arena, from->player_count * sizeof *players);
        uint32_t count = 0;
        for (uint32_t k = 0; k < from->player_count; k++)
            if (match_member(m, from->players[k].id)) players[count++] = from->players[k];
        if (count == 0) continue;
        out->at[out->count++] =
            (struct backfill_party){from->team, from->ticket_id, players, count};
    }
}

/* ---- places ---- */

uint32_t realm_room(const struct queue *q, const struct backfill_spec *b, int64_t now_ms,
                    uint32_t *of_team) {
    const struct ruleset_limits *l = ruleset_limits_at(q->def->ruleset, backfill_age_ms(b, now_ms));
    uint32_t room = 0, players = 0;
    for (uint32_t t = 0; t < l->team_count; t++)
        of_team[t] = l->teams[t].players_max;
    for (uint32_t i = 0; i < b->party_count; i++) {
        uint32_t t = realm_team_index(q->def->ruleset, b->parties[i].team);
        uint32_t count = b->parties[i].player_count;
        players += count;
        if (t != RULESET_NONE) of_team[t] -= count < of_team[t] ? count : of_team[t];
    }
    for (uint32_t t = 0; t < l->team_count; t++)
        room += of_team[t];
    uint32_t most = l->players_max > players ? l->players_max - players : 0;
    return room < most ? room : most;
}

static size_t attribute_bytes(const struct attribute *a) {
    size_t bytes = a->name.size + sizeof(double) * 2;
    if (a->kind == ATTRIBUTE_TEXT) bytes += a->text.size;
    for (uint32_t i = 0; i < a->item_count; i++)
        bytes += a->items[i].size + sizeof(double) * 2;
    return bytes;
}

size_t realm_player_bytes(const struct player *p) {
    size_t bytes = p->id.size + sizeof(double);
    for (uint32_t i = 0; i < p->attribute_count; i++)
        bytes += attribute_bytes(&p->attributes[i]);
    for (uint32_t i = 0; i < p->latency_count; i++)
        bytes += p->latencies[i].region.size + sizeof(double);
    return bytes;
}

size_t realm_parties_bytes(const struct backfill_party *parties, uint32_t count) {
    size_t bytes = 0;
    for (uint32_t i = 0; i < count; i++) {
        bytes += parties[i].team.size + sizeof(struct id) * 2;
        for (uint32_t k = 0; k < parties[i].player_count; k++)
            bytes += realm_player_bytes(&parties[i].players[k]);
    }
    return bytes;
}
