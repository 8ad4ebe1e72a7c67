/* sio_recovery.c - a namespace's memory of events sent and sockets lost, for those who come back.
 *
 * Events stand in one list, numbered, each with the one packet that all its receivers were sent;
 * the number is the offset. Sockets stand in one list and a map by pid. Both lists are by age, and
 * what is too old or too much goes from their front.
 */
#include "base/clock.h"
#include "base/mem.h"
#include "socketio/sio_core.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct kept_event {
    struct list_node link;
    uint64_t number;
    int64_t until_us;
    struct eio_frame *frame;
    bool to_socket;            /* `to` is an id, else a room; empty: all */
    char except[EIO_ID_BYTES]; /* the id of who is not meant; zeroed = nobody */
    size_t to_size;
    char to[];
};

struct kept_socket {
    struct list_node link;
    int64_t until_us;
    char id[EIO_ID_BYTES];
    char *pid;
    struct strbuf rooms; /* names, each with a NUL behind it */
};

struct sio_recovery {
    struct list events;  /* kept_event.link, by number */
    struct list sockets; /* kept_socket.link, oldest first */
    struct map by_pid;   /* kept_socket */
    size_t event_bytes;
    uint64_t next; /* number of the next event */
    int64_t window_us;
    size_t bytes_max, sockets_max, replay_max;
};

struct sio_recovery *sio_recovery_new(const struct sio_options *o) {
    if (o->recovery_ms == 0) return NULL;
    struct sio_recovery *r = mem_alloc(sizeof *r);
    list_init(&r->events);
    list_init(&r->sockets);
    r->next = 1;
    r->window_us = o->recovery_ms * 1000;
    r->bytes_max = o->recovery_bytes_max;
    r->sockets_max = o->recovery_sockets_max;
    r->replay_max = o->queue_packets_max; /* a client that was sent more would be too slow */
    return r;
}

static size_t event_size(const struct kept_event *e) {
    return sizeof *e + e->to_size + sizeof *e->frame + e->frame->size;
}

static void forget_event(struct sio_recovery *r, struct kept_event *e) {
    list_remove(&r->events, &e->link);
    r->event_bytes -= event_size(e);
    eio_frame_drop(e->frame);
    mem_free(e);
}

static void forget_socket(struct sio_recovery *r, struct kept_socket *k) {
    map_remove(&r->by_pid, str_hash(str_of(k->pid)), k);
    list_remove(&r->sockets, &k->link);
    strbuf_fini(&k->rooms);
    mem_free(k->pid);
    mem_free(k);
}

static struct kept_event *oldest_event(const struct sio_recovery *r) {
    return r->events.count ? LIST_OF(list_first(&r->events), struct kept_event, link) : NULL;
}

static struct kept_socket *oldest_socket(const struct sio_recovery *r) {
    return r->sockets.count ? LIST_OF(list_first(&r->sockets), struct kept_socket, link) : NULL;
}

static void forget_old(struct sio_recovery *r, int64_t now_us) {
    for (struct kept_event *e; (e = oldest_event(r));) {
        if (e->until_us > now_us && r->event_bytes <= r->bytes_max) break;
        forget_event(r, e);
    }
    for (struct kept_socket *k; (k = oldest_socket(r));) {
        if (k->until_us > now_us && r->sockets.count <= r->sockets_max) break;
        forget_socket(r, k);
    }
}

void sio_recovery_free(struct sio_recovery *r) {
    if (!r) return;
    forget_old(r, INT64_MAX);
    map_fini(&r->by_pid);
    mem_free(r);
}

/* ---- keeping ---- */

struct eio_frame *sio_recovery_event(struct sio_nsp *nsp, const struct sio_socket *to,
                                     const struct sio_target *target, struct str name,
                                     struct str args) {
    struct sio_recovery *r = nsp->recovery;
    int64_t now_us = clock_mono_us();
    char offset[24];
    int size = snprintf(offset, sizeof offset, "%" PRIu64, r->next);
    struct eio_frame *f =
        sio_send_event_frame(nsp, name, args, STR_EMPTY, (struct str){offset, (size_t)size});
    struct str receiver = to ? (struct str){to->id, sizeof to->id} : target->room;
    struct kept_event *e = mem_alloc(sizeof *e + receiver.size);
    e->number = r->next++;
    e->until_us = now_us + r->window_us;
    e->frame = eio_frame_hold(f);
    e->to_socket = to != NULL;
    e->to_size = receiver.size;
    if (receiver.size) memcpy(e->to, receiver.at, receiver.size);
    if (target && target->except) memcpy(e->except, target->except->id, sizeof e->except);
    list_append(&r->events, &e->link);
    r->event_bytes += event_size(e);
    forget_old(r, now_us);
    return f;
}

