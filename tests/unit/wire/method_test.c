/* method_test.c - the method table against the services that proto/ declares. */
#include "wire/method.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/limits.h"
#include "muster/v1/backfills.pb-c.h"
#include "muster/v1/events.pb-c.h"
#include "muster/v1/matches.pb-c.h"
#include "muster/v1/queues.pb-c.h"
#include "muster/v1/system.pb-c.h"
#include "muster/v1/tickets.pb-c.h"

#include <string.h>

static const ProtobufCServiceDescriptor *const services[] = {
    &muster__v1__tickets__descriptor, &muster__v1__matches__descriptor,
    &muster__v1__queues__descriptor,  &muster__v1__events__descriptor,
    &muster__v1__system__descriptor,  &muster__v1__backfills__descriptor,
};

static bool is_declared(const char *name) {
    const char *slash = strchr(name, '/');
    for (size_t i = 0; i < sizeof services / sizeof *services; i++) {
        size_t size = strlen(services[i]->name);
        if ((size_t)(slash - name) != size || memcmp(services[i]->name, name, size) != 0) continue;
        if (protobuf_c_service_descriptor_get_method_by_name(services[i], slash + 1)) return true;
    }
    return false;
}

static void every_method_is_declared_in_proto_and_found_by_its_full_name(void **state) {
    (void)state;
    for (int i = 0; i < METHOD_COUNT; i++) {
        const struct method *m = method_row((enum method_id)i);
        assert_int_equal(m->id, i);
        assert_true(is_declared(m->name));
        assert_ptr_equal(method_find(str_of(m->name)), m);
        assert_in_range(m->timeout_ms, 1, LIMIT_TIMEOUT_MS);
    }
}

static void a_name_that_is_not_exactly_a_method_is_none(void **state) {
    (void)state;
    assert_null(method_find(STR_EMPTY));
    assert_null(method_find(STR("Tickets/CreateTicket")));
    assert_null(method_find(STR("/muster.v1.Tickets/CreateTicket")));
    assert_null(method_find(STR("muster.v1.Tickets/CreateTicket ")));
    assert_null(method_find(STR("muster.v1.Tickets/CreateTicket\0")));
    assert_null(method_find(STR("muster.v1.Tickets/createticket")));
    assert_null(method_find(STR("muster.v1.Tickets/NoSuchTicket")));
}

static void what_changes_state_is_what_needs_a_request_id(void **state) {
    (void)state;
    static const char *const prefixes[] = {"Create",  "Cancel", "Put",      "Delete", "Accept",
                                           "Decline", "Assign", "Complete", "Update", "Leave"};
    for (int i = 0; i < METHOD_COUNT; i++) {
        const struct method *m = method_row((enum method_id)i);
        bool changes = false;
        for (size_t p = 0; p < sizeof prefixes / sizeof *prefixes; p++)
            changes |= str_starts(str_of(strchr(m->name, '/') + 1), str_of(prefixes[p]));
        assert_int_equal(m->mutating, changes);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_method_is_declared_in_proto_and_found_by_its_full_name),
        cmocka_unit_test(a_name_that_is_not_exactly_a_method_is_none),
        cmocka_unit_test(what_changes_state_is_what_needs_a_request_id),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
