/* redis.c - hiredis' synchronous interface, and what its error replies mean. */
#include "store/redis.h"

#include "base/mem.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>

enum { WORDS_MAX = 16 };

struct redis {
    redisContext *context;
    int64_t timeout_ms;
    bool broken, detached, asked;
    char where[sizeof((struct address *)0)->text];
};

/* Error replies by how they begin; the first row that fits counts. */
static const struct {
    const char *prefix;
    enum err code;
    const char *meaning;
} meanings[] = {
    {"NOAUTH", ERR_UNAUTHENTICATED,
     "it wants a password: put it into the address, redis://:PASSWORD@host:port"},
    {"WRONGPASS", ERR_UNAUTHENTICATED, "user or password in the address is wrong"},
    {"ERR invalid password", ERR_UNAUTHENTICATED, "the password in the address is wrong"},
    {"ERR Client sent AUTH", ERR_UNAUTHENTICATED,
     "it has no password set: take it out of the address"},
    {"ERR AUTH", ERR_UNAUTHENTICATED, "it has no password set: take it out of the address"},
    {"NOPERM", ERR_PERMISSION_DENIED,
     "its ACL does not let this user do that: allow the stream, string and transaction commands, "
     "INFO, ROLE, TIME and WAIT on keys muster:*"},
    {"READONLY", ERR_FAILED_PRECONDITION,
     "it is a read-only replica: point --redis at the primary"},
    {"WRONGTYPE", ERR_FAILED_PRECONDITION,
     "the journal's key holds something else than a stream: another program uses this name; choose "
     "another realm or database, or delete the key"},
    {"LOADING", ERR_UNAVAILABLE, "it is still loading its data: waiting for it"},
    {"MISCONF", ERR_UNAVAILABLE,
     "it refuses writes because it cannot save to disk: check its disk and its log"},
    {"OOM", ERR_RESOURCE_EXHAUSTED,
     "it is at its maxmemory: raise that, or keep the journal for a shorter time"},
    {"NOREPLICAS", ERR_UNAVAILABLE, "it has fewer replicas than min-replicas-to-write asks for"},
    {"MASTERDOWN", ERR_UNAVAILABLE, "it is a replica that lost its primary"},
    {"CLUSTERDOWN", ERR_UNAVAILABLE, "its cluster is down"},
    {"MOVED", ERR_FAILED_PRECONDITION,
     "it is a cluster node that does not hold this realm: point --redis at the one that does"},
    {"BUSY", ERR_UNAVAILABLE, "a script keeps it busy"},
    {"ERR max number of clients", ERR_UNAVAILABLE, "it has no room for more clients"},
    {"ERR DB index", ERR_INVALID_ARGUMENT, "it has no such database"},
    {"ERR The ID specified in XADD", ERR_ALREADY_EXISTS, "the journal already ends above that"},
    {"ERR no such key", ERR_NOT_FOUND, "no such key"},
    {"ERR unknown command", ERR_UNIMPLEMENTED,
     "it does not know a command that is needed: Redis 5.0 or newer, with nothing renamed"},
};

static enum err error_of(const struct redis *r, const redisReply *reply, struct err_text *why) {
    for (size_t i = 0; i < sizeof meanings / sizeof meanings[0]; i++)
        if (strncmp(reply->str, meanings[i].prefix, strlen(meanings[i].prefix)) == 0)
            return err_set(why, meanings[i].code, "Redis at %s: %s (%.120s)", r->where,
                           meanings[i].meaning, reply->str);
    return err_set(why, ERR_INTERNAL, "Redis at %s answered: %.200s", r->where, reply->str);
}

static enum err broken(struct redis *r, struct err_text *why) {
    r->broken = true;
    bool late = r->context->err == REDIS_ERR_IO && (errno == EAGAIN || errno == EWOULDBLOCK);
    if (late)
        return err_set(why, ERR_UNAVAILABLE, "Redis at %s gave no answer within %lld ms", r->where,
                       (long long)r->timeout_ms);
    return err_set(why, ERR_UNAVAILABLE, "lost the connection to Redis at %s: %s", r->where,
                   r->context->errstr);
}

static enum err append(struct redis *r, const struct str *words, size_t word_count,
                       struct err_text *why) {
    assert(!r->broken && word_count > 0 && word_count <= WORDS_MAX);
    const char *at[WORDS_MAX];
    size_t sizes[WORDS_MAX];
    for (size_t i = 0; i < word_count; i++) {
        at[i] = words[i].at ? words[i].at : "";
        sizes[i] = words[i].size;
    }
    int failed = redisAppendCommandArgv(r->context, (int)word_count, at, sizes);
    return failed == REDIS_OK ? ERR_OK : broken(r, why);
}

/* Takes the reply; an error reply is freed and turned into an error. */
static enum err judge(const struct redis *r, redisReply *reply, struct redisReply **out,
                      struct err_text *why) {
    if (reply->type != REDIS_REPLY_ERROR) {
        *out = reply;
        return ERR_OK;
    }
    enum err e = error_of(r, reply, why);
    freeReplyObject(reply);
    return e;
}

