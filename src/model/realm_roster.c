/* realm_roster.c - who is in a running match: players leave it, and it goes on without them.
 *
 *   LeaveMatch -> ROSTER_CHANGED     the match without them, its other players are told; where the
 *                                    queue says so, it begins to look for others by itself
 *              -> MATCH_UPDATED      CANCELLED, when nobody is left
 *
 * Who has left may join queues again, and his ticket does not wait again when the match is
 * cancelled.
 */
#include "base/limits.h"
#include "model/realm_state.h"

static enum err check_leaving(const struct match *m, const struct command *c,
                              struct err_text *why) {
    for (uint32_t i = 0; i < c->answer_match.player_count; i++) {
        struct str player = c->answer_match.player_ids[i];
        if (!match_member(&m->spec, player) && !match_has_left(&m->spec, player))
            return err_set_field(why, ERR_INVALID_ARGUMENT, "player_ids",
                                 "player \"%.*s\" is not in the match", STR_PRINT(player));
    }
    if (m->spec.state == MATCH_PROPOSED || !match_is_live(&m->spec))
        return realm_refuse_match(m, "a confirmed or assigned one can be left", why);
    return ERR_OK;
}

static bool names(const struct str *players, uint32_t count, struct str player) {
    for (uint32_t i = 0; i < count; i++)
        if (str_equal(players[i], player)) return true;
    return false;
}

/* Takes them out of the teams of a copy; those that were in one, into the arena. */
static uint32_t take_out(struct match_spec *s, const struct command *c, struct str *gone) {
    uint32_t count = 0;
    for (uint32_t t = 0; t < s->team_count; t++) {
        struct match_team *team = (struct match_team *)&s->teams[t]; /* of a copy */
        struct team_member *members = (struct team_member *)team->members;
        uint32_t stay = 0;
        for (uint32_t i = 0; i < team->member_count; i++) {
            struct str player = members[i].player_id;
            if (names(c->answer_match.player_ids, c->answer_match.player_count, player))
                gone[count++] = player;
            else
                members[stay++] = members[i];
        }
        team->member_count = stay;
    }
    return count;
}

static bool has_member_of(const struct match_spec *s, struct id ticket) {
    for (uint32_t t = 0; t < s->team_count; t++) {
        for (uint32_t i = 0; i < s->teams[t].member_count; i++)
            if (id_equal(s->teams[t].members[i].ticket_id, ticket)) return true;
    }
    return false;
}

void realm_note_roster(struct match_spec *s, const struct str *joined, uint32_t count,
                       struct arena *arena) {
    struct id *ids = (struct id *)s->ticket_ids; /* of a copy */
    struct str *left = arena_alloc(arena, s->left_count * sizeof *left);
    uint32_t stay = 0, away = 0;
    for (uint32_t i = 0; i < s->ticket_count; i++)
        if (has_member_of(s, ids[i])) ids[stay++] = ids[i];
    for (uint32_t i = 0; i < s->left_count; i++)
        if (!names(joined, count, s->left[i])) left[away++] = s->left[i];
    s->ticket_count = stay;
    s->left = left;
    s->left_count = away;
}

void realm_note_left(struct match_spec *s, const struct str *gone, uint32_t count,
                     struct arena *arena) {
    uint32_t total = s->left_count + count;
    uint32_t first = total > LIMIT_MATCH_PLAYERS ? total - LIMIT_MATCH_PLAYERS : 0;
    struct str *left = arena_alloc(arena, (total - first) * sizeof *left);
    for (uint32_t i = first; i < total; i++)
        left[i - first] = i < s->left_count ? s->left[i] : gone[i - s->left_count];
    s->left = left;
    s->left_count = total - first;
}

static bool nobody_is_in(const struct match_spec *s, const struct command *c) {
    for (uint32_t i = 0; i < c->answer_match.player_count; i++)
        if (match_member(s, c->answer_match.player_ids[i])) return false;
    return true;
}

/* `s`: a copy with its players as they are now. */
static void go_on(struct realm *r, const struct decision *d, const struct match_spec *s,
                  const struct str *gone, uint32_t count) {
    struct record *record = realm_new_record(d, RECORD_ROSTER_CHANGED);
    record->roster_changed.spec = *s;
    record->roster_changed.left = gone;
    record->roster_changed.left_count = count;
    realm_renew_backfill(r, d, s, &record->roster_changed.backfill);
    realm_emit(r, d, record);
}

enum err realm_leave_match(struct realm *r, const struct command *c, const struct decision *d,
                           struct outcome *out, struct err_text *why) {
    const struct match *m;
    struct id id = c->answer_match.match_id;
    enum err e = realm_get_match(r, id, &m, why);
    if (e == ERR_OK) e = check_leaving(m, c, why);
    if (e != ERR_OK) return e;
    out->match = m;
    if (nobody_is_in(&m->spec, c)) return ERR_OK;
    realm_hold_off_newcomers(r, d, id);
    struct match_spec s = realm_copy_match(m, d);
    struct str *gone = arena_alloc(d->arena, c->answer_match.player_count * sizeof *gone);
    uint32_t count = take_out(&s, c, gone);
    realm_note_roster(&s, NULL, 0, d->arena);
    realm_note_left(&s, gone, count, d->arena);
    if (match_player_count(&s) > 0) {
        go_on(r, d, &s, gone, count);
    } else {
        realm_end_backfill(r, d, id, STR("all players left"));
        realm_emit_cancelled(r, d, &s, STR("all players left"));
    }
    out->match = realm_find_match(r, id);
    out->changed = true;
    return ERR_OK;
}
