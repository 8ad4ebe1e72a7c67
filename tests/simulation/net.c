/* net.c - weather and cuts. */
#include "simulation/net.h"

#include <string.h>

enum { CUTS_MAX = 16 };

static struct net_weather weather;
static struct {
    const struct node *node;
    int64_t until_us, redis_until_us;
} cuts[CUTS_MAX];

void net_begin(const struct net_weather *w) {
    weather = *w;
    memset(cuts, 0, sizeof cuts);
}

const struct net_weather *net_weather(void) {
    return &weather;
}

void net_calm(void) {
    weather = (struct net_weather){0};
    memset(cuts, 0, sizeof cuts);
}

int64_t net_delay_us(void) {
    double dice = rng_unit(world_rng());
    if (dice < weather.very_slow) return world_between(10 * MS, 1000 * MS);
    if (dice < weather.very_slow + weather.slow) return world_between(1 * MS, 30 * MS);
    return world_between(30, 400);
}

void net_cut(const struct node *n, bool redis_only, int64_t us) {
    for (size_t i = 0; i < CUTS_MAX; i++) {
        if (cuts[i].node && cuts[i].node != n) continue;
        cuts[i].node = n;
        cuts[i].redis_until_us = world_now_us() + us;
        if (!redis_only) cuts[i].until_us = cuts[i].redis_until_us;
        return;
    }
}

static int64_t left_us(const struct node *n, bool to_redis) {
    for (size_t i = 0; n && i < CUTS_MAX; i++) {
        if (cuts[i].node != n) continue;
        int64_t until_us = to_redis ? cuts[i].redis_until_us : cuts[i].until_us;
        return until_us > world_now_us() ? until_us - world_now_us() : 0;
    }
    return 0;
}

int64_t net_cut_left_us(const struct node *from, const struct node *to, bool to_redis) {
    int64_t a = left_us(from, to_redis), b = left_us(to, to_redis);
    return a > b ? a : b;
}
