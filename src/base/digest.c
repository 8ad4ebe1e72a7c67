/* digest.c - storable hashes. */
#include "base/digest.h"

#include <xxhash.h>

uint64_t digest64(struct str bytes) {
    return XXH3_64bits(bytes.at ? bytes.at : "", bytes.size);
}

struct id digest128(struct str bytes) {
    XXH128_hash_t h = XXH3_128bits(bytes.at ? bytes.at : "", bytes.size);
    return (struct id){h.high64, h.low64 | (h.high64 == 0 && h.low64 == 0)};
}
