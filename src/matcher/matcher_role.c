/* matcher_role.c - the matcher's thread: its loop, its leadership, its end. */
#include "matcher/matcher_role.h"

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "matcher/answer.h"
#include "matcher/decide.h"
#include "matcher/handlers.h"
#include "matcher/matcher_state.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

enum {
    SEARCH_NODES = 2000,  /* per turn of the loop: 4 ms at most, in whatever crowd */
    EXPIRE_MAX = 1000,    /* per turn */
    STOP_FLUSH_MS = 2000, /* patience with the last batches */
    STOP_AWAY_MS = 300,   /* while the store is known not to write */
    MESSAGE_DRAIN = PUMP_STOPPED + 1,
};

/* ---- leadership ---- */

static void lead(struct matcher *m, struct pump_message *p) {
    m->realm = p->realm;
    p->realm = NULL; /* taken */
    m->epoch = p->epoch;
    m->seq = p->seq;
    m->standing.lease_us = p->lease_us;
    m->clock_base_ms = p->time_ms;
    m->clock_base_us = p->time_us;
    realm_lead(m->realm, m->clock_base_ms);
    counts_begin(&m->counts, m->realm);
    m->why = (struct err_text){0};
    compaction_begin(&m->compaction, (struct compaction_mark){m->clock_base_ms, m->epoch, m->seq});
    atomic_store(&m->following, false);
    atomic_store(&m->leading, true);
    metric_set(METRIC_tickets_queued, (int64_t)realm_tickets_open(m->realm));
    LOG_INFO("leading", "realm=%s epoch=%" PRIu64 " tickets=%" PRIu64 " skipped=%" PRIu64,
             m->o.realm, m->epoch, realm_tickets_open(m->realm), realm_skipped(m->realm));
}

static void release_watches(struct matcher *m, const struct err_text *why) {
    struct id ticket_id;
    for (struct call *c; (c = watch_take_due(&m->watches, INT64_MAX, &ticket_id));)
        call_reply(c, ERR_UNAVAILABLE, why, STR_EMPTY);
}

static void step_down(struct matcher *m, const struct err_text *why) {
    if (!m->realm) return;
    atomic_store(&m->leading, false);
    m->why = *why;
    batch_abandon(&m->batch, why);
    release_watches(m, why);
    counts_end(&m->counts);
    realm_free(m->realm);
    m->realm = NULL;
}

static void durable(struct matcher *m, const struct pump_message *p) {
    if (!m->realm) return;
    m->epoch = p->epoch;
    m->seq = p->seq;
    m->why = (struct err_text){0};
    batch_durable(&m->batch, p->tag);
    compaction_note(&m->compaction, (struct compaction_mark){decide_now_ms(m), m->epoch, m->seq},
                    m->o.journal_keep_ms);
}

static void stand(struct matcher *m, const struct pump_message *p) {
    m->standing = (struct standing){clock_mono_us(), p->lease_us, p->behind};
    if (m->realm) return; /* its own position is newer */
    atomic_store(&m->following, true);
    m->epoch = p->epoch;
    m->seq = p->seq;
}

static void take_pump_message(struct matcher *m, struct pump_message *p) {
    switch (p->message.kind) {
    case PUMP_LEADING:
        lead(m, p);
        break;
    case PUMP_APPENDED:
        durable(m, p);
        break;
    case PUMP_LOST: /* logged by the pump */
        step_down(m, &p->why);
        break;
    case PUMP_STATE:
        m->why = p->why;
        break;
    case PUMP_STANDING:
        stand(m, p);
        break;
    case PUMP_STOPPED:
        m->pump_stopped = true;
        break;
    default:
        break;
    }
    pump_message_free(p);
}

/* ---- the loop ---- */

/* Within its lease nobody else can have taken over, and while Redis is there it has lost nothing.
 * Else (paused, or cut off from Redis, which may come back with less) what the realm says may be
 * wrong: such a read is refused and goes to whoever leads, or is asked again. */
