/* json_write.c - writes a JSON text member by member. */
#include "wire/json_write.h"

#include "wire/json.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>

struct json_write json_write_to(struct strbuf *out) {
    return (struct json_write){.out = out};
}

static void begin_value(struct json_write *w, const char *name) {
    if (w->filled[w->depth]) strbuf_add_char(w->out, ',');
    w->filled[w->depth] = true;
    if (!name) return;
    json_add_string(str_of(name), w->out);
    strbuf_add_char(w->out, ':');
}

void json_write_open(struct json_write *w, const char *name, char bracket) {
    assert(w->depth < JSON_WRITE_DEPTH_MAX);
    begin_value(w, name);
    strbuf_add_char(w->out, bracket);
    w->closers[w->depth++] = bracket == '{' ? '}' : ']';
    w->filled[w->depth] = false;
}

void json_write_close(struct json_write *w) {
    assert(w->depth > 0);
    strbuf_add_char(w->out, w->closers[--w->depth]);
}

void json_write_text(struct json_write *w, const char *name, struct str value) {
    begin_value(w, name);
    json_add_string(value, w->out);
}

void json_write_number(struct json_write *w, const char *name, double value) {
    begin_value(w, name);
    if (isfinite(value))
        strbuf_printf(w->out, "%.6g", value);
    else
        strbuf_add_str(w->out, STR("null"));
}

void json_write_int(struct json_write *w, const char *name, int64_t value) {
    begin_value(w, name);
    strbuf_printf(w->out, "%" PRId64, value);
}

void json_write_bool(struct json_write *w, const char *name, bool value) {
    begin_value(w, name);
    strbuf_add_str(w->out, value ? STR("true") : STR("false"));
}
