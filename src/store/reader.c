/* reader.c - following a journal by XREAD, and looking back in it by XRANGE. */
#include "store/reader.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "store/backoff.h"
#include "store/stream.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define BLOCK_MS 1000    /* and so soon a connection that died in silence is noticed */
#define QUIET_US 1000000 /* what is wrong this soon after the start is told when it lasts */
#define BLOCK_TEXT "1000"
#define CHUNK_TEXT "64" /* entries of at most LIMIT_ENTRY_BYTES each */
#define CONFIRM_PAUSE_US 50000
enum { CONFIRM_SHARE = 4 }; /* of a Redis operation's time, for a replica to answer */

struct reader {
    struct address address;
    struct stream stream;
    int64_t operation_ms;
    bool replicated;

    struct redis *follower; /* NULL: disconnected */
    bool following, from_end;
    bool broken_off;         /* what is held does not follow what was given */
    struct position last;    /* last entry given */
    struct position asked;   /* the XREAD under way gives what is above this */
    struct redisReply *held; /* an XREAD reply whose entries are being given */
    size_t held_next;
    bool held_unconfirmed; /* with `replicated`: a replica is still to have them */
    int64_t confirm_due_us;
    struct position confirmed; /* a replica has everything up to here */
    int64_t silent_due_us;     /* no reply by then: the connection is dead */
    int64_t retry_due_us;
    struct backoff backoff;
    int64_t quiet_until_us; /* at start the matcher beside us may still be starting its Redis */
    char reported[ERR_TEXT_BYTES];

    struct redis *look; /* for look-backs; NULL: not connected */
    struct redisReply *range;
};

enum err reader_new(struct reader **out, const struct reader_options *o, struct err_text *why) {
    *out = NULL;
    struct address address;
    enum err e = address_of(&address, o->redis, o->state_folder, why);
    if (e) return e;
    struct reader *r = mem_alloc(sizeof *r);
    r->address = address;
    r->operation_ms = o->operation_ms;
    r->replicated = o->replicated;
    stream_init(&r->stream, o->realm);
    backoff_init(&r->backoff);
    r->quiet_until_us = clock_mono_us() + QUIET_US;
    *out = r;
    return ERR_OK;
}

static void drop_held(struct reader *r) {
    redis_reply_free(r->held);
    r->held = NULL;
    r->held_next = 0;
    r->held_unconfirmed = false;
}

void reader_free(struct reader *r) {
    if (!r) return;
    drop_held(r);
    redis_reply_free(r->range);
    redis_close(r->follower);
    redis_close(r->look);
    mem_free(r);
}

/* Once per change of what is wrong. */
static void report(struct reader *r, const char *text) {
    if (strcmp(text, r->reported) == 0) return;
    if (text[0] && clock_mono_us() < r->quiet_until_us) return;
    (void)snprintf(r->reported, sizeof r->reported, "%s", text);
    if (text[0])
        LOG_WARN("journal-unreadable", "key=%s why=%s", r->stream.key, log_quote(str_of(text)));
    else
        LOG_INFO("journal-readable", "key=%s redis=%s", r->stream.key, r->address.text);
}

static void disconnect(struct reader *r, const struct err_text *why) {
    redis_close(r->follower);
    r->follower = NULL;
    report(r, why->text);
    r->retry_due_us = clock_mono_us() + backoff_next_ms(&r->backoff) * 1000;
}

void reader_follow(struct reader *r, struct position after) {
    drop_held(r);
    redis_close(r->follower);
    r->follower = NULL;
    r->following = true;
    r->from_end = after.epoch == 0 && after.seq == 0;
    r->last = after;
    r->retry_due_us = 0;
}

/* The entries in an XREAD reply: [[key, [entry ...]]]. */
static const struct redisReply *entries_of(const struct redisReply *reply) {
    const struct redisReply *stream = redis_reply_at(reply, 0);
    return stream ? redis_reply_at(stream, 1) : NULL;
}

