/* json.h - protobuf messages in proto3's JSON mapping, over their descriptors, and JSON texts.
 *
 * Names are lowerCamelCase, enums are names, 64-bit integers are strings when above 2^53 and
 * numbers otherwise, bytes are base64, maps are objects; default values are left out except enum
 * states (where 0 is no value), repeated fields and the measured numbers of Match. Reading accepts
 * lowerCamelCase and the original names, strings for numbers, a bare value for
 * muster.v1.AttributeValue; an unknown field is an error that names the nearest known one, a field
 * given twice (under either name) is one too. AttributeValue is written bare, but for a map of one
 * pair whose key is the name of a kind. Depth at most 32, size at most 1 MiB. bytes fields cannot
 * be read. Thread safety: all functions.
 */
#ifndef MUSTER_WIRE_JSON_H
#define MUSTER_WIRE_JSON_H

#include "base/err.h"
#include "base/mem.h"

#include <protobuf-c/protobuf-c.h>

/* Once, before any JSON is read: a failed allocation ends the process as everywhere else. Without
 * it jansson calls the text malformed, or a member absent. */
void json_start(void);

/* Appends the message as one line of JSON. */
void json_from_message(const ProtobufCMessage *m, struct strbuf *out);
/* Reads a JSON object into a new message of the given type; free with
 * protobuf_c_message_free_unpacked(m, NULL). INVALID_ARGUMENT with the path of the fault. */
enum err json_to_message(struct str json, const ProtobufCMessageDescriptor *type,
                         ProtobufCMessage **out, struct err_text *why) ERR_CHECKED;
/* Appends `s` as a JSON string with its quotes. Invalid UTF-8 becomes U+FFFD. */
void json_add_string(struct str s, struct strbuf *out);
/* The raw text of a top-level member of an object ("data" of {"data":[1]} -> [1]); false when it is
 * absent or the text is no JSON object. */
bool json_member(struct str object, const char *name, struct strbuf *out);
/* The text of element `index` of a JSON array; false when there is none. */
bool json_element(struct str array, size_t index, struct strbuf *out);

#endif
