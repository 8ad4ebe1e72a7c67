/* realm_match.c - what records do to matches and, through them, to tickets; and their keeping. */
#include "base/limits.h"
#include "model/realm_state.h"

#include <assert.h>

static void note_recorded(struct realm *r, struct match *m, int64_t time_ms) {
    if (list_linked(&m->recorded)) list_remove(&r->matches_recorded, &m->recorded);
    list_append(&r->matches_recorded, &m->recorded);
    m->recorded_ms = time_ms;
    m->recorded_in = r->carries;
}

/* ---- keeping ---- */

bool realm_match_is_timed(const struct match *m) {
    return match_is_live(&m->spec) && m->spec.until_ms > 0;
}

/* ---- holding players ---- */

static bool holds(const struct match_spec *s) {
    return s->holds_players && match_is_live(s) && s->state != MATCH_PROPOSED;
}

static void hold_players(struct realm *r, struct match *m) {
    if (!holds(&m->spec)) return;
    for (uint32_t t = 0; t < m->spec.team_count; t++) {
        for (uint32_t i = 0; i < m->spec.teams[t].member_count; i++)
            map_put(&r->holders, str_hash(m->spec.teams[t].members[i].player_id), m);
    }
}

static void release_players(struct realm *r, struct match *m) {
    if (!holds(&m->spec)) return;
    for (uint32_t t = 0; t < m->spec.team_count; t++) {
        for (uint32_t i = 0; i < m->spec.teams[t].member_count; i++)
            (void)map_remove(&r->holders, str_hash(m->spec.teams[t].members[i].player_id), m);
    }
}

/* One that is timed ends by a record; the others are forgotten when they were kept long enough.
 * They stand by their own age, not realm_kept_until_ms, which whoever forgets them asks: at the
 * limit the oldest go. */
static void schedule(struct realm *r, struct match *m) {
    const struct match_spec *s = &m->spec;
    if (realm_match_is_timed(m)) {
        heap_start(&r->match_ends, &m->due, s->until_ms);
        return;
    }
    heap_start(&r->match_forgets, &m->due,
               (s->ended_ms ? s->ended_ms : s->created_ms) + r->keep_ms);
    while (r->match_forgets.count > LIMIT_MATCHES_KEPT) {
        realm_forget_match(r, HEAP_OF(heap_first(&r->match_forgets), struct match, due));
        r->counts.forgotten_early++;
    }
}

static void unschedule(struct realm *r, struct match *m) {
    heap_stop(realm_match_is_timed(m) ? &r->match_ends : &r->match_forgets, &m->due);
}

/* New ones come last. Carried ones come in about the order of their age: the search for their place
 * starts where the one before went. */
static void keep(struct realm *r, struct match *m) {
    struct list *kept = &r->matches_kept;
    struct list_node *tail = kept->head.previous;
    if (tail == &kept->head ||
        LIST_OF(tail, struct match, kept)->spec.created_ms <= m->spec.created_ms) {
        list_append(kept, &m->kept);
        return;
    }
    struct list_node *place = r->carried_match ? r->carried_match : &kept->head;
    while (place != &kept->head &&
           LIST_OF(place, struct match, kept)->spec.created_ms > m->spec.created_ms) {
        place = place->previous;
    }
    while (place->next != &kept->head &&
           LIST_OF(place->next, struct match, kept)->spec.created_ms <= m->spec.created_ms) {
        place = place->next;
    }
    list_insert(kept, place, &m->kept);
    r->carried_match = &m->kept;
}

static struct match *add(struct realm *r, const struct match_spec *spec, int64_t time_ms) {
    struct match *m = match_new(spec);
    map_put(&r->matches, id_hash(spec->id), m);
    keep(r, m);
    note_recorded(r, m, time_ms);
    schedule(r, m);
    hold_players(r, m);
    return m;
}

/* The match gets a new content in its old place. `spec` may borrow from the old content. */
static void replace(struct realm *r, struct match *old, const struct match_spec *spec,
                    int64_t time_ms) {
    struct match *m = match_new(spec);
    list_insert(&r->matches_kept, &old->kept, &m->kept);
    unschedule(r, old);
    realm_forget_match(r, old);
    map_put(&r->matches, id_hash(spec->id), m);
    note_recorded(r, m, time_ms);
    schedule(r, m);
    hold_players(r, m);
}

