/* fake_redis.c - connections, requests on their way, and who waits for what. */
#include "simulation/fake_redis.h"

#include "base/clock.h"
#include "base/mem.h"
#include "simulation/fake_rt.h"
#include "simulation/net.h"
#include "store/redis.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORDS_MAX = MODEL_WORDS_MAX, REPLIES_MAX = 8, CONNECTIONS_MAX = 4096, BLOCKED_MAX = 64 };

struct connection { /* both ends of it */
    bool open;      /* the client's end */
    bool reset;     /* nothing comes through any more */
    struct node *node;
    uint32_t life;
    int fd;
    struct model_session session;
    struct model_reply *replies[REPLIES_MAX];
    size_t reply_count;
    int64_t last_arrival_us, last_reply_us; /* TCP keeps the order */
};

struct redis {
    size_t connection;
    int64_t timeout_ms;
    bool broken, detached, asked;
    char where[400];
};

struct request {
    size_t connection, count;
    struct str words[WORDS_MAX];
    char bytes[];
};

struct blocked { /* an XREAD that waits for entries */
    bool used;
    size_t connection;
    struct request *request; /* owned */
    int64_t until_us;
};

static struct {
    struct node node;
    struct model *model;
    int64_t clock_offset_us;
    struct connection connections[CONNECTIONS_MAX];
    size_t connection_count;
    struct blocked blocked[BLOCKED_MAX];
} server;

/* ---- replies ---- */

struct delivery {
    size_t connection;
    struct model_reply *reply;
};

static void break_connection(struct connection *c) {
    if (c->reset) return;
    c->reset = true;
    if (c->open) fake_fd_ready(c->fd, true);
}

static void deliver(void *arg) {
    struct delivery *d = arg;
    struct connection *c = &server.connections[d->connection];
    if (!c->open || c->reset || c->reply_count == REPLIES_MAX) {
        model_reply_free(d->reply);
        return;
    }
    c->replies[c->reply_count++] = d->reply;
    fake_fd_ready(c->fd, true);
}

static int64_t in_order(int64_t *last_us, int64_t delay_us) {
    int64_t at_us = world_now_us() + delay_us;
    if (at_us <= *last_us) at_us = *last_us + 1;
    *last_us = at_us;
    return at_us - world_now_us();
}

static void send_reply(size_t connection, struct model_reply *reply) {
    struct connection *c = &server.connections[connection];
    struct delivery *d = malloc(sizeof *d);
    *d = (struct delivery){connection, reply};
    int64_t delay_us = net_delay_us() + net_cut_left_us(c->node, NULL, true);
    world_at(NULL, in_order(&c->last_reply_us, delay_us), deliver, d);
}

/* ---- requests ---- */

static struct model_reply *execute(const struct request *r) {
    model_set_clock(server.model, clock_wall_ms() * 1000 + server.clock_offset_us);
    struct model_session *s = &server.connections[r->connection].session;
    return model_run(server.model, s, r->words, r->count);
}

static struct request *request_of(size_t connection, const struct str *words, size_t count) {
    size_t size = 0;
    assert(count <= WORDS_MAX);
    for (size_t i = 0; i < count; i++)
        size += words[i].size;
    struct request *r = malloc(sizeof *r + size + 1);
    r->connection = connection;
    r->count = count;
    char *at = r->bytes;
    for (size_t i = 0; i < count; i++) {
        if (words[i].size) memcpy(at, words[i].at, words[i].size);
        r->words[i] = (struct str){at, words[i].size};
        at += words[i].size;
    }
    return r;
}

static void unblock(struct blocked *b, struct model_reply *reply) {
    send_reply(b->connection, reply);
    free(b->request);
    b->used = false;
}

static void serve_blocked(void) {
    for (size_t i = 0; i < BLOCKED_MAX; i++) {
        struct blocked *b = &server.blocked[i];
        if (!b->used) continue;
        struct model_reply *reply = execute(b->request);
        if (reply->kind != MODEL_NIL)
            unblock(b, reply);
        else
            model_reply_free(reply);
    }
}

static void end_block(void *arg) {
    (void)arg;
    for (size_t i = 0; i < BLOCKED_MAX; i++) {
        struct blocked *b = &server.blocked[i];
        if (b->used && b->until_us <= world_now_us()) unblock(b, execute(b->request));
    }
}

static void block(const struct request *r, int64_t ms) {
    for (size_t i = 0; i < BLOCKED_MAX; i++) {
        struct blocked *b = &server.blocked[i];
        if (b->used) continue;
        *b = (struct blocked){.used = true,
                              .connection = r->connection,
                              .request = request_of(r->connection, r->words, r->count),
                              .until_us = world_now_us() + ms * MS};
        world_at(&server.node, ms * MS, end_block, NULL);
        return;
    }
    abort();
}

