/* json.c - protobuf messages in proto3's JSON mapping: writing, and raw parts of JSON texts.
 *
 * Source: protobuf.dev/programming-guides/json; strings are escaped as JSON.stringify does.
 */
#include "wire/json.h"

#include "base/mem.h"
#include "wire/json_message.h"

#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void json_start(void) {
    json_set_alloc_funcs(mem_alloc, mem_free);
}

/* ---- strings and numbers ---- */

static void add_escaped(unsigned char c, struct strbuf *out) {
    switch (c) {
    case '"':
        strbuf_add_str(out, STR("\\\""));
        break;
    case '\\':
        strbuf_add_str(out, STR("\\\\"));
        break;
    case '\n':
        strbuf_add_str(out, STR("\\n"));
        break;
    case '\r':
        strbuf_add_str(out, STR("\\r"));
        break;
    case '\t':
        strbuf_add_str(out, STR("\\t"));
        break;
    default:
        if (c < 0x20)
            strbuf_printf(out, "\\u%04x", c);
        else
            strbuf_add_char(out, (char)c);
    }
}

void json_add_string(struct str s, struct strbuf *out) {
    strbuf_add_char(out, '"');
    for (size_t i = 0; i < s.size;) {
        size_t size = str_utf8_size((struct str){s.at + i, s.size - i});
        if (size == 1) {
            add_escaped((unsigned char)s.at[i], out);
        } else if (size == 0) {
            strbuf_add_str(out, STR("\xEF\xBF\xBD")); /* U+FFFD */
            size = 1;
        } else {
            strbuf_add(out, s.at + i, size);
        }
        i += size;
    }
    strbuf_add_char(out, '"');
}

/* The shortest of 15..17 digits that reads back the same; JSON has no NaN and no infinity, the
 * mapping writes them as strings. */
static void add_double(double value, struct strbuf *out) {
    char text[40];
    if (!isfinite(value)) {
        strbuf_add_str(out, isnan(value) ? STR("\"NaN\"")
                            : value > 0  ? STR("\"Infinity\"")
                                         : STR("\"-Infinity\""));
        return;
    }
    if (value == 0) value = 0; /* no -0, as in JSON.stringify */
    for (int digits = 15; digits <= 17; digits++) {
        (void)snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value) break;
    }
    strbuf_add_str(out, str_of(text));
}

static void add_uint64(uint64_t value, struct strbuf *out) {
    bool exact = value <= (uint64_t)1 << 53;
    strbuf_printf(out, exact ? "%" PRIu64 : "\"%" PRIu64 "\"", value);
}

static void add_int64(int64_t value, struct strbuf *out) {
    bool exact = value <= (int64_t)1 << 53 && value >= -((int64_t)1 << 53);
    strbuf_printf(out, exact ? "%" PRId64 : "\"%" PRId64 "\"", value);
}

static void add_base64(const ProtobufCBinaryData *data, struct strbuf *out) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    strbuf_add_char(out, '"');
    for (size_t i = 0; i < data->len; i += 3) {
        size_t left = data->len - i;
        uint32_t three = (uint32_t)data->data[i] << 16;
        if (left > 1) three |= (uint32_t)data->data[i + 1] << 8;
        if (left > 2) three |= data->data[i + 2];
        strbuf_add_char(out, digits[three >> 18]);
        strbuf_add_char(out, digits[three >> 12 & 63]);
        strbuf_add_char(out, left > 1 ? digits[three >> 6 & 63] : '=');
        strbuf_add_char(out, left > 2 ? digits[three & 63] : '=');
    }
    strbuf_add_char(out, '"');
}

/* ---- messages ---- */

static void add_message(const ProtobufCMessage *m, struct strbuf *out);

static void add_enum(const ProtobufCEnumDescriptor *type, int value, struct strbuf *out) {
    const ProtobufCEnumValue *v = protobuf_c_enum_descriptor_get_value(type, value);
    if (v)
        json_add_string(str_of(v->name), out);
    else
        strbuf_printf(out, "%d", value);
}

