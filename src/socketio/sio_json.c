/* sio_json.c - checks JSON text without building a tree. */
#include "socketio/sio_json.h"

#include <assert.h>
#include <string.h>

struct scan {
    const char *at, *end;
    size_t depth_left;
    size_t placeholder_count;
};

static bool scan_value(struct scan *s);

static void skip_space(struct scan *s) {
    while (s->at < s->end && (*s->at == ' ' || *s->at == '\t' || *s->at == '\n' || *s->at == '\r'))
        s->at++;
}

static bool take(struct scan *s, char c) {
    if (s->at == s->end || *s->at != c) return false;
    s->at++;
    return true;
}

static bool take_word(struct scan *s, struct str word) {
    if (!str_starts((struct str){s->at, (size_t)(s->end - s->at)}, word)) return false;
    s->at += word.size;
    return true;
}

static int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

static bool scan_escape(struct scan *s) {
    if (s->at == s->end) return false;
    char c = *s->at++;
    if (c != 'u') return c != '\0' && strchr("\"\\/bfnrt", c) != NULL;
    for (int i = 0; i < 4; i++)
        if (s->at == s->end || hex_value(*s->at++) < 0) return false;
    return true;
}

static bool scan_string(struct scan *s) {
    if (!take(s, '"')) return false;
    while (s->at < s->end) {
        unsigned char c = (unsigned char)*s->at++;
        if (c == '"') return true;
        if (c < 0x20) return false;
        if (c == '\\' && !scan_escape(s)) return false;
    }
    return false;
}

static bool scan_digits(struct scan *s) {
    const char *first = s->at;
    while (s->at < s->end && *s->at >= '0' && *s->at <= '9')
        s->at++;
    return s->at > first;
}

static bool scan_number(struct scan *s) {
    (void)take(s, '-');
    if (!take(s, '0') && !scan_digits(s)) return false;
    if (take(s, '.') && !scan_digits(s)) return false;
    if (take(s, 'e') || take(s, 'E')) {
        if (!take(s, '+')) (void)take(s, '-');
        return scan_digits(s);
    }
    return true;
}

static bool scan_array(struct scan *s) {
    s->at++;
    skip_space(s);
    if (take(s, ']')) return true;
    do {
        if (!scan_value(s)) return false;
    } while (take(s, ','));
    return take(s, ']');
}

/* The last of equal keys wins, as in JSON.parse. */
struct placeholder {
    bool marked;
    bool in_range;
};

static void note_member(const struct scan *s, struct placeholder *p, struct str key,
                        struct str value) {
    if (str_equal(key, STR("\"_placeholder\""))) {
        p->marked = str_equal(value, STR("true"));
    } else if (str_equal(key, STR("\"num\""))) {
        int64_t number;
        p->in_range = value.size && value.at[0] >= '0' && value.at[0] <= '9' &&
                      str_to_int64(value, &number) && (uint64_t)number < s->placeholder_count;
    }
}

struct member {
    struct str key, value; /* the key with its quotes */
};

static bool scan_pair(struct scan *s, struct member *m) {
    skip_space(s);
    m->key = (struct str){s->at, 0};
    if (!scan_string(s)) return false;
    m->key.size = (size_t)(s->at - m->key.at);
    skip_space(s);
    if (!take(s, ':')) return false;
    skip_space(s);
    m->value = (struct str){s->at, 0};
    if (!scan_value(s)) return false;
    m->value.size = (size_t)(s->at - m->value.at);
    while (m->value.size && strchr(" \t\r\n", m->value.at[m->value.size - 1]))
        m->value.size--;
    return true;
}

static bool scan_member(struct scan *s, struct placeholder *p) {
    struct member m;
    if (!scan_pair(s, &m)) return false;
    note_member(s, p, m.key, m.value);
    return true;
}

static bool scan_object(struct scan *s) {
    struct placeholder p = {0};
    s->at++;
    skip_space(s);
    if (take(s, '}')) return true;
    do {
        if (!scan_member(s, &p)) return false;
    } while (take(s, ','));
    if (s->placeholder_count != SIO_JSON_ANY_PLACEHOLDER && p.marked && !p.in_range) return false;
    return take(s, '}');
}

static bool scan_nested(struct scan *s) {
    if (s->depth_left == 0) return false;
    s->depth_left--;
    bool valid = *s->at == '{' ? scan_object(s) : scan_array(s);
    s->depth_left++;
    return valid;
}

/* One value and the white space around it. */
static bool scan_value(struct scan *s) {
    skip_space(s);
    if (s->at == s->end) return false;
    bool valid;
    switch (*s->at) {
    case '{':
    case '[':
        valid = scan_nested(s);
        break;
    case '"':
        valid = scan_string(s);
        break;
    case 't':
        valid = take_word(s, STR("true"));
        break;
    case 'f':
        valid = take_word(s, STR("false"));
        break;
    case 'n':
        valid = take_word(s, STR("null"));
        break;
    default:
        valid = scan_number(s);
    }
    if (valid) skip_space(s);
    return valid;
}

