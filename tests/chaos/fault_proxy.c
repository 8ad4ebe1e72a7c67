/* fault_proxy.c - a TCP proxy that misbehaves on command: between a process and its Redis.
 *
 *   fault_proxy LISTEN_PORT TARGET_PORT      commands come as lines on stdin:
 *     pass             forwards (at the start)
 *     hold             keeps every byte, both ways, until `pass` (a cut that heals)
 *     hold-up          only towards the target; hold-down: only back
 *     reset            closes every connection with RST; new ones are accepted
 *     refuse           as reset, and new ones are closed at once, until `pass`
 *     slow MS          each piece waits so long; slow 0 ends it
 *     trickle          one byte at a time, until `pass`
 *     target PORT      every connection is reset, new ones lead there
 * Ends when stdin does.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { PAIRS_MAX = 128, PIECE_BYTES = 65536, QUEUED_MAX = 1 << 20, TICK_MS = 5 };

enum way { UP, DOWN };

struct piece { /* on its way */
    struct piece *next;
    int64_t due_ms;
    size_t size, sent;
    char bytes[];
};

struct pair {
    int fd[2]; /* where UP comes from (the client), where DOWN comes from (the target) */
    struct piece *first[2], *last[2];
    size_t queued[2];
    bool ended[2]; /* no more comes, but what has come is still delivered, however late */
};

static struct pair pairs[PAIRS_MAX];
static size_t pair_count;
static bool held[2], refusing, trickling;
static int64_t slow_ms;
static int target;

static int64_t now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static struct sockaddr_in loopback(int port) {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return a;
}

static void close_pair(size_t index, bool reset) {
    struct pair *p = &pairs[index];
    struct linger now = {1, 0};
    for (int way = UP; way <= DOWN; way++) {
        if (reset) setsockopt(p->fd[way], SOL_SOCKET, SO_LINGER, &now, sizeof now);
        close(p->fd[way]);
        while (p->first[way]) {
            struct piece *next = p->first[way]->next;
            free(p->first[way]);
            p->first[way] = next;
        }
    }
    pairs[index] = pairs[--pair_count];
}

static void accept_pair(int listener) {
    int client = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (client < 0) return;
    struct sockaddr_in a = loopback(target);
    int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
    if (refusing || pair_count == PAIRS_MAX ||
        connect(server, (struct sockaddr *)&a, sizeof a) != 0) {
        close(client);
        close(server);
        return;
    }
    setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    setsockopt(server, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    pairs[pair_count++] = (struct pair){.fd = {client, server}};
}

static bool take(struct pair *p, enum way way) {
    char bytes[PIECE_BYTES];
    ssize_t size = recv(p->fd[way], bytes, sizeof bytes, MSG_DONTWAIT);
    if (size <= 0) return false;
    struct piece *piece = malloc(sizeof *piece + (size_t)size);
    if (!piece) abort();
    *piece = (struct piece){.due_ms = now_ms() + slow_ms, .size = (size_t)size};
    memcpy(piece->bytes, bytes, (size_t)size);
    if (p->last[way] && p->first[way])
        p->last[way]->next = piece;
    else
        p->first[way] = piece;
    p->last[way] = piece;
    p->queued[way] += (size_t)size;
    return true;
}

static bool give(struct pair *p, enum way way) {
    while (p->first[way] && !held[way] && p->first[way]->due_ms <= now_ms()) {
        struct piece *piece = p->first[way];
        size_t left = piece->size - piece->sent;
        ssize_t sent = send(p->fd[way == UP ? DOWN : UP], piece->bytes + piece->sent,
                            trickling ? 1 : left, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0) return true; /* full: later */
        if (sent == 0) return false;
        piece->sent += (size_t)sent;
        p->queued[way] -= (size_t)sent;
        if (piece->sent == piece->size) {
            p->first[way] = piece->next;
            free(piece);
        }
        if (trickling) return true;
    }
    return true;
}

static void obey(const char *line) {
    if (strncmp(line, "pass", 4) == 0) held[UP] = held[DOWN] = refusing = trickling = false;
    if (strcmp(line, "hold") == 0) held[UP] = held[DOWN] = true;
    if (strcmp(line, "hold-up") == 0) held[UP] = true;
    if (strcmp(line, "hold-down") == 0) held[DOWN] = true;
    if (strcmp(line, "trickle") == 0) trickling = true;
    if (strcmp(line, "refuse") == 0) refusing = true;
    if (strncmp(line, "slow ", 5) == 0) slow_ms = atoi(line + 5);
    if (strncmp(line, "target ", 7) == 0) target = atoi(line + 7);
    if (strcmp(line, "reset") == 0 || strcmp(line, "refuse") == 0 ||
        strncmp(line, "target ", 7) == 0)
        while (pair_count > 0)
            close_pair(0, true);
}

static bool read_commands(void) {
    static char text[256];
    static size_t size;
    ssize_t got = read(STDIN_FILENO, text + size, sizeof text - 1 - size);
    if (got <= 0) return false;
    size += (size_t)got;
    text[size] = '\0';
    for (char *end; (end = strchr(text, '\n'));) {
        *end = '\0';
        obey(text);
        size -= (size_t)(end + 1 - text);
        memmove(text, end + 1, size + 1);
    }
    return true;
}

static void forward(struct pollfd *fds, size_t count) {
    for (size_t i = count; i-- > 0;) {
        struct pair *p = &pairs[i];
        bool open = true;
        for (int way = UP; way <= DOWN && open; way++) {
            if (!p->ended[way] && fds[2 + 2 * i + (size_t)way].revents)
                p->ended[way] = !take(p, (enum way)way);
            open = give(p, (enum way)way);
        }
        bool over = (p->ended[UP] && !p->first[UP]) || (p->ended[DOWN] && !p->first[DOWN]);
        if (!open || over) close_pair(i, false);
    }
}

int main(int argc, char **argv) {
    if (argc != 3) return 2;
    target = atoi(argv[2]);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    struct sockaddr_in a = loopback(atoi(argv[1]));
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listener, (struct sockaddr *)&a, sizeof a) != 0 || listen(listener, 64) != 0) {
        perror("fault_proxy");
        return 1;
    }
    puts("ready");
    fflush(stdout);
    for (;;) {
        struct pollfd fds[2 + 2 * PAIRS_MAX] = {{STDIN_FILENO, POLLIN, 0}, {listener, POLLIN, 0}};
        size_t count = pair_count;
        bool waiting = false;
        for (size_t i = 0; i < count; i++)
            for (int way = UP; way <= DOWN; way++) {
                bool wanted = !pairs[i].ended[way] && pairs[i].queued[way] < QUEUED_MAX;
                fds[2 + 2 * i + (size_t)way] =
                    (struct pollfd){wanted ? pairs[i].fd[way] : -1, POLLIN, 0};
                waiting = waiting || pairs[i].first[way];
            }
        if (poll(fds, 2 + 2 * count, waiting ? TICK_MS : -1) < 0) return 1;
        forward(fds, count);
        if (fds[1].revents) accept_pair(listener);
        if (fds[0].revents && !read_commands()) return 0;
    }
}
