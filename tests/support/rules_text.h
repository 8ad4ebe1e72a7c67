/* rules_text.h - builds a ruleset from the members of a document written with ' for ".
 *
 * The last one built lives until the next; give rules_free as the group's teardown.
 */
#ifndef MUSTER_TESTS_SUPPORT_RULES_TEXT_H
#define MUSTER_TESTS_SUPPORT_RULES_TEXT_H

#include "wire/queue_json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct queue_def *rules_built;
static struct strbuf rules_notes; /* of the last one */

/* ERR_OK, or why not. */
static inline enum err rules_try(const char *members, struct err_text *why) {
    struct strbuf json = {0};
    strbuf_printf(&json, "{'name':'q','ruleset':{'ruleLanguageVersion':'1.0',%s}}", members);
    for (size_t i = 0; i < json.size; i++) {
        if (json.at[i] == '\'') json.at[i] = '"';
    }
    queue_def_free(rules_built);
    strbuf_clear(&rules_notes);
    enum err code = queue_json_parse(strbuf_str(&json), false, &rules_built, &rules_notes, why);
    strbuf_fini(&json);
    return code;
}

static inline const struct ruleset *rules(const char *members) {
    struct err_text why = {0};
    if (rules_try(members, &why)) fail_msg("%s", why.text);
    return rules_built->ruleset;
}

static inline int rules_free(void **state) {
    (void)state;
    queue_def_free(rules_built);
    rules_built = NULL;
    strbuf_fini(&rules_notes);
    return 0;
}

#define TWO_TEAMS                                            \
    "'teams':[{'name':'red','minPlayers':1,'maxPlayers':3}," \
    "{'name':'blue','minPlayers':1,'maxPlayers':3}]"
#define MAYBE_TEAMS                                          \
    "'teams':[{'name':'red','minPlayers':1,'maxPlayers':3}," \
    "{'name':'blue','minPlayers':0,'maxPlayers':3}]"
#define ATTRIBUTES                                                       \
    "'playerAttributes':[{'name':'skill','type':'number','default':10}," \
    "{'name':'mode','type':'string','default':'duel'},"                  \
    "{'name':'likes','type':'string_list','default':[]},"                \
    "{'name':'maps','type':'string_number_map','default':{}}]"
#define ONE_RULE(rule) ATTRIBUTES "," TWO_TEAMS ",'rules':[{'name':'r'," rule "}]"

#endif