int reader_fd(const struct reader *r) {
    return r->follower ? redis_fd(r->follower) : -1;
}

int64_t reader_due_ms(const struct reader *r) {
    if (!r->following) return -1;
    if (r->held_unconfirmed) {
        int64_t confirm_us = r->confirm_due_us - clock_mono_us();
        return confirm_us <= 0 ? 0 : (confirm_us + 999) / 1000;
    }
    if (r->held && r->held_next < redis_reply_count(entries_of(r->held))) return 0;
    int64_t due_us = r->follower ? r->silent_due_us : r->retry_due_us;
    int64_t left_us = due_us - clock_mono_us();
    return left_us <= 0 ? 0 : (left_us + 999) / 1000;
}

/* Asks for what is above `after`; the reply comes whenever there is something. */
static enum err ask(struct reader *r, struct position after, struct err_text *why) {
    char id[STREAM_ID_BYTES];
    stream_format_id(after, id);
    r->asked = after;
    r->silent_due_us = clock_mono_us() + (BLOCK_MS + r->operation_ms) * 1000;
    return redis_send(r->follower,
                      (struct str[]){STR("XREAD"), STR("COUNT"), STR(CHUNK_TEXT), STR("BLOCK"),
                                     STR(BLOCK_TEXT), STR("STREAMS"), str_of(r->stream.key),
                                     str_of(id)},
                      8, why);
}

/* Opens the follower's connection and compares the journal's end with what was given. When it went
 * back, look_for_hole finds that out once more from the first entry that comes, and tells it. */
static enum err open_follower(struct reader *r, struct err_text *why) {
    enum err e = redis_open(&r->follower, &r->address, r->operation_ms, why);
    if (e) return e;
    struct stream_top top;
    e = stream_top(r->follower, &r->stream, &top, why);
    if (e) return e;
    bool back = !r->from_end && position_compare(top.at, r->last) < 0;
    if (back) {
        char from[STREAM_ID_BYTES], to[STREAM_ID_BYTES];
        stream_format_id(r->last, from);
        stream_format_id(top.at, to);
        LOG_WARN("journal-went-back", "key=%s from=%s to=%s", r->stream.key, from, to);
    }
    redis_detach(r->follower);
    e = ask(r, r->from_end || back ? top.at : r->last, why);
    if (e) return e;
    if (r->from_end) r->last = top.at;
    r->from_end = false;
    return ERR_OK;
}

static void connect_follower(struct reader *r) {
    struct err_text why;
    if (clock_mono_us() < r->retry_due_us) return;
    if (open_follower(r, &why)) {
        disconnect(r, &why);
        return;
    }
    report(r, "");
}

/* Whether nothing was trimmed between the last entry and `next`. Within an epoch the numbers tell;
 * where the next one begins, that the last entry is still there does. Errors: nothing is known. */
static enum err look_for_hole(struct reader *r, struct position next, struct err_text *why) {
    struct position last = r->last;
    r->broken_off = false;
    if (last.epoch == 0 && last.seq == 0) return ERR_OK;
    if (next.epoch <= last.epoch || next.seq != 1) {
        r->broken_off = next.epoch != last.epoch || next.seq != last.seq + 1;
        return ERR_OK;
    }
    struct reader_entry entry;
    size_t count = 1;
    enum err e = reader_range(r, last, &entry, &count, why);
    r->broken_off = e == ERR_OUT_OF_RANGE;
    return r->broken_off ? ERR_OK : e;
}

