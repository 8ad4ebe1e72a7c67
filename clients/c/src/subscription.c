/* subscription.c - follows the event stream on a thread of its own, and fills its gaps. */
#include "bump.h"
#include "client_internal.h"
#include "close.h"
#include "entry.h"

#include <nng/protocol/pubsub0/sub.h>

#include <ctype.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SILENCE_MS = 3000,  /* three heartbeats */
    WAIT_MS = 250,      /* how often silence is looked for */
    ENTRY_WAIT_MS = 10, /* for the rest of an entry, when other topics' share is not ours */
    REPLAY_PAUSE_MS = 1000,
    DOUBT_PAUSE_MS = 1000,
    CATCH_UP_TRIES = 5,
    REPLAY_TIMEOUT_MS = 10000,
    RECEIVE_BUFFER = 8192, /* nng's largest; what does not fit shows as a gap */
    TOPIC_BYTES = 256,
};

struct muster_subscription {
    struct muster_client *client;
    nng_socket socket;
    nng_aio *aio;
    pthread_t thread;
    bool thread_started;
    char realm[65], prefix[TOPIC_BYTES]; /* prefix: "<realm>/<topic>" */
    muster_event_fn on_event;
    muster_resync_fn on_resync;
    void *arg;
    struct tracker tracker;
    struct bump memory; /* of the message at hand; empty between two */
    struct entry entry;
    int64_t entry_since_ms, silent_since_ms, doubted_ms;
    atomic_bool stopping;
    _Atomic int64_t heard_ms; /* when the last message came; 0 = never */
    atomic_uint_fast64_t gaps;
    pthread_mutex_t mutex; /* guards last (written by our thread only), wakes the replay's waits */
    pthread_cond_t wake;
    struct position last;
};

/* --- Handing on ------------------------------------------------------------------------------ */

static void hand_on(void *arg, const char *topic, const Muster__V1__Event *event) {
    struct muster_subscription *s = arg;
    struct position at = {event->epoch, event->seq};
    if (muster_tracker_fresh(&s->tracker, topic, at, event->index)) s->on_event(s->arg, event);
}

static void flush_entry(struct muster_subscription *s) {
    muster_entry_flush(&s->entry, hand_on, s);
}

static void note_position(struct muster_subscription *s, struct position at) {
    pthread_mutex_lock(&s->mutex);
    if (muster_tracker_order(at, s->last) > 0) s->last = at;
    pthread_mutex_unlock(&s->mutex);
}

/* --- Replay ---------------------------------------------------------------------------------- */

/* Shared by the waiting thread and the call's callback: whoever is second frees it, so that a
 * thread told to stop need not wait for the call. */
struct replay_wait {
    pthread_mutex_t mutex;
    pthread_cond_t ended;
    bool done, abandoned;
    ProtobufCMessage *response;
    struct muster_status status;
};

static void replay_wait_free(struct replay_wait *w) {
    pthread_mutex_unlock(&w->mutex);
    muster_free(w->response);
    pthread_cond_destroy(&w->ended);
    pthread_mutex_destroy(&w->mutex);
    free(w);
}

static void replay_ended(void *arg, ProtobufCMessage *response,
                         const struct muster_status *status) {
    struct replay_wait *w = arg;
    pthread_mutex_lock(&w->mutex);
    w->response = response;
    w->status = *status;
    w->done = true;
    pthread_cond_signal(&w->ended);
    if (w->abandoned)
        replay_wait_free(w);
    else
        pthread_mutex_unlock(&w->mutex);
}

static void wait_until(pthread_cond_t *condition, pthread_mutex_t *mutex, int64_t ms) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += ms / 1000;
    until.tv_nsec += ms % 1000 * 1000000;
    if (until.tv_nsec >= 1000000000) until.tv_sec++, until.tv_nsec -= 1000000000;
    pthread_cond_timedwait(condition, mutex, &until);
}

