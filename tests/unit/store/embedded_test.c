/* embedded_test.c - the private redis-server starts, is restarted, is alone in its folder, ends. */
#include "store/embedded.h"

#include "base/clock.h"
#include "store/redis.h"
#include "support/redis_fixture.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
    char folder[64], state[80];
    char value[64]; /* of the last ask() */
    struct embedded *embedded;
};

static void make(struct fixture *f) {
    (void)signal(SIGPIPE, SIG_IGN);
    redis_fixture_folder(f->folder);
    (void)snprintf(f->state, sizeof f->state, "%s/state", f->folder);
    struct err_text why;
    if (embedded_start(&f->embedded, f->state, &why)) fail_msg("%s", why.text);
}

static void ensure(struct embedded *e) {
    struct err_text why;
    if (embedded_ensure(e, &why)) fail_msg("%s", why.text);
}

static int server_pid(const struct fixture *f) {
    char path[120];
    int pid = 0;
    (void)snprintf(path, sizeof path, "%s/redis.pid", f->state);
    FILE *file = fopen(path, "re");
    if (!file) return 0;
    if (fscanf(file, "%d", &pid) != 1) pid = 0;
    (void)fclose(file);
    return pid;
}

static void ask(struct fixture *f, const char *command, const char *key, const char *value) {
    struct address a;
    struct err_text why;
    struct redis *r;
    struct redisReply *reply;
    assert_int_equal(address_embedded(&a, f->state, &why), ERR_OK);
    if (redis_open(&r, &a, 5000, &why)) fail_msg("%s", why.text);
    struct str words[] = {str_of(command), str_of(key), str_of(value)};
    int64_t until_us = clock_mono_us() + 10000000;
    enum err e;
    /* it listens before it has loaded its data */
    while ((e = redis_run(r, words, value ? 3 : 2, &reply, &why)) && !redis_broken(r) &&
           strstr(why.text, "LOADING") && clock_mono_us() < until_us)
        redis_fixture_nap();
    if (e) fail_msg("%s", why.text);
    if (redis_reply_count(reply) == 2)
        (void)snprintf(f->value, sizeof f->value, "%.*s",
                       STR_PRINT(redis_reply_str(redis_reply_at(reply, 1))));
    else
        (void)snprintf(f->value, sizeof f->value, "%.*s", STR_PRINT(redis_reply_str(reply)));
    redis_reply_free(reply);
    redis_close(r);
}

static bool gone_within(int pid, int64_t ms) {
    int64_t until_us = clock_mono_us() + ms * 1000;
    char path[64], state;
    (void)snprintf(path, sizeof path, "/proc/%d/stat", pid);
    for (;;) {
        FILE *f = fopen(path, "re");
        if (!f) return true;
        bool zombie = fscanf(f, "%*d (%*[^)]) %c", &state) == 1 && state == 'Z';
        (void)fclose(f);
        if (zombie) return true;
        if (clock_mono_us() > until_us) return false;
        redis_fixture_nap();
    }
}

static void server_writes_each_append_to_disk_and_evicts_nothing(void **state) {
    (void)state;
    struct fixture f;
    make(&f);
    ensure(f.embedded);
    ask(&f, "CONFIG", "GET", "appendfsync");
    assert_string_equal(f.value, "always");
    ask(&f, "CONFIG", "GET", "appendonly");
    assert_string_equal(f.value, "yes");
    ask(&f, "CONFIG", "GET", "maxmemory-policy");
    assert_string_equal(f.value, "noeviction");
    ask(&f, "CONFIG", "GET", "port");
    assert_string_equal(f.value, "0");
    embedded_stop(f.embedded);
    redis_fixture_remove(f.folder);
}

