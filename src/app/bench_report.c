/* bench_report.c - a benchmark as a table for people and JSON for programs. */
#include "app/bench.h"

#include "wire/json_write.h"

static const char *const door_names[] = {"rpc", "batch", "socket"};

/* What both forms say. */
struct figures {
    size_t offered, created, told, left;
    double created_per_s, told_per_s, matches_per_s; /* 0: none were */
    double tickets;                                  /* that the cost is divided by; at least 1 */
};

static double per_second(size_t count, double seconds) {
    return seconds > 0 ? (double)count / seconds : 0;
}

static struct figures figures_of(const struct bench_result *r) {
    const struct tally *t = r->tally;
    int64_t created_us = atomic_load(&t->last_created_us) - t->start_us;
    struct figures f = {.offered = r->arrivals.count - r->arrivals.before};
    f.created = atomic_load(&t->created);
    f.told = atomic_load(&t->told);
    f.left = f.created - (f.told < f.created ? f.told : f.created);
    f.created_per_s = per_second(f.created, (double)created_us / 1e6);
    f.told_per_s = per_second(f.told, r->made_s);
    f.matches_per_s = per_second(t->quality.matches, r->made_s);
    f.tickets = f.created ? (double)f.created : 1;
    return f;
}

static double mean(double sum, uint64_t count) {
    return count ? sum / (double)count : 0;
}

/* ---- for people ---- */

static void add_times(struct strbuf *out, const char *what, const struct histogram *h) {
    strbuf_printf(out, "%-20s %9.2f %9.2f %9.2f %9.2f %9.2f\n", what,
                  (double)histogram_quantile(h, 0.5) / 1e3,
                  (double)histogram_quantile(h, 0.9) / 1e3,
                  (double)histogram_quantile(h, 0.99) / 1e3, (double)histogram_max(h) / 1e3,
                  histogram_mean(h) / 1e3);
}

static void add_quality(struct strbuf *out, const struct tally_quality *q) {
    if (!q->matches) return;
    strbuf_printf(out, "quality    %.1f of 100; skill spread %.4g, win gap %.3f",
                  mean(q->quality, q->matches), mean(q->skill_spread, q->matches),
                  mean(q->win_gap, q->matches));
    if (q->with_latency)
        strbuf_printf(out, "; latency %.0f ms, of the worst player %.0f ms",
                      mean(q->latency_ms, q->with_latency),
                      mean(q->worst_latency_ms, q->with_latency));
    strbuf_add_str(out, STR(" (means over matches)\n"));
}

static void add_cost_line(struct strbuf *out, const char *name, double cpu_us, double bytes) {
    strbuf_printf(out, "%-20s %9.2f us CPU a ticket %9.1f MB\n", name, cpu_us, bytes / 1e6);
}

static void add_cost(struct strbuf *out, const struct bench_result *r, const struct figures *f) {
    const struct bench_cost *a = &r->before, *b = &r->after;
    for (size_t i = 0; i < b->process_count; i++)
        add_cost_line(out, b->processes[i].name,
                      (b->processes[i].cpu_s - a->processes[i].cpu_s) * 1e6 / f->tickets,
                      b->processes[i].memory_bytes);
    if (b->redis_address[0]) {
        add_cost_line(out, "redis", (b->redis.cpu_s - a->redis.cpu_s) * 1e6 / f->tickets,
                      (double)b->redis.memory_bytes);
        strbuf_printf(out, "%-20s %9.0f bytes of file, %.0f of memory a ticket\n", "journal",
                      (double)(b->redis.file_bytes - a->redis.file_bytes) / f->tickets,
                      (double)(b->redis.journal_bytes - a->redis.journal_bytes) / f->tickets);
    }
    add_cost_line(out, "this program", (b->own_cpu_s - a->own_cpu_s) * 1e6 / f->tickets,
                  b->own_memory_bytes);
}

