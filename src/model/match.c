/* match.c - deep copies of matches in one block. */
#include "model/match.h"

#include "base/mem.h"

#include <assert.h>
#include <string.h>

struct sizes {
    size_t members, text_bytes;
};

static struct sizes measure(const struct match_spec *s) {
    struct sizes n = {0, s->queue.size + s->region.size + s->reason.size + s->connection.size};
    for (uint32_t i = 0; i < s->result_count; i++)
        n.text_bytes += s->results[i].team.size;
    for (uint32_t i = 0; i < s->left_count; i++)
        n.text_bytes += s->left[i].size;
    for (uint32_t t = 0; t < s->team_count; t++) {
        n.members += s->teams[t].member_count;
        n.text_bytes += s->teams[t].name.size;
        for (uint32_t i = 0; i < s->teams[t].member_count; i++) {
            n.text_bytes += s->teams[t].members[i].player_id.size;
            n.text_bytes += s->teams[t].members[i].role.size;
        }
    }
    return n;
}

static struct str copy_text(char **at, struct str s) {
    struct str copy = {*at, s.size};
    if (s.size) memcpy(*at, s.at, s.size);
    *at += s.size;
    return copy;
}

/* Every part but the texts has 8-byte alignment and a size that keeps it. */
struct match *match_new(const struct match_spec *spec) {
    assert(!id_is_none(spec->id));
    struct sizes n = measure(spec);
    struct match *m = mem_alloc(sizeof *m + spec->ticket_count * sizeof(struct id) +
                                spec->team_count * sizeof(struct match_team) +
                                n.members * sizeof(struct team_member) +
                                spec->result_count * sizeof(struct team_result) +
                                spec->left_count * sizeof(struct str) + n.text_bytes);
    struct id *tickets = (struct id *)(void *)(m + 1);
    struct match_team *teams = (struct match_team *)(void *)(tickets + spec->ticket_count);
    struct team_member *members = (struct team_member *)(void *)(teams + spec->team_count);
    struct team_result *results = (struct team_result *)(void *)(members + n.members);
    struct str *left = (struct str *)(void *)(results + spec->result_count);
    char *text = (char *)(left + spec->left_count);
    m->spec = *spec;
    m->spec.queue = copy_text(&text, spec->queue);
    m->spec.region = copy_text(&text, spec->region);
    m->spec.reason = copy_text(&text, spec->reason);
    m->spec.connection = copy_text(&text, spec->connection);
    m->spec.results = results;
    for (uint32_t i = 0; i < spec->result_count; i++) {
        results[i] = spec->results[i];
        results[i].team = copy_text(&text, spec->results[i].team);
    }
    m->spec.left = left;
    for (uint32_t i = 0; i < spec->left_count; i++)
        left[i] = copy_text(&text, spec->left[i]);
    m->spec.teams = teams;
    m->spec.ticket_ids = tickets;
    if (spec->ticket_count) memcpy(tickets, spec->ticket_ids, spec->ticket_count * sizeof *tickets);
    for (uint32_t t = 0; t < spec->team_count; t++) {
        const struct match_team *from = &spec->teams[t];
        teams[t] = (struct match_team){copy_text(&text, from->name), members, from->member_count};
        for (uint32_t i = 0; i < from->member_count; i++) {
            members[i] = from->members[i];
            members[i].player_id = copy_text(&text, from->members[i].player_id);
            members[i].role = copy_text(&text, from->members[i].role);
        }
        members += from->member_count;
    }
    return m;
}

void match_free(struct match *m) {
    if (!m) return;
    assert(!list_linked(&m->kept) && !list_linked(&m->recorded) && !heap_started(&m->due));
    mem_free(m);
}

bool match_may_move(enum match_state from, enum match_state to) {
    static const unsigned char moves[MATCH_MERGED + 1] = {
        [MATCH_PROPOSED] = 1u << MATCH_CONFIRMED | 1u << MATCH_CANCELLED | 1u << MATCH_MERGED,
        [MATCH_CONFIRMED] = 1u << MATCH_ASSIGNED | 1u << MATCH_COMPLETED | 1u << MATCH_CANCELLED,
        [MATCH_ASSIGNED] = 1u << MATCH_COMPLETED | 1u << MATCH_CANCELLED,
    };
    assert(from >= MATCH_PROPOSED && from <= MATCH_MERGED);
    assert(to >= MATCH_PROPOSED && to <= MATCH_MERGED);
    return moves[from] >> to & 1;
}

bool match_is_live(const struct match_spec *m) {
    return m->state < MATCH_COMPLETED;
}

const char *match_state_name(enum match_state s) {
    static const char *const names[] = {
        [MATCH_PROPOSED] = "MATCH_PROPOSED",   [MATCH_CONFIRMED] = "MATCH_CONFIRMED",
        [MATCH_ASSIGNED] = "MATCH_ASSIGNED",   [MATCH_COMPLETED] = "MATCH_COMPLETED",
        [MATCH_CANCELLED] = "MATCH_CANCELLED", [MATCH_MERGED] = "MATCH_MERGED",
    };
    assert(s >= MATCH_PROPOSED && s <= MATCH_MERGED);
    return names[s];
}

uint32_t match_player_count(const struct match_spec *m) {
    uint32_t count = 0;
    for (uint32_t t = 0; t < m->team_count; t++)
        count += m->teams[t].member_count;
    return count;
}

const struct team_member *match_member(const struct match_spec *m, struct str player) {
    for (uint32_t t = 0; t < m->team_count; t++) {
        for (uint32_t i = 0; i < m->teams[t].member_count; i++)
            if (str_equal(m->teams[t].members[i].player_id, player)) return &m->teams[t].members[i];
    }
    return NULL;
}

bool match_has_left(const struct match_spec *m, struct str player) {
    for (uint32_t i = 0; i < m->left_count; i++)
        if (str_equal(m->left[i], player)) return true;
    return false;
}

bool match_set_answer(struct match *m, struct str player, enum match_answer answer) {
    struct team_member *member = (struct team_member *)match_member(&m->spec, player); /* ours */
    if (member) member->answer = answer;
    return member != NULL;
}

uint32_t match_answers(const struct match_spec *m, enum match_answer answer) {
    uint32_t count = 0;
    for (uint32_t t = 0; t < m->team_count; t++) {
        for (uint32_t i = 0; i < m->teams[t].member_count; i++)
            count += m->teams[t].members[i].answer == answer;
    }
    return count;
}
