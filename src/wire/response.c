/* response.c - model values into response messages, written straight from the model. */
#include "wire/response.h"

#include "base/metrics.h"
#include "model/eta.h"
#include "wire/backfill_codec.h"
#include "wire/envelope.h"
#include "wire/explain_codec.h"
#include "wire/fields.h"
#include "wire/json_diff.h"
#include "wire/match_codec.h"
#include "wire/queue_codec.h"
#include "wire/queue_counts.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void write_ticket(const struct ticket *t, struct ticket_wait wait, uint32_t key,
                         struct strbuf *out) {
    struct arena *arena = arena_new(0);
    struct ticket_view view = {
        .id = t->id,
        .state = t->state,
        .spec = ticket_spec(t, arena),
        .created_ms = t->created_ms,
        .expires_ms = ticket_expires_ms(t),
        .ended_ms = ticket_ended_ms(t),
        .heartbeat_ms = t->heartbeat_ms,
        .match_id = ticket_match_id(t),
        .reason = ticket_reason(t),
        .wait = wait,
    };
    ticket_codec_write(&view, key, out);
    arena_free(arena);
}

void response_ticket(const struct ticket *t, struct ticket_wait wait, const struct match *m,
                     struct strbuf *out) {
    write_ticket(t, wait, GetTicketResponse_ticket, out);
    if (m) match_codec_write(&m->spec, GetTicketResponse_match, out);
}

/* One string field per line. */
static void write_lines(struct str lines, uint32_t key, struct strbuf *out) {
    while (lines.size > 0) {
        const char *end = memchr(lines.at, '\n', lines.size);
        size_t size = end ? (size_t)(end - lines.at) : lines.size;
        if (size) pb_add_text(out, key, (struct str){lines.at, size});
        size_t used = end ? size + 1 : size;
        lines = (struct str){lines.at + used, lines.size - used};
    }
}

/* Of one queue of `count`: named where there are several. */
static void write_sentences(const struct response_explained *e, uint32_t count,
                            struct strbuf *out) {
    struct strbuf text = {0};
    if (count > 1) strbuf_printf(&text, "In queue %.*s:\n", STR_PRINT(e->queue->def->name));
    why_text(&e->why, &text);
    write_lines(strbuf_str(&text), ExplainTicketResponse_sentences, out);
    strbuf_fini(&text);
}

void response_explain(const struct ticket *t, struct ticket_wait wait,
                      const struct response_explained *queues, uint32_t count, struct strbuf *out) {
    write_ticket(t, wait, ExplainTicketResponse_ticket, out);
    if (count == 0) {
        struct strbuf text = {0};
        why_text_ended(t, &text);
        write_lines(strbuf_str(&text), ExplainTicketResponse_sentences, out);
        strbuf_fini(&text);
    }
    for (uint32_t i = 0; i < count; i++)
        write_sentences(&queues[i], count, out);
    for (uint32_t i = 0; i < count; i++)
        explain_codec_write(queues[i].queue, &queues[i].why, out);
}

static void write_failure(uint32_t index, const struct response_created *item, struct strbuf *out) {
    size_t failure = pb_open(out, CreateTicketsResponse_failures);
    pb_put_uint(out, TicketFailure_index, index);
    envelope_put_status(item->code, item->why, TicketFailure_status, out);
    pb_close(out, failure);
}

void response_created(const struct response_created *items, uint32_t count, struct strbuf *out) {
    for (uint32_t i = 0; i < count; i++)
        pb_add_id(out, CreateTicketsResponse_ticket_ids, items[i].ticket_id);
    for (uint32_t i = 0; i < count; i++)
        if (items[i].code != ERR_OK) write_failure(i, &items[i], out);
}

void response_gone(const struct id *tickets, uint32_t count, struct strbuf *out) {
    for (uint32_t i = 0; i < count; i++)
        pb_add_id(out, HeartbeatTicketsResponse_gone_ticket_ids, tickets[i]);
}

void response_match_ticket(const struct ticket *t, struct ticket_wait wait, struct strbuf *out) {
    write_ticket(t, wait, GetMatchResponse_tickets, out);
}

void response_listed_ticket(const struct ticket *t, struct ticket_wait wait, struct strbuf *out) {
    write_ticket(t, wait, ListTicketsResponse_tickets, out);
}

void response_listed_next(uint64_t place, struct strbuf *out) {
    char token[24];
    int size = snprintf(token, sizeof token, "%" PRIu64, place);
    pb_put_text(out, ListTicketsResponse_next_page_token, (struct str){token, (size_t)size});
}

void response_backfill(const struct backfill *b, const struct match *m, struct strbuf *out) {
    backfill_codec_write(&b->spec, GetBackfillResponse_backfill, out);
    if (m) match_codec_write(&m->spec, GetBackfillResponse_match, out);
}

void response_match(const struct match *m, struct strbuf *out) {
    match_codec_write(&m->spec, GetMatchResponse_match, out);
}

