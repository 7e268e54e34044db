/* SPDX-License-Identifier: Apache-2.0 */
/* Writes a JSON tree as compact text. */
#include <stdlib.h>
#include <string.h>

#include "json.h"

void buffer_put(struct buffer *buffer, const char *bytes, size_t size)
{
    if (buffer->capacity - buffer->size < size) {
        size_t capacity = 2 * buffer->capacity + size + 256;
        char *larger = realloc(buffer->bytes, capacity);
        if (!larger) {
            buffer->failed = 1;
            return;
        }
        buffer->bytes = larger;
        buffer->capacity = capacity;
    }
    memcpy(buffer->bytes + buffer->size, bytes, size);
    buffer->size += size;
}

static void put_text(struct buffer *out, const char *text)
{
    buffer_put(out, text, strlen(text));
}

static void write_number(double number, struct buffer *out)
{
    char text[32], *p = text + sizeof text;
    double scaled = number * 1000.0;
    int64_t rounded = (int64_t)(scaled < 0 ? scaled - 0.5 : scaled + 0.5);
    uint64_t rest = rounded < 0 ? 0 - (uint64_t)rounded : (uint64_t)rounded;

    do
        *--p = (char)('0' + rest % 10);
    while (rest /= 10);
    if (rounded < 0)
        *--p = '-';
    buffer_put(out, p, (size_t)(text + sizeof text - p));
}

static void write_items(const struct json *json, struct buffer *out)
{
    for (const struct json *item = json->items; item; item = item->next) {
        if (item != json->items)
            buffer_put(out, ",", 1);
        if (item->key) {
            json_write_string(item->key, out);
            buffer_put(out, ":", 1);
        }
        json_write(item, out);
    }
}

void json_write(const struct json *json, struct buffer *out)
{
    switch (json->kind) {
    case JSON_NULL: put_text(out, "null"); break;
    case JSON_FALSE: put_text(out, "false"); break;
    case JSON_TRUE: put_text(out, "true"); break;
    case JSON_NUMBER: write_number(json->number, out); break;
    case JSON_STRING: json_write_string(json->string, out); break;
    case JSON_ARRAY:
        buffer_put(out, "[", 1);
        write_items(json, out);
        buffer_put(out, "]", 1);
        break;
    case JSON_OBJECT:
        buffer_put(out, "{", 1);
        write_items(json, out);
        buffer_put(out, "}", 1);
        break;
    }
}
