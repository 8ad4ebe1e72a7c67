/* anonymise.c - replaces players' names by keyed hashes. */
#include "wire/anonymise.h"

#include "wire/json.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

static char *hashed(const char *name, const struct anonymiser *a, struct arena *arena) {
    uint64_t hash = siphash(a->key, str_of(name));
    return (char *)arena_printf(arena, "p%016" PRIx64, hash).at;
}

/* A queue's author is a name like any, and a trace leads to its caller. */
static bool holds_players(const char *field) {
    size_t size = strlen(field);
    return strcmp(field, "player_id") == 0 || strcmp(field, "author") == 0 ||
           strcmp(field, "traceparents") == 0 || strcmp(field, "traceparent") == 0 ||
           (size >= 10 && strcmp(field + size - 10, "player_ids") == 0);
}

/* Where a field's values are, and how many. */
static void *values_of(ProtobufCMessage *m, const ProtobufCFieldDescriptor *f, size_t *count) {
    char *at = (char *)m + f->offset;
    if (f->label == PROTOBUF_C_LABEL_REPEATED) {
        *count = *(size_t *)(void *)((char *)m + f->quantifier_offset);
        return *(void **)(void *)at;
    }
    bool absent = (f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) &&
                  *(uint32_t *)(void *)((char *)m + f->quantifier_offset) != f->id;
    *count = absent ? 0 : 1;
    return at;
}

static void replace_texts(ProtobufCMessage *m, const ProtobufCFieldDescriptor *f,
                          const struct anonymiser *a, struct arena *arena) {
    size_t count;
    char **texts = values_of(m, f, &count);
    for (size_t i = 0; i < count; i++)
        if (texts[i] && texts[i][0]) texts[i] = hashed(texts[i], a, arena);
}

static const ProtobufCFieldDescriptor *field_named(const ProtobufCMessage *m, const char *name) {
    return protobuf_c_message_descriptor_get_field_by_name(m->descriptor, name);
}

/* The list of an attribute's value: m is an entry of a player's map of attributes. */
static void replace_list(ProtobufCMessage *entry, const struct anonymiser *a, struct arena *arena) {
    size_t count;
    ProtobufCMessage **value = values_of(entry, field_named(entry, "value"), &count);
    if (!*value) return;
    ProtobufCMessage **list = values_of(*value, field_named(*value, "list"), &count);
    if (count == 0 || !*list) return;
    replace_texts(*list, field_named(*list, "values"), a, arena);
}

static bool is_entry_of_list(ProtobufCMessage *m, const struct anonymiser *a) {
    if (strcmp(m->descriptor->short_name, "AttributesEntry") != 0) return false;
    size_t count;
    char **key = values_of(m, field_named(m, "key"), &count);
    for (size_t i = 0; i < a->list_count; i++)
        if (*key && str_equal(str_of(*key), a->lists[i])) return true;
    return false;
}

static void replace_names(ProtobufCMessage *m, const struct anonymiser *a, struct arena *arena) {
    if (is_entry_of_list(m, a)) {
        replace_list(m, a, arena);
        return;
    }
    for (unsigned i = 0; i < m->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *f = &m->descriptor->fields[i];
        if (f->type == PROTOBUF_C_TYPE_STRING && holds_players(f->name))
            replace_texts(m, f, a, arena);
        if (f->type != PROTOBUF_C_TYPE_MESSAGE) continue;
        size_t count;
        ProtobufCMessage **parts = values_of(m, f, &count);
        for (size_t k = 0; k < count; k++)
            if (parts[k]) replace_names(parts[k], a, arena);
    }
}

static void *take_memory(void *arena, size_t size) {
    return arena_alloc(arena, size);
}

static void keep_memory(void *arena, void *at) {
    (void)arena; /* it goes as a whole */
    (void)at;
}

ProtobufCMessage *anonymise_message(const ProtobufCMessage *m, const struct anonymiser *a,
                                    struct arena *arena) {
    ProtobufCAllocator allocator = {take_memory, keep_memory, arena};
    size_t size = protobuf_c_message_get_packed_size(m);
    uint8_t *bytes = arena_alloc(arena, size + 1);
    protobuf_c_message_pack(m, bytes);
    ProtobufCMessage *copy = protobuf_c_message_unpack(m->descriptor, &allocator, size, bytes);
    assert(copy); /* it was packed a line above */
    replace_names(copy, a, arena);
    return copy;
}

size_t anonymise_lists_of(struct str definition_json, struct arena *arena, struct str *names) {
    static const char *const parts[ANONYMISE_LISTS_MAX] = {"avoid", "recent"};
    struct strbuf ruleset = {0}, muster = {0};
    size_t found = 0;
    bool has = json_member(definition_json, "ruleset", &ruleset) &&
               json_member(strbuf_str(&ruleset), "muster", &muster);
    for (size_t i = 0; has && i < ANONYMISE_LISTS_MAX; i++) {
        struct strbuf part = {0}, name = {0};
        if (json_member(strbuf_str(&muster), parts[i], &part) &&
            json_member(strbuf_str(&part), "attribute", &name) && name.size > 2)
            names[found++] = arena_str(arena, (struct str){name.at + 1, name.size - 2});
        strbuf_fini(&part);
        strbuf_fini(&name);
    }
    strbuf_fini(&ruleset);
    strbuf_fini(&muster);
    return found;
}