void response_matches(const struct match *const *matches, uint32_t count, struct id next,
                      struct strbuf *out) {
    for (uint32_t i = 0; i < count; i++)
        match_codec_write(&matches[i]->spec, ListMatchesResponse_matches, out);
    pb_put_id(out, ListMatchesResponse_next_page_token, next);
}

static void write_version(struct str name, const struct queue_version *v, uint32_t key,
                          struct strbuf *out) {
    size_t queue = pb_open(out, key);
    pb_put_text(out, Queue_name, name);
    queue_codec_write(v, out);
    pb_close(out, queue);
}

void response_queue(const struct queue *q, bool changed, struct str notes, struct strbuf *out) {
    struct queue_version now = queue_version_now(q);
    write_version(q->def->name, &now, PutQueueResponse_queue, out);
    pb_put_uint(out, PutQueueResponse_changed, changed);
    write_lines(notes, PutQueueResponse_notes, out);
}

void response_queue_version(struct str name, const struct queue_version *v, struct strbuf *out) {
    write_version(name, v, GetQueueResponse_queue, out);
}

void response_queues(const struct queue *const *queues, uint32_t count, struct strbuf *out) {
    for (uint32_t i = 0; i < count; i++) {
        struct queue_version now = queue_version_now(queues[i]);
        write_version(queues[i]->def->name, &now, ListQueuesResponse_queues, out);
    }
}

/* `before` NULL: it is not kept. */
static void write_change(struct str name, const struct queue_version *v,
                         const struct queue_version *before, struct strbuf *out) {
    size_t version = pb_open(out, ListQueueVersionsResponse_versions);
    struct queue_version bare = *v;
    bare.json = STR_EMPTY;
    write_version(name, &bare, QueueVersion_queue, out);
    if (before) {
        struct strbuf lines = {0};
        uint32_t left_out = json_diff(before->json, v->json, &lines);
        write_lines(strbuf_str(&lines), QueueVersion_changes, out);
        pb_put_uint(out, QueueVersion_changes_left_out, left_out);
        strbuf_fini(&lines);
    }
    pb_close(out, version);
}

void response_queue_versions(const struct queue *q, struct strbuf *out) {
    const struct queue_history *h = &q->history;
    struct queue_version now = queue_version_now(q);
    for (uint32_t i = h->count + 1; i-- > 0;) {
        const struct queue_version *v = i == h->count ? &now : &h->past[i];
        write_change(q->def->name, v, i > 0 ? &h->past[i - 1] : NULL, out);
    }
}

void response_queue_stats(const struct queue *q, uint64_t tickets_queued, int64_t oldest_wait_ms,
                          struct strbuf *out) {
    const struct queue_stats *s = &q->stats;
    pb_put_text(out, GetQueueStatsResponse_name, q->def->name);
    pb_put_uint(out, GetQueueStatsResponse_version, q->version);
    pb_put_uint(out, GetQueueStatsResponse_tickets_queued, tickets_queued);
    pb_put_uint(out, GetQueueStatsResponse_players_queued, q->players_queued);
    pb_put_uint(out, GetQueueStatsResponse_tickets_created_total, s->created);
    pb_put_uint(out, GetQueueStatsResponse_tickets_matched_total, s->matched);
    pb_put_uint(out, GetQueueStatsResponse_tickets_cancelled_total, s->cancelled);
    pb_put_uint(out, GetQueueStatsResponse_tickets_expired_total, s->expired);
    pb_put_uint(out, GetQueueStatsResponse_matches_total, s->matches);
    pb_put_int(out, GetQueueStatsResponse_oldest_wait_ms, oldest_wait_ms);
    pb_put_int(out, GetQueueStatsResponse_wait_p50_ms, queue_wait_quantile_ms(s, 0.50));
    pb_put_int(out, GetQueueStatsResponse_wait_p90_ms, queue_wait_quantile_ms(s, 0.90));
    pb_put_int(out, GetQueueStatsResponse_wait_p99_ms, queue_wait_quantile_ms(s, 0.99));
    if (s->matches)
        pb_put_double(out, GetQueueStatsResponse_quality_mean, s->quality_sum / (double)s->matches);
    pb_put_uint(out, GetQueueStatsResponse_tickets_proposed, q->tickets_open - q->tickets_queued);
    pb_put_uint(out, GetQueueStatsResponse_proposals_total, s->proposals);
    pb_put_uint(out, GetQueueStatsResponse_proposals_failed_total, s->proposals_failed);
    queue_counts_write(q, out);
    for (unsigned b = 0; b < QUEUE_WAIT_BUCKETS; b++) {
        if (s->waits[b] == 0) continue;
        size_t count = pb_open(out, GetQueueStatsResponse_waits);
        pb_put_int(out, WaitCount_up_to_ms, queue_wait_bucket_ms(b));
        pb_put_uint(out, WaitCount_players, s->waits[b]);
        pb_close(out, count);
    }
}

