/* follower_test.c - a follower's realm is the leader's at every position it reaches (I18). */
#include "store/follower.h"

#include "base/limits.h"
#include "base/mem.h"
#include "support/redis_fixture.h"
#include "wire/journal_codec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

enum { STEPS = 1500 };

static const char queue_json[] =
    "{\"name\":\"duel\",\"tickMs\":1,\"ruleset\":{\"name\":\"duel\",\"ruleLanguageVersion\":\"1."
    "0\","
    "\"playerAttributes\":[{\"name\":\"skill\",\"type\":\"number\"}],"
    "\"teams\":[{\"name\":\"team\",\"quantity\":2,\"minPlayers\":1,\"maxPlayers\":1}],"
    "\"rules\":[{\"name\":\"near\",\"type\":\"batchDistance\",\"batchAttribute\":\"skill\","
    "\"maxDistance\":20}]}}";

static const char *const no_fsync[] = {"--appendfsync", "no", NULL};

/* A leader: decides, journals each turn as one entry. */
struct leader {
    struct redis_fixture server;
    struct redis *redis;
    struct stream stream;
    struct realm *realm;
    struct rng rng;
    struct arena *arena;
    struct strbuf batch;
    struct position at;
    int64_t now_ms;
    unsigned players;
};

static struct err_text why;

static void sink(void *arg, struct record *r) {
    struct leader *l = arg;
    journal_encode(r, &l->batch);
}

static struct decision decision(struct leader *l) {
    return (struct decision){l->now_ms, &l->rng, l->arena, sink, l};
}

static void commit(struct leader *l) {
    if (l->batch.size == 0) return;
    l->at.seq++;
    struct stream_entry e = {l->at, strbuf_str(&l->batch), STR("leader")};
    if (stream_append(l->redis, &l->stream, &e, false, &why)) fail_msg("%s", why.text);
    strbuf_clear(&l->batch);
    arena_reset(l->arena);
}

static void apply(void *realm, struct record *record) {
    realm_apply(realm, record);
    journal_record_fini(record);
}

static void put_queue(struct leader *l) {
    struct record r = {.kind = RECORD_QUEUE_PUT, .time_ms = l->now_ms};
    r.queue_put.name = STR("duel");
    r.queue_put.json = str_of(queue_json);
    r.queue_put.version = 1;
    journal_encode(&r, &l->batch);
    if (journal_decode(strbuf_str(&l->batch), l->arena, apply, l->realm, NULL, &why))
        fail_msg("%s", why.text);
    commit(l);
}

static struct redis *connect_to(const struct redis_fixture *f) {
    struct address address;
    struct redis *r;
    if (address_parse(&address, f->address, &why)) fail_msg("%s", why.text);
    if (redis_open(&r, &address, 5000, &why)) fail_msg("%s", why.text);
    return r;
}

static void start(struct leader *l, uint64_t seed) {
    *l = (struct leader){.at = {7, 0}, .now_ms = 1700000000000};
    redis_fixture_start(&l->server, no_fsync);
    l->redis = connect_to(&l->server);
    stream_init(&l->stream, "game");
    l->realm = realm_new(5000);
    l->arena = arena_new(0);
    rng_init(&l->rng, seed);
    put_queue(l);
}

static void stop(struct leader *l) {
    redis_close(l->redis);
    realm_free(l->realm);
    arena_free(l->arena);
    strbuf_fini(&l->batch);
    redis_fixture_stop(&l->server);
}

static void create(struct leader *l) {
    char name[32];
    struct attribute skill = {
        .name = STR("skill"), .kind = ATTRIBUTE_NUMBER, .number = (double)rng_below(&l->rng, 4000)};
    (void)snprintf(name, sizeof name, "p%u", l->players++);
    struct player player = {.id = str_of(name), .attributes = &skill, .attribute_count = 1};
    struct command c = {.kind = COMMAND_CREATE_TICKET};
    c.create_ticket.spec = (struct ticket_spec){
        .queues = &STR("duel"), .queue_count = 1, .players = &player, .player_count = 1};
    struct decision d = decision(l);
    struct outcome out;
    if (realm_decide(l->realm, &c, &d, &out, &why)) fail_msg("%s", why.text);
}

static void cancel_someone(struct leader *l) {
    char name[32];
    (void)snprintf(name, sizeof name, "p%u", (unsigned)rng_below(&l->rng, l->players + 1));
    const struct ticket *t = realm_player_ticket(l->realm, str_of(name));
    if (!t) return;
    struct command c = {.kind = COMMAND_CANCEL_TICKET};
    c.cancel_ticket.ticket_id = t->id;
    c.cancel_ticket.reason = STR("test");
    struct decision d = decision(l);
    struct outcome out;
    if (realm_decide(l->realm, &c, &d, &out, &why)) fail_msg("%s", why.text);
}

