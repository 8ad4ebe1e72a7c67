/* backfill_codec.c - backfills as bytes. */
#include "wire/backfill_codec.h"

#include "base/limits.h"
#include "wire/fields.h"
#include "wire/match_codec.h"
#include "wire/player_codec.h"

#include <inttypes.h>
#include <stdio.h>

static void write_party(const struct backfill_party *p, struct strbuf *out) {
    struct ticket_spec spec = {NULL, p->players, 0, p->player_count};
    size_t party = pb_open(out, Backfill_parties);
    pb_put_text(out, BackfillParty_team, p->team);
    player_codec_write(&spec, BackfillParty_players, out);
    pb_put_id(out, BackfillParty_ticket_id, p->ticket_id);
    pb_close(out, party);
}

void backfill_codec_write(const struct backfill_spec *b, uint32_t key, struct strbuf *out) {
    size_t backfill = pb_open(out, key);
    pb_put_id(out, Backfill_backfill_id, b->id);
    pb_put_uint(out, Backfill_state, b->state);
    pb_put_id(out, Backfill_match_id, b->match_id);
    pb_put_text(out, Backfill_queue, b->queue);
    pb_put_text(out, Backfill_region, b->region);
    for (uint32_t i = 0; i < b->party_count; i++)
        write_party(&b->parties[i], out);
    pb_put_int(out, Backfill_create_time_ms, b->created_ms);
    pb_put_int(out, Backfill_expire_time_ms, b->expires_ms);
    pb_put_int(out, Backfill_end_time_ms, b->ended_ms);
    pb_put_int(out, Backfill_waited_ms, b->waited_ms);
    pb_put_id(out, Backfill_proposal_match_id, b->proposal_id);
    pb_put_uint(out, Backfill_automatic, b->automatic);
    pb_put_text(out, Backfill_reason, b->reason);
    pb_close(out, backfill);
}

/* ---- parties ---- */

static enum err read_party(struct str bytes, uint32_t index, struct arena *arena,
                           struct backfill_party *out, struct err_text *why) {
    char path[32];
    struct ticket_spec spec = {0};
    struct pb_reader r = pb_reader(bytes);
    (void)snprintf(path, sizeof path, "parties[%" PRIu32 "]", index);
    bool ids = true;
    for (struct pb_field f; pb_next(&r, &f);) {
        if (f.key == BackfillParty_team) out->team = f.bytes;
        if (f.key == BackfillParty_ticket_id) ids = id_parse(f.bytes, &out->ticket_id);
    }
    if (r.malformed || !ids)
        return err_set_field(why, ERR_INVALID_ARGUMENT, path, "%s is malformed", path);
    if (out->team.size > LIMIT_TEXT_BYTES || !str_utf8_valid(out->team))
        return err_set_field(why, ERR_INVALID_ARGUMENT, path,
                             "%s.team is no UTF-8 of at most %d bytes", path, LIMIT_TEXT_BYTES);
    (void)snprintf(path, sizeof path, "parties[%" PRIu32 "].", index);
    struct player_source source = {bytes, BackfillParty_players, path};
    enum err code = player_codec_read(&source, arena, &spec, why);
    out->players = spec.players;
    out->player_count = spec.player_count;
    return code;
}

enum err backfill_codec_parties(struct str message, uint32_t key, struct arena *arena,
                                struct backfill_parties *out, struct err_text *why) {
    uint32_t count;
    *out = (struct backfill_parties){0};
    if (!pb_count(message, key, &count))
        return err_set(why, ERR_INVALID_ARGUMENT, "the message is malformed");
    if (count > LIMIT_MATCH_PLAYERS)
        return err_set_field(why, ERR_INVALID_ARGUMENT, "parties",
                             "parties has %" PRIu32 " entries; allowed are 0..%d", count,
                             LIMIT_MATCH_PLAYERS);
    struct backfill_party *all = arena_try(arena, count * sizeof *all);
    if (count > 0 && !all)
        return err_set(why, ERR_RESOURCE_EXHAUSTED,
                       "the request needs more memory than its size allows");
    uint32_t players = 0;
    enum err code = ERR_OK;
    struct pb_reader r = pb_reader(message);
    for (struct pb_field f; code == ERR_OK && pb_next(&r, &f);) {
        if (f.key != key) continue;
        all[out->count] = (struct backfill_party){0};
        code = read_party(f.bytes, out->count, arena, &all[out->count], why);
        players += all[out->count++].player_count;
    }
    out->at = all;
    if (code == ERR_OK && players > LIMIT_MATCH_PLAYERS)
        return err_set_field(why, ERR_INVALID_ARGUMENT, "parties",
                             "parties have %" PRIu32 " players; allowed are at most %d", players,
                             LIMIT_MATCH_PLAYERS);
    return code;
}

/* ---- the journal's ---- */

/* The scalar fields; false for a bad id. */
static bool take_field(const struct pb_field *f, struct backfill_spec *b) {
    switch (f->key) {
    case Backfill_backfill_id:
        return id_parse(f->bytes, &b->id);
    case Backfill_match_id:
        return id_parse(f->bytes, &b->match_id);
    case Backfill_proposal_match_id:
        return id_parse(f->bytes, &b->proposal_id);
    case Backfill_state:
        b->state = (enum backfill_state)f->value;
        return true;
    case Backfill_queue:
        b->queue = f->bytes;
        return true;
    case Backfill_region:
        b->region = f->bytes;
        return true;
    case Backfill_create_time_ms:
        b->created_ms = (int64_t)f->value;
        return true;
    case Backfill_expire_time_ms:
        b->expires_ms = (int64_t)f->value;
        return true;
    case Backfill_end_time_ms:
        b->ended_ms = (int64_t)f->value;
        return true;
    case Backfill_waited_ms:
        b->waited_ms = (int64_t)f->value;
        return true;
    case Backfill_automatic:
        b->automatic = f->value != 0;
        return true;
    case Backfill_reason:
        b->reason = f->bytes;
        return true;
    default:
        return true;
    }
}

static bool is_valid(const struct backfill_spec *b) {
    return !id_is_none(b->id) && !id_is_none(b->match_id) && b->state >= BACKFILL_OPEN &&
           b->state <= BACKFILL_EXPIRED && str_name_valid(b->queue) && str_utf8_valid(b->region) &&
           str_utf8_valid(b->reason) && b->party_count > 0 &&
           match_codec_time_valid(b->created_ms) && match_codec_time_valid(b->expires_ms) &&
           match_codec_time_valid(b->ended_ms) && match_codec_time_valid(b->waited_ms);
}

bool backfill_codec_read(struct str bytes, struct arena *arena, struct backfill_spec *out,
                         struct err_text *why) {
    struct backfill_parties parties;
    struct pb_reader r = pb_reader(bytes);
    bool ok = true;
    *out = (struct backfill_spec){0};
    for (struct pb_field f; ok && pb_next(&r, &f);)
        ok = take_field(&f, out);
    ok = ok && !r.malformed &&
         backfill_codec_parties(bytes, Backfill_parties, arena, &parties, why) == ERR_OK;
    if (ok) {
        out->parties = parties.at;
        out->party_count = parties.count;
    }
    if (ok && is_valid(out)) return true;
    (void)err_set(why, ERR_DATA_LOSS, "a backfill in the journal is malformed");
    return false;
}
