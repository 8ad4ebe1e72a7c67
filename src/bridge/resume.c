/* resume.c - passes over the journal for those who come back. */
#include "bridge/resume.h"

#include "base/log.h"
#include "base/metrics.h"
#include "base/rng.h"
#include "bridge/bridge_internal.h"
#include "bridge/rpc.h"
#include "wire/json.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    ENTRIES_PER_PAGE = 1000,
    RESUME_EVENTS_MAX = 200, /* for one player: a socket's queue must hold them */
};

static void start_pass(struct bridge *b);

void resume_init(struct resume *r) {
    *r = (struct resume){0};
    list_init(&r->waiting);
    list_init(&r->passing);
}

/* --- Offsets --------------------------------------------------------------------------------- */

void resume_offset(const struct place *at, char out[RESUME_OFFSET_BYTES]) {
    (void)snprintf(out, RESUME_OFFSET_BYTES, "%" PRIu64 "-%" PRIu64 "-%" PRIu32, at->epoch, at->seq,
                   at->index);
}

static bool parse_offset(struct str text, struct place *out) {
    char copy[RESUME_OFFSET_BYTES];
    int end = 0;
    if (text.size == 0 || text.size >= sizeof copy) return false;
    memcpy(copy, text.at, text.size);
    copy[text.size] = '\0';
    return sscanf(copy, "%20" SCNu64 "-%20" SCNu64 "-%10" SCNu32 "%n", &out->epoch, &out->seq,
                  &out->index, &end) == 3 &&
           (size_t)end == text.size && out->epoch > 0;
}

/* --- Ends ------------------------------------------------------------------------------------ */

/* The client learns from it that it does not go on where it was. */
static void set_new_pid(struct session *s) {
    char pid[33];
    uint64_t secret[2];
    rng_secret(secret, sizeof secret);
    (void)snprintf(pid, sizeof pid, "%016" PRIx64 "%016" PRIx64, secret[0], secret[1]);
    sio_socket_identify(s->socket, STR_EMPTY, str_of(pid));
}

static void accept(struct session *s) {
    s->resuming = s->in_pass = false;
    sio_connect_accept(s->socket);
}

static void give_up(struct bridge *b, struct session *s, const char *reason) {
    list_remove(&b->resume.passing, &s->resume_link);
    metric_add(METRIC_bridge_resume_failures_total, 1);
    players_session_ref(s); /* accepting may cut it, when it is too slow */
    set_new_pid(s);
    accept(s);
    if (s->socket != NULL) states_want_resync(b, s, reason);
    players_session_unref(&b->players, s);
}

static void give_up_all(struct bridge *b, const char *reason) {
    while (b->resume.passing.count > 0)
        give_up(b, LIST_OF(list_first(&b->resume.passing), struct session, resume_link), reason);
}

static void finish_all(struct bridge *b) {
    struct resume *r = &b->resume;
    while (r->passing.count > 0) {
        struct session *s = LIST_OF(list_first(&r->passing), struct session, resume_link);
        list_remove(&r->passing, &s->resume_link);
        s->covered = (struct place){r->next.epoch, r->next.seq, UINT32_MAX};
        metric_add(METRIC_bridge_resumes_total, 1);
        accept(s);
    }
}

/* --- The pass -------------------------------------------------------------------------------- */

static void tell_missed(struct bridge *b, const Muster__V1__Event *event) {
    struct news *n = feed_news(b, event);
    if (n == NULL) return;
    const struct place *at = feed_news_place(n);
    for (size_t i = 0; i < feed_news_targets(n); i++) {
        struct player *player = feed_news_player(b, n, i);
        if (player == NULL) continue;
        players_ref(player);
        LIST_EACH (&player->sessions, node) {
            struct session *s = LIST_OF(node, struct session, link);
            if (!s->in_pass || place_compare(at, &s->covered) <= 0) continue;
            s->covered = *at;
            if (++s->missed > RESUME_EVENTS_MAX)
                give_up(b, s, "more was missed than is replayed");
            else
                feed_news_emit(s, n, i);
        }
        players_unref(&b->players, player);
    }
    feed_news_free(n);
}

static void on_page(struct bridge *b, struct rpc *rpc);

static void ask_page(struct bridge *b, bool inclusive) {
    Muster__V1__ReplayEventsRequest request = MUSTER__V1__REPLAY_EVENTS_REQUEST__INIT;
    request.epoch = b->resume.next.epoch;
    request.after_seq = b->resume.next.seq;
    request.inclusive = inclusive;
    request.max_entries = ENTRIES_PER_PAGE;
    b->resume.pages++;
    rpc_call(rpc_new(b, on_page, NULL, STR_EMPTY), "Events/ReplayEvents", &request.base, NULL);
}

