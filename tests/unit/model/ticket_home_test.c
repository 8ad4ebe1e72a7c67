/* ticket_home_test.c - what tickets share, and what becomes of what they give back. */
#include "model/ticket_home.h"

#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct ticket_spec one_of(struct arena *arena, struct str queue, struct str attribute) {
    struct str *queues = arena_alloc(arena, sizeof *queues);
    struct attribute *attributes = arena_alloc(arena, sizeof *attributes);
    struct player *player = arena_alloc(arena, sizeof *player);
    *queues = queue;
    *attributes = (struct attribute){.name = attribute, .number = 1500};
    *player = (struct player){STR("ann"), attributes, NULL, 1, 0};
    return (struct ticket_spec){queues, player, 1, 1};
}

static void assert_names(const struct ticket *t, const char *queue, struct str attribute) {
    struct arena *arena = arena_new(0);
    struct ticket_spec spec = ticket_spec(t, arena);
    assert_true(str_equal(spec.queues[0], str_of(queue)));
    assert_true(str_equal(spec.players[0].attributes[0].name, attribute));
    arena_free(arena);
}

static void tickets_that_say_the_same_by_name_share_a_form(void **state) {
    (void)state;
    struct arena *arena = arena_new(0);
    struct ticket_home *home = ticket_home_new();
    struct ticket_origin origin = {.home = home};
    struct ticket_spec a = one_of(arena, STR("q"), STR("skill")),
                       b = one_of(arena, STR("q"), STR("level"));
    struct ticket *first = ticket_new((struct id){1, 1}, &a, &origin);
    struct ticket *second = ticket_new((struct id){1, 2}, &a, &origin);
    struct ticket *third = ticket_new((struct id){1, 3}, &b, &origin);
    assert_ptr_equal(first->form, second->form);
    assert_ptr_not_equal(first->form, third->form);
    assert_int_equal(ticket_home_forms(home), 2);
    ticket_free(first);
    assert_names(second, "q", STR("skill"));
    ticket_free(second);
    assert_int_equal(ticket_home_forms(home), 1);
    ticket_free(third);
    assert_int_equal(ticket_home_forms(home), 0);
    ticket_home_free(home);
    arena_free(arena);
}

/* Names that clients invent cost their own tickets memory, not the table: forms_unshared_total. */
static void a_full_table_gives_tickets_forms_of_their_own(void **state) {
    (void)state;
    struct arena *arena = arena_new(0);
    enum { TICKETS = TICKET_FORMS_MAX + 10 };
    struct ticket_home *home = ticket_home_new();
    struct ticket_origin origin = {.home = home};
    struct ticket **all = mem_array(TICKETS, sizeof *all);
    struct ticket_spec known = one_of(arena, STR("q"), STR("skill"));
    struct ticket *before = ticket_new((struct id){1, 1}, &known, &origin);
    for (uint32_t i = 0; i < TICKETS; i++) {
        struct ticket_spec spec = one_of(arena, STR("q"), arena_printf(arena, "junk%u", i));
        all[i] = ticket_new((struct id){2, i}, &spec, &origin);
        assert_names(all[i], "q", spec.players[0].attributes[0].name);
    }
    assert_int_equal(ticket_home_forms(home), TICKET_FORMS_MAX);
    assert_int_equal(ticket_home_unshared(home), TICKETS - (TICKET_FORMS_MAX - 1));
    struct ticket *after = ticket_new((struct id){1, 2}, &known, &origin);
    assert_ptr_equal(before->form, after->form); /* what was known stays so */
    for (uint32_t i = 0; i < TICKETS; i++)
        ticket_free(all[i]);
    ticket_free(before);
    ticket_free(after);
    assert_int_equal(ticket_home_forms(home), 0);
    mem_free(all);
    ticket_home_free(home);
    arena_free(arena);
}

static void blocks_are_zeroed_and_used_again_by_size(void **state) {
    (void)state;
    struct ticket_home *h = ticket_home_new();
    unsigned units, again;
    char *small = ticket_home_take(h, 150, &units);
    memset(small, 0xAA, 150);
    ticket_home_give(h, small, units);
    char *larger = ticket_home_take(h, 170, &again);
    assert_ptr_not_equal(larger, small);
    char *same = ticket_home_take(h, 129, &units);
    assert_ptr_equal(same, small);
    for (int i = 0; i < 129; i++)
        assert_int_equal(same[i], 0);
    ticket_home_give(h, larger, again);
    ticket_home_give(h, same, units);
    void *huge = ticket_home_take(h, 100000, &units), *alone = ticket_home_take(NULL, 150, &again);
    assert_true(units == 0 && again == 0);
    ticket_home_give(h, huge, units);
    ticket_home_give(NULL, alone, again);
    ticket_home_free(h);
}

/* A crowd that comes again finds the memory that it left. */
static void a_home_holds_what_the_most_took(void **state) {
    (void)state;
    enum { TICKETS = 20000 };
    struct arena *arena = arena_new(0);
    struct ticket_home *home = ticket_home_new();
    struct ticket_origin origin = {.home = home};
    struct ticket_spec spec = one_of(arena, STR("q"), STR("skill"));
    struct ticket **all = mem_array(TICKETS, sizeof *all);
    size_t most = 0;
    for (int round = 0; round < 3; round++) {
        for (uint32_t i = 0; i < TICKETS; i++)
            all[i] = ticket_new((struct id){1, i}, &spec, &origin);
        for (uint32_t i = 0; i < TICKETS; i++)
            ticket_free(all[i]);
        if (round == 0) most = ticket_home_bytes(home);
        assert_int_equal(ticket_home_bytes(home), most);
    }
    assert_true(most >= (size_t)TICKETS * 128 && most < (size_t)TICKETS * 256);
    mem_free(all);
    ticket_home_free(home);
    arena_free(arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tickets_that_say_the_same_by_name_share_a_form),
        cmocka_unit_test(a_full_table_gives_tickets_forms_of_their_own),
        cmocka_unit_test(blocks_are_zeroed_and_used_again_by_size),
        cmocka_unit_test(a_home_holds_what_the_most_took),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
