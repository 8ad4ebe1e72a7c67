/* polling_player.c - blocking sockets, one HTTP request per connection. */
#include "support/polling_player.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BODY_BYTES = 1 << 20, PATIENCE_S = 20 };

static void give_up(const char *what, const struct polling_player *p) {
    const char *received = p != NULL && p->received != NULL ? p->received : "";
    fprintf(stderr, "polling_player: %s\nreceived:\n%s\n", what, received);
    abort();
}

static int dial(int port) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    struct timeval patience = {.tv_sec = PATIENCE_S};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (connect(fd, (struct sockaddr *)&to, sizeof to) != 0) give_up("cannot connect", NULL);
    return fd;
}

/* Sends, reads to the end; the status code. `body` gets what follows the head. */
static int exchange(int port, const char *request, char *body, size_t size) {
    int fd = dial(port), status = 0;
    if (send(fd, request, strlen(request), MSG_NOSIGNAL) < 0) give_up("cannot send", NULL);
    char *text = calloc(1, BODY_BYTES + 1);
    size_t used = 0;
    ssize_t got;
    while (used < BODY_BYTES && (got = recv(fd, text + used, BODY_BYTES - used, 0)) > 0)
        used += (size_t)got;
    close(fd);
    sscanf(text, "HTTP/1.1 %d", &status);
    const char *head_end = strstr(text, "\r\n\r\n");
    snprintf(body, size, "%s", head_end ? head_end + 4 : "");
    free(text);
    return status;
}

static int get(int port, const char *path, const char *headers, char *body, size_t size) {
    char request[512];
    snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: localhost\r\n%s\r\n", path,
             headers);
    return exchange(port, request, body, size);
}

int polling_get(int port, const char *path, char *body, size_t size) {
    return get(port, path, "", body, size);
}

static void post(struct polling_player *p, const char *packet) {
    size_t size = strlen(packet) + 512;
    char *request = malloc(size), answer[64];
    snprintf(request, size,
             "POST /socket.io/?EIO=4&transport=polling&sid=%s HTTP/1.1\r\nHost: localhost\r\n"
             "Content-Type: text/plain\r\nContent-Length: %zu\r\n\r\n%s",
             p->sid, strlen(packet), packet);
    if (exchange(p->port, request, answer, sizeof answer) != 200) give_up("a POST failed", p);
    free(request);
}

static void poll_once(struct polling_player *p) {
    char path[128], *body = malloc(BODY_BYTES);
    snprintf(path, sizeof path, "/socket.io/?EIO=4&transport=polling&sid=%s", p->sid);
    if (polling_get(p->port, path, body, BODY_BYTES) != 200) give_up("a GET failed", p);
    size_t size = strlen(body);
    for (size_t i = 0; i < size; i++)
        if (body[i] == '\x1e') body[i] = '\n';
    p->received = realloc(p->received, p->size + size + 2);
    memcpy(p->received + p->size, body, size);
    p->size += size;
    p->received[p->size++] = '\n';
    p->received[p->size] = '\0';
    free(body);
}

bool polling_player_has(const struct polling_player *p, const char *text) {
    return p->received != NULL && strstr(p->received, text) != NULL;
}

void polling_player_expect(struct polling_player *p, const char *text) {
    time_t end = time(NULL) + PATIENCE_S;
    while (!polling_player_has(p, text)) {
        if (time(NULL) > end) give_up(text, p);
        poll_once(p);
    }
}

struct polling_player *polling_player_new(const char *address, const char *auth) {
    return polling_player_new_in(address, "", auth);
}

static bool answered(const struct polling_player *p, const char *type) {
    char start[64];
    snprintf(start, sizeof start, "%s%s{", type, p->namespace_name);
    return polling_player_has(p, start);
}

struct polling_player *polling_player_new_in(const char *address, const char *namespace_name,
                                             const char *auth) {
    return polling_player_new_from(address, namespace_name, auth, NULL);
}

struct polling_player *polling_player_new_from(const char *address, const char *namespace_name,
                                               const char *auth, const char *origin) {
    struct polling_player *p = calloc(1, sizeof *p);
    p->namespace_name = namespace_name;
    p->port = atoi(strrchr(address, ':') + 1);
    char body[1024], packet[512], header[128] = "";
    if (origin) snprintf(header, sizeof header, "Origin: %s\r\n", origin);
    if (get(p->port, "/socket.io/?EIO=4&transport=polling", header, body, sizeof body) != 200 ||
        sscanf(body, "0{\"sid\":\"%63[^\"]", p->sid) != 1)
        give_up("no session", p);
    snprintf(packet, sizeof packet, "40%s%s", namespace_name, auth);
    post(p, packet);
    while (!answered(p, "40") && !answered(p, "44"))
        poll_once(p);
    return p;
}

void polling_player_emit(struct polling_player *p, int ack_id, const char *event) {
    size_t size = strlen(event) + 64;
    char *packet = malloc(size);
    if (ack_id < 0)
        snprintf(packet, size, "42%s%s", p->namespace_name, event);
    else
        snprintf(packet, size, "42%s%d%s", p->namespace_name, ack_id, event);
    post(p, packet);
    free(packet);
}

void polling_player_free(struct polling_player *p) {
    if (answered(p, "40")) post(p, "1");
    free(p->received);
    free(p);
}
