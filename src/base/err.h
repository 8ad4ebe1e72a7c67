/* err.h - the one list of operating errors, and the text that explains one to a person.
 *
 * The values are gRPC's status codes, so an error crosses the API unchanged.
 * Programmer errors are asserts; running out of memory aborts (mem.h).
 * Thread safety: all functions.
 */
#ifndef MUSTER_BASE_ERR_H
#define MUSTER_BASE_ERR_H

#include <stdbool.h>

/* name, gRPC code, retryable with the same request id */
#define ERR_TABLE(ROW)                 \
    ROW(OK, 0, false)                  \
    ROW(CANCELLED, 1, false)           \
    ROW(UNKNOWN, 2, false)             \
    ROW(INVALID_ARGUMENT, 3, false)    \
    ROW(DEADLINE_EXCEEDED, 4, true)    \
    ROW(NOT_FOUND, 5, false)           \
    ROW(ALREADY_EXISTS, 6, false)      \
    ROW(PERMISSION_DENIED, 7, false)   \
    ROW(RESOURCE_EXHAUSTED, 8, true)   \
    ROW(FAILED_PRECONDITION, 9, false) \
    ROW(ABORTED, 10, true)             \
    ROW(OUT_OF_RANGE, 11, false)       \
    ROW(UNIMPLEMENTED, 12, false)      \
    ROW(INTERNAL, 13, false)           \
    ROW(UNAVAILABLE, 14, true)         \
    ROW(DATA_LOSS, 15, false)          \
    ROW(UNAUTHENTICATED, 16, false)

enum err {
#define ERR_ENUM(name, code, retryable) ERR_##name = code,
    ERR_TABLE(ERR_ENUM)
#undef ERR_ENUM
};

#define ERR_CHECKED __attribute__((warn_unused_result))
#define ERR_TEXT_BYTES 512
#define ERR_FIELD_BYTES 128

/* What went wrong, in words: what, which value, what is allowed. `field` is the path of the
 * field at fault ("players[2].player_id"), empty where none is. Both NUL-terminated. */
struct err_text {
    char text[ERR_TEXT_BYTES];
    char field[ERR_FIELD_BYTES];
    long long retry_after_ms; /* > 0: the same request is refused that long; else 0, not told */
};

/* The code's name, "INVALID_ARGUMENT"; "UNKNOWN" for a number that is none. Static. */
const char *err_name(enum err code);

/* The code for a number from the wire; ERR_UNKNOWN for one that is none. */
enum err err_from_code(unsigned code);

/* Whether the same request may succeed when sent again unchanged, with the same request id. */
bool err_retryable(enum err code);

/* Writes a printf-formatted text into `why` (NULL is fine), clears the rest, returns `code`. */
enum err err_set(struct err_text *why, enum err code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same, naming the field at fault. */
enum err err_set_field(struct err_text *why, enum err code, const char *field, const char *format,
                       ...) __attribute__((format(printf, 4, 5)));

#endif
