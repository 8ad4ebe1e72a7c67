/* digest.h - hashes that may be stored: the same in every process and version.
 *
 * XXH3 without a seed (xxHash specification 0.8): fast, not for secrets. For hash tables use
 * str_hash, which nobody outside can aim. Thread safety: all functions.
 */
#ifndef MUSTER_BASE_DIGEST_H
#define MUSTER_BASE_DIGEST_H

#include "base/id.h"
#include "base/str.h"

uint64_t digest64(struct str bytes);
struct id digest128(struct str bytes); /* never none */

#endif
