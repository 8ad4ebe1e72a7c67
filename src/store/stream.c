/* stream.c - the Redis commands on a journal's stream. */
#include "store/stream.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void stream_init(struct stream *s, const char *realm) {
    assert(str_name_valid(str_of(realm)));
    (void)snprintf(s->key, sizeof s->key, "muster:{%s}:journal", realm);
    (void)snprintf(s->lease_key, sizeof s->lease_key, "muster:{%s}:lease", realm);
}

void stream_format_id(struct position at, char out[STREAM_ID_BYTES]) {
    (void)snprintf(out, STREAM_ID_BYTES, "%" PRIu64 "-%" PRIu64, at.epoch, at.seq);
}

struct position stream_after(struct position at) {
    at.seq++;
    if (at.seq == 0) at.epoch++;
    return at;
}

static bool parse_id(struct str text, struct position *out) {
    char copy[STREAM_ID_BYTES];
    if (text.size == 0 || text.size >= sizeof copy) return false;
    memcpy(copy, text.at, text.size);
    copy[text.size] = '\0';
    char *dash;
    out->epoch = strtoull(copy, &dash, 10);
    if (dash == copy || *dash != '-') return false;
    char *end;
    out->seq = strtoull(dash + 1, &end, 10);
    return end != dash + 1 && *end == '\0';
}

enum err stream_entry_of(const struct stream *s, const struct redisReply *entry,
                         struct stream_entry *out, struct err_text *why) {
    *out = (struct stream_entry){0};
    struct str id = redis_reply_str(redis_reply_at(entry, 0));
    const struct redisReply *fields = redis_reply_at(entry, 1);
    bool found = false;
    for (size_t i = 0; fields && i + 1 < redis_reply_count(fields); i += 2) {
        struct str name = redis_reply_str(redis_reply_at(fields, i));
        struct str value = redis_reply_str(redis_reply_at(fields, i + 1));
        if (str_equal(name, STR("b"))) {
            out->bytes = value;
            found = true;
        } else if (str_equal(name, STR("o"))) {
            out->owner = value;
        }
    }
    if (parse_id(id, &out->at) && found) return ERR_OK;
    return err_set(why, ERR_FAILED_PRECONDITION,
                   "the stream %s holds entry %.*s, which is none of Muster's: another program "
                   "writes under this name; choose another realm or database, or delete the stream",
                   s->key, STR_PRINT(id));
}

enum err stream_top(struct redis *r, const struct stream *s, struct stream_top *out,
                    struct err_text *why) {
    *out = (struct stream_top){0};
    struct redisReply *reply;
    enum err e = redis_run(r,
                           (struct str[]){STR("XREVRANGE"), str_of(s->key), STR("+"), STR("-"),
                                          STR("COUNT"), STR("1")},
                           6, &reply, why);
    if (e) return e;
    if (redis_reply_count(reply) > 0) {
        struct stream_entry top;
        e = stream_entry_of(s, redis_reply_at(reply, 0), &top, why);
        out->at = top.at;
        (void)snprintf(out->owner, sizeof out->owner, "%.*s", STR_PRINT(top.owner));
    }
    redis_reply_free(reply);
    return e;
}

/* Survives trimming and deleting of entries, unlike the top entry. */
static enum err last_generated_id(struct redis *r, const struct stream *s, struct position *out,
                                  struct err_text *why) {
    *out = (struct position){0, 0};
    struct redisReply *reply;
    enum err e =
        redis_run(r, (struct str[]){STR("XINFO"), STR("STREAM"), str_of(s->key)}, 3, &reply, why);
    if (e == ERR_NOT_FOUND) return ERR_OK;
    if (e) return e;
    bool found = false;
    for (size_t i = 0; i + 1 < redis_reply_count(reply) && !found; i += 2)
        if (str_equal(redis_reply_str(redis_reply_at(reply, i)), STR("last-generated-id")))
            found = parse_id(redis_reply_str(redis_reply_at(reply, i + 1)), out);
    redis_reply_free(reply);
    if (found) return ERR_OK;
    return err_set(why, ERR_INTERNAL, "Redis at %s does not tell last-generated-id of %s",
                   redis_where(r), s->key);
}

enum err stream_next_epoch(struct redis *r, const struct stream *s, uint64_t *epoch,
                           struct err_text *why) {
    struct position last;
    enum err e = last_generated_id(r, s, &last, why);
    if (e) return e;
    struct redisReply *reply;
    e = redis_run(r, (struct str[]){STR("TIME")}, 1, &reply, why);
    if (e) return e;
    int64_t seconds, micros;
    bool told = redis_reply_int(redis_reply_at(reply, 0), &seconds) &&
                redis_reply_int(redis_reply_at(reply, 1), &micros);
    redis_reply_free(reply);
    if (!told) return err_set(why, ERR_INTERNAL, "Redis at %s answered TIME oddly", redis_where(r));
    uint64_t now_us = (uint64_t)seconds * 1000000 + (uint64_t)micros;
    *epoch = last.epoch + 1 > now_us ? last.epoch + 1 : now_us;
    return ERR_OK;
}

enum err stream_ask_range(struct redis *r, const struct stream *s, const struct stream_span *span,
                          struct err_text *why) {
    assert(span->count >= 1 && span->count <= STREAM_CHUNK_MAX);
    char from_id[STREAM_ID_BYTES], to_id[STREAM_ID_BYTES], number[24];
    stream_format_id(span->from, from_id);
    stream_format_id(span->to, to_id);
    (void)snprintf(number, sizeof number, "%zu", span->count);
    return redis_ask(r,
                     (struct str[]){STR("XRANGE"), str_of(s->key), str_of(from_id), str_of(to_id),
                                    STR("COUNT"), str_of(number)},
                     6, why);
}

enum err stream_range(struct redis *r, const struct stream *s, const struct stream_span *span,
                      struct redisReply **reply, struct err_text *why) {
    *reply = NULL;
    enum err e = stream_ask_range(r, s, span, why);
    return e ? e : redis_answer(r, reply, why);
}

enum err stream_replicated(struct redis *r, int64_t patience_ms, bool *yes, struct err_text *why) {
    char ms[24];
    struct redisReply *reply;
    (void)snprintf(ms, sizeof ms, "%" PRId64, patience_ms);
    *yes = false;
    enum err e = redis_run(r, (struct str[]){STR("WAIT"), STR("1"), str_of(ms)}, 3, &reply, why);
    if (e) return e;
    int64_t replicas;
    *yes = redis_reply_int(reply, &replicas) && replicas >= 1;
    redis_reply_free(reply);
    return ERR_OK;
}

enum err stream_trim(struct redis *r, const struct stream *s, struct position from,
                     struct err_text *why) {
    char id[STREAM_ID_BYTES];
    stream_format_id(from, id);
    struct redisReply *reply;
    enum err e = redis_run(
        r, (struct str[]){STR("XTRIM"), str_of(s->key), STR("MINID"), str_of(id)}, 4, &reply, why);
    redis_reply_free(reply);
    return e;
}
