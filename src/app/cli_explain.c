/* cli_explain.c - prints what ExplainTicket has answered. */
#include "app/cli_explain.h"

#include <inttypes.h>
#include <stdio.h>

static double seconds(int64_t ms) {
    return (double)ms / 1000;
}

static const char *reason_name(Muster__V1__WaitReason reason) {
    const ProtobufCEnumValue *v =
        protobuf_c_enum_descriptor_get_value(&muster__v1__wait_reason__descriptor, (int)reason);
    return v ? v->name : "?";
}

static void print_numbers(const Muster__V1__RuleExplanation *r) {
    for (size_t i = 0; i < r->n_numbers; i++) {
        const Muster__V1__RuleNumber *n = r->numbers[i];
        printf(" %s %g", n->name, n->now);
        if (n->next_in_ms) printf(" (%g in %.1f s)", n->next, seconds(n->next_in_ms));
    }
}

static void print_rule(const Muster__V1__RuleExplanation *r) {
    printf("  rule %s (%s):", r->name, r->type);
    print_numbers(r);
    if (r->of_pairs)
        printf(" rejects %u near tickets, %u of them alone", r->rejected_tickets,
               r->rejected_alone_tickets);
    else
        printf(" judged on whole matches");
    if (r->governed) printf(", as a compound says");
    if (r->fails) printf(", FAILS: measured %g, bound %g", r->measured, r->bound);
    printf("\n");
}

static void print_miss(const Muster__V1__NearestMiss *m) {
    printf("  nearest miss %s, %g away: rule %s measured %g, bound %g", m->ticket_id, m->distance,
           m->rule, m->measured, m->bound);
    if (m->failing_rules > 1) printf(", and %u rules more", m->failing_rules - 1);
    if (m->will_be_admitted)
        printf("; admitted in %.1f s\n", seconds(m->admitted_in_ms));
    else
        printf("; no expansion admits it\n");
}

static void print_group(const Muster__V1__QueueExplanation *q) {
    printf("  near: %u tickets judged%s, %u fit; group of %u players, a match has %u to %u, "
           "%u missing\n",
           q->near_tickets, q->near_is_all ? " (all)" : "", q->fitting_tickets, q->group_players,
           q->players_min, q->players_max, q->missing_players);
    for (size_t i = 0; i < q->n_teams; i++) {
        const Muster__V1__TeamExplanation *t = q->teams[i];
        printf("  team %s: %u players of %u to %u\n", t->name, t->players, t->players_min,
               t->players_max);
    }
    for (size_t i = 0; i < q->n_roles; i++) {
        const Muster__V1__RoleExplanation *r = q->roles[i];
        printf("  role %s: %u players of %u to %u, %u who fit may have it\n", r->name, r->players,
               r->players_min, r->players_max, r->fitting_players);
    }
}

/* A quantile that lies beyond the ticket's end is 0. */
static void print_quantile(const char *name, uint32_t ms) {
    if (ms)
        printf(" %s %.1f s,", name, seconds(ms));
    else
        printf(" %s not before it must leave,", name);
}

static void print_wait(const Muster__V1__QueueExplanation *q) {
    if (q->eta_samples == 0) return;
    printf("  wait left:");
    print_quantile("p50", q->eta_p50_ms);
    print_quantile("p90", q->eta_p90_ms);
    printf(" from %u waits\n", q->eta_samples);
}

static void print_queue(const Muster__V1__QueueExplanation *q) {
    printf("queue %s version %u: %s%s%s\n", q->queue, q->queue_version, reason_name(q->reason),
           q->rule[0] ? " " : "", q->rule);
    printf("  place %" PRIu64 " of %" PRIu64 " (%" PRIu64 " players), %" PRIu64 " elsewhere; "
           "%.1f s old",
           q->position, q->tickets_queued, q->players_queued, q->tickets_elsewhere,
           seconds(q->age_ms));
    if (q->next_expansion_in_ms)
        printf(", next expansion in %.1f s", seconds(q->next_expansion_in_ms));
    if (q->any_match_in_ms) printf(", patient for %.1f s more", seconds(q->any_match_in_ms));
    printf("\n");
    print_group(q);
    for (size_t i = 0; i < q->n_rules; i++)
        print_rule(q->rules[i]);
    if (q->nearest_miss) print_miss(q->nearest_miss);
    print_wait(q);
}

void cli_explain_print(const Muster__V1__ExplainTicketResponse *answer) {
    for (size_t i = 0; i < answer->n_sentences; i++)
        printf("%s\n", answer->sentences[i]);
    for (size_t i = 0; i < answer->n_queues; i++)
        print_queue(answer->queues[i]);
}
