/* what_if.c - three runs over one recorded trace, and the change between two of them. */
#include "sim/what_if.h"

#include "base/mem.h"
#include "base/rng.h"
#include "wire/json_write.h"
#include "wire/queue_json.h"

#include <inttypes.h>
#include <math.h>

enum { BUCKETS = 420, RESAMPLES = 500, SEED = 1 };
#define BUCKET_FIRST_S 0.005
#define BUCKET_FACTOR 1.04 /* resolution of a quantile */

/* Sums over the players of one stretch of time, of one run. */
struct tally {
    double players, matched, wait_s, mismatch, imbalance, ping, win_gap;
    double all[BUCKETS], lowest[BUCKETS], highest[BUCKETS]; /* players by wait */
};

struct skills { /* bounds of the lowest and highest 2 % */
    double low, high;
};

/* ---- tallies ---- */

static size_t bucket_of(double wait_s) {
    if (wait_s <= BUCKET_FIRST_S) return 0;
    double at = ceil(log(wait_s / BUCKET_FIRST_S) / log(BUCKET_FACTOR));
    return at < BUCKETS - 1 ? (size_t)at : BUCKETS - 1;
}

static double quantile_of(const double *buckets, double q) {
    double total = 0, seen = 0;
    for (int i = 0; i < BUCKETS; i++)
        total += buckets[i];
    for (int i = 0; total > 0 && i < BUCKETS; i++) {
        seen += buckets[i];
        if (seen >= q * total) return i ? BUCKET_FIRST_S * pow(BUCKET_FACTOR, i - 0.5) : 0;
    }
    return 0;
}

static void add_player(struct tally *t, const struct measure_player *p, double skill,
                       const struct skills *bounds) {
    size_t bucket = bucket_of(p->wait_s);
    t->players++;
    t->matched += p->matched;
    t->wait_s += p->wait_s;
    t->mismatch += p->mismatch;
    t->imbalance += p->imbalance;
    t->ping += measure_cost(p) - p->mismatch - p->imbalance;
    t->win_gap += p->win_gap;
    t->all[bucket]++;
    if (skill <= bounds->low) t->lowest[bucket]++;
    if (skill >= bounds->high) t->highest[bucket]++;
}

static void add_tally(struct tally *sum, const struct tally *t) {
    sum->players += t->players;
    sum->matched += t->matched;
    sum->wait_s += t->wait_s;
    sum->mismatch += t->mismatch;
    sum->imbalance += t->imbalance;
    sum->ping += t->ping;
    sum->win_gap += t->win_gap;
    for (int i = 0; i < BUCKETS; i++) {
        sum->all[i] += t->all[i];
        sum->lowest[i] += t->lowest[i];
        sum->highest[i] += t->highest[i];
    }
}

static void read_rows(const struct tally *t, double rows[WHAT_IF_ROWS]) {
    double players = fmax(1, t->players), matched = fmax(1, t->matched);
    rows[ROW_WAIT_MEAN] = t->wait_s / players;
    rows[ROW_WAIT_P50] = quantile_of(t->all, 0.5);
    rows[ROW_WAIT_P95] = quantile_of(t->all, 0.95);
    rows[ROW_WAIT_P99] = quantile_of(t->all, 0.99);
    rows[ROW_UNMATCHED] = 100 * (1 - t->matched / players);
    rows[ROW_LOWEST_P95] = quantile_of(t->lowest, 0.95);
    rows[ROW_HIGHEST_P95] = quantile_of(t->highest, 0.95);
    rows[ROW_MISMATCH] = t->mismatch / matched;
    rows[ROW_IMBALANCE] = t->imbalance / matched;
    rows[ROW_PING] = t->ping / matched;
    rows[ROW_Q] = (t->mismatch + t->imbalance + t->ping) / matched;
    rows[ROW_WIN_GAP] = t->win_gap / matched;
}

/* ---- runs ---- */

struct runs {
    struct history *h;
    const struct sim_what_if *o;
    struct tally *blocks; /* [run][block] */
    struct what_if *out;
    const char *what; /* the run in progress */
};

static void show(void *arg, double share) {
    const struct runs *r = arg;
    if (r->o->progress) r->o->progress(r->o->progress_arg, r->what, share);
}

static struct skills skill_bounds(const struct field *f, const struct measure_player *players,
                                  size_t count) {
    double *skills = mem_array(count + 1, sizeof *skills);
    for (size_t i = 0; i < count; i++)
        skills[i] = f->tickets[players[i].ticket].skill;
    double low = measure_quantile(skills, count, 0.02);
    struct skills s = {low, measure_quantile(skills, count, 0.98)};
    mem_free(skills);
    return s;
}

