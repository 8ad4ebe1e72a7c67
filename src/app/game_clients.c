/* game_clients.c - Socket.IO players over epoll. */
#include "app/game_clients.h"

#include "app/http_get.h"
#include "base/clock.h"
#include "base/mem.h"
#include "wire/json.h"

#include <assert.h>
#include <errno.h>
#include <muster/v1/tickets.pb-c.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    EVENTS_MAX = 256,
    INPUT_BYTES = 1 << 20, /* of a frame: larger ones end the connection */
    OUTPUT_BYTES = 1 << 16,
    HEADER_BYTES_MAX = 8,
    SPARE_FILES = 64,
    FRAME_TEXT = 0x81,
    FRAME_CLOSE = 0x88,
    FRAME_PING = 0x89,
    FRAME_PONG = 0x8a,
};

/* IDLE -> CONNECTING -> UPGRADING -> OPENING -> OPEN; any -> GONE. */
enum stage { STAGE_IDLE, STAGE_CONNECTING, STAGE_UPGRADING, STAGE_OPENING, STAGE_OPEN, STAGE_GONE };

struct game_client {
    int fd; /* while CONNECTING .. OPEN */
    enum stage stage;
    const char *player_id;
    struct strbuf rest; /* of a frame that is not all there */
};

struct game_clients {
    struct game_client_handlers handlers;
    struct http_host host;
    int epoll;
    char *input;
    struct strbuf output;
    size_t count, connecting;
    struct game_client *clients;
};

static bool is_connecting(const struct game_client *c) {
    return c->stage > STAGE_IDLE && c->stage < STAGE_OPEN;
}

static void end(struct game_clients *g, struct game_client *c, struct str why) {
    if (c->stage == STAGE_GONE) return;
    g->connecting -= is_connecting(c);
    if (c->fd >= 0) close(c->fd);
    c->fd = -1;
    c->stage = STAGE_GONE;
    strbuf_fini(&c->rest);
    g->handlers.gone(g->handlers.arg, (size_t)(c - g->clients), why);
}

/* ---- out ---- */

static void send_bytes(struct game_clients *g, struct game_client *c, struct str bytes) {
    if (c->stage == STAGE_GONE) return;
    if (send(c->fd, bytes.at, bytes.size, MSG_NOSIGNAL) != (ssize_t)bytes.size)
        end(g, c, STR("the connection takes no more"));
}

/* Clients mask: here with a key of zeros, which changes nothing. */
static void send_frame(struct game_clients *g, struct game_client *c, int head, struct str text) {
    assert(text.size < OUTPUT_BYTES);
    char header[HEADER_BYTES_MAX] = {(char)head};
    size_t size = text.size < 126 ? 2 : 4;
    header[1] = (char)(0x80 | (text.size < 126 ? text.size : 126));
    if (size == 4) {
        header[2] = (char)(text.size >> 8);
        header[3] = (char)text.size;
    }
    strbuf_clear(&g->output);
    strbuf_add(&g->output, header, size + 4);
    strbuf_add_str(&g->output, text);
    send_bytes(g, c, strbuf_str(&g->output));
}

void game_clients_send(struct game_clients *g, size_t client, struct str packet) {
    send_frame(g, &g->clients[client], FRAME_TEXT, packet);
}

static void send_hello(struct game_clients *g, struct game_client *c) {
    Muster__V1__GetTicketRequest auth = MUSTER__V1__GET_TICKET_REQUEST__INIT;
    auth.key_case = MUSTER__V1__GET_TICKET_REQUEST__KEY_PLAYER_ID; /* {"playerId": ...} */
    auth.player_id = (char *)c->player_id;
    struct strbuf text = {0};
    strbuf_add_str(&text, STR("40"));
    json_from_message(&auth.base, &text);
    send_frame(g, c, FRAME_TEXT, strbuf_str(&text));
    strbuf_fini(&text);
}

