/* match_codec.c - tickets and matches as bytes. */
#include "wire/match_codec.h"

#include "base/limits.h"
#include "wire/fields.h"
#include "wire/name_list.h"
#include "wire/player_codec.h"

#include <math.h>

void ticket_codec_write(const struct ticket_view *t, uint32_t key, struct strbuf *out) {
    size_t ticket = pb_open(out, key);
    pb_put_id(out, Ticket_ticket_id, t->id);
    pb_put_uint(out, Ticket_state, t->state);
    name_list_write(t->spec.queues, t->spec.queue_count, Ticket_queues, out);
    player_codec_write(&t->spec, Ticket_players, out);
    pb_put_int(out, Ticket_create_time_ms, t->created_ms);
    pb_put_int(out, Ticket_expire_time_ms, t->expires_ms);
    pb_put_int(out, Ticket_end_time_ms, t->ended_ms);
    pb_put_id(out, Ticket_match_id, t->match_id);
    pb_put_text(out, Ticket_reason, t->reason);
    pb_put_int(out, Ticket_eta_p50_ms, t->wait.p50_ms);
    pb_put_int(out, Ticket_eta_p90_ms, t->wait.p90_ms);
    pb_put_int(out, Ticket_heartbeat_ms, t->heartbeat_ms);
    pb_close(out, ticket);
}

bool match_codec_time_valid(int64_t ms) {
    return ms >= 0 && ms < ID_TIME_END_MS;
}

static bool malformed(struct err_text *why, const char *what) {
    (void)err_set(why, ERR_DATA_LOSS, "a %s in the journal is malformed", what);
    return false;
}

bool ticket_codec_read(struct str bytes, struct arena *arena, struct ticket_view *out,
                       struct err_text *why) {
    struct pb_reader r = pb_reader(bytes);
    bool ids = true;
    *out = (struct ticket_view){0};
    for (struct pb_field f; pb_next(&r, &f);) {
        switch (f.key) {
        case Ticket_ticket_id:
            ids = id_parse(f.bytes, &out->id) && ids;
            break;
        case Ticket_state:
            out->state = (enum ticket_state)f.value;
            break;
        case Ticket_create_time_ms:
            out->created_ms = (int64_t)f.value;
            break;
        case Ticket_expire_time_ms:
            out->expires_ms = (int64_t)f.value;
            break;
        case Ticket_end_time_ms:
            out->ended_ms = (int64_t)f.value;
            break;
        case Ticket_heartbeat_ms:
            out->heartbeat_ms = (int64_t)f.value;
            break;
        case Ticket_match_id:
            ids = id_parse(f.bytes, &out->match_id) && ids;
            break;
        case Ticket_reason:
            out->reason = f.bytes;
            break;
        case Ticket_eta_p50_ms:
            out->wait.p50_ms = (int32_t)f.value;
            break;
        case Ticket_eta_p90_ms:
            out->wait.p90_ms = (int32_t)f.value;
            break;
        }
    }
    if (r.malformed || !ids || id_is_none(out->id) || out->state < TICKET_QUEUED ||
        out->state > TICKET_EXPIRED || !match_codec_time_valid(out->created_ms) ||
        !match_codec_time_valid(out->expires_ms) || !match_codec_time_valid(out->ended_ms) ||
        !match_codec_time_valid(out->heartbeat_ms) || out->wait.p50_ms < 0 ||
        out->wait.p90_ms < 0 || !str_utf8_valid(out->reason))
        return malformed(why, "ticket");
    struct name_source names = {bytes, Ticket_queues, 1, LIMIT_TICKET_QUEUES, "queues"};
    struct name_list queues;
    if (name_list_read(&names, arena, &queues, why) != ERR_OK) return malformed(why, "ticket");
    out->spec.queues = queues.names;
    out->spec.queue_count = queues.count;
    struct player_source source = {bytes, Ticket_players, ""};
    return player_codec_read(&source, arena, &out->spec, why) == ERR_OK;
}

static void write_result(const struct team_result *t, struct strbuf *out) {
    size_t result = pb_open(out, Match_results);
    pb_put_text(out, TeamResult_team, t->team);
    pb_put_uint(out, TeamResult_rank, t->rank);
    pb_put_double(out, TeamResult_score, t->score);
    pb_close(out, result);
}

bool match_codec_read_result(struct str bytes, struct team_result *out) {
    uint64_t rank = 0;
    struct pb_reader r = pb_reader(bytes);
    *out = (struct team_result){0};
    for (struct pb_field f; pb_next(&r, &f);) {
        if (f.key == TeamResult_team) out->team = f.bytes;
        if (f.key == TeamResult_rank) rank = f.value;
        if (f.key == TeamResult_score) out->score = pb_double(&f);
    }
    out->rank = (uint32_t)rank;
    return !r.malformed && str_utf8_valid(out->team) && rank >= 1 && rank <= LIMIT_TEAMS &&
           isfinite(out->score);
}

