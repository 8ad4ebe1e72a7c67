/* str.c - comparing, checking, hashing and parsing borrowed text. */
#include "base/str.h"

#include "base/limits.h"
#include "base/rng.h"

#include <locale.h>
#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

struct str str_of(const char *text) {
    return (struct str){text, text ? strlen(text) : 0};
}

bool str_equal(struct str a, struct str b) {
    return a.size == b.size && (a.size == 0 || memcmp(a.at, b.at, a.size) == 0);
}

int str_compare(struct str a, struct str b) {
    size_t common = a.size < b.size ? a.size : b.size;
    int order = common ? memcmp(a.at, b.at, common) : 0;
    return order ? order : (a.size > b.size) - (a.size < b.size);
}

bool str_starts(struct str s, struct str prefix) {
    return s.size >= prefix.size && str_equal((struct str){s.at, prefix.size}, prefix);
}

static uint64_t hash_seed(void) {
    static _Atomic uint64_t seed; /* 0 = not drawn yet */
    uint64_t now = atomic_load_explicit(&seed, memory_order_relaxed);
    if (now) return now;
    uint64_t drawn, none = 0;
    rng_secret(&drawn, sizeof drawn);
    drawn |= 1;
    /* Threads may race to draw: the first one wins for all. */
    return atomic_compare_exchange_strong(&seed, &none, drawn) ? drawn : none;
}

uint64_t str_hash(struct str s) {
    return XXH3_64bits_withSeed(s.at ? s.at : "", s.size, hash_seed());
}

/* RFC 3629 section 4: the range of the second byte depends on the first one. */
static size_t sequence_size(unsigned char first, unsigned char *low, unsigned char *high) {
    *low = 0x80;
    *high = 0xBF;
    if (first >= 0x01 && first <= 0x7F) return 1;
    if (first >= 0xC2 && first <= 0xDF) return 2;
    if (first == 0xE0) *low = 0xA0;
    if (first == 0xED) *high = 0x9F;
    if (first >= 0xE0 && first <= 0xEF) return 3;
    if (first == 0xF0) *low = 0x90;
    if (first == 0xF4) *high = 0x8F;
    if (first >= 0xF0 && first <= 0xF4) return 4;
    return 0;
}

size_t str_utf8_size(struct str s) {
    if (s.size == 0) return 0;
    const unsigned char *at = (const unsigned char *)s.at;
    unsigned char low, high;
    size_t size = sequence_size(at[0], &low, &high);
    if (size > s.size) return 0;
    for (size_t i = 1; i < size; i++) {
        if (at[i] < low || at[i] > high) return 0;
        low = 0x80;
        high = 0xBF;
    }
    return size;
}

bool str_utf8_valid(struct str s) {
    while (s.size > 0) {
        while (s.size > 0 && (signed char)*s.at > 0) { /* ASCII: nearly all text */
            s.at++;
            s.size--;
        }
        if (s.size == 0) return true;
        size_t size = str_utf8_size(s);
        if (size == 0) return false;
        s.at += size;
        s.size -= size;
    }
    return true;
}

static bool name_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == '-';
}

bool str_name_valid(struct str s) {
    if (s.size == 0 || s.size > LIMIT_NAME_BYTES) return false;
    for (size_t i = 0; i < s.size; i++)
        if (!name_char(s.at[i])) return false;
    return true;
}

bool str_to_int64(struct str s, int64_t *out) {
    size_t i = 0;
    bool negative = s.size > 0 && s.at[0] == '-';
    if (negative) i++;
    if (i == s.size) return false;
    int64_t value = 0; /* kept negative: that side reaches one further */
    for (; i < s.size; i++) {
        if (s.at[i] < '0' || s.at[i] > '9') return false;
        if (__builtin_mul_overflow(value, 10, &value)) return false;
        if (__builtin_sub_overflow(value, s.at[i] - '0', &value)) return false;
    }
    if (!negative && value == INT64_MIN) return false;
    *out = negative ? value : -value;
    return true;
}

/* The C locale, whatever the process has chosen; made once, never freed. */
static locale_t c_locale(void) {
    static _Atomic(locale_t) shared;
    locale_t now = atomic_load(&shared);
    if (now) return now;
    locale_t made = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (!made) abort();
    if (atomic_compare_exchange_strong(&shared, &now, made)) return made;
    freelocale(made);
    return now;
}

bool str_to_double(struct str s, double *out) {
    char text[128];
    if (s.size == 0 || s.size >= sizeof text) return false;
    for (size_t i = 0; i < s.size; i++) /* keeps out blanks, hex, "inf" and "nan" */
        if (!strchr("0123456789+-.eE", s.at[i]) || s.at[i] == '\0') return false;
    if (s.at[0] == '+') return false;
    memcpy(text, s.at, s.size);
    text[s.size] = '\0';
    char *end;
    double value = strtod_l(text, &end, c_locale());
    if (end != text + s.size || !isfinite(value)) return false;
    *out = value;
    return true;
}

/* Levenshtein with two rows; both texts are at most LIMIT_NAME_BYTES. */
static size_t edit_distance(struct str a, struct str b) {
    size_t rows[2][LIMIT_NAME_BYTES + 1];
    for (size_t j = 0; j <= b.size; j++)
        rows[0][j] = j;
    for (size_t i = 0; i < a.size; i++) {
        const size_t *above = rows[i & 1];
        size_t *row = rows[(i + 1) & 1];
        row[0] = i + 1;
        for (size_t j = 0; j < b.size; j++) {
            size_t best = above[j] + (a.at[i] != b.at[j]);
            if (above[j + 1] + 1 < best) best = above[j + 1] + 1;
            if (row[j] + 1 < best) best = row[j] + 1;
            row[j + 1] = best;
        }
    }
    return rows[a.size & 1][b.size];
}

const char *str_nearest(struct str word, const char *const *candidates, size_t candidate_count) {
    if (word.size > LIMIT_NAME_BYTES) return NULL;
    const char *nearest = NULL;
    size_t best = word.size / 3 > 2 ? word.size / 3 : 2;
    for (size_t i = 0; i < candidate_count; i++) {
        struct str candidate = str_of(candidates[i]);
        if (candidate.size > LIMIT_NAME_BYTES) continue;
        size_t distance = edit_distance(word, candidate);
        size_t longer = word.size > candidate.size ? word.size : candidate.size;
        bool alike = distance < longer || distance == 0; /* not every letter is another */
        if (!alike || distance > best || (nearest && distance == best)) continue;
        best = distance;
        nearest = candidates[i];
    }
    return nearest;
}
