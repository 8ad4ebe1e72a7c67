/* method.c - looks methods up in the service descriptors that protoc-c generates. */
#include "method.h"

#include <muster/client.h>

#include <stdio.h>
#include <string.h>

static const ProtobufCServiceDescriptor *const services[] = {
    &muster__v1__tickets__descriptor,   &muster__v1__matches__descriptor,
    &muster__v1__backfills__descriptor, &muster__v1__queues__descriptor,
    &muster__v1__events__descriptor,    &muster__v1__system__descriptor,
};

static const char *const mutating[] = {
    "CreateTicket",   "CreateTickets",  "CancelTicket",   "UpdateTicket", "AcceptMatch",
    "DeclineMatch",   "AssignMatch",    "CompleteMatch",  "CancelMatch",  "LeaveMatch",
    "CreateBackfill", "UpdateBackfill", "CancelBackfill", "PutQueue",     "DeleteQueue",
};

static bool is_mutating(const char *method) {
    for (size_t i = 0; i < sizeof mutating / sizeof *mutating; i++)
        if (strcmp(mutating[i], method) == 0) return true;
    return false;
}

bool muster_method_find(const char *name, struct method_info *out) {
    const char *slash = strchr(name, '/');
    if (slash == NULL) return false;
    size_t service_bytes = (size_t)(slash - name);
    for (size_t i = 0; i < sizeof services / sizeof *services; i++) {
        const ProtobufCServiceDescriptor *service = services[i];
        if (strlen(service->short_name) != service_bytes ||
            strncmp(service->short_name, name, service_bytes) != 0)
            continue;
        const ProtobufCMethodDescriptor *method =
            protobuf_c_service_descriptor_get_method_by_name(service, slash + 1);
        if (method == NULL) return false;
        snprintf(out->name, sizeof out->name, "%s/%s", service->name, method->name);
        out->input = method->input;
        out->output = method->output;
        out->mutating = is_mutating(method->name);
        out->whole_deadline = strcmp(method->name, "WatchTicket") == 0;
        return true;
    }
    return false;
}