/* Takes a reply that has arrived, and asks for the next at once so that Redis is never idle. */
static void receive(struct reader *r) {
    struct err_text why;
    struct redisReply *reply;
    enum err e = redis_receive(r->follower, &reply, &why);
    if (!e && !reply) {
        if (clock_mono_us() < r->silent_due_us) return;
        e = err_set(&why, ERR_UNAVAILABLE, "Redis at %s is silent", r->address.text);
    }
    if (e) {
        disconnect(r, &why);
        return;
    }
    backoff_reset(&r->backoff);
    struct position after = r->asked;
    const struct redisReply *entries = entries_of(reply);
    size_t count = entries ? redis_reply_count(entries) : 0;
    struct stream_entry newest;
    if (count) {
        struct stream_entry oldest;
        e = stream_entry_of(&r->stream, redis_reply_at(entries, 0), &oldest, &why);
        if (!e) e = look_for_hole(r, oldest.at, &why);
        if (!e) e = stream_entry_of(&r->stream, redis_reply_at(entries, count - 1), &newest, &why);
        after = newest.at;
    }
    if (!e) e = ask(r, after, &why);
    if (count && !e) {
        r->held = reply;
        r->held_unconfirmed = r->replicated;
        r->confirm_due_us = 0;
        return;
    }
    redis_reply_free(reply);
    if (e) disconnect(r, &why);
}

static size_t give(struct reader *r, struct reader_entry *entries, size_t max) {
    const struct redisReply *list = entries_of(r->held);
    size_t given = 0;
    for (; given < max && r->held_next < redis_reply_count(list); r->held_next++) {
        struct stream_entry entry;
        struct err_text why;
        if (stream_entry_of(&r->stream, redis_reply_at(list, r->held_next), &entry, &why)) {
            LOG_ERROR("journal-foreign-entry", "why=%s", log_quote(str_of(why.text)));
            continue;
        }
        entries[given++] = (struct reader_entry){entry.at, entry.bytes, entry.owner};
        r->last = entry.at;
    }
    return given;
}

struct position reader_last(const struct reader *r) {
    return r->last;
}

static enum err look_back(struct reader *r, struct position from, size_t count,
                          struct err_text *why) {
    struct stream_span span = {from, STREAM_END, count};
    bool fresh = !r->look;
    for (;;) {
        enum err e = r->look ? ERR_OK : redis_open(&r->look, &r->address, r->operation_ms, why);
        if (!e) e = stream_range(r->look, &r->stream, &span, &r->range, why);
        if (!e || !r->look || !redis_broken(r->look)) return e;
        redis_close(r->look);
        r->look = NULL;
        if (fresh) return e;
        fresh = true; /* an idle connection may have been cut: once more on a new one */
    }
}

/* Whether the range begins with the entry `at` itself. */
static bool begins_with(const struct reader *r, struct position at) {
    struct stream_entry first;
    struct err_text ignored;
    const struct redisReply *entry = redis_reply_at(r->range, 0);
    return entry && !stream_entry_of(&r->stream, entry, &first, &ignored) &&
           position_compare(first.at, at) == 0;
}

static void drop_broken_look(struct reader *r) {
    if (!redis_broken(r->look)) return;
    redis_close(r->look);
    r->look = NULL;
}

/* Whether the journal ends before `place`. Behind a look-back. */
static enum err look_above(struct reader *r, struct position place, bool *above,
                           struct err_text *why) {
    struct stream_top top;
    enum err e = stream_top(r->look, &r->stream, &top, why);
    if (e) drop_broken_look(r);
    *above = !e && position_compare(top.at, place) < 0;
    return e;
}

/* Whether a replica has all that the look-back just made has seen. */
static bool confirm_range(struct reader *r, struct position newest) {
    struct err_text why;
    bool yes = false;
    enum err e = stream_replicated(r->look, r->operation_ms / CONFIRM_SHARE, &yes, &why);
    if (e) drop_broken_look(r);
    if (e || !yes) return false;
    if (position_compare(newest, r->confirmed) > 0) r->confirmed = newest;
    return true;
}

/* Looks for the newest of the held entries over the other connection, which asks anew who the
 * primary is: the follower's may have lost that part without knowing. */
