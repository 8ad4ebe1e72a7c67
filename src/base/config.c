/* config.c - one setter with all checks, and the three readers that feed it. */
#include "base/config.h"

#include "base/limits.h"
#include "base/mem.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_BYTES_MAX = 1048576, NAME_BYTES = LIMIT_NAME_BYTES + 8 };

static const char *const sources[] = {"default", "file", "environment", "flag"};

static int source_rank(const char *source) {
    int rank = 0;
    while (rank < 4 && strcmp(sources[rank], source) != 0)
        rank++;
    assert(rank < 4);
    return rank;
}

static void *field_of(const struct config *c, size_t row_index) {
    return (char *)c->target + c->rows[row_index].offset;
}

static bool holds_text(const struct config_row *row) {
    return row->type == CONFIG_TEXT || row->type == CONFIG_SECRET || row->type == CONFIG_CHOICE;
}

static size_t find_row(const struct config *c, struct str name) {
    size_t i = 0;
    while (i < c->row_count && !str_equal(str_of(c->rows[i].name), name))
        i++;
    return i;
}

static enum err unknown_name(const struct config *c, struct str name, struct err_text *why) {
    const char **names = mem_array(c->row_count, sizeof *names);
    for (size_t i = 0; i < c->row_count; i++)
        names[i] = c->rows[i].name;
    const char *nearest = str_nearest(name, names, c->row_count);
    enum err code = ERR_INVALID_ARGUMENT;
    if (nearest)
        err_set(why, code, "unknown option \"%.*s\"; the nearest known one is \"%s\"",
                STR_PRINT(name), nearest);
    else
        err_set(why, code, "unknown option \"%.*s\"", STR_PRINT(name));
    mem_free(names);
    return code;
}

static bool is_choice(const char *choices, struct str value) {
    while (choices) {
        const char *bar = strchr(choices, '|');
        struct str choice = {choices, bar ? (size_t)(bar - choices) : strlen(choices)};
        if (str_equal(choice, value)) return true;
        choices = bar ? bar + 1 : NULL;
    }
    return false;
}

static bool to_bool(struct str value, bool *out) {
    *out = str_equal(value, STR("true")) || str_equal(value, STR("1"));
    return *out || str_equal(value, STR("false")) || str_equal(value, STR("0"));
}

/* A value after its checks, before it is stored. */
struct parsed {
    struct str text;
    int64_t number;
    bool truth;
};

static enum err parse_int(const struct config_row *row, struct str value, struct parsed *out,
                          struct err_text *why) {
    bool inside =
        str_to_int64(value, &out->number) && out->number >= row->min && out->number <= row->max;
    if (inside) return ERR_OK;
    return err_set_field(why, ERR_INVALID_ARGUMENT, row->name,
                         "%s is \"%.*s\", allowed is a number in %" PRId64 "..%" PRId64 "%s%s",
                         row->name, STR_PRINT(value), row->min, row->max, *row->unit ? " " : "",
                         row->unit);
}

static enum err parse(const struct config_row *row, struct str value, struct parsed *out,
                      struct err_text *why) {
    *out = (struct parsed){.text = value};
    for (size_t i = 0; i < value.size; i++)
        if ((unsigned char)value.at[i] < 0x20)
            return err_set_field(why, ERR_INVALID_ARGUMENT, row->name,
                                 "%s has a control character at byte %zu, allowed is none",
                                 row->name, i);
    switch (row->type) {
    case CONFIG_TEXT:
    case CONFIG_SECRET:
        return ERR_OK;
    case CONFIG_INT:
        return parse_int(row, value, out, why);
    case CONFIG_BOOL:
    case CONFIG_ACTION:
        if (to_bool(value, &out->truth)) return ERR_OK;
        return err_set_field(why, ERR_INVALID_ARGUMENT, row->name,
                             "%s is \"%.*s\", allowed is true or false", row->name,
                             STR_PRINT(value));
    case CONFIG_CHOICE:
        if (is_choice(row->choices, value)) return ERR_OK;
        return err_set_field(why, ERR_INVALID_ARGUMENT, row->name,
                             "%s is \"%.*s\", allowed is one of %s", row->name, STR_PRINT(value),
                             row->choices);
    }
    assert(!"a config type without a parser");
    return ERR_INTERNAL;
}

static void store(struct config *c, size_t row_index, const struct parsed *value) {
    void *field = field_of(c, row_index);
    switch (c->rows[row_index].type) {
    case CONFIG_TEXT:
    case CONFIG_SECRET:
    case CONFIG_CHOICE:
        mem_free(*(char **)field);
        *(char **)field = mem_text(value->text);
        break;
    case CONFIG_INT:
        *(int64_t *)field = value->number;
        break;
    case CONFIG_BOOL:
    case CONFIG_ACTION:
        *(bool *)field = value->truth;
        break;
    }
}

