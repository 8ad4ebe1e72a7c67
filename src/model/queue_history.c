/* queue_history.c - an array of copies, the oldest first. */
#include "model/queue_history.h"

#include "base/limits.h"
#include "base/mem.h"

#include <string.h>

static size_t bytes_of(const struct queue_version *v) {
    return v->json.size + v->author.size + v->comment.size;
}

static struct str move_text(char **to, struct str text) {
    struct str copy = {*to, text.size};
    if (text.size) memcpy(*to, text.at, text.size);
    *to += text.size;
    return copy;
}

/* The three texts are one block, the definition's. */
static struct queue_version copy_of(const struct queue_version *v) {
    struct queue_version copy = *v;
    char *block = mem_alloc(bytes_of(v) + 1), *at = block;
    copy.json = move_text(&at, v->json);
    copy.author = move_text(&at, v->author);
    copy.comment = move_text(&at, v->comment);
    return copy;
}

static void forget_oldest(struct queue_history *h) {
    h->bytes -= bytes_of(&h->past[0]);
    mem_free((char *)h->past[0].json.at);
    memmove(h->past, h->past + 1, --h->count * sizeof *h->past);
}

const struct queue_version *queue_history_find(const struct queue_history *h, uint32_t number) {
    for (uint32_t i = 0; i < h->count; i++)
        if (h->past[i].number == number) return &h->past[i];
    return NULL;
}

uint32_t queue_history_add(struct queue_history *h, const struct queue_version *v) {
    if (queue_history_find(h, v->number)) return 0;
    uint32_t place = h->count++, forgotten = 0;
    h->past = mem_grow(h->past, h->count, sizeof *h->past);
    for (; place > 0 && h->past[place - 1].number > v->number; place--)
        h->past[place] = h->past[place - 1];
    h->past[place] = copy_of(v);
    h->bytes += bytes_of(v);
    for (; h->count > LIMIT_QUEUE_VERSIONS || h->bytes > LIMIT_VERSIONS_BYTES; forgotten++)
        forget_oldest(h);
    return forgotten;
}

void queue_history_fini(struct queue_history *h) {
    while (h->count > 0)
        forget_oldest(h);
    mem_free(h->past);
    *h = (struct queue_history){0};
}
