/* counts.c - the differences since the last time, queue by queue. */
#include "matcher/counts.h"

#include "base/mem.h"
#include "base/metrics.h"
#include "model/queue.h"
#include "wire/queue_counts.h"

enum state { STATE_QUEUED, STATE_PROPOSED, STATE_COUNT };
enum end { END_MATCHED, END_CANCELLED, END_EXPIRED, END_COUNT };
enum answer { PROPOSAL_ACCEPTED, PROPOSAL_DECLINED, PROPOSAL_LATE, PROPOSAL_WITHDRAWN, ANSWERS };

static const struct str state_names[STATE_COUNT] = {{"QUEUED", 6}, {"PROPOSED", 8}};
static const struct str end_names[END_COUNT] = {{"matched", 7}, {"cancelled", 9}, {"expired", 7}};
static const struct str backfill_names[END_COUNT] = {
    {"filled", 6}, {"cancelled", 9}, {"expired", 7}};
static const struct str answer_names[ANSWERS] = {
    {"accepted", 8}, {"declined", 8}, {"timed_out", 9}, {"withdrawn", 9}};

struct queue_counts {
    struct str name;  /* owned */
    bool seen;        /* in this round */
    uint32_t version; /* whose searches are published */
    struct queue_stats published;
    struct metric_series *tickets[STATE_COUNT], *arrivals, *matches, *ended[END_COUNT];
    struct metric_series *backfills, *wait, *quality, *spread, *gap;
};

static bool has_name(const void *value, const void *name) {
    return str_equal(((const struct queue_counts *)value)->name, *(const struct str *)name);
}

static struct queue_counts *queue_counts_new(struct str name) {
    struct queue_counts *q = mem_alloc(sizeof *q);
    q->name = (struct str){mem_text(name), name.size};
    for (int s = 0; s < STATE_COUNT; s++)
        q->tickets[s] = metric_series(METRIC_queue_tickets, (struct str[]){name, state_names[s]});
    q->arrivals = metric_series(METRIC_queue_arrivals_total, &name);
    q->matches = metric_series(METRIC_queue_matches_total, &name);
    for (int e = 0; e < END_COUNT; e++)
        q->ended[e] = metric_series(METRIC_queue_ended_total, (struct str[]){name, end_names[e]});
    q->backfills = metric_series(METRIC_queue_backfills, &name);
    q->wait = metric_series(METRIC_queue_wait_seconds, &name);
    q->quality = metric_series(METRIC_queue_quality, &name);
    q->spread = metric_series(METRIC_queue_skill_spread, &name);
    q->gap = metric_series(METRIC_queue_team_gap, &name);
    return q;
}

static struct queue_counts *counts_of(struct counts *c, struct str name) {
    uint64_t hash = str_hash(name);
    struct queue_counts *q = map_get(&c->queues, hash, has_name, &name);
    if (q) return q;
    q = queue_counts_new(name);
    map_put(&c->queues, hash, q);
    return q;
}

static void begin_queue(struct queue_counts *c, const struct queue *q) {
    c->published = q->stats;
    c->version = q->version;
}

void counts_begin(struct counts *c, const struct realm *r) {
    c->realm = realm_counted(r);
    c->due_ms = 0;
    for (const struct queue *q = NULL; (q = realm_next_queue(r, q));)
        begin_queue(counts_of(c, q->def->name), q);
}

void counts_match(struct counts *c, const struct match_spec *m) {
    struct queue_counts *q = counts_of(c, m->queue);
    metric_observe(q->quality, m->quality);
    metric_observe(q->spread, m->skill_spread);
    metric_observe(q->gap, m->team_gap);
}

struct labelled { /* a series that comes into being with its first count */
    enum metric metric;
    struct str queue, label;
};

static void publish_more(const struct labelled *l, uint64_t is, uint64_t was) {
    if (is == was) return;
    const struct str values[] = {l->queue, l->label};
    metric_series_add(metric_series(l->metric, values), (int64_t)(is - was));
}

static void publish_searches(struct queue_counts *q, const struct queue *queue) {
    struct queue_search_stats *was = &q->published.search;
    const struct queue_search_stats *is = &queue->stats.search;
    const struct ruleset *r = queue->def->ruleset;
    if (queue->version != q->version) *was = (struct queue_search_stats){0};
    q->version = queue->version;
    struct labelled l = {METRIC_queue_rejections_total, q->name, STR(QUEUE_COUNTS_PATIENCE)};
    publish_more(&l, is->refused_patience, was->refused_patience);
    l.label = STR(QUEUE_COUNTS_PLAYERS);
    publish_more(&l, is->refused_few, was->refused_few);
    for (uint32_t i = 0; i < ruleset_rule_count(r); i++) {
        l.label = ruleset_rule_name(r, i);
        publish_more(&l, is->refused[i], was->refused[i]);
    }
    l.metric = METRIC_queue_expansions_total;
    for (uint32_t i = 0; i < ruleset_expansion_count(r); i++) {
        l.label = ruleset_expansion(r, i).target;
        publish_more(&l, is->expanded[i], was->expanded[i]);
    }
}

static uint64_t withdrawn(const struct queue_stats *s) {
    return s->proposals_failed - s->proposals_declined - s->proposals_timed_out;
}

