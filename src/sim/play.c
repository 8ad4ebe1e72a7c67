/* play.c - arrivals, departures and turns in the order of virtual time. */
#include "sim/play.h"

#include "base/clock.h"
#include "base/digest.h"
#include "base/heap.h"
#include "base/mem.h"

struct playing {
    struct play *play;
    const struct field *field;
    struct heap leaves;      /* of `nodes`, due when they leave */
    struct heap_node *nodes; /* per ticket; started while it waits */
    size_t next;             /* arrival */
    size_t open;             /* measured tickets that have not ended */
    int64_t now_ms;
    struct strbuf hashed; /* the hash so far and the next match */
};

static bool is_measured(const struct playing *p, uint32_t ticket) {
    const struct trace *t = p->field->trace;
    int64_t at_ms = t->tickets[ticket].at_ms;
    return at_ms >= t->from_ms && at_ms < t->to_ms;
}

static void end_ticket(struct playing *p, uint32_t ticket) {
    heap_stop(&p->leaves, &p->nodes[ticket]);
    p->open -= is_measured(p, ticket);
}

static void add_hash(struct playing *p, const struct field_match *m) {
    strbuf_clear(&p->hashed);
    strbuf_add(&p->hashed, &p->play->hash, sizeof p->play->hash);
    strbuf_add(&p->hashed, &p->now_ms, sizeof p->now_ms);
    strbuf_add(&p->hashed, m->tickets, m->ticket_count * sizeof *m->tickets);
    strbuf_add(&p->hashed, m->team_of, m->ticket_count * sizeof *m->team_of);
    p->play->hash = digest64(strbuf_str(&p->hashed));
}

static void take_match(void *arg, const struct field_match *m) {
    struct playing *p = arg;
    struct play *out = p->play;
    if (out->match_count == out->match_capacity) {
        out->match_capacity = out->match_capacity ? 2 * out->match_capacity : 256;
        out->matches = mem_grow(out->matches, out->match_capacity, sizeof *out->matches);
    }
    if (out->member_count + m->ticket_count > out->member_capacity) {
        out->member_capacity = 2 * (out->member_capacity + m->ticket_count);
        out->members = mem_grow(out->members, out->member_capacity, sizeof *out->members);
    }
    out->matches[out->match_count] =
        (struct play_match){p->now_ms, (uint32_t)out->member_count, m->ticket_count, m->region};
    for (uint32_t i = 0; i < m->ticket_count; i++) {
        uint32_t t = m->tickets[i];
        out->members[out->member_count++] = (struct play_member){t, m->team_of[i]};
        if (!heap_started(&p->nodes[t])) {
            out->wrong++;
            continue;
        }
        out->match_of[t] = (uint32_t)out->match_count;
        end_ticket(p, t);
    }
    out->match_count++;
    add_hash(p, m);
}

static void begin(struct playing *p, struct play *out, const struct field *field) {
    *out = (struct play){.field = field};
    *p = (struct playing){.play = out, .field = field};
    size_t count = field->trace->count;
    p->nodes = mem_array(count + 1, sizeof *p->nodes);
    out->match_of = mem_array(count + 1, sizeof *out->match_of);
    out->promises = mem_array(count + 1, sizeof *out->promises);
    for (size_t i = 0; i < count; i++) {
        out->match_of[i] = FIELD_NONE;
        p->open += is_measured(p, (uint32_t)i);
    }
}

static int64_t next_ms(const struct playing *p, int64_t due_ms) {
    const struct trace *t = p->field->trace;
    int64_t at = p->next < t->count ? t->tickets[p->next].at_ms : INT64_MAX;
    int64_t leave = heap_due(&p->leaves);
    at = leave < at ? leave : at;
    return due_ms < at ? due_ms : at;
}

static void step(struct playing *p, const struct matcher_kind *kind, struct matcher *m) {
    const struct trace *t = p->field->trace;
    for (; p->next < t->count && t->tickets[p->next].at_ms <= p->now_ms; p->next++) {
        heap_start(&p->leaves, &p->nodes[p->next], t->tickets[p->next].leave_ms);
        kind->arrive(m, (uint32_t)p->next, p->now_ms);
    }
    struct heap_node *node;
    while ((node = heap_take_due(&p->leaves, p->now_ms))) {
        uint32_t ticket = (uint32_t)(node - p->nodes);
        p->open -= is_measured(p, ticket);
        kind->leave(m, ticket, p->now_ms);
    }
    if (kind->due_ms(m) <= p->now_ms) kind->turn(m, p->now_ms);
}

void play_run(struct play *out, const struct matcher_kind *kind, const struct matcher_setup *setup,
              play_progress_fn progress, void *progress_arg) {
    struct playing p;
    begin(&p, out, setup->field);
    struct matcher_setup own = *setup;
    own.promises = out->promises;
    own.sink = take_match;
    own.sink_arg = &p;
    struct budget budget;
    budget_start(&budget, setup->budget_s);
    own.budget = &budget;
    int64_t span_ms = setup->field->trace->to_ms, shown_ms = 0;
    int64_t cpu_ns = clock_thread_cpu_ns();
    struct matcher *m = kind->open(&own);
    while (p.open > 0 && !budget_spent(&budget)) {
        int64_t next = next_ms(&p, kind->due_ms(m));
        if (next == INT64_MAX) break;
        p.now_ms = next > p.now_ms ? next : p.now_ms;
        step(&p, kind, m);
        if (progress && p.now_ms - shown_ms > span_ms / 100) {
            shown_ms = p.now_ms;
            progress(progress_arg, span_ms ? (double)p.now_ms / (double)span_ms : 1);
        }
    }
    out->arrived = p.next;
    out->end_ms = p.now_ms;
    out->over_budget = budget.spent;
    kind->close(m);
    out->cpu_ns = clock_thread_cpu_ns() - cpu_ns;
    heap_fini(&p.leaves);
    mem_free(p.nodes);
    strbuf_fini(&p.hashed);
}

void play_fini(struct play *p) {
    mem_free(p->matches);
    mem_free(p->members);
    mem_free(p->match_of);
    mem_free(p->promises);
    *p = (struct play){0};
}

void play_read_match(const struct play *p, size_t index, uint32_t *tickets,
                     struct field_match *out) {
    const struct play_match *m = &p->matches[index];
    *out = (struct field_match){
        .tickets = tickets, .ticket_count = m->count, .region = m->region, .at_ms = m->at_ms};
    for (uint32_t i = 0; i < m->count; i++) {
        tickets[i] = p->members[m->first + i].ticket;
        out->team_of[i] = p->members[m->first + i].team;
    }
}
