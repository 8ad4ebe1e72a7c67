/* config_test.c - order of sources, checks of values, and errors that help. */
#include "base/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct settings {
    char *api_listen;
    int64_t timeout_ms;
    bool verbose;
    char *level;
    bool check;
    char *token;
};

static const struct config_row rows[] = {
    {"api-listen", CONFIG_TEXT, "tcp://127.0.0.1:7350", 0, 0, "", NULL, "Where the api listens.",
     offsetof(struct settings, api_listen)},
    {"timeout-ms", CONFIG_INT, "5000", 1, 60000, "ms", NULL,
     "Longest time a request may take before it is answered with DEADLINE_EXCEEDED by the door.",
     offsetof(struct settings, timeout_ms)},
    {"verbose", CONFIG_BOOL, "false", 0, 0, "", NULL, "Says more.",
     offsetof(struct settings, verbose)},
    {"log-level", CONFIG_CHOICE, "info", 0, 0, "", "error|warn|info|debug", "How much is logged.",
     offsetof(struct settings, level)},
    {"check", CONFIG_ACTION, "false", 0, 0, "", NULL, "Only checks.",
     offsetof(struct settings, check)},
    {"token", CONFIG_SECRET, "", 0, 0, "", NULL, "What to say at the door.",
     offsetof(struct settings, token)},
};

struct fixture {
    struct config config;
    struct settings settings;
    struct err_text why;
};

static int set_up(void **state) {
    static struct fixture f;
    memset(&f, 0, sizeof f);
    config_init(&f.config, rows, sizeof rows / sizeof rows[0], &f.settings);
    *state = &f;
    return 0;
}

static int tear_down(void **state) {
    config_fini(&((struct fixture *)*state)->config);
    return 0;
}

static enum err read_text(struct fixture *f, const char *content) {
    char path[] = "/tmp/config_test.XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, content, strlen(content)), strlen(content));
    (void)close(fd);
    enum err code = config_read_file(&f->config, path, &f->why);
    (void)unlink(path);
    return code;
}

static enum err read_flags(struct fixture *f, int *argc, char **argv) {
    return config_read_flags(&f->config, argc, argv, &f->why);
}

static enum err read_variable(struct fixture *f, char *entry) {
    char *environment[] = {"PATH=/bin", entry, NULL};
    static const char *const others[] = {"MUSTER_TOKEN"};
    f->config.others = others;
    f->config.other_count = 1;
    return config_read_environment(&f->config, environment, &f->why);
}

static void fields_start_with_their_defaults(void **state) {
    struct fixture *f = *state;
    assert_string_equal(f->settings.api_listen, "tcp://127.0.0.1:7350");
    assert_int_equal(f->settings.timeout_ms, 5000);
    assert_false(f->settings.verbose);
    assert_string_equal(f->settings.level, "info");
    assert_string_equal(f->config.sources[1], "default");
}

static void flag_wins_over_environment_over_file_over_default(void **state) {
    struct fixture *f = *state;
    char *argv[] = {"--timeout-ms=40", NULL};
    int argc = 1;
    assert_int_equal(read_text(f, "timeout-ms = 20\n"), ERR_OK);
    assert_int_equal(f->settings.timeout_ms, 20);
    assert_int_equal(read_variable(f, "MUSTER_TIMEOUT_MS=30"), ERR_OK);
    assert_int_equal(f->settings.timeout_ms, 30);
    assert_int_equal(read_flags(f, &argc, argv), ERR_OK);
    assert_int_equal(f->settings.timeout_ms, 40);
    assert_string_equal(f->config.sources[1], "flag");
}

static void order_of_sources_holds_in_whatever_order_they_are_read(void **state) {
    struct fixture *f = *state;
    char *argv[] = {"--timeout-ms=40", NULL};
    int argc = 1;
    assert_int_equal(read_flags(f, &argc, argv), ERR_OK);
    assert_int_equal(read_variable(f, "MUSTER_TIMEOUT_MS=30"), ERR_OK);
    assert_int_equal(read_text(f, "timeout-ms = 20\nlog-level = warn"), ERR_OK);
    assert_int_equal(f->settings.timeout_ms, 40);
    assert_string_equal(f->settings.level, "warn");
    /* A value that loses is still checked. */
    assert_int_equal(read_text(f, "timeout-ms = zero\n"), ERR_INVALID_ARGUMENT);
}