void match_codec_write(const struct match_spec *m, uint32_t key, struct strbuf *out) {
    size_t match = pb_open(out, key);
    pb_put_id(out, Match_match_id, m->id);
    pb_put_uint(out, Match_state, m->state);
    pb_put_text(out, Match_queue, m->queue);
    pb_put_uint(out, Match_queue_version, m->queue_version);
    pb_put_text(out, Match_region, m->region);
    for (uint32_t t = 0; t < m->team_count; t++) {
        size_t team = pb_open(out, Match_teams);
        pb_put_text(out, Team_name, m->teams[t].name);
        for (uint32_t i = 0; i < m->teams[t].member_count; i++) {
            size_t member = pb_open(out, Team_players);
            pb_put_text(out, TeamMember_player_id, m->teams[t].members[i].player_id);
            pb_put_id(out, TeamMember_ticket_id, m->teams[t].members[i].ticket_id);
            pb_put_text(out, TeamMember_role, m->teams[t].members[i].role);
            pb_put_uint(out, TeamMember_answer, m->teams[t].members[i].answer);
            pb_close(out, member);
        }
        pb_close(out, team);
    }
    for (uint32_t i = 0; i < m->ticket_count; i++)
        pb_add_id(out, Match_ticket_ids, m->ticket_ids[i]);
    pb_put_double(out, Match_quality, m->quality);
    pb_put_double(out, Match_skill_spread, m->skill_spread);
    pb_put_double(out, Match_team_gap, m->team_gap);
    pb_put_int(out, Match_longest_wait_ms, m->longest_wait_ms);
    pb_put_double(out, Match_mean_latency_ms, m->mean_latency_ms);
    pb_put_int(out, Match_create_time_ms, m->created_ms);
    pb_put_int(out, Match_expire_time_ms, m->until_ms);
    pb_put_int(out, Match_end_time_ms, m->ended_ms);
    pb_put_text(out, Match_reason, m->reason);
    pb_put_text(out, Match_connection, m->connection);
    for (uint32_t i = 0; i < m->result_count; i++)
        write_result(&m->results[i], out);
    pb_put_int(out, Match_result_due_time_ms, m->result_due_ms);
    pb_put_uint(out, Match_holds_players, m->holds_players);
    pb_put_double(out, Match_win_gap, m->win_gap);
    pb_put_double(out, Match_mean_wait_ms, m->mean_wait_ms);
    pb_put_uint(out, Match_worst_latency_ms, m->worst_latency_ms);
    name_list_write(m->left, m->left_count, Match_left_player_ids, out);
    pb_put_int(out, Match_rules_age_ms, m->rules_age_ms);
    pb_put_id(out, Match_backfill_id, m->backfill_id);
    pb_put_id(out, Match_joins_match_id, m->joins_id);
    pb_close(out, match);
}

static bool read_member(struct str bytes, struct team_member *m) {
    struct pb_reader r = pb_reader(bytes);
    for (struct pb_field f; pb_next(&r, &f);) {
        if (f.key == TeamMember_player_id) m->player_id = f.bytes;
        if (f.key == TeamMember_role) m->role = f.bytes;
        if (f.key == TeamMember_ticket_id && !id_parse(f.bytes, &m->ticket_id)) return false;
        if (f.key == TeamMember_answer) m->answer = (enum match_answer)f.value;
    }
    return !r.malformed && str_name_valid(m->player_id) && str_utf8_valid(m->role) &&
           m->answer <= ANSWER_DECLINED;
}

static bool read_team(struct str bytes, struct arena *arena, struct match_team *t) {
    uint32_t count;
    if (!pb_count(bytes, Team_players, &count) || count > LIMIT_MATCH_PLAYERS) return false;
    struct team_member *members = arena_alloc(arena, count * sizeof *members);
    struct pb_reader r = pb_reader(bytes);
    for (struct pb_field f; pb_next(&r, &f);) {
        if (f.key == Team_name) t->name = f.bytes;
        if (f.key == Team_players && !read_member(f.bytes, &members[t->member_count++]))
            return false;
    }
    t->members = members;
    return str_utf8_valid(t->name);
}

static bool take_id(const struct pb_field *f, struct match_spec *m) {
    if (f->key == Match_match_id) return id_parse(f->bytes, &m->id);
    if (f->key == Match_backfill_id) return id_parse(f->bytes, &m->backfill_id);
    if (f->key == Match_joins_match_id) return id_parse(f->bytes, &m->joins_id);
    return true;
}

