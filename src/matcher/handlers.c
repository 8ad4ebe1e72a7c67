/* handlers.c - one function per RPC method, and the table that finds it. */
#include "matcher/handlers.h"

#include "base/clock.h"
#include "base/limits.h"
#include "base/metrics.h"
#include "matcher/answer.h"
#include "matcher/decide.h"
#include "matcher/matcher_state.h"
#include "model/pool.h"
#include "wire/request.h"
#include "wire/response.h"

enum { /* per ListMatches; a page may come back short */
       MATCHES_SCANNED_MAX = 100000,
       PAGE_PLAYERS_MAX = 20000, /* about 2 MiB of answer */
};
enum { TICKETS_SCANNED_MAX = 100000 }; /* places per ListTickets; likewise */
enum { EXPECTED_AHEAD = 8 };           /* tickets of a batch; their cache misses overlap */

typedef void (*handler_fn)(struct matcher *m, struct call *c, struct request *r);

/* ---- tickets ---- */

static void decide_ticket(struct matcher *m, struct call *c, struct command *command) {
    struct outcome out;
    struct err_text why;
    enum err code = decide_command(m, command, &out, &why);
    if (code == ERR_OK)
        answer_ticket(m, c, out.ticket);
    else
        answer_fail(m, c, code, &why);
}

static void create_ticket(struct matcher *m, struct call *c, struct request *r) {
    decide_ticket(m, c, &r->create.items[0].command);
}

static void expect_ticket(const struct matcher *m, const struct request *r, uint32_t index) {
    if (index < r->create.count && r->create.items[index].code == ERR_OK)
        realm_expect_command(m->realm, &r->create.items[index].command);
}

static void create_tickets(struct matcher *m, struct call *c, struct request *r) {
    struct arena *arena = arena_new(0); /* the decision's is reset with each ticket */
    struct response_created *items = arena_alloc(arena, r->create.count * sizeof *items);
    struct decision d = decide_now(m); /* one call, one instant */
    struct err_text why;
    for (uint32_t i = 0; i < EXPECTED_AHEAD; i++)
        expect_ticket(m, r, i);
    for (uint32_t i = 0; i < r->create.count; i++) {
        struct request_ticket *t = &r->create.items[i];
        expect_ticket(m, r, i + EXPECTED_AHEAD);
        items[i].code = t->code;
        items[i].why = t->why;
        if (t->code != ERR_OK) continue;
        struct outcome out;
        items[i].code = realm_decide(m->realm, &t->command, &d, &out, &why);
        arena_reset(m->arena);
        if (items[i].code == ERR_OK) {
            items[i].ticket_id = out.ticket->id;
        } else {
            struct err_text *kept = arena_alloc(arena, sizeof *kept);
            *kept = why;
            items[i].why = kept;
        }
    }
    decide_done(m);
    response_created(items, r->create.count, &m->answer);
    arena_free(arena);
    answer_ok(m, c);
}

/* The ticket, or that of the player; NULL: answered that there is none. */
static const struct ticket *asked_ticket(struct matcher *m, struct call *c,
                                         const struct request *r) {
    bool by_player = id_is_none(r->get_ticket.ticket_id);
    const struct ticket *t = by_player ? realm_player_ticket(m->realm, r->get_ticket.player_id)
                                       : realm_ticket(m->realm, r->get_ticket.ticket_id);
    if (!t && by_player)
        answer_not_found(m, c, "open ticket of player", r->get_ticket.player_id);
    else if (!t)
        answer_id_not_found(m, c, "ticket", r->get_ticket.ticket_id);
    return t;
}

static void get_ticket(struct matcher *m, struct call *c, struct request *r) {
    const struct ticket *t = asked_ticket(m, c, r);
    if (t) answer_ticket(m, c, t);
}

static void list_tickets(struct matcher *m, struct call *c, struct request *r) {
    const struct queue *q = realm_queue(m->realm, r->list_tickets.queue);
    if (!q) {
        answer_not_found(m, c, "queue", r->list_tickets.queue);
        return;
    }
    int64_t now_ms = decide_now_ms(m);
    uint64_t place = r->list_tickets.from;
    uint32_t count = 0, players = 0;
    const struct pool_entry *e = NULL;
    while (count < r->list_tickets.page_size && players < PAGE_PLAYERS_MAX &&
           (e = pool_from(q->pool, &place, TICKETS_SCANNED_MAX))) {
        response_listed_ticket(e->ticket, realm_wait(m->realm, e->ticket, now_ms), &m->answer);
        players += e->ticket->player_count;
        count++;
        place++;
    }
    if (!pool_ended(q->pool, place)) response_listed_next(place, &m->answer);
    answer_ok(m, c);
}

