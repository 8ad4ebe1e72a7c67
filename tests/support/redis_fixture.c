/* redis_fixture.c - starting and ending a test's redis-server. */
#include "support/redis_fixture.h"

#include "base/clock.h"
#include "store/redis.h"

#include <arpa/inet.h>
#include <assert.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ARGUMENTS_MAX = 40, START_MS = 10000 };

static void fail(const char *what) {
    (void)fprintf(stderr, "redis fixture: %s\n", what);
    abort();
}

void redis_fixture_folder(char out[64]) {
    (void)snprintf(out, 64, "/tmp/muster-test-XXXXXX");
    if (!mkdtemp(out)) fail("mkdtemp");
}

void redis_fixture_nap(void) {
    (void)nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
}

static int remove_one(const char *path, const struct stat *s, int type, struct FTW *walk) {
    (void)s;
    (void)type;
    (void)walk;
    return remove(path);
}

void redis_fixture_remove(const char *folder) {
    assert(strncmp(folder, "/tmp/muster-test-", 17) == 0);
    (void)nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void run_server(struct redis_fixture *f, pid_t parent) {
    const char *arguments[ARGUMENTS_MAX] = {
        "redis-server", "--port",       "0",   "--unixsocket", f->socket, "--dir",
        f->folder,      "--appendonly", "yes", "--save",       "",        "--appendfsync",
        "always",
    };
    size_t count = 13;
    for (size_t i = 0; f->extra && f->extra[i]; i++) {
        if (count + 1 >= ARGUMENTS_MAX) _exit(124);
        arguments[count++] = f->extra[i];
    }
    char log[96], clock[96];
    (void)snprintf(clock, sizeof clock, "%s/clock", f->folder);
    (void)setenv("CLOCK_SHIM_FILE", clock, 1);
    (void)setenv("LD_PRELOAD", CLOCK_SHIM, 1);
    (void)snprintf(log, sizeof log, "%s/redis.log", f->folder);
    int fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (fd < 0 || dup2(fd, 1) < 0 || dup2(fd, 2) < 0) _exit(125);
    (void)close_range(3, ~0U, 0);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(126);
    execvp("redis-server", (char *const *)arguments);
    _exit(127);
}

void redis_fixture_again(struct redis_fixture *f) {
    assert(!f->pid);
    (void)unlink(f->socket);
    pid_t parent = getpid();
    f->pid = fork();
    if (f->pid < 0) fail("fork");
    if (f->pid == 0) run_server(f, parent);
    int64_t until_us = clock_mono_us() + START_MS * 1000;
    struct address address;
    struct err_text why;
    if (address_parse(&address, f->address, &why)) fail(why.text);
    for (;;) {
        struct redis *r;
        enum err e = redis_open(&r, &address, 1000, &why);
        struct redisReply *reply = NULL;
        /* PING is refused while it loads, and with a password set: that is an answer too */
        if (!e) e = redis_run(r, (struct str[]){STR("PING")}, 1, &reply, &why);
        redis_reply_free(reply);
        redis_close(r);
        if (e != ERR_UNAVAILABLE) return;
        if (clock_mono_us() > until_us) fail(why.text);
        redis_fixture_nap();
    }
}

static void map_clock(struct redis_fixture *f) {
    char path[96];
    (void)snprintf(path, sizeof path, "%s/clock", f->folder);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || ftruncate(fd, sizeof *f->clock_offset) != 0) fail("clock file");
    f->clock_offset =
        mmap(NULL, sizeof *f->clock_offset, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (f->clock_offset == MAP_FAILED) fail("mmap of the clock file");
    (void)close(fd);
}

void redis_fixture_shift_clock(struct redis_fixture *f, int64_t seconds) {
    *f->clock_offset = seconds * 1000000;
}

void redis_fixture_start(struct redis_fixture *f, const char *const *extra) {
    (void)signal(SIGPIPE, SIG_IGN);
    *f = (struct redis_fixture){.extra = extra};
    redis_fixture_folder(f->folder);
    (void)snprintf(f->socket, sizeof f->socket, "%s/redis.sock", f->folder);
    (void)snprintf(f->address, sizeof f->address, "unix:%s", f->socket);
    map_clock(f);
    redis_fixture_again(f);
}

void redis_fixture_kill(struct redis_fixture *f) {
    if (!f->pid) return;
    (void)kill(f->pid, SIGKILL);
    (void)waitpid(f->pid, NULL, 0);
    f->pid = 0;
}

void redis_fixture_stop(struct redis_fixture *f) {
    redis_fixture_kill(f);
    (void)munmap(f->clock_offset, sizeof *f->clock_offset);
    redis_fixture_remove(f->folder);
}

static void free_port(char out[8]) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    if (fd < 0 || bind(fd, (struct sockaddr *)&at, size) != 0 ||
        getsockname(fd, (struct sockaddr *)&at, &size) != 0)
        fail("no free port");
    (void)snprintf(out, 8, "%d", ntohs(at.sin_port));
    (void)close(fd);
}

static void await_link(struct redis_pair *p) {
    char info[4096];
    for (int64_t until_us = clock_mono_us() + START_MS * 1000;;) {
        redis_fixture_run(&p->replica, info, sizeof info, "INFO", "replication", NULL);
        if (strstr(info, "master_link_status:up")) return;
        if (clock_mono_us() > until_us) fail("the replica does not connect");
        redis_fixture_nap();
    }
}

void redis_pair_start(struct redis_pair *p) {
    *p = (struct redis_pair){0};
    free_port(p->port);
    const char *primary[] = {"--port", p->port, "--repl-diskless-sync-delay", "0"};
    const char *replica[] = {"--replicaof", "127.0.0.1", p->port};
    memcpy(p->primary_extra, primary, sizeof primary);
    memcpy(p->replica_extra, replica, sizeof replica);
    redis_fixture_start(&p->primary, p->primary_extra);
    redis_fixture_start(&p->replica, p->replica_extra);
    await_link(p);
}

void redis_pair_stop(struct redis_pair *p) {
    redis_fixture_stop(&p->replica);
    redis_fixture_stop(&p->primary);
}

void redis_pair_cut(struct redis_pair *p) {
    redis_fixture_run(&p->replica, NULL, 0, "REPLICAOF", "127.0.0.1", "1", NULL);
}

void redis_pair_heal(struct redis_pair *p) {
    redis_fixture_run(&p->replica, NULL, 0, "REPLICAOF", "127.0.0.1", p->port, NULL);
    await_link(p);
}

void redis_fixture_run(struct redis_fixture *f, char *out, size_t capacity, ...) {
    struct str words[16];
    size_t count = 0;
    va_list arguments;
    va_start(arguments, capacity);
    for (const char *w; (w = va_arg(arguments, const char *)) != NULL;) {
        assert(count < sizeof words / sizeof words[0]);
        words[count++] = str_of(w);
    }
    va_end(arguments);
    struct address address;
    struct redis *r = NULL;
    struct redisReply *reply = NULL;
    struct err_text why;
    enum err e = address_parse(&address, f->address, &why);
    if (!e) e = redis_open(&r, &address, START_MS, &why);
    if (!e) e = redis_run(r, words, count, &reply, &why);
    if (e) fail(why.text);
    int64_t number;
    struct str text = redis_reply_str(reply);
    if (out && text.size == 0 && redis_reply_int(reply, &number))
        (void)snprintf(out, capacity, "%lld", (long long)number);
    else if (out)
        (void)snprintf(out, capacity, "%.*s", STR_PRINT(text));
    redis_reply_free(reply);
    redis_close(r);
}
