/* json_read.h - reads JSON written by people into structs, by tables, with errors that say where,
 * what was found and what is allowed.
 *
 *   json_read_clean   blanks `//` comments, bounds the depth; offsets, lines and columns stay
 *   json_read_load    parses; a repeated key is an error
 *   json_read_object  one row per member; an unknown member is an error that names the nearest
 *
 * Texts are copied into the reader's arena. Thread safety: one thread per reader.
 */
#ifndef MUSTER_WIRE_JSON_READ_H
#define MUSTER_WIRE_JSON_READ_H

#include "base/err.h"
#include "base/mem.h"
#include "base/problems.h"

#include <jansson.h>

#define JSON_READ_DEPTH_MAX 64 /* nested objects and lists: refused */

struct json_reader {
    struct arena *arena;
    struct strbuf *notes;      /* what was read leniently, a line each; may be NULL */
    struct err_text *why;      /* the first problem */
    struct problems *problems; /* all of them; NULL: reading ends at the first */
    bool refused;              /* `why` is filled */
    const char *root;          /* what messages call the whole document, where the path is empty */
    char path[96];             /* of the value being read: "rules[3].type" */
};

typedef enum err (*json_read_fn)(struct json_reader *r, const json_t *value, void *into);

enum json_read_kind {
    READ_TEXT,    /* struct str; low..high bytes */
    READ_NUMBER,  /* double in low..high; a numeric string with a note */
    READ_COUNT,   /* uint32_t in low..high */
    READ_MS,      /* int64_t milliseconds, from seconds in low..high */
    READ_CHOICE,  /* int: index in `choices` */
    READ_VALUE,   /* const json_t *, borrowed from the document */
    READ_CUSTOM,  /* `read` is called with the struct read into */
    READ_REFUSED, /* known, and not supported */
};

struct json_read_row {
    const char *name;
    enum json_read_kind kind;
    bool required;
    size_t offset; /* of the member in the struct */
    size_t given;  /* of a bool that is set when the member is there; 0: none */
    double low, high;
    const char *const *choices; /* NULL at the end */
    const char *const *refused; /* choices that are known and not supported, or NULL */
    json_read_fn read;
};

/* Copies `json` with comments blanked. INVALID_ARGUMENT when it is not UTF-8, and with a place when
 * nested deeper than JSON_READ_DEPTH_MAX. Brackets in wrong order are left to json_read_parse. */
enum err json_read_clean(struct str json, struct strbuf *clean, bool *had_comments,
                         struct problem *fault) ERR_CHECKED;
/* Parses an object or a list; the caller owns it (json_decref). Of repeated keys the last counts:
 * json_syntax_repeats tells them. INVALID_ARGUMENT with a place where it is no JSON. */
enum err json_read_parse(struct str clean, json_t **out, struct problem *fault) ERR_CHECKED;
/* Both, and refuses repeated keys. The caller frees `clean`. */
enum err json_read_load(struct str json, struct strbuf *clean, json_t **out,
                        struct problem *fault) ERR_CHECKED;

/* Steps into a member (`index` SIZE_MAX) or into list element `index` of the current value. Returns
 * what json_read_leave needs to step out again. */
size_t json_read_enter(struct json_reader *r, const char *member, size_t index);
void json_read_leave(struct json_reader *r, size_t mark);

/* INVALID_ARGUMENT; the text begins with the path (or the root's name). */
enum err json_read_refuse(struct json_reader *r, const char *format, ...)
    __attribute__((format(printf, 2, 3))) ERR_CHECKED;
/* The same for a value of the wrong type or range: "<path> is <value>; must be <allowed>". */
enum err json_read_refuse_value(struct json_reader *r, const json_t *value,
                                const char *allowed) ERR_CHECKED;

/* Reads one value as a row says. `into`: the struct. */
enum err json_read_value(struct json_reader *r, const json_t *value,
                         const struct json_read_row *row, void *into) ERR_CHECKED;
enum err json_read_object(struct json_reader *r, const json_t *value,
                          const struct json_read_row *rows, size_t row_count,
                          void *into) ERR_CHECKED;

struct json_read_list {
    size_t item_size;
    size_t max;        /* items; more are refused */
    json_read_fn read; /* one item, zeroed before */
};

/* Reads a list into an array in the arena. */
enum err json_read_items(struct json_reader *r, const json_t *value,
                         const struct json_read_list *list, void *items_out,
                         uint32_t *count_out) ERR_CHECKED;

#endif
