/* fuzz_journal.c - any bytes as a journal entry: read, written again, told, applied to a realm. */
#include "base/limits.h"
#include "model/realm.h"
#include "wire/event_codec.h"
#include "wire/journal_codec.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct walk {
    struct realm *realm;
    struct strbuf entry; /* the records written again */
    int64_t time_ms;     /* the latest */
};

static void take(void *arg, struct record *r) {
    struct walk *w = arg;
    journal_encode(r, &w->entry);
    if (r->time_ms > w->time_ms) w->time_ms = r->time_ms;
    if (w->realm) realm_apply(w->realm, r);
    journal_record_fini(r);
}

static void ignore(void *arg, struct record *r) {
    (void)arg;
    (void)r;
}

/* What an owner does first after a replay. */
static void go_on(struct walk *w, struct arena *arena) {
    struct rng rng;
    rng_init(&rng, 1);
    struct decision d = {w->time_ms, &rng, arena, ignore, NULL};
    uint64_t cursor = 0;
    (void)realm_expire(w->realm, &d, 100);
    (void)realm_search(w->realm, &d, 1000);
    (void)realm_next_due_ms(w->realm);
    while (realm_carry(w->realm, &d, w->time_ms, &cursor, 10))
        continue;
    (void)realm_digest(w->realm);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct str bytes = {(const char *)data, size}, owner;
    struct arena *arena = arena_new(0);
    struct err_text why;
    struct walk w = {.realm = realm_new(3600000)}, again = {0};
    if (journal_decode(bytes, arena, take, &w, &owner, &why) == ERR_OK) {
        struct str once = strbuf_str(&w.entry);
        if (journal_decode(once, arena, take, &again, NULL, &why) != ERR_OK) abort();
        if (!str_equal(once, strbuf_str(&again.entry))) abort();
        go_on(&w, arena);
    }
    struct event_batch *batch;
    if (event_batch_new(bytes, (struct position){1, 2}, STR("game"), &batch, &why) == ERR_OK) {
        struct strbuf out = {0};
        for (size_t i = 0; i < event_batch_topics(batch); i++)
            event_batch_encode(batch, i, (struct position){1, 1}, &out);
        event_replay_add(batch, STR("game/"), &out);
        strbuf_fini(&out);
        event_batch_free(batch);
    }
    realm_free(w.realm);
    strbuf_fini(&w.entry);
    strbuf_fini(&again.entry);
    arena_free(arena);
    return 0;
}
