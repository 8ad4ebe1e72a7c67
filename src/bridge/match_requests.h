/* match_requests.h - players' words on matches: accept_match, decline_match, leave_match.
 *
 * Bridge's thread only.
 */
#ifndef MUSTER_BRIDGE_MATCH_REQUESTS_H
#define MUSTER_BRIDGE_MATCH_REQUESTS_H

struct request;

void match_requests_accept(const struct request *r);
void match_requests_decline(const struct request *r);
void match_requests_leave(const struct request *r);

#endif
