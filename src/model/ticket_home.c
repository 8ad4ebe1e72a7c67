/* ticket_home.c - slabs of blocks, and a counted table of forms. */
#include "model/ticket_home.h"

#include "base/map.h"
#include "base/slab.h"
#include "model/packed.h"

#include <assert.h>
#include <string.h>

enum { UNIT_BYTES = 32, UNITS_MAX = 16 };

struct ticket_home {
    struct slab blocks[UNITS_MAX + 1]; /* of so many units */
    struct map forms;                  /* by content */
    uint64_t unshared;
};

struct ticket_home *ticket_home_new(void) {
    struct ticket_home *h = mem_alloc(sizeof *h);
    for (unsigned units = 1; units <= UNITS_MAX; units++)
        h->blocks[units] =
            (struct slab){.size = (size_t)units * UNIT_BYTES, .alignment = UNIT_BYTES};
    return h;
}

void ticket_home_free(struct ticket_home *h) {
    if (!h) return;
    assert(h->forms.count == 0);
    for (unsigned units = 1; units <= UNITS_MAX; units++)
        slab_fini(&h->blocks[units]);
    map_fini(&h->forms);
    mem_free(h);
}

void *ticket_home_take(struct ticket_home *h, size_t bytes, unsigned *units) {
    *units = h && bytes <= UNIT_BYTES * UNITS_MAX
                 ? (unsigned)((bytes + UNIT_BYTES - 1) / UNIT_BYTES)
                 : 0;
    if (*units == 0) return mem_alloc(bytes);
    void *block = slab_take(&h->blocks[*units]);
    mem_lend(block, h->blocks[*units].size);
    return memset(block, 0, bytes);
}

void ticket_home_give(struct ticket_home *h, void *block, unsigned units) {
    if (units == 0) {
        mem_free(block);
        return;
    }
    slab_give(&h->blocks[units], block); /* writes into its beginning */
    mem_hide((char *)block + sizeof(void *), h->blocks[units].size - sizeof(void *));
}

size_t ticket_home_bytes(const struct ticket_home *h) {
    size_t bytes = 0;
    for (unsigned units = 1; units <= UNITS_MAX; units++)
        bytes += h->blocks[units].bytes;
    return bytes;
}

/* ---- forms ---- */

size_t ticket_home_forms(const struct ticket_home *h) {
    return h->forms.count;
}

uint64_t ticket_home_unshared(const struct ticket_home *h) {
    return h->unshared;
}

static bool has_content(const void *value, const void *key) {
    const struct form *f = value;
    return str_equal((struct str){f->content, f->bytes}, *(const struct str *)key);
}

static struct form *new_form(struct ticket_home *h, const struct ticket_spec *spec, size_t bytes) {
    struct form *f = mem_alloc(sizeof *f + bytes);
    packed_names(spec, f->content, bytes);
    f->home = h;
    f->uses = 1;
    f->bytes = (uint32_t)bytes;
    for (uint32_t i = 0; i < spec->player_count; i++) {
        f->attributes += spec->players[i].attribute_count;
        f->latencies += spec->players[i].latency_count;
    }
    return f;
}

struct form *ticket_home_take_form(struct ticket_home *h, const struct ticket_spec *spec) {
    MEM_UNCLEARED char content[TICKET_FORM_BYTES_MAX];
    size_t bytes = packed_names(spec, content, h ? sizeof content : 0);
    if (!h) return new_form(h, spec, bytes);
    if (bytes > sizeof content) {
        h->unshared++;
        return new_form(h, spec, bytes);
    }
    struct str key = {content, bytes};
    uint64_t hash = str_hash(key);
    struct form *f = map_get(&h->forms, hash, has_content, &key);
    if (f) {
        f->uses++;
        return f;
    }
    f = new_form(h, spec, bytes);
    f->shared = h->forms.count < TICKET_FORMS_MAX;
    if (f->shared)
        map_put(&h->forms, hash, f);
    else
        h->unshared++;
    return f;
}

void ticket_home_give_form(struct form *f) {
    assert(f->uses > 0);
    if (--f->uses > 0) return;
    struct str key = {f->content, f->bytes};
    if (f->shared) (void)map_remove(&f->home->forms, str_hash(key), f);
    mem_free(f);
}
