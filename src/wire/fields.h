/* fields.h - the keys of the message fields that are read or written without protobuf-c.
 *
 * A row is message, field, number, wire type as in proto/; Ticket_reason is the key of Ticket's
 * field `reason`. tests/unit/wire/fields_test.c compares every row with the descriptors.
 */
#ifndef MUSTER_WIRE_FIELDS_H
#define MUSTER_WIRE_FIELDS_H

#include "wire/pb.h"

#define FIELD_TABLE(ROW)                                              \
    /* envelope.proto */                                              \
    ROW(Metadata, key, 1, PB_BYTES)                                   \
    ROW(Metadata, value, 2, PB_BYTES)                                 \
    ROW(Request, method, 1, PB_BYTES)                                 \
    ROW(Request, payload, 2, PB_BYTES)                                \
    ROW(Request, timeout_ms, 3, PB_VARINT)                            \
    ROW(Request, metadata, 4, PB_BYTES)                               \
    ROW(Request, request_id, 5, PB_BYTES)                             \
    ROW(Request, forwarded, 6, PB_VARINT)                             \
    ROW(StatusDetail, field, 1, PB_BYTES)                             \
    ROW(StatusDetail, message, 2, PB_BYTES)                           \
    ROW(Status, code, 1, PB_VARINT)                                   \
    ROW(Status, message, 2, PB_BYTES)                                 \
    ROW(Status, details, 3, PB_BYTES)                                 \
    ROW(Response, status, 1, PB_BYTES)                                \
    ROW(Response, payload, 2, PB_BYTES)                               \
    /* common.proto */                                                \
    ROW(StringList, values, 1, PB_BYTES)                              \
    ROW(NumberMap, values, 1, PB_BYTES)                               \
    ROW(ValuesEntry, key, 1, PB_BYTES)                                \
    ROW(ValuesEntry, value, 2, PB_FIXED64)                            \
    ROW(AttributeValue, number, 1, PB_FIXED64)                        \
    ROW(AttributeValue, text, 2, PB_BYTES)                            \
    ROW(AttributeValue, list, 3, PB_BYTES)                            \
    ROW(AttributeValue, map, 4, PB_BYTES)                             \
    ROW(Player, player_id, 1, PB_BYTES)                               \
    ROW(Player, attributes, 2, PB_BYTES)                              \
    ROW(Player, latencies_ms, 3, PB_BYTES)                            \
    ROW(AttributesEntry, key, 1, PB_BYTES)                            \
    ROW(AttributesEntry, value, 2, PB_BYTES)                          \
    ROW(LatenciesMsEntry, key, 1, PB_BYTES)                           \
    ROW(LatenciesMsEntry, value, 2, PB_VARINT)                        \
    ROW(Ticket, ticket_id, 1, PB_BYTES)                               \
    ROW(Ticket, state, 2, PB_VARINT)                                  \
    ROW(Ticket, queues, 3, PB_BYTES)                                  \
    ROW(Ticket, players, 4, PB_BYTES)                                 \
    ROW(Ticket, create_time_ms, 5, PB_VARINT)                         \
    ROW(Ticket, expire_time_ms, 6, PB_VARINT)                         \
    ROW(Ticket, end_time_ms, 7, PB_VARINT)                            \
    ROW(Ticket, match_id, 8, PB_BYTES)                                \
    ROW(Ticket, reason, 9, PB_BYTES)                                  \
    ROW(Ticket, eta_p50_ms, 10, PB_VARINT)                            \
    ROW(Ticket, eta_p90_ms, 11, PB_VARINT)                            \
    ROW(TeamMember, player_id, 1, PB_BYTES)                           \
    ROW(TeamMember, ticket_id, 2, PB_BYTES)                           \
    ROW(TeamMember, role, 3, PB_BYTES)                                \
    ROW(Team, name, 1, PB_BYTES)                                      \
    ROW(Team, players, 2, PB_BYTES)                                   \
    ROW(Match, match_id, 1, PB_BYTES)                                 \
    ROW(Match, state, 2, PB_VARINT)                                   \
    ROW(Match, queue, 3, PB_BYTES)                                    \
    ROW(Match, queue_version, 4, PB_VARINT)                           \
    ROW(Match, region, 5, PB_BYTES)                                   \
    ROW(Match, teams, 6, PB_BYTES)                                    \
    ROW(Match, ticket_ids, 7, PB_BYTES)                               \
    ROW(Match, quality, 8, PB_FIXED64)                                \
    ROW(Match, skill_spread, 9, PB_FIXED64)                           \
    ROW(Match, team_gap, 10, PB_FIXED64)                              \
    ROW(Match, longest_wait_ms, 11, PB_VARINT)                        \
    ROW(Match, mean_latency_ms, 12, PB_FIXED64)                       \
    ROW(Match, create_time_ms, 13, PB_VARINT)                         \
    ROW(Match, win_gap, 20, PB_FIXED64)                               \
    ROW(Match, mean_wait_ms, 21, PB_FIXED64)                          \
    ROW(Match, worst_latency_ms, 22, PB_VARINT)                       \
    /* tickets.proto */                                               \
    ROW(CreateTicketRequest, queues, 1, PB_BYTES)                     \
    ROW(CreateTicketRequest, players, 2, PB_BYTES)                    \
    ROW(CreateTicketsRequest, tickets, 1, PB_BYTES)                   \
    ROW(CreateTicketsResponse, ticket_ids, 1, PB_BYTES)               \
    ROW(CreateTicketsResponse, failures, 2, PB_BYTES)                 \
    ROW(TicketFailure, index, 1, PB_VARINT)                           \
    ROW(TicketFailure, status, 2, PB_BYTES)                           \
    ROW(GetTicketRequest, ticket_id, 1, PB_BYTES)                     \
    ROW(GetTicketRequest, player_id, 2, PB_BYTES)                     \
    ROW(GetTicketResponse, ticket, 1, PB_BYTES)                       \
    ROW(GetTicketResponse, match, 2, PB_BYTES)                        \
    ROW(CancelTicketRequest, ticket_id, 1, PB_BYTES)                  \
    ROW(WatchTicketRequest, ticket_id, 1, PB_BYTES)                   \
    ROW(WatchTicketRequest, known_state, 2, PB_VARINT)                \
    /* explain.proto */                                               \
    ROW(ExplainTicketRequest, ticket_id, 1, PB_BYTES)                 \
    ROW(ExplainTicketRequest, player_id, 2, PB_BYTES)                 \
    ROW(ExplainTicketResponse, ticket, 1, PB_BYTES)                   \
    ROW(ExplainTicketResponse, sentences, 2, PB_BYTES)                \
    ROW(ExplainTicketResponse, queues, 3, PB_BYTES)                   \
    ROW(QueueExplanation, queue, 1, PB_BYTES)                         \
    ROW(QueueExplanation, queue_version, 2, PB_VARINT)                \
    ROW(QueueExplanation, reason, 3, PB_VARINT)                       \
    ROW(QueueExplanation, rule, 4, PB_BYTES)                          \
    ROW(QueueExplanation, position, 5, PB_VARINT)                     \
    ROW(QueueExplanation, tickets_queued, 6, PB_VARINT)               \
    ROW(QueueExplanation, players_queued, 7, PB_VARINT)               \
    ROW(QueueExplanation, tickets_elsewhere, 8, PB_VARINT)            \
    ROW(QueueExplanation, age_ms, 9, PB_VARINT)                       \
    ROW(QueueExplanation, next_expansion_in_ms, 10, PB_VARINT)        \
    ROW(QueueExplanation, near_tickets, 11, PB_VARINT)                \
    ROW(QueueExplanation, near_players, 12, PB_VARINT)                \
    ROW(QueueExplanation, near_is_all, 13, PB_VARINT)                 \
    ROW(QueueExplanation, fitting_tickets, 14, PB_VARINT)             \
    ROW(QueueExplanation, fitting_players, 15, PB_VARINT)             \
    ROW(QueueExplanation, players_min, 16, PB_VARINT)                 \
    ROW(QueueExplanation, players_max, 17, PB_VARINT)                 \
    ROW(QueueExplanation, group_players, 18, PB_VARINT)               \
    ROW(QueueExplanation, missing_players, 19, PB_VARINT)             \
    ROW(QueueExplanation, rules, 20, PB_BYTES)                        \
    ROW(QueueExplanation, nearest_miss, 21, PB_BYTES)                 \
    ROW(QueueExplanation, teams, 22, PB_BYTES)                        \
    ROW(QueueExplanation, roles, 23, PB_BYTES)                        \
    ROW(QueueExplanation, eta_p50_ms, 24, PB_VARINT)                  \
    ROW(QueueExplanation, eta_p90_ms, 25, PB_VARINT)                  \
    ROW(QueueExplanation, any_match_in_ms, 27, PB_VARINT)             \
    ROW(QueueExplanation, eta_samples, 26, PB_VARINT)                 \
    ROW(RuleExplanation, name, 1, PB_BYTES)                           \
    ROW(RuleExplanation, type, 2, PB_BYTES)                           \
    ROW(RuleExplanation, of_pairs, 3, PB_VARINT)                      \
    ROW(RuleExplanation, governed, 4, PB_VARINT)                      \
    ROW(RuleExplanation, numbers, 5, PB_BYTES)                        \
    ROW(RuleExplanation, rejected_tickets, 6, PB_VARINT)              \
    ROW(RuleExplanation, rejected_alone_tickets, 7, PB_VARINT)        \
    ROW(RuleExplanation, fails, 8, PB_VARINT)                         \
    ROW(RuleExplanation, measured, 9, PB_FIXED64)                     \
    ROW(RuleExplanation, bound, 10, PB_FIXED64)                       \
    ROW(RuleNumber, name, 1, PB_BYTES)                                \
    ROW(RuleNumber, now, 2, PB_FIXED64)                               \
    ROW(RuleNumber, next, 3, PB_FIXED64)                              \
    ROW(RuleNumber, next_in_ms, 4, PB_VARINT)                         \
    ROW(NearestMiss, ticket_id, 1, PB_BYTES)                          \
    ROW(NearestMiss, rule, 2, PB_BYTES)                               \
    ROW(NearestMiss, failing_rules, 3, PB_VARINT)                     \
    ROW(NearestMiss, distance, 4, PB_FIXED64)                         \
    ROW(NearestMiss, measured, 5, PB_FIXED64)                         \
    ROW(NearestMiss, bound, 6, PB_FIXED64)                            \
    ROW(NearestMiss, will_be_admitted, 7, PB_VARINT)                  \
    ROW(NearestMiss, admitted_in_ms, 8, PB_VARINT)                    \
    ROW(NearestMiss, admitting_bound, 9, PB_FIXED64)                  \
    ROW(TeamExplanation, name, 1, PB_BYTES)                           \
    ROW(TeamExplanation, players_min, 2, PB_VARINT)                   \
    ROW(TeamExplanation, players_max, 3, PB_VARINT)                   \
    ROW(TeamExplanation, players, 4, PB_VARINT)                       \
    ROW(RoleExplanation, name, 1, PB_BYTES)                           \
    ROW(RoleExplanation, players_min, 2, PB_VARINT)                   \
    ROW(RoleExplanation, players_max, 3, PB_VARINT)                   \
    ROW(RoleExplanation, fitting_players, 4, PB_VARINT)               \
    ROW(RoleExplanation, players, 5, PB_VARINT)                       \
    /* matches.proto */                                               \
    ROW(GetMatchRequest, match_id, 1, PB_BYTES)                       \
    ROW(GetMatchResponse, match, 1, PB_BYTES)                         \
    ROW(ListMatchesRequest, queue, 1, PB_BYTES)                       \
    ROW(ListMatchesRequest, page_size, 2, PB_VARINT)                  \
    ROW(ListMatchesRequest, page_token, 3, PB_BYTES)                  \
    ROW(ListMatchesResponse, matches, 1, PB_BYTES)                    \
    ROW(ListMatchesResponse, next_page_token, 2, PB_BYTES)            \
    /* queues.proto */                                                \
    ROW(Queue, name, 1, PB_BYTES)                                     \
    ROW(Queue, version, 2, PB_VARINT)                                 \
    ROW(Queue, definition_json, 3, PB_BYTES)                          \
    ROW(Queue, update_time_ms, 4, PB_VARINT)                          \
    ROW(PutQueueRequest, definition_json, 1, PB_BYTES)                \
    ROW(PutQueueRequest, allow_shrinking, 2, PB_VARINT)               \
    ROW(PutQueueResponse, queue, 1, PB_BYTES)                         \
    ROW(PutQueueResponse, changed, 2, PB_VARINT)                      \
    ROW(PutQueueResponse, notes, 3, PB_BYTES)                         \
    ROW(GetQueueRequest, name, 1, PB_BYTES)                           \
    ROW(ListQueuesResponse, queues, 1, PB_BYTES)                      \
    ROW(DeleteQueueRequest, name, 1, PB_BYTES)                        \
    ROW(GetQueueStatsRequest, name, 1, PB_BYTES)                      \
    ROW(GetQueueStatsResponse, name, 1, PB_BYTES)                     \
    ROW(GetQueueStatsResponse, version, 2, PB_VARINT)                 \
    ROW(GetQueueStatsResponse, tickets_queued, 3, PB_VARINT)          \
    ROW(GetQueueStatsResponse, players_queued, 4, PB_VARINT)          \
    ROW(GetQueueStatsResponse, tickets_created_total, 5, PB_VARINT)   \
    ROW(GetQueueStatsResponse, tickets_matched_total, 6, PB_VARINT)   \
    ROW(GetQueueStatsResponse, tickets_cancelled_total, 7, PB_VARINT) \
    ROW(GetQueueStatsResponse, tickets_expired_total, 8, PB_VARINT)   \
    ROW(GetQueueStatsResponse, matches_total, 9, PB_VARINT)           \
    ROW(GetQueueStatsResponse, oldest_wait_ms, 10, PB_VARINT)         \
    ROW(GetQueueStatsResponse, wait_p50_ms, 11, PB_VARINT)            \
    ROW(GetQueueStatsResponse, wait_p90_ms, 12, PB_VARINT)            \
    ROW(GetQueueStatsResponse, wait_p99_ms, 13, PB_VARINT)            \
    ROW(GetQueueStatsResponse, quality_mean, 14, PB_FIXED64)          \
    ROW(GetQueueStatsResponse, eta, 15, PB_BYTES)                     \
    ROW(GetQueueStatsResponse, eta_by_band, 16, PB_BYTES)             \
    ROW(GetQueueStatsResponse, eta_by_region, 17, PB_BYTES)           \
    ROW(GetQueueStatsResponse, eta_by_party, 18, PB_BYTES)            \
    ROW(GetQueueStatsResponse, eta_told_total, 19, PB_VARINT)         \
    ROW(GetQueueStatsResponse, eta_kept_total, 20, PB_VARINT)         \
    ROW(WaitEstimate, p50_ms, 1, PB_VARINT)                           \
    ROW(WaitEstimate, p90_ms, 2, PB_VARINT)                           \
    ROW(WaitEstimate, samples, 3, PB_VARINT)                          \
    ROW(WaitEstimate, skill_low, 4, PB_FIXED64)                       \
    ROW(WaitEstimate, skill_high, 5, PB_FIXED64)                      \
    ROW(WaitEstimate, region, 6, PB_BYTES)                            \
    ROW(WaitEstimate, players_min, 7, PB_VARINT)                      \
    ROW(WaitEstimate, players_max, 8, PB_VARINT)                      \
    ROW(ValidateRulesetRequest, definition_json, 1, PB_BYTES)         \
    ROW(ValidateRulesetResponse, notes, 1, PB_BYTES)                  \
    /* events.proto */                                                \
    ROW(Position, epoch, 1, PB_VARINT)                                \
    ROW(Position, seq, 2, PB_VARINT)                                  \
    ROW(Event, type, 1, PB_VARINT)                                    \
    ROW(Event, epoch, 2, PB_VARINT)                                   \
    ROW(Event, seq, 3, PB_VARINT)                                     \
    ROW(Event, index, 4, PB_VARINT)                                   \
    ROW(Event, time_ms, 5, PB_VARINT)                                 \
    ROW(Event, realm, 6, PB_BYTES)                                    \
    ROW(Event, queue, 7, PB_BYTES)                                    \
    ROW(Event, ticket, 8, PB_BYTES)                                   \
    ROW(Event, match, 9, PB_BYTES)                                    \
    ROW(Event, queue_info, 10, PB_BYTES)                              \
    ROW(TopicPosition, topic, 1, PB_BYTES)                            \
    ROW(TopicPosition, epoch, 2, PB_VARINT)                           \
    ROW(TopicPosition, seq, 3, PB_VARINT)                             \
    ROW(EventBatch, epoch, 1, PB_VARINT)                              \
    ROW(EventBatch, seq, 2, PB_VARINT)                                \
    ROW(EventBatch, previous_epoch, 3, PB_VARINT)                     \
    ROW(EventBatch, previous_seq, 4, PB_VARINT)                       \
    ROW(EventBatch, events, 5, PB_BYTES)                              \
    ROW(EventBatch, topics, 6, PB_BYTES)                              \
    ROW(EventBatch, entry_events, 7, PB_VARINT)                       \
    ROW(ReplayEventsRequest, epoch, 1, PB_VARINT)                     \
    ROW(ReplayEventsRequest, after_seq, 2, PB_VARINT)                 \
    ROW(ReplayEventsRequest, max_entries, 3, PB_VARINT)               \
    ROW(ReplayEventsRequest, topic_prefix, 4, PB_BYTES)               \
    ROW(ReplayEventsRequest, inclusive, 5, PB_VARINT)               \
    ROW(ReplayEventsResponse, events, 1, PB_BYTES)                    \
    ROW(ReplayEventsResponse, position, 2, PB_BYTES)                  \
    ROW(ReplayEventsResponse, more, 3, PB_VARINT)                     \
    /* system.proto */                                                \
    ROW(CheckResponse, serving, 1, PB_VARINT)                         \
    ROW(Metric, name, 1, PB_BYTES)                                    \
    ROW(Metric, value, 2, PB_FIXED64)                                 \
    ROW(GetStatusResponse, version, 1, PB_BYTES)                      \
    ROW(GetStatusResponse, realm, 2, PB_BYTES)                        \
    ROW(GetStatusResponse, roles, 3, PB_BYTES)                        \
    ROW(GetStatusResponse, leading, 4, PB_VARINT)                     \
    ROW(GetStatusResponse, epoch, 5, PB_VARINT)                       \
    ROW(GetStatusResponse, seq, 6, PB_VARINT)                         \
    ROW(GetStatusResponse, uptime_ms, 7, PB_VARINT)                   \
    ROW(GetStatusResponse, tickets_queued, 8, PB_VARINT)              \
    ROW(GetStatusResponse, matches_kept, 9, PB_VARINT)                \
    ROW(GetStatusResponse, queue_count, 10, PB_VARINT)                \
    ROW(GetStatusResponse, metrics, 11, PB_BYTES)                     \
    ROW(GetStatusResponse, lag_entries, 12, PB_VARINT)                \
    ROW(GetStatusResponse, lag_ms, 13, PB_VARINT)                     \
    ROW(GetStatusResponse, lease_age_ms, 14, PB_VARINT)               \
    ROW(GetStatusResponse, trouble, 15, PB_BYTES)                     \
    /* journal.proto */                                               \
    ROW(EpochStarted, owner, 1, PB_BYTES)                             \
    ROW(QueuePut, name, 1, PB_BYTES)                                  \
    ROW(QueuePut, version, 2, PB_VARINT)                              \
    ROW(QueuePut, definition_json, 3, PB_BYTES)                       \
    ROW(QueuePut, allow_shrinking, 4, PB_VARINT)                      \
    ROW(QueueDeleted, name, 1, PB_BYTES)                              \
    ROW(QueueDeleted, version, 2, PB_VARINT)                          \
    ROW(TicketCreated, ticket, 1, PB_BYTES)                           \
    ROW(TicketCreated, request_key, 2, PB_BYTES)                      \
    ROW(TicketCreated, request_hash, 3, PB_FIXED64)                   \
    ROW(TicketEnded, ticket_id, 1, PB_BYTES)                          \
    ROW(TicketEnded, state, 2, PB_VARINT)                             \
    ROW(TicketEnded, queues, 3, PB_BYTES)                             \
    ROW(TicketEnded, player_ids, 4, PB_BYTES)                         \
    ROW(TicketEnded, reason, 5, PB_BYTES)                             \
    ROW(MatchCreated, match, 1, PB_BYTES)                             \
    ROW(Record, time_ms, 1, PB_VARINT)                                \
    ROW(Record, carried, 2, PB_VARINT)                                \
    ROW(Record, epoch_started, 3, PB_BYTES)                           \
    ROW(Record, queue_put, 4, PB_BYTES)                               \
    ROW(Record, queue_deleted, 5, PB_BYTES)                           \
    ROW(Record, ticket_created, 6, PB_BYTES)                          \
    ROW(Record, ticket_ended, 7, PB_BYTES)                            \
    ROW(Record, match_created, 8, PB_BYTES)                           \
    ROW(Entry, records, 1, PB_BYTES)                                  \
    ROW(Entry, owner, 2, PB_BYTES)

enum field_key {
#define FIELD_KEY(message, field, number, wire) message##_##field = PB_KEY(number, wire),
    FIELD_TABLE(FIELD_KEY)
#undef FIELD_KEY
};

#endif
