/* arrivals.c - decayed counts at four scales and a slow histogram. */
#include "model/arrivals.h"

#include <math.h>
#include <string.h>

static const double scales_s[ARRIVALS_SCALES] = {1, 8, 64, 512};
static const double per_scale[ARRIVALS_SCALES] = {1, 1.0 / 8, 1.0 / 64, 1.0 / 512};

enum {
    ENOUGH_PLAYERS = 16,
    REFRESH_EVERY = 64, /* arrivals between two sums over the histogram */
    HALVED_AT = 65536,  /* players in it */
    DOUBLINGS_MAX = 4,
    KNOWN_PLAYERS = 64,
    FIRST_REFRESHES = 64, /* arrivals after which it is summed each time no more */
};

/* ---- rate ---- */

static void decay(struct arrivals *a, int64_t now_ms) {
    double passed_s = now_ms > a->last_ms ? (double)(now_ms - a->last_ms) / 1000 : 0;
    if (a->last_ms == 0) passed_s = 0;
    if (now_ms > a->last_ms) a->last_ms = now_ms;
    if (passed_s <= 0) return;
    for (int i = 0; i < ARRIVALS_SCALES; i++) {
        double x = passed_s * per_scale[i];
        double left = 1 / (1 + x + x * x / 2); /* near exp(-x), and the same on every machine */
        a->near[i] *= left;
        a->window_s[i] = a->window_s[i] * left + scales_s[i] * (1 - left);
    }
}

double arrivals_rate(const struct arrivals *a) {
    int i = 0;
    while (i + 1 < ARRIVALS_SCALES && a->near[i] < ENOUGH_PLAYERS)
        i++;
    /* Of the first few nothing is known but that there were no more of them in the minute before.
     */
    double least_s = a->near[i] < ENOUGH_PLAYERS ? 60 : 0.1;
    return a->near[i] / (a->window_s[i] > least_s ? a->window_s[i] : least_s);
}

/* ---- keys ---- */

static double place_of(const struct arrivals *a, double key) {
    double place = (key - a->low) / a->width;
    return place < 0 ? 0 : place > ARRIVALS_BINS ? ARRIVALS_BINS : place;
}

/* Bins of twice the width, on the side where the key is. */
static void widen(struct arrivals *a, double key) {
    double merged[ARRIVALS_BINS] = {0};
    int from = key < a->low ? ARRIVALS_BINS / 2 : 0;
    for (int i = 0; i < ARRIVALS_BINS; i++)
        merged[from + i / 2] += a->counts[i];
    if (from > 0) a->low -= ARRIVALS_BINS * a->width;
    a->width *= 2;
    a->doublings++;
    memcpy(a->counts, merged, sizeof merged);
}

static void halve(struct arrivals *a) {
    for (int i = 0; i < ARRIVALS_BINS; i++)
        a->counts[i] /= 2;
    for (int i = 0; i < 64; i++)
        a->reach[i] /= 2;
    for (int i = 0; i < ARRIVALS_ROLES; i++) {
        a->plays[i] /= 2;
        a->only[i] /= 2;
    }
    a->total /= 2;
    a->reached /= 2;
    a->played /= 2;
}

static void refresh(struct arrivals *a) {
    double sum = 0;
    for (int i = 0; i < ARRIVALS_BINS; i++) {
        a->below[i] = sum / a->total;
        sum += a->counts[i];
    }
    a->below[ARRIVALS_BINS] = 1;
    a->meeting = 0;
    for (int i = 0; i < ARRIVALS_BINS; i++) {
        double share = a->below[i + 1] - a->below[i];
        a->meeting += share * share;
    }
    a->noted = 0;
}

static void note_key(struct arrivals *a, double key, uint32_t players) {
    if (a->total == 0) a->low = key - a->width * ARRIVALS_BINS / 2;
    while (a->doublings < DOUBLINGS_MAX &&
           (key < a->low || key >= a->low + ARRIVALS_BINS * a->width))
        widen(a, key);
    int bin = (int)place_of(a, key);
    a->counts[bin < ARRIVALS_BINS ? bin : ARRIVALS_BINS - 1] += players;
    a->total += players;
}

static void note_regions(struct arrivals *a, uint64_t regions, uint32_t players) {
    if (regions == 0 || regions == UINT64_MAX) return;
    a->reached += players;
    for (; regions; regions &= regions - 1)
        a->reach[__builtin_ctzll(regions)] += players;
}

static void note_roles(struct arrivals *a, const struct arrival *of) {
    if (of->roles == 0) return;
    a->played += of->players;
    for (uint32_t roles = of->roles; roles; roles &= roles - 1)
        a->plays[__builtin_ctz(roles)] += of->players;
    if (of->only) a->only[__builtin_ctz(of->only)] += of->players;
}

double arrivals_role_share(const struct arrivals *a, uint32_t role) {
    return a->played > 0 ? a->plays[role] / a->played : 1;
}

double arrivals_only_share(const struct arrivals *a, uint32_t role) {
    return a->played >= KNOWN_PLAYERS ? a->only[role] / a->played : 0;
}

void arrivals_note(struct arrivals *a, const struct arrival *of) {
    decay(a, of->time_ms);
    for (int i = 0; i < ARRIVALS_SCALES; i++)
        a->near[i] += of->players;
    note_key(a, of->key, of->players);
    note_regions(a, of->regions, of->players);
    note_roles(a, of);
    if (a->total > HALVED_AT) halve(a);
    if (++a->noted >= REFRESH_EVERY || a->total < FIRST_REFRESHES) refresh(a);
}

/* ---- asking ---- */

/* Share of the players whose key is below. */
static double share_below(const struct arrivals *a, double key) {
    double place = place_of(a, key);
    int bin = (int)place;
    if (bin >= ARRIVALS_BINS) return 1;
    return a->below[bin] + (place - bin) * (a->below[bin + 1] - a->below[bin]);
}

static double region_share(const struct arrivals *a, uint64_t regions) {
    if (regions == 0 || regions == UINT64_MAX || a->reached == 0) return 1;
    double most = 0;
    for (; regions; regions &= regions - 1) {
        double of = a->reach[__builtin_ctzll(regions)];
        if (of > most) most = of;
    }
    return most / a->reached;
}

double arrivals_there(const struct arrivals *a, uint64_t regions) {
    return arrivals_rate(a) * region_share(a, regions);
}

double arrivals_share(const struct arrivals *a, double key, double distance) {
    return share_below(a, key + distance) - share_below(a, key - distance);
}

double arrivals_density(const struct arrivals *a) {
    return arrivals_rate(a) * a->meeting / a->width;
}