enum err redis_ask(struct redis *r, const struct str *words, size_t word_count,
                   struct err_text *why) {
    assert(!r->detached && !r->asked);
    enum err e = append(r, words, word_count, why);
    if (e) return e;
    errno = 0;
    for (int done = 0; !done;)
        if (redisBufferWrite(r->context, &done) != REDIS_OK) return broken(r, why);
    r->asked = true;
    return ERR_OK;
}

enum err redis_answer(struct redis *r, struct redisReply **reply, struct err_text *why) {
    assert(r->asked);
    r->asked = false;
    *reply = NULL;
    void *got = NULL;
    errno = 0;
    if (redisGetReply(r->context, &got) != REDIS_OK) return broken(r, why);
    return judge(r, got, reply, why);
}

enum err redis_run(struct redis *r, const struct str *words, size_t word_count,
                   struct redisReply **reply, struct err_text *why) {
    *reply = NULL;
    enum err e = redis_ask(r, words, word_count, why);
    return e ? e : redis_answer(r, reply, why);
}

static struct timeval duration(int64_t ms) {
    return (struct timeval){.tv_sec = ms / 1000, .tv_usec = (ms % 1000) * 1000};
}

static enum err run_quietly(struct redis *r, const struct str *words, size_t word_count,
                            struct err_text *why) {
    struct redisReply *reply;
    enum err e = redis_run(r, words, word_count, &reply, why);
    redis_reply_free(reply);
    return e;
}

static enum err log_in(struct redis *r, const struct address *a, struct err_text *why) {
    enum err e = ERR_OK;
    struct str user = str_of(a->user), password = str_of(a->password);
    if (user.size)
        e = run_quietly(r, (struct str[]){STR("AUTH"), user, password}, 3, why);
    else if (password.size)
        e = run_quietly(r, (struct str[]){STR("AUTH"), password}, 2, why);
    if (e || !a->database) return e;
    char number[16];
    (void)snprintf(number, sizeof number, "%d", a->database);
    return run_quietly(r, (struct str[]){STR("SELECT"), str_of(number)}, 2, why);
}

/* One server, at a->path or a->at; logs in. */
static enum err open_server(struct redis **out, const struct address *a, int64_t timeout_ms,
                            struct err_text *why) {
    *out = NULL;
    struct redis *r = mem_alloc(sizeof *r);
    r->timeout_ms = timeout_ms;
    memcpy(r->where, a->text, sizeof r->where);
    struct timeval limit = duration(timeout_ms);
    r->context = a->path[0] ? redisConnectUnixWithTimeout(a->path, limit)
                            : redisConnectWithTimeout(a->at.host, a->at.port, limit);
    if (!r->context) abort(); /* out of memory */
    enum err e = ERR_OK;
    if (r->context->err) {
        e = err_set(why, ERR_UNAVAILABLE,
                    "cannot reach Redis at %s: %s; is it running there, and may this host connect?",
                    r->where, r->context->errstr);
    } else {
        (void)fcntl(r->context->fd, F_SETFD, FD_CLOEXEC);
        (void)redisSetTimeout(r->context, limit);
        if (!a->path[0]) (void)redisEnableKeepAlive(r->context);
        e = log_in(r, a, why);
    }
    if (e) {
        redis_close(r);
        return e;
    }
    *out = r;
    return ERR_OK;
}

/* ---- Sentinel ---- */

/* Where the primary is, as the Sentinel at `a` has it. */
static enum err ask_sentinel(const struct address *a, const char *service, int64_t timeout_ms,
                             struct address_host *out, struct err_text *why) {
    struct redis *r;
    struct redisReply *reply;
    enum err e = open_server(&r, a, timeout_ms, why);
    if (e) return e;
    e = redis_run(r,
                  (struct str[]){STR("SENTINEL"), STR("get-master-addr-by-name"), str_of(service)},
                  3, &reply, why);
    int64_t port = 0;
    if (!e && redis_reply_int(redis_reply_at(reply, 1), &port) && port > 0 && port <= 65535) {
        (void)snprintf(out->host, sizeof out->host, "%.*s",
                       STR_PRINT(redis_reply_str(redis_reply_at(reply, 0))));
        out->port = (int)port;
    } else if (!e) {
        e = err_set(why, ERR_UNAVAILABLE, "the Sentinel at %s knows no service %s", a->text,
                    service);
    }
    redis_reply_free(reply);
    redis_close(r);
    return e;
}

/* The i-th Sentinel, first without a login: most have none, and refuse one. */
static enum err find_primary(const struct address *all, int i, int64_t timeout_ms,
                             struct address_host *out, struct err_text *why) {
    struct address a = {.at = all->sentinels[i]};
    (void)snprintf(a.text, sizeof a.text, "%.255s:%d", a.at.host, a.at.port);
    enum err e = ask_sentinel(&a, all->service, timeout_ms, out, why);
    if (e != ERR_UNAUTHENTICATED || !all->password[0]) return e;
    memcpy(a.user, all->user, sizeof a.user);
    memcpy(a.password, all->password, sizeof a.password);
    return ask_sentinel(&a, all->service, timeout_ms, out, why);
}

