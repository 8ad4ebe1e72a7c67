/* cut_proxy.h - a TCP proxy before a Redis that loses what a test tells it to lose.
 *
 * cut_proxy_arm() makes it cut the connection at the next request that contains XADD: either
 * before it reaches Redis, or after Redis has executed it but before the reply gets back.
 * Thread safety: all functions; the proxy runs in a thread of its own.
 */
#ifndef MUSTER_TESTS_CUT_PROXY_H
#define MUSTER_TESTS_CUT_PROXY_H

enum cut { CUT_NONE, CUT_REQUEST, CUT_REPLY };

struct cut_proxy;

struct cut_proxy *cut_proxy_start(const char *redis_socket);
const char *cut_proxy_address(const struct cut_proxy *p); /* redis://127.0.0.1:<free port> */
void cut_proxy_arm(struct cut_proxy *p, enum cut what);
unsigned cut_proxy_cuts(const struct cut_proxy *p); /* made so far */
void cut_proxy_stop(struct cut_proxy *p);

#endif
