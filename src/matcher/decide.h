/* decide.h - deciding: the realm's clock, and records on their way into the open batch. */
#ifndef MUSTER_MATCHER_DECIDE_H
#define MUSTER_MATCHER_DECIDE_H

#include "model/realm.h"

struct matcher;

int64_t decide_now_ms(const struct matcher *m); /* the realm's clock; only while leading */
/* How to decide now: records go to the open batch. */
struct decision decide_now(struct matcher *m);
/* After records were made: tells those who watch, resets the arena. */
void decide_done(struct matcher *m);
/* The two around realm_decide. */
enum err decide_command(struct matcher *m, struct command *command, struct outcome *out,
                        struct err_text *why) ERR_CHECKED;

#endif