/* Series that queues without acceptance never have. */
static void publish_proposals(const struct queue_counts *q, const struct queue_stats *is) {
    const struct queue_stats *was = &q->published;
    const uint64_t more[ANSWERS] = {
        [PROPOSAL_ACCEPTED] = is->proposals_accepted - was->proposals_accepted,
        [PROPOSAL_DECLINED] = is->proposals_declined - was->proposals_declined,
        [PROPOSAL_LATE] = is->proposals_timed_out - was->proposals_timed_out,
        [PROPOSAL_WITHDRAWN] = withdrawn(is) - withdrawn(was),
    };
    for (int a = 0; a < ANSWERS; a++) {
        struct labelled l = {METRIC_queue_proposals_total, q->name, answer_names[a]};
        publish_more(&l, more[a], 0);
    }
}

static void publish_backfills(const struct queue_counts *q, const struct queue *queue) {
    const struct queue_stats *is = &queue->stats, *was = &q->published;
    const uint64_t more[END_COUNT] = {
        [END_MATCHED] = is->backfills_filled - was->backfills_filled,
        [END_CANCELLED] = is->backfills_cancelled - was->backfills_cancelled,
        [END_EXPIRED] = is->backfills_expired - was->backfills_expired,
    };
    uint64_t joined = is->players_backfilled - was->players_backfilled;
    metric_series_set(q->backfills, (int64_t)queue->backfills.count);
    for (int e = 0; e < END_COUNT; e++) {
        struct labelled l = {METRIC_queue_backfills_ended_total, q->name, backfill_names[e]};
        publish_more(&l, more[e], 0);
    }
    if (joined)
        metric_series_add(metric_series(METRIC_queue_backfilled_players_total, &q->name),
                          (int64_t)joined);
}

static void publish_queue(struct queue_counts *q, const struct queue *queue) {
    const struct queue_stats *is = &queue->stats, *was = &q->published;
    if (is->created < was->created) q->published = (struct queue_stats){0}; /* deleted, made anew */
    q->seen = true;
    metric_series_set(q->tickets[STATE_QUEUED], (int64_t)queue->tickets_queued);
    metric_series_set(q->tickets[STATE_PROPOSED],
                      (int64_t)(queue->tickets_open - queue->tickets_queued));
    metric_series_add(q->arrivals, (int64_t)(is->created - was->created));
    metric_series_add(q->matches, (int64_t)(is->matches - was->matches));
    metric_series_add(q->ended[END_MATCHED], (int64_t)(is->matched - was->matched));
    metric_series_add(q->ended[END_CANCELLED], (int64_t)(is->cancelled - was->cancelled));
    metric_series_add(q->ended[END_EXPIRED], (int64_t)(is->expired - was->expired));
    publish_proposals(q, is);
    publish_backfills(q, queue);
    publish_searches(q, queue);
    for (unsigned b = 0; b < QUEUE_WAIT_BUCKETS; b++)
        if (is->waits[b] != was->waits[b])
            metric_observe_many(q->wait, (double)queue_wait_bucket_ms(b) / 1000,
                                is->waits[b] - was->waits[b]);
    q->published = *is;
}

static void publish_realm(struct counts *c, const struct realm *r) {
    struct realm_counts was = c->realm, is = realm_counted(r);
    metric_add(METRIC_searches_total, (int64_t)(is.searches - was.searches));
    metric_add(METRIC_search_groups_total, (int64_t)(is.groups - was.groups));
    metric_add(METRIC_search_truncated_total, (int64_t)(is.truncated - was.truncated));
    metric_add(METRIC_backfill_searches_total, (int64_t)(is.fills - was.fills));
    metric_add(METRIC_backfills_missed_total,
               (int64_t)(is.backfills_missed - was.backfills_missed));
    metric_add(METRIC_forms_unshared_total, (int64_t)(is.forms_unshared - was.forms_unshared));
    metric_add(METRIC_kept_forgotten_total, (int64_t)(is.forgotten_early - was.forgotten_early));
    c->realm = is;
}

static void forget(struct counts *c, struct queue_counts *q) {
    for (int s = 0; s < STATE_COUNT; s++)
        metric_series_set(q->tickets[s], 0);
    metric_series_set(q->backfills, 0);
    map_remove(&c->queues, str_hash(q->name), q);
    mem_free((char *)q->name.at);
    mem_free(q);
}

/* Those deleted since the last time. */
static void forget_unseen(struct counts *c) {
    size_t cursor = 0;
    for (struct queue_counts *q; (q = map_next(&c->queues, &cursor)); q->seen = false)
        if (!q->seen) {
            forget(c, q);
            return; /* the walk has lost its place: the others next time */
        }
}

void counts_publish(struct counts *c, const struct realm *r, int64_t now_ms) {
    metric_set(METRIC_tickets_queued, (int64_t)realm_tickets_open(r));
    if (now_ms < c->due_ms) return;
    c->due_ms = now_ms + COUNTS_EVERY_MS;
    publish_realm(c, r);
    for (const struct queue *q = NULL; (q = realm_next_queue(r, q));)
        publish_queue(counts_of(c, q->def->name), q);
    forget_unseen(c);
}

void counts_end(struct counts *c) {
    size_t cursor = 0;
    for (struct queue_counts *q; (q = map_next(&c->queues, &cursor)); cursor = 0)
        forget(c, q);
    map_fini(&c->queues);
    *c = (struct counts){0};
    metric_set(METRIC_tickets_queued, 0);
}
