/* json_message.h - what the JSON mapping's two directions share about descriptors.
 *
 * Pure. Thread safety: all functions.
 */
#ifndef MUSTER_WIRE_JSON_MESSAGE_H
#define MUSTER_WIRE_JSON_MESSAGE_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>

#define JSON_NAME_BYTES 64
#define JSON_BYTES_MAX 1048576 /* of a text that is read */

/* Writes the field's lowerCamelCase name to `name`, cut to fit, and returns it. */
const char *json_message_name(const ProtobufCFieldDescriptor *f, char name[JSON_NAME_BYTES]);
/* A map field: repeated messages named *Entry with the fields key and value. */
bool json_message_is_map(const ProtobufCFieldDescriptor *f);
bool json_message_is_attribute(const ProtobufCMessageDescriptor *type); /* AttributeValue */
size_t json_message_element_size(ProtobufCType type);                   /* of one value in memory */

#endif