void realm_forget_match(struct realm *r, struct match *m) {
    if (r->carried_match == &m->kept) r->carried_match = NULL;
    if (heap_started(&m->due)) unschedule(r, m);
    realm_release_tickets(r, &m->spec);
    release_players(r, m);
    map_remove(&r->matches, id_hash(m->spec.id), m);
    list_remove(&r->matches_kept, &m->kept);
    list_remove(&r->matches_recorded, &m->recorded);
    match_free(m);
}

/* ---- records ---- */

/* Whether one that is known is in another state. Of a new match every ticket waits. */
static bool has_other_ticket(const struct realm *r, const struct id *ids, uint32_t count,
                             enum ticket_state state) {
    for (uint32_t i = 0; i < count; i++) {
        const struct ticket *t = realm_find_ticket(r, ids[i]);
        if (t && t->state != state) return true;
    }
    return false;
}

static void count_match(struct queue *q, const struct match_spec *m) {
    q->stats.matches++;
    q->stats.quality_sum += m->quality;
}

static void count_matched(struct queue *q, const struct ticket *t, int64_t now_ms) {
    int64_t wait_ms = now_ms > t->created_ms ? now_ms - t->created_ms : 0;
    q->stats.matched++;
    q->stats.waits[queue_wait_bucket(wait_ms)] += t->player_count;
    if (t->promised.p90_ms == 0) return; /* nothing was known when it came */
    q->stats.estimated++;
    q->stats.kept += wait_ms <= t->promised.p90_ms;
}

/* The ticket is matched; returns how many players it had. */
static uint32_t end_ticket(struct realm *r, struct queue *q, const struct match_spec *spec,
                           struct id id, int64_t time_ms) {
    struct ticket *t = realm_find_ticket(r, id);
    if (!t || !ticket_is_open(t)) return 0;
    if (q) count_matched(q, t, time_ms);
    realm_close_ticket(r, t, &(struct realm_ending){TICKET_MATCHED, time_ms, q});
    ticket_set_match(t, spec->id);
    return t->player_count;
}

/* The match is made: it ends its tickets. */
static void end_tickets(struct realm *r, const struct match_spec *spec, int64_t time_ms) {
    struct queue *q = realm_find_queue(r, spec->queue);
    if (q) count_match(q, spec);
    for (uint32_t i = 0; i < spec->ticket_count; i++)
        end_ticket(r, q, spec, spec->ticket_ids[i], time_ms);
}

static void propose_to_tickets(struct realm *r, const struct match_spec *spec) {
    struct queue *q = realm_find_queue(r, spec->queue);
    if (q) q->stats.proposals++;
    for (uint32_t i = 0; i < spec->ticket_count; i++) {
        struct ticket *t = realm_find_ticket(r, spec->ticket_ids[i]);
        if (t) realm_propose_ticket(r, t, spec->id);
    }
}

void realm_apply_match_created(struct realm *r, const struct record *record) {
    const struct match_spec *spec = &record->match_created;
    struct match *m = realm_find_match(r, spec->id);
    if (m && record->carried) {
        note_recorded(r, m, record->time_ms);
        return;
    }
    if (m || (!record->carried &&
              has_other_ticket(r, spec->ticket_ids, spec->ticket_count, TICKET_QUEUED))) {
        r->skipped++;
        return;
    }
    add(r, spec, record->time_ms);
    if (record->carried) return; /* its tickets say themselves how they are */
    if (spec->state == MATCH_PROPOSED) {
        propose_to_tickets(r, spec);
        if (!id_is_none(spec->backfill_id)) realm_ask_backfill(r, spec->backfill_id, spec->id);
        return;
    }
    end_tickets(r, spec, record->time_ms);
}

void realm_apply_match_accepted(struct realm *r, const struct record *record) {
    struct match *m = realm_find_match(r, record->match_accepted.id);
    if (!m) return; /* it comes carried, with its answers */
    if (m->spec.state != MATCH_PROPOSED) {
        r->skipped++;
        return;
    }
    for (uint32_t i = 0; i < record->match_accepted.accepted_count; i++)
        (void)match_set_answer(m, record->match_accepted.accepted[i], ANSWER_ACCEPTED);
}

