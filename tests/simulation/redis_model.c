/* redis_model.c - keys in a small array, streams as arrays of shared entries. */
#include "simulation/redis_model.h"

#include "base/mem.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { KEYS_MAX = 8, FIELDS_MAX = 8 };

struct entry { /* never freed while the model lives: a snapshot may refer to it */
    struct entry *older;
    struct model_id id;
    size_t count;
    struct str fields[];
};

struct value {
    struct str key, text; /* owned; text empty of a stream */
    bool is_stream;
    int64_t expires_us; /* 0: never */
    struct entry **entries;
    size_t first, count, capacity; /* entries[first..count) */
    struct model_id last;
};

struct keys {
    struct value at[KEYS_MAX];
    size_t count;
};

struct model {
    struct keys now, disk;
    struct entry *entries; /* all there ever were */
    struct {               /* for WATCH: also of keys that are not there */
        struct str key;    /* owned */
        uint64_t changes;
    } touched[KEYS_MAX];
    size_t touched_count;
    int64_t clock_us;
    struct model_watch watch;
};

/* ---- replies ---- */

static struct model_reply *reply_of(enum model_kind kind) {
    struct model_reply *r = mem_alloc(sizeof *r);
    r->kind = kind;
    return r;
}

static struct model_reply *reply_text(enum model_kind kind, struct str text) {
    struct model_reply *r = reply_of(kind);
    r->text = (struct str){mem_text(text), text.size};
    return r;
}

static struct model_reply *reply_error(const char *text) {
    return reply_text(MODEL_ERROR, str_of(text));
}

static struct model_reply *reply_int(int64_t number) {
    struct model_reply *r = reply_of(MODEL_INT);
    r->number = number;
    return r;
}

static struct model_reply *reply_array(size_t count) {
    struct model_reply *r = reply_of(MODEL_ARRAY);
    r->count = count;
    r->at = mem_alloc((count + 1) * sizeof *r->at);
    return r;
}

static struct model_reply *reply_id(struct model_id id) {
    char text[48];
    (void)snprintf(text, sizeof text, "%" PRIu64 "-%" PRIu64, id.ms, id.seq);
    return reply_text(MODEL_TEXT, str_of(text));
}

void model_reply_free(struct model_reply *r) {
    if (!r) return;
    for (size_t i = 0; i < r->count; i++)
        model_reply_free(r->at[i]);
    mem_free(r->at);
    mem_free((char *)r->text.at);
    mem_free(r);
}

static struct model_reply *wrong_type(void) {
    return reply_error("WRONGTYPE Operation against a key holding the wrong kind of value");
}

static struct model_reply *syntax_error(void) {
    return reply_error("ERR syntax error");
}

/* ---- keys ---- */

static struct str copy_text(struct str s) {
    return (struct str){mem_text(s), s.size};
}

static void free_value(struct value *v) {
    mem_free((char *)v->key.at);
    mem_free((char *)v->text.at);
    mem_free(v->entries);
}

static uint64_t *changes_of(struct model *m, struct str key) {
    size_t i = 0;
    while (i < m->touched_count && !str_equal(m->touched[i].key, key))
        i++;
    assert(i < KEYS_MAX);
    if (i == m->touched_count) m->touched[m->touched_count++].key = copy_text(key);
    return &m->touched[i].changes;
}

static void touch(struct model *m, struct str key) {
    ++*changes_of(m, key);
}

static void remove_key(struct model *m, struct value *v) {
    touch(m, v->key);
    free_value(v);
    *v = m->now.at[--m->now.count];
}

static struct value *find(struct model *m, struct str key) {
    for (size_t i = 0; i < m->now.count; i++) {
        struct value *v = &m->now.at[i];
        if (!str_equal(v->key, key)) continue;
        if (!v->expires_us || v->expires_us > m->clock_us) return v;
        remove_key(m, v);
        return NULL;
    }
    return NULL;
}

static struct value *add_key(struct model *m, struct str key) {
    assert(m->now.count < KEYS_MAX);
    struct value *v = &m->now.at[m->now.count++];
    *v = (struct value){.key = copy_text(key)};
    return v;
}

static void copy_keys(struct keys *to, const struct keys *from) {
    for (size_t i = 0; i < to->count; i++)
        free_value(&to->at[i]);
    to->count = from->count;
    for (size_t i = 0; i < from->count; i++) {
        const struct value *v = &from->at[i];
        to->at[i] = *v;
        to->at[i].key = copy_text(v->key);
        to->at[i].text = copy_text(v->text);
        to->at[i].entries = NULL;
        if (!v->capacity) continue;
        to->at[i].entries = mem_alloc(v->capacity * sizeof *v->entries);
        memcpy(to->at[i].entries, v->entries, v->count * sizeof *v->entries);
    }
}