static void killed_server_is_started_again_with_its_data(void **state) {
    (void)state;
    struct fixture f;
    make(&f);
    ensure(f.embedded);
    ask(&f, "SET", "a", "kept");
    int pid = server_pid(&f);
    ensure(f.embedded);
    assert_int_equal(server_pid(&f), pid); /* it runs: nothing to do */
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_true(gone_within(pid, 5000));
    struct err_text why;
    int64_t until_us = clock_mono_us() + 10000000;
    /* one call may just meet it dying: the pump, too, calls again */
    while (embedded_ensure(f.embedded, &why) || server_pid(&f) == pid)
        if (clock_mono_us() > until_us) fail_msg("%s", why.text);
    ask(&f, "GET", "a", NULL);
    assert_string_equal(f.value, "kept");
    pid = server_pid(&f);
    embedded_stop(f.embedded);
    assert_true(gone_within(pid, 0));
    redis_fixture_remove(f.folder);
}

static void second_process_on_the_same_folder_is_refused(void **state) {
    (void)state;
    struct fixture f;
    struct embedded *second;
    struct err_text why;
    make(&f);
    assert_int_equal(embedded_start(&second, f.state, &why), ERR_FAILED_PRECONDITION);
    assert_non_null(strstr(why.text, "another muster process uses the state folder"));
    assert_null(second);
    embedded_stop(f.embedded);
    assert_int_equal(embedded_start(&second, f.state, &why), ERR_OK);
    embedded_stop(second);
    redis_fixture_remove(f.folder);
}

static void server_ends_with_a_killed_parent_and_the_next_one_finds_the_data(void **state) {
    (void)state;
    struct fixture f;
    char byte;
    int ready[2];
    make(&f);
    embedded_stop(f.embedded);
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        struct err_text why;
        struct embedded *e;
        bool good = !embedded_start(&e, f.state, &why) && !embedded_ensure(e, &why);
        if (good) ask(&f, "SET", "a", "kept");
        if (write(ready[1], good ? "y" : "n", 1) != 1) _exit(1);
        for (;;)
            (void)pause();
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_int_equal(byte, 'y');
    int server = server_pid(&f);
    (void)kill(child, SIGKILL);
    (void)waitpid(child, NULL, 0);
    struct err_text why;
    assert_int_equal(embedded_start(&f.embedded, f.state, &why), ERR_OK);
    ensure(f.embedded);
    assert_int_not_equal(server_pid(&f), server);
    assert_true(gone_within(server, 5000));
    ask(&f, "GET", "a", NULL);
    assert_string_equal(f.value, "kept");
    embedded_stop(f.embedded);
    (void)close(ready[0]);
    (void)close(ready[1]);
    redis_fixture_remove(f.folder);
}

static void missing_program_is_named(void **state) {
    (void)state;
    char *path = strdup(getenv("PATH")), folder[64];
    redis_fixture_folder(folder);
    (void)setenv("PATH", "/nonexistent", 1);
    struct embedded *e;
    struct err_text why;
    assert_int_equal(embedded_start(&e, folder, &why), ERR_FAILED_PRECONDITION);
    (void)setenv("PATH", path, 1);
    free(path);
    assert_non_null(strstr(why.text, "redis-server is not in PATH"));
    redis_fixture_remove(folder);
}

static void server_that_cannot_start_points_to_its_log(void **state) {
    (void)state;
    struct fixture f;
    struct err_text why;
    char path[160];
    make(&f);
    (void)snprintf(path, sizeof path, "%s/redis/appendonlydir", f.state);
    FILE *file = fopen(path, "we"); /* a file where Redis wants a folder */
    assert_non_null(file);
    (void)fclose(file);
    assert_int_equal(embedded_ensure(f.embedded, &why), ERR_UNAVAILABLE);
    assert_non_null(strstr(why.text, "ended (status 1)"));
    assert_non_null(strstr(why.text, "redis.log"));
    assert_int_equal(unlink(path), 0);
    ensure(f.embedded);
    embedded_stop(f.embedded);
    redis_fixture_remove(f.folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(server_writes_each_append_to_disk_and_evicts_nothing),
        cmocka_unit_test(killed_server_is_started_again_with_its_data),
        cmocka_unit_test(second_process_on_the_same_folder_is_refused),
        cmocka_unit_test(server_ends_with_a_killed_parent_and_the_next_one_finds_the_data),
        cmocka_unit_test(missing_program_is_named),
        cmocka_unit_test(server_that_cannot_start_points_to_its_log),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
