/* envelope.c - reads a Request, writes a Response. */
#include "wire/envelope.h"

#include "base/limits.h"
#include "wire/fields.h"

enum { METHOD_BYTES_MAX = 128, KEY_BYTES_MAX = 64, VALUE_BYTES_MAX = 4096, METADATA_MAX = 32 };

static enum err refuse(struct err_text *why, const char *field, const char *text) {
    return err_set_field(why, ERR_INVALID_ARGUMENT, field, "%s %s", field, text);
}

static enum err read_metadata(struct str bytes, struct envelope *out, struct err_text *why) {
    struct pb_reader r = pb_reader(bytes);
    struct pb_field f;
    struct str key = STR_EMPTY, value = STR_EMPTY;
    while (pb_next(&r, &f)) {
        if (f.key == Metadata_key) key = f.bytes;
        if (f.key == Metadata_value) value = f.bytes;
    }
    if (r.malformed) return refuse(why, "metadata", "is malformed");
    if (key.size > KEY_BYTES_MAX || !str_utf8_valid(key))
        return refuse(why, "metadata", "has a key that is no UTF-8 of at most 64 bytes");
    if (value.size > VALUE_BYTES_MAX || !str_utf8_valid(value))
        return refuse(why, "metadata", "has a value that is no UTF-8 of at most 4096 bytes");
    if (str_equal(key, STR("authorization"))) out->authorization = value;
    if (str_equal(key, STR("traceparent"))) out->traceparent = value;
    return ERR_OK;
}

static enum err check(const struct envelope *e, struct err_text *why) {
    if (e->method.size > METHOD_BYTES_MAX || !str_utf8_valid(e->method))
        return refuse(why, "method", "is no UTF-8 text of at most 128 bytes");
    if (e->request_id.size && !str_name_valid(e->request_id))
        return refuse(why, "request_id", "is not 1..64 bytes of [A-Za-z0-9_.-]");
    return ERR_OK;
}

enum err envelope_decode(struct str bytes, struct envelope *out, struct err_text *why) {
    *out = (struct envelope){0};
    struct pb_reader r = pb_reader(bytes);
    struct pb_field f;
    unsigned metadata = 0;
    while (pb_next(&r, &f)) {
        switch (f.key) {
        case Request_method:
            out->method = f.bytes;
            break;
        case Request_payload:
            out->payload = f.bytes;
            break;
        case Request_timeout_ms:
            out->timeout_ms = f.value > LIMIT_TIMEOUT_MS ? LIMIT_TIMEOUT_MS : (uint32_t)f.value;
            break;
        case Request_forwarded:
            out->forwarded = f.value != 0;
            break;
        case Request_request_id:
            out->request_id = f.bytes;
            break;
        case Request_metadata: {
            if (++metadata > METADATA_MAX) return refuse(why, "metadata", "has over 32 entries");
            enum err code = read_metadata(f.bytes, out, why);
            if (code != ERR_OK) return code;
            break;
        }
        }
    }
    if (r.malformed)
        return err_set(why, ERR_INVALID_ARGUMENT, "the message is no muster.v1.Request");
    return check(out, why);
}

/* The later of two fields counts. */
void envelope_mark_forwarded(uint32_t timeout_ms, struct strbuf *out) {
    pb_put_uint(out, Request_timeout_ms, timeout_ms);
    pb_put_uint(out, Request_forwarded, 1);
}

enum err envelope_response_status(struct str bytes, struct err_text *why) {
    struct pb_reader r = pb_reader(bytes);
    struct pb_field f;
    struct str status = STR_EMPTY, message = STR_EMPTY;
    unsigned code = 0;
    while (pb_next(&r, &f))
        if (f.key == Response_status) status = f.bytes;
    struct pb_reader inner = pb_reader(status);
    while (pb_next(&inner, &f)) {
        if (f.key == Status_code) code = f.value > UINT32_MAX ? UINT32_MAX : (unsigned)f.value;
        if (f.key == Status_message) message = f.bytes;
    }
    if (r.malformed || inner.malformed)
        return err_set(why, ERR_INTERNAL, "the message is no muster.v1.Response");
    return err_set(why, err_from_code(code), "%.*s", STR_PRINT(message));
}

/* A text that was cut to its buffer may end in half a character, which readers refuse. */
static void put_words(struct strbuf *out, uint32_t key, struct str text) {
    size_t words = pb_open(out, key);
    while (text.size > 0) {
        size_t size = str_utf8_size(text);
        if (size)
            strbuf_add(out, text.at, size);
        else
            strbuf_add_char(out, '?');
        size_t used = size ? size : 1;
        text = (struct str){text.at + used, text.size - used};
    }
    pb_close(out, words);
}

void envelope_put_status(enum err code, const struct err_text *why, uint32_t key,
                         struct strbuf *out) {
    size_t status = pb_open(out, key);
    pb_put_uint(out, Status_code, (uint64_t)code);
    if (why) put_words(out, Status_message, str_of(why->text));
    if (why && why->field[0]) {
        size_t detail = pb_open(out, Status_details);
        put_words(out, StatusDetail_field, str_of(why->field));
        put_words(out, StatusDetail_message, str_of(why->text));
        pb_close(out, detail);
    }
    if (why) pb_put_int(out, Status_retry_after_ms, why->retry_after_ms);
    pb_close(out, status);
}

void envelope_encode_response(enum err code, const struct err_text *why, struct str payload,
                              struct strbuf *out) {
    if (code != ERR_OK) envelope_put_status(code, why, Response_status, out);
    pb_put_text(out, Response_payload, payload);
}
