/* mem_test.c - arenas: alignment, caps, reuse. */
#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void memory_of_an_arena_is_zeroed_and_aligned_even_when_reused(void **state) {
    (void)state;
    struct arena *a = arena_new(0);
    for (int round = 0; round < 3; round++) {
        for (size_t size = 0; size < 3000; size += 37) {
            unsigned char *p = arena_alloc(a, size);
            assert_int_equal((uintptr_t)p % 16, 0);
            for (size_t i = 0; i < size; i++)
                assert_int_equal(p[i], 0);
            memset(p, 0xAB, size);
        }
        assert_true(arena_used(a) > 100000);
        arena_reset(a);
        assert_int_equal(arena_used(a), 0);
    }
    arena_free(a);
}

static void try_gives_null_once_the_cap_is_reached_and_room_again_after_reset(void **state) {
    (void)state;
    struct arena *a = arena_new(1000);
    assert_non_null(arena_try(a, 600));
    assert_null(arena_try(a, 600));
    assert_non_null(arena_try(a, 300));
    assert_null(arena_try(a, SIZE_MAX));
    assert_null(arena_try(a, SIZE_MAX - 3));
    arena_reset(a);
    assert_non_null(arena_try(a, 600));
    arena_free(a);
}

static void block_larger_than_usual_is_served(void **state) {
    (void)state;
    struct arena *a = arena_new(0);
    char *small = arena_alloc(a, 10);
    char *large = arena_alloc(a, 1000000);
    memset(large, 1, 1000000);
    assert_int_equal(small[0], 0);
    arena_reset(a);
    assert_non_null(arena_alloc(a, 10));
    arena_free(a);
    arena_free(NULL);
}

static void texts_of_an_arena_end_in_nul(void **state) {
    (void)state;
    struct arena *a = arena_new(0);
    struct str copy = arena_str(a, (struct str){"abcdef", 3});
    assert_int_equal(copy.size, 3);
    assert_string_equal(copy.at, "abc");
    struct str printed = arena_printf(a, "%s=%0100d", "n", 7);
    assert_int_equal(printed.size, 102);
    assert_int_equal(printed.at[102], '\0');
    assert_string_equal(arena_str(a, STR_EMPTY).at, "");
    arena_free(a);
}

static void copied_text_is_independent(void **state) {
    (void)state;
    char source[] = "hello";
    char *copy = mem_text((struct str){source, 4});
    source[0] = 'X';
    assert_string_equal(copy, "hell");
    mem_free(copy);
    mem_free(NULL);
}

static void passing_the_cap_with_alloc_aborts(void **state) {
    (void)state;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDERR_FILENO);
        (void)signal(SIGABRT, SIG_DFL);
        (void)arena_alloc(arena_new(64), 128);
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

static int touched(char *hidden) {
    pid_t child = fork();
    if (child == 0) {
        (void)close(STDERR_FILENO);
        _exit(*(volatile char *)hidden);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static void hidden_memory_is_reported_until_it_is_lent(void **state) {
    (void)state;
    char *p = mem_alloc(64);
    mem_hide(p + 8, 56);
#ifdef __SANITIZE_ADDRESS__
    assert_int_not_equal(touched(p + 8), 0);
#endif
    assert_int_equal(touched(p), 0);
    mem_lend(p + 8, 56);
    assert_int_equal(touched(p + 8), 0);
    mem_free(p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_of_an_arena_is_zeroed_and_aligned_even_when_reused),
        cmocka_unit_test(try_gives_null_once_the_cap_is_reached_and_room_again_after_reset),
        cmocka_unit_test(block_larger_than_usual_is_served),
        cmocka_unit_test(texts_of_an_arena_end_in_nul),
        cmocka_unit_test(copied_text_is_independent),
        cmocka_unit_test(passing_the_cap_with_alloc_aborts),
        cmocka_unit_test(hidden_memory_is_reported_until_it_is_lent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
