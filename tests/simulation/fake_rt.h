/* fake_rt.h - what the simulation's ports share beyond the headers they stand in for: things that a
 * task can wait for with poll(2). Thread safety: one thread. */
#ifndef MUSTER_TESTS_SIMULATION_FAKE_RT_H
#define MUSTER_TESTS_SIMULATION_FAKE_RT_H

#include "simulation/world.h"

/* A file number that is readable when its owner says so. */
int fake_fd_new(void);
void fake_fd_close(int fd);
void fake_fd_ready(int fd, bool ready); /* wakes who polls it */
/* Waits until one of them is ready, for at most so long (NEVER: no end). */
bool fake_fd_wait(int fd, int64_t us);
void fake_fd_reset(void); /* a new world */

#endif