/* One page after that position. CANCELLED when the subscription is being stopped. */
static enum muster_code replay_page(struct muster_subscription *s, struct position after,
                                    Muster__V1__ReplayEventsResponse **out,
                                    struct muster_status *status) {
    *out = NULL;
    struct replay_wait *w = calloc(1, sizeof *w);
    if (w == NULL) return muster_status_no_memory(status);
    pthread_mutex_init(&w->mutex, NULL);
    pthread_cond_init(&w->ended, NULL);
    Muster__V1__ReplayEventsRequest request = MUSTER__V1__REPLAY_EVENTS_REQUEST__INIT;
    request.epoch = after.epoch;
    request.after_seq = after.seq;
    request.topic_prefix = s->prefix;
    struct muster_call call = {.timeout_ms = REPLAY_TIMEOUT_MS};
    muster_call_async(s->client, "Events/ReplayEvents", &request.base, &call, replay_ended, w);
    pthread_mutex_lock(&w->mutex);
    while (!w->done && !s->stopping)
        wait_until(&w->ended, &w->mutex, WAIT_MS);
    if (!w->done) {
        w->abandoned = true;
        pthread_mutex_unlock(&w->mutex);
        return muster_status_set(status, MUSTER_CANCELLED, "unsubscribed");
    }
    *status = w->status;
    *out = (Muster__V1__ReplayEventsResponse *)w->response;
    w->response = NULL;
    replay_wait_free(w);
    return status->code;
}

static void topic_of(const Muster__V1__Event *event, const char *realm, char out[TOPIC_BYTES]) {
    const ProtobufCEnumValue *type =
        protobuf_c_enum_descriptor_get_value(&muster__v1__event__type__descriptor, event->type);
    int size =
        snprintf(out, TOPIC_BYTES, "%s/%s/%s", realm, event->queue, type ? type->name : "unknown");
    size_t start = strlen(realm) + 1 + strlen(event->queue) + 1;
    for (size_t i = start; i < (size_t)size && i < TOPIC_BYTES; i++)
        out[i] = (char)tolower((unsigned char)out[i]);
}

/* The journal does not reach back to where we were: start over from what comes next. */
static void resync(struct muster_subscription *s, const char *reason) {
    s->tracker.started = false;
    muster_entry_fini(&s->entry); /* of what was before; nothing of it is handed on any more */
    pthread_mutex_lock(&s->mutex);
    s->last = (struct position){0, 0};
    pthread_mutex_unlock(&s->mutex);
    s->on_resync(s->arg, reason);
}

/* As replay_page; resyncs where the journal has no such position. */
static enum muster_code replay_or_resync(struct muster_subscription *s, struct position after,
                                         Muster__V1__ReplayEventsResponse **out) {
    struct muster_status status;
    enum muster_code code = replay_page(s, after, out, &status);
    if (code == MUSTER_OUT_OF_RANGE || code == MUSTER_DATA_LOSS) resync(s, status.message);
    return code;
}

/* What was handed on beyond `known` must still be in the journal, which may have gone back to a
 * place between the two: then a replay from `known` would never show it. */
static enum muster_code verify_last(struct muster_subscription *s) {
    Muster__V1__ReplayEventsResponse *page;
    if (muster_tracker_order(s->last, s->tracker.known) <= 0) return MUSTER_OK;
    enum muster_code code = replay_or_resync(s, s->last, &page);
    muster_free(page);
    return code;
}

/* From `known` to the journal's end. OK, or OUT_OF_RANGE (resynced), or why it failed. */
static enum muster_code replay(struct muster_subscription *s) {
    bool more = true;
    while (more && !s->stopping) {
        Muster__V1__ReplayEventsResponse *page;
        enum muster_code code = replay_or_resync(s, s->tracker.known, &page);
        if (code == MUSTER_OK) code = verify_last(s); /* after the page: it may go back meanwhile */
        if (code != MUSTER_OK) {
            muster_free(page);
            return code;
        }
        for (size_t i = 0; i < page->n_events; i++) {
            char topic[TOPIC_BYTES];
            topic_of(page->events[i], s->realm, topic);
            hand_on(s, topic, page->events[i]);
        }
        struct position end = s->tracker.known;
        if (page->position != NULL)
            end = (struct position){page->position->epoch, page->position->seq};
        /* A page that does not get on would be asked for again for ever. */
        more = page->more && muster_tracker_order(end, s->tracker.known) > 0;
        muster_tracker_known(&s->tracker, end);
        note_position(s, end);
        muster_free(page);
    }
    return MUSTER_OK;
}

