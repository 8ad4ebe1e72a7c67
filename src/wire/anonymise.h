/* anonymise.h - takes the players' names out of a message, the same name always the same way.
 *
 * Every text of a field `player_id`, `player_ids`, `..._player_ids`, `author` or `traceparent(s)`,
 * at any depth, and the items of the string lists named, becomes "p" and 16 hexadecimal digits of a
 * keyed hash: equal stays equal (so avoid lists still mean somebody), and without the key nobody is
 * found again. Skills, latencies, roles and times stay. Thread safety: all functions.
 */
#ifndef MUSTER_WIRE_ANONYMISE_H
#define MUSTER_WIRE_ANONYMISE_H

#include "base/mem.h"
#include "base/siphash.h"

#include <protobuf-c/protobuf-c.h>

struct anonymiser {
    struct siphash_key key;
    const struct str *lists; /* names of attributes whose lists hold players' names */
    size_t list_count;
};

/* A copy of the message without names; all of it is the arena's. */
ProtobufCMessage *anonymise_message(const ProtobufCMessage *m, const struct anonymiser *a,
                                    struct arena *arena);

/* The attributes that a queue definition declares to hold players' names (`muster.avoid` and
 * `muster.recent` of its ruleset); `names` has room for ANONYMISE_LISTS_MAX. Texts are the arena's.
 */
#define ANONYMISE_LISTS_MAX 2
size_t anonymise_lists_of(struct str definition_json, struct arena *arena, struct str *names);

#endif
