/* realm_recruit.c - backfills begin, change and end: what a running match asks for.
 *
 *   CreateBackfill -> BACKFILL_PUT       OPEN; one that its match has already is CANCELLED before
 *                  -> ROSTER_CHANGED     with it, where the game says who is in the match
 *   UpdateBackfill -> ROSTER_CHANGED, or BACKFILL_PUT where nobody came or went
 *   CancelBackfill, the match's end -> BACKFILL_PUT CANCELLED
 *   a match is made with places open, or a player leaves it, in a queue that says so
 *                  -> BACKFILL_PUT       OPEN, after the match's own record; with ROSTER_CHANGED
 *   no players by expires_ms        -> BACKFILL_PUT EXPIRED
 *
 * The game is believed: whom it names is in the match, whom it leaves out has left. A match that is
 * not known is taken in as it says. Newcomers who are being asked wait on, by their old clock, when
 * who is in the match changes under them.
 */
#include "base/limits.h"
#include "model/realm_state.h"

#include <stdio.h>

struct draft { /* a match and its backfill as they will be */
    const struct queue *q;
    const struct match *m;    /* NULL: not known yet */
    const struct backfill *b; /* that is updated */
    struct match_spec s;
    struct realm_parties parties;
    bool named; /* the game says who is in the match */
    struct str *joined, *left;
    uint32_t joined_count, left_count;
    int64_t waited_ms;
};

/* ---- the match ---- */

static enum err check_running(const struct match *m, struct err_text *why) {
    if (m->spec.state != MATCH_PROPOSED && match_is_live(&m->spec)) return ERR_OK;
    return realm_refuse_match(m, "a confirmed or assigned one can be backfilled", why);
}

/* A match that the game has made: it begins here. */
static void take_in(struct draft *f, const struct command *c, const struct decision *d) {
    struct match_spec *s = &f->s;
    struct str connection = c->create_backfill.connection;
    struct id id = c->create_backfill.match_id;
    *s = (struct match_spec){.id = id_is_none(id) ? id_new(d->rng, d->now_ms) : id,
                             .state = connection.size ? MATCH_ASSIGNED : MATCH_CONFIRMED,
                             .queue = f->q->def->name,
                             .queue_version = f->q->version,
                             .region = c->create_backfill.region,
                             .connection = connection,
                             .created_ms = d->now_ms,
                             .rules_age_ms = c->create_backfill.waited_ms};
    realm_time_match(s, f->q, d->now_ms);
    if (connection.size) s->until_ms = s->result_due_ms;
}

static enum err find_ground(const struct realm *r, const struct command *c,
                            const struct decision *d, struct draft *f, struct err_text *why) {
    struct id id = c->create_backfill.match_id;
    f->m = id_is_none(id) ? NULL : realm_find_match(r, id);
    f->named = c->create_backfill.party_count > 0;
    if (!f->m && !f->named)
        return err_set_field(why, ERR_NOT_FOUND, "match_id",
                             "no such match; one of your own needs its queue and parties");
    struct str queue = f->m ? f->m->spec.queue : c->create_backfill.queue;
    f->q = realm_find_queue(r, queue);
    if (!f->q)
        return err_set_field(why, ERR_NOT_FOUND, "queue", "no queue \"%.*s\"", STR_PRINT(queue));
    f->waited_ms = f->m ? f->m->spec.rules_age_ms : c->create_backfill.waited_ms;
    if (!f->m) {
        take_in(f, c, d);
        return ERR_OK;
    }
    f->s = realm_copy_match(f->m, d);
    return check_running(f->m, why);
}

/* ---- who is in it ---- */

/* The party as the rules see it, with what the realm knows of its players. */
static struct backfill_party seat(const struct draft *f, const struct backfill_party *named,
                                  struct arena *arena) {
    struct player *players = arena_alloc(arena, named->player_count * sizeof *players);
    struct backfill_party party = {named->team, {0, 0}, players, named->player_count};
    for (uint32_t i = 0; i < named->player_count; i++) {
        const struct player *p = &named->players[i];
        const struct team_member *member = f->m ? match_member(&f->m->spec, p->id) : NULL;
        struct realm_seat at = {f->s.region, member ? member->role : STR_EMPTY};
        struct id ticket = member ? member->ticket_id : (struct id){0, 0};
        players[i] = realm_present_player(f->q->def->ruleset, p, &at, arena);
        bool alike = i == 0 || id_equal(party.ticket_id, ticket);
        party.ticket_id = alike ? ticket : (struct id){0, 0};
    }
    return party;
}

