/* pool_test.c - order by key, the neighbourhood of a ticket, and who is searched when. */
#include "support/model_kit.h"

#include "model/gather.h"
#include "model/pool.h"

#include <math.h>

static const struct kit_rules spread_100 = {
    .teams = 2, .players_min = 1, .players_max = 1, .spread = 100};

static struct ticket *ticket(struct arena *a, double skill, int64_t created_ms, struct rng *rng) {
    struct kit_player k = {.id = "p", .skill = skill};
    struct player p = kit_player(a, &k);
    struct ticket_spec spec = {KIT_QUEUE("q"), &p, 1, 1};
    struct ticket *t = ticket_new(id_new(rng, created_ms), &spec, NULL);
    t->created_ms = created_ms;
    return t;
}

/* Every slot is found by its entry, and walking up from the first bin meets each once. */
static void assert_filed(const struct bins *x) {
    uint64_t count = 0;
    double highest = -INFINITY;
    for (uint32_t bin = x->bins[0].count ? 0 : bins_next(x, 0); bin != BINS_NONE;
         bin = bins_next(x, bin)) {
        double above = highest;
        for (const struct bin_block *b = x->bins[bin].first; b; b = b->next) {
            assert_true(b->used && b->used >> b->end == 0 && b->end <= b->seats);
            for (uint64_t bits = b->used; bits; bits &= bits - 1) {
                const struct bin_slot *s =
                    bin_seat(b, (uint32_t)__builtin_ctzll(bits), x->memory->slot_bytes);
                assert_ptr_equal(pool_slot(s->entry), s);
                assert_int_equal(bins_at(x, s->key), bin);
                assert_true(s->key >= above);
                if (s->key > highest) highest = s->key;
                count++;
            }
        }
    }
    assert_int_equal(count, x->count);
}

static void every_slot_is_filed_by_its_key_under_random_changes(void **state) {
    (void)state;
    struct rng rng;
    rng_init(&rng, 11);
    struct arena *a = arena_new(0);
    struct ruleset *r = kit_ruleset(&spread_100);
    struct pool *p = pool_new(r);
    enum { TICKETS = 3000 };
    struct ticket **all = mem_array(TICKETS, sizeof *all);
    for (int i = 0; i < TICKETS; i++) {
        all[i] = ticket(a, (double)rng_below(&rng, 200), 1000 + i / 7, &rng);
        pool_add(p, all[i], 0);
    }
    assert_filed(&all[0]->places[0].entry->part->classes[0]);
    for (int i = 0; i < 20000; i++) {
        struct ticket *t = all[rng_below(&rng, TICKETS)];
        if (t->places[0].entry)
            pool_remove(p, t->places[0].entry);
        else if (rng_below(&rng, 4) == 0)
            pool_add(p, t, 0);
    }
    uint64_t waiting = 0;
    for (int i = 0; i < TICKETS; i++)
        waiting += all[i]->places[0].entry != NULL;
    assert_int_equal(waiting, pool_count(p));
    for (int i = 0; i < TICKETS; i++) {
        if (!all[i]->places[0].entry) continue;
        assert_filed(&all[i]->places[0].entry->part->classes[0]);
        break;
    }
    pool_free(p);
    for (int i = 0; i < TICKETS; i++)
        ticket_free(all[i]);
    mem_free(all);
    ruleset_free(r);
    arena_free(a);
}

/* Walks the one bin: those who came before stand before, and few seats are kept for few slots. */
static void assert_in_order(const struct bins *x) {
    uint32_t bin = x->bins[0].count ? 0 : bins_next(x, 0);
    int64_t last = INT64_MIN;
    uint64_t seats = 0;
    for (const struct bin_block *b = x->bins[bin].first; b; b = b->next) {
        seats += b->seats;
        for (uint64_t bits = b->used; bits; bits &= bits - 1) {
            const struct bin_slot *s =
                bin_seat(b, (uint32_t)__builtin_ctzll(bits), x->memory->slot_bytes);
            assert_true(s->created_ms > last);
            last = s->created_ms;
        }
    }
    assert_true(seats <= 8 * x->bins[bin].count + BIN_SEATS_MAX);
}