static void turn(struct leader *l) {
    for (uint64_t n = rng_below(&l->rng, 6); n > 0; n--)
        create(l);
    if (rng_below(&l->rng, 3) == 0) cancel_someone(l);
    l->now_ms += (int64_t)rng_below(&l->rng, 50);
    struct decision d = decision(l);
    (void)realm_expire(l->realm, &d, 100);
    (void)realm_search(l->realm, &d, 5000);
    commit(l);
}

/* What compaction does: all that lives once more, then the old part goes. */
static void compact(struct leader *l) {
    uint64_t cursor = 0;
    struct decision d = decision(l);
    struct position mark = l->at;
    while (realm_carry(l->realm, &d, l->now_ms, &cursor, 100))
        commit(l);
    commit(l);
    if (stream_trim(l->redis, &l->stream, mark, &why)) fail_msg("%s", why.text);
}

static enum err proceed(void *arg, struct err_text *text) {
    (void)arg;
    (void)text;
    return ERR_OK;
}

static const struct follower_guard guard = {proceed, NULL};

static void catch_up(struct leader *l, struct follower *f) {
    if (follower_advance(f, l->redis, l->at, &guard, &why)) fail_msg("%s", why.text);
    assert_int_equal(position_compare(f->at, l->at), 0);
    if (realm_digest(f->realm) != realm_digest(l->realm))
        fail_msg("digests differ at %llu-%llu", (unsigned long long)l->at.epoch,
                 (unsigned long long)l->at.seq);
    assert_int_equal(realm_tickets_open(f->realm), realm_tickets_open(l->realm));
}

static void followers_state_is_the_leaders_at_every_position_it_reaches(void **state) {
    (void)state;
    uint64_t seed = (uint64_t)time(NULL);
    print_message("seed %llu\n", (unsigned long long)seed);
    struct leader l;
    struct follower f, late;
    start(&l, seed);
    follower_init(&f, &l.stream, 5000);
    for (int i = 0; i < STEPS; i++) {
        turn(&l);
        if (rng_below(&l.rng, 4) == 0) catch_up(&l, &f);
        if (rng_below(&l.rng, 200) == 0) compact(&l);
    }
    catch_up(&l, &f);
    follower_init(&late, &l.stream, 5000); /* as after a restart */
    catch_up(&l, &late);
    assert_int_equal(realm_skipped(f.realm), 0);
    struct realm *realm = follower_take(&f);
    assert_true(realm_digest(realm) == realm_digest(l.realm));
    assert_null(follower_take(&f));
    realm_free(realm);
    follower_drop(&late);
    stop(&l);
}

static void follower_keeps_what_has_ended_no_longer_than_it_should(void **state) {
    (void)state;
    struct leader l;
    struct follower f;
    start(&l, 3);
    follower_init(&f, &l.stream, 5000);
    for (int i = 0; i < STEPS; i++) {
        turn(&l);
        catch_up(&l, &f);
    }
    assert_true(realm_matches_kept(f.realm) > 0);
    assert_in_range(realm_matches_kept(f.realm), realm_matches_kept(l.realm),
                    realm_matches_kept(l.realm) + 20);
    follower_drop(&f);
    stop(&l);
}

static void follower_that_was_left_behind_by_a_trim_begins_anew(void **state) {
    (void)state;
    struct leader l;
    struct follower f;
    start(&l, 1);
    follower_init(&f, &l.stream, 5000);
    catch_up(&l, &f);
    for (int i = 0; i < 50; i++)
        turn(&l);
    compact(&l);
    catch_up(&l, &f);
    follower_drop(&f);
    stop(&l);
}

static void journal_that_went_back_is_followed_anew(void **state) {
    (void)state;
    struct leader l;
    struct follower f;
    start(&l, 2);
    follower_init(&f, &l.stream, 5000);
    for (int i = 0; i < 20; i++)
        turn(&l);
    catch_up(&l, &f);
    /* Redis lost everything; somebody began a new epoch with a queue and a ticket */
    redis_fixture_run(&l.server, NULL, 0, "DEL", l.stream.key, NULL);
    realm_free(l.realm);
    l.realm = realm_new(5000);
    l.at = (struct position){6, 0}; /* even below: a clock may have gone back as well */
    put_queue(&l);
    turn(&l);
    catch_up(&l, &f);
    redis_fixture_run(&l.server, NULL, 0, "DEL", l.stream.key, NULL);
    realm_free(l.realm);
    l.realm = realm_new(5000);
    l.at = (struct position){8, 0}; /* above, with the place reached gone */
    put_queue(&l);
    catch_up(&l, &f);
    follower_drop(&f);
    stop(&l);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(followers_state_is_the_leaders_at_every_position_it_reaches),
        cmocka_unit_test(follower_keeps_what_has_ended_no_longer_than_it_should),
        cmocka_unit_test(follower_that_was_left_behind_by_a_trim_begins_anew),
        cmocka_unit_test(journal_that_went_back_is_followed_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