static void tally_run(struct runs *r, enum what_if_run run, const struct play *play) {
    struct measure_player *players;
    struct measure m;
    const struct field *f = play->field;
    size_t count = measure_players(play, &players);
    struct skills bounds = skill_bounds(f, players, count);
    struct tally *blocks = r->blocks + (size_t)run * WHAT_IF_BLOCKS;
    struct tally *sum = mem_alloc(sizeof *sum);
    for (size_t i = 0; i < count; i++) {
        double at = (double)f->trace->tickets[players[i].ticket].at_ms;
        size_t block = (size_t)(at * WHAT_IF_BLOCKS / (double)f->trace->to_ms);
        add_player(&blocks[block], &players[i], f->tickets[players[i].ticket].skill, &bounds);
    }
    for (int b = 0; b < WHAT_IF_BLOCKS; b++)
        add_tally(sum, &blocks[b]);
    read_rows(sum, r->out->values[run]);
    measure_play(&m, play);
    r->out->max_s[run] = m.waits.max;
    r->out->matches[run] = m.matches;
    r->out->invalid[run] = m.invalid;
    r->out->tickets = m.tickets;
    r->out->players = count;
    mem_free(sum);
    mem_free(players);
}

static void count_refused(struct runs *r, const struct ruleset *rules) {
    struct err_text why;
    for (size_t i = 0; i < r->h->trace.count; i++) {
        if (ruleset_admit(rules, &r->h->trace.tickets[i].spec, &why) == ERR_OK) continue;
        if (r->out->refused++ == 0) r->out->refusal = why;
    }
}

/* Replays under one definition; the recorded matches as well, where `run` says so. */
static enum err run_one(struct runs *r, enum what_if_run run, struct str json,
                        struct err_text *why) {
    struct queue_def *def;
    struct field f;
    struct play play;
    enum err code = queue_json_parse(json, true, &def, NULL, why);
    if (code != ERR_OK) return code;
    r->h->plays_in = def->name;
    if (run == WHAT_IF_RECORDED)
        history_leave_as_recorded(r->h);
    else
        history_leave_after(r->h, def->ticket_timeout_ms);
    field_init(&f, &r->h->trace, def->ruleset, false);
    struct matcher_setup setup = {.field = &f, .queue_json = json, .seed = SEED};
    for (int k = 0; k < MATCHER_KNOBS; k++)
        setup.knobs[k] = NAN; /* as the definition says */
    if (run == WHAT_IF_RECORDED)
        history_play(r->h, &f, &play);
    else
        play_run(&play, &muster_matcher, &setup, show, r);
    if (run == WHAT_IF_NEW) count_refused(r, def->ruleset);
    tally_run(r, run, &play);
    play_fini(&play);
    field_fini(&f);
    queue_def_free(def);
    return ERR_OK;
}

static void resample(const struct runs *r) {
    double *changes = mem_array((size_t)WHAT_IF_ROWS * RESAMPLES, sizeof *changes);
    struct tally *sums = mem_array(2, sizeof *sums);
    struct rng rng;
    rng_init(&rng, SEED);
    for (int i = 0; i < RESAMPLES; i++) {
        double rows[2][WHAT_IF_ROWS];
        sums[0] = sums[1] = (struct tally){0};
        for (int b = 0; b < WHAT_IF_BLOCKS; b++) {
            size_t block = rng_below(&rng, WHAT_IF_BLOCKS);
            add_tally(&sums[0], &r->blocks[WHAT_IF_REPLAYED * WHAT_IF_BLOCKS + block]);
            add_tally(&sums[1], &r->blocks[WHAT_IF_NEW * WHAT_IF_BLOCKS + block]);
        }
        read_rows(&sums[0], rows[0]);
        read_rows(&sums[1], rows[1]);
        for (int row = 0; row < WHAT_IF_ROWS; row++)
            changes[row * RESAMPLES + i] = rows[1][row] - rows[0][row];
    }
    for (int row = 0; row < WHAT_IF_ROWS; row++) {
        struct what_if *w = r->out;
        w->change[row] = w->values[WHAT_IF_NEW][row] - w->values[WHAT_IF_REPLAYED][row];
        w->low[row] = measure_quantile(changes + row * RESAMPLES, RESAMPLES, 0.025);
        w->high[row] = measure_quantile(changes + row * RESAMPLES, RESAMPLES, 0.975);
    }
    mem_free(changes);
    mem_free(sums);
}

enum err what_if_run(struct what_if *w, struct history *h, struct str new_json,
                     const struct sim_what_if *o, struct err_text *why) {
    *w = (struct what_if){0};
    if (h->queue_json.size == 0)
        return err_set(why, ERR_FAILED_PRECONDITION,
                       "the recording holds no definition of queue \"%.*s\"; `muster events "
                       "--export` writes it",
                       STR_PRINT(h->queue));
    struct runs r = {.h = h, .o = o, .out = w};
    r.blocks = mem_array((size_t)WHAT_IF_RUNS * WHAT_IF_BLOCKS, sizeof *r.blocks);
    enum err code = run_one(&r, WHAT_IF_RECORDED, h->queue_json, why);
    r.what = "under the old rules";
    if (code == ERR_OK) code = run_one(&r, WHAT_IF_REPLAYED, h->queue_json, why);
    r.what = "under the new rules";
    if (code == ERR_OK) code = run_one(&r, WHAT_IF_NEW, new_json, why);
    if (code == ERR_OK) resample(&r);
    mem_free(r.blocks);
    return code;
}