void config_init(struct config *c, const struct config_row *rows, size_t row_count, void *target) {
    *c = (struct config){.rows = rows, .row_count = row_count, .target = target};
    c->sources = mem_array(row_count, sizeof *c->sources);
    for (size_t i = 0; i < row_count; i++) {
        struct parsed value;
        struct err_text why;
        enum err code = parse(&rows[i], str_of(rows[i].fallback), &value, &why);
        assert(code == ERR_OK); /* a default outside its own range */
        (void)code;
        store(c, i, &value);
        c->sources[i] = sources[0];
    }
}

void config_fini(struct config *c) {
    for (size_t i = 0; i < c->row_count; i++) {
        if (!holds_text(&c->rows[i])) continue;
        char **field = field_of(c, i);
        mem_free(*field);
        *field = NULL;
    }
    mem_free(c->sources);
    *c = (struct config){0};
}

enum err config_set(struct config *c, struct str name, struct str value, const char *source,
                    struct err_text *why) {
    int rank = source_rank(source);
    size_t i = find_row(c, name);
    if (i == c->row_count) return unknown_name(c, name, why);
    if (c->rows[i].type == CONFIG_ACTION && strcmp(source, "flag") != 0)
        return err_set_field(why, ERR_INVALID_ARGUMENT, c->rows[i].name,
                             "--%s is for the command line only", c->rows[i].name);
    struct parsed parsed;
    enum err code = parse(&c->rows[i], value, &parsed, why);
    if (code != ERR_OK) return code;
    if (rank < source_rank(c->sources[i])) return ERR_OK;
    store(c, i, &parsed);
    c->sources[i] = sources[rank];
    return ERR_OK;
}

/* ---- file -------------------------------------------------------------------------------- */

static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r';
}

static struct str trim(struct str s) {
    while (s.size > 0 && is_blank(s.at[0])) {
        s.at++;
        s.size--;
    }
    while (s.size > 0 && is_blank(s.at[s.size - 1]))
        s.size--;
    return s;
}

/* `"…"` with \" and \\ inside, and nothing but a comment behind it. */
static bool unquote(struct str s, struct strbuf *out) {
    size_t i = 1;
    for (; i < s.size && s.at[i] != '"'; i++) {
        if (s.at[i] == '\\' && i + 1 < s.size) i++;
        strbuf_add_char(out, s.at[i]);
    }
    if (i >= s.size) return false;
    struct str rest = trim((struct str){s.at + i + 1, s.size - i - 1});
    return rest.size == 0 || rest.at[0] == '#';
}

/* A value ends at a comment: a # at its start or behind a blank. */
static bool read_value(struct str s, struct strbuf *out) {
    s = trim(s);
    if (s.size > 0 && s.at[0] == '"') return unquote(s, out);
    for (size_t i = 0; i < s.size; i++)
        if (s.at[i] == '#' && (i == 0 || is_blank(s.at[i - 1]))) s.size = i;
    strbuf_add_str(out, trim(s));
    return true;
}

/* The variable of a setting: "lease-ms" -> "MUSTER_LEASE_MS". Cut where it is too long to be one.
 */
static const char *variable_of(struct str name, char out[NAME_BYTES]) {
    (void)snprintf(out, NAME_BYTES, "MUSTER_%.*s", STR_PRINT(name));
    for (char *p = out + 7; *p; p++) {
        if (*p == '-') *p = '_';
        if (*p >= 'a' && *p <= 'z') *p = (char)(*p - 'a' + 'A');
    }
    return out;
}

static bool listed(struct str name, const char *const *names, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (str_equal(name, str_of(names[i]))) return true;
    return false;
}

static bool is_of_others(const struct config *c, struct str name) {
    char variable[NAME_BYTES];
    return listed(str_of(variable_of(name, variable)), c->others, c->other_count);
}

