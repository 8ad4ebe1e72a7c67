/* probe.c - one connection: their greeting, ours, and whether they hang up. */
#include "bus/probe.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

enum { GREETING_BYTES = 8 };

/* The SP mapping's header with the number of PAIR, which no door speaks. */
static const char greeting[GREETING_BYTES] = {0, 'S', 'P', 0, 0, 0x10, 0, 0};

static int open_within(int patience_ms) {
    struct timeval within = {patience_ms / 1000, patience_ms % 1000 * 1000L};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -1;
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &within, sizeof within);
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &within, sizeof within);
    return fd;
}

static bool is_unheard(int fd) {
    char got[GREETING_BYTES];
    if (recv(fd, got, sizeof got, MSG_WAITALL) != GREETING_BYTES) return false;
    if (send(fd, greeting, sizeof greeting, MSG_NOSIGNAL) != GREETING_BYTES) return false;
    return recv(fd, got, 1, 0) < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

bool probe_is_deaf(const char *path, int patience_ms) {
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    int fd = open_within(patience_ms);
    if (fd < 0) return false; /* it is we who are out of them */
    (void)snprintf(to.sun_path, sizeof to.sun_path, "%s", path);
    bool deaf = connect(fd, (struct sockaddr *)&to, sizeof to) == 0
                    ? is_unheard(fd)
                    : errno == ENOENT || errno == ECONNREFUSED;
    (void)close(fd);
    return deaf;
}
