/* json_message.c - names, maps and sizes of message fields; reading messages from JSON. */
#include "wire/json_message.h"

#include "base/mem.h"
#include "wire/json.h"

#include <assert.h>
#include <ctype.h>
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *json_message_name(const ProtobufCFieldDescriptor *f, char name[JSON_NAME_BYTES]) {
    size_t used = 0;
    bool upper = false;
    for (const char *c = f->name; *c && used + 1 < JSON_NAME_BYTES; c++) {
        if (*c == '_') {
            upper = true;
            continue;
        }
        name[used++] = (char)(upper ? toupper((unsigned char)*c) : *c);
        upper = false;
    }
    name[used] = '\0';
    return name;
}

bool json_message_is_map(const ProtobufCFieldDescriptor *f) {
    if (f->label != PROTOBUF_C_LABEL_REPEATED || f->type != PROTOBUF_C_TYPE_MESSAGE) return false;
    const ProtobufCMessageDescriptor *type = f->descriptor;
    size_t size = strlen(type->short_name);
    return type->n_fields == 2 && size > 5 && strcmp(type->short_name + size - 5, "Entry") == 0 &&
           strcmp(type->fields[0].name, "key") == 0 && strcmp(type->fields[1].name, "value") == 0;
}

bool json_message_is_attribute(const ProtobufCMessageDescriptor *type) {
    return strcmp(type->name, "muster.v1.AttributeValue") == 0;
}

size_t json_message_element_size(ProtobufCType type) {
    switch (type) {
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_FLOAT:
        return 4;
    case PROTOBUF_C_TYPE_ENUM:
        return sizeof(int);
    case PROTOBUF_C_TYPE_BOOL:
        return sizeof(protobuf_c_boolean);
    case PROTOBUF_C_TYPE_BYTES:
        return sizeof(ProtobufCBinaryData);
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_MESSAGE:
        return sizeof(void *);
    default:
        return 8;
    }
}

/* ---- reading ----
 *
 * protobuf_c_message_free_unpacked frees what is read here, so memory comes from malloc, as that
 * library's default allocator does; a failed allocation aborts.
 */

enum { DEPTH_MAX = 32, PATH_BYTES = ERR_FIELD_BYTES, FIELDS_MAX = 64 };

struct reading {
    struct err_text *why;
    char path[PATH_BYTES]; /* of the value being read */
    int depth;
};

static void *get_memory(size_t count, size_t size) {
    void *p = calloc(count ? count : 1, size);
    if (!p) abort();
    return p;
}

static enum err refuse(struct reading *r, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static enum err refuse(struct reading *r, const char *format, ...) {
    char text[300];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args); /* cut where too long */
    va_end(args);
    return err_set_field(r->why, ERR_INVALID_ARGUMENT, r->path, "%s%s%s",
                         r->path[0] ? r->path : "the JSON", " ", text);
}

static const char *kind_of(const json_t *v) {
    switch (json_typeof(v)) {
    case JSON_OBJECT:
        return "an object";
    case JSON_ARRAY:
        return "an array";
    case JSON_STRING:
        return "a string";
    case JSON_INTEGER:
    case JSON_REAL:
        return "a number";
    case JSON_TRUE:
    case JSON_FALSE:
        return "a boolean";
    default:
        return "null";
    }
}

static enum err fill(struct reading *r, const json_t *object, ProtobufCMessage *m);

static ProtobufCMessage *new_message(const ProtobufCMessageDescriptor *type) {
    ProtobufCMessage *m = get_memory(1, type->sizeof_message);
    protobuf_c_message_init(type, m);
    return m;
}

static enum err read_number(struct reading *r, const json_t *v, double *out) {
    if (json_is_number(v)) {
        *out = json_number_value(v);
        return ERR_OK;
    }
    if (json_is_string(v) && str_to_double(str_of(json_string_value(v)), out)) return ERR_OK;
    return refuse(r, "is %s; allowed is a number", kind_of(v));
}

/* Not above the 2^53 to which a double counts in ones. */
static enum err read_whole_real(struct reading *r, const json_t *v, int64_t *out) {
    double d = json_is_real(v) ? json_real_value(v) : NAN;
    if (!(d == floor(d)) || fabs(d) > 9007199254740992.0)
        return refuse(r, "is %s; allowed is a whole number", kind_of(v));
    *out = (int64_t)d;
    return ERR_OK;
}

