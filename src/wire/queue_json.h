/* queue_json.h - queue definitions in JSON (model/RULESETS.md is the manual).
 *
 * One definition is {"name", "ruleset": {FlexMatch}, "ticketTimeoutSeconds"?, "tickMs"?,
 * "description"?}, or an older game mode {"1v1_duel": {"teamSize", ...}} with one key. A file holds
 * one definition, a list of them, {"queues": [...]}, or several game modes by name.
 * `//` comments are read as blanks. Thread safety: all functions.
 */
#ifndef MUSTER_WIRE_QUEUE_JSON_H
#define MUSTER_WIRE_QUEUE_JSON_H

#include "base/problems.h"
#include "model/queue.h"
#include "wire/json_place.h"

/* Parses exactly one definition of at most LIMIT_RULESET_BYTES. The caller owns `*out`, which keeps
 * the bytes as given. `allow_shrinking`: accept an expansion step narrower than the one before it.
 * `notes`: what was read leniently is appended, a line each; may be NULL.
 * Error: INVALID_ARGUMENT; the text says where, what was found and what is allowed, or line and
 * column where it is no JSON. `*out` is NULL then. Cost: linear in size, and in rules x steps. */
enum err queue_json_parse(struct str json, bool allow_shrinking, struct queue_def **out,
                          struct strbuf *notes, struct err_text *why) ERR_CHECKED;

/* The same, and goes on behind problems: all are appended to `all`, each with line and column in
 * `json` where they are known. What the rules mean is checked once the definition could be read.
 * `all` must be empty. */
enum err queue_json_check(struct str json, bool allow_shrinking, struct queue_def **out,
                          struct strbuf *notes, struct problems *all) ERR_CHECKED;

/* Appends the definition in one canonical form, indented: numbers as numbers, members in order,
 * without comments and what has its default; a game mode as what it becomes. Printing what was
 * printed gives the same. INVALID_ARGUMENT where queue_json_parse refuses it, nothing is appended.
 */
enum err queue_json_print(struct str json, bool allow_shrinking, struct strbuf *out,
                          struct err_text *why) ERR_CHECKED;

/* Fills the places of problems that have a field and no place yet, and sorts all by place. `json`:
 * a definition; nothing is filled where it is no JSON. */
void queue_json_places(struct str json, struct problems *all);

/* Definitions cut out of a file, each NUL-terminated and owned. */
struct queue_texts {
    struct str *at;
    struct json_place *starts; /* where each begins in the file */
    size_t count;              /* 1..LIMIT_QUEUES */
};

/* Cuts a file into the texts of its definitions, unchanged but for a game mode, which is wrapped in
 * an object of its own. Checks only that it is JSON of one of the forms above.
 * Error: INVALID_ARGUMENT with the place where there is one, nothing to free. */
enum err queue_json_split(struct str json, struct queue_texts *out,
                          struct problem *fault) ERR_CHECKED;
void queue_texts_fini(struct queue_texts *t); /* zeroed memory is fine */

#endif
