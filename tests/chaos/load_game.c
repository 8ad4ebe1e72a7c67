/* load_game.c - a game whose match goes on with others: it looks for players, says who is in it,
 * stops looking, and its players leave.
 */
#include "chaos/load.h"

#include <stdio.h>
#include <string.h>

struct roster { /* "a","b": who is in the match */
    char names[512];
    size_t size;
};

static void note_players(struct roster *r, Muster__V1__BackfillParty **parties, size_t count) {
    r->size = 0;
    r->names[0] = '\0';
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < parties[i]->n_players && r->size < sizeof r->names - 80; k++)
            r->size += (size_t)snprintf(r->names + r->size, sizeof r->names - r->size, "%s\"%s\"",
                                        r->size ? "," : "", parties[i]->players[k]->player_id);
}

struct doing { /* one call, as the history tells it */
    const char *what, *match, *player, *backfill;
    struct roster roster;
    char id[32];
};

static struct muster_call ask(struct back_end *b, struct doing *d) {
    request_id(b, d->id);
    say("\"op\":\"life\",\"ph\":\"inv\",\"r\":\"%s\",\"do\":\"%s\",\"match\":\"%s\",\"p\":\"%s\"",
        d->id, d->what, d->match, d->player);
    return (struct muster_call){.request_id = d->id, .timeout_ms = TIMEOUT_MS};
}

static void answered(const struct doing *d, enum muster_code code) {
    say("\"op\":\"life\",\"ph\":\"%s\",\"r\":\"%s\",\"do\":\"%s\",\"match\":\"%s\",\"p\":\"%s\","
        "\"backfill\":\"%s\",\"players\":[%s],\"code\":\"%s\"",
        phase(code), d->id, d->what, d->match, d->player, d->backfill, d->roster.names,
        muster_code_name(code));
}

static void leave(struct back_end *b, const char *match, char *player) {
    struct doing d = {.what = "leave", .match = match, .player = player, .backfill = ""};
    Muster__V1__LeaveMatchRequest request = MUSTER__V1__LEAVE_MATCH_REQUEST__INIT;
    Muster__V1__LeaveMatchResponse *r;
    struct muster_status status;
    struct muster_call call = ask(b, &d);
    request.match_id = (char *)match;
    request.player_ids = &player;
    request.n_player_ids = 1;
    answered(&d, muster_leave_match(client, &request, &call, &r, &status));
    muster_free(r);
}

/* As it was told, or without one of them, or with another of its players in his place, who leaves
 * again. */
static void say_who(struct back_end *b, const char *match, const Muster__V1__Backfill *known) {
    struct doing d = {.what = "say", .match = match, .player = "", .backfill = known->backfill_id};
    Muster__V1__UpdateBackfillRequest request = MUSTER__V1__UPDATE_BACKFILL_REQUEST__INIT;
    Muster__V1__UpdateBackfillResponse *r;
    Muster__V1__BackfillParty *parties[16];
    struct muster_status status;
    char name[32];
    size_t chosen = below(b, (unsigned)known->n_parties), count = 0;
    unsigned how = below(b, 3);
    Muster__V1__Player *p = known->parties[chosen]->players[0];
    char *replaced = p->player_id;
    snprintf(name, sizeof name, "b%d-%u", b->index, below(b, PLAYERS));
    if (how == 1) p->player_id = name;
    for (size_t i = 0; i < known->n_parties && count < 16; i++)
        if (how != 2 || known->n_parties == 1 || i != chosen) parties[count++] = known->parties[i];
    request.backfill_id = known->backfill_id;
    request.parties = parties;
    request.n_parties = count;
    note_players(&d.roster, parties, count);
    struct muster_call call = ask(b, &d);
    answered(&d, muster_update_backfill(client, &request, &call, &r, &status));
    muster_free(r);
    p->player_id = replaced;
    if (how == 1) leave(b, match, name);
}

static void stop_looking(struct back_end *b, const char *match, const char *backfill) {
    struct doing d = {.what = "stop", .match = match, .player = "", .backfill = backfill};
    Muster__V1__CancelBackfillRequest request = MUSTER__V1__CANCEL_BACKFILL_REQUEST__INIT;
    Muster__V1__CancelBackfillResponse *r;
    struct muster_status status;
    struct muster_call call = ask(b, &d);
    request.backfill_id = (char *)backfill;
    answered(&d, muster_cancel_backfill(client, &request, &call, &r, &status));
    muster_free(r);
}

static void look_for_players(struct back_end *b, const char *match) {
    struct doing d = {.what = "look", .match = match, .player = "", .backfill = ""};
    Muster__V1__CreateBackfillRequest request = MUSTER__V1__CREATE_BACKFILL_REQUEST__INIT;
    Muster__V1__CreateBackfillResponse *r;
    struct muster_status status;
    struct muster_call call = ask(b, &d);
    request.match_id = (char *)match;
    enum muster_code code = muster_create_backfill(client, &request, &call, &r, &status);
    if (code == MUSTER_OK) {
        d.backfill = r->backfill->backfill_id;
        note_players(&d.roster, r->backfill->parties, r->backfill->n_parties);
    }
    answered(&d, code);
    if (code == MUSTER_OK) {
        think(below(b, 300));
        if (below(b, 2)) say_who(b, match, r->backfill);
        if (below(b, 3) == 0) stop_looking(b, match, r->backfill->backfill_id);
    }
    muster_free(r);
}

void play_on(struct back_end *b, char *player) {
    char match[27];
    memcpy(match, b->match, sizeof match);
    think(below(b, 500));
    if (below(b, 2)) look_for_players(b, match);
    leave(b, match, player);
}
