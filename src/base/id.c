/* id.c - ULIDs: made, compared, written and read. */
#include "base/id.h"

#include <assert.h>

static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

struct id id_new(struct rng *rng, int64_t now_ms) {
    assert(now_ms >= 0 && now_ms < (int64_t)1 << 48);
    uint64_t noise = rng_next(rng);
    return (struct id){.hi = (uint64_t)now_ms << 16 | noise >> 48, .lo = rng_next(rng)};
}

bool id_equal(struct id a, struct id b) {
    return a.hi == b.hi && a.lo == b.lo;
}

int id_compare(struct id a, struct id b) {
    if (a.hi != b.hi) return a.hi < b.hi ? -1 : 1;
    return (a.lo > b.lo) - (a.lo < b.lo);
}

bool id_is_none(struct id id) {
    return (id.hi | id.lo) == 0;
}

/* Ids are ours and random already: one multiply and fold spreads the time bits. */
uint64_t id_hash(struct id id) {
    uint64_t mixed = (id.hi ^ id.lo >> 32) * 0x9E3779B97F4A7C15u ^ id.lo;
    return mixed ^ mixed >> 29;
}

void id_format(struct id id, char out[ID_TEXT_BYTES]) {
    for (int i = ID_TEXT_BYTES - 2; i >= 0; i--) {
        out[i] = alphabet[id.lo & 31];
        id.lo = id.lo >> 5 | id.hi << 59;
        id.hi >>= 5;
    }
    out[ID_TEXT_BYTES - 1] = '\0';
}

static int digit_of(char c) {
    if (c >= 'a' && c <= 'z') c = (char)(c - 'a' + 'A');
    for (int i = 0; i < 32; i++)
        if (alphabet[i] == c) return i;
    return -1;
}

bool id_parse(struct str text, struct id *out) {
    if (text.size != ID_TEXT_BYTES - 1 || text.at[0] > '7') return false; /* 26 * 5 = 130 bits */
    struct id id = {0, 0};
    for (size_t i = 0; i < text.size; i++) {
        int digit = digit_of(text.at[i]);
        if (digit < 0) return false;
        id.hi = id.hi << 5 | id.lo >> 59;
        id.lo = id.lo << 5 | (uint64_t)digit;
    }
    if (id_is_none(id)) return false;
    *out = id;
    return true;
}
