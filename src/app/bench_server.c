/* bench_server.c - starts and ends `muster serve`. */
#include "app/bench_server.h"

#include "base/clock.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { READY_US = 30000000, STOP_US = 15000000, WORDS_MAX = 32, OUTPUT_BYTES_MAX = 65536 };

struct process {
    pid_t pid;
    int out; /* its stdout */
    struct strbuf text;
};

struct bench_server {
    char folder[96]; /* empty: there is none */
    const char *realm;
    struct bench_doors doors;
    struct process processes[BENCH_PROCESSES_MAX];
    size_t count;
};

struct words {
    const char *at[WORDS_MAX];
    size_t count;
};

static void add_option(struct words *w, const char *name, const char *value) {
    w->at[w->count++] = name;
    w->at[w->count++] = value;
}

/* What is set for this program is not meant for its server. */
static char **environment_of_server(void) {
    static char *kept[4096];
    size_t count = 0;
    for (char **at = environ; *at && count + 1 < sizeof kept / sizeof *kept; at++)
        if (strncmp(*at, "MUSTER_", 7) != 0) kept[count++] = *at;
    return kept;
}

/* In the child: its log goes to a file of the folder. Ends when the parent does, and not by a
 * Ctrl-C that is meant for the parent. */
_Noreturn static void become(const struct bench_server *s, const struct words *w, int out) {
    char log[128];
    snprintf(log, sizeof log, "%s/log", s->folder);
    int fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    setpgid(0, 0);
    dup2(out, STDOUT_FILENO);
    if (fd >= 0) dup2(fd, STDERR_FILENO);
    execve("/proc/self/exe", (char *const *)w->at, environment_of_server());
    _exit(127);
}

static enum err spawn(struct bench_server *s, struct words *w, struct err_text *why) {
    int ends[2];
    struct process *p = &s->processes[s->count];
    w->at[w->count] = NULL;
    if (pipe2(ends, O_CLOEXEC) != 0)
        return err_set(why, ERR_UNAVAILABLE, "no pipe: %s", strerror(errno));
    p->pid = fork();
    if (p->pid == 0) become(s, w, ends[1]);
    close(ends[1]);
    p->out = ends[0];
    s->count++;
    if (p->pid > 0) return ERR_OK;
    return err_set(why, ERR_UNAVAILABLE, "cannot start a process: %s", strerror(errno));
}

/* Reads the doors up to "ready". */
static enum err wait_ready(struct process *p, struct err_text *why) {
    int64_t end_us = clock_mono_us() + READY_US;
    while (clock_mono_us() < end_us && p->text.size < OUTPUT_BYTES_MAX) {
        struct pollfd readable = {p->out, POLLIN, 0};
        if (poll(&readable, 1, 100) <= 0) continue;
        ssize_t got = read(p->out, strbuf_reserve(&p->text, 4096), 4096);
        if (got <= 0) return err_set(why, ERR_UNAVAILABLE, "the server ended before it was ready");
        p->text.size += (size_t)got;
        p->text.at[p->text.size] = '\0';
        if (strcmp(p->text.at, "ready\n") == 0 || strstr(p->text.at, "\nready\n")) return ERR_OK;
    }
    return err_set(why, ERR_UNAVAILABLE, "the server was not ready within 30 s");
}

/* The first address of the line "NAME address,address"; unchanged when there is none. */
static void take_door(const struct process *p, const char *name, char *out) {
    char line[40];
    snprintf(line, sizeof line, "%s ", name);
    const char *at = strstr(p->text.at, line);
    if (!at || (at != p->text.at && at[-1] != '\n')) return;
    at += strlen(line);
    size_t size = strcspn(at, ",\n");
    if (size >= BENCH_ADDRESS_BYTES) return;
    memcpy(out, at, size);
    out[size] = '\0';
}

