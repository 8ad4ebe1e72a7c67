/* config.h - options as rows of one table: default < file < environment < flag.
 *
 * A row serves --help, the environment form MUSTER_<NAME>, the file form `name = value`,
 * --print-config and its checks. Names are kebab-case on the command line ("api-listen"),
 * upper snake in the environment ("MUSTER_API_LISTEN"), kebab-case in the file.
 * An unknown key is an error that names the nearest known one. The readers may run in any order:
 * a field keeps the value of the highest source. On an error earlier settings stay.
 * Thread safety: none.
 */
#ifndef MUSTER_BASE_CONFIG_H
#define MUSTER_BASE_CONFIG_H

#include "base/err.h"
#include "base/str.h"

#include <stddef.h>

enum config_type {
    CONFIG_TEXT,
    CONFIG_SECRET, /* a text that is never printed */
    CONFIG_INT,
    CONFIG_BOOL,
    CONFIG_CHOICE,
    CONFIG_ACTION, /* a bool that only a flag can set, --print-config: no setting, never printed */
};

struct config_row {
    const char *name;
    enum config_type type;
    const char *fallback; /* the default, as text; "" = empty */
    int64_t min, max;     /* CONFIG_INT only */
    const char *unit;     /* "ms", "bytes", "" */
    const char *choices;  /* CONFIG_CHOICE: "a|b|c" */
    const char *text;     /* one sentence for --help and the reference */
    size_t offset;        /* of the field in the target struct: char *, int64_t or bool */
};

struct config {
    const struct config_row *rows;
    size_t row_count;
    void *target;         /* struct with one field per row; texts are owned by it */
    const char **sources; /* per row: "default", "file", "environment", "flag" */
    /* Settings of others, by their variables ("MUSTER_TOKEN"), that may stand in the same
     * environment and file: passed over. Set after config_init; borrowed. */
    const char *const *others;
    size_t other_count;
};

/* Sets every field to its default. `target` is zeroed memory of the caller. */
void config_init(struct config *c, const struct config_row *rows, size_t row_count, void *target);
void config_fini(struct config *c); /* frees the texts it set */
/* `source`: "default", "file", "environment" or "flag". INVALID_ARGUMENT for an unknown name or a
 * value outside the row's range: the text says what, which value and what is allowed. */
enum err config_set(struct config *c, struct str name, struct str value, const char *source,
                    struct err_text *why) ERR_CHECKED;
/* `name = value` lines; # starts a comment; a value with # in it is put in "..." (\" and \\ inside
 * it). At most 1 MiB. The error names file and line; NOT_FOUND when the file cannot be opened. */
enum err config_read_file(struct config *c, const char *path, struct err_text *why) ERR_CHECKED;
/* Every MUSTER_* variable must be a row's or one of c->others. */
enum err config_read_environment(struct config *c, char **environment,
                                 struct err_text *why) ERR_CHECKED;
/* Takes --name=value and --name value (bool: --name, --no-name) out of argv; what is left are
 * the operands, in order, *argc of them. `--` ends options. */
enum err config_read_flags(struct config *c, int *argc, char **argv,
                           struct err_text *why) ERR_CHECKED;
void config_help(const struct config *c, struct strbuf *out);
void config_print(const struct config *c, struct strbuf *out);     /* file form, with sources */
void config_reference(const struct config *c, struct strbuf *out); /* a table in Markdown */

#endif