static void add_verdict(struct strbuf *out, const struct bench_result *r) {
    const struct tally *t = r->tally;
    const Muster__V1__GetQueueStatsResponse *s = r->server;
    strbuf_printf(out,
                  "counted    by the server: %llu created, %llu matched, %llu waiting, %llu "
                  "expired or cancelled\n",
                  (unsigned long long)s->tickets_created_total,
                  (unsigned long long)s->tickets_matched_total,
                  (unsigned long long)s->tickets_queued,
                  (unsigned long long)(s->tickets_cancelled_total + s->tickets_expired_total));
    if (r->gaps)
        strbuf_printf(out, "events     %llu gaps, all filled\n", (unsigned long long)r->gaps);
    if (atomic_load(&t->failed))
        strbuf_printf(out, "FAILED     %zu tickets; %s\n", atomic_load(&t->failed), t->failure);
    if (atomic_load(&t->told_twice))
        strbuf_printf(out, "WRONG      %zu tickets were told of two matches\n",
                      atomic_load(&t->told_twice));
    if (r->resynced) strbuf_add_str(out, STR("WRONG      events were lost\n"));
    if (!bench_result_good(r) && !atomic_load(&t->failed))
        strbuf_add_str(out, STR("WRONG      the server counted something else\n"));
}

void bench_report_table(const struct bench_result *r, const struct bench_options *o,
                        struct strbuf *out) {
    const struct tally *t = r->tally;
    struct figures f = figures_of(r);
    strbuf_printf(out, "workload   %s: %s\n", o->arrivals.workload, r->arrivals.text);
    strbuf_printf(out, "through    %s, ", door_names[o->door.kind]);
    if (r->arrivals.rate > 0)
        strbuf_printf(out, "%g tickets/s for %g s", r->arrivals.rate, o->arrivals.duration_s);
    else
        strbuf_add_str(out, STR("all at once"));
    strbuf_printf(out, ", seed %llu; muster %s, %s\n", (unsigned long long)o->arrivals.seed,
                  r->version,
                  !o->own    ? "a given server"
                  : o->split ? "a server of its own, a process per role"
                             : "a server of its own, all roles in a process");
    strbuf_printf(out,
                  "tickets    %zu offered, %zu created (%.0f/s), %zu matched (%.0f/s), %zu left",
                  f.offered, f.created, f.created_per_s, f.told, f.told_per_s, f.left);
    if (r->arrivals.before) strbuf_printf(out, "; %zu waited before", r->arrivals.before);
    strbuf_printf(out, "\nmatches    %llu (%.0f/s) of %.3g players\n",
                  (unsigned long long)t->quality.matches, f.matches_per_s,
                  mean((double)t->quality.players, t->quality.matches));
    strbuf_printf(out, "%-20s %9s %9s %9s %9s %9s\n", "ms since it was due", "p50", "p90", "p99",
                  "max", "mean");
    add_times(out, "  sent", &t->sent_late);
    add_times(out, "  created", &t->created_in);
    add_times(out, "  told of its match", &t->told_in);
    add_quality(out, &t->quality);
    add_cost(out, r, &f);
    add_verdict(out, r);
}

/* ---- for programs ---- */

static void write_times(struct json_write *w, const char *name, const struct histogram *h) {
    json_write_open(w, name, '{');
    json_write_int(w, "count", (int64_t)histogram_count(h));
    json_write_number(w, "p50", (double)histogram_quantile(h, 0.5) / 1e3);
    json_write_number(w, "p90", (double)histogram_quantile(h, 0.9) / 1e3);
    json_write_number(w, "p99", (double)histogram_quantile(h, 0.99) / 1e3);
    json_write_number(w, "max", (double)histogram_max(h) / 1e3);
    json_write_number(w, "mean", histogram_mean(h) / 1e3);
    json_write_close(w);
}

static void write_tickets(struct json_write *w, const struct bench_result *r) {
    const struct tally *t = r->tally;
    struct figures f = figures_of(r);
    json_write_open(w, "tickets", '{');
    json_write_int(w, "offered", (int64_t)f.offered);
    json_write_int(w, "before", (int64_t)r->arrivals.before);
    json_write_int(w, "created", (int64_t)f.created);
    json_write_int(w, "failed", (int64_t)atomic_load(&t->failed));
    json_write_int(w, "matched", (int64_t)f.told);
    json_write_int(w, "left", (int64_t)f.left);
    json_write_int(w, "toldTwice", (int64_t)atomic_load(&t->told_twice));
    json_write_number(w, "createdPerSecond", f.created_per_s);
    json_write_number(w, "matchedPerSecond", f.told_per_s);
    json_write_close(w);
    json_write_open(w, "matches", '{');
    json_write_int(w, "count", (int64_t)t->quality.matches);
    json_write_number(w, "perSecond", f.matches_per_s);
    json_write_number(w, "players", mean((double)t->quality.players, t->quality.matches));
    json_write_close(w);
}

