/* seating.c - the first team that has places, or a walk over all ways to deal. */
#include "model/seating.h"

#include "base/mem.h"

#include <assert.h>
#include <string.h>

void seating_begin(struct seating *s, uint32_t team_count) {
    assert(team_count <= LIMIT_TEAMS);
    memset(s->teams, 0, team_count * sizeof *s->teams);
    s->team_count = team_count;
    s->count = 0;
    s->lost = false;
}

void seating_cut(struct seating *s, const struct casting *k, uint32_t count) {
    while (s->count > count) {
        s->count--;
        casting_take(k, &s->teams[s->tickets[s->count].team], s->tickets[s->count].packed,
                     s->tickets[s->count].players);
    }
}

/* Into the team, if it has places. */
static bool seat(const struct casting *k, struct casting_counts *teams, uint32_t team,
                 uint32_t packed, uint32_t players) {
    casting_add(k, &teams[team], packed, players);
    if (casting_fits(k, &teams[team], &k->teams[team])) return true;
    casting_take(k, &teams[team], packed, players);
    return false;
}

struct dealing {
    const struct seating *seating;
    const struct casting *casting;
    struct casting_counts *teams;
    uint32_t order[LIMIT_MATCH_PLAYERS]; /* of the tickets: the larger first */
    uint32_t team_of[LIMIT_MATCH_PLAYERS];
    uint32_t steps_left;
};

/* Whether a team before this one is as full and has the same places. */
static bool is_repeated(const struct dealing *d, uint32_t team) {
    const struct casting *k = d->casting;
    for (uint32_t t = 0; t < team; t++) {
        if (memcmp(&d->teams[t], &d->teams[team], k->sets) == 0 &&
            memcmp(&k->teams[t], &k->teams[team], k->sets) == 0)
            return true;
    }
    return false;
}

static bool deal(struct dealing *d, uint32_t depth) {
    const struct seating *s = d->seating;
    if (depth == s->count) return true;
    uint32_t ticket = d->order[depth];
    uint32_t packed = s->tickets[ticket].packed, players = s->tickets[ticket].players;
    for (uint32_t t = 0; t < s->team_count && d->steps_left > 0; t++) {
        if (is_repeated(d, t)) continue;
        d->steps_left--;
        if (!seat(d->casting, d->teams, t, packed, players)) continue;
        d->team_of[ticket] = t;
        if (deal(d, depth + 1)) return true;
        casting_take(d->casting, &d->teams[t], packed, players);
    }
    return false;
}

static void order_by_size(struct dealing *d) {
    const struct seating *s = d->seating;
    for (uint32_t i = 0; i < s->count; i++) {
        uint32_t k = i;
        for (; k > 0 && s->tickets[d->order[k - 1]].players < s->tickets[i].players; k--)
            d->order[k] = d->order[k - 1];
        d->order[k] = i;
    }
}

static bool deal_anew(struct seating *s, const struct casting *k) {
    MEM_UNCLEARED struct casting_counts teams[LIMIT_TEAMS];
    MEM_UNCLEARED struct dealing d;
    memset(teams, 0, s->team_count * sizeof *teams);
    d.seating = s;
    d.casting = k;
    d.teams = teams;
    d.steps_left = SEATING_STEPS;
    order_by_size(&d);
    if (!deal(&d, 0)) {
        s->lost = d.steps_left == 0;
        return s->lost;
    }
    memcpy(s->teams, teams, s->team_count * sizeof *teams);
    for (uint32_t i = 0; i < s->count; i++)
        s->tickets[i].team = d.team_of[i];
    return true;
}

bool seating_add(struct seating *s, const struct casting *k, uint32_t packed, uint32_t players) {
    assert(s->count < LIMIT_MATCH_PLAYERS);
    if (s->lost) return true;
    uint32_t ticket = s->count++, team = 0;
    s->tickets[ticket].packed = packed;
    s->tickets[ticket].players = players;
    while (team < s->team_count && !seat(k, s->teams, team, packed, players))
        team++;
    s->tickets[ticket].team = team;
    if (team < s->team_count || deal_anew(s, k)) return true;
    s->count--;
    return false;
}