static void add_value(const ProtobufCFieldDescriptor *f, const void *at, struct strbuf *out) {
    switch (f->type) {
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
        strbuf_printf(out, "%" PRId32, *(const int32_t *)at);
        break;
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        strbuf_printf(out, "%" PRIu32, *(const uint32_t *)at);
        break;
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
        add_int64(*(const int64_t *)at, out);
        break;
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        add_uint64(*(const uint64_t *)at, out);
        break;
    case PROTOBUF_C_TYPE_FLOAT:
        add_double((double)*(const float *)at, out);
        break;
    case PROTOBUF_C_TYPE_DOUBLE:
        add_double(*(const double *)at, out);
        break;
    case PROTOBUF_C_TYPE_BOOL:
        strbuf_add_str(out, *(const protobuf_c_boolean *)at ? STR("true") : STR("false"));
        break;
    case PROTOBUF_C_TYPE_ENUM:
        add_enum(f->descriptor, *(const int *)at, out);
        break;
    case PROTOBUF_C_TYPE_STRING:
        json_add_string(str_of(*(char *const *)at), out);
        break;
    case PROTOBUF_C_TYPE_BYTES:
        add_base64(at, out);
        break;
    case PROTOBUF_C_TYPE_MESSAGE:
        add_message(*(const ProtobufCMessage *const *)at, out);
        break;
    }
}

/* A map's entries are messages of two fields; keys of ours are strings. */
static void add_map(const ProtobufCFieldDescriptor *f, ProtobufCMessage *const *entries,
                    size_t count, struct strbuf *out) {
    const ProtobufCMessageDescriptor *entry = f->descriptor;
    strbuf_add_char(out, '{');
    for (size_t i = 0; i < count; i++) {
        const char *at = (const char *)entries[i];
        if (i) strbuf_add_char(out, ',');
        json_add_string(str_of(*(char *const *)(const void *)(at + entry->fields[0].offset)), out);
        strbuf_add_char(out, ':');
        add_value(&entry->fields[1], at + entry->fields[1].offset, out);
    }
    strbuf_add_char(out, '}');
}

static void add_repeated(const ProtobufCFieldDescriptor *f, const char *m, struct strbuf *out) {
    size_t count = *(const size_t *)(const void *)(m + f->quantifier_offset);
    const char *array = *(char *const *)(const void *)(m + f->offset);
    if (json_message_is_map(f)) {
        add_map(f, (ProtobufCMessage *const *)(const void *)array, count, out);
        return;
    }
    size_t size = json_message_element_size(f->type);
    strbuf_add_char(out, '[');
    for (size_t i = 0; i < count; i++) {
        if (i) strbuf_add_char(out, ',');
        add_value(f, array + i * size, out);
    }
    strbuf_add_char(out, ']');
}

/* An enum whose 0 means that there is no value: left out it would look like one. */
static bool says_unspecified(const ProtobufCEnumDescriptor *type) {
    const ProtobufCEnumValue *zero = protobuf_c_enum_descriptor_get_value(type, 0);
    return zero && strstr(zero->name, "_UNSPECIFIED");
}

/* Times of a match that may never come. */
static bool is_of_later(const ProtobufCFieldDescriptor *f) {
    return strcmp(f->name, "expire_time_ms") == 0 || strcmp(f->name, "end_time_ms") == 0 ||
           strcmp(f->name, "result_due_time_ms") == 0;
}

/* Whether a singular field is written: not when it has its default, except for what a reader
 * always wants to see. */
static bool is_shown(const ProtobufCFieldDescriptor *f, const char *m,
                     const ProtobufCMessageDescriptor *type) {
    if (f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF)
        return *(const uint32_t *)(const void *)(m + f->quantifier_offset) == f->id;
    const void *at = m + f->offset;
    switch (f->type) {
    case PROTOBUF_C_TYPE_STRING:
        return str_of(*(char *const *)at).size > 0;
    case PROTOBUF_C_TYPE_BYTES:
        return ((const ProtobufCBinaryData *)at)->len > 0;
    case PROTOBUF_C_TYPE_MESSAGE:
        return *(ProtobufCMessage *const *)at != NULL;
    case PROTOBUF_C_TYPE_BOOL:
        return *(const protobuf_c_boolean *)at != 0;
    case PROTOBUF_C_TYPE_ENUM:
        return *(const int *)at != 0 || says_unspecified(f->descriptor);
    case PROTOBUF_C_TYPE_DOUBLE:
        return *(const double *)at != 0 || strcmp(type->short_name, "Match") == 0;
    default:
        if (strcmp(type->short_name, "Match") == 0 && !is_of_later(f)) return true;
        return memcmp(at, &(uint64_t){0}, json_message_element_size(f->type)) != 0;
    }
}