static void apply_fate(struct realm *r, const struct ticket_fate *fate, int64_t time_ms) {
    struct ticket *t = realm_find_ticket(r, fate->id);
    if (!t || t->state != TICKET_PROPOSED) return;
    if (fate->state == TICKET_QUEUED)
        realm_return_ticket(r, t, time_ms);
    else
        realm_end_ticket(r, t, fate, time_ms);
}

static bool is_declined(const struct match_spec *spec) {
    for (uint32_t t = 0; t < spec->team_count; t++)
        for (uint32_t i = 0; i < spec->teams[t].member_count; i++)
            if (spec->teams[t].members[i].answer == ANSWER_DECLINED) return true;
    return false;
}

/* A proposal that has ended; what was withdrawn has neither a no in it nor been late. */
static void count_proposal(struct queue *q, const struct match_spec *spec, int64_t until_ms) {
    struct queue_stats *s = &q->stats;
    bool failed = spec->state == MATCH_CANCELLED, declined = is_declined(spec);
    s->proposals_accepted += spec->state == MATCH_CONFIRMED;
    s->proposals_failed += failed;
    s->proposals_declined += failed && declined;
    s->proposals_timed_out += failed && !declined && spec->ended_ms >= until_ms;
}

void realm_apply_match_updated(struct realm *r, const struct record *record) {
    const struct match_spec *spec = &record->match_updated.spec;
    struct match *m = realm_find_match(r, spec->id);
    if (m && !match_may_move(m->spec.state, spec->state)) {
        r->skipped++;
        return;
    }
    bool was_proposed = !m || m->spec.state == MATCH_PROPOSED;
    if (!id_is_none(spec->backfill_id)) realm_reopen_backfill(r, spec->backfill_id);
    struct queue *q = realm_find_queue(r, spec->queue);
    if (q && was_proposed) count_proposal(q, spec, m ? m->spec.until_ms : INT64_MAX);
    if (was_proposed && spec->state == MATCH_CONFIRMED) end_tickets(r, spec, record->time_ms);
    for (uint32_t i = 0; i < record->match_updated.fate_count; i++)
        apply_fate(r, &record->match_updated.fates[i], record->time_ms);
    if (m)
        replace(r, m, spec, record->time_ms);
    else
        add(r, spec, record->time_ms); /* the journal was cut behind its beginning */
}

/* All whom it asked have accepted, and are in the running match. */
static void merge_proposal(struct realm *r, struct id id, int64_t time_ms) {
    struct match *m = realm_find_match(r, id);
    if (!m || !match_may_move(m->spec.state, MATCH_MERGED)) return; /* it comes carried */
    struct match_spec s = m->spec;
    s.state = MATCH_MERGED;
    s.ended_ms = time_ms;
    s.until_ms = 0;
    replace(r, m, &s, time_ms);
}

void realm_apply_roster_changed(struct realm *r, const struct record *record) {
    const struct match_spec *spec = &record->roster_changed.spec;
    const struct id *tickets = record->roster_changed.ticket_ids;
    uint32_t ticket_count = record->roster_changed.ticket_count;
    struct match *m = realm_find_match(r, spec->id);
    bool asked = !id_is_none(record->roster_changed.proposal_id);
    if ((m && m->spec.state != spec->state) ||
        has_other_ticket(r, tickets, ticket_count, asked ? TICKET_PROPOSED : TICKET_QUEUED)) {
        r->skipped++;
        return;
    }
    struct queue *q = realm_find_queue(r, spec->queue);
    for (uint32_t i = 0; i < ticket_count; i++) {
        uint32_t players = end_ticket(r, q, spec, tickets[i], record->time_ms);
        if (q) q->stats.players_backfilled += players;
    }
    if (asked && q) q->stats.proposals_accepted++;
    if (asked) merge_proposal(r, record->roster_changed.proposal_id, record->time_ms);
    if (m)
        replace(r, m, spec, record->time_ms);
    else
        add(r, spec, record->time_ms); /* the game's own, or the journal was cut behind its start */
    if (!id_is_none(record->roster_changed.backfill.id))
        realm_put_backfill(r, &record->roster_changed.backfill, record->time_ms, false);
}