void model_sync(struct model *m) {
    copy_keys(&m->disk, &m->now);
}

void model_restore(struct model *m) {
    copy_keys(&m->now, &m->disk);
}

/* ---- strings ---- */

static struct model_reply *run_get(struct model *m, const struct str *w, size_t n) {
    if (n != 2) return reply_error("ERR wrong number of arguments for 'get' command");
    struct value *v = find(m, w[1]);
    if (!v) return reply_of(MODEL_NIL);
    return v->is_stream ? wrong_type() : reply_text(MODEL_TEXT, v->text);
}

static bool is(struct str word, const char *name) {
    return word.size == strlen(name) && strncasecmp(word.at, name, word.size) == 0;
}

static struct model_reply *run_set(struct model *m, const struct str *w, size_t n) {
    bool only_new = false;
    int64_t ms = 0;
    for (size_t i = 3; i < n; i++) {
        if (is(w[i], "NX"))
            only_new = true;
        else if (!is(w[i], "PX") || i + 1 >= n || !str_to_int64(w[++i], &ms))
            return syntax_error();
        else if (ms <= 0)
            return reply_error("ERR invalid expire time in 'set' command");
    }
    struct value *v = find(m, w[1]);
    if (v && only_new) return reply_of(MODEL_NIL);
    if (v) remove_key(m, v);
    touch(m, w[1]);
    v = add_key(m, w[1]);
    v->text = copy_text(w[2]);
    v->expires_us = ms ? m->clock_us + ms * 1000 : 0;
    return reply_text(MODEL_STATUS, STR("OK"));
}

static struct model_reply *run_del(struct model *m, const struct str *w, size_t n) {
    int64_t removed = 0;
    for (size_t i = 1; i < n; i++) {
        struct value *v = find(m, w[i]);
        if (v) remove_key(m, v);
        removed += v != NULL;
    }
    return reply_int(removed);
}

static struct model_reply *run_exists(struct model *m, const struct str *w, size_t n) {
    int64_t found = 0;
    for (size_t i = 1; i < n; i++)
        found += find(m, w[i]) != NULL;
    return reply_int(found);
}

static struct model_reply *run_pexpire(struct model *m, const struct str *w, size_t n) {
    int64_t ms;
    if (n != 3 || !str_to_int64(w[2], &ms))
        return reply_error("ERR value is not an integer or out of range");
    struct value *v = find(m, w[1]);
    if (!v) return reply_int(0);
    v->expires_us = m->clock_us + ms * 1000;
    touch(m, w[1]);
    if (ms <= 0) remove_key(m, v);
    return reply_int(1);
}

static struct model_reply *run_pttl(struct model *m, const struct str *w, size_t n) {
    (void)n;
    struct value *v = find(m, w[1]);
    if (!v) return reply_int(-2);
    return reply_int(v->expires_us ? (v->expires_us - m->clock_us + 999) / 1000 : -1);
}

/* ---- streams ---- */

static int compare(struct model_id a, struct model_id b) {
    if (a.ms != b.ms) return a.ms < b.ms ? -1 : 1;
    return (a.seq > b.seq) - (a.seq < b.seq);
}

/* `rest`: the sequence of an id that names none. */
static bool parse_id(struct str text, uint64_t rest, struct model_id *out) {
    char copy[48], *end;
    if (text.size == 0 || text.size >= sizeof copy) return false;
    memcpy(copy, text.at, text.size);
    copy[text.size] = '\0';
    if (strcmp(copy, "-") == 0 || strcmp(copy, "+") == 0) {
        *out = copy[0] == '-' ? (struct model_id){0, 0} : (struct model_id){UINT64_MAX, UINT64_MAX};
        return true;
    }
    out->ms = strtoull(copy, &end, 10);
    out->seq = rest;
    if (end == copy) return false;
    if (*end == '-') {
        char *from = end + 1;
        out->seq = strtoull(from, &end, 10);
        if (end == from) return false;
    }
    return *end == '\0';
}

static struct model_reply *invalid_id(void) {
    return reply_error("ERR Invalid stream ID specified as stream command argument");
}

static struct entry *new_entry(struct model *m, struct model_id id, const struct str *fields,
                               size_t count) {
    struct entry *e = mem_alloc(sizeof *e + count * sizeof *fields);
    e->id = id;
    e->count = count;
    for (size_t i = 0; i < count; i++)
        e->fields[i] = copy_text(fields[i]);
    e->older = m->entries;
    m->entries = e;
    return e;
}

