/* event_codec.h - what journal records mean to the outside: muster.v1.Event, by topic. */
#ifndef MUSTER_WIRE_EVENT_CODEC_H
#define MUSTER_WIRE_EVENT_CODEC_H

#include "model/record.h"

struct position {
    uint64_t epoch, seq;
};
int position_compare(struct position a, struct position b);

struct event_batch; /* the events of one journal entry, grouped by topic */

/* Decodes an entry's bytes into its news (carried and epoch records are none).
 * DATA_LOSS when the bytes are no entry. Free with event_batch_free. */
enum err event_batch_new(struct str entry, struct position at, struct str realm,
                         struct event_batch **out, struct err_text *why) ERR_CHECKED;
void event_batch_free(struct event_batch *b);
size_t event_batch_topics(const struct event_batch *b);
struct str event_batch_topic(const struct event_batch *b, size_t index); /* without the NUL */
size_t event_batch_count(const struct event_batch *b, size_t index);     /* events on it */
struct event_trace {   /* one traceparent of one event */
    const char *event; /* "match_found"; static */
    struct id id;      /* of the ticket or match it is about */
    char text[TRACEPARENT_TEXT_BYTES];
};
const struct event_trace *event_batch_traces(const struct event_batch *b, size_t *count);

/* Topic, NUL, EventBatch message: one nng message. */
void event_batch_encode(const struct event_batch *b, size_t index, struct position previous,
                        struct strbuf *out);

struct topic_position {
    struct str topic;
    struct position at;
};
struct event_heartbeat {
    struct position last;  /* of the journal, as far as relayed */
    struct position start; /* where the relay began: it sent nothing that is older */
    const struct topic_position *topics;
    size_t topic_count;
};
void event_encode_heartbeat(struct str realm, const struct event_heartbeat *h, struct strbuf *out);

/* ReplayEventsResponse, built up entry by entry: appends the batch's events whose topic starts
 * with `topic_prefix`, in order; then finish it. */
void event_replay_add(const struct event_batch *b, struct str topic_prefix, struct strbuf *out);
void event_replay_finish(struct position last, bool more, struct strbuf *out);

#endif
