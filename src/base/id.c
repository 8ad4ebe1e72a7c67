/* id.c - ULIDs: made, compared, written and read. */
#include "base/id.h"

#include <assert.h>

static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

struct id id_new(struct rng *rng, int64_t now_ms) {
    assert(now_ms >= 0 && now_ms < ID_TIME_END_MS);
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

/* Both cases; I, L, O and U are no digits. Journals hold millions of ids: no search per digit. */
static const signed char digits[128] = {
    ['0'] = 1,  ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,  ['6'] = 7,  ['7'] = 8,
    ['8'] = 9,  ['9'] = 10, ['A'] = 11, ['B'] = 12, ['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16,
    ['G'] = 17, ['H'] = 18, ['J'] = 19, ['K'] = 20, ['M'] = 21, ['N'] = 22, ['P'] = 23, ['Q'] = 24,
    ['R'] = 25, ['S'] = 26, ['T'] = 27, ['V'] = 28, ['W'] = 29, ['X'] = 30, ['Y'] = 31, ['Z'] = 32,
    ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16, ['g'] = 17, ['h'] = 18,
    ['j'] = 19, ['k'] = 20, ['m'] = 21, ['n'] = 22, ['p'] = 23, ['q'] = 24, ['r'] = 25, ['s'] = 26,
    ['t'] = 27, ['v'] = 28, ['w'] = 29, ['x'] = 30, ['y'] = 31, ['z'] = 32,
};

static int digit_of(char c) {
    unsigned char at = (unsigned char)c;
    return at < sizeof digits ? digits[at] - 1 : -1;
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