static struct model_reply *run_xadd(struct model *m, const struct str *w, size_t n) {
    size_t i = 2;
    bool make = !(n > i && is(w[i], "NOMKSTREAM"));
    i += !make;
    struct model_id id;
    if (n < i + 3 || (n - i) % 2 == 0)
        return reply_error("ERR wrong number of arguments for 'xadd' command");
    if (!parse_id(w[i], 0, &id)) return invalid_id();
    struct value *v = find(m, w[1]);
    if (v && !v->is_stream) return wrong_type();
    if (id.ms == 0 && id.seq == 0)
        return reply_error("ERR The ID specified in XADD must be greater than 0-0");
    if (!v && !make) return reply_of(MODEL_NIL);
    if (v && fence_refuses(id, v->last))
        return reply_error("ERR The ID specified in XADD is equal or smaller than the target "
                           "stream top item");
    if (!v) v = add_key(m, w[1]);
    v->is_stream = true;
    touch(m, w[1]);
    if (v->count == v->capacity) {
        v->capacity = v->capacity ? 2 * v->capacity : 64;
        v->entries = mem_grow(v->entries, v->capacity, sizeof *v->entries);
    }
    v->entries[v->count++] = new_entry(m, id, w + i + 1, n - i - 1);
    if (compare(id, v->last) > 0) v->last = id;
    if (m->watch.added) m->watch.added(m->watch.arg, id, w + i + 1, n - i - 1);
    return reply_id(id);
}

static struct model_reply *reply_entry(const struct entry *e) {
    struct model_reply *r = reply_array(2);
    r->at[0] = reply_id(e->id);
    r->at[1] = reply_array(e->count);
    for (size_t i = 0; i < e->count; i++)
        r->at[1]->at[i] = reply_text(MODEL_TEXT, e->fields[i]);
    return r;
}

/* The first index at or above `from`; ids rise, but not without the fence: then the order counts.
 */