static void a_bin_keeps_the_order_of_arrival_while_its_blocks_grow_and_shrink(void **state) {
    (void)state;
    struct rng rng;
    rng_init(&rng, 21);
    struct arena *a = arena_new(0);
    struct ruleset *r = kit_ruleset(&spread_100);
    struct pool *p = pool_new(r);
    enum { TICKETS = 600 };
    struct ticket *all[TICKETS];
    for (int i = 0; i < TICKETS; i++)
        all[i] = ticket(a, 1500, 1000 + i, &rng);
    for (int round = 0, came = 0; round < 8; round++) {
        for (; came < (round + 1) * TICKETS / 8; came++) /* grows, */
            pool_add(p, all[came], 0);
        const struct bins *x = &all[came - 1]->places[0].entry->part->classes[0];
        assert_in_order(x);
        for (int left = round + 1; pool_count(p) > (uint64_t)left;) { /* and nearly all leave */
            struct pool_entry *e = all[rng_below(&rng, (uint64_t)came)]->places[0].entry;
            if (!e) continue;
            pool_remove(p, e);
            if (pool_count(p) > 0) assert_in_order(x);
        }
    }
    pool_free(p);
    for (int i = 0; i < TICKETS; i++)
        ticket_free(all[i]);
    ruleset_free(r);
    arena_free(a);
}

static void keys_of_any_size_are_filed(void **state) {
    (void)state;
    struct rng rng;
    rng_init(&rng, 16);
    struct arena *a = arena_new(0);
    struct ruleset *r = kit_ruleset(&spread_100);
    struct pool *p = pool_new(r);
    enum { TICKETS = 2000 };
    struct ticket *all[TICKETS];
    for (int i = 0; i < TICKETS; i++) { /* magnitudes that grow, then a crowd, then extremes */
        double skill = i < 800 ? ldexp(1.5, i) : rng_normal(&rng);
        if (i % 97 == 0) skill = -1e308;
        all[i] = ticket(a, skill, 1000 + i, &rng);
        pool_add(p, all[i], 0);
        if (i % 50 == 0) assert_filed(&all[0]->places[0].entry->part->classes[0]);
    }
    for (int i = 1; i < TICKETS; i++) {
        pool_remove(p, all[i]->places[0].entry);
        if (i % 50 == 0) assert_filed(&all[0]->places[0].entry->part->classes[0]);
    }
    assert_int_equal(pool_count(p), 1);
    pool_free(p);
    for (int i = 0; i < TICKETS; i++)
        ticket_free(all[i]);
    ruleset_free(r);
    arena_free(a);
}

static int64_t oldest_by_walk(struct ticket **all, int count) {
    int64_t oldest = INT64_MAX;
    for (int i = 0; i < count; i++) {
        if (all[i]->places[0].entry && all[i]->created_ms < oldest) oldest = all[i]->created_ms;
    }
    return oldest;
}

static void oldest_ticket_is_known_after_each_removal(void **state) {
    (void)state;
    struct rng rng;
    rng_init(&rng, 12);
    struct arena *a = arena_new(0);
    struct ruleset *r = kit_ruleset(&spread_100);
    struct pool *p = pool_new(r);
    struct ticket *all[200];
    for (int i = 0; i < 200; i++) {
        all[i] = ticket(a, 0, 1000 + (int64_t)rng_below(&rng, 500), &rng);
        pool_add(p, all[i], 0);
    }
    for (int left = 200; left > 0; left--) {
        assert_int_equal(pool_created_ms(pool_oldest(p)), oldest_by_walk(all, 200));
        uint64_t at = 0, index = rng_below(&rng, (uint64_t)left);
        struct pool_entry *e = pool_next(p, &at);
        while (index--)
            e = pool_next(p, &at);
        pool_remove(p, e);
    }
    assert_null(pool_oldest(p));
    pool_free(p);
    for (int i = 0; i < 200; i++)
        ticket_free(all[i]);
    ruleset_free(r);
    arena_free(a);
}