static void rest(struct muster_subscription *s) {
    pthread_mutex_lock(&s->mutex);
    if (!s->stopping) wait_until(&s->wake, &s->mutex, REPLAY_PAUSE_MS);
    pthread_mutex_unlock(&s->mutex);
}

/* Something is missing for certain, or may be: nothing later is handed on until it is here, or
 * known to be lost. Meanwhile messages wait in the socket's buffer. */
static void replay_until_done(struct muster_subscription *s) {
    while (!s->stopping) {
        enum muster_code code = replay(s);
        if (code == MUSTER_OK || code == MUSTER_OUT_OF_RANGE || code == MUSTER_DATA_LOSS) return;
        rest(s);
    }
}

/* A replay may come from where the journal's end is not known yet (a relay that is behind, entries
 * that no replica has): then it reached less far than what was lost, and is asked for again. */
static void replay_up_to(struct muster_subscription *s, const char *topic,
                         struct position previous) {
    for (int tries = 0; !s->stopping && s->tracker.started; tries++) {
        if (!muster_tracker_gap(&s->tracker, topic, previous)) return;
        if (tries == CATCH_UP_TRIES) {
            resync(s, "the journal ends before what was heard of it");
            return;
        }
        if (tries > 0) rest(s);
        replay_until_done(s);
    }
}

/* --- Messages -------------------------------------------------------------------------------- */

static bool topic_is_ours(const struct muster_subscription *s, const char *topic) {
    return strncmp(topic, s->prefix, strlen(s->prefix)) == 0;
}

/* "From now": everything before the first message is older than the subscription. */
static void start_tracker(struct muster_subscription *s, const Muster__V1__EventBatch *first,
                          bool heartbeat) {
    struct position at = {first->epoch, first->seq};
    struct position before = {at.epoch,
                              at.seq ? at.seq - 1 : 0}; /* an epoch's first has no events */
    struct position from = heartbeat ? at : before;
    muster_tracker_start(&s->tracker, from, from);
}

/* A new epoch may mean that the journal went back: a replay would tell. So may an older one, which
 * is more often a message that waited here, or a relay that is behind: once a second. */
static bool doubtful(struct muster_subscription *s, uint64_t epoch) {
    if (s->last.epoch == 0 || epoch == s->last.epoch) return false;
    int64_t now = muster_status_now_ms();
    if (epoch < s->last.epoch && now - s->doubted_ms < DOUBT_PAUSE_MS) return false;
    s->doubted_ms = now;
    return true;
}

/* A relay that began after what we know of everything says nothing about the time between. */
static bool heartbeat_shows_gap(const struct muster_subscription *s, const char *heartbeat,
                                const Muster__V1__EventBatch *batch) {
    struct position began = {batch->previous_epoch, batch->previous_seq};
    if (muster_tracker_gap(&s->tracker, heartbeat, began)) return true;
    for (size_t i = 0; i < batch->n_topics; i++) {
        struct position at = {batch->topics[i]->epoch, batch->topics[i]->seq};
        if (topic_is_ours(s, batch->topics[i]->topic) &&
            muster_tracker_gap(&s->tracker, batch->topics[i]->topic, at))
            return true;
    }
    return false;
}

static void take_heartbeat(struct muster_subscription *s, const char *topic,
                           const Muster__V1__EventBatch *batch) {
    if (!s->tracker.started) start_tracker(s, batch, true);
    bool gap = heartbeat_shows_gap(s, topic, batch);
    if (gap) s->gaps++;
    if (doubtful(s, batch->epoch) || gap) replay_until_done(s);
    if (!s->tracker.started) start_tracker(s, batch, true);
    flush_entry(s);
    if (heartbeat_shows_gap(s, topic, batch)) return; /* not caught up: the next one asks again */
    struct position at = {batch->epoch, batch->seq};
    muster_tracker_known(&s->tracker, at);
    note_position(s, at);
}

