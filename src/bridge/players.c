/* players.c - two hash maps and an age list. */
#include "bridge/players.h"

#include "base/mem.h"
#include "base/metrics.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

struct memory {
    struct list_node link;
    char player_id[LIMIT_NAME_BYTES + 1];
    char ticket_id[ID_TEXT_BYTES];
    int64_t until_ms;
};

static void copy_text(char *out, size_t size, struct str s) {
    assert(s.size < size);
    memcpy(out, s.at, s.size);
    out[s.size] = '\0';
}

static bool player_is(const void *value, const void *key) {
    const struct player *player = value;
    return str_equal(str_of(player->id), *(const struct str *)key);
}

static bool memory_is(const void *value, const void *key) {
    const struct memory *memory = value;
    return str_equal(str_of(memory->player_id), *(const struct str *)key);
}

static atomic_uint *counter_of(const struct players *p, struct str id) {
    return &p->here[str_hash(id) & (PLAYERS_COUNTERS - 1)];
}

void players_init(struct players *p) {
    *p = (struct players){.here = mem_array(PLAYERS_COUNTERS, sizeof *p->here)};
    list_init(&p->by_age);
    list_init(&p->all);
}

static void forget(struct players *p, struct memory *memory) {
    bool removed = map_remove(&p->memories, str_hash(str_of(memory->player_id)), memory);
    assert(removed);
    list_remove(&p->by_age, &memory->link);
    mem_free(memory);
}

void players_fini(struct players *p) {
    assert(p->by_id.count == 0);
    while (p->by_age.count > 0)
        forget(p, LIST_OF(list_first(&p->by_age), struct memory, link));
    map_fini(&p->by_id);
    map_fini(&p->memories);
    mem_free(p->here);
}

struct player *players_find(struct players *p, struct str id) {
    return map_get(&p->by_id, str_hash(id), player_is, &id);
}

bool players_may_be_here(const struct players *p, struct str id) {
    return atomic_load(counter_of(p, id)) > 0;
}

void players_ref(struct player *player) {
    player->refs++;
}

void players_unref(struct players *p, struct player *player) {
    if (--player->refs > 0) return;
    bool removed = map_remove(&p->by_id, str_hash(str_of(player->id)), player);
    assert(removed && player->sessions.count == 0);
    atomic_fetch_sub(counter_of(p, str_of(player->id)), 1);
    list_remove(&p->all, &player->link);
    metric_set(METRIC_players_connected, (int64_t)p->all.count);
    mem_free(player);
}

struct session *players_join(struct players *p, struct str id, struct sio_socket *socket) {
    struct player *player = players_find(p, id);
    if (player == NULL) {
        player = mem_alloc(sizeof *player);
        copy_text(player->id, sizeof player->id, id);
        list_init(&player->sessions);
        list_append(&p->all, &player->link);
        map_put(&p->by_id, str_hash(id), player);
        atomic_fetch_add(counter_of(p, id), 1);
        metric_set(METRIC_players_connected, (int64_t)p->all.count);
    }
    struct session *s = mem_alloc(sizeof *s);
    s->socket = socket;
    s->player = player;
    s->refs = 1;
    players_ref(player);
    list_append(&player->sessions, &s->link);
    return s;
}

void players_session_ref(struct session *s) {
    s->refs++;
}

void players_session_unref(struct players *p, struct session *s) {
    if (--s->refs > 0) return;
    assert(s->socket == NULL && s->request_count == 0);
    players_unref(p, s->player);
    mem_free(s);
}

int place_compare(const struct place *a, const struct place *b) {
    if (a->epoch != b->epoch) return a->epoch < b->epoch ? -1 : 1;
    if (a->seq != b->seq) return a->seq < b->seq ? -1 : 1;
    return (a->index > b->index) - (a->index < b->index);
}

void players_leave(struct players *p, struct session *s) {
    list_remove(&s->player->sessions, &s->link);
    s->socket = NULL;
    players_session_unref(p, s);
}

static void forget_old(struct players *p, int64_t now_ms) {
    while (p->by_age.count > 0) {
        struct memory *oldest = LIST_OF(list_first(&p->by_age), struct memory, link);
        if (oldest->until_ms > now_ms && p->by_age.count < PLAYERS_MEMORIES_MAX) return;
        forget(p, oldest);
    }
}

void players_remember(struct players *p, struct str id, struct str ticket_id, int64_t now_ms) {
    players_forget(p, id);
    forget_old(p, now_ms);
    struct memory *memory = mem_alloc(sizeof *memory);
    copy_text(memory->player_id, sizeof memory->player_id, id);
    copy_text(memory->ticket_id, sizeof memory->ticket_id, ticket_id);
    memory->until_ms = now_ms + PLAYERS_MEMORY_MS;
    list_append(&p->by_age, &memory->link);
    map_put(&p->memories, str_hash(id), memory);
}

void players_forget(struct players *p, struct str id) {
    struct memory *memory = map_get(&p->memories, str_hash(id), memory_is, &id);
    if (memory != NULL) forget(p, memory);
}

const char *players_memory(struct players *p, struct str id, int64_t now_ms) {
    struct memory *memory = map_get(&p->memories, str_hash(id), memory_is, &id);
    return memory != NULL && memory->until_ms > now_ms ? memory->ticket_id : NULL;
}