/* From the oldest place that somebody in the pass has. */
static void begin_at_oldest(struct bridge *b) {
    struct resume *r = &b->resume;
    r->next = (struct place){UINT64_MAX, UINT64_MAX, 0};
    LIST_EACH (&r->passing, node) {
        const struct session *s = LIST_OF(node, struct session, resume_link);
        if (place_compare(&s->covered, &r->next) < 0) r->next = s->covered;
    }
    ask_page(b, true);
}

static void start_pass(struct bridge *b) {
    struct resume *r = &b->resume;
    if (r->under_way || r->waiting.count == 0) return;
    r->under_way = true;
    r->pages = 0;
    while (r->waiting.count > 0) {
        struct list_node *first = list_first(&r->waiting);
        list_remove(&r->waiting, first);
        list_append(&r->passing, first);
        LIST_OF(first, struct session, resume_link)->in_pass = true;
    }
    begin_at_oldest(b);
}

static void end_pass(struct bridge *b) {
    b->resume.under_way = false;
    start_pass(b);
}

/* The entry it began with is not in the journal: trimmed, or taken back. */
static void drop_oldest(struct bridge *b, const char *reason) {
    struct resume *r = &b->resume;
    LIST_EACH (&r->passing, node) {
        struct session *s = LIST_OF(node, struct session, resume_link);
        if (s->covered.epoch == r->next.epoch && s->covered.seq == r->next.seq)
            give_up(b, s, reason);
    }
    if (r->passing.count > 0)
        begin_at_oldest(b);
    else
        end_pass(b);
}

static void take_page(struct bridge *b, const Muster__V1__ReplayEventsResponse *page) {
    struct resume *r = &b->resume;
    for (size_t i = 0; i < page->n_events; i++)
        tell_missed(b, page->events[i]);
    if (page->position != NULL)
        r->next = (struct place){page->position->epoch, page->position->seq, UINT32_MAX};
    /* Live events that came meanwhile were not sent to them: the pass must have passed those. */
    bool behind = page->more || place_compare(&r->next, &b->feed.last) < 0;
    if (r->passing.count > 0 && behind && r->pages < RESUME_PAGES_MAX) {
        ask_page(b, false);
        return;
    }
    if (behind)
        give_up_all(b, "more was missed than is replayed");
    else
        finish_all(b);
    end_pass(b);
}

static void on_page(struct bridge *b, struct rpc *rpc) {
    if (rpc->status.code == MUSTER_CANCELLED) return; /* our own end */
    if (rpc->status.code == MUSTER_OK) {
        take_page(b, (Muster__V1__ReplayEventsResponse *)rpc->response);
    } else if (rpc->status.code == MUSTER_OUT_OF_RANGE) {
        drop_oldest(b, rpc->status.message);
    } else {
        LOG_WARN("resume-failed", "players=%zu why=%s", b->resume.passing.count,
                 log_quote(str_of(rpc->status.message)));
        give_up_all(b, rpc->status.message);
        end_pass(b);
    }
}

/* --- Sessions -------------------------------------------------------------------------------- */

/* auth.resume: true, or the offset. */
static bool wants_offsets(struct str auth, struct strbuf *value) {
    if (!json_member(auth, "resume", value)) return false;
    struct str text = strbuf_str(value);
    return str_equal(text, STR("true")) || (text.size >= 2 && text.at[0] == '"');
}

static bool offset_of(const struct session *s, struct str value, struct place *out) {
    struct sio_resume recovery = sio_socket_resume(s->socket);
    if (recovery.pid.size > 0) return parse_offset(recovery.offset, out);
    bool text = value.size > 2 && value.at[0] == '"';
    return text && parse_offset((struct str){value.at + 1, value.size - 2}, out);
}

bool resume_connect(struct bridge *b, struct session *s, struct str auth) {
    struct strbuf value = {0};
    s->resumable = wants_offsets(auth, &value);
    bool asks = s->resumable && offset_of(s, strbuf_str(&value), &s->covered);
    strbuf_fini(&value);
    if (!s->resumable) return false;
    struct str pid = sio_socket_resume(s->socket).pid;
    if (asks && pid.size > 0)
        sio_socket_identify(s->socket, STR_EMPTY, pid);
    else
        set_new_pid(s);
    if (!asks) {
        s->covered = (struct place){0};
        return false;
    }
    s->resuming = true;
    s->missed = 0;
    sio_connect_defer(s->socket);
    list_append(&b->resume.waiting, &s->resume_link);
    start_pass(b);
    return true;
}

void resume_leave(struct bridge *b, struct session *s) {
    if (!s->resuming) return;
    list_remove(s->in_pass ? &b->resume.passing : &b->resume.waiting, &s->resume_link);
    s->resuming = s->in_pass = false;
}
