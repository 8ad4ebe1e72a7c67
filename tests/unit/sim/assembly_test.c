/* assembly_test.c - groups, and what they remember of whom they had no room for. */
#include "support/sim_kit.h"

#include "sim/assembly.h"

static void tickets_alike_are_of_one_kind(void **state) {
    (void)state;
    struct sim_kit k;
    sim_kit_draw(&k, "W3", 20, 60);
    field_init(&k.field, &k.trace, k.def->ruleset, k.roles);
    size_t shared = 0;
    for (size_t a = 0; a < 300; a++) {
        for (size_t b = 0; b < a; b++) {
            const struct field_ticket *x = &k.field.tickets[a], *y = &k.field.tickets[b];
            bool alike = x->players == y->players && x->regions == y->regions &&
                         memcmp(x->roles, y->roles, x->players) == 0;
            assert_true((x->kind == y->kind) == alike);
            shared += alike;
        }
    }
    assert_true(shared > 100);
    sim_kit_close(&k);
}

/* Whatever was added since, asking again and asking for one alike is refused as well. */
static void what_a_group_had_no_room_for_it_never_has(void **state) {
    (void)state;
    struct sim_kit k;
    sim_kit_draw(&k, "W3", 20, 30);
    field_init(&k.field, &k.trace, k.def->ruleset, k.roles);
    size_t full = 0;
    for (uint32_t first = 0; first < 200; first++) {
        struct assembly taken, asked;
        assembly_begin(&taken, &k.field);
        for (uint32_t t = first; t < k.trace.count && !assembly_full(&taken); t++) {
            uint8_t kind = k.field.tickets[t].kind;
            bool refused = assembly_refused(&taken, kind);
            asked = taken;
            memset(asked.refused, 0, sizeof asked.refused); /* it remembers nothing */
            bool added = assembly_add(&asked, t);
            assert_true(!refused || !added);
            assert_true(assembly_add(&taken, t) == added);
        }
        full += assembly_full(&taken);
    }
    assert_true(full > 100);
    sim_kit_close(&k);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tickets_alike_are_of_one_kind),
        cmocka_unit_test(what_a_group_had_no_room_for_it_never_has),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
