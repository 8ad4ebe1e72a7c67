/* call.c - a call lives in its own arena, from the door to its one reply. */
#include "rt/call.h"

#include <assert.h>

static _Atomic size_t open_count;

struct call *call_new(size_t cap_bytes, call_reply_fn reply, void *transport) {
    assert(reply);
    struct arena *arena = arena_new(cap_bytes);
    struct call *c = arena_alloc(arena, sizeof *c);
    c->message.kind = MESSAGE_CALL;
    c->arena = arena;
    c->reply = reply;
    c->transport = transport;
    atomic_fetch_add_explicit(&open_count, 1, memory_order_relaxed);
    return c;
}

void call_reply(struct call *c, enum err code, const struct err_text *why, struct str payload) {
    /* Counted first: whoever reads the reply may look at the count at once. */
    size_t before = atomic_fetch_sub_explicit(&open_count, 1, memory_order_relaxed);
    assert(before > 0);
    (void)before;
    c->reply(c->transport, code, why, payload);
    arena_free(c->arena);
}

bool call_expired(const struct call *c, int64_t now_us) {
    return now_us > c->deadline_us;
}

size_t call_open_count(void) {
    return atomic_load_explicit(&open_count, memory_order_relaxed);
}