static void arrive(void *arg) {
    struct request *r = arg;
    struct model_reply *reply = execute(r);
    int64_t block_ms;
    if (reply->kind == MODEL_NIL && model_would_block(r->words, r->count, &block_ms)) {
        model_reply_free(reply);
        block(r, block_ms);
        return;
    }
    bool added = str_equal(r->words[0], STR("XADD")) && reply->kind == MODEL_TEXT;
    world_trace("%.*s %.*s -> %.*s", STR_PRINT(r->words[0]),
                STR_PRINT(r->words[r->count > 2 && added ? 2 : r->count - 1]),
                STR_PRINT(reply->text));
    send_reply(r->connection, reply);
    if (added) serve_blocked();
}

static void break_later(void *arg) {
    break_connection(&server.connections[*(size_t *)arg]);
}

/* A request that the network loses takes its connection with it, sooner or later; it may be that
 * only the answer is lost. Bytes in a cut network come through when it heals, or never. */
static void send_request(size_t connection, const struct str *words, size_t count) {
    struct connection *c = &server.connections[connection];
    int64_t cut_us = net_cut_left_us(c->node, NULL, true), delay_us = net_delay_us() + cut_us;
    bool lost = cut_us > 0 && world_chance(0.5);
    if (world_chance(net_weather()->reset)) {
        size_t *which = malloc(sizeof *which);
        *which = connection;
        lost = lost || world_chance(0.5);
        c->last_reply_us = NEVER / 2; /* no answer gets back */
        world_at(NULL, delay_us + net_delay_us(), break_later, which);
    }
    if (!server.node.up || c->reset || lost) return;
    struct request *r = request_of(connection, words, count);
    world_at(&server.node, in_order(&c->last_arrival_us, delay_us), arrive, r);
}

/* ---- the port ---- */

static enum err unavailable(struct redis *r, const char *what, struct err_text *why) {
    r->broken = true;
    return err_set(why, ERR_UNAVAILABLE, "lost the connection to Redis: %s", what);
}

static size_t connect_to(int fd) {
    if (server.connection_count == CONNECTIONS_MAX) abort();
    size_t index = server.connection_count++;
    struct node *n = world_node();
    server.connections[index] =
        (struct connection){.open = true, .node = n, .life = n->life, .fd = fd};
    return index;
}

enum err redis_open(struct redis **out, const struct address *a, int64_t timeout_ms,
                    struct err_text *why) {
    *out = NULL;
    int64_t cut_us = net_cut_left_us(world_node(), NULL, true);
    int64_t delay_us = 2 * net_delay_us() + cut_us;
    bool late = delay_us > timeout_ms * MS;
    (void)task_wait(late ? timeout_ms * MS : delay_us);
    if (late || !server.node.up)
        return err_set(why, ERR_UNAVAILABLE, "cannot reach Redis: %s",
                       late ? "no answer" : "refused");
    struct redis *r = mem_alloc(sizeof *r);
    r->timeout_ms = timeout_ms;
    memcpy(r->where, a->text, sizeof a->text);
    r->connection = connect_to(fake_fd_new());
    *out = r;
    return ERR_OK;
}

void redis_close(struct redis *r) {
    if (!r) return;
    struct connection *c = &server.connections[r->connection];
    c->open = false;
    while (c->reply_count)
        model_reply_free(c->replies[--c->reply_count]);
    fake_fd_close(c->fd);
    mem_free(r);
}

bool redis_broken(const struct redis *r) {
    return r->broken;
}

const char *redis_where(const struct redis *r) {
    return r->where;
}

static struct model_reply *take_reply(struct connection *c) {
    if (c->reply_count == 0) return NULL;
    struct model_reply *first = c->replies[0];
    memmove(c->replies, c->replies + 1, --c->reply_count * sizeof *c->replies);
    fake_fd_ready(c->fd, c->reply_count > 0 || c->reset);
    return first;
}

/* The rows of redis.c that the model's replies can meet. */
static enum err error_of(struct model_reply *reply, struct err_text *why) {
    static const struct {
        const char *prefix;
        enum err code;
    } meanings[] = {
        {"ERR The ID specified in XADD", ERR_ALREADY_EXISTS},
        {"ERR no such key", ERR_NOT_FOUND},
        {"WRONGTYPE", ERR_FAILED_PRECONDITION},
        {"READONLY", ERR_FAILED_PRECONDITION},
        {"ERR unknown command", ERR_UNIMPLEMENTED},
    };
    enum err code = ERR_INTERNAL;
    for (size_t i = 0; i < sizeof meanings / sizeof meanings[0]; i++)
        if (strncmp(reply->text.at, meanings[i].prefix, strlen(meanings[i].prefix)) == 0)
            code = meanings[i].code;
    (void)err_set(why, code, "Redis: %.*s", STR_PRINT(reply->text));
    model_reply_free(reply);
    return code;
}

