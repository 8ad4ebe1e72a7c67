/* method.h - the methods of muster.v1 by their short names, out of the generated descriptors. */
#ifndef MUSTER_CLIENT_METHOD_H
#define MUSTER_CLIENT_METHOD_H

#include <protobuf-c/protobuf-c.h>

#include <stdbool.h>

struct method_info {
    char name[96]; /* "muster.v1.Tickets/CreateTicket" */
    const ProtobufCMessageDescriptor *input, *output;
    bool mutating;       /* needs a request id */
    bool whole_deadline; /* a long poll: one try lasts as long as the call */
};

/* `name`: "Tickets/CreateTicket". False when there is no such method. */
bool muster_method_find(const char *name, struct method_info *out);

#endif
