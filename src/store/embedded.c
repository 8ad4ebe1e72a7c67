/* embedded.c - starting, watching and ending the private redis-server. */
#include "store/embedded.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/redis.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { READY_MS = 2000, ANSWER_MS = 200, END_MS = 3000, POLL_MS = 5 };

struct embedded {
    char program[PATH_MAX]; /* redis-server's full path */
    char folder[PATH_MAX];  /* STATE/redis: the server's working folder */
    char log[PATH_MAX + 16], pid_file[PATH_MAX + 16];
    struct address address; /* its socket */
    int lock_fd;
    pid_t child; /* 0: none */
};

static void nap(void) {
    struct timespec t = {.tv_nsec = POLL_MS * 1000000L};
    (void)nanosleep(&t, NULL);
}

static bool find_program(char out[PATH_MAX]) {
    const char *path = getenv("PATH");
    for (const char *at = path ? path : "/usr/bin:/bin"; at;) {
        size_t size = strcspn(at, ":");
        (void)snprintf(out, PATH_MAX, "%.*s/redis-server", (int)size, at);
        if (size && access(out, X_OK) == 0) return true;
        at = at[size] ? at + size + 1 : NULL;
    }
    return false;
}

static enum err make_folder(const char *path, struct err_text *why) {
    if (mkdir(path, 0700) == 0 || errno == EEXIST) return ERR_OK;
    return err_set(why, ERR_FAILED_PRECONDITION, "cannot make the state folder %s: %s", path,
                   strerror(errno));
}

static enum err take_lock(struct embedded *e, const char *state_folder, struct err_text *why) {
    char path[PATH_MAX + 16];
    (void)snprintf(path, sizeof path, "%s/lock", state_folder);
    e->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (e->lock_fd < 0)
        return err_set(why, ERR_FAILED_PRECONDITION, "cannot open %s: %s", path, strerror(errno));
    if (flock(e->lock_fd, LOCK_EX | LOCK_NB) == 0) return ERR_OK;
    return err_set(why, ERR_FAILED_PRECONDITION,
                   "another muster process uses the state folder %s: give each its own "
                   "(--state), or share one Redis with --redis",
                   state_folder);
}

enum err embedded_start(struct embedded **out, const char *state_folder, struct err_text *why) {
    *out = NULL;
    struct embedded *e = mem_alloc(sizeof *e);
    e->lock_fd = -1;
    char folder[PATH_MAX], real[PATH_MAX];
    (void)snprintf(folder, sizeof folder, "%s/redis", state_folder);
    enum err error = address_embedded(&e->address, state_folder, why);
    if (!error && !find_program(e->program))
        error = err_set(why, ERR_FAILED_PRECONDITION,
                        "redis-server is not in PATH: install it (Debian: redis-server), or name "
                        "a running Redis with --redis");
    if (!error) error = make_folder(state_folder, why);
    if (!error) error = take_lock(e, state_folder, why);
    if (!error) error = make_folder(folder, why);
    if (!error && !realpath(folder, real))
        error = err_set(why, ERR_FAILED_PRECONDITION, "cannot use the state folder %s: %s", folder,
                        strerror(errno));
    if (error) {
        embedded_stop(e);
        return error;
    }
    (void)snprintf(e->folder, sizeof e->folder, "%s", real);
    (void)snprintf(e->log, sizeof e->log, "%s/redis.log", real);
    (void)snprintf(e->pid_file, sizeof e->pid_file, "%s/../redis.pid", real);
    *out = e;
    return ERR_OK;
}

/* Whether `pid` is a redis-server at work in our folder: pids are used again by others. */
static bool is_ours(const struct embedded *e, pid_t pid) {
    char path[64], cwd[PATH_MAX], name[32] = "";
    (void)snprintf(path, sizeof path, "/proc/%d/cwd", (int)pid);
    ssize_t size = readlink(path, cwd, sizeof cwd - 1);
    if (size <= 0) return false;
    cwd[size] = '\0';
    (void)snprintf(path, sizeof path, "/proc/%d/comm", (int)pid);
    FILE *f = fopen(path, "re");
    if (!f) return false;
    bool named = fgets(name, sizeof name, f) && strncmp(name, "redis-server", 12) == 0;
    (void)fclose(f);
    return named && strcmp(cwd, e->folder) == 0;
}

static bool wait_gone(const struct embedded *e, pid_t pid, int64_t limit_ms) {
    int64_t until_us = clock_mono_us() + limit_ms * 1000;
    while (is_ours(e, pid)) {
        if (clock_mono_us() > until_us) return false;
        nap();
    }
    return true;
}

/* A server whose parent was killed ends by PDEATHSIG, but may still be writing: two servers on one
 * append-only file would ruin it. */
static enum err end_leftover(const struct embedded *e, struct err_text *why) {
    FILE *f = fopen(e->pid_file, "re");
    if (!f) return ERR_OK;
    int pid = 0;
    bool read = fscanf(f, "%d", &pid) == 1 && pid > 1;
    (void)fclose(f);
    if (!read || !is_ours(e, pid)) return ERR_OK;
    LOG_INFO("redis-leftover", "pid=%d text=\"ending the server of an earlier process\"", pid);
    (void)kill(pid, SIGTERM);
    if (wait_gone(e, pid, END_MS)) return ERR_OK;
    (void)kill(pid, SIGKILL); /* appendfsync always: nothing acknowledged is lost by it */
    if (wait_gone(e, pid, END_MS)) return ERR_OK;
    return err_set(why, ERR_UNAVAILABLE, "an earlier redis-server (pid %d) does not end", pid);
}

