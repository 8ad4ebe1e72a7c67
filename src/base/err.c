/* err.c - names, codes and retryability come from the rows of ERR_TABLE. */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>

static const struct {
    const char *name;
    bool retryable;
} rows[] = {
#define ERR_ROW(name, code, retryable) [code] = {#name, retryable},
    ERR_TABLE(ERR_ROW)
#undef ERR_ROW
};

#define ROW_COUNT (sizeof rows / sizeof rows[0])

const char *err_name(enum err code) {
    return rows[err_from_code((unsigned)code)].name;
}

enum err err_from_code(unsigned code) {
    return code < ROW_COUNT ? (enum err)code : ERR_UNKNOWN;
}

bool err_retryable(enum err code) {
    return rows[err_from_code((unsigned)code)].retryable;
}

enum err err_set(struct err_text *why, enum err code, const char *format, ...) {
    if (!why) return code;
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(why->text, sizeof why->text, format, arguments);
    va_end(arguments);
    why->field[0] = '\0';
    why->retry_after_ms = 0;
    return code;
}

enum err err_set_field(struct err_text *why, enum err code, const char *field, const char *format,
                       ...) {
    if (!why) return code;
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(why->text, sizeof why->text, format, arguments);
    va_end(arguments);
    (void)snprintf(why->field, sizeof why->field, "%s", field);
    why->retry_after_ms = 0;
    return code;
}
