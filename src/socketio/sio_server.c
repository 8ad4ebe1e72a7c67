/* sio_server.c - a Socket.IO server: its namespaces on one Engine.IO server. */
#include "base/mem.h"
#include "socketio/sio_core.h"

#include <assert.h>
#include <string.h>

struct sio_server *sio_server_new(const struct sio_options *o) {
    struct sio_server *server = mem_alloc(sizeof *server);
    server->engine = eio_server_new(o, &sio_client_events, server);
    return server;
}

void sio_server_free(struct sio_server *server) {
    if (!server) return;
    eio_server_free(server->engine);
    for (size_t i = 0; i < server->nsp_count; i++) {
        assert(server->nsps[i].rooms.count == 0 && server->nsps[i].sockets.count == 0);
        map_fini(&server->nsps[i].rooms);
        map_fini(&server->nsps[i].pids);
        sio_recovery_free(server->nsps[i].recovery);
        mem_free(server->nsps[i].name);
    }
    strbuf_fini(&server->scratch);
    mem_free(server);
}

void sio_namespace(struct sio_server *server, const char *name, const struct sio_handlers *handlers,
                   void *arg) {
    assert(server->nsp_count < SIO_SERVER_NAMESPACES_MAX && name[0] == '/');
    struct sio_nsp *nsp = &server->nsps[server->nsp_count++];
    nsp->server = server;
    nsp->name = mem_text(str_of(name));
    nsp->handlers = handlers;
    nsp->arg = arg;
    nsp->recovery = sio_recovery_new(&server->engine->options);
    list_init(&nsp->sockets);
}

void sio_server_close(struct sio_server *server) {
    eio_server_close(server->engine);
}

int64_t sio_server_drain(struct sio_server *server) {
    return eio_server_drain(server->engine);
}

size_t sio_server_connections(const struct sio_server *server) {
    return server->engine->live_count;
}

struct eio_server *sio_server_engine(struct sio_server *server) {
    return server->engine;
}
