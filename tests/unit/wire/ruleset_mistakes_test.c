/* ruleset_mistakes_test.c - the catalogue of mistakes: what is said of each wrong definition in
 * mistakes.txt, word by word and with its place.
 *
 * A case is a line "# title", the definition, and what is told of it, a line "> LINE:COLUMN text"
 * each, "note: " in front of what is no error; the place is left out where there is none.
 * MISTAKES_PRINT=1 prints the catalogue as it would be now, for reading and for taking over.
 */
#include "wire/queue_report.h"

#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CASES_LEAST 100

static struct strbuf read_catalogue(void) {
    struct strbuf text = {0};
    FILE *f = fopen(TEST_ROOT "/tests/unit/wire/mistakes.txt", "rb");
    if (!f) fail_msg("cannot open mistakes.txt");
    for (int c; (c = fgetc(f)) != EOF;)
        strbuf_add_char(&text, (char)c);
    (void)fclose(f);
    return text;
}

static struct str next_line(struct str *rest) {
    const char *end = memchr(rest->at, '\n', rest->size);
    size_t size = end ? (size_t)(end - rest->at) : rest->size, used = end ? size + 1 : size;
    struct str line = {rest->at, size};
    *rest = (struct str){rest->at + used, rest->size - used};
    return line;
}

struct mistake {
    struct str title;
    struct strbuf json, told;
};

/* False at the end. */
static bool next_mistake(struct str *rest, struct mistake *m) {
    strbuf_clear(&m->json);
    strbuf_clear(&m->told);
    if (rest->size == 0) return false;
    m->title = next_line(rest);
    assert_true(str_starts(m->title, STR("# ")));
    while (rest->size && rest->at[0] != '#') {
        struct str line = next_line(rest);
        bool told = str_starts(line, STR("> "));
        if (told) line = (struct str){line.at + 2, line.size - 2};
        struct strbuf *into = told ? &m->told : &m->json;
        strbuf_add_str(into, line);
        strbuf_add_char(into, '\n');
    }
    if (m->json.size) m->json.at[--m->json.size] = '\0'; /* the last line's end is the file's */
    return true;
}

static void add_places(const char *kind, const struct problems *all, struct strbuf *out) {
    for (size_t i = 0; i < all->count; i++) {
        const struct problem *p = &all->at[i];
        if (p->line) strbuf_printf(out, "%u:%u ", p->line, p->column);
        strbuf_printf(out, "%s%s\n", kind, p->what.text);
    }
}

/* What is told of it now. */
static void tell(const struct mistake *m, struct strbuf *out) {
    struct queue_report r;
    strbuf_clear(out);
    queue_report_make(strbuf_str(&m->json), false, &r);
    add_places("", &r.problems, out);
    if (r.ok) add_places("note: ", &r.notes, out);
    queue_report_fini(&r);
}

static void print_mistake(const struct mistake *m, const struct strbuf *told) {
    printf("%.*s\n%s\n", STR_PRINT(m->title), m->json.at);
    for (struct str rest = strbuf_str(told); rest.size;) {
        struct str line = next_line(&rest);
        printf("> %.*s\n", STR_PRINT(line));
    }
}

static void every_mistake_is_told_as_the_catalogue_says(void **state) {
    (void)state;
    struct strbuf catalogue = read_catalogue(), told = {0};
    struct str rest = strbuf_str(&catalogue);
    struct mistake m = {0};
    unsigned count = 0, wrong = 0;
    bool print = getenv("MISTAKES_PRINT");
    for (; next_mistake(&rest, &m); count++) {
        tell(&m, &told);
        if (print) print_mistake(&m, &told);
        if (told.size && str_equal(strbuf_str(&told), strbuf_str(&m.told))) continue;
        wrong++;
        if (print) continue;
        print_error("%.*s\nexpected:\n%stold:\n%s\n", STR_PRINT(m.title), m.told.at, told.at);
    }
    strbuf_fini(&m.json);
    strbuf_fini(&m.told);
    strbuf_fini(&told);
    strbuf_fini(&catalogue);
    print_message("%u mistakes\n", count);
    assert_int_equal(wrong, 0);
    assert_true(count >= CASES_LEAST);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_mistake_is_told_as_the_catalogue_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
