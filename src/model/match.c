/* match.c - deep copies of matches in one block. */
#include "model/match.h"

#include "base/mem.h"

#include <assert.h>
#include <string.h>

struct sizes {
    size_t members, text_bytes;
};

static struct sizes measure(const struct match_spec *s) {
    struct sizes n = {0, s->queue.size + s->region.size};
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
                                n.members * sizeof(struct team_member) + n.text_bytes);
    struct id *tickets = (struct id *)(void *)(m + 1);
    struct match_team *teams = (struct match_team *)(void *)(tickets + spec->ticket_count);
    struct team_member *members = (struct team_member *)(void *)(teams + spec->team_count);
    char *text = (char *)(members + n.members);
    m->spec = *spec;
    m->spec.queue = copy_text(&text, spec->queue);
    m->spec.region = copy_text(&text, spec->region);
    m->spec.teams = teams;
    m->spec.ticket_ids = tickets;
    if (spec->ticket_count) memcpy(tickets, spec->ticket_ids, spec->ticket_count * sizeof *tickets);
    for (uint32_t t = 0; t < spec->team_count; t++) {
        const struct match_team *from = &spec->teams[t];
        teams[t] = (struct match_team){copy_text(&text, from->name), members, from->member_count};
        for (uint32_t i = 0; i < from->member_count; i++) {
            members[i].player_id = copy_text(&text, from->members[i].player_id);
            members[i].ticket_id = from->members[i].ticket_id;
            members[i].role = copy_text(&text, from->members[i].role);
        }
        members += from->member_count;
    }
    return m;
}

void match_free(struct match *m) {
    if (!m) return;
    assert(!list_linked(&m->kept) && !list_linked(&m->recorded));
    mem_free(m);
}