static void explain(struct matcher *m, struct call *c, const struct ticket *t) {
    struct response_explained *queues = arena_alloc(m->arena, t->queue_count * sizeof *queues);
    int64_t now_ms = decide_now_ms(m);
    uint32_t count = 0;
    for (uint32_t i = 0; t->state == TICKET_QUEUED && i < t->queue_count; i++) {
        if (!t->places[i].entry) continue;
        queues[count].queue = t->places[i].queue;
        why_explain(t, i, now_ms, m->arena, &queues[count++].why);
    }
    response_explain(t, realm_wait(m->realm, t, now_ms), queues, count, &m->answer);
    arena_reset(m->arena);
    answer_ok(m, c);
}

static void explain_ticket(struct matcher *m, struct call *c, struct request *r) {
    const struct ticket *t = asked_ticket(m, c, r);
    if (t) explain(m, c, t);
}

/* CancelTicket, UpdateTicket. */
static void change_ticket(struct matcher *m, struct call *c, struct request *r) {
    decide_ticket(m, c, &r->command);
}

static void watch_ticket(struct matcher *m, struct call *c, struct request *r) {
    const struct ticket *t = realm_ticket(m->realm, r->watch.ticket_id);
    struct err_text why;
    if (!t)
        answer_id_not_found(m, c, "ticket", r->watch.ticket_id);
    else if ((int)t->state != r->watch.known_state)
        answer_ticket(m, c, t);
    else if (m->stopping)
        answer_fail(m, c, err_set(&why, ERR_UNAVAILABLE, "the server is stopping; watch again"),
                    &why);
    else if (!watch_add(&m->watches, t->id, c))
        answer_fail(
            m, c,
            err_set(&why, ERR_RESOURCE_EXHAUSTED, "%d long polls are held already", LIMIT_WATCHERS),
            &why);
}

/* ---- matches ---- */

static void get_match(struct matcher *m, struct call *c, struct request *r) {
    const struct match *match = realm_match(m->realm, r->get_match.match_id);
    if (!match) {
        answer_id_not_found(m, c, "match", r->get_match.match_id);
        return;
    }
    response_match(match, &m->answer);
    int64_t now_ms = decide_now_ms(m);
    for (uint32_t i = 0; r->get_match.with_tickets && i < match->spec.ticket_count; i++) {
        const struct ticket *t = realm_ticket(m->realm, match->spec.ticket_ids[i]);
        if (t) response_match_ticket(t, realm_wait(m->realm, t, now_ms), &m->answer);
    }
    answer_ok(m, c);
}

static void list_matches(struct matcher *m, struct call *c, struct request *r) {
    const struct match **page = arena_alloc(m->arena, r->list_matches.page_size * sizeof *page);
    const struct match *at = NULL;
    uint32_t count = 0, scanned = 0, players = 0;
    if (!id_is_none(r->list_matches.after)) {
        at = realm_match(m->realm, r->list_matches.after);
        if (!at) {
            struct err_text why;
            answer_fail(m, c,
                        err_set_field(&why, ERR_OUT_OF_RANGE, "page_token",
                                      "the match of page_token is not kept any more; start again"),
                        &why);
            return;
        }
    }
    const struct match *last = at;
    while (count < r->list_matches.page_size && scanned++ < MATCHES_SCANNED_MAX &&
           players < PAGE_PLAYERS_MAX && (at = realm_next_match(m->realm, at))) {
        last = at;
        if (r->list_matches.queue.size && !str_equal(at->spec.queue, r->list_matches.queue))
            continue;
        page[count++] = at;
        for (uint32_t i = 0; i < at->spec.team_count; i++)
            players += at->spec.teams[i].member_count;
    }
    bool more = last && realm_next_match(m->realm, last);
    response_matches(page, count, more ? last->spec.id : (struct id){0, 0}, &m->answer);
    arena_reset(m->arena);
    answer_ok(m, c);
}

/* No record, so it waits for no disk. */
static void heartbeat_tickets(struct matcher *m, struct call *c, struct request *r) {
    int64_t now_ms = decide_now_ms(m);
    struct id *gone = arena_alloc(m->arena, r->heartbeat.count * sizeof *gone);
    uint32_t gone_count = 0;
    for (uint32_t i = 0; i < r->heartbeat.count; i++) {
        struct id id = r->heartbeat.ticket_ids[i];
        if (!realm_heartbeat(m->realm, id, now_ms)) gone[gone_count++] = id;
    }
    response_gone(gone, gone_count, &m->answer);
    arena_reset(m->arena);
    call_reply(c, ERR_OK, NULL, strbuf_str(&m->answer));
}

