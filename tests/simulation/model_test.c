/* model_test.c - the simulated Redis against the real one: the same random commands, the same
 * replies, so that what the simulation proves it proves of Redis.
 *
 * Seeded; $SIM_MODEL_SEED repeats a run. What depends on the clock is compared by its kind.
 */
#include "base/clock.h"
#include "base/mem.h"
#include "base/rng.h"
#include "simulation/redis_model.h"
#include "store/redis.h"
#include "support/redis_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { OPERATIONS = 20000, CONNECTIONS = 2, WORD_BYTES = 32 };

struct command {
    char text[MODEL_WORDS_MAX][WORD_BYTES];
    struct str words[MODEL_WORDS_MAX];
    size_t count;
    bool timed; /* its reply tells of the clock */
};

struct run {
    struct rng rng;
    struct redis_fixture server;
    struct redis *real[CONNECTIONS];
    struct model *model;
    struct model_session sessions[CONNECTIONS];
    bool in_multi[CONNECTIONS], queued[CONNECTIONS], queued_timed[CONNECTIONS];
};

static uint64_t below(struct run *r, uint64_t bound) {
    return rng_below(&r->rng, bound);
}

__attribute__((format(printf, 2, 3))) static void add(struct command *c, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(c->text[c->count], WORD_BYTES, format, arguments);
    va_end(arguments);
    c->words[c->count] = str_of(c->text[c->count]);
    c->count++;
}

static const char *key(struct run *r) {
    static const char *const keys[] = {"stream", "stream", "other", "lease", "lease"};
    return keys[below(r, 5)];
}

static void add_id(struct run *r, struct command *c) {
    add(c, "%d-%d", (int)below(r, 12), (int)below(r, 6));
}

/* ---- random commands ---- */

static void string_command(struct run *r, struct command *c) {
    switch (below(r, 7)) {
    case 0:
        add(c, "GET");
        add(c, "%s", key(r));
        break;
    case 1:
        add(c, "SET");
        add(c, "%s", below(r, 8) ? "lease" : key(r));
        add(c, "v%d", (int)below(r, 5));
        if (below(r, 2)) add(c, "NX");
        if (below(r, 2)) add(c, "PX");
        if (c->text[c->count - 1][0] == 'P') add(c, "100000");
        break;
    case 2:
        add(c, "DEL");
        add(c, "%s", below(r, 6) ? "lease" : key(r));
        break;
    case 3:
        add(c, "PEXPIRE");
        add(c, "%s", below(r, 4) ? "lease" : key(r));
        add(c, "%d", below(r, 4) ? 200000 : 0);
        break;
    case 4:
        add(c, "PTTL");
        add(c, "%s", key(r));
        c->timed = true;
        break;
    case 5:
        add(c, "EXISTS");
        add(c, "%s", key(r));
        break;
    default:
        add(c, "TIME");
        c->timed = true;
        break;
    }
}

static void add_limits(struct run *r, struct command *c) {
    if (below(r, 2)) {
        add(c, "COUNT");
        add(c, "%d", 1 + (int)below(r, 4));
    }
}

static void append_command(struct run *r, struct command *c) {
    add(c, "XADD");
    add(c, "%s", below(r, 8) ? "stream" : key(r));
    if (below(r, 2)) add(c, "NOMKSTREAM");
    add_id(r, c);
    add(c, "b");
    add(c, "bytes%d", (int)below(r, 1000));
    add(c, "o");
    add(c, "owner%d", (int)below(r, 3));
}

static void range_command(struct run *r, struct command *c) {
    bool reverse = below(r, 2);
    add(c, reverse ? "XREVRANGE" : "XRANGE");
    add(c, "%s", key(r));
    if (below(r, 2))
        add(c, reverse ? "+" : "-");
    else
        add_id(r, c);
    if (below(r, 2))
        add(c, reverse ? "-" : "+");
    else
        add_id(r, c);
    add_limits(r, c);
}

static void stream_command(struct run *r, struct command *c) {
    uint64_t dice = below(r, 8);
    if (dice < 3) {
        append_command(r, c);
    } else if (dice < 5) {
        range_command(r, c);
    } else if (dice == 5) {
        add(c, "XREAD");
        add_limits(r, c);
        add(c, "STREAMS");
        add(c, "%s", key(r));
        add_id(r, c);
    } else if (dice == 6) {
        add(c, "XTRIM");
        add(c, "%s", key(r));
        add(c, "MINID");
        add(c, "%d-%d", (int)below(r, 10), (int)below(r, 6));
    } else {
        add(c, "%s", below(r, 2) ? "XLEN" : "XINFO");
        if (c->text[0][1] == 'I') add(c, "STREAM");
        add(c, "%s", key(r));
    }
}

/* Only whole transactions of one command on one watched key, as the lease makes them. */
static void transaction_command(struct run *r, struct command *c, int connection) {
    if (r->in_multi[connection]) {
        if (!r->queued[connection] && below(r, 8)) {
            if (below(r, 2))
                string_command(r, c);
            else
                append_command(r, c);
        } else {
            add(c, "EXEC");
        }
    } else if (below(r, 3) == 0) {
        add(c, "MULTI");
    } else if (r->sessions[connection].watching) { /* of one key at a time */
        add(c, "UNWATCH");
    } else {
        add(c, "WATCH");
        add(c, "%s", below(r, 3) ? "lease" : key(r));
    }
}