static void unknown_key_names_the_nearest_known_one(void **state) {
    struct fixture *f = *state;
    char *argv[] = {"--api-lisen=x", NULL};
    int argc = 1;
    assert_int_equal(read_flags(f, &argc, argv), ERR_INVALID_ARGUMENT);
    assert_non_null(strstr(f->why.text, "\"api-lisen\""));
    assert_non_null(strstr(f->why.text, "\"api-listen\""));
    assert_int_equal(read_variable(f, "MUSTER_TIMEOUT=1"), ERR_INVALID_ARGUMENT);
    assert_non_null(strstr(f->why.text, "MUSTER_TIMEOUT;"));
    assert_non_null(strstr(f->why.text, "MUSTER_TIMEOUT_MS"));
    assert_int_equal(read_text(f, "# fine\n\nlog-levle = info\n"), ERR_INVALID_ARGUMENT);
    assert_non_null(strstr(f->why.text, ":3: "));
    assert_non_null(strstr(f->why.text, "\"log-level\""));
    assert_int_equal(read_variable(f, "MUSTER_NOTHING_LIKE_IT=1"), ERR_INVALID_ARGUMENT);
    assert_null(strstr(f->why.text, "nearest"));
}

static void number_outside_its_range_is_refused_with_the_range(void **state) {
    struct fixture *f = *state;
    const struct str bad[] = {STR("0"), STR("60001"), STR("-1"), STR("5s"), STR(""), STR("1e3")};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(config_set(&f->config, STR("timeout-ms"), bad[i], "flag", &f->why),
                         ERR_INVALID_ARGUMENT);
        assert_non_null(strstr(f->why.text, "1..60000 ms"));
        assert_string_equal(f->why.field, "timeout-ms");
    }
    assert_int_equal(f->settings.timeout_ms, 5000);
    assert_int_equal(config_set(&f->config, STR("timeout-ms"), STR("1"), "flag", &f->why), ERR_OK);
    assert_int_equal(config_set(&f->config, STR("timeout-ms"), STR("60000"), "flag", &f->why),
                     ERR_OK);
    assert_int_equal(f->settings.timeout_ms, 60000);
}

static void choice_and_truth_outside_the_list_are_refused(void **state) {
    struct fixture *f = *state;
    assert_int_equal(config_set(&f->config, STR("log-level"), STR("inf"), "file", &f->why),
                     ERR_INVALID_ARGUMENT);
    assert_non_null(strstr(f->why.text, "error|warn|info|debug"));
    assert_int_equal(config_set(&f->config, STR("log-level"), STR("error|warn"), "file", &f->why),
                     ERR_INVALID_ARGUMENT);
    assert_int_equal(config_set(&f->config, STR("verbose"), STR("maybe"), "file", &f->why),
                     ERR_INVALID_ARGUMENT);
    assert_int_equal(config_set(&f->config, STR("api-listen"), STR("a\nb"), "file", &f->why),
                     ERR_INVALID_ARGUMENT);
    assert_string_equal(f->settings.level, "info");
}

static void flags_are_taken_out_and_operands_keep_their_order(void **state) {
    struct fixture *f = *state;
    char *argv[] = {"muster", "--verbose",         "serve", "--api-listen", "ipc:///x",
                    "-",      "--log-level=debug", "last",  "--",           "--not-a-flag",
                    NULL};
    int argc = 10;
    assert_int_equal(read_flags(f, &argc, argv), ERR_OK);
    assert_int_equal(argc, 5);
    assert_string_equal(argv[0], "muster");
    assert_string_equal(argv[1], "serve");
    assert_string_equal(argv[2], "-");
    assert_string_equal(argv[3], "last");
    assert_string_equal(argv[4], "--not-a-flag");
    assert_null(argv[5]);
    assert_true(f->settings.verbose);
    assert_string_equal(f->settings.api_listen, "ipc:///x");
    assert_string_equal(f->settings.level, "debug");
}

static void no_form_turns_a_bool_off_and_only_a_bool(void **state) {
    struct fixture *f = *state;
    char *off[] = {"--verbose=true", "--no-verbose", NULL};
    char *wrong[] = {"--no-timeout-ms", NULL};
    int argc = 2;
    assert_int_equal(read_flags(f, &argc, off), ERR_OK);
    assert_false(f->settings.verbose);
    argc = 1;
    assert_int_equal(read_flags(f, &argc, wrong), ERR_INVALID_ARGUMENT);
}

