/* why_text.c - an explanation in sentences for the player who waits. */
#include "model/why.h"

#include <math.h>
#include <string.h>

static void add_duration(struct strbuf *out, int64_t ms) {
    int64_t s = ms < 1000 ? (ms > 0) : (ms + 500) / 1000;
    if (s < 120)
        strbuf_printf(out, "%lld s", (long long)s);
    else
        strbuf_printf(out, "%lld min", (long long)((s + 59) / 60));
}

static const char *plural(uint64_t count) {
    return count == 1 ? "" : "s";
}

static void say_place(const struct why *w, struct strbuf *out) {
    strbuf_printf(out, "You have waited ");
    add_duration(out, w->age_ms);
    if (w->tickets_queued == 1)
        strbuf_printf(out, " and are the only one in the queue.\n");
    else
        strbuf_printf(out, " and are number %llu of %llu in the queue.\n",
                      (unsigned long long)w->position, (unsigned long long)w->tickets_queued);
}

/* ---- rules ---- */

static const struct why_rule *rule_at(const struct why *w, uint32_t index) {
    return &w->rules[index];
}

static bool is_latency(const struct why_rule *rule) {
    return strcmp(rule->type, "latency") == 0;
}

/* The bound that expands next, of the one in force. */
static const struct ruleset_number *next_number(const struct why_rule *rule, double bound) {
    for (uint32_t i = 0; i < rule->number_count; i++) {
        const struct ruleset_number *n = &rule->numbers[i];
        if (n->now == bound && n->next_ms != INT64_MAX) return n;
    }
    return NULL;
}

static void say_expansion(const struct why *w, const struct why_rule *rule, double bound,
                          struct strbuf *out) {
    const struct ruleset_number *n = next_number(rule, bound);
    if (!n) return;
    strbuf_printf(out, "In ");
    add_duration(out, n->next_ms - w->age_ms);
    if (isfinite(n->next))
        strbuf_printf(out, " the limit of %.6g becomes %.6g.\n", n->now, n->next);
    else
        strbuf_printf(out, " the limit of %.6g goes.\n", n->now);
}

static void say_miss_numbers(const struct why_rule *rule, const struct why_miss *miss,
                             struct strbuf *out) {
    if (is_latency(rule)) {
        strbuf_printf(out,
                      "The nearest other has %.6g ms in the best region that you share; "
                      "allowed are %.6g.\n",
                      miss->measured, miss->bound);
    } else if (rule->attribute.size) {
        strbuf_printf(out, "The nearest other is %.6g away in %.*s; allowed are %.6g.\n",
                      miss->measured, STR_PRINT(rule->attribute), miss->bound);
    } else {
        strbuf_printf(out,
                      "With the nearest other, rule \"%.*s\" measures %.6g; the limit is "
                      "%.6g.\n",
                      STR_PRINT(rule->name), miss->measured, miss->bound);
    }
}

static void say_miss(const struct why *w, struct strbuf *out) {
    const struct why_miss *miss = &w->miss;
    if (!miss->ticket) return;
    const struct why_rule *rule = rule_at(w, miss->rule);
    if (miss->has_numbers)
        say_miss_numbers(rule, miss, out);
    else if (is_latency(rule))
        strbuf_printf(out, "The nearest other shares no region with you.\n");
    else if (rule->attribute.size)
        strbuf_printf(out, "The nearest other has a different %.*s.\n", STR_PRINT(rule->attribute));
    else
        strbuf_printf(out, "The nearest other does not meet rule \"%.*s\" with you.\n",
                      STR_PRINT(rule->name));
    if (miss->admitted_in_ms != INT64_MAX) {
        strbuf_printf(out, "In ");
        add_duration(out, miss->admitted_in_ms);
        if (miss->has_numbers && isfinite(miss->admitting) && miss->failing == 1)
            strbuf_printf(out, " the limit becomes %.6g, which admits that one.\n",
                          miss->admitting);
        else
            strbuf_printf(out, " the limits are wide enough for that one.\n");
    } else if (miss->has_numbers) {
        say_expansion(w, rule, miss->bound, out);
    }
}

/* ---- reasons ---- */

static void say_fitting(const struct why *w, struct strbuf *out) {
    uint32_t others = w->fitting_players;
    if (others == 0) {
        strbuf_printf(out, "No other player who waits near you fits now");
    } else if (w->players - w->own_players < others) {
        strbuf_printf(out, "%u other players who fit you are waiting%s, but not all fit each other",
                      others, w->near_is_all ? "" : " near you");
    } else
        strbuf_printf(out, "%u other player%s who fit%s you %s waiting%s", others, plural(others),
                      others == 1 ? "s" : "", others == 1 ? "is" : "are",
                      w->near_is_all ? "" : " near you");
    strbuf_printf(out, "; a match needs %u more.\n", w->missing);
}

