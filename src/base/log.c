/* log.c - a line is put together in one buffer and written with one write(2). */
#include "base/log.h"

#include "base/clock.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    LINE_BYTES = 4096, /* a longer line is cut */
    QUOTE_BYTES = 256, /* of input to log_quote */
    QUOTE_RING = 8,    /* results of log_quote alive at a time */
    REPEATS_PER_SECOND = 10,
    IDS_LIMITED = 256, /* ids under the repeat limit; ids are literals, so few. More: no limit */
};

static enum log_level level_now = LOG_LEVEL_INFO;
static enum log_format format_now = LOG_FORMAT_LOGFMT;

static const char *const level_names[] = {"error", "warn", "info", "debug"};

void log_setup(enum log_level level, enum log_format format) {
    level_now = level;
    format_now = format;
}

bool log_enabled(enum log_level level) {
    return level <= level_now;
}

/* A line under construction: what does not fit below the limit is left out. */
struct line {
    size_t size;
    size_t limit; /* of size: less than LINE_BYTES, so that what must close the line has room */
    char text[LINE_BYTES];
};

static void line_init(struct line *l) {
    l->size = 0;
    l->limit = LINE_BYTES - sizeof "}\n";
}

static void add_bytes(struct line *l, const char *bytes, size_t size) {
    if (size > l->limit - l->size) return;
    memcpy(l->text + l->size, bytes, size);
    l->size += size;
}

static void add_text(struct line *l, const char *text) {
    add_bytes(l, text, strlen(text));
}

/* One character as it stands inside a JSON string; an invalid byte becomes U+FFFD. Returns the
 * bytes of `s` used. */
static size_t add_escaped(struct line *l, struct str s) {
    unsigned char c = (unsigned char)s.at[0];
    char escape[8];
    size_t size = c ? str_utf8_size(s) : 1;
    if (c == '"' || c == '\\') {
        add_bytes(l, (const char[]){'\\', (char)c}, 2);
    } else if (c == '\n') {
        add_text(l, "\\n");
    } else if (c < 0x20 || c == 0x7F) {
        (void)snprintf(escape, sizeof escape, "\\u%04x", c);
        add_text(l, escape);
    } else if (size == 0) {
        add_text(l, "\xEF\xBF\xBD");
        return 1;
    } else {
        add_bytes(l, s.at, size);
    }
    return size;
}

static struct str skip(struct str s, size_t size) {
    return (struct str){s.at + size, s.size - size};
}

const char *log_quote(struct str s) {
    /* Worst case six bytes for one, and the quotes. */
    static _Thread_local char ring[QUOTE_RING][QUOTE_BYTES * 6 + 3];
    static _Thread_local unsigned turn;
    struct line l;
    line_init(&l);
    if (s.size > QUOTE_BYTES) { /* do not cut inside a character */
        s.size = QUOTE_BYTES;
        while (s.size > QUOTE_BYTES - 4 && (s.at[s.size] & 0xC0) == 0x80)
            s.size--;
    }
    add_text(&l, "\"");
    while (s.size > 0)
        s = skip(s, add_escaped(&l, s));
    add_text(&l, "\"");
    char *out = ring[turn++ % QUOTE_RING];
    memcpy(out, l.text, l.size);
    out[l.size] = '\0';
    return out;
}

static void add_time(struct line *l) {
    int64_t now_ms = clock_wall_ms();
    time_t seconds = (time_t)(now_ms / 1000);
    struct tm utc;
    char text[64];
    (void)gmtime_r(&seconds, &utc);
    size_t size = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc);
    (void)snprintf(text + size, sizeof text - size, ".%03dZ", (int)(now_ms % 1000));
    add_text(l, text);
}

/* The message as it came, with what would break the line or the terminal replaced. */
static void add_logfmt(struct line *l, struct str message) {
    while (message.size > 0) {
        unsigned char c = (unsigned char)message.at[0];
        size_t size = str_utf8_size(message);
        if (size == 0) {
            add_text(l, "?");
            size = 1;
        } else {
            add_bytes(l, c < 0x20 || c == 0x7F ? " " : message.at, size);
        }
        message = skip(message, size);
    }
}

/* Bytes of the next pair or word: up to a blank outside quotes. */
static size_t pair_size(struct str s) {
    bool quoted = false;
    size_t i = 0;
    for (; i < s.size && (quoted || s.at[i] != ' '); i++) {
        if (quoted && s.at[i] == '\\' && i + 1 < s.size)
            i++;
        else if (s.at[i] == '"')
            quoted = !quoted;
    }
    return i;
}