static void write_quality(struct json_write *w, const struct tally_quality *q) {
    json_write_open(w, "quality", '{');
    json_write_number(w, "mean", mean(q->quality, q->matches));
    json_write_number(w, "skillSpread", mean(q->skill_spread, q->matches));
    json_write_number(w, "winGap", mean(q->win_gap, q->matches));
    if (q->with_latency) {
        json_write_number(w, "latencyMs", mean(q->latency_ms, q->with_latency));
        json_write_number(w, "worstLatencyMs", mean(q->worst_latency_ms, q->with_latency));
    }
    json_write_close(w);
}

static void write_process(struct json_write *w, const char *name, double cpu_us, double bytes) {
    json_write_open(w, NULL, '{');
    json_write_text(w, "name", str_of(name));
    json_write_number(w, "cpuUsPerTicket", cpu_us);
    json_write_number(w, "memoryBytes", bytes);
    json_write_close(w);
}

static void write_cost(struct json_write *w, const struct bench_result *r) {
    const struct bench_cost *a = &r->before, *b = &r->after;
    double tickets = figures_of(r).tickets;
    json_write_open(w, "processes", '[');
    for (size_t i = 0; i < b->process_count; i++)
        write_process(w, b->processes[i].name,
                      (b->processes[i].cpu_s - a->processes[i].cpu_s) * 1e6 / tickets,
                      b->processes[i].memory_bytes);
    if (b->redis_address[0])
        write_process(w, "redis", (b->redis.cpu_s - a->redis.cpu_s) * 1e6 / tickets,
                      (double)b->redis.memory_bytes);
    write_process(w, "bench", (b->own_cpu_s - a->own_cpu_s) * 1e6 / tickets, b->own_memory_bytes);
    json_write_close(w);
    if (!b->redis_address[0]) return;
    json_write_open(w, "journal", '{');
    json_write_text(w, "redis", str_of(b->redis.version));
    json_write_int(w, "entries", b->redis.journal_entries - a->redis.journal_entries);
    json_write_number(w, "fileBytesPerTicket",
                      (double)(b->redis.file_bytes - a->redis.file_bytes) / tickets);
    json_write_number(w, "memoryBytesPerTicket",
                      (double)(b->redis.journal_bytes - a->redis.journal_bytes) / tickets);
    json_write_close(w);
}

static void write_counted(struct json_write *w, const struct bench_result *r) {
    const Muster__V1__GetQueueStatsResponse *s = r->server;
    json_write_open(w, "counted", '{');
    json_write_int(w, "created", (int64_t)s->tickets_created_total);
    json_write_int(w, "matched", (int64_t)s->tickets_matched_total);
    json_write_int(w, "waiting", (int64_t)s->tickets_queued);
    json_write_int(w, "cancelled", (int64_t)s->tickets_cancelled_total);
    json_write_int(w, "expired", (int64_t)s->tickets_expired_total);
    json_write_int(w, "matches", (int64_t)s->matches_total);
    json_write_close(w);
    json_write_open(w, "events", '{');
    json_write_int(w, "gaps", (int64_t)r->gaps);
    json_write_bool(w, "resynced", r->resynced);
    json_write_close(w);
}

void bench_report_json(const struct bench_result *r, const struct bench_options *o,
                       struct strbuf *out) {
    struct json_write w = json_write_to(out);
    json_write_open(&w, NULL, '{');
    json_write_text(&w, "workload", str_of(o->arrivals.workload));
    json_write_text(&w, "text", str_of(r->arrivals.text));
    json_write_text(&w, "queue", str_of(r->queue));
    json_write_text(&w, "door", str_of(door_names[o->door.kind]));
    json_write_text(&w, "version", str_of(r->version));
    json_write_number(&w, "rate", r->arrivals.rate);
    json_write_number(&w, "durationSeconds", o->arrivals.duration_s);
    json_write_int(&w, "seed", (int64_t)o->arrivals.seed);
    write_tickets(&w, r);
    write_times(&w, "sentMs", &r->tally->sent_late);
    write_times(&w, "createdMs", &r->tally->created_in);
    write_times(&w, "matchedMs", &r->tally->told_in);
    write_quality(&w, &r->tally->quality);
    write_cost(&w, r);
    write_counted(&w, r);
    if (atomic_load(&r->tally->failed)) json_write_text(&w, "failure", str_of(r->tally->failure));
    json_write_bool(&w, "good", bench_result_good(r));
    json_write_close(&w);
}
