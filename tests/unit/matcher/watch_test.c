/* watch_test.c - held long polls are found by ticket and by deadline, and never twice. */
#include "matcher/watch.h"

#include "base/limits.h"
#include "base/metrics.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void answered(void *transport, enum err code, const struct err_text *why,
                     struct str payload) {
    (void)transport;
    (void)code;
    (void)why;
    (void)payload;
}

static struct call *new_call(int64_t deadline_us) {
    struct call *c = call_new(0, answered, NULL);
    c->deadline_us = deadline_us;
    return c;
}

static void end(struct call *c) {
    call_reply(c, ERR_OK, NULL, STR_EMPTY);
}

static const struct id a = {1, 1}, b = {1, 2}, none = {9, 9};

static void change_takes_all_watches_of_its_ticket_and_no_other(void **state) {
    (void)state;
    struct watches w = {0};
    struct call *calls[3], *other = new_call(1000000);
    struct id id;
    for (int i = 0; i < 3; i++) {
        calls[i] = new_call(1000000 + i);
        assert_true(watch_add(&w, a, calls[i]));
    }
    assert_true(watch_add(&w, b, other));
    watch_note(&w, a);
    watch_note(&w, none);
    watch_note(&w, a);
    unsigned taken = 0;
    for (struct call *c; (c = watch_take_changed(&w, &id)); taken++) {
        assert_true(id_equal(id, a) && c != other);
        end(c);
    }
    assert_int_equal(taken, 3);
    assert_int_equal(w.count, 1);
    watch_note(&w, b);
    assert_ptr_equal(watch_take_changed(&w, &id), other);
    assert_null(watch_take_changed(&w, &id));
    end(other);
    watch_fini(&w);
    assert_int_equal(call_open_count(), 0);
}

static void deadlines_are_taken_in_order_with_a_margin(void **state) {
    (void)state;
    struct watches w = {0};
    struct id id;
    struct call *late = new_call(5000000), *soon = new_call(3000000), *mid = new_call(4000000);
    assert_int_equal(watch_due_us(&w), INT64_MAX);
    assert_true(watch_add(&w, a, late) && watch_add(&w, a, soon) && watch_add(&w, a, mid));
    int64_t due_us = watch_due_us(&w);
    assert_in_range(due_us, 2800000, 2999999);
    assert_null(watch_take_due(&w, due_us - 1, &id));
    assert_ptr_equal(watch_take_due(&w, due_us, &id), soon);
    assert_ptr_equal(watch_take_due(&w, INT64_MAX, &id), mid);
    watch_note(&w, a);
    assert_ptr_equal(watch_take_changed(&w, &id), late);
    assert_null(watch_take_due(&w, INT64_MAX, &id));
    end(late);
    end(soon);
    end(mid);
    watch_fini(&w);
}

static void watches_above_the_limit_are_refused(void **state) {
    (void)state;
    struct watches w = {0};
    struct id id;
    for (uint64_t i = 0; i < LIMIT_WATCHERS; i++)
        assert_true(watch_add(&w, (struct id){2, i}, new_call((int64_t)i)));
    struct call *more = new_call(1);
    int64_t refused = metric_get(METRIC_watchers_refused_total);
    assert_false(watch_add(&w, a, more));
    assert_int_equal(metric_get(METRIC_watchers_refused_total), refused + 1);
    end(watch_take_due(&w, INT64_MAX, &id));
    assert_true(watch_add(&w, a, more));
    for (struct call *c; (c = watch_take_due(&w, INT64_MAX, &id));)
        end(c);
    assert_int_equal(call_open_count(), 0);
    watch_fini(&w);
}

static void change_nobody_watches_is_not_remembered(void **state) {
    (void)state;
    struct watches w = {0};
    struct id id;
    watch_note(&w, a);
    struct call *c = new_call(1);
    assert_true(watch_add(&w, a, c));
    assert_null(watch_take_changed(&w, &id));
    end(watch_take_due(&w, INT64_MAX, &id));
    watch_fini(&w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(change_takes_all_watches_of_its_ticket_and_no_other),
        cmocka_unit_test(deadlines_are_taken_in_order_with_a_margin),
        cmocka_unit_test(watches_above_the_limit_are_refused),
        cmocka_unit_test(change_nobody_watches_is_not_remembered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
