/* fake_client.h - the simulated sockets of the client library begin anew. One thread. */
#ifndef MUSTER_TESTS_SIMULATION_FAKE_CLIENT_H
#define MUSTER_TESTS_SIMULATION_FAKE_CLIENT_H

void fake_client_begin(void);

#endif
