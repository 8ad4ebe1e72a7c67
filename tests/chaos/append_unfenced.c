/* append_unfenced.c - the negative control: a server that writes wherever the journal ends by now,
 * instead of at its own place in its own epoch. The checker must notice. */
#include "store/stream.h"

enum err stream_append(struct redis *r, const struct stream *s, const struct stream_entry *entry,
                       bool must_exist, struct err_text *why) {
    char id[STREAM_ID_BYTES];
    stream_format_id(entry->at, id);
    bool epoch = entry->at.seq == 1; /* a new owner must begin somewhere */
    (void)must_exist;
    struct redisReply *reply;
    enum err e =
        redis_run(r,
                  (struct str[]){STR("XADD"), str_of(s->key), epoch ? str_of(id) : STR("*"),
                                 STR("b"), entry->bytes, STR("o"), entry->owner},
                  7, &reply, why);
    redis_reply_free(reply);
    return e;
}