/* A map whose one key reads like a kind, {"number": 5}, would be read back as that kind. */
static bool is_ambiguous(const ProtobufCMessageDescriptor *type, const ProtobufCMessage *inner) {
    const ProtobufCFieldDescriptor *values = &inner->descriptor->fields[0];
    const char *at = (const char *)inner;
    if (!json_message_is_map(values)) return false;
    if (*(const size_t *)(const void *)(at + values->quantifier_offset) != 1) return false;
    const char *entry = **(char ***)(void *)(at + values->offset);
    const ProtobufCMessageDescriptor *pair = values->descriptor;
    const char *key = *(char *const *)(const void *)(entry + pair->fields[0].offset);
    return protobuf_c_message_descriptor_get_field_by_name(type, key) != NULL;
}

/* muster.v1.AttributeValue is written as the bare value. */
static void add_bare(const ProtobufCMessage *m, struct strbuf *out) {
    const char *at = (const char *)m;
    const ProtobufCMessageDescriptor *type = m->descriptor;
    for (unsigned i = 0; i < type->n_fields; i++) {
        const ProtobufCFieldDescriptor *f = &type->fields[i];
        if (*(const uint32_t *)(const void *)(at + f->quantifier_offset) != f->id) continue;
        if (f->type != PROTOBUF_C_TYPE_MESSAGE) {
            add_value(f, at + f->offset, out);
            return;
        }
        /* StringList and NumberMap have the one field `values`. */
        const ProtobufCMessage *inner = *(ProtobufCMessage *const *)(const void *)(at + f->offset);
        bool ambiguous = is_ambiguous(type, inner);
        if (ambiguous) strbuf_add_str(out, STR("{\"map\":{\"values\":"));
        add_repeated(&inner->descriptor->fields[0], (const char *)inner, out);
        if (ambiguous) strbuf_add_str(out, STR("}}"));
        return;
    }
    strbuf_add_str(out, STR("null"));
}

static void add_message(const ProtobufCMessage *m, struct strbuf *out) {
    const ProtobufCMessageDescriptor *type = m->descriptor;
    const char *at = (const char *)m;
    bool first = true;
    if (json_message_is_attribute(type)) {
        add_bare(m, out);
        return;
    }
    strbuf_add_char(out, '{');
    for (unsigned i = 0; i < type->n_fields; i++) {
        const ProtobufCFieldDescriptor *f = &type->fields[i];
        bool repeated = f->label == PROTOBUF_C_LABEL_REPEATED;
        if (!repeated && !is_shown(f, at, type)) continue;
        char name[JSON_NAME_BYTES];
        if (!first) strbuf_add_char(out, ',');
        first = false;
        json_add_string(str_of(json_message_name(f, name)), out);
        strbuf_add_char(out, ':');
        if (repeated)
            add_repeated(f, at, out);
        else
            add_value(f, at + f->offset, out);
    }
    strbuf_add_char(out, '}');
}

void json_from_message(const ProtobufCMessage *m, struct strbuf *out) {
    add_message(m, out);
}

/* ---- parts of JSON texts ---- */

static bool dump(const json_t *value, struct strbuf *out) {
    char *text =
        value ? json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(17)) : NULL;
    if (!text) return false;
    strbuf_add_str(out, str_of(text));
    free(text); /* jansson's own allocator is malloc */
    return true;
}

static json_t *parse(struct str text) {
    if (text.size > JSON_BYTES_MAX) return NULL;
    return json_loadb(text.at ? text.at : "", text.size, JSON_DECODE_ANY, NULL);
}

bool json_member(struct str object, const char *name, struct strbuf *out) {
    json_t *root = parse(object);
    bool found = json_is_object(root) && dump(json_object_get(root, name), out);
    json_decref(root);
    return found;
}

bool json_element(struct str array, size_t index, struct strbuf *out) {
    json_t *root = parse(array);
    bool found = json_is_array(root) && dump(json_array_get(root, index), out);
    json_decref(root);
    return found;
}