void sio_recovery_keep_socket(struct sio_socket *s) {
    struct sio_recovery *r = s->nsp->recovery;
    int64_t now_us = clock_mono_us();
    struct kept_socket *k = mem_alloc(sizeof *k);
    k->until_us = now_us + r->window_us;
    memcpy(k->id, s->id, sizeof k->id);
    k->pid = mem_text(str_of(s->pid));
    sio_room_names(s, &k->rooms);
    list_append(&r->sockets, &k->link);
    map_put(&r->by_pid, str_hash(str_of(k->pid)), k);
    forget_old(r, now_us);
}

/* ---- coming back ---- */

static bool kept_is(const void *value, const void *key) {
    return str_equal(str_of(((const struct kept_socket *)value)->pid), *(const struct str *)key);
}

static bool in_rooms(const struct strbuf *rooms, struct str name) {
    for (size_t at = 0; at < rooms->size;) {
        struct str room = str_of(rooms->at + at);
        if (str_equal(room, name)) return true;
        at += room.size + 1;
    }
    return false;
}

static bool is_for(const struct kept_event *e, const char *id, const struct strbuf *rooms) {
    struct str to = {e->to, e->to_size};
    if (memcmp(e->except, id, EIO_ID_BYTES) == 0) return false;
    if (e->to_socket) return str_equal(to, (struct str){id, EIO_ID_BYTES});
    return to.size == 0 || in_rooms(rooms, to);
}

/* The number of the last event it has seen; false when events after that are no longer known. A
 * client without an offset has seen none, of those that were sent to it. */
static bool seen_by(const struct sio_recovery *r, struct str offset, uint64_t *seen) {
    const struct kept_event *oldest = oldest_event(r);
    uint64_t first = oldest ? oldest->number : r->next;
    int64_t number = 0;
    if (offset.size && (!str_to_int64(offset, &number) || number < 1)) return false;
    *seen = (uint64_t)number;
    return *seen < r->next && *seen + 1 >= first;
}

static bool few_enough(const struct sio_recovery *r, const struct kept_socket *k, uint64_t seen) {
    size_t count = 0;
    LIST_EACH (&r->events, node) {
        const struct kept_event *e = LIST_OF(node, struct kept_event, link);
        count += e->number > seen && is_for(e, k->id, &k->rooms);
    }
    return count < r->replay_max;
}

static void restore(struct sio_socket *s, const struct kept_socket *k, uint64_t seen) {
    memcpy(s->id, k->id, sizeof s->id);
    s->recovered = true;
    s->seen = seen;
    sio_socket_take_pid(s, str_of(k->pid));
    for (size_t at = 0; at < k->rooms.size; at += strlen(k->rooms.at + at) + 1)
        sio_join(s, str_of(k->rooms.at + at));
}

void sio_recovery_begin(struct sio_socket *s, const struct sio_resume *resume) {
    struct sio_recovery *r = s->nsp->recovery;
    uint64_t seen;
    char pid[EIO_ID_BYTES];
    forget_old(r, clock_mono_us());
    if (resume->pid.size) sio_socket_evict(s->nsp, resume->pid);
    if (s->state == SIO_SOCKET_ENDED) return;
    struct kept_socket *k =
        resume->pid.size ? map_get(&r->by_pid, str_hash(resume->pid), kept_is, &resume->pid) : NULL;
    if (k && seen_by(r, resume->offset, &seen) && few_enough(r, k, seen)) {
        restore(s, k, seen);
    } else {
        eio_base64_new_id(pid);
        sio_socket_take_pid(s, (struct str){pid, sizeof pid});
    }
    if (k) forget_socket(r, k);
}

void sio_recovery_replay(struct sio_socket *s) {
    struct strbuf rooms = {0};
    sio_room_names(s, &rooms);
    LIST_EACH (&s->nsp->recovery->events, node) {
        struct kept_event *e = LIST_OF(node, struct kept_event, link);
        if (e->number <= s->seen || !is_for(e, s->id, &rooms)) continue;
        eio_session_send(s->client->session, &e->frame, 1);
    }
    strbuf_fini(&rooms);
}