/* The scalar fields; false for a bad id. */
static bool take_field(const struct pb_field *f, struct match_spec *m) {
    switch (f->key) {
    case Match_state:
        m->state = (enum match_state)f->value;
        return true;
    case Match_queue:
        m->queue = f->bytes;
        return true;
    case Match_queue_version:
        m->queue_version = (uint32_t)f->value;
        return true;
    case Match_region:
        m->region = f->bytes;
        return true;
    case Match_quality:
        m->quality = pb_double(f);
        return true;
    case Match_skill_spread:
        m->skill_spread = pb_double(f);
        return true;
    case Match_team_gap:
        m->team_gap = pb_double(f);
        return true;
    case Match_longest_wait_ms:
        m->longest_wait_ms = (int64_t)f->value;
        return true;
    case Match_mean_latency_ms:
        m->mean_latency_ms = pb_double(f);
        return true;
    case Match_create_time_ms:
        m->created_ms = (int64_t)f->value;
        return true;
    case Match_win_gap:
        m->win_gap = pb_double(f);
        return true;
    case Match_mean_wait_ms:
        m->mean_wait_ms = pb_double(f);
        return true;
    case Match_worst_latency_ms:
        m->worst_latency_ms = (uint32_t)f->value;
        return true;
    case Match_expire_time_ms:
        m->until_ms = (int64_t)f->value;
        return true;
    case Match_end_time_ms:
        m->ended_ms = (int64_t)f->value;
        return true;
    case Match_reason:
        m->reason = f->bytes;
        return true;
    case Match_connection:
        m->connection = f->bytes;
        return true;
    case Match_result_due_time_ms:
        m->result_due_ms = (int64_t)f->value;
        return true;
    case Match_holds_players:
        m->holds_players = f->value != 0;
        return true;
    case Match_rules_age_ms:
        m->rules_age_ms = (int64_t)f->value;
        return true;
    default:
        return take_id(f, m);
    }
}

/* A ticket that is in a match twice would end twice. */
static bool tickets_differ(const struct match_spec *m) {
    for (uint32_t i = 1; i < m->ticket_count; i++)
        for (uint32_t k = 0; k < i; k++)
            if (id_equal(m->ticket_ids[i], m->ticket_ids[k])) return false;
    return true;
}

/* No more than every match of ours keeps: a journal that cannot be read stops the realm. */
static bool match_valid(const struct match_spec *m) {
    return !id_is_none(m->id) && m->state >= MATCH_PROPOSED && m->state <= MATCH_MERGED &&
           str_name_valid(m->queue) && str_utf8_valid(m->region) && isfinite(m->quality) &&
           isfinite(m->skill_spread) && isfinite(m->team_gap) && isfinite(m->mean_latency_ms) &&
           match_codec_time_valid(m->created_ms) && match_codec_time_valid(m->until_ms) &&
           match_codec_time_valid(m->ended_ms) && match_codec_time_valid(m->result_due_ms) &&
           str_utf8_valid(m->reason) && str_utf8_valid(m->connection) && isfinite(m->win_gap) &&
           isfinite(m->mean_wait_ms) && match_codec_time_valid(m->rules_age_ms) &&
           tickets_differ(m);
}

static bool read_left(struct str bytes, struct arena *arena, struct match_spec *out) {
    struct name_source source = {bytes, Match_left_player_ids, 0, LIMIT_MATCH_PLAYERS, "left"};
    struct name_list left;
    struct err_text why;
    if (name_list_read(&source, arena, &left, &why) != ERR_OK) return false;
    out->left = left.names;
    out->left_count = left.count;
    return true;
}

bool match_codec_read(struct str bytes, struct arena *arena, struct match_spec *out,
                      struct err_text *why) {
    uint32_t teams, tickets, results;
    *out = (struct match_spec){0};
    if (!pb_count(bytes, Match_teams, &teams) || !pb_count(bytes, Match_ticket_ids, &tickets) ||
        !pb_count(bytes, Match_results, &results) || teams > LIMIT_TEAMS ||
        tickets > LIMIT_MATCH_PLAYERS || results > LIMIT_TEAMS)
        return malformed(why, "match");
    struct match_team *team = arena_alloc(arena, teams * sizeof *team);
    struct id *ticket = arena_alloc(arena, tickets * sizeof *ticket);
    struct team_result *result = arena_alloc(arena, results * sizeof *result);
    struct pb_reader r = pb_reader(bytes);
    bool ok = true;
    for (struct pb_field f; ok && pb_next(&r, &f);) {
        if (f.key == Match_teams)
            ok = read_team(f.bytes, arena, &team[out->team_count++]);
        else if (f.key == Match_ticket_ids)
            ok = id_parse(f.bytes, &ticket[out->ticket_count++]);
        else if (f.key == Match_results)
            ok = match_codec_read_result(f.bytes, &result[out->result_count++]);
        else
            ok = take_field(&f, out);
    }
    out->teams = team;
    out->ticket_ids = ticket;
    out->results = result;
    ok = ok && read_left(bytes, arena, out);
    return (ok && match_valid(out)) || malformed(why, "match");
}