/* In the child, between fork and exec: async-signal-safe calls only. */
static void become_server(const struct embedded *e, char *const *arguments, pid_t parent) {
    sigset_t none;
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL); /* role threads block all */
    (void)setpgid(0, 0); /* Ctrl-C is for the parent, which stops us in order */
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent) _exit(126); /* it died before the line above */
    int log = open(e->log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    int null = open("/dev/null", O_RDONLY);
    if (log < 0 || null < 0) _exit(125);
    if (dup2(null, 0) < 0 || dup2(log, 1) < 0 || dup2(log, 2) < 0) _exit(125);
    (void)close_range(3, ~0U, 0);
    execv(e->program, arguments);
    _exit(127);
}

/* Whole or not at all: whoever reads it must not find it empty. */
static void write_pid(const struct embedded *e) {
    char fresh[PATH_MAX + 32];
    (void)snprintf(fresh, sizeof fresh, "%s.new", e->pid_file);
    FILE *f = fopen(fresh, "we");
    if (!f) return;
    (void)fprintf(f, "%d\n", (int)e->child);
    if (fclose(f) == 0 && rename(fresh, e->pid_file) == 0) return;
    LOG_WARN("pid-file-unwritten", "path=%s error=%s", e->pid_file,
             log_quote(str_of(strerror(errno))));
}

static enum err spawn(struct embedded *e, struct err_text *why) {
    char *arguments[] = {
        e->program,
        "--port",
        "0",
        "--unixsocket",
        e->address.path,
        "--unixsocketperm",
        "700",
        "--dir",
        e->folder,
        "--appendonly",
        "yes",
        "--appendfsync",
        "always",
        "--save",
        "",
        "--auto-aof-rewrite-min-size",
        "512mb", /* not while a restart replays */
        "--daemonize",
        "no",
        "--maxmemory-policy",
        "noeviction",
        NULL,
    };
    (void)unlink(e->address.path);
    pid_t parent = getpid();
    pid_t child = fork();
    if (child < 0)
        return err_set(why, ERR_UNAVAILABLE, "cannot start redis-server: %s", strerror(errno));
    if (child == 0) become_server(e, arguments, parent);
    e->child = child;
    write_pid(e);
    LOG_INFO("redis-started", "pid=%d socket=%s", (int)child, e->address.path);
    return ERR_OK;
}

/* Takes note of its end; true when there is no child any more. */
static bool ended(struct embedded *e, int *status) {
    if (!e->child) return true;
    pid_t got = waitpid(e->child, status, WNOHANG);
    if (got == 0) return false;
    e->child = 0;
    return true;
}

/* Whether it answers, were it only that it is loading: it listens before it knows that it can use
 * its files. */
static bool answers(const struct embedded *e) {
    struct redis *r;
    struct redisReply *reply;
    struct err_text ignored;
    if (redis_open(&r, &e->address, ANSWER_MS, &ignored)) return false;
    enum err error = redis_run(r, (struct str[]){STR("PING")}, 1, &reply, &ignored);
    bool answered = !error || !redis_broken(r);
    redis_reply_free(reply);
    redis_close(r);
    return answered;
}

enum err embedded_ensure(struct embedded *e, struct err_text *why) {
    int status = 0;
    bool had_child = e->child != 0;
    if (ended(e, &status)) {
        if (had_child) LOG_WARN("redis-ended", "status=%d log=%s", status, e->log);
        enum err error = end_leftover(e, why);
        if (!error) error = spawn(e, why);
        if (error) return error;
    }
    int64_t until_us = clock_mono_us() + READY_MS * INT64_C(1000);
    while (!answers(e)) {
        if (ended(e, &status))
            return err_set(why, ERR_UNAVAILABLE,
                           "the private redis-server ended (status %d): see %.300s",
                           WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status), e->log);
        if (clock_mono_us() > until_us)
            return err_set(why, ERR_UNAVAILABLE,
                           "the private redis-server does not answer yet: see %.300s", e->log);
        nap();
    }
    return ERR_OK;
}

static void end_child(struct embedded *e) {
    int status;
    if (ended(e, &status)) return;
    (void)kill(e->child, SIGTERM);
    int64_t until_us = clock_mono_us() + END_MS * INT64_C(1000);
    while (!ended(e, &status)) {
        if (clock_mono_us() > until_us) {
            LOG_WARN("redis-killed", "pid=%d text=\"it did not end within 3 s\"", (int)e->child);
            (void)kill(e->child, SIGKILL);
            (void)waitpid(e->child, &status, 0);
            e->child = 0;
            break;
        }
        nap();
    }
    (void)unlink(e->pid_file);
}

void embedded_stop(struct embedded *e) {
    if (!e) return;
    end_child(e);
    if (e->lock_fd >= 0) (void)close(e->lock_fd);
    mem_free(e);
}