static const struct player *first_named(const struct realm_parties *all, struct str id) {
    for (uint32_t i = 0; i < all->count; i++) {
        for (uint32_t k = 0; k < all->at[i].player_count; k++)
            if (str_equal(all->at[i].players[k].id, id)) return &all->at[i].players[k];
    }
    return NULL;
}

/* Who comes in by the game's word must not be waiting, nor in another match that holds him. */
static enum err check_newcomer(const struct realm *r, const struct draft *f, struct str player,
                               struct err_text *why) {
    if (f->m && match_member(&f->m->spec, player)) return ERR_OK;
    if (!f->q->def->life.holds_players) return ERR_OK;
    const struct ticket *t = realm_find_player(r, player);
    const struct match *m = t ? NULL : realm_find_holder(r, player);
    if (!t && !m) return ERR_OK;
    char id[ID_TEXT_BYTES];
    id_format(t ? t->id : m->spec.id, id);
    return err_set_field(why, ERR_ALREADY_EXISTS, "parties", "player \"%.*s\" is in %s %s already",
                         STR_PRINT(player), t ? "open ticket" : "live match", id);
}

static enum err check_party(const struct realm *r, const struct draft *f, uint32_t index,
                            struct err_text *why) {
    const struct backfill_party *party = &f->parties.at[index];
    struct ticket_spec spec = {&f->q->def->name, party->players, 1, party->player_count};
    struct err_text because;
    char field[32];
    snprintf(field, sizeof field, "parties[%u]", index);
    if (realm_team_index(f->q->def->ruleset, party->team) == RULESET_NONE)
        return err_set_field(why, ERR_INVALID_ARGUMENT, field, "%s: no team \"%.*s\" in the queue",
                             field, (int)(party->team.size < 64 ? party->team.size : 64),
                             party->team.at);
    enum err e = ruleset_admit(f->q->def->ruleset, &spec, &because);
    if (e != ERR_OK) return err_set_field(why, e, field, "%s: %.400s", field, because.text);
    for (uint32_t k = 0; e == ERR_OK && k < party->player_count; k++) {
        if (first_named(&f->parties, party->players[k].id) != &party->players[k])
            return err_set_field(why, ERR_INVALID_ARGUMENT, field,
                                 "%s: player \"%.*s\" is named twice", field,
                                 STR_PRINT(party->players[k].id));
        e = check_newcomer(r, f, party->players[k].id, why);
    }
    return e;
}

static enum err draft_parties(const struct realm *r, struct draft *f,
                              const struct backfill_party *named, uint32_t count,
                              struct err_text *why) {
    struct arena *arena = f->parties.arena;
    if (!f->named && !realm_present_parties(r, f->q, &f->s, &f->parties))
        return err_set_field(why, ERR_FAILED_PRECONDITION, "parties",
                             "what the match's players brought is not kept any more; say who is "
                             "in it");
    if (f->named) f->parties.at = arena_alloc(arena, count * sizeof *f->parties.at);
    for (uint32_t i = 0; f->named && i < count; i++)
        f->parties.at[f->parties.count++] = seat(f, &named[i], arena);
    enum err e = ERR_OK;
    for (uint32_t i = 0; e == ERR_OK && i < f->parties.count; i++)
        e = check_party(r, f, i, why);
    if (e == ERR_OK && realm_parties_bytes(f->parties.at, f->parties.count) > LIMIT_BACKFILL_BYTES)
        return err_set_field(why, ERR_INVALID_ARGUMENT, "parties",
                             "the players bring more than %d bytes", LIMIT_BACKFILL_BYTES);
    return e;
}

/* ---- the match with them ---- */