/* `roles` become one more process, which knows the doors of those before it. */
static enum err start(struct bench_server *s, const char *roles, struct err_text *why) {
    struct bench_doors *d = &s->doors;
    struct words w = {{"muster", "serve"}, 2};
    bool all = strcmp(roles, "all") == 0;
    add_option(&w, "--roles", roles);
    add_option(&w, "--realm", s->realm);
    add_option(&w, "--state", s->folder);
    add_option(&w, "--log-level", "warn");
    add_option(&w, "--api-listen", "tcp://127.0.0.1:0");
    add_option(&w, "--events-listen", "tcp://127.0.0.1:0");
    add_option(&w, "--bridge-listen", "127.0.0.1:0");
    add_option(&w, "--metrics-listen", "127.0.0.1:0");
    if (strcmp(roles, "events") == 0) add_option(&w, "--redis", d->redis);
    if (d->api[0]) add_option(&w, "--bridge-api", d->api);
    if (d->events[0]) add_option(&w, "--bridge-events", d->events);
    enum err code = spawn(s, &w, why);
    const struct process *p = &s->processes[s->count - 1];
    if (code == ERR_OK) code = wait_ready(&s->processes[s->count - 1], why);
    if (code != ERR_OK) return code;
    take_door(p, "api", d->api);
    take_door(p, "events", d->events);
    take_door(p, "bridge", d->bridge);
    snprintf(d->processes[d->process_count].name, sizeof d->processes[0].name, "%s",
             all ? "server" : roles);
    take_door(p, "metrics", d->processes[d->process_count++].metrics);
    return ERR_OK;
}

static enum err make_folder(struct bench_server *s, struct err_text *why) {
    const char *base = getenv("TMPDIR");
    if (!base || !base[0] || strlen(base) > 60) base = "/var/tmp"; /* a socket's path is short */
    snprintf(s->folder, sizeof s->folder, "%s/muster-bench-XXXXXX", base);
    if (mkdtemp(s->folder)) return ERR_OK;
    s->folder[0] = '\0';
    return err_set(why, ERR_UNAVAILABLE, "cannot make a folder in %s: %s", base, strerror(errno));
}

static void show_log(const struct bench_server *s) {
    char path[128], text[4096];
    snprintf(path, sizeof path, "%s/log", s->folder);
    FILE *f = fopen(path, "r");
    if (!f) return;
    size_t size = fread(text, 1, sizeof text, f);
    fwrite(text, 1, size, stderr);
    (void)fclose(f);
}

enum err bench_server_start(struct bench_server **out, const char *realm, bool split,
                            struct err_text *why) {
    static const char *const one[] = {"all"}, *const each[] = {"matcher", "events", "api",
                                                               "bridge"};
    struct bench_server *s = mem_alloc(sizeof *s);
    *out = s;
    s->realm = realm;
    enum err code = make_folder(s, why);
    snprintf(s->doors.redis, sizeof s->doors.redis, "unix:%s/redis.sock", s->folder);
    for (size_t i = 0; code == ERR_OK && i < (split ? 4 : 1); i++)
        code = start(s, split ? each[i] : one[i], why);
    if (code == ERR_OK) return code;
    show_log(s);
    bench_server_stop(s);
    *out = NULL;
    return code;
}

const struct bench_doors *bench_server_doors(const struct bench_server *s) {
    return &s->doors;
}

static void end_process(const struct process *p) {
    int64_t end_us = clock_mono_us() + STOP_US;
    if (p->pid <= 0) return;
    kill(p->pid, SIGTERM);
    while (waitpid(p->pid, NULL, WNOHANG) == 0) {
        if (clock_mono_us() > end_us) kill(p->pid, SIGKILL);
        (void)poll(NULL, 0, 10);
    }
}

static int remove_entry(const char *path, const struct stat *st, int kind, struct FTW *where) {
    (void)st; /* nftw's signature */
    (void)kind;
    (void)where;
    (void)remove(path); /* what stays makes the folder stay, which is seen */
    return 0;
}

/* Players' door first, the journal last. */
void bench_server_stop(struct bench_server *s) {
    if (!s) return;
    while (s->count > 0) {
        struct process *p = &s->processes[--s->count];
        end_process(p);
        close(p->out);
        strbuf_fini(&p->text);
    }
    if (s->folder[0]) (void)nftw(s->folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    mem_free(s);
}