static size_t lower_bound(const struct value *v, struct model_id from) {
    size_t low = v->first, high = v->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare(v->entries[middle]->id, from) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct model_reply *reply_range(const struct value *v, struct model_id from,
                                       struct model_id to, size_t max) {
    size_t begin = v ? lower_bound(v, from) : 0, end = begin;
    while (v && end < v->count && end - begin < max && compare(v->entries[end]->id, to) <= 0)
        end++;
    struct model_reply *r = reply_array(end - begin);
    for (size_t i = begin; i < end; i++)
        r->at[i - begin] = reply_entry(v->entries[i]);
    return r;
}

static struct model_reply *run_xrange(struct model *m, const struct str *w, size_t n) {
    struct model_id from, to;
    int64_t max = INT32_MAX;
    if (n < 4 || !parse_id(w[2], 0, &from) || !parse_id(w[3], UINT64_MAX, &to)) return invalid_id();
    if (n == 6 && (!is(w[4], "COUNT") || !str_to_int64(w[5], &max))) return syntax_error();
    struct value *v = find(m, w[1]);
    if (v && !v->is_stream) return wrong_type();
    return reply_range(v, from, to, (size_t)max);
}

static struct model_reply *run_xrevrange(struct model *m, const struct str *w, size_t n) {
    struct model_id from, to;
    int64_t max = INT32_MAX;
    if (n < 4 || !parse_id(w[2], UINT64_MAX, &to) || !parse_id(w[3], 0, &from)) return invalid_id();
    if (n == 6 && (!is(w[4], "COUNT") || !str_to_int64(w[5], &max))) return syntax_error();
    struct value *v = find(m, w[1]);
    if (v && !v->is_stream) return wrong_type();
    size_t found = 0;
    struct model_reply *r = reply_array(v ? v->count - v->first : 0);
    for (size_t i = v ? v->count : 0; v && i-- > v->first && found < (size_t)max;)
        if (compare(v->entries[i]->id, to) <= 0 && compare(v->entries[i]->id, from) >= 0)
            r->at[found++] = reply_entry(v->entries[i]);
    r->count = found;
    return r;
}

/* XREAD [COUNT n] [BLOCK ms] STREAMS key id: where its words are; false: not that form. */
struct read_words {
    struct str key, id;
    int64_t max, block_ms; /* -1: does not block */
};

static bool read_words(const struct str *w, size_t n, struct read_words *out) {
    *out = (struct read_words){.max = INT32_MAX, .block_ms = -1};
    size_t i = 1;
    for (; i + 1 < n && !is(w[i], "STREAMS"); i += 2) {
        int64_t *number = is(w[i], "COUNT") ? &out->max : is(w[i], "BLOCK") ? &out->block_ms : NULL;
        if (!number || !str_to_int64(w[i + 1], number)) return false;
    }
    if (i + 3 != n) return false;
    out->key = w[i + 1];
    out->id = w[i + 2];
    return true;
}

static struct model_reply *run_xread(struct model *m, const struct str *w, size_t n) {
    struct read_words words;
    struct model_id after;
    if (!read_words(w, n, &words)) return syntax_error();
    if (!parse_id(words.id, 0, &after)) return invalid_id();
    struct value *v = find(m, words.key);
    if (v && !v->is_stream) return wrong_type();
    after.seq++;
    if (after.seq == 0) after.ms++;
    struct model_reply *found =
        reply_range(v, after, (struct model_id){UINT64_MAX, UINT64_MAX}, (size_t)words.max);
    if (found->count == 0) {
        model_reply_free(found);
        return reply_of(MODEL_NIL);
    }
    struct model_reply *stream = reply_array(2), *r = reply_array(1);
    stream->at[0] = reply_text(MODEL_TEXT, words.key);
    stream->at[1] = found;
    r->at[0] = stream;
    return r;
}

bool model_would_block(const struct str *words, size_t count, int64_t *block_ms) {
    struct read_words read;
    if (!is(words[0], "XREAD") || !read_words(words, count, &read)) return false;
    *block_ms = read.block_ms;
    return read.block_ms >= 0;
}

static struct model_reply *run_xinfo(struct model *m, const struct str *w, size_t n) {
    if (n != 3 || !is(w[1], "STREAM")) return syntax_error();
    struct value *v = find(m, w[2]);
    if (!v) return reply_error("ERR no such key");
    if (!v->is_stream) return wrong_type();
    struct model_reply *r = reply_array(4);
    r->at[0] = reply_text(MODEL_TEXT, STR("length"));
    r->at[1] = reply_int((int64_t)(v->count - v->first));
    r->at[2] = reply_text(MODEL_TEXT, STR("last-generated-id"));
    r->at[3] = reply_id(v->last);
    return r;
}

static struct model_reply *run_xlen(struct model *m, const struct str *w, size_t n) {
    (void)n;
    struct value *v = find(m, w[1]);
    if (v && !v->is_stream) return wrong_type();
    return reply_int(v ? (int64_t)(v->count - v->first) : 0);
}

static struct model_reply *run_xtrim(struct model *m, const struct str *w, size_t n) {
    struct model_id from;
    if (n != 4 || !is(w[2], "MINID")) return syntax_error();
    if (!parse_id(w[3], 0, &from)) return invalid_id();
    struct value *v = find(m, w[1]);
    if (!v) return reply_int(0);
    if (!v->is_stream) return wrong_type();
    size_t first = lower_bound(v, from), removed = first - v->first;
    if (removed) touch(m, w[1]);
    v->first = first;
    return reply_int((int64_t)removed);
}

/* ---- the server itself ---- */

static struct model_reply *run_time(struct model *m, const struct str *w, size_t n) {
    (void)w;
    (void)n;
    char seconds[24], micros[24];
    (void)snprintf(seconds, sizeof seconds, "%" PRId64, m->clock_us / 1000000);
    (void)snprintf(micros, sizeof micros, "%" PRId64, m->clock_us % 1000000);
    struct model_reply *r = reply_array(2);
    r->at[0] = reply_text(MODEL_TEXT, str_of(seconds));
    r->at[1] = reply_text(MODEL_TEXT, str_of(micros));
    return r;
}

static struct model_reply *run_info(struct model *m, const struct str *w, size_t n) {
    (void)m;
    (void)w;
    (void)n;
    return reply_text(MODEL_TEXT, STR("redis_version:7.0.15\r\n"));
}

static struct model_reply *run_role(struct model *m, const struct str *w, size_t n) {
    (void)m;
    (void)w;
    (void)n;
    struct model_reply *r = reply_array(3);
    r->at[0] = reply_text(MODEL_TEXT, STR("master"));
    r->at[1] = reply_int(0);
    r->at[2] = reply_array(0);
    return r;
}

static struct model_reply *run_config(struct model *m, const struct str *w, size_t n) {
    (void)m;
    static const char *const settings[][2] = {
        {"appendonly", "yes"}, {"appendfsync", "always"}, {"maxmemory-policy", "noeviction"}};
    for (size_t i = 0; n == 3 && i < sizeof settings / sizeof settings[0]; i++) {
        if (!is(w[2], settings[i][0])) continue;
        struct model_reply *r = reply_array(2);
        r->at[0] = reply_text(MODEL_TEXT, str_of(settings[i][0]));
        r->at[1] = reply_text(MODEL_TEXT, str_of(settings[i][1]));
        return r;
    }
    return reply_array(0);
}

static struct model_reply *run_ping(struct model *m, const struct str *w, size_t n) {
    (void)m;
    (void)w;
    (void)n;
    return reply_text(MODEL_STATUS, STR("PONG"));
}

static const struct {
    const char *name;
    size_t words_min;
    struct model_reply *(*run)(struct model *m, const struct str *words, size_t count);
} commands[] = {
    {"GET", 2, run_get},       {"SET", 3, run_set},         {"DEL", 2, run_del},
    {"EXISTS", 2, run_exists}, {"PEXPIRE", 3, run_pexpire}, {"PTTL", 2, run_pttl},
    {"XADD", 5, run_xadd},     {"XRANGE", 4, run_xrange},   {"XREVRANGE", 4, run_xrevrange},
    {"XREAD", 4, run_xread},   {"XINFO", 3, run_xinfo},     {"XLEN", 2, run_xlen},
    {"XTRIM", 4, run_xtrim},   {"TIME", 1, run_time},       {"INFO", 1, run_info},
    {"ROLE", 1, run_role},     {"CONFIG", 3, run_config},   {"PING", 1, run_ping},
};

static struct model_reply *run_command(struct model *m, const struct str *words, size_t count) {
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        if (is(words[0], commands[i].name) && count >= commands[i].words_min)
            return commands[i].run(m, words, count);
    char text[160];
    (void)snprintf(text, sizeof text,
                   "ERR unknown command '%.*s', with args beginning with: ", STR_PRINT(words[0]));
    return reply_error(text);
}

/* ---- transactions: of one watched key and one command ---- */

static void drop_commands(struct model_session *s) {
    while (s->count > 0)
        mem_free((char *)s->words[--s->count].at);
    s->multi = false;
}

static void unwatch(struct model_session *s) {
    mem_free((char *)s->key.at);
    s->key = STR_EMPTY;
    s->watching = false;
}

void model_session_fini(struct model_session *s) {
    drop_commands(s);
    unwatch(s);
}

/* A look at it lets it expire first. */
static uint64_t watched(struct model *m, struct str key) {
    (void)find(m, key);
    return *changes_of(m, key);
}

static struct model_reply *run_exec(struct model *m, struct model_session *s) {
    if (!s->multi) return reply_error("ERR EXEC without MULTI");
    struct model_reply *r;
    if (s->watching && watched(m, s->key) != s->changes) {
        r = reply_of(MODEL_NIL);
    } else {
        r = reply_array(s->count > 0);
        if (s->count > 0) r->at[0] = run_command(m, s->words, s->count);
    }
    model_session_fini(s);
    return r;
}

static struct model_reply *queue_command(struct model_session *s, const struct str *words,
                                         size_t count) {
    assert(s->count == 0 && count <= MODEL_WORDS_MAX);
    for (; s->count < count; s->count++)
        s->words[s->count] = copy_text(words[s->count]);
    return reply_text(MODEL_STATUS, STR("QUEUED"));
}

struct model_reply *model_run(struct model *m, struct model_session *s, const struct str *words,
                              size_t count) {
    if (is(words[0], "EXEC")) return run_exec(m, s);
    if (s->multi) return queue_command(s, words, count);
    if (is(words[0], "MULTI")) {
        s->multi = true;
    } else if (is(words[0], "WATCH") && count == 2) {
        unwatch(s);
        s->watching = true;
        s->key = copy_text(words[1]);
        s->changes = watched(m, s->key);
    } else if (is(words[0], "UNWATCH")) {
        unwatch(s);
    } else {
        return run_command(m, words, count);
    }
    return reply_text(MODEL_STATUS, STR("OK"));
}

/* ---- life ---- */

struct model *model_new(void) {
    return mem_alloc(sizeof(struct model));
}

void model_free(struct model *m) {
    if (!m) return;
    copy_keys(&m->now, &(struct keys){0});
    copy_keys(&m->disk, &(struct keys){0});
    while (m->touched_count)
        mem_free((char *)m->touched[--m->touched_count].key.at);
    for (struct entry *e = m->entries, *older; e; e = older) {
        older = e->older;
        for (size_t i = 0; i < e->count; i++)
            mem_free((char *)e->fields[i].at);
        mem_free(e);
    }
    mem_free(m);
}

void model_set_clock(struct model *m, int64_t wall_us) {
    m->clock_us = wall_us;
}

void model_observe(struct model *m, struct model_watch watch) {
    m->watch = watch;
}