static enum err judge(struct model_reply *reply, struct redisReply **out, struct err_text *why) {
    if (reply->kind == MODEL_ERROR) return error_of(reply, why);
    *out = (struct redisReply *)reply;
    return ERR_OK;
}

enum err redis_ask(struct redis *r, const struct str *words, size_t word_count,
                   struct err_text *why) {
    assert(!r->detached && !r->asked && !r->broken);
    struct connection *c = &server.connections[r->connection];
    if (c->reset) return unavailable(r, "reset", why);
    send_request(r->connection, words, word_count);
    r->asked = true;
    return ERR_OK;
}

enum err redis_answer(struct redis *r, struct redisReply **reply, struct err_text *why) {
    assert(r->asked);
    r->asked = false;
    *reply = NULL;
    struct connection *c = &server.connections[r->connection];
    bool ready = fake_fd_wait(c->fd, r->timeout_ms * MS);
    struct model_reply *got = take_reply(c);
    if (!got) return unavailable(r, ready ? "reset" : "no answer", why);
    return judge(got, reply, why);
}

enum err redis_run(struct redis *r, const struct str *words, size_t word_count,
                   struct redisReply **reply, struct err_text *why) {
    *reply = NULL;
    enum err e = redis_ask(r, words, word_count, why);
    return e ? e : redis_answer(r, reply, why);
}

void redis_detach(struct redis *r) {
    r->detached = true;
}

int redis_fd(const struct redis *r) {
    return server.connections[r->connection].fd;
}

enum err redis_send(struct redis *r, const struct str *words, size_t word_count,
                    struct err_text *why) {
    assert(r->detached);
    if (server.connections[r->connection].reset) return unavailable(r, "reset", why);
    send_request(r->connection, words, word_count);
    return ERR_OK;
}

enum err redis_receive(struct redis *r, struct redisReply **reply, struct err_text *why) {
    assert(r->detached && !r->broken);
    *reply = NULL;
    struct connection *c = &server.connections[r->connection];
    struct model_reply *got = take_reply(c);
    if (got) return judge(got, reply, why);
    return c->reset ? unavailable(r, "reset", why) : ERR_OK;
}

void redis_reply_free(struct redisReply *reply) {
    model_reply_free((struct model_reply *)reply);
}

static const struct model_reply *model_of(const struct redisReply *reply) {
    return (const struct model_reply *)reply;
}

bool redis_reply_nil(const struct redisReply *reply) {
    return model_of(reply)->kind == MODEL_NIL;
}

size_t redis_reply_count(const struct redisReply *reply) {
    return model_of(reply)->kind == MODEL_ARRAY ? model_of(reply)->count : 0;
}

const struct redisReply *redis_reply_at(const struct redisReply *reply, size_t index) {
    if (index >= redis_reply_count(reply)) return NULL;
    return (const struct redisReply *)model_of(reply)->at[index];
}

struct str redis_reply_str(const struct redisReply *reply) {
    const struct model_reply *r = model_of(reply);
    if (!r || (r->kind != MODEL_TEXT && r->kind != MODEL_STATUS)) return STR_EMPTY;
    return r->text;
}

bool redis_reply_int(const struct redisReply *reply, int64_t *out) {
    const struct model_reply *r = model_of(reply);
    if (!r) return false;
    if (r->kind == MODEL_TEXT) return str_to_int64(r->text, out);
    if (r->kind != MODEL_INT) return false;
    *out = r->number;
    return true;
}

/* ---- the server's life ---- */

void fake_redis_begin(void) {
    memset(&server, 0, sizeof server);
    node_start(&server.node, "redis");
    server.model = model_new();
}

static void drop_blocked(void) {
    for (size_t i = 0; i < BLOCKED_MAX; i++) {
        if (server.blocked[i].used) free(server.blocked[i].request);
        server.blocked[i].used = false;
    }
}

void fake_redis_end(void) {
    drop_blocked();
    node_kill(&server.node);
    for (size_t i = 0; i < server.connection_count; i++) {
        struct connection *c = &server.connections[i];
        while (c->reply_count)
            model_reply_free(c->replies[--c->reply_count]);
        model_session_fini(&c->session);
    }
    model_free(server.model);
}

struct node *fake_redis_node(void) {
    return &server.node;
}

struct model *fake_redis_model(void) {
    return server.model;
}

void fake_redis_kill(void) {
    node_kill(&server.node);
    drop_blocked();
    for (size_t i = 0; i < server.connection_count; i++)
        break_connection(&server.connections[i]);
}

void fake_redis_restart(bool lose_unsynced) {
    if (lose_unsynced) model_restore(server.model);
    node_start(&server.node, "redis");
}

void fake_redis_jump(int64_t us) {
    server.clock_offset_us += us;
}

void fake_redis_drop(const struct node *n) {
    for (size_t i = 0; i < server.connection_count; i++)
        if (server.connections[i].node == n) server.connections[i].open = false;
}