static void pages_have_every_entry_once_in_order_of_arrival(void **state) {
    (void)state;
    struct rng rng;
    rng_init(&rng, 14);
    struct arena *a = arena_new(0);
    struct ruleset *r = kit_ruleset(&spread_100);
    struct pool *p = pool_new(r);
    struct ticket *all[300];
    uint64_t place = 0;
    assert_null(pool_from(p, &place, 100));
    assert_true(pool_ended(p, place));
    for (int i = 0; i < 300; i++) {
        all[i] = ticket(a, 0, 1000 + i, &rng);
        pool_add(p, all[i], 0);
    }
    for (int i = 100; i < 200; i++)
        pool_remove(p, all[i]->places[0].entry);
    int seen = 0;
    for (struct pool_entry *e; (e = pool_from(p, &place, 1000)); place++, seen++)
        assert_ptr_equal(e->ticket, all[seen < 100 ? seen : seen + 100]);
    assert_int_equal(seen, 200);
    assert_true(pool_ended(p, place));
    place = all[99]->places[0].entry->logged + 1;
    assert_null(pool_from(p, &place, 50)); /* nobody within the look */
    assert_false(pool_ended(p, place));
    assert_ptr_equal(pool_from(p, &place, 1000)->ticket, all[200]);
    pool_free(p);
    for (int i = 0; i < 300; i++)
        ticket_free(all[i]);
    ruleset_free(r);
    arena_free(a);
}

static void dirty_tickets_are_taken_oldest_first_and_wake_in_time(void **state) {
    (void)state;
    struct rng rng;
    rng_init(&rng, 13);
    struct arena *a = arena_new(0);
    struct ruleset *r = kit_ruleset(&spread_100);
    struct pool *p = pool_new(r);
    struct ticket *late = ticket(a, 0, 3000, &rng), *early = ticket(a, 5, 2000, &rng);
    pool_add(p, late, 0);
    pool_add(p, early, 0);
    struct pool_entry *first = pool_take(p);
    assert_ptr_equal(first->ticket, early);
    pool_sleep(p, first, 9000);
    assert_ptr_equal(pool_take(p)->ticket, late);
    pool_sleep(p, late->places[0].entry, INT64_MAX);
    assert_null(pool_take(p));
    assert_int_equal(pool_due_ms(p), 9000);
    pool_wake(p, 8999);
    assert_null(pool_take(p));
    pool_wake(p, 9000);
    assert_ptr_equal(pool_take(p)->ticket, early);
    assert_int_equal(pool_due_ms(p), INT64_MAX);
    pool_free(p);
    ticket_free(late);
    ticket_free(early);
    ruleset_free(r);
    arena_free(a);
}

static void gathering_finds_the_nearest_and_among_equals_the_oldest(void **state) {
    (void)state;
    struct rng rng;
    rng_init(&rng, 14);
    struct arena *a = arena_new(0);
    struct ruleset *r = kit_ruleset(&spread_100);
    struct pool *p = pool_new(r);
    struct ticket *all[600];
    for (int i = 0; i < 600; i++) { /* 20 tickets of each skill from 0 to 290 */
        all[i] = ticket(a, i % 30 * 10, 1000 + i, &rng);
        pool_add(p, all[i], 0);
    }
    struct gathered *g = mem_alloc(sizeof *g);
    const struct ticket *x = all[599]; /* skill 290, the newest */
    struct gather_query q = gather_query_of(p, x->places[0].entry, INT32_MAX);
    q.spread = 30;
    q.players_max = 1;
    q.want = 30;
    q.visits = 1000;
    gather_run(g, &q);
    gather_sort(g, p, x, 0);
    gather_sort_keys(g, 290);
    assert_int_equal(g->count, 30);
    assert_int_equal(g->below, 11);
    assert_true(g->truncated);
    for (uint32_t i = 0; i < g->count; i++) {
        const struct bin_slot *s = g->options[i].slot;
        assert_true(s->key == 290 || (s->key == 280 && s->created_ms < 1000 + 11 * 30));
        if (i == 0) continue;
        assert_true(pool_is_older(g->in_order[i - 1]->slot, g->in_order[i]->slot));
        assert_true(g->by_key[i - 1]->slot->key <= g->by_key[i]->slot->key);
    }
    q.want = 100;
    gather_run(g, &q);
    assert_int_equal(g->count, 79); /* skills 260 to 290 but itself */
    assert_false(g->truncated);
    q.skip = 70;
    gather_run(g, &q);
    assert_int_equal(g->count + 70, 80); /* itself was among those passed over */
    mem_free(g);
    pool_free(p);
    for (int i = 0; i < 600; i++)
        ticket_free(all[i]);
    ruleset_free(r);
    arena_free(a);
}