/* False: it was refused, and that is the answer. */
static bool decide_request(struct matcher *m, struct call *c, struct request *r,
                           struct outcome *out) {
    struct err_text why;
    enum err code = decide_command(m, &r->command, out, &why);
    if (code != ERR_OK) answer_fail(m, c, code, &why);
    return code == ERR_OK;
}

static void answer_match(struct matcher *m, struct call *c, struct request *r) {
    struct outcome out;
    if (!decide_request(m, c, r, &out)) return;
    response_match(out.match, &m->answer);
    answer_ok(m, c);
}

/* ---- backfills ---- */

static void get_backfill(struct matcher *m, struct call *c, struct request *r) {
    bool by_match = id_is_none(r->get_backfill.backfill_id);
    const struct backfill *b = by_match ? realm_backfill_of(m->realm, r->get_backfill.match_id)
                                        : realm_backfill(m->realm, r->get_backfill.backfill_id);
    if (b) {
        response_backfill(b, realm_match(m->realm, b->spec.match_id), &m->answer);
        answer_ok(m, c);
    } else if (by_match) {
        answer_id_not_found(m, c, "active backfill of match", r->get_backfill.match_id);
    } else {
        answer_id_not_found(m, c, "backfill", r->get_backfill.backfill_id);
    }
}

/* CreateBackfill, UpdateBackfill, CancelBackfill. */
static void change_backfill(struct matcher *m, struct call *c, struct request *r) {
    struct outcome out;
    if (!decide_request(m, c, r, &out)) return;
    response_backfill(out.backfill, out.match, &m->answer);
    answer_ok(m, c);
}

/* ---- queues ---- */

static void put_queue(struct matcher *m, struct call *c, struct request *r) {
    struct outcome out;
    if (!decide_request(m, c, r, &out)) return;
    response_queue(out.queue, out.changed, r->put_notes, &m->answer);
    answer_ok(m, c);
}

static void get_queue(struct matcher *m, struct call *c, struct request *r) {
    uint32_t number = r->get_queue.version;
    const struct queue *q = realm_queue(m->realm, r->get_queue.name);
    struct queue_version v;
    struct err_text why;
    if (!q) {
        answer_not_found(m, c, "queue", r->get_queue.name);
    } else if (!queue_version_find(q, number ? number : q->version, &v)) {
        answer_fail(m, c,
                    err_set_field(&why, ERR_NOT_FOUND, "version",
                                  "version %u of queue %.*s is not kept; the present one is %u",
                                  number, STR_PRINT(r->get_queue.name), q->version),
                    &why);
    } else {
        response_queue_version(q->def->name, &v, &m->answer);
        answer_ok(m, c);
    }
}

static void list_queue_versions(struct matcher *m, struct call *c, struct request *r) {
    const struct queue *q = realm_queue(m->realm, r->name);
    if (!q) {
        answer_not_found(m, c, "queue", r->name);
        return;
    }
    response_queue_versions(q, &m->answer);
    answer_ok(m, c);
}

static void list_queues(struct matcher *m, struct call *c, struct request *r) {
    (void)r; /* has no fields */
    const struct queue **all = arena_alloc(m->arena, LIMIT_QUEUES * sizeof *all);
    uint32_t count = 0;
    for (const struct queue *q = NULL; count < LIMIT_QUEUES && (q = realm_next_queue(m->realm, q));)
        all[count++] = q;
    response_queues(all, count, &m->answer);
    arena_reset(m->arena);
    answer_ok(m, c);
}

static void delete_queue(struct matcher *m, struct call *c, struct request *r) {
    struct outcome out;
    if (decide_request(m, c, r, &out)) answer_ok(m, c);
}

static void queue_stats(struct matcher *m, struct call *c, struct request *r) {
    const struct queue *q = realm_queue(m->realm, r->name);
    if (!q) {
        answer_not_found(m, c, "queue", r->name);
        return;
    }
    int64_t now_ms = decide_now_ms(m);
    response_queue_stats(q, pool_count(q->pool), realm_oldest_wait_ms(m->realm, q, now_ms),
                         &m->answer);
    response_queue_waits(q, now_ms, &m->answer);
    answer_ok(m, c);
}

/* ---- system: tells of the process, not of the realm's records, so it waits for no disk ---- */

static void check(struct matcher *m, struct call *c, struct request *r) {
    (void)r; /* has no fields */
    response_check(m->realm != NULL, &m->answer);
    call_reply(c, ERR_OK, NULL, strbuf_str(&m->answer));
}

/* -1 for an instant that never was. */
static int64_t ms_since(int64_t us) {
    return us ? (clock_mono_us() - us) / 1000 : -1;
}