/* The text of a value as log_quote wrote it, without its quotes: its escapes are JSON's already. */
static void add_quoted(struct line *l, struct str s) {
    while (s.size > 0) {
        bool escape = s.at[0] == '\\' && s.size > 1 && strchr("\"\\nu", s.at[1]);
        if (escape) add_bytes(l, s.at, 2);
        s = skip(s, escape ? 2 : add_escaped(l, s));
    }
}

static void add_member(struct line *l, struct str name, struct str value) {
    if (name.size * 6 + sizeof ",\"\":\"\"" > l->limit - l->size) return;
    add_text(l, ",\"");
    while (name.size > 0)
        name = skip(name, add_escaped(l, name));
    add_text(l, "\":\"");
    l->limit--; /* for the closing quote */
    bool quoted = value.size >= 2 && value.at[0] == '"' && value.at[value.size - 1] == '"';
    if (quoted) {
        add_quoted(l, (struct str){value.at + 1, value.size - 2});
    } else {
        while (value.size > 0)
            value = skip(value, add_escaped(l, value));
    }
    l->limit++;
    add_text(l, "\"");
}

/* key=value pairs become members; words without a key are gathered in "text". */
static void add_json(struct line *l, struct str message) {
    char words[LINE_BYTES];
    size_t words_size = 0;
    while (message.size > 0) {
        struct str pair = {message.at, pair_size(message)};
        const char *equals = pair.size ? memchr(pair.at, '=', pair.size) : NULL;
        if (equals && equals != pair.at) {
            size_t name_size = (size_t)(equals - pair.at);
            add_member(l, (struct str){pair.at, name_size}, skip(pair, name_size + 1));
        } else if (pair.size > 0 && words_size + pair.size + 1 < sizeof words) {
            if (words_size) words[words_size++] = ' ';
            memcpy(words + words_size, pair.at, pair.size);
            words_size += pair.size;
        }
        message = skip(message, pair.size < message.size ? pair.size + 1 : pair.size);
    }
    if (words_size) add_member(l, STR("text"), (struct str){words, words_size});
}

static void write_line(enum log_level level, const char *id, struct str message) {
    struct line l;
    bool json = format_now == LOG_FORMAT_JSON;
    line_init(&l);
    add_text(&l, json ? "{\"time\":\"" : "time=");
    add_time(&l);
    add_text(&l, json ? "\",\"level\":\"" : " level=");
    add_text(&l, level_names[level]);
    add_text(&l, json ? "\",\"id\":\"" : " id=");
    add_text(&l, id);
    add_text(&l, json ? "\"" : message.size ? " " : "");
    if (json)
        add_json(&l, message);
    else
        add_logfmt(&l, message);
    if (json) l.text[l.size++] = '}';
    l.text[l.size++] = '\n';
    ssize_t wrote = write(STDERR_FILENO, l.text, l.size);
    (void)wrote; /* nowhere left to report it */
}

/* How often an id was written in its current second. */
struct repeats {
    uint64_t hash;
    int64_t second;
    unsigned written;
    unsigned long left_out;
};

/* Counts one more `id`; says whether to write it, and how many to own up to first. */
static bool admit(const char *id, unsigned long *left_out) {
    static atomic_flag lock = ATOMIC_FLAG_INIT; /* held for a short look at the table only */
    static struct repeats table[IDS_LIMITED];
    int64_t second = clock_mono_us() / 1000000;
    uint64_t hash = str_hash(str_of(id)) | 1;
    bool written = true;
    *left_out = 0;
    while (atomic_flag_test_and_set_explicit(&lock, memory_order_acquire)) {
    }
    size_t i = 0;
    while (i < IDS_LIMITED && table[i].hash && table[i].hash != hash)
        i++;
    if (i < IDS_LIMITED) {
        struct repeats *r = &table[i];
        if (!r->hash || r->second != second) {
            *left_out = r->left_out;
            *r = (struct repeats){.hash = hash, .second = second};
        }
        written = r->written < REPEATS_PER_SECOND;
        if (written)
            r->written++;
        else
            r->left_out++;
    }
    atomic_flag_clear_explicit(&lock, memory_order_release);
    return written;
}

void log_write(enum log_level level, const char *id, const char *format, ...) {
    if (!log_enabled(level)) return;
    if (level <= LOG_LEVEL_WARN) {
        unsigned long left_out;
        if (!admit(id, &left_out)) return;
        if (left_out) {
            char text[160];
            int size = snprintf(text, sizeof text, "of=%.64s count=%lu", id, left_out);
            write_line(level, "log-repeats-left-out", (struct str){text, (size_t)size});
        }
    }
    char message[LINE_BYTES];
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    if (size < 0) size = 0;
    if ((size_t)size >= sizeof message) size = sizeof message - 1;
    write_line(level, id, (struct str){message, (size_t)size});
}