static enum err read_integer(struct reading *r, const json_t *v, int64_t low, int64_t high,
                             int64_t *out) {
    enum err code = ERR_OK;
    if (json_is_integer(v))
        *out = json_integer_value(v);
    else if (!json_is_string(v))
        code = read_whole_real(r, v, out);
    else if (!str_to_int64(str_of(json_string_value(v)), out))
        code = refuse(r, "is \"%.40s\"; allowed is a whole number", json_string_value(v));
    if (code == ERR_OK && (*out < low || *out > high))
        code = refuse(r, "is %" PRId64 "; allowed are %" PRId64 "..%" PRId64, *out, low, high);
    return code;
}

static bool digits_to_uint64(const char *text, uint64_t *out) {
    *out = 0;
    if (!*text) return false;
    for (; *text; text++) {
        if (*text < '0' || *text > '9') return false;
        if (__builtin_mul_overflow(*out, (uint64_t)10, out)) return false;
        if (__builtin_add_overflow(*out, (uint64_t)(*text - '0'), out)) return false;
    }
    return true;
}

/* Above INT64_MAX only as a string: the JSON library's integers end there. */
static enum err read_uint64(struct reading *r, const json_t *v, uint64_t *out) {
    if (json_is_string(v) && digits_to_uint64(json_string_value(v), out)) return ERR_OK;
    int64_t whole = 0;
    enum err code = read_integer(r, v, 0, INT64_MAX, &whole);
    *out = (uint64_t)whole;
    return code;
}

static enum err read_enum(struct reading *r, const json_t *v, const ProtobufCEnumDescriptor *type,
                          int *out) {
    const ProtobufCEnumValue *value = NULL;
    json_int_t number = json_integer_value(v); /* 0 when it is none */
    if (json_is_integer(v) && number >= INT32_MIN && number <= INT32_MAX)
        value = protobuf_c_enum_descriptor_get_value(type, (int)number);
    else if (json_is_string(v))
        value = protobuf_c_enum_descriptor_get_value_by_name(type, json_string_value(v));
    if (!value) return refuse(r, "is no name of %s", type->short_name);
    *out = value->value;
    return ERR_OK;
}

static enum err read_bytes(struct reading *r, const json_t *v) {
    (void)v;
    return refuse(r, "cannot be given in JSON");
}

static enum err read_whole(struct reading *r, const json_t *v, ProtobufCType type, void *at) {
    int64_t whole = 0;
    enum err code = ERR_OK;
    switch (type) {
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
        code = read_integer(r, v, INT32_MIN, INT32_MAX, &whole);
        *(int32_t *)at = (int32_t)whole;
        break;
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        code = read_integer(r, v, 0, UINT32_MAX, &whole);
        *(uint32_t *)at = (uint32_t)whole;
        break;
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        code = read_uint64(r, v, at);
        break;
    default:
        code = read_integer(r, v, INT64_MIN, INT64_MAX, &whole);
        *(int64_t *)at = whole;
        break;
    }
    return code;
}

static enum err read_value(struct reading *r, const json_t *v, const ProtobufCFieldDescriptor *f,
                           void *at) {
    double number = 0;
    enum err code;
    switch (f->type) {
    case PROTOBUF_C_TYPE_DOUBLE:
        code = read_number(r, v, &number);
        *(double *)at = number;
        return code;
    case PROTOBUF_C_TYPE_FLOAT:
        code = read_number(r, v, &number);
        *(float *)at = (float)number;
        return code;
    case PROTOBUF_C_TYPE_BOOL:
        if (!json_is_boolean(v)) return refuse(r, "is %s; allowed are true, false", kind_of(v));
        *(protobuf_c_boolean *)at = json_is_true(v);
        return ERR_OK;
    case PROTOBUF_C_TYPE_ENUM:
        return read_enum(r, v, f->descriptor, at);
    case PROTOBUF_C_TYPE_STRING:
        if (!json_is_string(v)) return refuse(r, "is %s; allowed is a string", kind_of(v));
        *(char **)at = get_memory(json_string_length(v) + 1, 1);
        memcpy(*(char **)at, json_string_value(v), json_string_length(v));
        return ERR_OK;
    case PROTOBUF_C_TYPE_BYTES:
        return read_bytes(r, v);
    case PROTOBUF_C_TYPE_MESSAGE: {
        ProtobufCMessage *m = new_message(f->descriptor);
        *(ProtobufCMessage **)at = m; /* freed with its parent, whatever comes */
        return fill(r, v, m);
    }
    default:
        return read_whole(r, v, f->type, at);
    }
}

