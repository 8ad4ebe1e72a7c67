/* load_game.c - a game whose match goes on with others: it looks for players, says who is in it,
 * stops looking, and its players leave.
 */
#include "simulation/load_state.h"

#include "base/mem.h"

#include <muster/v1/backfills.pb-c.h>
#include <muster/v1/matches.pb-c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int number_of(const Muster__V1__Player *p) {
    return atoi(p->player_id + 1);
}

static size_t begin_op(enum op_kind kind, struct id match_id, struct id backfill_id) {
    struct op op = {.kind = kind,
                    .begin_us = world_now_us(),
                    .match_id = match_id,
                    .backfill_id = backfill_id,
                    .players = {-1, -1}};
    load_name_request(op.request_id, sizeof op.request_id);
    return history_op(&op);
}

/* ---- who is in the match ---- */

struct newcomer { /* by the game's word */
    int number;   /* -1: nobody */
    char name[16];
    Muster__V1__Player player;
    Muster__V1__AttributeValue skill;
    Muster__V1__Player__AttributesEntry attribute, *attributes;
};

static void name_newcomer(struct newcomer *n, int number) {
    n->number = number;
    (void)snprintf(n->name, sizeof n->name, "p%d", number);
    muster__v1__player__init(&n->player);
    muster__v1__attribute_value__init(&n->skill);
    muster__v1__player__attributes_entry__init(&n->attribute);
    n->skill.kind_case = MUSTER__V1__ATTRIBUTE_VALUE__KIND_NUMBER;
    n->skill.number = load_skill(number);
    n->attribute.key = (char *)"skill";
    n->attribute.value = &n->skill;
    n->attributes = &n->attribute;
    n->player.player_id = n->name;
    n->player.attributes = &n->attributes;
    n->player.n_attributes = 1;
}

static uint32_t roster_of(Muster__V1__BackfillParty **parties, size_t count) {
    uint32_t roster = 0;
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < parties[i]->n_players; k++)
            roster |= UINT32_C(1) << number_of(parties[i]->players[k]);
    return roster;
}

/* As it was told, or without somebody, or with another in his place; returns who came, or -1. Every
 * ticket of these queues is of one player. */
static int say(const Muster__V1__Backfill *b) {
    Muster__V1__UpdateBackfillRequest update = MUSTER__V1__UPDATE_BACKFILL_REQUEST__INIT;
    Muster__V1__BackfillParty *parties[LOAD_PLAYERS];
    struct newcomer newcomer = {.number = -1};
    size_t count = 0, chosen = (size_t)world_between(0, (int64_t)b->n_parties - 1);
    bool swap = world_chance(0.3), drop = !swap && b->n_parties > 1 && world_chance(0.5);
    uint32_t present = roster_of(b->parties, b->n_parties);
    int other = (int)world_between(0, LOAD_PLAYERS - 1);
    Muster__V1__Player *replaced = b->parties[chosen]->players[0];
    if (swap && !(present >> other & 1)) {
        name_newcomer(&newcomer, other);
        b->parties[chosen]->players[0] = &newcomer.player;
    }
    for (size_t i = 0; i < b->n_parties; i++)
        if (!drop || i != chosen) parties[count++] = b->parties[i];
    update.backfill_id = b->backfill_id;
    update.parties = parties;
    update.n_parties = count;
    size_t place = begin_op(OP_SAY, load_id_of(b->match_id), load_id_of(b->backfill_id));
    history()->ops[place].roster = roster_of(parties, count);
    char id[32];
    (void)snprintf(id, sizeof id, "%s", history()->ops[place].request_id);
    struct answer a = load_call("Backfills/UpdateBackfill", &update.base, id);
    (void)load_end_op(place, &a);
    mem_free((char *)a.payload.at);
    b->parties[chosen]->players[0] = replaced; /* the message's own, to be freed with it */
    return newcomer.number;
}

static void stop_looking(const Muster__V1__Backfill *b) {
    Muster__V1__CancelBackfillRequest cancel = MUSTER__V1__CANCEL_BACKFILL_REQUEST__INIT;
    size_t place = begin_op(OP_STOP_LOOK, load_id_of(b->match_id), load_id_of(b->backfill_id));
    cancel.backfill_id = b->backfill_id;
    char id[32];
    (void)snprintf(id, sizeof id, "%s", history()->ops[place].request_id);
    struct answer a = load_call("Backfills/CancelBackfill", &cancel.base, id);
    (void)load_end_op(place, &a);
    mem_free((char *)a.payload.at);
}

/* Returns who came by the game's word, or -1. */
static int look_for_players(struct id match_id) {
    Muster__V1__CreateBackfillRequest ask = MUSTER__V1__CREATE_BACKFILL_REQUEST__INIT;
    char match[ID_TEXT_BYTES], id[32];
    int newcomer = -1;
    id_format(match_id, match);
    ask.match_id = match;
    size_t place = begin_op(OP_LOOK, match_id, (struct id){0, 0});
    (void)snprintf(id, sizeof id, "%s", history()->ops[place].request_id);
    struct answer a = load_call("Backfills/CreateBackfill", &ask.base, id);
    struct op *op = load_end_op(place, &a);
    Muster__V1__CreateBackfillResponse *r =
        a.code == ERR_OK ? muster__v1__create_backfill_response__unpack(
                               NULL, a.payload.size, (const uint8_t *)a.payload.at)
                         : NULL;
    if (r) {
        op->backfill_id = load_id_of(r->backfill->backfill_id);
        (void)task_wait(world_between(1 * MS, 60 * MS));
        if (world_chance(0.6)) newcomer = say(r->backfill);
        if (world_chance(0.3)) stop_looking(r->backfill);
        muster__v1__create_backfill_response__free_unpacked(r, NULL);
    }
    mem_free((char *)a.payload.at);
    return newcomer;
}

/* ---- leaving ---- */

static bool is_final(enum err code) {
    /* a rollback took the match, or him out of it; or it is over */
    return code == ERR_OK || code == ERR_NOT_FOUND || code == ERR_INVALID_ARGUMENT ||
           code == ERR_FAILED_PRECONDITION;
}

/* However often it must be said. */
static void leave(int player, struct id match_id) {
    char match[ID_TEXT_BYTES], name[16], id[32], *names = name;
    id_format(match_id, match);
    (void)snprintf(name, sizeof name, "p%d", player);
    Muster__V1__LeaveMatchRequest request = MUSTER__V1__LEAVE_MATCH_REQUEST__INIT;
    request.match_id = match;
    request.player_ids = &names;
    request.n_player_ids = 1;
    for (enum err code = ERR_UNAVAILABLE; !is_final(code) && !load_is_stopped();) {
        load_name_request(id, sizeof id);
        struct answer a = load_call("Matches/LeaveMatch", &request.base, id);
        code = a.code;
        world_trace("leave of %s by %s: %s", match, name, err_name(a.code));
        mem_free((char *)a.payload.at);
    }
}

void game_play(int player, struct id match_id) {
    (void)task_wait(world_between(5 * MS, 400 * MS));
    int newcomer = world_chance(0.5) ? look_for_players(match_id) : -1;
    if (newcomer >= 0) leave(newcomer, match_id);
    leave(player, match_id);
}