static void send_upgrade(struct game_clients *g, struct game_client *c) {
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error) {
        end(g, c, str_of(strerror(error)));
        return;
    }
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = (uint64_t)(c - g->clients)};
    epoll_ctl(g->epoll, EPOLL_CTL_MOD, c->fd, &event);
    c->stage = STAGE_UPGRADING;
    struct strbuf request = {0};
    strbuf_printf(&request,
                  "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: %s\r\n"
                  "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                  "Sec-WebSocket-Key: bXVzdGVyLWdhbWUtY2xpZQ==\r\n\r\n",
                  g->host.name);
    send_bytes(g, c, strbuf_str(&request));
    strbuf_fini(&request);
}

/* ---- in ---- */

static struct str after(struct str text, size_t prefix) {
    return (struct str){text.at + prefix, text.size - prefix};
}

/* One Engine.IO packet. */
static void take_packet(struct game_clients *g, struct game_client *c, struct str text) {
    size_t client = (size_t)(c - g->clients);
    if (str_starts(text, STR("0"))) {
        send_hello(g, c);
    } else if (str_equal(text, STR("2"))) {
        send_frame(g, c, FRAME_TEXT, STR("3"));
    } else if (str_starts(text, STR("40")) && c->stage == STAGE_OPENING) {
        g->connecting--;
        c->stage = STAGE_OPEN;
        g->handlers.opened(g->handlers.arg, client);
    } else if (str_starts(text, STR("42")) || str_starts(text, STR("43"))) {
        g->handlers.packet(g->handlers.arg, client, text);
    } else if (str_starts(text, STR("44")) || str_starts(text, STR("41")) ||
               str_equal(text, STR("1"))) {
        end(g, c, text);
    }
}

/* Bytes of the header and the payload; false when the header is not all there. */
static bool frame_size(struct str in, size_t *header, uint64_t *payload) {
    const unsigned char *at = (const unsigned char *)in.at;
    if (in.size < 2) return false;
    *payload = at[1] & 0x7f;
    size_t extra = *payload == 126 ? 2 : *payload == 127 ? 8 : 0;
    *header = 2 + extra;
    if (in.size < *header) return false;
    if (extra) *payload = 0;
    for (size_t i = 0; i < extra; i++)
        *payload = *payload << 8 | at[2 + i];
    return true;
}

/* The bytes of the frame that `in` begins with; 0 when it is not all there. */
static size_t take_frame(struct game_clients *g, struct game_client *c, struct str in) {
    size_t header;
    uint64_t size;
    if (!frame_size(in, &header, &size)) return 0;
    if (size > INPUT_BYTES - HEADER_BYTES_MAX - 2) {
        end(g, c, STR("a frame is too large"));
        return 0;
    }
    if (in.size < header + size) return 0;
    struct str body = {in.at + header, size};
    switch ((unsigned char)in.at[0]) {
    case FRAME_TEXT:
        take_packet(g, c, body);
        break;
    case FRAME_PING:
        send_frame(g, c, FRAME_PONG, body);
        break;
    case FRAME_CLOSE:
        end(g, c, STR("the server closed the connection"));
        break;
    default:
        end(g, c, STR("an unexpected kind of frame"));
    }
    return header + size;
}

static size_t take_upgrade(struct game_clients *g, struct game_client *c, struct str in) {
    const char *blank = memmem(in.at, in.size, "\r\n\r\n", 4);
    if (!blank) return 0;
    if (str_starts(in, STR("HTTP/1.1 101")))
        c->stage = STAGE_OPENING;
    else
        end(g, c, (struct str){in.at, in.size < 80 ? in.size : 80});
    return (size_t)(blank + 4 - in.at);
}