/* Extends the path for the time of one read; returns where to cut it again. */
static size_t descend(struct reading *r, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static size_t descend(struct reading *r, const char *format, ...) {
    size_t size = strlen(r->path);
    va_list args;
    va_start(args, format);
    (void)vsnprintf(r->path + size, sizeof r->path - size, format, args);
    va_end(args);
    return size;
}

static enum err read_map(struct reading *r, const json_t *v, const ProtobufCFieldDescriptor *f,
                         char *m) {
    if (!json_is_object(v)) return refuse(r, "is %s; allowed is an object", kind_of(v));
    const ProtobufCMessageDescriptor *type = f->descriptor;
    ProtobufCMessage **entries = get_memory(json_object_size(v), sizeof *entries);
    size_t *count = (size_t *)(void *)(m + f->quantifier_offset);
    *(ProtobufCMessage ***)(void *)(m + f->offset) = entries;
    const char *key;
    json_t *value;
    enum err code = ERR_OK;
    json_object_foreach((json_t *)v, key, value) {
        char *entry = (char *)new_message(type);
        entries[(*count)++] = (ProtobufCMessage *)(void *)entry;
        char *name = get_memory(strlen(key) + 1, 1);
        strcpy(name, key);
        *(char **)(void *)(entry + type->fields[0].offset) = name;
        size_t cut = descend(r, "[\"%.40s\"]", key);
        code = read_value(r, value, &type->fields[1], entry + type->fields[1].offset);
        if (code != ERR_OK) return code;
        r->path[cut] = '\0';
    }
    return ERR_OK;
}

static enum err read_array(struct reading *r, const json_t *v, const ProtobufCFieldDescriptor *f,
                           char *m) {
    if (!json_is_array(v)) return refuse(r, "is %s; allowed is an array", kind_of(v));
    size_t size = json_message_element_size(f->type);
    char *array = get_memory(json_array_size(v), size);
    size_t *count = (size_t *)(void *)(m + f->quantifier_offset);
    *(char **)(void *)(m + f->offset) = array;
    for (size_t i = 0; i < json_array_size(v); i++) {
        size_t cut = descend(r, "[%zu]", i);
        char *at = array + i * size;
        ++*count; /* also when it fails: what was made is freed with the message */
        if (f->type == PROTOBUF_C_TYPE_STRING) *(char **)(void *)at = NULL;
        enum err code = read_value(r, json_array_get(v, i), f, at);
        if (code != ERR_OK) return code;
        r->path[cut] = '\0';
    }
    return ERR_OK;
}

static const ProtobufCFieldDescriptor *find_field(const ProtobufCMessageDescriptor *type,
                                                  const char *key) {
    char name[JSON_NAME_BYTES];
    for (unsigned i = 0; i < type->n_fields; i++)
        if (strcmp(type->fields[i].name, key) == 0 ||
            strcmp(json_message_name(&type->fields[i], name), key) == 0)
            return &type->fields[i];
    return NULL;
}

static enum err refuse_unknown(struct reading *r, const ProtobufCMessageDescriptor *type,
                               const char *key) {
    char names[FIELDS_MAX][JSON_NAME_BYTES];
    const char *list[FIELDS_MAX];
    unsigned count = type->n_fields;
    for (unsigned i = 0; i < count; i++)
        list[i] = json_message_name(&type->fields[i], names[i]);
    const char *near = str_nearest(str_of(key), list, count);
    return refuse(r, "has an unknown field \"%.60s\"%s%s%s", key, near ? "; did you mean \"" : "",
                  near ? near : "", near ? "\"?" : "");
}

static enum err read_field(struct reading *r, const json_t *v, const ProtobufCFieldDescriptor *f,
                           ProtobufCMessage *m) {
    char *at = (char *)m;
    if (json_is_null(v)) return ERR_OK; /* the mapping: null is the default */
    if (json_message_is_map(f)) return read_map(r, v, f, at);
    if (f->label == PROTOBUF_C_LABEL_REPEATED) return read_array(r, v, f, at);
    if (f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) {
        uint32_t *which = (uint32_t *)(void *)(at + f->quantifier_offset);
        if (*which != 0) return refuse(r, "is given beside another member of its oneof");
        enum err code = read_value(r, v, f, at + f->offset);
        *which = f->id;
        return code;
    }
    return read_value(r, v, f, at + f->offset);
}

/* A bare value in place of an AttributeValue object: its kind follows from the JSON type. */
static const ProtobufCFieldDescriptor *bare_kind(const json_t *v,
                                                 const ProtobufCMessageDescriptor *type) {
    if (json_is_number(v)) return find_field(type, "number");
    if (json_is_string(v)) return find_field(type, "text");
    return NULL;
}

/* An array is a StringList; an object whose only member is not a kind is a NumberMap. */
static enum err fill_bare(struct reading *r, const json_t *v, ProtobufCMessage *m) {
    const ProtobufCMessageDescriptor *type = m->descriptor;
    const ProtobufCFieldDescriptor *f = bare_kind(v, type);
    if (f) return read_field(r, v, f, m);
    bool list = json_is_array(v);
    if (!list && !json_is_object(v))
        return refuse(r,
                      "is %s; allowed are a number, a string, an array of strings, an object "
                      "of numbers",
                      kind_of(v));
    f = find_field(type, list ? "list" : "map");
    ProtobufCMessage *inner = new_message(f->descriptor);
    *(ProtobufCMessage **)(void *)((char *)m + f->offset) = inner;
    *(uint32_t *)(void *)((char *)m + f->quantifier_offset) = f->id;
    return read_field(r, v, &inner->descriptor->fields[0], inner);
}

static bool is_kind_object(const json_t *v, const ProtobufCMessageDescriptor *type) {
    if (!json_is_object(v) || json_object_size(v) != 1) return false;
    const char *key = json_object_iter_key(json_object_iter((json_t *)v));
    return find_field(type, key) != NULL;
}

static enum err fill_members(struct reading *r, const json_t *object, ProtobufCMessage *m) {
    const ProtobufCMessageDescriptor *type = m->descriptor;
    if (!json_is_object(object)) return refuse(r, "is %s; allowed is an object", kind_of(object));
    uint64_t seen = 0; /* by index: the parser knows nothing of a field's two names */
    const char *key;
    json_t *value;
    assert(type->n_fields <= FIELDS_MAX);
    json_object_foreach((json_t *)object, key, value) {
        const ProtobufCFieldDescriptor *f = find_field(type, key);
        if (!f) return refuse_unknown(r, type, key);
        size_t cut = descend(r, "%s%.60s", r->path[0] ? "." : "", key);
        uint64_t bit = (uint64_t)1 << (f - type->fields);
        if (seen & bit) return refuse(r, "is given twice");
        seen |= bit;
        enum err code = read_field(r, value, f, m);
        if (code != ERR_OK) return code;
        r->path[cut] = '\0';
    }
    return ERR_OK;
}

static enum err fill(struct reading *r, const json_t *object, ProtobufCMessage *m) {
    const ProtobufCMessageDescriptor *type = m->descriptor;
    if (++r->depth > DEPTH_MAX) return refuse(r, "is nested deeper than %d", DEPTH_MAX);
    bool is_bare = json_message_is_attribute(type) && !is_kind_object(object, type);
    enum err code = is_bare ? fill_bare(r, object, m) : fill_members(r, object, m);
    r->depth--;
    return code;
}

enum err json_to_message(struct str json, const ProtobufCMessageDescriptor *type,
                         ProtobufCMessage **out, struct err_text *why) {
    *out = NULL;
    if (json.size > JSON_BYTES_MAX)
        return err_set(why, ERR_INVALID_ARGUMENT, "the JSON has %zu bytes; allowed are %d",
                       json.size, JSON_BYTES_MAX);
    json_error_t error;
    json_t *root = json_loadb(json.at ? json.at : "", json.size, JSON_REJECT_DUPLICATES, &error);
    if (!root)
        return err_set(why, ERR_INVALID_ARGUMENT, "this is no JSON: line %d, column %d: %s",
                       error.line, error.column, error.text);
    struct reading r = {.why = why};
    ProtobufCMessage *m = new_message(type);
    enum err code = fill(&r, root, m);
    json_decref(root);
    if (code == ERR_OK)
        *out = m;
    else
        protobuf_c_message_free_unpacked(m, NULL);
    return code;
}