static void fill_team(const struct draft *f, struct match_team *team, struct arena *arena) {
    struct team_member *members = arena_alloc(arena, LIMIT_MATCH_PLAYERS * sizeof *members);
    team->members = members;
    for (uint32_t i = 0; i < f->parties.count; i++) {
        const struct backfill_party *party = &f->parties.at[i];
        if (!str_equal(party->team, team->name)) continue;
        for (uint32_t k = 0; k < party->player_count; k++) {
            struct str id = party->players[k].id;
            const struct team_member *known = f->m ? match_member(&f->m->spec, id) : NULL;
            members[team->member_count++] = known ? *known : (struct team_member){.player_id = id};
        }
    }
}

static void draft_roster(struct draft *f, struct arena *arena) {
    const struct ruleset_limits *l = ruleset_limits_at(f->q->def->ruleset, 0);
    struct match_team *teams = arena_alloc(arena, l->team_count * sizeof *teams);
    struct match_spec before = f->s;
    for (uint32_t t = 0; t < l->team_count; t++) {
        teams[t].name = l->teams[t].name;
        fill_team(f, &teams[t], arena);
    }
    f->s.teams = teams;
    f->s.team_count = l->team_count;
    f->joined = arena_alloc(arena, LIMIT_MATCH_PLAYERS * sizeof *f->joined);
    f->left = arena_alloc(arena, LIMIT_MATCH_PLAYERS * sizeof *f->left);
    for (uint32_t i = 0; i < f->parties.count; i++) {
        for (uint32_t k = 0; k < f->parties.at[i].player_count; k++) {
            struct str id = f->parties.at[i].players[k].id;
            if (!match_member(&before, id)) f->joined[f->joined_count++] = id;
        }
    }
    for (uint32_t t = 0; t < before.team_count; t++) {
        for (uint32_t i = 0; i < before.teams[t].member_count; i++) {
            struct str id = before.teams[t].members[i].player_id;
            if (!match_member(&f->s, id)) f->left[f->left_count++] = id;
        }
    }
    realm_note_roster(&f->s, f->joined, f->joined_count, arena);
    realm_note_left(&f->s, f->left, f->left_count, arena);
}

/* ---- making it so ---- */

static void emit_put(struct realm *r, const struct decision *d, const struct backfill_spec *b) {
    struct record *record = realm_new_record(d, RECORD_BACKFILL_PUT);
    record->backfill_put = *b;
    realm_emit(r, d, record);
}

static void emit(struct realm *r, const struct decision *d, const struct draft *f,
                 const struct backfill_spec *b) {
    if (f->m && f->joined_count + f->left_count == 0) {
        emit_put(r, d, b);
        return;
    }
    struct record *record = realm_new_record(d, RECORD_ROSTER_CHANGED);
    record->roster_changed.spec = f->s;
    record->roster_changed.joined = f->joined;
    record->roster_changed.joined_count = f->joined_count;
    record->roster_changed.left = f->left;
    record->roster_changed.left_count = f->left_count;
    record->roster_changed.backfill = *b;
    realm_emit(r, d, record);
}

static void withdraw(struct realm *r, const struct decision *d, const struct backfill *b,
                     struct str reason) {
    if (b->spec.state != BACKFILL_PROPOSED) return;
    const struct match *asked = realm_find_match(r, b->spec.proposal_id);
    if (asked && asked->spec.state == MATCH_PROPOSED)
        realm_withdraw_proposal(r, d, asked, reason, false);
}

static void end(struct realm *r, const struct decision *d, const struct backfill *b,
                enum backfill_state state, struct str reason) {
    struct backfill_spec s = b->spec;
    s.state = state;
    s.ended_ms = d->now_ms;
    s.proposal_id = (struct id){0, 0};
    s.reason = arena_str(d->arena, reason);
    emit_put(r, d, &s);
}

void realm_end_backfill(struct realm *r, const struct decision *d, struct id match_id,
                        struct str reason) {
    const struct backfill *b = realm_find_backfill_of(r, match_id);
    if (!b) return;
    withdraw(r, d, b, reason);
    end(r, d, b, BACKFILL_CANCELLED, reason);
}

void realm_expire_backfill(struct realm *r, const struct decision *d, const struct backfill *b) {
    end(r, d, b, BACKFILL_EXPIRED, STR("no players were found in time"));
}

