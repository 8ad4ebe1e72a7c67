/* match_requests.h - players' answers to a proposal: accept_match, decline_match.
 *
 * Bridge's thread only.
 */
#ifndef MUSTER_BRIDGE_MATCH_REQUESTS_H
#define MUSTER_BRIDGE_MATCH_REQUESTS_H

struct request;

void match_requests_accept(const struct request *r);
void match_requests_decline(const struct request *r);

#endif
