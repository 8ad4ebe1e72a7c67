/* response.h - model values become response messages.
 *
 * All append the message's fields to `out`, none can fail; what is passed is borrowed for the call.
 * Cost: the size of what is written. Thread safety: all functions.
 */
#ifndef MUSTER_WIRE_RESPONSE_H
#define MUSTER_WIRE_RESPONSE_H

#include "model/realm.h"
#include "model/why.h"
#include "wire/queue_report.h"
#include "wire/request.h"

/* Fits Create-, Get-, Cancel- and WatchTicketResponse alike. `wait`: what is left of it. `m`: the
 * ticket's match, or NULL. */
void response_ticket(const struct ticket *t, struct ticket_wait wait, const struct match *m,
                     struct strbuf *out);

struct response_explained { /* one of the queues it waits in */
    const struct queue *queue;
    struct why why;
};
/* ExplainTicketResponse; no queues: the ticket does not wait. */
void response_explain(const struct ticket *t, struct ticket_wait wait,
                      const struct response_explained *queues, uint32_t count, struct strbuf *out);

struct response_created { /* per ticket of a CreateTickets */
    struct id ticket_id;  /* none when refused */
    enum err code;
    const struct err_text *why; /* may be NULL when code is OK */
};
void response_created(const struct response_created *items, uint32_t count, struct strbuf *out);

/* HeartbeatTicketsResponse: those that are not open. */
void response_gone(const struct id *tickets, uint32_t count, struct strbuf *out);

/* Adds a ticket to a GetMatchResponse. */
void response_match_ticket(const struct ticket *t, struct ticket_wait wait, struct strbuf *out);
/* Adds a ticket to a ListTicketsResponse. */
void response_listed_ticket(const struct ticket *t, struct ticket_wait wait, struct strbuf *out);
/* The same's next_page_token: `place` is not 0. */
void response_listed_next(uint64_t place, struct strbuf *out);

/* Fits the response of every method on one backfill. `m`: its match, or NULL. */
void response_backfill(const struct backfill *b, const struct match *m, struct strbuf *out);
/* Fits the response of every method on one match. */
void response_match(const struct match *m, struct strbuf *out);
/* `next`: where the next page starts; none at the end. */
void response_matches(const struct match *const *matches, uint32_t count, struct id next,
                      struct strbuf *out);
/* PutQueueResponse. `notes`: a line each, or empty. */
void response_queue(const struct queue *q, bool changed, struct str notes, struct strbuf *out);
void response_queue_version(struct str name, const struct queue_version *v,
                            struct strbuf *out); /* GetQueueResponse */
/* ListQueueVersionsResponse. Reads each definition: about 1 ms for each 100 KB of them. */
void response_queue_versions(const struct queue *q, struct strbuf *out);
void response_queues(const struct queue *const *queues, uint32_t count, struct strbuf *out);
void response_queue_stats(const struct queue *q, uint64_t tickets_queued, int64_t oldest_wait_ms,
                          struct strbuf *out);
/* Adds what a GetQueueStatsResponse says of the waits of tickets that join at `now_ms`. */
void response_queue_waits(const struct queue *q, int64_t now_ms, struct strbuf *out);
void response_report(const struct queue_report *r,
                     struct strbuf *out); /* ValidateRulesetResponse */
void response_check(bool serving, struct strbuf *out);

struct response_status {
    const char *version, *realm;
    const char *const *roles;
    size_t role_count;
    bool leading;
    uint64_t epoch, seq;
    int64_t uptime_ms;
    uint64_t tickets_queued, matches_kept;
    uint32_t queue_count;
    uint64_t lag_entries;
    int64_t lag_ms, lease_age_ms; /* -1: never */
    const char *trouble;
};
void response_status(const struct response_status *s, struct strbuf *out); /* adds all metrics */

#endif