static void take_batch(struct muster_subscription *s, const char *topic,
                       const Muster__V1__EventBatch *batch) {
    struct position at = {batch->epoch, batch->seq};
    struct position previous = {batch->previous_epoch, batch->previous_seq};
    if (!s->tracker.started) start_tracker(s, batch, false);
    if (muster_tracker_gap(&s->tracker, topic, previous)) s->gaps++;
    if (doubtful(s, batch->epoch)) replay_until_done(s);
    replay_up_to(s, topic, previous);
    if (!s->tracker.started) start_tracker(s, batch, false);
    if (!muster_entry_empty(&s->entry) && muster_tracker_order(s->entry.at, at) != 0)
        flush_entry(s);
    if (muster_entry_empty(&s->entry)) s->entry_since_ms = muster_status_now_ms();
    if (!muster_entry_add(&s->entry, topic, batch, &s->memory)) return;
    muster_tracker_saw(&s->tracker, topic, at);
    note_position(s, at);
    if (muster_entry_whole(&s->entry)) flush_entry(s);
}

static void take_message(struct muster_subscription *s, const char *bytes, size_t size) {
    const char *end = memchr(bytes, '\0', size);
    if (end == NULL || (size_t)(end - bytes) >= TOPIC_BYTES) return;
    size_t head = (size_t)(end - bytes) + 1;
    ProtobufCAllocator allocator = muster_bump_allocator(&s->memory);
    Muster__V1__EventBatch *batch =
        muster__v1__event_batch__unpack(&allocator, size - head, (const uint8_t *)bytes + head);
    if (batch == NULL) { /* damaged or no memory: shows as a gap */
        muster_bump_reset(&s->memory);
        return;
    }
    s->heard_ms = s->silent_since_ms = muster_status_now_ms();
    char heartbeat[TOPIC_BYTES];
    snprintf(heartbeat, sizeof heartbeat, "%s/-/heartbeat", s->realm);
    if (strcmp(bytes, heartbeat) == 0) {
        take_heartbeat(s, heartbeat, batch);
        muster_bump_reset(&s->memory);
    } else {
        take_batch(s, bytes, batch);
    }
}

/* --- The thread ------------------------------------------------------------------------------ */

static void look_for_silence(struct muster_subscription *s) {
    int64_t now = muster_status_now_ms();
    if (!muster_entry_empty(&s->entry) && now - s->entry_since_ms >= ENTRY_WAIT_MS) flush_entry(s);
    if (now - s->silent_since_ms < SILENCE_MS) return;
    if (s->tracker.started) (void)replay(s); /* the server may be away: tried again in a while */
    s->silent_since_ms = muster_status_now_ms();
}

static void *run(void *arg) {
    struct muster_subscription *s = arg;
    /* Where we go on may be long ago: catch up now, not with the first heartbeat. */
    if (s->tracker.started && replay(s) == MUSTER_OK) s->silent_since_ms = muster_status_now_ms();
    while (!s->stopping) {
        nng_aio_set_timeout(s->aio, muster_entry_empty(&s->entry) ? WAIT_MS : ENTRY_WAIT_MS);
        nng_recv_aio(s->socket, s->aio);
        nng_aio_wait(s->aio);
        if (nng_aio_result(s->aio) == 0) {
            nng_msg *message = nng_aio_get_msg(s->aio);
            nng_aio_set_msg(s->aio, NULL);
            if (!s->stopping) take_message(s, nng_msg_body(message), nng_msg_len(message));
            nng_msg_free(message);
        } else if (nng_aio_result(s->aio) == NNG_ECLOSED) {
            break;
        }
        if (!s->stopping) look_for_silence(s);
    }
    return NULL;
}

/* --- Life ------------------------------------------------------------------------------------ */

static enum muster_code set_topics(struct muster_subscription *s,
                                   const struct muster_subscribe_options *o,
                                   struct muster_status *status) {
    const char *realm = o->realm ? o->realm : "default", *topic = o->topic ? o->topic : "";
    if (*realm == '\0' || strlen(realm) >= sizeof s->realm || strchr(realm, '/') != NULL)
        return muster_status_set(status, MUSTER_INVALID_ARGUMENT,
                                 "realm \"%s\": 1..64 of [A-Za-z0-9_.-]", realm);
    if (strlen(realm) + 1 + strlen(topic) >= sizeof s->prefix)
        return muster_status_set(status, MUSTER_INVALID_ARGUMENT, "topic \"%s\" is too long",
                                 topic);
    snprintf(s->realm, sizeof s->realm, "%s", realm);
    snprintf(s->prefix, sizeof s->prefix, "%s/%s", realm, topic);
    return MUSTER_OK;
}

