/* process.h - this process as its kernel sees it, in Prometheus' words.
 *
 * Source: Prometheus client guidelines, "process metrics". Linux' /proc only.
 */
#ifndef MUSTER_MONITOR_PROCESS_H
#define MUSTER_MONITOR_PROCESS_H

#include "base/str.h"

/* Appends process_cpu_seconds_total, process_resident_memory_bytes, process_open_fds,
 * process_max_fds and process_start_time_seconds. Reads a few files of /proc/self. */
void process_text(struct strbuf *out);

#endif
