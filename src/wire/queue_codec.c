/* queue_codec.c - a queue's version to and from bytes. */
#include "wire/queue_codec.h"

#include "base/limits.h"
#include "wire/fields.h"
#include "wire/match_codec.h"

void queue_codec_write(const struct queue_version *v, struct strbuf *out) {
    pb_put_uint(out, Queue_version, v->number);
    pb_put_text(out, Queue_definition_json, v->json);
    pb_put_int(out, Queue_update_time_ms, v->put_ms);
    pb_put_text(out, Queue_author, v->author);
    pb_put_text(out, Queue_comment, v->comment);
    pb_put_uint(out, Queue_allow_shrinking, v->allow_shrinking);
}

bool queue_codec_read(struct str bytes, struct queue_version *out) {
    *out = (struct queue_version){0};
    struct pb_reader r = pb_reader(bytes);
    for (struct pb_field f; pb_next(&r, &f);) {
        if (f.key == Queue_version) out->number = (uint32_t)f.value;
        if (f.key == Queue_definition_json) out->json = f.bytes;
        if (f.key == Queue_update_time_ms) out->put_ms = (int64_t)f.value;
        if (f.key == Queue_author) out->author = f.bytes;
        if (f.key == Queue_comment) out->comment = f.bytes;
        if (f.key == Queue_allow_shrinking) out->allow_shrinking = f.value != 0;
    }
    return !r.malformed && out->json.size <= LIMIT_RULESET_BYTES && str_utf8_valid(out->json) &&
           str_utf8_valid(out->author) && str_utf8_valid(out->comment) &&
           match_codec_time_valid(out->put_ms);
}
