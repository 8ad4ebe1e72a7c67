/* log.h - one line per happening: logfmt or JSON, a stable kebab-case id, key=value pairs.
 *
 *     LOG_INFO("queue-put", "queue=%s version=%u", name, version);
 * gives  time=2026-11-23T03:16:19.042Z level=info id=queue-put queue=ranked version=3
 *
 * ERROR: a human must act. WARN: degraded, self-healing. INFO: life cycle. DEBUG: per message.
 * Values with spaces are quoted by the caller's format with log_quote(). The same id at WARN or
 * ERROR is written at most 10 times a second; what was left out is counted in a line of its own.
 * One write(2) per line to stderr. Thread safety: all functions; log_setup before threads start.
 */
#ifndef MUSTER_BASE_LOG_H
#define MUSTER_BASE_LOG_H

#include "base/str.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };
enum log_format { LOG_FORMAT_LOGFMT, LOG_FORMAT_JSON };

void log_setup(enum log_level level, enum log_format format);
bool log_enabled(enum log_level level);
void log_write(enum log_level level, const char *id, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Quotes and escapes `s` for a value, cut at 256 bytes. Borrowed from a per-thread ring of 8. */
const char *log_quote(struct str s);

#define LOG_ERROR(id, ...) log_write(LOG_LEVEL_ERROR, id, __VA_ARGS__)
#define LOG_WARN(id, ...) log_write(LOG_LEVEL_WARN, id, __VA_ARGS__)
#define LOG_INFO(id, ...) log_write(LOG_LEVEL_INFO, id, __VA_ARGS__)
#define LOG_DEBUG(id, ...)                                                             \
    do {                                                                               \
        if (log_enabled(LOG_LEVEL_DEBUG)) log_write(LOG_LEVEL_DEBUG, id, __VA_ARGS__); \
    } while (0)

#endif