static void look_at_lease(struct matcher *m) {
    m->batch.certain =
        !m->why.text[0] && clock_mono_us() < m->standing.lease_us + m->o.lease_ms * 1000;
}

static void take_messages(struct matcher *m, struct message *list) {
    struct err_text why;
    while (list) {
        struct message *message = list;
        list = list->next;
        if (message->kind == MESSAGE_CALL) {
            look_at_lease(m);
            handlers_serve(m, (struct call *)(void *)message);
        } else if (message->kind == MESSAGE_DRAIN || message->kind == MESSAGE_STOP) {
            m->stopping = true;
            (void)err_set(&why, ERR_UNAVAILABLE, "the server is stopping; try again");
            release_watches(m, &why);
            m->stop_asked = m->stop_asked || message->kind == MESSAGE_STOP;
            mem_free(message);
        } else {
            take_pump_message(m, (struct pump_message *)(void *)message);
        }
    }
}

/* Too much is on its way to the store: nothing is decided until some of it is durable. */
static bool full(const struct matcher *m) {
    return m->batch.pending_bytes > LIMIT_PENDING_BYTES;
}

/* What the realm does by itself; true when more is left at once. */
static bool work(struct matcher *m) {
    if (!m->realm || full(m)) return false;
    struct decision d = decide_now(m);
    bool more = realm_expire(m->realm, &d, EXPIRE_MAX) == EXPIRE_MAX;
    decide_done(m);
    d = decide_now(m);
    more = realm_search(m->realm, &d, SEARCH_NODES) || more;
    decide_done(m);
    more = compaction_work(m) || more;
    counts_publish(&m->counts, m->realm, decide_now_ms(m));
    return more;
}

static void answer_due(struct matcher *m) {
    int64_t now_us = clock_mono_us();
    struct id ticket_id;
    batch_expire(&m->batch, now_us, &m->why);
    look_at_lease(m);
    for (struct call *c; m->realm && (c = watch_take_due(&m->watches, now_us, &ticket_id));)
        answer_watch(m, c);
}

static int wait_ms(const struct matcher *m) {
    int64_t now_us = clock_mono_us();
    int64_t due_us = batch_due_us(&m->batch);
    if (watch_due_us(&m->watches) < due_us) due_us = watch_due_us(&m->watches);
    int64_t left_ms = due_us == INT64_MAX ? INT64_MAX : (due_us - now_us + 999) / 1000;
    if (m->realm && !full(m)) {
        int64_t realm_ms = realm_next_due_ms(m->realm);
        if (realm_ms != INT64_MAX && realm_ms - decide_now_ms(m) < left_ms)
            left_ms = realm_ms - decide_now_ms(m);
        if (left_ms > 1000) left_ms = 1000; /* compaction looks at the clock */
    }
    if (left_ms == INT64_MAX) return -1;
    return left_ms < 0 ? 0 : left_ms > 60000 ? 60000 : (int)left_ms;
}

static void turn(struct matcher *m, bool *more) {
    int timeout_ms = *more ? 0 : wait_ms(m);
    struct message *list = inbox_wait(&m->inbox, timeout_ms);
    role_meter_begin(&m->meter, list);
    take_messages(m, list);
    look_at_lease(m);
    *more = work(m);
    if (m->realm) batch_flush(&m->batch, m->pump);
    answer_due(m);
    role_meter_end(&m->meter);
}

static bool flush_in_time(const struct matcher *m, int64_t begin_us) {
    int64_t patience_ms = m->why.text[0] ? STOP_AWAY_MS : STOP_FLUSH_MS;
    return clock_mono_us() - begin_us < patience_ms * 1000;
}