/* ---- report ---- */

static const struct row {
    const char *text, *name; /* for people; in JSON */
} row_names[WHAT_IF_ROWS] = {
    [ROW_WAIT_MEAN] = {"wait, mean, s", "waitMean"},
    [ROW_WAIT_P50] = {"wait, p50, s", "waitP50"},
    [ROW_WAIT_P95] = {"wait, p95, s", "waitP95"},
    [ROW_WAIT_P99] = {"wait, p99, s", "waitP99"},
    [ROW_UNMATCHED] = {"not matched, %", "unmatchedPercent"},
    [ROW_LOWEST_P95] = {"p95 of the lowest 2 %, s", "waitP95Lowest"},
    [ROW_HIGHEST_P95] = {"p95 of the highest 2 %, s", "waitP95Highest"},
    [ROW_MISMATCH] = {"mismatch, points", "mismatch"},
    [ROW_IMBALANCE] = {"imbalance, points", "imbalance"},
    [ROW_PING] = {"ping cost, points", "pingCost"},
    [ROW_Q] = {"Q, points", "q"},
    [ROW_WIN_GAP] = {"win probability gap", "winGap"},
};

static void write_table(const struct what_if *w, const struct history *h, struct strbuf *out) {
    strbuf_printf(out,
                  "queue %.*s, version %u of %u: %" PRIu64 " tickets, %" PRIu64
                  " players, %.0f s\n\n%-26s %10s %10s %10s   %s\n",
                  STR_PRINT(h->queue), h->version, h->versions, w->tickets, w->players,
                  (double)h->end_ms / 1000, "", "recorded", "replayed", "new rules",
                  "change (95 % interval)");
    for (int row = 0; row < WHAT_IF_ROWS; row++) {
        bool sure = w->low[row] > 0 || w->high[row] < 0;
        strbuf_printf(out, "%-26s %10.3f %10.3f %10.3f   %+.3f (%+.3f .. %+.3f)%s\n",
                      row_names[row].text, w->values[0][row], w->values[1][row], w->values[2][row],
                      w->change[row], w->low[row], w->high[row], sure ? "" : "  may be chance");
    }
    strbuf_printf(out,
                  "%-26s %10.1f %10.1f %10.1f\n%-26s %10" PRIu64 " %10" PRIu64 " %10" PRIu64 "\n",
                  "longest wait, s", w->max_s[0], w->max_s[1], w->max_s[2], "matches",
                  w->matches[0], w->matches[1], w->matches[2]);
    if (w->refused)
        strbuf_printf(out, "\nThe new rules refuse %" PRIu64 " tickets; the first: %s\n",
                      w->refused, w->refusal.text);
}

static void write_json(const struct what_if *w, const struct history *h, struct strbuf *out) {
    static const char *const runs[WHAT_IF_RUNS] = {"recorded", "replayed", "newRules"};
    struct json_write j = json_write_to(out);
    json_write_open(&j, NULL, '{');
    json_write_text(&j, "queue", h->queue);
    json_write_int(&j, "version", h->version);
    json_write_int(&j, "tickets", (int64_t)w->tickets);
    json_write_int(&j, "players", (int64_t)w->players);
    json_write_int(&j, "refused", (int64_t)w->refused);
    for (int run = 0; run < WHAT_IF_RUNS; run++) {
        json_write_open(&j, runs[run], '{');
        for (int row = 0; row < WHAT_IF_ROWS; row++)
            json_write_number(&j, row_names[row].name, w->values[run][row]);
        json_write_number(&j, "waitMax", w->max_s[run]);
        json_write_int(&j, "matches", (int64_t)w->matches[run]);
        json_write_int(&j, "invalid", (int64_t)w->invalid[run]);
        json_write_close(&j);
    }
    json_write_open(&j, "change", '{');
    for (int row = 0; row < WHAT_IF_ROWS; row++) {
        json_write_open(&j, row_names[row].name, '{');
        json_write_number(&j, "value", w->change[row]);
        json_write_number(&j, "low", w->low[row]);
        json_write_number(&j, "high", w->high[row]);
        json_write_close(&j);
    }
    json_write_close(&j);
    json_write_close(&j);
}

void what_if_report(const struct what_if *w, const struct history *h, struct sim_output *out) {
    write_table(w, h, &out->table);
    write_json(w, h, &out->json);
    /* Recorded matches may be older than the definition that is taken for all of them. */
    out->valid = w->invalid[WHAT_IF_REPLAYED] == 0 && w->invalid[WHAT_IF_NEW] == 0;
}
