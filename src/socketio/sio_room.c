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

static struct eio_frame *encode(struct sio_server *server, const struct sio_nsp *nsp,
                                struct str name, struct str args) {
    struct sio_packet head = {.type = SIO_EVENT, .nsp = str_of(nsp->name)};
    strbuf_clear(&server->scratch);
    sio_packet_begin(&server->scratch, &head);
    sio_socket_add_event(&server->scratch, name, args);
    return eio_frame_new(strbuf_str(&server->scratch), false);
}

/* One that is still in its connect handler gets nothing yet. Sending calls no handler, so the
 * lists stand still meanwhile. */
static void send_to(struct sio_socket *s, struct eio_frame *f) {
    if (s->state == SIO_SOCKET_JOINED) eio_session_send(s->client->session, &f, 1);
}

void sio_broadcast(struct sio_server *server, const char *namespace_name, struct str room_name,
                   struct str name, struct str args) {
    struct sio_nsp *nsp = NULL;
    for (size_t i = 0; i < server->nsp_count; i++)
        if (str_equal(str_of(server->nsps[i].name), str_of(namespace_name))) nsp = &server->nsps[i];
    assert(nsp);
    struct sio_room *room = room_name.size ? find_room(nsp, room_name) : NULL;
    if (room_name.size && !room) return;
    struct eio_frame *f = encode(server, nsp, name, args);
    if (room) {
        LIST_EACH (&room->members, node)
            send_to(LIST_OF(node, struct sio_membership, room_link)->socket, f);
    } else {
        LIST_EACH (&nsp->sockets, node)
            send_to(LIST_OF(node, struct sio_socket, nsp_link), f);
    }
    eio_frame_drop(f);
}