static void regions_that_not_every_player_reaches_do_not_count(void **state) {
    (void)state;
    const struct kit_rules rules = {
        .teams = 2, .players_min = 2, .players_max = 2, .latency_ms = 100};
    struct rng rng;
    rng_init(&rng, 15);
    struct arena *a = arena_new(0);
    struct ruleset *r = kit_ruleset(&rules);
    struct pool *p = pool_new(r);
    struct player players[] = {
        kit_player(a, &(struct kit_player){.id = "a",
                                           .regions = {"as", "eu", "us"},
                                           .latencies = {20, 30, 150}}),
        kit_player(
            a, &(struct kit_player){.id = "b", .regions = {"eu", "us"}, .latencies = {90, 40}})};
    struct ticket_spec spec = {KIT_QUEUE("q"), players, 1, 2};
    struct ticket *t = ticket_new(id_new(&rng, 1), &spec, NULL);
    pool_add(p, t, 0);
    assert_int_equal(
        __builtin_popcountll(pool_regions_within(p, pool_slot(t->places[0].entry), 100)),
        1); /* eu */
    assert_int_equal(
        __builtin_popcountll(pool_regions_within(p, pool_slot(t->places[0].entry), 89)), 0);
    assert_int_equal(
        __builtin_popcountll(pool_regions_within(p, pool_slot(t->places[0].entry), 150)),
        1); /* us is beyond what the rules allow */
    assert_true(pool_regions_within(p, pool_slot(t->places[0].entry), INT32_MAX) == UINT64_MAX);
    pool_free(p);
    ticket_free(t);
    ruleset_free(r);
    arena_free(a);
}

static void assert_same_order(const struct pool *a, const struct pool *b) {
    uint64_t at = 0, there = 0;
    for (const struct pool_entry *e; (e = pool_next(a, &at));) {
        const struct pool_entry *other = pool_next(b, &there);
        assert_non_null(other);
        assert_true(id_equal(e->ticket->id, other->ticket->id));
    }
    assert_null(pool_next(b, &there));
}

/* The same tickets twice: one pool is filled, the other added to. */
static void add_or_remove(struct pool *p, struct ticket *t, bool add) {
    if (add)
        pool_add(p, t, 0);
    else
        pool_remove(p, t->places[0].entry);
}

static void filled_pool_equals_one_that_was_added_to(void **state) {
    (void)state;
    struct rng rng;
    rng_init(&rng, 12);
    struct arena *a = arena_new(0);
    struct ruleset *r = kit_ruleset(&spread_100);
    enum { TICKETS = 3000 };
    struct ticket **first = mem_array(TICKETS, sizeof *first);
    struct ticket **second = mem_array(TICKETS, sizeof *second);
    struct pool *filled = pool_new(r), *added = pool_new(r);
    for (int i = 0; i < TICKETS; i++) {
        first[i] = ticket(a, (double)rng_below(&rng, 200), 1000 + i / 7, &rng);
        struct ticket_spec spec = ticket_spec(first[i], a);
        second[i] = ticket_new(first[i]->id, &spec, NULL);
        second[i]->created_ms = first[i]->created_ms;
        pool_fill(filled, first[i], 0);
        pool_add(added, second[i], 0);
    }
    pool_filled(filled);
    for (int round = 0; round < 2; round++) {
        assert_filed(&first[0]->places[0].entry->part->classes[0]);
        assert_same_order(filled, added);
        for (int i = 1; i < TICKETS; i += 2) { /* and it can be changed as any other */
            add_or_remove(filled, first[i], round);
            add_or_remove(added, second[i], round);
        }
    }
    for (struct pool_entry *x; (x = pool_take(filled));)
        assert_true(id_equal(x->ticket->id, pool_take(added)->ticket->id));
    assert_null(pool_take(added));
    pool_free(filled);
    pool_free(added);
    for (int i = 0; i < TICKETS; i++) {
        ticket_free(first[i]);
        ticket_free(second[i]);
    }
    mem_free(first);
    mem_free(second);
    ruleset_free(r);
    arena_free(a);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_slot_is_filed_by_its_key_under_random_changes),
        cmocka_unit_test(a_bin_keeps_the_order_of_arrival_while_its_blocks_grow_and_shrink),
        cmocka_unit_test(keys_of_any_size_are_filed),
        cmocka_unit_test(filled_pool_equals_one_that_was_added_to),
        cmocka_unit_test(oldest_ticket_is_known_after_each_removal),
        cmocka_unit_test(pages_have_every_entry_once_in_order_of_arrival),
        cmocka_unit_test(dirty_tickets_are_taken_oldest_first_and_wake_in_time),
        cmocka_unit_test(gathering_finds_the_nearest_and_among_equals_the_oldest),
        cmocka_unit_test(regions_that_not_every_player_reaches_do_not_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
