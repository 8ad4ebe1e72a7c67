/* load_state.h - what a task of the load asks with: shared by its rooms.
 *
 * load.c tickets and proposals; load_game.c what a game does with a match that runs.
 * Thread safety: one thread.
 */
#ifndef MUSTER_TESTS_SIMULATION_LOAD_STATE_H
#define MUSTER_TESTS_SIMULATION_LOAD_STATE_H

#include "simulation/history.h"
#include "simulation/load.h"

#include <protobuf-c/protobuf-c.h>

struct answer { /* of a call that its task waits for */
    struct task *task;
    bool done;
    enum err code;
    struct str payload; /* the caller's: mem_free its bytes */
};

/* Waits for the answer, over all tries. */
struct answer load_call(const char *method, const ProtobufCMessage *request, const char *id);
void load_name_request(char *id, size_t size); /* a new one */
struct op *load_end_op(size_t place, const struct answer *a);
struct id load_id_of(const char *text); /* none: it is no id */
bool load_is_stopped(void);

/* The player plays on in the match for a while, and leaves it. */
void game_play(int player, struct id match_id);

#endif