static void receive(struct game_clients *g, struct game_client *c) {
    size_t size = c->rest.size;
    if (size) memcpy(g->input, c->rest.at, size);
    strbuf_fini(&c->rest);
    ssize_t got = recv(c->fd, g->input + size, INPUT_BYTES - size, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        got = 0;
    else if (got <= 0) {
        end(g, c, got == 0 ? STR("the server ended the connection") : str_of(strerror(errno)));
        return;
    }
    struct str in = {g->input, size + (size_t)got};
    for (size_t taken = 1; taken && in.size && c->stage != STAGE_GONE; in = after(in, taken))
        taken = c->stage == STAGE_UPGRADING ? take_upgrade(g, c, in) : take_frame(g, c, in);
    if (in.size && c->stage != STAGE_GONE) strbuf_add_str(&c->rest, in);
}

void game_clients_service(struct game_clients *g, int64_t until_us) {
    struct epoll_event events[EVENTS_MAX];
    int64_t left_us = until_us - clock_mono_us();
    if (left_us < 0) left_us = 0;
    struct timespec timeout = {left_us / 1000000, left_us % 1000000 * 1000};
    int count = epoll_pwait2(g->epoll, events, EVENTS_MAX, &timeout, NULL);
    for (int i = 0; i < count; i++) {
        struct game_client *c = &g->clients[events[i].data.u64];
        if (c->stage == STAGE_CONNECTING)
            send_upgrade(g, c);
        else if (c->stage != STAGE_GONE)
            receive(g, c);
    }
}

/* ---- life ---- */

void game_clients_connect(struct game_clients *g, size_t client, const char *player_id) {
    struct game_client *c = &g->clients[client];
    int on = 1;
    assert(c->stage == STAGE_IDLE);
    c->player_id = player_id;
    c->stage = STAGE_CONNECTING;
    g->connecting++;
    c->fd = socket(g->host.address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct epoll_event event = {.events = EPOLLOUT, .data.u64 = client};
    if (c->fd < 0 || setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0 ||
        (connect(c->fd, (struct sockaddr *)&g->host.address, g->host.size) != 0 &&
         errno != EINPROGRESS) ||
        epoll_ctl(g->epoll, EPOLL_CTL_ADD, c->fd, &event) != 0)
        end(g, c, str_of(strerror(errno)));
}

size_t game_clients_connecting(const struct game_clients *g) {
    return g->connecting;
}

static enum err raise_file_limit(size_t count, struct err_text *why) {
    struct rlimit r = {0};
    getrlimit(RLIMIT_NOFILE, &r);
    if (r.rlim_cur < count + SPARE_FILES) {
        r.rlim_cur = r.rlim_max;
        setrlimit(RLIMIT_NOFILE, &r);
    }
    if (r.rlim_cur >= count + SPARE_FILES) return ERR_OK;
    return err_set(why, ERR_RESOURCE_EXHAUSTED,
                   "%zu players need as many open files, this process may have %llu (ulimit -n)",
                   count, (unsigned long long)r.rlim_cur);
}

enum err game_clients_new(struct game_clients **out, const char *url, size_t count,
                          const struct game_client_handlers *handlers, struct err_text *why) {
    struct game_clients *g = mem_alloc(sizeof *g);
    *out = g;
    g->handlers = *handlers;
    g->epoll = epoll_create1(EPOLL_CLOEXEC);
    g->input = mem_alloc(INPUT_BYTES);
    g->count = count;
    g->clients = mem_array(count + 1, sizeof *g->clients);
    for (size_t i = 0; i < count; i++)
        g->clients[i].fd = -1;
    enum err code = http_host_find(&g->host, url, "bridge", why);
    return code == ERR_OK ? raise_file_limit(count, why) : code;
}

void game_clients_free(struct game_clients *g) {
    if (!g) return;
    for (size_t i = 0; i < g->count; i++) {
        if (g->clients[i].fd >= 0) close(g->clients[i].fd);
        strbuf_fini(&g->clients[i].rest);
    }
    close(g->epoll);
    mem_free(g->clients);
    mem_free(g->input);
    strbuf_fini(&g->output);
    mem_free(g);
}