static enum muster_code open_socket(struct muster_subscription *s, const char *addresses,
                                    struct muster_status *status) {
    char heartbeat[TOPIC_BYTES];
    snprintf(heartbeat, sizeof heartbeat, "%s/-/heartbeat", s->realm);
    int error = nng_sub0_open(&s->socket);
    if (error == 0) error = nng_socket_set_int(s->socket, NNG_OPT_RECVBUF, RECEIVE_BUFFER);
    if (error == 0)
        error = nng_socket_set(s->socket, NNG_OPT_SUB_SUBSCRIBE, s->prefix, strlen(s->prefix));
    if (error == 0)
        error = nng_socket_set(s->socket, NNG_OPT_SUB_SUBSCRIBE, heartbeat, strlen(heartbeat));
    if (error == 0) error = nng_aio_alloc(&s->aio, NULL, NULL);
    if (error != 0)
        return muster_status_set(status, MUSTER_RESOURCE_EXHAUSTED, "%s", nng_strerror(error));
    return muster_client_dial(s->socket, addresses, status);
}

enum muster_code muster_subscribe(struct muster_subscription **out, struct muster_client *client,
                                  const struct muster_subscribe_options *options,
                                  struct muster_status *status) {
    *out = NULL;
    if (options->events == NULL || options->on_event == NULL || options->on_resync == NULL)
        return muster_status_set(status, MUSTER_INVALID_ARGUMENT, "%s is not set",
                                 options->events == NULL ? "events" : "a callback");
    struct muster_subscription *s = calloc(1, sizeof *s);
    if (s == NULL) return muster_status_no_memory(status);
    s->client = client;
    s->on_event = options->on_event;
    s->on_resync = options->on_resync;
    s->arg = options->arg;
    s->silent_since_ms = muster_status_now_ms();
    pthread_mutex_init(&s->mutex, NULL);
    pthread_cond_init(&s->wake, NULL);
    struct position after = {options->after_epoch, options->after_seq};
    if (after.epoch != 0 || after.seq != 0) {
        muster_tracker_start(&s->tracker, after, after);
        s->last = after;
    }
    enum muster_code code = set_topics(s, options, status);
    if (code == MUSTER_OK) code = open_socket(s, options->events, status);
    if (code == MUSTER_OK) {
        s->thread_started = pthread_create(&s->thread, NULL, run, s) == 0;
        if (!s->thread_started)
            code = muster_status_set(status, MUSTER_RESOURCE_EXHAUSTED, "no thread can be started");
    }
    if (code != MUSTER_OK) {
        muster_unsubscribe(s);
        return code;
    }
    *out = s;
    muster_status_set(status, MUSTER_OK, "%s", "");
    return MUSTER_OK;
}

void muster_unsubscribe(struct muster_subscription *s) {
    if (s == NULL) return;
    pthread_mutex_lock(&s->mutex);
    s->stopping = true;
    pthread_cond_broadcast(&s->wake);
    pthread_mutex_unlock(&s->mutex);
    if (s->aio != NULL) nng_aio_cancel(s->aio);
    if (s->thread_started) pthread_join(s->thread, NULL);
    nng_aio_free(s->aio);
    if (nng_socket_id(s->socket) > 0) muster_close_socket(s->socket);
    muster_entry_fini(&s->entry);
    muster_bump_fini(&s->memory);
    muster_tracker_fini(&s->tracker);
    pthread_cond_destroy(&s->wake);
    pthread_mutex_destroy(&s->mutex);
    free(s);
}

int muster_subscription_live(const struct muster_subscription *s) {
    int64_t heard = s->heard_ms;
    return heard != 0 && muster_status_now_ms() - heard < SILENCE_MS;
}

uint64_t muster_subscription_gaps(const struct muster_subscription *s) {
    return s->gaps;
}

void muster_subscription_position(const struct muster_subscription *s, uint64_t *epoch,
                                  uint64_t *seq) {
    struct muster_subscription *shared = (struct muster_subscription *)s; /* only its mutex */
    pthread_mutex_lock(&shared->mutex);
    *epoch = s->last.epoch;
    *seq = s->last.seq;
    pthread_mutex_unlock(&shared->mutex);
}