static void draw(struct run *r, struct command *c, int connection) {
    *c = (struct command){0};
    if (r->in_multi[connection] || below(r, 6) == 0)
        transaction_command(r, c, connection);
    else if (below(r, 3))
        stream_command(r, c);
    else
        string_command(r, c);
}

/* ---- both replies as text ---- */

static void put(char *out, const char *text) {
    size_t used = strlen(out);
    (void)snprintf(out + used, 65536 - used, "%s", text);
}

/* -2 and -1 as they are; a time to live as such. */
static void put_number(char *out, int64_t number, bool timed) {
    char text[32];
    (void)snprintf(text, sizeof text, ":%lld ", (long long)(timed && number > 0 ? 1 : number));
    put(out, text);
}

/* An error inside of EXEC's reply is none that store/redis.h tells of. */
static void print_model(const struct model_reply *m, bool timed, bool inner, char *out) {
    if (m->kind == MODEL_NIL) put(out, "nil ");
    if (m->kind == MODEL_INT) put_number(out, m->number, timed);
    if (m->kind == MODEL_ERROR) put(out, inner ? "[]" : "error ");
    if (m->kind == MODEL_TEXT || m->kind == MODEL_STATUS) {
        put(out, timed ? "text" : m->text.at);
        put(out, " ");
    }
    if (m->kind != MODEL_ARRAY) return;
    put(out, "[");
    for (size_t i = 0; i < m->count; i++)
        print_model(m->at[i], timed, true, out);
    put(out, "]");
}

static void print_real(const struct redisReply *reply, bool timed, char *out) {
    int64_t number;
    struct str text = redis_reply_str(reply);
    if (redis_reply_nil(reply)) {
        put(out, "nil ");
    } else if (text.at) {
        put(out, timed ? "text" : text.at);
        put(out, " ");
    } else if (redis_reply_int(reply, &number)) {
        put_number(out, number, timed);
    } else {
        put(out, "[");
        for (size_t i = 0; i < redis_reply_count(reply); i++)
            print_real(redis_reply_at(reply, i), timed, out);
        put(out, "]");
    }
}

/* Of XINFO only the last id is simulated. */
static const struct redisReply *of_interest(const struct redisReply *reply, const struct command *c,
                                            char *out) {
    if (!str_equal(c->words[0], STR("XINFO"))) return reply;
    for (size_t i = 0; i + 1 < redis_reply_count(reply); i += 2)
        if (str_equal(redis_reply_str(redis_reply_at(reply, i)), STR("last-generated-id")))
            return redis_reply_at(reply, i + 1);
    put(out, "nothing ");
    return reply;
}

static void ask_real(struct run *r, const struct command *c, int connection, bool timed,
                     char *out) {
    struct redisReply *reply = NULL;
    struct err_text why;
    enum err e = redis_run(r->real[connection], c->words, c->count, &reply, &why);
    if (e)
        put(out, "error ");
    else
        print_real(of_interest(reply, c, out), timed, out);
    redis_reply_free(reply);
}

static void ask_model(struct run *r, const struct command *c, int connection, bool timed,
                      char *out) {
    model_set_clock(r->model, clock_wall_ms() * 1000);
    struct model_reply *m = model_run(r->model, &r->sessions[connection], c->words, c->count);
    bool info = str_equal(c->words[0], STR("XINFO")) && m->kind == MODEL_ARRAY;
    print_model(info ? m->at[3] : m, timed, false, out);
    model_reply_free(m);
}

static void compare(struct run *r, int connection) {
    static char real[65536], model[65536];
    struct command c;
    draw(r, &c, connection);
    bool exec = str_equal(c.words[0], STR("EXEC"));
    bool timed = c.timed || (exec && r->queued_timed[connection]);
    real[0] = model[0] = '\0';
    ask_real(r, &c, connection, timed, real);
    ask_model(r, &c, connection, timed, model);
    if (strcmp(real, model) != 0) {
        char text[512] = "";
        for (size_t i = 0; i < c.count; i++)
            (void)snprintf(text + strlen(text), sizeof text - strlen(text), "%s ", c.text[i]);
        fail_msg("%s\n real: %s\nmodel: %s", text, real, model);
    }
    r->queued[connection] = r->in_multi[connection] && !exec;
    r->queued_timed[connection] = r->queued[connection] && c.timed;
    if (str_equal(c.words[0], STR("MULTI"))) r->in_multi[connection] = true;
    if (exec) r->in_multi[connection] = false;
}

static void model_answers_as_redis_does(void **state) {
    (void)state;
    const char *given = getenv("SIM_MODEL_SEED");
    uint64_t seed = given ? strtoull(given, NULL, 10) : (uint64_t)clock_mono_us();
    print_message("seed %llu\n", (unsigned long long)seed);
    struct run r = {.model = model_new()};
    struct address address;
    struct err_text why;
    rng_init(&r.rng, seed);
    redis_fixture_start(&r.server, (const char *[]){"--appendfsync", "no", NULL});
    assert_int_equal(address_parse(&address, r.server.address, &why), ERR_OK);
    for (int i = 0; i < CONNECTIONS; i++)
        assert_int_equal(redis_open(&r.real[i], &address, 10000, &why), ERR_OK);
    for (int i = 0; i < OPERATIONS; i++)
        compare(&r, (int)below(&r, CONNECTIONS));
    for (int i = 0; i < CONNECTIONS; i++) {
        redis_close(r.real[i]);
        model_session_fini(&r.sessions[i]);
    }
    redis_fixture_stop(&r.server);
    model_free(r.model);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(model_answers_as_redis_does)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
