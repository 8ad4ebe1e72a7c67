/* follower.c - replays in pieces. */
#include "store/follower.h"

#include "base/log.h"

enum { FORGET_MAX = 10000 }; /* per advance; more than comes in one on average */

void follower_init(struct follower *f, const struct stream *stream, int64_t keep_ms) {
    *f = (struct follower){.stream = stream, .keep_ms = keep_ms};
}

void follower_drop(struct follower *f) {
    realm_free(f->realm);
    follower_init(f, f->stream, f->keep_ms);
}

struct realm *follower_take(struct follower *f) {
    struct realm *realm = f->realm;
    f->realm = NULL;
    follower_drop(f);
    return realm;
}

static enum err run(struct follower *f, struct redis *r, struct position end,
                    const struct follower_guard *guard, struct err_text *why) {
    struct replay replay = {.redis = r,
                            .stream = f->stream,
                            .after = f->at,
                            .end = end,
                            .proceed = guard->proceed,
                            .arg = guard->arg,
                            .time_ms = f->time_ms,
                            .entry_count = f->entry_count,
                            .byte_count = f->byte_count};
    if (!f->realm) f->realm = realm_new(f->keep_ms);
    enum err e = replay_run(&replay, f->realm, why);
    if (e) {
        follower_drop(f);
        return e;
    }
    f->at = end;
    f->time_ms = replay.time_ms;
    f->entry_count = replay.entry_count;
    f->byte_count = replay.byte_count;
    realm_forget(f->realm, f->time_ms, FORGET_MAX);
    return ERR_OK;
}

enum err follower_advance(struct follower *f, struct redis *r, struct position end,
                          const struct follower_guard *guard, struct err_text *why) {
    if (f->realm && position_compare(f->at, end) == 0) return ERR_OK;
    bool began = f->realm != NULL;
    if (began && position_compare(f->at, end) > 0) {
        LOG_WARN("journal-went-back", "key=%s text=\"following anew\"", f->stream->key);
        follower_drop(f);
    }
    enum err e = run(f, r, end, guard, why);
    if (e != ERR_OUT_OF_RANGE || !began) return e;
    LOG_WARN("journal-place-lost", "why=%s text=\"following anew\"", log_quote(str_of(why->text)));
    return run(f, r, end, guard, why);
}
