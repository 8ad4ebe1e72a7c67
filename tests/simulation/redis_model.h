/* redis_model.h - what Redis does with the commands that Muster uses, as a value: no I/O, no clock.
 *
 * Strings with expiry, streams, and nothing else. model_test.c runs the same random commands here
 * and on a real redis-server and compares every reply, which is what makes a simulation on this
 * model worth something. What it does not know it answers with an error, as Redis would.
 * Thread safety: none.
 */
#ifndef MUSTER_TESTS_SIMULATION_REDIS_MODEL_H
#define MUSTER_TESTS_SIMULATION_REDIS_MODEL_H

#include "base/str.h"

struct model_id {
    uint64_t ms, seq;
};

enum model_kind { MODEL_NIL, MODEL_INT, MODEL_TEXT, MODEL_STATUS, MODEL_ERROR, MODEL_ARRAY };

struct model_reply {
    enum model_kind kind;
    int64_t number;
    struct str text; /* owned, a NUL behind it */
    struct model_reply **at;
    size_t count;
};

struct model;

enum { MODEL_WORDS_MAX = 16 };

struct model *model_new(void);
void model_free(struct model *m);
/* Redis' wall clock: what TIME says and expiry goes by. May go back. */
void model_set_clock(struct model *m, int64_t wall_us);
/* What one connection has begun: WATCH, MULTI. Zeroed memory is a new one. */
struct model_session {
    bool watching, multi;
    struct str key;                    /* watched, owned */
    uint64_t changes;                  /* of it, then */
    struct str words[MODEL_WORDS_MAX]; /* the one command between MULTI and EXEC, owned */
    size_t count;
};
void model_session_fini(struct model_session *s);
/* The caller frees the reply. Words are borrowed for the call. */
struct model_reply *model_run(struct model *m, struct model_session *s, const struct str *words,
                              size_t count);
void model_reply_free(struct model_reply *r); /* NULL is fine */
/* A blocking XREAD that found nothing: model_run answered nil. */
bool model_would_block(const struct str *words, size_t count, int64_t *block_ms);

/* What is on disk: kept by model_sync, gone back to by model_restore. */
void model_sync(struct model *m);
void model_restore(struct model *m);

/* Called for each entry that XADD accepted, and for how many were lost by each model_restore. */
struct model_watch {
    void (*added)(void *arg, struct model_id id, const struct str *fields, size_t count);
    void *arg;
};
void model_observe(struct model *m, struct model_watch watch);

/* fence.c, or, for the negative control, fence_none.c: whether XADD refuses `id` on a stream whose
 * top is `top`. */
bool fence_refuses(struct model_id id, struct model_id top);

#endif