static enum err read_line(struct config *c, struct str line, bool *seen, struct err_text *why) {
    line = trim(line);
    if (line.size == 0 || line.at[0] == '#') return ERR_OK;
    const char *equals = memchr(line.at, '=', line.size);
    if (!equals) return err_set(why, ERR_INVALID_ARGUMENT, "expected \"name = value\"");
    size_t name_size = (size_t)(equals - line.at);
    struct str name = trim((struct str){line.at, name_size});
    struct str rest = {equals + 1, line.size - name_size - 1};
    struct strbuf value = {0};
    enum err code;
    size_t i = find_row(c, name);
    if (!read_value(rest, &value))
        code = err_set(why, ERR_INVALID_ARGUMENT, "the quoted value of %.*s does not end",
                       STR_PRINT(name));
    else if (i < c->row_count && seen[i])
        code = err_set(why, ERR_INVALID_ARGUMENT, "%.*s is set twice", STR_PRINT(name));
    else if (i == c->row_count && is_of_others(c, name))
        code = ERR_OK;
    else
        code = config_set(c, name, strbuf_str(&value), "file", why);
    if (i < c->row_count) seen[i] = true;
    strbuf_fini(&value);
    return code;
}

static enum err read_whole(const char *path, struct strbuf *out, struct err_text *why) {
    FILE *file = fopen(path, "re");
    if (!file) return err_set(why, ERR_NOT_FOUND, "%s: %s", path, strerror(errno));
    enum err code = ERR_OK;
    size_t got;
    do {
        got = fread(strbuf_reserve(out, 4096), 1, 4096, file);
        out->size += got;
    } while (got > 0 && out->size <= FILE_BYTES_MAX);
    if (ferror(file))
        code = err_set(why, ERR_UNAVAILABLE, "%s: %s", path, strerror(errno));
    else if (out->size > FILE_BYTES_MAX)
        code = err_set(why, ERR_INVALID_ARGUMENT, "%s: larger than the allowed %d bytes", path,
                       FILE_BYTES_MAX);
    (void)fclose(file);
    return code;
}

/* Puts where it happened before what happened, and keeps the field. */
static enum err at_place(struct err_text *why, enum err code, const char *place, int line) {
    if (!why) return code;
    struct err_text what = *why;
    if (line > 0) return err_set_field(why, code, what.field, "%s:%d: %s", place, line, what.text);
    return err_set_field(why, code, what.field, "%s: %s", place, what.text);
}

enum err config_read_file(struct config *c, const char *path, struct err_text *why) {
    struct strbuf content = {0};
    bool *seen = mem_array(c->row_count, sizeof *seen);
    enum err code = read_whole(path, &content, why);
    struct str rest = strbuf_str(&content);
    for (int number = 1; code == ERR_OK && rest.size > 0; number++) {
        const char *newline = memchr(rest.at, '\n', rest.size);
        size_t size = newline ? (size_t)(newline - rest.at) : rest.size;
        code = read_line(c, (struct str){rest.at, size}, seen, why);
        if (code != ERR_OK) code = at_place(why, code, path, number);
        size_t used = newline ? size + 1 : size;
        rest = (struct str){rest.at + used, rest.size - used};
    }
    mem_free(seen);
    strbuf_fini(&content);
    return code;
}

/* ---- environment ------------------------------------------------------------------------- */

static const char *environment_name(const struct config_row *row, char out[NAME_BYTES]) {
    assert(strlen(row->name) + 7 < NAME_BYTES);
    return variable_of(str_of(row->name), out);
}

static enum err unknown_variable(const struct config *c, struct str name, struct err_text *why) {
    char(*names)[NAME_BYTES] = mem_array(c->row_count, NAME_BYTES);
    const char **pointers = mem_array(c->row_count, sizeof *pointers);
    for (size_t i = 0; i < c->row_count; i++)
        pointers[i] = environment_name(&c->rows[i], names[i]);
    const char *nearest = str_nearest(name, pointers, c->row_count);
    err_set(why, ERR_INVALID_ARGUMENT, "unknown environment variable %.*s%s%s", STR_PRINT(name),
            nearest ? "; the nearest known one is " : "", nearest ? nearest : "");
    mem_free(pointers);
    mem_free(names);
    return ERR_INVALID_ARGUMENT;
}

/* NOT_FOUND: no row has that environment form. */
static enum err read_variable(struct config *c, struct str name, struct str value,
                              struct err_text *why) {
    char known[NAME_BYTES];
    for (size_t i = 0; i < c->row_count; i++) {
        if (!str_equal(name, str_of(environment_name(&c->rows[i], known)))) continue;
        enum err code = config_set(c, str_of(c->rows[i].name), value, "environment", why);
        return code == ERR_OK ? code : at_place(why, code, known, 0);
    }
    return ERR_NOT_FOUND;
}

