/* limits.h - every fixed limit with its number, reason and what happens at it. */
#ifndef MUSTER_BASE_LIMITS_H
#define MUSTER_BASE_LIMITS_H

#define LIMIT_NAME_BYTES 64          /* player, queue, realm, request id: refused */
#define LIMIT_TEXT_BYTES 100         /* string attribute, list item, map key: refused */
#define LIMIT_ATTRIBUTES 10          /* per player (FlexMatch): refused */
#define LIMIT_LIST_ITEMS 100         /* per string list (FlexMatch): refused */
#define LIMIT_MAP_ITEMS 10           /* per string-number map (FlexMatch): refused */
#define LIMIT_REGIONS 64             /* latencies per player; a region set is one u64: refused */
#define LIMIT_LATENCY_MS 60000       /* refused */
#define LIMIT_TICKET_PLAYERS 200     /* refused; the queue's largest team is usually less */
#define LIMIT_TICKET_QUEUES 8        /* queues one ticket waits in; a pool entry each: refused */
#define LIMIT_TICKET_BYTES 262144    /* one ticket on the wire; an entry must hold it: refused */
#define LIMIT_MATCH_PLAYERS 200      /* FlexMatch large match: ruleset refused */
#define LIMIT_TEAMS 200              /* ruleset refused */
#define LIMIT_RULES 64               /* per ruleset: refused */
#define LIMIT_EXPANSION_STEPS 64     /* per expansion: refused */
#define LIMIT_RULESET_BYTES 65535    /* FlexMatch RuleSetBody: refused */
#define LIMIT_QUEUES 1000            /* per realm: RESOURCE_EXHAUSTED */
#define LIMIT_QUEUE_VERSIONS 20      /* former ones kept of a queue: the oldest is forgotten */
#define LIMIT_VERSIONS_BYTES 131072  /* their texts: likewise */
#define LIMIT_COMMENT_BYTES 256      /* on a queue's version: refused */
#define LIMIT_CREATE_TICKETS 1000    /* tickets per CreateTickets: refused */
#define LIMIT_TICKETS 4000000        /* open tickets per realm: RESOURCE_EXHAUSTED */
#define LIMIT_TICKETS_KEPT 2000000   /* ended tickets kept for reading: oldest forgotten early */
#define LIMIT_MATCHES_KEPT 1000000   /* matches kept for reading: oldest forgotten early */
#define LIMIT_BACKFILLS 100000       /* open per realm: RESOURCE_EXHAUSTED; automatic: none */
#define LIMIT_BACKFILLS_KEPT 100000  /* that are over, kept for reading: oldest go early */
#define LIMIT_BACKFILL_BYTES 262144  /* that its players bring: refused, newcomers wait */
#define LIMIT_CONNECTION_BYTES 1024  /* of an assignment: refused */
#define LIMIT_DELETE_TICKETS 100000  /* that DeleteQueue cancels in one go: refused */
#define LIMIT_HEARTBEATS 1000        /* tickets per HeartbeatTickets: refused */
#define LIMIT_DODGE_STEPS 16         /* of a queue's dodge penalty: refused */
#define LIMIT_PENALTIES 1000000      /* players remembered for dodging: the first to be forgiven */
#define LIMIT_MESSAGE_BYTES 4194304  /* one RPC message: nng closes the pipe */
#define LIMIT_ANSWER_BYTES 16777216  /* payload of one RPC answer: FAILED_PRECONDITION instead */
#define LIMIT_DECODE_FACTOR 16       /* decoding arena: bytes per wire byte: RESOURCE_EXHAUSTED */
#define LIMIT_DECODE_BYTES 1048576   /* and these: the reasons of a batch of refused tickets */
#define LIMIT_ENTRY_BYTES 1048576    /* one journal entry; a batch is split above it */
#define LIMIT_TIMEOUT_MS 60000       /* longest deadline of an RPC: cut down to it */
#define LIMIT_RPC_CONTEXTS 1024      /* requests taken in per door; more wait in the sockets */
#define LIMIT_RPC_WORK 512           /* of them being worked on: RESOURCE_EXHAUSTED at once */
#define LIMIT_PARKED_CONTEXTS 4096   /* long polls held per door: RESOURCE_EXHAUSTED */
#define LIMIT_INBOX_MESSAGES 65536   /* per role inbox: RESOURCE_EXHAUSTED */
#define LIMIT_WATCHERS 100000        /* long polls held per matcher: RESOURCE_EXHAUSTED */
#define LIMIT_TOPICS 8192            /* per relay, above 6 x LIMIT_QUEUES: forgets all */
#define LIMIT_METRIC_SERIES 10000    /* label sets of a process: the rest are "other" */
#define LIMIT_PENDING_BYTES 67108864 /* bytes decided but not yet durable: UNAVAILABLE */

#endif
