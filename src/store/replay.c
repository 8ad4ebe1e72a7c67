/* replay.c - from the journal's entries to a realm. */
#include "store/replay.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "wire/journal_codec.h"

#include <inttypes.h>

enum { CHUNK_BYTES = 4 << 20, CHUNK_FIRST = 100, CHUNK_MIN = 4 };
static const int64_t PROGRESS_US = 2000000;

struct walk {
    struct replay *replay;
    struct realm *realm;
    struct arena *arena;
};

static void apply(void *arg, struct record *record) {
    struct walk *w = arg;
    if (record->time_ms > w->replay->time_ms) w->replay->time_ms = record->time_ms;
    realm_apply(w->realm, record);
    journal_record_fini(record);
}

static enum err apply_entry(struct walk *w, const struct stream_entry *entry,
                            struct err_text *why) {
    struct err_text detail;
    arena_reset(w->arena);
    enum err e = journal_decode(entry->bytes, w->arena, apply, w, NULL, &detail);
    if (!e) return ERR_OK;
    char id[STREAM_ID_BYTES];
    stream_format_id(entry->at, id);
    return err_set(why, ERR_DATA_LOSS,
                   "journal entry %s of %s cannot be read (%.200s): was it written by a newer "
                   "Muster? Run that version, or restore the stream; XDEL it only when its "
                   "tickets may be lost",
                   id, w->replay->stream->key, detail.text);
}

/* Applies one chunk; `*last` is its last entry. */
static enum err apply_chunk(struct walk *w, const struct redisReply *chunk, struct position *last,
                            size_t *bytes, struct err_text *why) {
    *bytes = 0;
    for (size_t i = 0; i < redis_reply_count(chunk); i++) {
        struct stream_entry entry;
        enum err e = stream_entry_of(w->replay->stream, redis_reply_at(chunk, i), &entry, why);
        if (!e) e = apply_entry(w, &entry, why);
        if (e) return e;
        *last = entry.at;
        *bytes += entry.bytes.size;
        w->replay->entry_count++;
    }
    w->replay->byte_count += *bytes;
    return ERR_OK;
}

static size_t next_chunk(size_t entries, size_t bytes) {
    size_t each = bytes / (entries ? entries : 1) + 1;
    size_t count = CHUNK_BYTES / each;
    if (count < CHUNK_MIN) return CHUNK_MIN;
    return count > STREAM_CHUNK_MAX ? STREAM_CHUNK_MAX : count;
}

static enum err run_chunks(struct walk *w, struct err_text *why) {
    struct replay *p = w->replay;
    struct position last = {0, 0};
    size_t count = CHUNK_FIRST;
    int64_t progress_due_us = clock_mono_us() + PROGRESS_US;
    while (position_compare(last, p->end) < 0) {
        struct redisReply *chunk;
        struct stream_span span = {stream_after(last), p->end, count};
        enum err e = stream_range(p->redis, p->stream, &span, &chunk, why);
        if (e) return e;
        size_t entries = redis_reply_count(chunk), bytes;
        e = apply_chunk(w, chunk, &last, &bytes, why);
        redis_reply_free(chunk);
        if (!e && entries == 0)
            e = err_set(why, ERR_DATA_LOSS, "the journal %s lost its end while it was replayed",
                        p->stream->key);
        if (!e) e = p->proceed(p->arg, why);
        if (e) return e;
        count = next_chunk(entries, bytes);
        if (clock_mono_us() >= progress_due_us) {
            LOG_INFO("replay-progress", "entries=%" PRIu64 " bytes=%" PRIu64, p->entry_count,
                     p->byte_count);
            progress_due_us = clock_mono_us() + PROGRESS_US;
        }
    }
    return ERR_OK;
}

enum err replay_run(struct replay *p, struct realm *realm, struct err_text *why) {
    struct walk w = {.replay = p, .realm = realm, .arena = arena_new(0)};
    enum err e = run_chunks(&w, why);
    arena_free(w.arena);
    return e;
}
