/* fields_test.c - every row of fields.h against the descriptors made from proto/. */
#include "wire/fields.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "muster/journal/v1/journal.pb-c.h"
#include "muster/v1/backfills.pb-c.h"
#include "muster/v1/envelope.pb-c.h"
#include "muster/v1/events.pb-c.h"
#include "muster/v1/matches.pb-c.h"
#include "muster/v1/queues.pb-c.h"
#include "muster/v1/system.pb-c.h"
#include "muster/v1/tickets.pb-c.h"

#include <stdio.h>
#include <string.h>

struct row {
    const char *message, *field;
    uint32_t number;
    enum pb_wire wire;
};

static const struct row rows[] = {
#define FIELD_ROW(message, field, number, wire) {#message, #field, number, wire},
    FIELD_TABLE(FIELD_ROW)
#undef FIELD_ROW
};

#define ROW_COUNT (sizeof rows / sizeof rows[0])

/* All messages that are not inside another one of this list. */
static const ProtobufCMessageDescriptor *const roots[] = {
    &muster__v1__request__descriptor,
    &muster__v1__response__descriptor,
    &muster__v1__create_ticket_request__descriptor,
    &muster__v1__create_tickets_request__descriptor,
    &muster__v1__create_tickets_response__descriptor,
    &muster__v1__get_ticket_request__descriptor,
    &muster__v1__get_ticket_response__descriptor,
    &muster__v1__list_tickets_request__descriptor,
    &muster__v1__list_tickets_response__descriptor,
    &muster__v1__cancel_ticket_request__descriptor,
    &muster__v1__watch_ticket_request__descriptor,
    &muster__v1__explain_ticket_request__descriptor,
    &muster__v1__explain_ticket_response__descriptor,
    &muster__v1__get_match_request__descriptor,
    &muster__v1__get_match_response__descriptor,
    &muster__v1__list_matches_request__descriptor,
    &muster__v1__list_matches_response__descriptor,
    &muster__v1__accept_match_request__descriptor,
    &muster__v1__decline_match_request__descriptor,
    &muster__v1__assign_match_request__descriptor,
    &muster__v1__complete_match_request__descriptor,
    &muster__v1__cancel_match_request__descriptor,
    &muster__v1__leave_match_request__descriptor,
    &muster__v1__create_backfill_request__descriptor,
    &muster__v1__get_backfill_request__descriptor,
    &muster__v1__get_backfill_response__descriptor,
    &muster__v1__update_backfill_request__descriptor,
    &muster__v1__cancel_backfill_request__descriptor,
    &muster__v1__heartbeat_tickets_request__descriptor,
    &muster__v1__update_ticket_request__descriptor,
    &muster__v1__heartbeat_tickets_response__descriptor,
    &muster__v1__put_queue_request__descriptor,
    &muster__v1__put_queue_response__descriptor,
    &muster__v1__get_queue_request__descriptor,
    &muster__v1__get_queue_response__descriptor,
    &muster__v1__list_queue_versions_request__descriptor,
    &muster__v1__list_queue_versions_response__descriptor,
    &muster__v1__list_queues_response__descriptor,
    &muster__v1__delete_queue_request__descriptor,
    &muster__v1__get_queue_stats_request__descriptor,
    &muster__v1__get_queue_stats_response__descriptor,
    &muster__v1__validate_ruleset_request__descriptor,
    &muster__v1__validate_ruleset_response__descriptor,
    &muster__v1__event_batch__descriptor,
    &muster__v1__replay_events_request__descriptor,
    &muster__v1__replay_events_response__descriptor,
    &muster__v1__check_response__descriptor,
    &muster__v1__get_status_response__descriptor,
    &muster__journal__v1__entry__descriptor,
};

/* The schema has no message that contains itself. */
static const ProtobufCMessageDescriptor *find_in(const ProtobufCMessageDescriptor *m,
                                                 const char *name) {
    if (strcmp(m->short_name, name) == 0) return m;
    for (unsigned i = 0; i < m->n_fields; i++) {
        if (m->fields[i].type != PROTOBUF_C_TYPE_MESSAGE) continue;
        const ProtobufCMessageDescriptor *found = find_in(m->fields[i].descriptor, name);
        if (found) return found;
    }
    return NULL;
}

static const ProtobufCMessageDescriptor *find(const char *name) {
    for (size_t i = 0; i < sizeof roots / sizeof *roots; i++) {
        const ProtobufCMessageDescriptor *found = find_in(roots[i], name);
        if (found) return found;
    }
    fail_msg("no message %s in proto/", name);
    return NULL;
}

static enum pb_wire wire_of(const ProtobufCFieldDescriptor *f) {
    switch (f->type) {
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_BYTES:
    case PROTOBUF_C_TYPE_MESSAGE:
        return PB_BYTES;
    case PROTOBUF_C_TYPE_DOUBLE:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_SFIXED64:
        return PB_FIXED64;
    case PROTOBUF_C_TYPE_FLOAT:
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_SFIXED32:
        return PB_FIXED32;
    default:
        /* zigzag is another coding, packed another wire type: pb.h has neither */
        assert_true(f->type != PROTOBUF_C_TYPE_SINT32 && f->type != PROTOBUF_C_TYPE_SINT64);
        assert_true(f->label != PROTOBUF_C_LABEL_REPEATED);
        return PB_VARINT;
    }
}

static void every_row_is_what_proto_says(void **state) {
    (void)state;
    for (size_t i = 0; i < ROW_COUNT; i++) {
        const ProtobufCFieldDescriptor *f =
            protobuf_c_message_descriptor_get_field_by_name(find(rows[i].message), rows[i].field);
        if (!f) fail_msg("%s has no field %s", rows[i].message, rows[i].field);
        if (f->id != rows[i].number || wire_of(f) != rows[i].wire)
            fail_msg("%s.%s is %u of wire type %d in proto/, not %u of %d", rows[i].message,
                     rows[i].field, f->id, wire_of(f), rows[i].number, rows[i].wire);
    }
}

static bool has_row(const char *message, const char *field) {
    for (size_t i = 0; i < ROW_COUNT; i++)
        if (strcmp(rows[i].message, message) == 0 && strcmp(rows[i].field, field) == 0) return true;
    return false;
}

/* A field added to proto/ alone would be sent by nobody and read by nobody. */
static void every_field_of_a_listed_message_has_a_row(void **state) {
    (void)state;
    for (size_t i = 0; i < ROW_COUNT; i++) {
        const ProtobufCMessageDescriptor *m = find(rows[i].message);
        for (unsigned n = 0; n < m->n_fields; n++)
            if (!has_row(rows[i].message, m->fields[n].name))
                fail_msg("%s.%s has no row", rows[i].message, m->fields[n].name);
    }
}

static void keys_hold_number_and_wire_type(void **state) {
    (void)state;
    assert_int_equal(Request_method, 0x0A);
    assert_int_equal(Request_timeout_ms, 0x18);
    assert_int_equal(AttributeValue_number, 0x09);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_is_what_proto_says),
        cmocka_unit_test(every_field_of_a_listed_message_has_a_row),
        cmocka_unit_test(keys_hold_number_and_wire_type),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