/* Who was the primary a moment ago may be none any more, and not know it. */
static enum err check_primary(struct redis *r, struct err_text *why) {
    struct redisReply *reply;
    enum err e = redis_run(r, (struct str[]){STR("ROLE")}, 1, &reply, why);
    if (e) return e;
    bool primary = str_equal(redis_reply_str(redis_reply_at(reply, 0)), STR("master"));
    redis_reply_free(reply);
    return primary ? ERR_OK
                   : err_set(why, ERR_UNAVAILABLE, "Redis at %s is not the primary (any more)",
                             r->where);
}

static enum err open_primary(struct redis **out, const struct address *a, int64_t timeout_ms,
                             struct err_text *why) {
    enum err e = ERR_UNAVAILABLE;
    for (int i = 0; i < a->sentinel_count; i++) {
        struct address primary = *a;
        e = find_primary(a, i, timeout_ms, &primary.at, why);
        if (e) continue;
        (void)snprintf(primary.text, sizeof primary.text, "%.200s:%d (%.64s)", primary.at.host,
                       primary.at.port, a->service);
        e = open_server(out, &primary, timeout_ms, why);
        if (e) continue; /* another Sentinel may know better */
        e = check_primary(*out, why);
        if (!e) return ERR_OK;
        redis_close(*out);
        *out = NULL;
    }
    return e;
}

enum err redis_open(struct redis **out, const struct address *a, int64_t timeout_ms,
                    struct err_text *why) {
    *out = NULL;
    return a->sentinel_count ? open_primary(out, a, timeout_ms, why)
                             : open_server(out, a, timeout_ms, why);
}

void redis_close(struct redis *r) {
    if (!r) return;
    redisFree(r->context);
    mem_free(r);
}

bool redis_broken(const struct redis *r) {
    return r->broken;
}

const char *redis_where(const struct redis *r) {
    return r->where;
}

void redis_detach(struct redis *r) {
    int flags = fcntl(r->context->fd, F_GETFL);
    (void)fcntl(r->context->fd, F_SETFL, flags | O_NONBLOCK);
    r->context->flags &= ~REDIS_BLOCK; /* hiredis has no setter */
    r->detached = true;
}

int redis_fd(const struct redis *r) {
    return r->context->fd;
}

enum err redis_send(struct redis *r, const struct str *words, size_t word_count,
                    struct err_text *why) {
    assert(r->detached);
    enum err e = append(r, words, word_count, why);
    if (e) return e;
    /* One short command on an idle connection: it fits the socket's buffer, or the peer is gone. */
    int done = 0;
    errno = 0;
    if (redisBufferWrite(r->context, &done) != REDIS_OK || !done) return broken(r, why);
    return ERR_OK;
}

enum err redis_receive(struct redis *r, struct redisReply **reply, struct err_text *why) {
    assert(r->detached && !r->broken);
    *reply = NULL;
    void *got = NULL;
    errno = 0;
    /* hiredis reads 16 KiB at a time: a chunk of entries takes several. */
    enum { READS_MAX = 4096 };
    for (int i = 0; i < READS_MAX && !got; i++) {
        if (redisGetReplyFromReader(r->context, &got) != REDIS_OK) return broken(r, why);
        if (got) break;
        errno = 0;
        if (redisBufferRead(r->context) != REDIS_OK) return broken(r, why);
        if (errno == EAGAIN || errno == EWOULDBLOCK) return ERR_OK;
    }
    return got ? judge(r, got, reply, why) : ERR_OK;
}

void redis_reply_free(struct redisReply *reply) {
    if (reply) freeReplyObject(reply);
}

bool redis_reply_nil(const struct redisReply *reply) {
    return reply->type == REDIS_REPLY_NIL;
}

size_t redis_reply_count(const struct redisReply *reply) {
    return reply->type == REDIS_REPLY_ARRAY ? reply->elements : 0;
}

const struct redisReply *redis_reply_at(const struct redisReply *reply, size_t index) {
    return index < redis_reply_count(reply) ? reply->element[index] : NULL;
}

struct str redis_reply_str(const struct redisReply *reply) {
    if (!reply || (reply->type != REDIS_REPLY_STRING && reply->type != REDIS_REPLY_STATUS))
        return STR_EMPTY;
    return (struct str){reply->str, reply->len};
}

bool redis_reply_int(const struct redisReply *reply, int64_t *out) {
    if (!reply) return false;
    if (reply->type == REDIS_REPLY_STRING) return str_to_int64(redis_reply_str(reply), out);
    if (reply->type != REDIS_REPLY_INTEGER) return false;
    *out = reply->integer;
    return true;
}
