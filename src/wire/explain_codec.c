/* explain_codec.c - one queue's explanation, field by field. */
#include "wire/explain_codec.h"

#include "wire/fields.h"

#include <math.h>

static int64_t in_ms(int64_t ms) { /* never: 0 */
    return ms == INT64_MAX ? 0 : ms;
}

static void write_number(const struct ruleset_number *n, int64_t age_ms, struct strbuf *out) {
    size_t number = pb_open(out, RuleExplanation_numbers);
    pb_put_text(out, RuleNumber_name, str_of(n->name));
    pb_put_double(out, RuleNumber_now, n->now);
    pb_put_double(out, RuleNumber_next, n->next);
    if (n->next_ms != INT64_MAX) pb_put_int(out, RuleNumber_next_in_ms, n->next_ms - age_ms);
    pb_close(out, number);
}

static void write_rule(const struct why_rule *r, int64_t age_ms, struct strbuf *out) {
    size_t rule = pb_open(out, QueueExplanation_rules);
    pb_put_text(out, RuleExplanation_name, r->name);
    pb_put_text(out, RuleExplanation_type, str_of(r->type));
    pb_put_uint(out, RuleExplanation_of_pairs, r->scope != RULE_OF_MATCHES);
    pb_put_uint(out, RuleExplanation_governed, r->governed);
    for (uint32_t i = 0; i < r->number_count; i++)
        write_number(&r->numbers[i], age_ms, out);
    pb_put_uint(out, RuleExplanation_rejected_tickets, r->rejected + r->elsewhere);
    pb_put_uint(out, RuleExplanation_rejected_alone_tickets, r->rejected_alone);
    pb_put_uint(out, RuleExplanation_fails, r->own_failure || r->group_fails);
    if (r->has_measured && isfinite(r->measured)) {
        pb_put_double(out, RuleExplanation_measured, r->measured);
        pb_put_double(out, RuleExplanation_bound, r->bound);
    }
    pb_close(out, rule);
}

static void write_miss(const struct why *w, struct strbuf *out) {
    const struct why_miss *m = &w->miss;
    if (!m->ticket) return;
    size_t miss = pb_open(out, QueueExplanation_nearest_miss);
    pb_put_id(out, NearestMiss_ticket_id, m->ticket->id);
    pb_put_text(out, NearestMiss_rule, w->rules[m->rule].name);
    pb_put_uint(out, NearestMiss_failing_rules, m->failing);
    pb_put_double(out, NearestMiss_distance, m->distance);
    if (m->has_numbers) {
        pb_put_double(out, NearestMiss_measured, m->measured);
        pb_put_double(out, NearestMiss_bound, m->bound);
    }
    if (m->admitted_in_ms != INT64_MAX) {
        pb_put_uint(out, NearestMiss_will_be_admitted, true);
        pb_put_int(out, NearestMiss_admitted_in_ms, m->admitted_in_ms);
        if (m->has_numbers) pb_put_double(out, NearestMiss_admitting_bound, m->admitting);
    }
    pb_close(out, miss);
}

static void write_team(const struct why_team *t, struct strbuf *out) {
    size_t team = pb_open(out, QueueExplanation_teams);
    pb_put_text(out, TeamExplanation_name, t->name);
    pb_put_uint(out, TeamExplanation_players_min, t->players_min);
    pb_put_uint(out, TeamExplanation_players_max, t->players_max);
    pb_put_uint(out, TeamExplanation_players, t->players);
    pb_close(out, team);
}

static void write_role(const struct why_role *r, struct strbuf *out) {
    size_t role = pb_open(out, QueueExplanation_roles);
    pb_put_text(out, RoleExplanation_name, r->name);
    pb_put_uint(out, RoleExplanation_players_min, r->players_min);
    pb_put_uint(out, RoleExplanation_players_max, r->players_max);
    pb_put_uint(out, RoleExplanation_fitting_players, r->fitting);
    pb_put_uint(out, RoleExplanation_players, r->players);
    pb_close(out, role);
}

static bool names_rule(enum why_reason reason) {
    return reason == WHY_OWN_VALUES || reason == WHY_RULES || reason == WHY_WHOLE_MATCH;
}

static void write_counts(const struct why *w, struct strbuf *out) {
    pb_put_uint(out, QueueExplanation_position, w->position);
    pb_put_uint(out, QueueExplanation_tickets_queued, w->tickets_queued);
    pb_put_uint(out, QueueExplanation_players_queued, w->players_queued);
    pb_put_uint(out, QueueExplanation_tickets_elsewhere, w->tickets_elsewhere);
    pb_put_int(out, QueueExplanation_age_ms, w->age_ms);
    pb_put_int(out, QueueExplanation_next_expansion_in_ms, in_ms(w->next_step_in_ms));
    pb_put_int(out, QueueExplanation_any_match_in_ms, w->any_match_in_ms);
    pb_put_uint(out, QueueExplanation_near_tickets, w->near);
    pb_put_uint(out, QueueExplanation_near_players, w->near_players);
    pb_put_uint(out, QueueExplanation_near_is_all, w->near_is_all);
    pb_put_uint(out, QueueExplanation_fitting_tickets, w->fitting);
    pb_put_uint(out, QueueExplanation_fitting_players, w->fitting_players);
    pb_put_uint(out, QueueExplanation_players_min, w->players_min);
    pb_put_uint(out, QueueExplanation_players_max, w->players_max);
    pb_put_uint(out, QueueExplanation_group_players, w->players);
    pb_put_uint(out, QueueExplanation_missing_players, w->missing);
}

void explain_codec_write(const struct queue *q, const struct why *w, struct strbuf *out) {
    size_t explanation = pb_open(out, ExplainTicketResponse_queues);
    pb_put_text(out, QueueExplanation_queue, q->def->name);
    pb_put_uint(out, QueueExplanation_queue_version, q->version);
    pb_put_uint(out, QueueExplanation_reason, w->reason);
    if (names_rule(w->reason)) pb_put_text(out, QueueExplanation_rule, w->rules[w->rule].name);
    write_counts(w, out);
    for (uint32_t i = 0; i < w->rule_count; i++)
        write_rule(&w->rules[i], w->age_ms, out);
    write_miss(w, out);
    for (uint32_t i = 0; i < w->team_count; i++)
        write_team(&w->teams[i], out);
    for (uint32_t i = 0; i < w->role_count; i++)
        write_role(&w->roles[i], out);
    pb_put_int(out, QueueExplanation_eta_p50_ms, w->wait.rest.p50_ms);
    pb_put_int(out, QueueExplanation_eta_p90_ms, w->wait.rest.p90_ms);
    pb_put_uint(out, QueueExplanation_eta_samples, w->wait.samples);
    pb_close(out, explanation);
}
