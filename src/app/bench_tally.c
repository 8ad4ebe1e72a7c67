/* bench_tally.c - see bench_tally.h. */
#include "app/bench_tally.h"

#include "base/clock.h"

#include <stdio.h>

struct tally *tally_new(const struct arrivals *a) {
    struct tally *t = mem_alloc(sizeof *t);
    t->arrivals = a;
    t->matches = mem_array(a->count + 1, sizeof *t->matches);
    return t;
}

void tally_free(struct tally *t) {
    if (!t) return;
    mem_free((void *)t->matches);
    mem_free(t);
}

static int64_t since_due_us(const struct tally *t, size_t ticket, int64_t now_us) {
    return now_us - t->start_us - t->arrivals->due_us[ticket];
}

void tally_sent(struct tally *t, size_t ticket) {
    if (ticket < t->arrivals->before) return;
    histogram_record(&t->sent_late, since_due_us(t, ticket, clock_mono_us()));
    atomic_fetch_add(&t->sent, 1);
}

void tally_created(struct tally *t, size_t ticket) {
    int64_t now_us = clock_mono_us();
    atomic_store(&t->last_created_us, now_us);
    if (ticket < t->arrivals->before) {
        atomic_fetch_add(&t->created_before, 1);
        return;
    }
    histogram_record(&t->created_in, since_due_us(t, ticket, now_us));
    atomic_fetch_add(&t->created, 1);
}

void tally_failed(struct tally *t, size_t ticket, const char *why) {
    int none = 0;
    if (atomic_compare_exchange_strong(&t->first_failure, &none, 1)) {
        snprintf(t->failure, sizeof t->failure, "ticket %zu: %s", ticket, why);
        atomic_store(&t->first_failure, 2);
    }
    atomic_fetch_add(&t->failed, 1);
}

void tally_told(struct tally *t, size_t ticket, struct str match_id) {
    int64_t now_us = clock_mono_us();
    uint64_t match = str_hash(match_id) | 1, before = 0;
    if (!atomic_compare_exchange_strong(&t->matches[ticket], &before, match)) {
        atomic_fetch_add(&t->told_twice, before != match);
        return;
    }
    atomic_store(&t->last_told_us, now_us);
    if (ticket < t->arrivals->before) {
        atomic_fetch_add(&t->told_before, 1);
        return;
    }
    histogram_record(&t->told_in, since_due_us(t, ticket, now_us));
    atomic_fetch_add(&t->told, 1);
}

void tally_match(struct tally *t, const Muster__V1__Match *m) {
    struct tally_quality *q = &t->quality;
    for (size_t i = 0; i < m->n_teams; i++)
        q->players += m->teams[i]->n_players;
    q->matches++;
    q->quality += m->quality;
    q->skill_spread += m->skill_spread;
    q->win_gap += m->win_gap;
    if (!m->region[0]) return;
    q->with_latency++;
    q->latency_ms += m->mean_latency_ms;
    q->worst_latency_ms += m->worst_latency_ms;
}