void realm_hold_off_newcomers(struct realm *r, const struct decision *d, struct id match_id) {
    const struct backfill *b = realm_find_backfill_of(r, match_id);
    if (b) withdraw(r, d, b, STR("who is in the match has changed"));
}

/* ---- commands ---- */

static enum err check_room(const struct draft *f, const struct backfill_spec *b, int64_t now_ms,
                           struct err_text *why) {
    uint32_t of_team[LIMIT_TEAMS];
    if (realm_room(f->q, b, now_ms, of_team) > 0) return ERR_OK;
    return err_set_field(why, ERR_FAILED_PRECONDITION, "match_id", "no place in the match is open");
}

static struct backfill_spec draft_backfill(const struct draft *f, const struct decision *d) {
    return (struct backfill_spec){.id = id_new(d->rng, d->now_ms),
                                  .match_id = f->s.id,
                                  .state = BACKFILL_OPEN,
                                  .queue = f->q->def->name,
                                  .region = f->s.region,
                                  .parties = f->parties.at,
                                  .party_count = f->parties.count,
                                  .created_ms = d->now_ms,
                                  .waited_ms = f->waited_ms};
}

static enum err repeat_create(struct realm *r, const struct backfill *b, const struct command *c,
                              struct outcome *out, struct err_text *why) {
    if (b->spec.request_hash != c->create_backfill.request_hash)
        return err_set_field(why, ERR_INVALID_ARGUMENT, "request_id",
                             "request id was used for a backfill with other content; "
                             "each new request needs a new id");
    out->backfill = b;
    out->match = realm_find_match(r, b->spec.match_id);
    return ERR_OK;
}

enum err realm_create_backfill(struct realm *r, const struct command *c, const struct decision *d,
                               struct outcome *out, struct err_text *why) {
    struct id key = c->create_backfill.request_key;
    const struct backfill *made = id_is_none(key) ? NULL : realm_find_backfill_request(r, key);
    if (made) return repeat_create(r, made, c, out, why);
    struct draft f = {.parties.arena = d->arena};
    enum err e = find_ground(r, c, d, &f, why);
    if (e == ERR_OK)
        e = draft_parties(r, &f, c->create_backfill.parties, c->create_backfill.party_count, why);
    if (e != ERR_OK) return e;
    if (f.named) draft_roster(&f, d->arena);
    struct backfill_spec b = draft_backfill(&f, d);
    int64_t timeout_ms = c->create_backfill.timeout_ms;
    b.expires_ms = d->now_ms + (timeout_ms ? timeout_ms : f.q->def->ticket_timeout_ms);
    b.request_key = key;
    b.request_hash = c->create_backfill.request_hash;
    e = check_room(&f, &b, d->now_ms, why);
    if (e == ERR_OK && realm_backfills_active(r) >= LIMIT_BACKFILLS)
        e = err_set(why, ERR_RESOURCE_EXHAUSTED, "%d backfills are open, which is the limit",
                    LIMIT_BACKFILLS);
    if (e != ERR_OK) return e;
    realm_end_backfill(r, d, b.match_id, STR("replaced by a newer one"));
    emit(r, d, &f, &b);
    out->backfill = realm_find_backfill(r, b.id);
    out->match = realm_find_match(r, b.match_id);
    out->changed = true;
    return ERR_OK;
}

static enum err get(const struct realm *r, struct id id, const struct backfill **out,
                    struct err_text *why) {
    char text[ID_TEXT_BYTES];
    *out = realm_find_backfill(r, id);
    if (*out) return ERR_OK;
    id_format(id, text);
    return err_set_field(why, ERR_NOT_FOUND, "backfill_id", "no backfill %s", text);
}

static enum err refuse_over(const struct backfill *b, const char *what, struct err_text *why) {
    return err_set_field(why, ERR_FAILED_PRECONDITION, "backfill_id",
                         "the backfill is %s; only an open one can be %s",
                         backfill_state_name(b->spec.state), what);
}

