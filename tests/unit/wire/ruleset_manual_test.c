/* ruleset_manual_test.c - the examples of model/RULESETS.md are what they say: every JSON block is
 * accepted, and the matches under it are allowed (✓) or refused (✗) by it.
 *
 * A block is a definition; a rule or a list of rules; or members of a ruleset. The latter two stand
 * in the teams and attributes that the manual's section "Rules" names.
 */
#include "support/match_text.h"
#include "wire/queue_json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#define EXAMPLES_LEAST 20

static const char head[] =
    "{\"name\":\"q\",\"ruleset\":{\"ruleLanguageVersion\":\"1.0\",\"playerAttributes\":["
    "{\"name\":\"skill\",\"type\":\"number\",\"default\":10},"
    "{\"name\":\"mode\",\"type\":\"string\",\"default\":\"duel\"},"
    "{\"name\":\"maps\",\"type\":\"string_number_map\",\"default\":{}},"
    "{\"name\":\"likes\",\"type\":\"string_list\",\"default\":[]},"
    "{\"name\":\"character\",\"type\":\"string_list\",\"default\":[]},"
    "{\"name\":\"plays\",\"type\":\"string_list\",\"default\":[]},"
    "{\"name\":\"avoid\",\"type\":\"string_list\",\"default\":[]},"
    "{\"name\":\"met\",\"type\":\"string_list\",\"default\":[]}],"
    "\"teams\":[{\"name\":\"red\",\"minPlayers\":1,\"maxPlayers\":3},"
    "{\"name\":\"blue\",\"minPlayers\":1,\"maxPlayers\":3}],";

static struct strbuf read_manual(void) {
    struct strbuf text = {0};
    FILE *f = fopen(TEST_ROOT "/src/model/RULESETS.md", "rb");
    if (!f) fail_msg("cannot open RULESETS.md");
    for (int c; (c = fgetc(f)) != EOF;)
        strbuf_add_char(&text, (char)c);
    (void)fclose(f);
    return text;
}

/* The block as a whole definition. */
static void complete(struct str block, struct strbuf *out) {
    struct strbuf copy = {0};
    strbuf_add_str(&copy, block);
    bool whole = strstr(copy.at, "\"ruleset\"") || strstr(copy.at, "\"teamSize\"");
    bool members = strstr(copy.at, "\"rules\":") == copy.at + 1;
    strbuf_clear(out);
    if (whole) {
        strbuf_add_str(out, block);
    } else if (members) { /* without their brackets */
        strbuf_printf(out, "%s%.*s}}", head, (int)block.size - 1, block.at + 1);
        char *end = strrchr(out->at, '}'); /* the block's own closed the ruleset */
        *end = '\0';
        out->size--;
    } else {
        bool list = block.at[0] == '[';
        strbuf_printf(out, "%s\"rules\":%s%.*s%s}}", head, list ? "" : "[", (int)block.size,
                      block.at, list ? "" : "]");
    }
    strbuf_fini(&copy);
}

static void judge(const struct ruleset *r, int64_t age_ms, struct str match, bool legal) {
    char text[256];
    assert_true(match.size < sizeof text);
    (void)snprintf(text, sizeof text, "%.*s", STR_PRINT(match));
    if (match_text_legal(r, age_ms, text) != legal)
        fail_msg("RULESETS.md: `%s` is%s legal", text, legal ? " not" : "");
}

/* The line under a block: "✓ `match` · after 20 s: ✗ `match`". Returns how many there are. */
static unsigned judge_line(const struct ruleset *r, struct str line) {
    unsigned count = 0;
    int64_t age_ms = 0;
    for (size_t i = 0; i < line.size; i++) {
        struct str rest = {line.at + i, line.size - i};
        if (str_starts(rest, STR("after "))) age_ms = strtoll(rest.at + 6, NULL, 10) * 1000;
        bool legal = str_starts(rest, STR("✓ `"));
        if (!legal && !str_starts(rest, STR("✗ `"))) continue;
        const char *start = rest.at + sizeof "✓ `" - 1;
        const char *end = memchr(start, '`', (size_t)(line.at + line.size - start));
        assert_non_null(end);
        judge(r, age_ms, (struct str){start, (size_t)(end - start)}, legal);
        i = (size_t)(end - line.at);
        count++;
    }
    return count;
}

static void every_example_of_the_manual_is_what_it_says(void **state) {
    (void)state;
    struct strbuf manual = read_manual(), json = {0};
    unsigned examples = 0, matches = 0;
    for (const char *at = manual.at; (at = strstr(at, "\n```json\n"));) {
        const char *start = at + 9, *end = strstr(start, "\n```\n");
        assert_non_null(end);
        complete((struct str){start, (size_t)(end - start)}, &json);
        struct queue_def *def = NULL;
        struct err_text why = {0};
        if (queue_json_parse(strbuf_str(&json), false, &def, NULL, &why))
            fail_msg("RULESETS.md: %s\n%s", why.text, json.at);
        const char *line = end + 5, *line_end = strchr(line, '\n');
        matches += judge_line(def->ruleset, (struct str){line, (size_t)(line_end - line)});
        queue_def_free(def);
        examples++;
        at = end;
    }
    print_message("%u examples, %u matches\n", examples, matches);
    assert_true(examples >= EXAMPLES_LEAST && matches >= 2 * EXAMPLES_LEAST);
    strbuf_fini(&manual);
    strbuf_fini(&json);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_example_of_the_manual_is_what_it_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
