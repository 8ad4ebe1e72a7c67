/* events_role.c - the relay's thread: journal in, topics out, replays on demand. */
#include "events/events_role.h"

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "bus/publisher.h"
#include "events/topics.h"
#include "rt/call.h"
#include "rt/role_meter.h"
#include "rt/thread.h"
#include "store/reader.h"
#include "wire/request.h"

#include <inttypes.h>
#include <poll.h>
#include <stdatomic.h>

enum {
    ENTRIES_PER_TURN = 16,      /* relayed, or looked back at, between two looks at the inbox */
    REPLAY_BYTES_MAX = 1048576, /* an answer is cut before it, unless it is one entry's */
    HEARTBEAT_US = 1000000,
};

struct events {
    struct str realm; /* owned */
    struct inbox inbox;
    struct role_meter meter;
    struct thread thread;
    struct reader *reader;
    struct publisher *publisher;
    struct topics topics;
    bool started; /* the follower knows where it began */
    int64_t heartbeat_due_us;
    struct strbuf bytes;
    atomic_bool stopping; /* seen before the replays that are queued */
};

/* ---- publishing ---- */

static void log_traces(const struct event_batch *batch) {
    size_t count;
    const struct event_trace *traces = event_batch_traces(batch, &count);
    for (size_t i = 0; i < count && log_enabled(LOG_LEVEL_DEBUG); i++) {
        char id[ID_TEXT_BYTES];
        id_format(traces[i].id, id);
        LOG_DEBUG("event-published", "event=%s of=%s traceparent=%s", traces[i].event, id,
                  traces[i].text);
    }
}

static void publish(struct events *e, const struct reader_entry *entry) {
    struct event_batch *batch;
    struct err_text why;
    if (event_batch_new(entry->bytes, entry->at, e->realm, &batch, &why) != ERR_OK) {
        LOG_ERROR("entry-unreadable", "position=%" PRIu64 "-%" PRIu64 " why=%s", entry->at.epoch,
                  entry->at.seq, log_quote(str_of(why.text)));
        return;
    }
    for (size_t i = 0; i < event_batch_topics(batch); i++) {
        struct position previous =
            topics_advance(&e->topics, event_batch_topic(batch, i), entry->at);
        strbuf_clear(&e->bytes);
        event_batch_encode(batch, i, previous, &e->bytes);
        publisher_send(e->publisher, strbuf_str(&e->bytes));
        metric_add(METRIC_events_published_total, (int64_t)event_batch_count(batch, i));
    }
    log_traces(batch);
    event_batch_free(batch);
}

static void send_heartbeat(struct events *e) {
    strbuf_clear(&e->bytes);
    struct event_heartbeat h = {reader_last(e->reader), e->topics.start, e->topics.at,
                                e->topics.count};
    event_encode_heartbeat(e->realm, &h, &e->bytes);
    publisher_send(e->publisher, strbuf_str(&e->bytes));
}

/* Where the relay begins is known once the follower is connected; before an entry that came at once
 * the place is unknown, and naming that entry itself makes subscribers replay it. */
static void begin(struct events *e, const struct reader_entry *entries, size_t count) {
    topics_reset(&e->topics, count ? entries[0].at : reader_last(e->reader));
    e->started = true;
}

/* True when more may be waiting. */
static bool relay(struct events *e) {
    struct reader_entry entries[ENTRIES_PER_TURN];
    bool jumped = false;
    struct position before = reader_last(e->reader);
    size_t count = reader_next(e->reader, entries, ENTRIES_PER_TURN, &jumped);
    bool moved = position_compare(reader_last(e->reader), before) != 0;
    if (jumped || (!e->started && moved)) begin(e, entries, count);
    for (size_t i = 0; i < count; i++)
        publish(e, &entries[i]);
    return count == ENTRIES_PER_TURN;
}

/* ---- replays ---- */

struct replay { /* one answer under way */
    const struct request *request;
    struct position last; /* entry looked at */
    uint32_t entries_left;
    bool more;
};

/* Adds entries to the answer in e->bytes until it is full. */
static void add_entries(struct events *e, struct replay *p, const struct reader_entry *entries,
                        size_t count) {
    for (size_t i = 0; i < count && !p->more; i++) {
        struct event_batch *batch;
        struct err_text why;
        size_t before = e->bytes.size;
        if (event_batch_new(entries[i].bytes, entries[i].at, e->realm, &batch, &why) == ERR_OK) {
            event_replay_add(batch, p->request->replay.topic_prefix, &e->bytes);
            event_batch_free(batch);
        }
        if (before > 0 && e->bytes.size > REPLAY_BYTES_MAX) {
            e->bytes.size = before; /* begins the next answer */
            p->more = true;
        } else {
            p->last = entries[i].at;
            p->entries_left--;
        }
    }
}

