/* sio_room.c - rooms of a namespace, and sending one buffer to all in them. */
#include "base/mem.h"
#include "socketio/sio_core.h"

#include <assert.h>

struct sio_room {        /* exists while it has members */
    struct list members; /* sio_membership.room_link */
    struct str name;     /* owned */
    uint64_t hash;
};

struct sio_membership {
    struct list_node room_link, socket_link;
    struct sio_room *room;
    struct sio_socket *socket;
};

static bool room_equal(const void *value, const void *key) {
    return str_equal(((const struct sio_room *)value)->name, *(const struct str *)key);
}

static struct sio_room *find_room(const struct sio_nsp *nsp, struct str name) {
    return map_get(&nsp->rooms, str_hash(name), room_equal, &name);
}

static struct sio_room *make_room(struct sio_nsp *nsp, struct str name) {
    struct sio_room *room = mem_alloc(sizeof *room);
    list_init(&room->members);
    room->name = (struct str){mem_text(name), name.size};
    room->hash = str_hash(name);
    map_put(&nsp->rooms, room->hash, room);
    return room;
}

/* Looks in the socket's own list: a socket is in few rooms, a room may have many sockets. */
static struct sio_membership *find_membership(struct sio_socket *s, const struct sio_room *room) {
    LIST_EACH (&s->memberships, node) {
        struct sio_membership *m = LIST_OF(node, struct sio_membership, socket_link);
        if (m->room == room) return m;
    }
    return NULL;
}

static void end_membership(struct sio_membership *m) {
    struct sio_room *room = m->room;
    list_remove(&m->socket->memberships, &m->socket_link);
    list_remove(&room->members, &m->room_link);
    if (room->members.count == 0) {
        map_remove(&m->socket->nsp->rooms, room->hash, room);
        mem_free((char *)room->name.at);
        mem_free(room);
    }
    mem_free(m);
}

void sio_join(struct sio_socket *s, struct str name) {
    assert(name.size > 0); /* the empty room is the whole namespace */
    if (s->state == SIO_SOCKET_ENDED) return;
    struct sio_room *room = find_room(s->nsp, name);
    if (room && find_membership(s, room)) return;
    if (!room) room = make_room(s->nsp, name);
    struct sio_membership *m = mem_alloc(sizeof *m);
    m->room = room;
    m->socket = s;
    list_append(&room->members, &m->room_link);
    list_append(&s->memberships, &m->socket_link);
}

void sio_leave(struct sio_socket *s, struct str name) {
    struct sio_room *room = find_room(s->nsp, name);
    struct sio_membership *m = room ? find_membership(s, room) : NULL;
    if (m) end_membership(m);
}

void sio_room_leave_all(struct sio_socket *s) {
    for (struct list_node *node; (node = list_first(&s->memberships));)
        end_membership(LIST_OF(node, struct sio_membership, socket_link));
}

void sio_room_names(const struct sio_socket *s, struct strbuf *out) {
    LIST_EACH (&s->memberships, node) {
        const struct sio_membership *m = LIST_OF(node, struct sio_membership, socket_link);
        strbuf_add_str(out, m->room->name);
        strbuf_add_char(out, '\0');
    }
}

/* One that is still in its connect handler gets nothing yet. Sending calls no handler, so the
 * lists stand still meanwhile. */
static void send_to(struct sio_socket *s, const struct sio_target *to, struct eio_frame *f) {
    if (s->state != SIO_SOCKET_JOINED || s == to->except) return;
    if (to->is_volatile)
        (void)eio_session_send_volatile(s->client->session, &f, 1);
    else
        eio_session_send(s->client->session, &f, 1);
}

static struct sio_nsp *find_namespace(struct sio_server *server, struct str name) {
    for (size_t i = 0; i < server->nsp_count; i++)
        if (str_equal(str_of(server->nsps[i].name), name)) return &server->nsps[i];
    assert(!"a declared namespace");
    return NULL;
}

void sio_broadcast_to(struct sio_server *server, const struct sio_target *to, struct str name,
                      struct str args) {
    struct sio_nsp *nsp = find_namespace(server, str_of(to->namespace_name));
    struct sio_room *room = to->room.size ? find_room(nsp, to->room) : NULL;
    bool kept = nsp->recovery && !to->is_volatile; /* a room's members may all be away */
    if (to->room.size && !room && !kept) return;
    struct eio_frame *f = kept ? sio_recovery_event(nsp, NULL, to, name, args)
                               : sio_send_event_frame(nsp, name, args, STR_EMPTY, STR_EMPTY);
    if (room) {
        LIST_EACH (&room->members, node)
            send_to(LIST_OF(node, struct sio_membership, room_link)->socket, to, f);
    } else if (!to->room.size) {
        LIST_EACH (&nsp->sockets, node)
            send_to(LIST_OF(node, struct sio_socket, nsp_link), to, f);
    }
    eio_frame_drop(f);
}

void sio_broadcast(struct sio_server *server, const char *namespace_name, struct str room,
                   struct str name, struct str args) {
    struct sio_target to = {.namespace_name = namespace_name, .room = room};
    sio_broadcast_to(server, &to, name, args);
}
