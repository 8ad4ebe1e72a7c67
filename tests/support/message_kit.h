/* message_kit.h - every message type of proto/, and random messages of a type.
 *
 * Random messages are what the JSON mapping can carry: numbers finite, map keys unique, no bytes.
 */
#ifndef MUSTER_TESTS_SUPPORT_MESSAGE_KIT_H
#define MUSTER_TESTS_SUPPORT_MESSAGE_KIT_H

#include "muster/v1/envelope.pb-c.h"
#include "muster/v1/events.pb-c.h"
#include "muster/v1/matches.pb-c.h"
#include "muster/v1/queues.pb-c.h"
#include "muster/v1/socketio.pb-c.h"
#include "muster/v1/system.pb-c.h"
#include "muster/v1/tickets.pb-c.h"
#include "support/wire_kit.h"
#include "wire/json_message.h"

static const ProtobufCMessageDescriptor *const message_kit_types[] = {
    &muster__v1__player__descriptor,
    &muster__v1__ticket__descriptor,
    &muster__v1__match__descriptor,
    &muster__v1__status__descriptor,
    &muster__v1__create_ticket_request__descriptor,
    &muster__v1__create_ticket_response__descriptor,
    &muster__v1__create_tickets_request__descriptor,
    &muster__v1__create_tickets_response__descriptor,
    &muster__v1__get_ticket_request__descriptor,
    &muster__v1__get_ticket_response__descriptor,
    &muster__v1__list_tickets_request__descriptor,
    &muster__v1__list_tickets_response__descriptor,
    &muster__v1__cancel_ticket_request__descriptor,
    &muster__v1__cancel_ticket_response__descriptor,
    &muster__v1__watch_ticket_request__descriptor,
    &muster__v1__watch_ticket_response__descriptor,
    &muster__v1__explain_ticket_request__descriptor,
    &muster__v1__explain_ticket_response__descriptor,
    &muster__v1__get_match_request__descriptor,
    &muster__v1__get_match_response__descriptor,
    &muster__v1__list_matches_request__descriptor,
    &muster__v1__list_matches_response__descriptor,
    &muster__v1__put_queue_request__descriptor,
    &muster__v1__put_queue_response__descriptor,
    &muster__v1__get_queue_request__descriptor,
    &muster__v1__get_queue_response__descriptor,
    &muster__v1__list_queues_request__descriptor,
    &muster__v1__list_queues_response__descriptor,
    &muster__v1__delete_queue_request__descriptor,
    &muster__v1__delete_queue_response__descriptor,
    &muster__v1__get_queue_stats_request__descriptor,
    &muster__v1__get_queue_stats_response__descriptor,
    &muster__v1__validate_ruleset_request__descriptor,
    &muster__v1__validate_ruleset_response__descriptor,
    &muster__v1__event__descriptor,
    &muster__v1__event_batch__descriptor,
    &muster__v1__replay_events_request__descriptor,
    &muster__v1__replay_events_response__descriptor,
    &muster__v1__join_queue_request__descriptor,
    &muster__v1__ticket_key__descriptor,
    &muster__v1__list_queues_reply__descriptor,
    &muster__v1__ticket_update__descriptor,
    &muster__v1__resync__descriptor,
    &muster__v1__check_request__descriptor,
    &muster__v1__check_response__descriptor,
    &muster__v1__get_status_request__descriptor,
    &muster__v1__get_status_response__descriptor,
};

#define MESSAGE_KIT_TYPES (sizeof message_kit_types / sizeof message_kit_types[0])

static inline void *message_kit_memory(size_t count, size_t size) {
    void *p = calloc(count ? count : 1, size); /* freed by the library with free() */
    if (!p) abort();
    return p;
}

static inline char *message_kit_string(struct str s) {
    char *copy = message_kit_memory(s.size + 1, 1);
    if (s.size) memcpy(copy, s.at, s.size);
    return copy;
}

static inline ProtobufCMessage *message_kit_random(struct wire_kit *k,
                                                   const ProtobufCMessageDescriptor *type);

/* Integers of every size, the extremes too. */
static inline uint64_t message_kit_integer(struct wire_kit *k) {
    uint64_t bits = rng_next(&k->rng) >> wire_kit_below(k, 64);
    return wire_kit_below(k, 2) ? bits : ~bits;
}

