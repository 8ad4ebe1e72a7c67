/* cli_explain.h - an explanation for the terminal: the player's sentences, then the numbers. */
#ifndef MUSTER_APP_CLI_EXPLAIN_H
#define MUSTER_APP_CLI_EXPLAIN_H

#include <muster/client.h>

void cli_explain_print(const Muster__V1__ExplainTicketResponse *answer); /* to stdout */

#endif
