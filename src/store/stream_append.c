/* stream_append.c - the one command that writes the journal, with its place in it: the fence.
 *
 * A file of its own, for the tests' negative control links one without the place.
 */
#include "store/stream.h"

enum err stream_append(struct redis *r, const struct stream *s, const struct stream_entry *entry,
                       bool must_exist, struct err_text *why) {
    char id[STREAM_ID_BYTES];
    stream_format_id(entry->at, id);
    struct str words[9] = {STR("XADD"), str_of(s->key)};
    size_t count = 2;
    if (must_exist) words[count++] = STR("NOMKSTREAM");
    words[count++] = str_of(id);
    words[count++] = STR("b");
    words[count++] = entry->bytes;
    words[count++] = STR("o");
    words[count++] = entry->owner;
    struct redisReply *reply;
    enum err e = redis_run(r, words, count, &reply, why);
    if (e) return e;
    bool gone = redis_reply_nil(reply);
    redis_reply_free(reply);
    return gone ? err_set(why, ERR_NOT_FOUND, "the stream %s is gone from Redis at %s", s->key,
                          redis_where(r))
                : ERR_OK;
}