static inline void message_kit_value(struct wire_kit *k, const ProtobufCFieldDescriptor *f,
                                     char *at) {
    const ProtobufCEnumDescriptor *type = f->descriptor;
    uint64_t integer = message_kit_integer(k);
    double number = wire_kit_double(k);
    switch (f->type) {
    case PROTOBUF_C_TYPE_DOUBLE:
        if (number == 0) number = 0; /* -0.0: the library takes it for the default */
        memcpy(at, &number, sizeof number);
        break;
    case PROTOBUF_C_TYPE_BOOL:
        *(protobuf_c_boolean *)(void *)at = (protobuf_c_boolean)(integer & 1);
        break;
    case PROTOBUF_C_TYPE_ENUM:
        *(int *)(void *)at = type->values[integer % type->n_values].value;
        break;
    case PROTOBUF_C_TYPE_STRING:
        *(char **)(void *)at = message_kit_string(wire_kit_text(k, 8));
        break;
    case PROTOBUF_C_TYPE_MESSAGE:
        *(ProtobufCMessage **)(void *)at = message_kit_random(k, f->descriptor);
        break;
    case PROTOBUF_C_TYPE_BYTES:
        break;
    default:
        memcpy(at, &integer, json_message_element_size(f->type));
        break;
    }
}

static inline void message_kit_repeated(struct wire_kit *k, const ProtobufCFieldDescriptor *f,
                                        char *m) {
    size_t count = wire_kit_below(k, 4), size = json_message_element_size(f->type);
    char *array = count ? message_kit_memory(count, size) : NULL;
    for (size_t i = 0; i < count; i++) {
        message_kit_value(k, f, array + i * size);
        if (!json_message_is_map(f)) continue;
        char *entry = ((char **)(void *)array)[i];
        const ProtobufCMessageDescriptor *pair = f->descriptor;
        char **key = (char **)(void *)(entry + pair->fields[0].offset);
        if (*key != pair->fields[0].default_value) free(*key);
        *key = message_kit_string(wire_kit_name(k, (uint32_t)i));
    }
    memcpy(m + f->quantifier_offset, &count, sizeof count);
    memcpy(m + f->offset, &array, sizeof array);
}

/* One member of each oneof. */
static inline bool message_kit_chosen(struct wire_kit *k, const ProtobufCFieldDescriptor *f,
                                      char *m) {
    uint32_t which;
    memcpy(&which, m + f->quantifier_offset, sizeof which);
    if (which != 0 || wire_kit_below(k, 3)) return false;
    memcpy(m + f->quantifier_offset, &f->id, sizeof f->id);
    return true;
}

static inline ProtobufCMessage *message_kit_random(struct wire_kit *k,
                                                   const ProtobufCMessageDescriptor *type) {
    char *m = message_kit_memory(1, type->sizeof_message);
    protobuf_c_message_init(type, m);
    bool entry = type->n_fields == 2 && strcmp(type->fields[0].name, "key") == 0;
    for (unsigned i = 0; i < type->n_fields; i++) {
        const ProtobufCFieldDescriptor *f = &type->fields[i];
        if (f->label == PROTOBUF_C_LABEL_REPEATED)
            message_kit_repeated(k, f, m);
        else if (f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) {
            if (message_kit_chosen(k, f, m)) message_kit_value(k, f, m + f->offset);
        } else if (entry || wire_kit_below(k, 4))
            message_kit_value(k, f, m + f->offset);
    }
    if (json_message_is_attribute(type)) { /* one without a kind is null, which nobody may send */
        const ProtobufCFieldDescriptor *number = &type->fields[0];
        uint32_t which;
        memcpy(&which, m + number->quantifier_offset, sizeof which);
        if (which == 0) memcpy(m + number->quantifier_offset, &number->id, sizeof number->id);
    }
    return (ProtobufCMessage *)(void *)m;
}

static inline struct strbuf message_kit_pack(const ProtobufCMessage *m) {
    struct strbuf b = {0};
    size_t size = protobuf_c_message_get_packed_size(m);
    b.size = protobuf_c_message_pack(m, (uint8_t *)strbuf_reserve(&b, size));
    return b;
}

#endif
