/* fuzz_websocket.c - any bytes from a client, by a socket pair, into the whole server as it runs:
 * libwebsockets, the transport, sessions, sockets, and a handler that echoes.
 *
 * The first byte says how: bit 0 = the bytes follow a WebSocket's handshake, else they are all the
 * client says; bits 1..3 = in how many segments. Frames of the corpus have the mask 0, so that
 * their payload is readable. The server must close when the client does, and serve on.
 */
#include "bridge/transport.h"
#include "rt/thread.h"

#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PATIENCE_MS = 5000, INPUT_BYTES_MAX = 65536 };

static const char HANDSHAKE[] = "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\n"
                                "Host: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                                "Sec-WebSocket-Version: 13\r\n"
                                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

static struct transport *transport;
static struct sio_server *server;
static struct thread thread;
static atomic_int arriving = -1;

static void on_event(void *arg, struct sio_socket *s, struct str name, struct str args,
                     struct str ack_id) {
    (void)arg;
    sio_emit(s, name, args);
    if (ack_id.size) sio_ack(s, ack_id, args);
}

static void on_binary(void *arg, struct sio_socket *s, struct str name,
                      const struct sio_binary *b) {
    (void)arg;
    sio_emit_binary(s, name, b->args, b->attachments, b->attachment_count);
}

static const struct sio_handlers ECHO = {.event = on_event, .binary = on_binary};

static void on_wake(void *arg) {
    (void)arg;
    int fd = atomic_exchange(&arriving, -1);
    if (fd >= 0) transport_adopt(transport, fd);
}

static void run(void *arg) {
    transport_run(arg);
}

static void stop(void) {
    transport_stop(transport);
    thread_join(&thread);
    transport_close(transport);
    sio_server_free(server);
}

static void start(void) {
    struct sio_options options = {.recovery_ms = 1000, .payload_bytes_max = 20000};
    struct err_text why;
    signal(SIGPIPE, SIG_IGN);
    server = sio_server_new(&options);
    sio_namespace(server, "/", &ECHO, NULL);
    sio_namespace(server, "/other", &ECHO, NULL);
    struct transport_options to = {.listen = "127.0.0.1:0", .server = server, .on_wake = on_wake};
    if (transport_open(&transport, &to, &why) != ERR_OK) abort();
    thread_start(&thread, "server", run, transport);
    atexit(stop);
}

static void say(int fd, const void *bytes, size_t size, size_t segments) {
    const char *at = bytes;
    size_t piece = size / segments + 1;
    for (size_t sent = 0; sent < size; sent += piece) {
        size_t left = size - sent;
        if (send(fd, at + sent, left < piece ? left : piece, MSG_NOSIGNAL) < 0) return;
    }
}

/* Reads until the server closes, which it has to. */
static void hear_out(int fd) {
    char bytes[4096];
    struct pollfd p = {.fd = fd, .events = POLLIN};
    for (;;) {
        if (poll(&p, 1, PATIENCE_MS) != 1) abort();
        if (recv(fd, bytes, sizeof bytes, 0) <= 0) return;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    int pair[2], buffer = 4 * INPUT_BYTES_MAX;
    if (size < 1 || size > INPUT_BYTES_MAX) return 0;
    if (!transport) start();
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) abort();
    setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer);
    setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer);
    if (data[0] & 1) say(pair[0], HANDSHAKE, sizeof HANDSHAKE - 1, 1);
    atomic_store(&arriving, pair[1]);
    transport_wake(transport);
    say(pair[0], data + 1, size - 1, 1 + (data[0] >> 1 & 7));
    shutdown(pair[0], SHUT_WR);
    hear_out(pair[0]);
    close(pair[0]);
    return 0;
}