static enum err find_updated(const struct realm *r, const struct command *c,
                             const struct decision *d, struct draft *f, struct err_text *why) {
    enum err e = get(r, c->update_backfill.backfill_id, &f->b, why);
    if (e != ERR_OK) return e;
    const struct backfill *b = f->b;
    if (!backfill_is_active(&b->spec)) return refuse_over(b, "updated", why);
    e = realm_get_match(r, b->spec.match_id, &f->m, why);
    if (e != ERR_OK) return e;
    if (!b->queue)
        return err_set_field(why, ERR_NOT_FOUND, "queue", "no queue \"%.*s\"",
                             STR_PRINT(b->spec.queue));
    f->q = b->queue;
    f->named = true;
    f->s = realm_copy_match(f->m, d);
    return ERR_OK;
}

enum err realm_update_backfill(struct realm *r, const struct command *c, const struct decision *d,
                               struct outcome *out, struct err_text *why) {
    struct draft f = {.parties.arena = d->arena};
    uint32_t of_team[LIMIT_TEAMS];
    enum err e = find_updated(r, c, d, &f, why);
    if (e == ERR_OK)
        e = draft_parties(r, &f, c->update_backfill.parties, c->update_backfill.party_count, why);
    if (e != ERR_OK) return e;
    draft_roster(&f, d->arena);
    struct id id = f.b->spec.id, match_id = f.b->spec.match_id;
    withdraw(r, d, f.b, STR("who is in the match has changed"));
    struct backfill_spec s = f.b->spec;
    s.parties = f.parties.at;
    s.party_count = f.parties.count;
    if (realm_room(f.q, &s, d->now_ms, of_team) == 0) {
        s.state = BACKFILL_FILLED;
        s.ended_ms = d->now_ms;
    }
    emit(r, d, &f, &s);
    out->backfill = realm_find_backfill(r, id);
    out->match = realm_find_match(r, match_id);
    out->changed = true;
    return ERR_OK;
}

enum err realm_cancel_backfill(struct realm *r, const struct command *c, const struct decision *d,
                               struct outcome *out, struct err_text *why) {
    const struct backfill *b;
    struct id id = c->cancel_backfill.backfill_id;
    enum err e = get(r, id, &b, why);
    if (e != ERR_OK) return e;
    out->backfill = b;
    out->match = realm_find_match(r, b->spec.match_id);
    if (b->spec.state == BACKFILL_CANCELLED) return ERR_OK;
    if (!backfill_is_active(&b->spec)) return refuse_over(b, "cancelled", why);
    realm_end_backfill(r, d, b->spec.match_id, STR("cancelled by request"));
    out->backfill = realm_find_backfill(r, id);
    out->changed = true;
    return ERR_OK;
}

/* ---- by itself ---- */

/* What the match begins with where its queue says so and a place is open; else `out` stays empty.
 */
static void begin(struct realm *r, const struct decision *d, const struct match_spec *s,
                  struct backfill_spec *out) {
    uint32_t of_team[LIMIT_TEAMS];
    const struct queue *q = realm_find_queue(r, s->queue);
    struct draft f = {.q = q, .s = *s, .parties.arena = d->arena, .waited_ms = s->rules_age_ms};
    if (!q || !q->def->life.backfills) return;
    bool known = realm_present_parties(r, q, s, &f.parties);
    struct backfill_spec b = draft_backfill(&f, d);
    if (known && realm_room(q, &b, d->now_ms, of_team) == 0) return;
    if (!known || realm_backfills_active(r) >= LIMIT_BACKFILLS ||
        realm_parties_bytes(b.parties, b.party_count) > LIMIT_BACKFILL_BYTES) {
        r->counts.backfills_missed++;
        return;
    }
    b.automatic = true;
    *out = b;
}

void realm_begin_backfill(struct realm *r, const struct decision *d, const struct match_spec *s) {
    struct backfill_spec b = {0};
    begin(r, d, s, &b);
    if (!id_is_none(b.id)) emit_put(r, d, &b);
}

void realm_renew_backfill(struct realm *r, const struct decision *d, const struct match_spec *s,
                          struct backfill_spec *out) {
    const struct backfill *b = realm_find_backfill_of(r, s->id);
    struct realm_parties parties = {.arena = d->arena};
    *out = (struct backfill_spec){0};
    if (!b) {
        begin(r, d, s, out);
        return;
    }
    realm_parties_without(&b->spec, s, &parties);
    *out = b->spec;
    out->parties = parties.at;
    out->party_count = parties.count;
}