enum err config_read_environment(struct config *c, char **environment, struct err_text *why) {
    for (char **entry = environment; *entry; entry++) {
        struct str text = str_of(*entry);
        if (!str_starts(text, STR("MUSTER_"))) continue;
        const char *equals = strchr(*entry, '=');
        if (!equals) continue;
        struct str name = {*entry, (size_t)(equals - *entry)};
        enum err code = read_variable(c, name, str_of(equals + 1), why);
        if (code == ERR_NOT_FOUND && listed(name, c->others, c->other_count)) continue;
        if (code == ERR_NOT_FOUND) code = unknown_variable(c, name, why);
        if (code != ERR_OK) return code;
    }
    return ERR_OK;
}

/* ---- flags ------------------------------------------------------------------------------- */

static bool is_flag_of_bool(const struct config *c, struct str name) {
    size_t i = find_row(c, name);
    return i < c->row_count && (c->rows[i].type == CONFIG_BOOL || c->rows[i].type == CONFIG_ACTION);
}

/* One flag at argv[0]; `*used` tells how many words it took. */
static enum err read_flag(struct config *c, char **argv, int *used, struct err_text *why) {
    const char *equals = strchr(argv[0], '=');
    struct str name = str_of(argv[0] + 2);
    *used = 1;
    if (equals) {
        name.size = (size_t)(equals - name.at);
        return config_set(c, name, str_of(equals + 1), "flag", why);
    }
    if (is_flag_of_bool(c, name)) return config_set(c, name, STR("true"), "flag", why);
    if (str_starts(name, STR("no-"))) {
        struct str positive = {name.at + 3, name.size - 3};
        if (is_flag_of_bool(c, positive)) return config_set(c, positive, STR("false"), "flag", why);
    }
    if (find_row(c, name) == c->row_count) return unknown_name(c, name, why);
    if (!argv[1] || str_starts(str_of(argv[1]), STR("--")))
        return err_set_field(why, ERR_INVALID_ARGUMENT, name.at,
                             "%s needs a value; one that starts with -- is written %s=VALUE",
                             argv[0], argv[0]);
    *used = 2;
    return config_set(c, name, str_of(argv[1]), "flag", why);
}

enum err config_read_flags(struct config *c, int *argc, char **argv, struct err_text *why) {
    int kept = 0, used = 1;
    bool ended = false;
    enum err code = ERR_OK;
    for (int i = 0; i < *argc && code == ERR_OK; i += used) {
        used = 1;
        if (ended || argv[i][0] != '-' || argv[i][1] == '\0')
            argv[kept++] = argv[i];
        else if (strcmp(argv[i], "--") == 0)
            ended = true;
        else if (argv[i][1] != '-')
            code = err_set(why, ERR_INVALID_ARGUMENT,
                           "unknown option \"%s\": options start with --", argv[i]);
        else
            code = read_flag(c, argv + i, &used, why);
    }
    if (code != ERR_OK) return code;
    if (kept < *argc) argv[kept] = NULL;
    *argc = kept;
    return ERR_OK;
}

/* ---- help and print ---------------------------------------------------------------------- */

enum { HELP_COLUMNS = 100, HELP_INDENT = 6 };

static void help_form(const struct config_row *row, struct strbuf *out) {
    switch (row->type) {
    case CONFIG_TEXT:
    case CONFIG_SECRET:
        strbuf_printf(out, "  --%s TEXT  ", row->name);
        break;
    case CONFIG_INT:
        strbuf_printf(out, "  --%s %" PRId64 "..%" PRId64 "  ", row->name, row->min, row->max);
        break;
    case CONFIG_BOOL:
        strbuf_printf(out, "  --[no-]%s  ", row->name);
        break;
    case CONFIG_ACTION:
        strbuf_printf(out, "  --%s  ", row->name);
        break;
    case CONFIG_CHOICE:
        strbuf_printf(out, "  --%s %s  ", row->name, row->choices);
        break;
    }
}

/* Adds `text` word by word, breaking lines at HELP_COLUMNS. `*column` is where the line stands. */
static void add_wrapped(struct strbuf *out, struct str text, size_t *column) {
    while (text.size > 0) {
        const char *blank = memchr(text.at, ' ', text.size);
        size_t size = blank ? (size_t)(blank - text.at) : text.size;
        if (*column + 1 + size > HELP_COLUMNS && *column > HELP_INDENT) {
            strbuf_printf(out, "\n%*s", HELP_INDENT - 1, "");
            *column = HELP_INDENT - 1;
        }
        strbuf_printf(out, " %.*s", (int)size, text.at);
        *column += 1 + size;
        size_t used = blank ? size + 1 : size;
        text = (struct str){text.at + used, text.size - used};
    }
}