static void get_status(struct matcher *m, struct call *c, struct request *r) {
    (void)r; /* has no fields */
    struct response_status s = {
        .version = m->o.version,
        .realm = m->o.realm,
        .roles = m->o.roles,
        .role_count = m->o.role_count,
        .leading = m->realm != NULL,
        .epoch = m->epoch,
        .seq = m->seq,
        .uptime_ms = ms_since(m->started_us),
        .lag_entries = m->realm ? 0 : m->standing.behind,
        .lag_ms = m->realm ? 0 : ms_since(m->standing.told_us),
        .lease_age_ms = ms_since(m->standing.lease_us),
        .trouble = m->why.text,
    };
    if (m->realm) {
        s.tickets_queued = realm_tickets_open(m->realm);
        s.matches_kept = realm_matches_kept(m->realm);
        for (const struct queue *q = NULL; (q = realm_next_queue(m->realm, q));)
            s.queue_count++;
    }
    response_status(&s, &m->answer);
    call_reply(c, ERR_OK, NULL, strbuf_str(&m->answer));
}

static const handler_fn handlers[METHOD_COUNT] = {
    [METHOD_CREATE_TICKET] = create_ticket,
    [METHOD_CREATE_TICKETS] = create_tickets,
    [METHOD_GET_TICKET] = get_ticket,
    [METHOD_LIST_TICKETS] = list_tickets,
    [METHOD_CANCEL_TICKET] = change_ticket,
    [METHOD_WATCH_TICKET] = watch_ticket,
    [METHOD_EXPLAIN_TICKET] = explain_ticket,
    [METHOD_GET_MATCH] = get_match,
    [METHOD_LIST_MATCHES] = list_matches,
    [METHOD_ACCEPT_MATCH] = answer_match,
    [METHOD_DECLINE_MATCH] = answer_match,
    [METHOD_ASSIGN_MATCH] = answer_match,
    [METHOD_COMPLETE_MATCH] = answer_match,
    [METHOD_CANCEL_MATCH] = answer_match,
    [METHOD_LEAVE_MATCH] = answer_match,
    [METHOD_CREATE_BACKFILL] = change_backfill,
    [METHOD_GET_BACKFILL] = get_backfill,
    [METHOD_UPDATE_BACKFILL] = change_backfill,
    [METHOD_CANCEL_BACKFILL] = change_backfill,
    [METHOD_HEARTBEAT_TICKETS] = heartbeat_tickets,
    [METHOD_UPDATE_TICKET] = change_ticket,
    [METHOD_PUT_QUEUE] = put_queue,
    [METHOD_GET_QUEUE] = get_queue,
    [METHOD_LIST_QUEUE_VERSIONS] = list_queue_versions,
    [METHOD_LIST_QUEUES] = list_queues,
    [METHOD_DELETE_QUEUE] = delete_queue,
    [METHOD_GET_QUEUE_STATS] = queue_stats,
    [METHOD_CHECK] = check,
    [METHOD_GET_STATUS] = get_status,
};

/* Whether it may go on; sets the refusal otherwise. */
static enum err admit(struct matcher *m, const struct call *c, struct err_text *why) {
    /* Who hands on wants to hear of the leader. */
    bool of_process = c->method->id == METHOD_CHECK || c->method->id == METHOD_GET_STATUS;
    bool answers_always = of_process && !c->handed_on;
    if (!handlers[c->method->id])
        return err_set(why, ERR_INTERNAL, "%s was routed to the matcher", c->method->name);
    if (call_expired(c, clock_mono_us())) {
        metric_add(METRIC_rpc_expired_total, 1);
        return err_set(why, ERR_DEADLINE_EXCEEDED, "its deadline passed before work began");
    }
    if (!m->realm && !answers_always)
        return err_set(why, ERR_UNAVAILABLE, "this matcher does not serve realm %s now: %.300s",
                       m->o.realm, m->why.text[0] ? m->why.text : "it is taking over");
    if (c->method->mutating && m->batch.pending_bytes > LIMIT_PENDING_BYTES)
        return err_set(why, ERR_UNAVAILABLE, "%zu bytes wait to be journaled%s%.300s",
                       m->batch.pending_bytes, m->why.text[0] ? ": " : "", m->why.text);
    return ERR_OK;
}

void handlers_serve(struct matcher *m, struct call *c) {
    struct request *r = c->command;
    struct request owned = *r; /* the call, and its arena, may be gone when the handler returns */
    struct err_text why;
    enum err code = admit(m, c, &why);
    strbuf_clear(&m->answer);
    if (code == ERR_OK)
        handlers[c->method->id](m, c, &owned);
    else
        call_reply(c, code, &why, STR_EMPTY);
    request_fini(&owned);
}
