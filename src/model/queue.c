/* queue.c - a queue's definition, and its waits as a histogram of quarter octaves. */
#include "model/queue.h"

#include "base/mem.h"

#include <math.h>

void queue_def_free(struct queue_def *d) {
    if (!d) return;
    ruleset_free(d->ruleset);
    mem_free((char *)d->name.at);
    mem_free((char *)d->json.at);
    mem_free((char *)d->patience.uncertainty.at);
    mem_free(d);
}

struct queue_version queue_version_now(const struct queue *q) {
    return (struct queue_version){.number = q->version,
                                  .put_ms = q->updated_ms,
                                  .allow_shrinking = q->def->allow_shrinking,
                                  .json = q->def->json,
                                  .author = q->author,
                                  .comment = q->comment};
}

bool queue_version_find(const struct queue *q, uint32_t number, struct queue_version *out) {
    const struct queue_version *past = queue_history_find(&q->history, number);
    if (!past && number != q->version) return false;
    *out = past ? *past : queue_version_now(q);
    return true;
}

/* 8 * 2^(b/4) ms */
static const int64_t bucket_ms[QUEUE_WAIT_BUCKETS] = {
    8,        10,       11,       13,       16,       19,       23,       27,       32,
    38,       45,       54,       64,       76,       91,       108,      128,      152,
    181,      215,      256,      304,      362,      431,      512,      609,      724,
    861,      1024,     1218,     1448,     1722,     2048,     2435,     2896,     3444,
    4096,     4871,     5793,     6889,     8192,     9742,     11585,    13777,    16384,
    19484,    23170,    27554,    32768,    38968,    46341,    55109,    65536,    77936,
    92682,    110218,   131072,   155872,   185364,   220436,   262144,   311744,   370728,
    440872,   524288,   623487,   741455,   881744,   1048576,  1246974,  1482910,  1763488,
    2097152,  2493948,  2965821,  3526975,  4194304,  4987896,  5931642,  7053950,  8388608,
    9975792,  11863283, 14107901, 16777216, 19951585, 23726566, 28215802, 33554432, 39903169,
    47453133, 56431603,
};

/* Four buckets to each doubling: the highest bit finds the four. */
unsigned queue_wait_bucket(int64_t wait_ms) {
    if (wait_ms <= bucket_ms[0]) return 0;
    if (wait_ms > bucket_ms[QUEUE_WAIT_BUCKETS - 2]) return QUEUE_WAIT_BUCKETS - 1;
    unsigned octave = 63 - (unsigned)__builtin_clzll((uint64_t)wait_ms - 1);
    unsigned b = (octave - 3) * 4 + 1;
    while (wait_ms > bucket_ms[b])
        b++;
    return b;
}

int64_t queue_wait_bucket_ms(unsigned bucket) {
    return bucket_ms[bucket];
}

int64_t queue_wait_quantile_ms(const struct queue_stats *s, double fraction) {
    uint64_t total = 0;
    for (unsigned b = 0; b < QUEUE_WAIT_BUCKETS; b++)
        total += s->waits[b];
    if (total == 0) return 0;
    uint64_t wanted = (uint64_t)ceil(fraction * (double)total);
    if (wanted == 0) wanted = 1;
    uint64_t seen = 0;
    unsigned b = 0;
    while ((seen += s->waits[b]) < wanted && b + 1 < QUEUE_WAIT_BUCKETS)
        b++;
    return queue_wait_bucket_ms(b);
}
