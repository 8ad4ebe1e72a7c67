/* replay.c - from the journal's entries to a realm.
 *
 * Two things overlap: while one chunk is applied Redis prepares the next, and while one record is
 * applied the memory that the following ones will be looked up in is on its way.
 */
#include "store/replay.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "wire/journal_codec.h"

#include <assert.h>
#include <inttypes.h>

enum {
    CHUNK_BYTES = 128 << 10, /* what a socket buffers: Redis need not wait for us to read */
    CHUNK_FIRST = 100,
    AHEAD_RECORDS = 32,
    ARENA_BYTES = 256 << 10, /* stays in the processor's cache */
};
static const int64_t PROGRESS_US = 2000000;

struct walk {
    struct replay *replay;
    struct realm *realm;
    struct arena *arena; /* content of the records ahead */
    struct record ahead[AHEAD_RECORDS];
    size_t ahead_next, ahead_count; /* a ring: the oldest, how many */
    struct position last;           /* of the newest chunk that came */
    bool asked;                     /* the chunk behind it is on its way */
    bool place_due;                 /* the next chunk is to begin with the entry `after` */
    size_t skip;                    /* entries of the chunk at hand that were applied before */
};

/* ---- records ---- */

static void apply_next(struct walk *w) {
    assert(w->ahead_count > 0);
    struct record *record = &w->ahead[w->ahead_next];
    w->ahead_next = (w->ahead_next + 1) % AHEAD_RECORDS;
    w->ahead_count--;
    if (record->time_ms > w->replay->time_ms) w->replay->time_ms = record->time_ms;
    realm_apply(w->realm, record);
    journal_record_fini(record);
}

/* Before what the records borrow from goes away. */
static void apply_rest(struct walk *w) {
    while (w->ahead_count > 0)
        apply_next(w);
    arena_reset(w->arena);
}

static void take_record(void *arg, struct record *record) {
    struct walk *w = arg;
    if (w->ahead_count == AHEAD_RECORDS) apply_next(w);
    realm_expect(w->realm, record);
    w->ahead[(w->ahead_next + w->ahead_count++) % AHEAD_RECORDS] = *record;
}

static enum err take_entry(struct walk *w, const struct stream_entry *entry, struct err_text *why) {
    struct err_text detail;
    if (arena_used(w->arena) > ARENA_BYTES) apply_rest(w);
    enum err e = journal_decode(entry->bytes, w->arena, take_record, w, NULL, &detail);
    if (!e) return ERR_OK;
    char id[STREAM_ID_BYTES];
    stream_format_id(entry->at, id);
    return err_set(why, ERR_DATA_LOSS,
                   "journal entry %s of %s cannot be read (%.200s): was it written by a newer "
                   "Muster? Run that version, or restore the stream; XDEL it only when its "
                   "tickets may be lost",
                   id, w->replay->stream->key, detail.text);
}

/* ---- chunks ---- */

/* At least two: one may be the place that was reached before. */
static size_t next_count(const struct replay *p) {
    if (p->entry_count == 0) return CHUNK_FIRST;
    size_t count = (size_t)(CHUNK_BYTES / (p->byte_count / p->entry_count + 1)) + 2;
    return count > STREAM_CHUNK_MAX ? STREAM_CHUNK_MAX : count;
}

static enum err ask(struct walk *w, struct err_text *why) {
    struct replay *p = w->replay;
    struct position from = w->place_due ? w->last : stream_after(w->last);
    struct stream_span span = {from, p->end, next_count(p)};
    enum err e = stream_ask_range(p->redis, p->stream, &span, why);
    w->asked = !e;
    return e;
}

/* That what was applied before is still there says that nothing went back under it. */
static enum err check_place(struct walk *w, const struct redisReply *chunk, struct err_text *why) {
    struct replay *p = w->replay;
    struct stream_entry first;
    w->place_due = false;
    enum err e = stream_entry_of(p->stream, redis_reply_at(chunk, 0), &first, why);
    if (e || position_compare(first.at, p->after) == 0) return e;
    char id[STREAM_ID_BYTES];
    stream_format_id(p->after, id);
    return err_set(why, ERR_OUT_OF_RANGE, "entry %s is no longer in the journal %s", id,
                   p->stream->key);
}

/* Waits for the chunk that was asked for and asks for the next one, if any. */
static enum err take_chunk(struct walk *w, struct redisReply **chunk, struct err_text *why) {
    struct replay *p = w->replay;
    w->asked = false;
    enum err e = redis_answer(p->redis, chunk, why);
    if (e) return e;
    size_t count = redis_reply_count(*chunk);
    if (count == 0)
        return err_set(why, ERR_DATA_LOSS, "the journal %s lost its end while it was replayed",
                       p->stream->key);
    struct stream_entry last;
    e = stream_entry_of(p->stream, redis_reply_at(*chunk, count - 1), &last, why);
    w->skip = w->place_due;
    if (!e && w->place_due) e = check_place(w, *chunk, why);
    if (!e) e = p->proceed(p->arg, why); /* may use the connection: nothing is asked now */
    if (e) return e;
    w->last = last.at;
    return position_compare(w->last, p->end) < 0 ? ask(w, why) : ERR_OK;
}

static enum err apply_chunk(struct walk *w, const struct redisReply *chunk, struct err_text *why) {
    enum err e = ERR_OK;
    for (size_t i = w->skip; !e && i < redis_reply_count(chunk); i++) {
        struct stream_entry entry;
        e = stream_entry_of(w->replay->stream, redis_reply_at(chunk, i), &entry, why);
        if (!e) e = take_entry(w, &entry, why);
        w->replay->entry_count++;
        w->replay->byte_count += entry.bytes.size;
    }
    apply_rest(w);
    return e;
}

/* The connection is to be usable afterwards. */
static void drop_asked(struct walk *w) {
    struct redisReply *chunk;
    struct err_text ignored;
    if (w->asked && redis_answer(w->replay->redis, &chunk, &ignored) == ERR_OK)
        redis_reply_free(chunk);
}

static enum err run_chunks(struct walk *w, struct err_text *why) {
    struct replay *p = w->replay;
    int64_t progress_due_us = clock_mono_us() + PROGRESS_US;
    enum err e = ask(w, why);
    while (!e && position_compare(w->last, p->end) < 0) {
        struct redisReply *chunk;
        e = take_chunk(w, &chunk, why);
        if (!e) e = apply_chunk(w, chunk, why);
        redis_reply_free(chunk);
        if (clock_mono_us() >= progress_due_us) {
            LOG_INFO("replay-progress", "entries=%" PRIu64 " bytes=%" PRIu64, p->entry_count,
                     p->byte_count);
            progress_due_us = clock_mono_us() + PROGRESS_US;
        }
    }
    return e;
}

enum err replay_run(struct replay *p, struct realm *realm, struct err_text *why) {
    struct walk *w = mem_alloc(sizeof *w);
    bool whole = p->after.epoch == 0 && p->after.seq == 0;
    w->replay = p;
    w->realm = realm;
    w->arena = arena_new(0);
    w->last = p->after;
    w->place_due = !whole;
    if (whole) realm_replay_begin(realm);
    enum err e = run_chunks(w, why);
    drop_asked(w);
    if (!e && whole) realm_replay_end(realm);
    arena_free(w->arena);
    mem_free(w);
    return e;
}