static void flag_without_its_value_is_refused(void **state) {
    struct fixture *f = *state;
    char *at_end[] = {"--api-listen", NULL};
    char *before_flag[] = {"--api-listen", "--verbose", NULL};
    char *single_dash[] = {"-v", NULL};
    int argc = 1;
    assert_int_equal(read_flags(f, &argc, at_end), ERR_INVALID_ARGUMENT);
    argc = 2;
    assert_int_equal(read_flags(f, &argc, before_flag), ERR_INVALID_ARGUMENT);
    argc = 1;
    assert_int_equal(read_flags(f, &argc, single_dash), ERR_INVALID_ARGUMENT);
}

static void environment_lets_other_and_listed_names_pass(void **state) {
    struct fixture *f = *state;
    assert_int_equal(read_variable(f, "MUSTER_TOKEN=secret"), ERR_OK);
    assert_int_equal(read_variable(f, "MUSTARD=1"), ERR_OK);
    assert_int_equal(read_variable(f, "MUSTER_LOG_LEVEL=warn"), ERR_OK);
    assert_string_equal(f->settings.level, "warn");
    assert_int_equal(read_variable(f, "MUSTER_LOG_LEVEL=loud"), ERR_INVALID_ARGUMENT);
    assert_non_null(strstr(f->why.text, "MUSTER_LOG_LEVEL: "));
}

static void file_takes_comments_and_quoted_values(void **state) {
    struct fixture *f = *state;
    assert_int_equal(read_text(f, "  # top\r\n\tapi-listen=\"a # \\\"b\\\\\" # why\r\n"
                                  "log-level = debug # chatty\nverbose = 1"),
                     ERR_OK);
    assert_string_equal(f->settings.api_listen, "a # \"b\\");
    assert_string_equal(f->settings.level, "debug");
    assert_true(f->settings.verbose);
    assert_int_equal(read_text(f, "api-listen = a#b"), ERR_OK);
    assert_string_equal(f->settings.api_listen, "a#b");
    assert_int_equal(read_text(f, "api-listen = # nothing\n"), ERR_OK);
    assert_string_equal(f->settings.api_listen, "");
}

static void malformed_file_names_its_line(void **state) {
    struct fixture *f = *state;
    assert_int_equal(read_text(f, "verbose = true\nverbose\n"), ERR_INVALID_ARGUMENT);
    assert_non_null(strstr(f->why.text, ":2: "));
    assert_int_equal(read_text(f, "verbose = true\nverbose = false\n"), ERR_INVALID_ARGUMENT);
    assert_non_null(strstr(f->why.text, "set twice"));
    assert_int_equal(read_text(f, "api-listen = \"open\n"), ERR_INVALID_ARGUMENT);
    assert_int_equal(read_text(f, "api-listen = \"a\" b\n"), ERR_INVALID_ARGUMENT);
    assert_int_equal(config_read_file(&f->config, "/nonexistent/muster.conf", &f->why),
                     ERR_NOT_FOUND);
    assert_non_null(strstr(f->why.text, "/nonexistent/muster.conf"));
}

static void settings_of_others_in_the_file_are_passed_over(void **state) {
    struct fixture *f = *state;
    static const char *const others[] = {"MUSTER_LEASE_MS"};
    f->config.others = others;
    f->config.other_count = 1;
    assert_int_equal(read_text(f, "lease-ms = 5\ntimeout-ms = 7\n"), ERR_OK);
    assert_int_equal(f->settings.timeout_ms, 7);
    assert_int_equal(read_text(f, "lease-m = 5\n"), ERR_INVALID_ARGUMENT);
}

static void a_password_in_an_address_is_not_printed(void **state) {
    struct fixture *f = *state;
    struct strbuf out = {0};
    assert_int_equal(config_set(&f->config, STR("api-listen"),
                                STR("redis://me:geheim@[::1]:6379/0"), "flag", &f->why),
                     ERR_OK);
    config_print(&f->config, &out);
    assert_null(strstr(out.at, "geheim"));
    assert_non_null(strstr(out.at, "redis://***@[::1]:6379/0"));
    strbuf_fini(&out);
}