static void say_alone(const struct why *w, struct strbuf *out) {
    if (w->tickets_elsewhere == 0) {
        strbuf_printf(out, "Nobody else is waiting; a match needs %u more.\n", w->missing);
        return;
    }
    const char *separator = "";
    strbuf_printf(out, "All others who wait differ from you in what a match must share (");
    for (uint32_t i = 0; i < w->rule_count; i++) {
        const struct why_rule *rule = rule_at(w, i);
        if (!rule->elsewhere) continue;
        struct str what = rule->attribute.size ? rule->attribute : rule->name;
        strbuf_printf(out, "%s%.*s", separator, STR_PRINT(what));
        separator = ", ";
    }
    strbuf_printf(out, "); a match needs %u more.\n", w->missing);
}

static void say_own_values(const struct why *w, struct strbuf *out) {
    const struct why_rule *rule = rule_at(w, w->rule);
    bool measured = rule->has_measured && isfinite(rule->measured);
    if (is_latency(rule) && measured) {
        strbuf_printf(out,
                      "No region is near enough to you: the best has %.6g ms, allowed are "
                      "%.6g.\n",
                      rule->measured, rule->bound);
    } else {
        strbuf_printf(out, "You do not meet rule \"%.*s\" yourself", STR_PRINT(rule->name));
        if (measured)
            strbuf_printf(out, " (it measures %.6g, the limit is %.6g)", rule->measured,
                          rule->bound);
        strbuf_printf(out, ".\n");
    }
    say_expansion(w, rule, rule->bound, out);
}

static void say_role(const struct why *w, struct strbuf *out) {
    const struct why_role *role = &w->roles[w->role];
    uint32_t lacking = role->players_min - role->fitting;
    strbuf_printf(out, "%u player%s more in the role %.*s %s needed.\n", lacking, plural(lacking),
                  STR_PRINT(role->name), lacking == 1 ? "is" : "are");
}

static void say_whole_match(const struct why *w, struct strbuf *out) {
    const struct why_rule *rule = rule_at(w, w->rule);
    strbuf_printf(out,
                  "Enough players who fit you are waiting, but together they do not meet "
                  "rule \"%.*s\"",
                  STR_PRINT(rule->name));
    if (rule->has_measured && isfinite(rule->measured))
        strbuf_printf(out, " (it measures %.6g, the limit is %.6g)", rule->measured, rule->bound);
    strbuf_printf(out, ".\n");
    say_expansion(w, rule, rule->bound, out);
}

static void say_reason(const struct why *w, struct strbuf *out) {
    switch (w->reason) {
    case WHY_ALONE:
        say_alone(w, out);
        break;
    case WHY_OWN_VALUES:
        say_own_values(w, out);
        break;
    case WHY_TOO_FEW:
        say_fitting(w, out);
        break;
    case WHY_RULES:
        say_fitting(w, out);
        say_miss(w, out);
        break;
    case WHY_LACKING_ROLE:
        say_role(w, out);
        break;
    case WHY_WHOLE_MATCH:
        say_whole_match(w, out);
        break;
    case WHY_PATIENCE:
        strbuf_printf(out, "Enough players who fit you are waiting; a better match is worth some "
                           "more time.\nIn ");
        add_duration(out, w->any_match_in_ms);
        strbuf_printf(out, " at the latest any match that the rules allow will do.\n");
        break;
    case WHY_SEARCHING:
        strbuf_printf(out,
                      "Enough players who fit you are waiting: a match is being looked for.\n");
        break;
    }
}

static void say_wait(const struct why *w, struct strbuf *out) {
    if (w->wait.basis == ETA_UNKNOWN) {
        strbuf_printf(out, "How long it will take is not known%s.\n",
                      w->age_ms > 60000 ? ": hardly anybody waited as long lately" : " yet");
        return;
    }
    if (w->wait.rest.p50_ms == 0) {
        strbuf_printf(out, "Most players like you are not matched before they have to leave.\n");
        return;
    }
    strbuf_printf(out, "Half of the players like you are matched within ");
    add_duration(out, w->wait.rest.p50_ms);
    strbuf_printf(out, " from now, nine in ten ");
    if (w->wait.rest.p90_ms == 0) {
        strbuf_printf(out, "not before they have to leave.\n");
        return;
    }
    strbuf_printf(out, "within ");
    add_duration(out, w->wait.rest.p90_ms);
    strbuf_printf(out, ".\n");
}

void why_text(const struct why *w, struct strbuf *out) {
    say_place(w, out);
    say_reason(w, out);
    say_wait(w, out);
}

void why_text_ended(const struct ticket *t, struct strbuf *out) {
    int64_t waited_ms = ticket_ended_ms(t) > t->created_ms ? ticket_ended_ms(t) - t->created_ms : 0;
    switch (t->state) {
    case TICKET_QUEUED: /* its queue is not known yet */
        strbuf_printf(out, "You are waiting.\n");
        return;
    case TICKET_PROPOSED:
        strbuf_printf(out, "A match was found; it waits for its players to accept.\n");
        return;
    case TICKET_MATCHED:
        strbuf_printf(out, "You were matched after ");
        break;
    case TICKET_CANCELLED:
        strbuf_printf(out, "You left the queue after ");
        break;
    case TICKET_EXPIRED:
        strbuf_printf(out, "The wait ended without a match after ");
        break;
    }
    add_duration(out, waited_ms);
    if (ticket_reason(t).size) strbuf_printf(out, ": %.*s", STR_PRINT(ticket_reason(t)));
    strbuf_printf(out, ".\n");
}