static bool confirm_held(struct reader *r) {
    if (!r->held_unconfirmed) return true;
    if (clock_mono_us() < r->confirm_due_us) return false;
    struct err_text why;
    redis_reply_free(r->range);
    r->range = NULL;
    struct position newest = r->asked;
    enum err e = look_back(r, newest, 1, &why);
    if (!e && !begins_with(r, newest)) {
        (void)err_set(&why, ERR_UNAVAILABLE, "the last entries are not where the primary is now");
        drop_held(r);
        disconnect(r, &why);
        return false;
    }
    if (!e && confirm_range(r, newest)) {
        r->held_unconfirmed = false;
        return true;
    }
    metric_add(METRIC_journal_unreplicated_total, 1);
    r->confirm_due_us = clock_mono_us() + CONFIRM_PAUSE_US;
    return false;
}

size_t reader_next(struct reader *r, struct reader_entry *entries, size_t max, bool *jumped) {
    assert(max > 0);
    *jumped = false;
    if (r->held && r->held_next >= redis_reply_count(entries_of(r->held))) drop_held(r);
    if (!r->following) return 0;
    if (!r->held && !r->follower) connect_follower(r);
    if (!r->held && r->follower) receive(r);
    if (!r->held || !confirm_held(r)) return 0;
    if (r->broken_off) {
        LOG_WARN("journal-trimmed-away", "key=%s", r->stream.key);
        *jumped = true;
        r->broken_off = false;
    }
    return give(r, entries, max);
}

/* Into r->range. That it begins with `place` shows that this is still there. */
static enum err look_back_from(struct reader *r, struct position place, size_t max,
                               struct err_text *why) {
    redis_reply_free(r->range);
    r->range = NULL;
    enum err e = look_back(r, place, max, why);
    if (e || (place.epoch == 0 && place.seq == 0) || begins_with(r, place)) return e;
    char id[STREAM_ID_BYTES];
    stream_format_id(place, id);
    bool above = false;
    if (position_compare(place, r->last) <= 0) e = look_above(r, place, &above, why);
    if (e) return e;
    if (above)
        return err_set(why, ERR_UNAVAILABLE,
                       "the journal went back to before %s, and nobody leads what is left yet", id);
    return err_set(why, ERR_OUT_OF_RANGE, "position %s is no longer in the journal", id);
}

/* What r->range has behind the first `skip` entries. */
static enum err give_range(struct reader *r, size_t skip, struct reader_entry *entries,
                           size_t *count, struct err_text *why) {
    enum err e = ERR_OK;
    bool all = !r->replicated;
    for (size_t i = skip; i < redis_reply_count(r->range); i++) {
        struct stream_entry entry;
        e = stream_entry_of(&r->stream, redis_reply_at(r->range, i), &entry, why);
        if (e) return e;
        if (!all && position_compare(entry.at, r->confirmed) > 0) {
            all = confirm_range(r, entry.at);
            if (!all) return ERR_OK;
        }
        entries[(*count)++] = (struct reader_entry){entry.at, entry.bytes, entry.owner};
    }
    return ERR_OK;
}

enum err reader_range(struct reader *r, struct position after, struct reader_entry *entries,
                      size_t *count, struct err_text *why) {
    size_t max = *count, skip = after.epoch || after.seq ? 1 : 0;
    assert(max > 0 && max < STREAM_CHUNK_MAX);
    *count = 0;
    enum err e = look_back_from(r, after, max + skip, why);
    return e ? e : give_range(r, skip, entries, count, why);
}

enum err reader_range_from(struct reader *r, struct position at, struct reader_entry *entries,
                           size_t *count, struct err_text *why) {
    size_t max = *count;
    assert(max > 0 && max < STREAM_CHUNK_MAX && (at.epoch || at.seq));
    *count = 0;
    enum err e = look_back_from(r, at, max, why);
    return e ? e : give_range(r, 0, entries, count, why);
}
