/* fence_none.c - the negative control: a store without the fence. The checker must notice. */
#include "simulation/redis_model.h"

bool fence_refuses(struct model_id id, struct model_id top) {
    (void)id;
    (void)top;
    return false;
}