static void a_secret_is_not_printed(void **state) {
    struct fixture *f = *state;
    struct strbuf out = {0};
    config_print(&f->config, &out);
    assert_non_null(strstr(out.at, "token =   # default\n"));
    strbuf_clear(&out);
    assert_int_equal(config_set(&f->config, STR("token"), STR("geheim"), "flag", &f->why), ERR_OK);
    assert_string_equal(f->settings.token, "geheim");
    config_print(&f->config, &out);
    assert_null(strstr(out.at, "geheim"));
    assert_non_null(strstr(out.at, "token = ***  # flag\n"));
    strbuf_fini(&out);
}

static void an_action_is_for_flags_only_and_not_printed(void **state) {
    struct fixture *f = *state;
    struct strbuf out = {0};
    assert_int_equal(config_set(&f->config, STR("check"), STR("true"), "file", &f->why),
                     ERR_INVALID_ARGUMENT);
    assert_non_null(strstr(f->why.text, "command line only"));
    assert_int_equal(config_set(&f->config, STR("check"), STR("true"), "flag", &f->why), ERR_OK);
    assert_true(f->settings.check);
    config_print(&f->config, &out);
    assert_null(strstr(out.at, "check"));
    strbuf_fini(&out);
}

static void printed_settings_read_back_the_same(void **state) {
    struct fixture *f = *state;
    struct strbuf first = {0};
    const struct str values[] = {STR(""), STR(" a # \"x\\ "), STR("#b"), STR("\"q\""),
                                 STR("plain\\n")};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        assert_int_equal(config_set(&f->config, STR("api-listen"), values[i], "file", &f->why),
                         ERR_OK);
        strbuf_clear(&first);
        config_print(&f->config, &first);
        assert_int_equal(config_set(&f->config, STR("api-listen"), STR("other"), "file", &f->why),
                         ERR_OK);
        assert_int_equal(read_text(f, first.at), ERR_OK);
        assert_true(str_equal(str_of(f->settings.api_listen), values[i]));
    }
    assert_non_null(strstr(first.at, "timeout-ms = 5000  # file\n"));
    strbuf_fini(&first);
}

static void help_has_every_row_with_default_and_variable_in_100_columns(void **state) {
    struct fixture *f = *state;
    struct strbuf help = {0};
    config_help(&f->config, &help);
    assert_non_null(strstr(help.at, "  --api-listen TEXT   Where the api listens. (default "
                                    "tcp://127.0.0.1:7350, MUSTER_API_LISTEN)\n"));
    assert_non_null(strstr(help.at, "  --timeout-ms 1..60000   Longest"));
    assert_non_null(strstr(help.at, "5000 ms"));
    assert_non_null(strstr(help.at, "  --[no-]verbose   Says more. (default false, "));
    assert_non_null(strstr(help.at, "--log-level error|warn|info|debug "));
    assert_null(strstr(help.at, "MUSTER_CHECK")); /* an action has no variable */
    for (const char *line = help.at; *line;) {
        const char *end = strchr(line, '\n');
        assert_non_null(end);
        assert_true(end - line <= 100);
        line = end + 1;
    }
    strbuf_fini(&help);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(fields_start_with_their_defaults),
        CASE(flag_wins_over_environment_over_file_over_default),
        CASE(order_of_sources_holds_in_whatever_order_they_are_read),
        CASE(unknown_key_names_the_nearest_known_one),
        CASE(number_outside_its_range_is_refused_with_the_range),
        CASE(choice_and_truth_outside_the_list_are_refused),
        CASE(flags_are_taken_out_and_operands_keep_their_order),
        CASE(no_form_turns_a_bool_off_and_only_a_bool),
        CASE(flag_without_its_value_is_refused),
        CASE(environment_lets_other_and_listed_names_pass),
        CASE(file_takes_comments_and_quoted_values),
        CASE(malformed_file_names_its_line),
        CASE(settings_of_others_in_the_file_are_passed_over),
        CASE(a_password_in_an_address_is_not_printed),
        CASE(a_secret_is_not_printed),
        CASE(an_action_is_for_flags_only_and_not_printed),
        CASE(printed_settings_read_back_the_same),
        CASE(help_has_every_row_with_default_and_variable_in_100_columns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
