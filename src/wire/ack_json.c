/* ack_json.c - acknowledgements around the JSON mapping of messages. */
#include "wire/ack_json.h"

#include "wire/json.h"

void ack_json_ok(const ProtobufCMessage *m, struct strbuf *out) {
    struct strbuf body = {0};
    json_from_message(m, &body);
    strbuf_add_str(out, STR("[{\"ok\":true"));
    if (body.size > 2) { /* more than {} */
        strbuf_add_char(out, ',');
        strbuf_add(out, body.at + 1, body.size - 2);
    }
    strbuf_add_str(out, STR("}]"));
    strbuf_fini(&body);
}

void ack_json_error(enum err code, const struct err_text *why, struct strbuf *out) {
    strbuf_add_str(out, STR("[{\"ok\":false,\"error\":{\"code\":"));
    json_add_string(str_of(err_name(code)), out);
    strbuf_add_str(out, STR(",\"message\":"));
    json_add_string(str_of(why->text), out);
    if (why->field[0] != '\0') {
        strbuf_add_str(out, STR(",\"field\":"));
        json_add_string(str_of(why->field), out);
    }
    if (why->retry_after_ms > 0) strbuf_printf(out, ",\"retryAfterMs\":%lld", why->retry_after_ms);
    strbuf_add_str(out, STR("}}]"));
}
