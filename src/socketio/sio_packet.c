/* sio_packet.c - Socket.IO v5 packets as text. */
#include "socketio/sio_packet.h"

#include "socketio/sio_json.h"

#include <assert.h>
#include <string.h>

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static struct str skip(struct str s, size_t bytes) {
    return (struct str){s.at + bytes, s.size - bytes};
}

static size_t digit_count(struct str s) {
    size_t n = 0;
    while (n < s.size && is_digit(s.at[n]))
        n++;
    return n;
}

static bool has_attachments(enum sio_packet_type type) {
    return type == SIO_BINARY_EVENT || type == SIO_BINARY_ACK;
}

static bool parse_count(struct str *rest, size_t *count) {
    size_t digits = digit_count(*rest);
    if (digits == 0 || digits > 2 || digits == rest->size || rest->at[digits] != '-') return false;
    *count = 0;
    for (size_t i = 0; i < digits; i++)
        *count = *count * 10 + (size_t)(rest->at[i] - '0');
    *rest = skip(*rest, digits + 1);
    return *count <= SIO_ATTACHMENTS_MAX;
}

static bool parse_namespace(struct str *rest, struct str *nsp) {
    *nsp = STR("/");
    if (rest->size == 0 || rest->at[0] != '/') return true;
    const char *comma = memchr(rest->at, ',', rest->size);
    *nsp = (struct str){rest->at, comma ? (size_t)(comma - rest->at) : rest->size};
    *rest = skip(*rest, comma ? nsp->size + 1 : nsp->size);
    return nsp->size <= SIO_NAMESPACE_BYTES_MAX;
}

/* Names that a client library reserves for itself: sending them is a violation. */
static bool event_name_valid(struct str payload) {
    static const char *const RESERVED[] = {"connect",       "connect_error", "disconnect",
                                           "disconnecting", "newListener",   "removeListener"};
    struct str first = sio_json_first(payload);
    enum sio_json_kind kind = sio_json_kind_of(first);
    if (first.size == 0 || (kind != SIO_JSON_STRING && kind != SIO_JSON_NUMBER)) return false;
    if (kind == SIO_JSON_NUMBER) return true;
    struct strbuf name = {0};
    sio_json_unescape(&name, first);
    bool reserved = false;
    for (size_t i = 0; i < sizeof RESERVED / sizeof *RESERVED; i++)
        reserved |= str_equal(strbuf_str(&name), str_of(RESERVED[i]));
    strbuf_fini(&name);
    return !reserved;
}

static bool payload_valid(const struct sio_packet *p, size_t depth_max) {
    if (p->type == SIO_CONNECT_ERROR) return false;
    if (p->payload.size == 0) return p->type == SIO_CONNECT || p->type == SIO_DISCONNECT;
    size_t placeholder_count =
        has_attachments(p->type) ? p->attachment_count : SIO_JSON_ANY_PLACEHOLDER;
    if (p->payload.at[0] != '{' && p->payload.at[0] != '[') return false; /* nor white space */
    enum sio_json_kind kind = sio_json_check(p->payload, depth_max, placeholder_count);
    switch (p->type) {
    case SIO_CONNECT:
        return kind == SIO_JSON_OBJECT;
    case SIO_EVENT:
    case SIO_BINARY_EVENT:
        return kind == SIO_JSON_ARRAY && event_name_valid(p->payload);
    case SIO_ACK:
    case SIO_BINARY_ACK:
        return kind == SIO_JSON_ARRAY;
    default:
        return false;
    }
}

bool sio_packet_parse(struct str text, size_t json_depth_max, struct sio_packet *out) {
    *out = (struct sio_packet){0};
    if (text.size == 0 || text.at[0] < '0' || text.at[0] > '6') return false;
    out->type = (enum sio_packet_type)(text.at[0] - '0');
    struct str rest = skip(text, 1);
    if (has_attachments(out->type) && !parse_count(&rest, &out->attachment_count)) return false;
    if (!parse_namespace(&rest, &out->nsp)) return false;
    out->id = (struct str){rest.at, digit_count(rest)};
    if (out->id.size > SIO_ID_DIGITS_MAX) return false;
    if (out->id.size && (out->type == SIO_CONNECT || out->type == SIO_DISCONNECT)) return false;
    out->payload = skip(rest, out->id.size);
    return payload_valid(out, json_depth_max);
}

void sio_packet_split_event(struct str payload, struct strbuf *name, struct str *args) {
    struct str first = sio_json_first(payload);
    assert(first.size > 0);
    if (sio_json_kind_of(first) == SIO_JSON_STRING)
        sio_json_unescape(name, first);
    else
        strbuf_add_str(name, first);
    const char *end = payload.at + payload.size;
    char *next = (char *)first.at + first.size;
    while (*next != ',' && *next != ']')
        next++;
    if (*next == ']') {
        *args = STR("[]");
        return;
    }
    *next = '[';
    *args = (struct str){next, (size_t)(end - next)};
}

void sio_packet_begin(struct strbuf *out, const struct sio_packet *head) {
    strbuf_add_char(out, '4');
    strbuf_add_char(out, (char)('0' + (int)head->type));
    if (has_attachments(head->type)) strbuf_printf(out, "%zu-", head->attachment_count);
    if (!str_equal(head->nsp, STR("/"))) {
        strbuf_add_str(out, head->nsp);
        strbuf_add_char(out, ',');
    }
    strbuf_add_str(out, head->id);
}