static void wind_up(struct matcher *m) {
    struct err_text why;
    int64_t begin_us = clock_mono_us();
    while (m->realm && !batch_idle(&m->batch) && flush_in_time(m, begin_us)) {
        batch_flush(&m->batch, m->pump);
        take_messages(m, inbox_wait(&m->inbox, 10));
        answer_due(m);
    }
    pump_stop(m->pump);
    while (!m->pump_stopped)
        take_messages(m, inbox_wait(&m->inbox, -1));
    (void)err_set(&why, ERR_UNAVAILABLE, "the server stopped");
    step_down(m, &why);
}

static void run(void *arg) {
    struct matcher *m = arg;
    bool more = false;
    while (!m->stop_asked)
        turn(m, &more);
    wind_up(m);
}

/* ---- life cycle ---- */

static struct matcher *new_matcher(const struct matcher_options *o) {
    struct matcher *m = mem_alloc(sizeof *m);
    m->texts = arena_new(0);
    m->arena = arena_new(0);
    m->o = *o;
    m->o.version = arena_str(m->texts, str_of(o->version)).at;
    m->o.realm = arena_str(m->texts, str_of(o->realm)).at;
    const char **roles = arena_alloc(m->texts, (o->role_count + 1) * sizeof *roles);
    for (size_t i = 0; i < o->role_count; i++)
        roles[i] = arena_str(m->texts, str_of(o->roles[i])).at;
    m->o.roles = roles;
    m->started_us = clock_mono_us();
    uint64_t seed = o->seed;
    if (seed == 0) rng_secret(&seed, sizeof seed);
    rng_init(&m->rng, seed);
    inbox_init(&m->inbox, LIMIT_INBOX_MESSAGES, NULL, NULL);
    batch_init(&m->batch);
    role_meter_init(&m->meter, "matcher");
    LOG_INFO("matcher-started", "realm=%s seed=%" PRIu64, o->realm, seed);
    return m;
}

enum err matcher_start(struct matcher **out, const struct matcher_options *o,
                       struct err_text *why) {
    *out = NULL;
    struct matcher *m = new_matcher(o);
    char owner[32];
    uint64_t nonce;
    rng_secret(&nonce, sizeof nonce);
    (void)snprintf(owner, sizeof owner, "%d-%016" PRIx64, (int)getpid(), nonce);
    struct pump_options p = {
        .redis = o->redis,
        .state_folder = o->state_folder,
        .realm = o->realm,
        .owner = owner,
        .lease_ms = o->lease_ms,
        .operation_ms = o->operation_ms,
        .keep_ms = o->keep_ms,
        .durability = o->durability,
    };
    enum err code = pump_start(&m->pump, &p, &m->inbox, why);
    if (code != ERR_OK) {
        matcher_free(m);
        return code;
    }
    thread_start(&m->thread, "matcher", run, m);
    *out = m;
    return ERR_OK;
}

struct inbox *matcher_inbox(struct matcher *m) {
    return &m->inbox;
}

bool matcher_leading(const struct matcher *m) {
    return atomic_load(&m->leading);
}

bool matcher_following(const struct matcher *m) {
    return atomic_load(&m->following);
}

static void tell(struct matcher *m, int kind) {
    struct message *message = mem_alloc(sizeof *message);
    message->kind = kind;
    inbox_push_always(&m->inbox, message);
}

void matcher_drain(struct matcher *m) {
    tell(m, MESSAGE_DRAIN);
}

void matcher_stop(struct matcher *m) {
    if (!m->thread.started) return;
    tell(m, MESSAGE_STOP);
    thread_join(&m->thread);
}

void matcher_free(struct matcher *m) {
    if (!m) return;
    assert(!m->thread.started && "matcher_stop comes first");
    if (m->pump) take_messages(m, inbox_take(&m->inbox)); /* answers what came too late */
    pump_free(m->pump);
    batch_fini(&m->batch);
    watch_fini(&m->watches);
    inbox_fini(&m->inbox);
    strbuf_fini(&m->answer);
    arena_free(m->arena);
    arena_free(m->texts);
    mem_free(m);
}