/* In chunks, since an entry may have LIMIT_ENTRY_BYTES and a topic few events in many of them. */
static enum err collect(struct events *e, struct replay *p, struct err_text *why) {
    strbuf_clear(&e->bytes);
    for (bool first = true; p->entries_left > 0 && !p->more; first = false) {
        struct reader_entry entries[ENTRIES_PER_TURN];
        size_t max = p->entries_left < ENTRIES_PER_TURN ? p->entries_left : ENTRIES_PER_TURN;
        size_t count = max;
        bool from = first && p->request->replay.inclusive && p->last.epoch;
        enum err code =
            (from ? reader_range_from : reader_range)(e->reader, p->last, entries, &count, why);
        if (code != ERR_OK && first) return code;
        if (code != ERR_OK) {
            p->more = true; /* what there is so far is true; the next call will say what is wrong */
            return ERR_OK;
        }
        add_entries(e, p, entries, count);
        if (count < max) return ERR_OK;
    }
    p->more = true;
    return ERR_OK;
}

static enum err check_call(const struct events *e, const struct call *c, struct err_text *why) {
    if (atomic_load(&e->stopping))
        return err_set(why, ERR_UNAVAILABLE, "the server is stopping; try again");
    if (!call_expired(c, clock_mono_us())) return ERR_OK;
    metric_add(METRIC_rpc_expired_total, 1);
    return err_set(why, ERR_DEADLINE_EXCEEDED, "its deadline passed before work began");
}

static void replay(struct events *e, struct call *c) {
    const struct request *r = c->command;
    struct replay p = {
        .request = r,
        .last = {r->replay.epoch, r->replay.after_seq},
        .entries_left = r->replay.max_entries,
    };
    struct err_text why;
    enum err code = check_call(e, c, &why);
    if (code == ERR_OK) code = collect(e, &p, &why);
    if (code != ERR_OK) {
        call_reply(c, code, &why, STR_EMPTY);
        return;
    }
    event_replay_finish(p.last, p.more, &e->bytes);
    metric_add(METRIC_events_replays_total, 1);
    call_reply(c, ERR_OK, NULL, strbuf_str(&e->bytes));
}

/* ---- the loop ---- */

static void take_messages(struct events *e, struct message *list) {
    while (list) {
        struct message *message = list;
        list = list->next;
        if (message->kind == MESSAGE_CALL) {
            replay(e, (struct call *)(void *)message);
        } else {
            mem_free(message); /* MESSAGE_STOP: the wake-up is all it is for */
        }
    }
}

static int wait_ms(const struct events *e) {
    int64_t left = (e->heartbeat_due_us - clock_mono_us() + 999) / 1000;
    int64_t reader = reader_due_ms(e->reader);
    if (reader >= 0 && reader < left) left = reader;
    return left < 0 ? 0 : (int)left;
}

static void run(void *arg) {
    struct events *e = arg;
    bool more = false;
    while (!atomic_load(&e->stopping)) {
        struct pollfd fds[2] = {{e->inbox.wake_fd, POLLIN, 0}, {reader_fd(e->reader), POLLIN, 0}};
        (void)poll(fds, fds[1].fd >= 0 ? 2 : 1, more ? 0 : wait_ms(e)); /* errors: as time-out */
        struct message *list = inbox_take(&e->inbox);
        role_meter_begin(&e->meter, list);
        take_messages(e, list);
        more = relay(e);
        if (clock_mono_us() >= e->heartbeat_due_us) {
            send_heartbeat(e);
            e->heartbeat_due_us = clock_mono_us() + HEARTBEAT_US;
        }
        role_meter_end(&e->meter);
    }
}

/* ---- life cycle ---- */

enum err events_start(struct events **out, const struct events_options *o, struct err_text *why) {
    *out = NULL;
    struct events *e = mem_alloc(sizeof *e);
    struct reader_options r = {o->redis, o->state_folder, o->realm, o->operation_ms, o->replicated};
    e->realm = (struct str){mem_text(str_of(o->realm)), str_of(o->realm).size};
    inbox_init(&e->inbox, LIMIT_INBOX_MESSAGES, NULL, NULL);
    role_meter_init(&e->meter, "events");
    enum err code = reader_new(&e->reader, &r, why);
    if (code == ERR_OK) code = publisher_open(&e->publisher, o->publish, why);
    if (code != ERR_OK) {
        events_free(e);
        return code;
    }
    reader_follow(e->reader, (struct position){0, 0});
    thread_start(&e->thread, "events", run, e);
    LOG_INFO("events-publishing", "addresses=%s", publisher_addresses(e->publisher));
    *out = e;
    return ERR_OK;
}

struct inbox *events_inbox(struct events *e) {
    return &e->inbox;
}

const char *events_addresses(const struct events *e) {
    return publisher_addresses(e->publisher);
}

void events_stop(struct events *e) {
    if (!e->thread.started) return;
    struct message *stop = mem_alloc(sizeof *stop);
    stop->kind = MESSAGE_STOP;
    atomic_store(&e->stopping, true);
    inbox_push_always(&e->inbox, stop);
    thread_join(&e->thread);
}

void events_free(struct events *e) {
    if (!e) return;
    events_stop(e);
    if (e->reader) take_messages(e, inbox_take(&e->inbox)); /* answers what came too late */
    if (e->publisher) publisher_close(e->publisher);
    reader_free(e->reader);
    topics_fini(&e->topics);
    inbox_fini(&e->inbox);
    strbuf_fini(&e->bytes);
    mem_free((char *)e->realm.at);
    mem_free(e);
}