static void write_estimate(const struct eta_row *row, uint32_t key, struct strbuf *out) {
    size_t estimate = pb_open(out, key);
    pb_put_int(out, WaitEstimate_p50_ms, row->wait.rest.p50_ms);
    pb_put_int(out, WaitEstimate_p90_ms, row->wait.rest.p90_ms);
    pb_put_uint(out, WaitEstimate_samples, row->wait.samples);
    pb_put_double(out, WaitEstimate_skill_low, row->key_low);
    pb_put_double(out, WaitEstimate_skill_high, row->key_high);
    pb_put_text(out, WaitEstimate_region, row->region);
    pb_put_uint(out, WaitEstimate_players_min, row->players_min);
    pb_put_uint(out, WaitEstimate_players_max, row->players_max);
    pb_close(out, estimate);
}

void response_queue_waits(const struct queue *q, int64_t now_ms, struct strbuf *out) {
    static const struct {
        enum eta_cut cut;
        uint32_t rows, key;
    } cuts[] = {
        {ETA_BY_QUEUE, 1, GetQueueStatsResponse_eta},
        {ETA_BY_BAND, ETA_BANDS, GetQueueStatsResponse_eta_by_band},
        {ETA_BY_SEGMENT, ETA_SEGMENTS, GetQueueStatsResponse_eta_by_region},
        {ETA_BY_PARTY, ETA_PARTIES, GetQueueStatsResponse_eta_by_party},
    };
    struct eta_ask ask = {.now_ms = now_ms, .left_ms = q->def->ticket_timeout_ms};
    for (size_t i = 0; i < sizeof cuts / sizeof cuts[0]; i++) {
        for (uint32_t row = 0; row < cuts[i].rows; row++) {
            struct eta_row r;
            if (eta_summary(q->eta, cuts[i].cut, row, &ask, &r))
                write_estimate(&r, cuts[i].key, out);
        }
    }
    pb_put_uint(out, GetQueueStatsResponse_eta_told_total, q->stats.estimated);
    pb_put_uint(out, GetQueueStatsResponse_eta_kept_total, q->stats.kept);
}

/* A text that was cut at its limit may end inside a character. */
static struct str problem_utf8(const char *text) {
    struct str s = str_of(text);
    while (s.size > 0 && !str_utf8_valid(s))
        s.size--;
    return s;
}

static void write_findings(const struct problems *all, uint32_t key, struct strbuf *out) {
    for (size_t i = 0; i < all->count; i++) {
        const struct problem *p = &all->at[i];
        size_t finding = pb_open(out, key);
        pb_put_text(out, Finding_message, problem_utf8(p->what.text));
        pb_put_text(out, Finding_field, problem_utf8(p->what.field));
        pb_put_uint(out, Finding_line, p->line);
        pb_put_uint(out, Finding_column, p->column);
        pb_close(out, finding);
    }
}

void response_report(const struct queue_report *r, struct strbuf *out) {
    pb_put_uint(out, ValidateRulesetResponse_ok, r->ok);
    pb_put_text(out, ValidateRulesetResponse_queue, strbuf_str(&r->name));
    write_lines(strbuf_str(&r->summary), ValidateRulesetResponse_summary, out);
    write_findings(&r->notes, ValidateRulesetResponse_notes, out);
    write_findings(&r->problems, ValidateRulesetResponse_problems, out);
    pb_put_uint(out, ValidateRulesetResponse_problems_left_out, r->problems.left_out);
}

void response_check(bool serving, struct strbuf *out) {
    pb_put_uint(out, CheckResponse_serving, serving);
}

static void write_metric(void *arg, const struct metric_sample *sample) {
    struct strbuf *out = arg;
    size_t metric = pb_open(out, GetStatusResponse_metrics);
    pb_put_text(out, Metric_name, str_of(sample->name));
    pb_put_double(out, Metric_value, sample->value);
    pb_close(out, metric);
}

void response_status(const struct response_status *s, struct strbuf *out) {
    pb_put_text(out, GetStatusResponse_version, str_of(s->version));
    pb_put_text(out, GetStatusResponse_realm, str_of(s->realm));
    for (size_t i = 0; i < s->role_count; i++)
        pb_add_text(out, GetStatusResponse_roles, str_of(s->roles[i]));
    pb_put_uint(out, GetStatusResponse_leading, s->leading);
    pb_put_uint(out, GetStatusResponse_epoch, s->epoch);
    pb_put_uint(out, GetStatusResponse_seq, s->seq);
    pb_put_int(out, GetStatusResponse_uptime_ms, s->uptime_ms);
    pb_put_uint(out, GetStatusResponse_tickets_queued, s->tickets_queued);
    pb_put_uint(out, GetStatusResponse_matches_kept, s->matches_kept);
    pb_put_uint(out, GetStatusResponse_queue_count, s->queue_count);
    pb_put_uint(out, GetStatusResponse_lag_entries, s->lag_entries);
    pb_put_int(out, GetStatusResponse_lag_ms, s->lag_ms);
    pb_put_int(out, GetStatusResponse_lease_age_ms, s->lease_age_ms);
    pb_put_text(out, GetStatusResponse_trouble, str_of(s->trouble));
    metrics_each(write_metric, out);
}