void config_help(const struct config *c, struct strbuf *out) {
    struct strbuf words = {0};
    for (size_t i = 0; i < c->row_count; i++) {
        const struct config_row *row = &c->rows[i];
        char variable[NAME_BYTES];
        size_t start = out->size;
        help_form(row, out);
        size_t column = out->size - start;
        strbuf_clear(&words);
        strbuf_add_str(&words, str_of(row->text));
        if (row->type != CONFIG_ACTION) { /* it has neither a default nor a variable */
            strbuf_add_str(&words, STR(" ("));
            if (*row->fallback)
                strbuf_printf(&words, "default %s%s%s, ", row->fallback, *row->unit ? " " : "",
                              row->unit);
            strbuf_printf(&words, "%s)", environment_name(row, variable));
        }
        add_wrapped(out, strbuf_str(&words), &column);
        strbuf_add_char(out, '\n');
    }
    strbuf_fini(&words);
}

/* Quoted only where read_value would otherwise cut or trim it. */
static void print_text(struct strbuf *out, struct str value) {
    struct str trimmed = trim(value);
    bool plain = trimmed.size == value.size &&
                 (value.size == 0 || (value.at[0] != '"' && !memchr(value.at, '#', value.size)));
    if (plain) {
        strbuf_add_str(out, value);
        return;
    }
    strbuf_add_char(out, '"');
    for (size_t i = 0; i < value.size; i++) {
        if (value.at[i] == '"' || value.at[i] == '\\') strbuf_add_char(out, '\\');
        strbuf_add_char(out, value.at[i]);
    }
    strbuf_add_char(out, '"');
}

/* An address's "user:password@" is shown as "***@": what is printed may be pasted anywhere. */
static void print_without_password(struct strbuf *out, struct str text) {
    const char *scheme = memmem(text.at, text.size, "://", 3);
    const char *at = scheme ? memrchr(text.at, '@', text.size) : NULL;
    if (!at || at < scheme) {
        print_text(out, text);
        return;
    }
    struct strbuf shown = {0};
    strbuf_add(&shown, text.at, (size_t)(scheme + 3 - text.at));
    strbuf_add_str(&shown, STR("***"));
    strbuf_add(&shown, at, (size_t)(text.at + text.size - at));
    print_text(out, strbuf_str(&shown));
    strbuf_fini(&shown);
}

void config_print(const struct config *c, struct strbuf *out) {
    for (size_t i = 0; i < c->row_count; i++) {
        const void *field = field_of(c, i);
        if (c->rows[i].type == CONFIG_ACTION) continue;
        strbuf_printf(out, "%s = ", c->rows[i].name);
        switch (c->rows[i].type) {
        case CONFIG_TEXT:
        case CONFIG_CHOICE:
            print_without_password(out, str_of(*(char *const *)field));
            break;
        case CONFIG_SECRET:
            if (**(char *const *)field) strbuf_add_str(out, STR("***"));
            break;
        case CONFIG_INT:
            strbuf_printf(out, "%" PRId64, *(const int64_t *)field);
            break;
        case CONFIG_BOOL:
        case CONFIG_ACTION:
            strbuf_printf(out, "%s", *(const bool *)field ? "true" : "false");
            break;
        }
        strbuf_printf(out, "  # %s\n", c->sources[i]);
    }
}

static void reference_values(const struct config_row *row, struct strbuf *out) {
    switch (row->type) {
    case CONFIG_TEXT:
    case CONFIG_SECRET:
        strbuf_add_str(out, STR("text"));
        break;
    case CONFIG_INT:
        strbuf_printf(out, "%" PRId64 "..%" PRId64 "%s%s", row->min, row->max,
                      row->unit[0] ? " " : "", row->unit);
        break;
    case CONFIG_CHOICE:
        for (const char *at = row->choices; *at; at++)
            strbuf_printf(out, *at == '|' ? ", " : "%c", *at);
        break;
    case CONFIG_BOOL:
        strbuf_add_str(out, STR("true, false"));
        break;
    case CONFIG_ACTION:
        strbuf_add_str(out, STR("flag only"));
        break;
    }
}

void config_reference(const struct config *c, struct strbuf *out) {
    strbuf_add_str(out, STR("| option | values | default | meaning |\n|---|---|---|---|\n"));
    for (size_t i = 0; i < c->row_count; i++) {
        const struct config_row *row = &c->rows[i];
        bool plain = row->type == CONFIG_ACTION || row->fallback[0] == '\0';
        strbuf_printf(out, "| `%s` | ", row->name);
        reference_values(row, out);
        strbuf_printf(out, plain ? " | %s | %s |\n" : " | `%s` | %s |\n",
                      row->type == CONFIG_ACTION ? "" : row->fallback, row->text);
    }
}
