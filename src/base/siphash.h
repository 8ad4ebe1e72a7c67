/* siphash.h - a keyed hash for names that must not be guessed back (SipHash-2-4).
 *
 * Without the key nobody can tell which name gave a value, nor make one on purpose.
 * Source: Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012.
 * Pure. Thread safety: all functions.
 */
#ifndef MUSTER_BASE_SIPHASH_H
#define MUSTER_BASE_SIPHASH_H

#include "base/str.h"

struct siphash_key {
    uint64_t k0, k1; /* little-endian halves of the 16 bytes */
};

uint64_t siphash(struct siphash_key key, struct str bytes);

#endif