enum sio_json_kind sio_json_kind_of(struct str value) {
    while (value.size && strchr(" \t\r\n", *value.at))
        value.at++, value.size--;
    if (value.size == 0) return SIO_JSON_INVALID;
    switch (value.at[0]) {
    case '{':
        return SIO_JSON_OBJECT;
    case '[':
        return SIO_JSON_ARRAY;
    case '"':
        return SIO_JSON_STRING;
    case 't':
    case 'f':
    case 'n':
        return SIO_JSON_LITERAL;
    default:
        return SIO_JSON_NUMBER;
    }
}

enum sio_json_kind sio_json_check(struct str text, size_t depth_max, size_t placeholder_count) {
    assert(depth_max <= SIO_JSON_DEPTH_MAX);
    if (text.size == 0) return SIO_JSON_INVALID;
    struct scan s = {text.at, text.at + text.size, depth_max, placeholder_count};
    if (!scan_value(&s) || s.at != s.end) return SIO_JSON_INVALID;
    return sio_json_kind_of(text);
}

struct str sio_json_first(struct str array) {
    struct scan s = {array.at, array.at + array.size, SIO_JSON_DEPTH_MAX, SIO_JSON_ANY_PLACEHOLDER};
    skip_space(&s);
    assert(s.at < s.end && *s.at == '[');
    s.at++;
    skip_space(&s);
    struct str first = {s.at, 0};
    if (*s.at == ']' || !scan_value(&s)) return first;
    first.size = (size_t)(s.at - first.at);
    while (strchr(" \t\r\n", first.at[first.size - 1]))
        first.size--;
    return first;
}

struct str sio_json_member(struct str object, struct str key) {
    struct scan s = {object.at, object.at + object.size, SIO_JSON_DEPTH_MAX,
                     SIO_JSON_ANY_PLACEHOLDER};
    struct str found = STR_EMPTY;
    skip_space(&s);
    assert(s.at < s.end && *s.at == '{');
    s.at++;
    skip_space(&s);
    if (take(&s, '}')) return found;
    do {
        struct member m;
        if (!scan_pair(&s, &m)) return found;
        if (str_equal(m.key, key)) found = m.value;
    } while (take(&s, ','));
    return found;
}

static uint32_t hex4(const char *at) {
    uint32_t unit = 0;
    for (int i = 0; i < 4; i++)
        unit = unit << 4 | (uint32_t)hex_value(at[i]);
    return unit;
}

static void add_utf8(struct strbuf *out, uint32_t c) {
    if (c < 0x80) {
        strbuf_add_char(out, (char)c);
        return;
    }
    if (c < 0x800) {
        strbuf_add_char(out, (char)(0xc0 | c >> 6));
    } else {
        if (c < 0x10000) {
            strbuf_add_char(out, (char)(0xe0 | c >> 12));
        } else {
            strbuf_add_char(out, (char)(0xf0 | c >> 18));
            strbuf_add_char(out, (char)(0x80 | (c >> 12 & 63)));
        }
        strbuf_add_char(out, (char)(0x80 | (c >> 6 & 63)));
    }
    strbuf_add_char(out, (char)(0x80 | (c & 63)));
}

/* `at` is behind "\u"; returns where to go on. */
static const char *unescape_unicode(struct strbuf *out, const char *at, const char *end) {
    uint32_t unit = hex4(at);
    at += 4;
    if (unit >= 0xd800 && unit < 0xdc00 && end - at >= 6 && at[0] == '\\' && at[1] == 'u') {
        uint32_t low = hex4(at + 2);
        if (low >= 0xdc00 && low < 0xe000) {
            add_utf8(out, 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00));
            return at + 6;
        }
    }
    add_utf8(out, unit >= 0xd800 && unit < 0xe000 ? 0xfffd : unit);
    return at;
}

void sio_json_unescape(struct strbuf *out, struct str literal) {
    assert(literal.size >= 2 && literal.at[0] == '"');
    static const char CODES[] = "bfnrt", VALUES[] = "\b\f\n\r\t";
    const char *at = literal.at + 1, *end = literal.at + literal.size - 1;
    while (at < end) {
        if (*at != '\\') {
            strbuf_add_char(out, *at++);
            continue;
        }
        char c = at[1];
        at += 2;
        const char *code = strchr(CODES, c);
        if (c == 'u')
            at = unescape_unicode(out, at, end);
        else
            strbuf_add_char(out, code ? VALUES[code - CODES] : c);
    }
}

void sio_json_escape(struct strbuf *out, struct str text) {
    strbuf_add_char(out, '"');
    for (size_t i = 0; i < text.size; i++) {
        unsigned char c = (unsigned char)text.at[i];
        if (c == '"' || c == '\\') {
            strbuf_add_char(out, '\\');
            strbuf_add_char(out, (char)c);
        } else if (c < 0x20) {
            strbuf_printf(out, "\\u%04x", c);
        } else {
            strbuf_add_char(out, (char)c);
        }
    }
    strbuf_add_char(out, '"');
}
