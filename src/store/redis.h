/* redis.h - one connection to Redis; the only module that knows hiredis.
 *
 *     redis_open -> redis_run ...                  request and reply, blocking with a time limit
 *               \-> (redis_ask -> redis_answer) ...   the same, with time in between
 *               \-> redis_detach -> redis_send -> (poll redis_fd) -> redis_receive ...
 *
 * Commands are lists of words, never text that is parsed. An error reply becomes an enum err with
 * a text for people (what, where, what to do) by one table. A connection on which reading or
 * writing failed is broken for good (redis_broken): close it and open another.
 * Thread safety: one thread per connection. SIGPIPE must be ignored or blocked.
 */
#ifndef MUSTER_STORE_REDIS_H
#define MUSTER_STORE_REDIS_H

#include "base/str.h"
#include "store/address.h"

struct redis;
struct redisReply; /* hiredis' own; read it with redis_reply_* only */

/* Connects, logs in, selects the database; asks the address' Sentinels first, each time, and makes
 * sure that what they name is a primary. Blocks up to `timeout_ms` per step; that is also the
 * limit of every later operation. UNAVAILABLE: not reachable; UNAUTHENTICATED and others as the
 * table of error replies says. */
enum err redis_open(struct redis **out, const struct address *a, int64_t timeout_ms,
                    struct err_text *why) ERR_CHECKED;
void redis_close(struct redis *r); /* NULL is fine */
bool redis_broken(const struct redis *r);
const char *redis_where(const struct redis *r); /* the address without password, borrowed */

/* Sends one command and waits for its reply, which the caller frees with redis_reply_free (NULL on
 * error). ALREADY_EXISTS: XADD's id is not above the top; NOT_FOUND: no such key;
 * FAILED_PRECONDITION: wrong type, read-only replica; UNAVAILABLE with redis_broken: the outcome is
 * unknown. */
enum err redis_run(struct redis *r, const struct str *words, size_t word_count,
                   struct redisReply **reply, struct err_text *why) ERR_CHECKED;

/* redis_run in two halves, so that Redis works on it while the caller does something else. Each ask
 * is followed by one answer, with nothing else on the connection in between. */
enum err redis_ask(struct redis *r, const struct str *words, size_t word_count,
                   struct err_text *why) ERR_CHECKED;
enum err redis_answer(struct redis *r, struct redisReply **reply, struct err_text *why) ERR_CHECKED;

/* Makes the connection non-blocking; redis_run is not allowed any more. */
void redis_detach(struct redis *r);
int redis_fd(const struct redis *r);
enum err redis_send(struct redis *r, const struct str *words, size_t word_count,
                    struct err_text *why) ERR_CHECKED;
/* What has arrived: *reply is NULL when the reply is not complete yet. */
enum err redis_receive(struct redis *r, struct redisReply **reply,
                       struct err_text *why) ERR_CHECKED;

void redis_reply_free(struct redisReply *reply); /* NULL is fine */
bool redis_reply_nil(const struct redisReply *reply);
size_t redis_reply_count(const struct redisReply *reply); /* elements; 0 unless an array */
const struct redisReply *redis_reply_at(const struct redisReply *reply, size_t index); /* or NULL */
struct str redis_reply_str(const struct redisReply *reply);         /* empty unless a string */
bool redis_reply_int(const struct redisReply *reply, int64_t *out); /* integer or decimal string */

#endif
