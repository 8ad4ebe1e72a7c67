/* json_write.h - writes a JSON text member by member, straight into a strbuf.
 *
 *   json_write_open(&w, NULL, '{');  json_write_number(&w, "seed", 7);
 *   json_write_open(&w, "points", '[');  ...  json_write_close(&w);  json_write_close(&w);
 *
 * `name`: of the member; NULL in a list and for the whole text. The writer puts the commas and
 * knows which bracket to close. Nesting at most JSON_WRITE_DEPTH_MAX (asserted).
 * Thread safety: one thread per instance.
 */
#ifndef MUSTER_WIRE_JSON_WRITE_H
#define MUSTER_WIRE_JSON_WRITE_H

#include "base/str.h"

#define JSON_WRITE_DEPTH_MAX 16

struct json_write {
    struct strbuf *out; /* borrowed */
    unsigned depth;
    char closers[JSON_WRITE_DEPTH_MAX];
    bool filled[JSON_WRITE_DEPTH_MAX + 1]; /* something stands at that depth already */
};

struct json_write json_write_to(struct strbuf *out);
void json_write_open(struct json_write *w, const char *name, char bracket); /* '{' or '[' */
void json_write_close(struct json_write *w);
void json_write_text(struct json_write *w, const char *name, struct str value);
/* Six significant digits; what is not finite becomes null. */
void json_write_number(struct json_write *w, const char *name, double value);
void json_write_int(struct json_write *w, const char *name, int64_t value);
void json_write_bool(struct json_write *w, const char *name, bool value);

#endif
