/* fence.c - Redis' own rule: an id must be above everything the stream ever held. */
#include "simulation/redis_model.h"

bool fence_refuses(struct model_id id, struct model_id top) {
    return id.ms < top.ms || (id.ms == top.ms && id.seq <= top.seq);
}
