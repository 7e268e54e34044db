/* SPDX-License-Identifier: Apache-2.0 */
/* JSON (RFC 8259): scanner, parser to a tree, writer. */
#ifndef JSON_H
#define JSON_H

#include <stddef.h>
#include <stdint.h>

#include "arena.h"

enum token_kind {
    TOKEN_END,
    TOKEN_PUNCTUATION, /* one of {}[],: */
    TOKEN_STRING,
    TOKEN_NUMBER,
    TOKEN_TRUE,
    TOKEN_FALSE,
    TOKEN_NULL,
    TOKEN_BAD
};

struct token {
    enum token_kind kind;
    const char *start; /* strings: without the quotes, escapes not yet resolved */
    size_t size;
};

struct scanner {
    const char *at;
    const char *end;
};

struct token scan(struct scanner *scanner);

enum json_kind { JSON_NULL, JSON_FALSE, JSON_TRUE, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

struct json {
    enum json_kind kind;
    struct json *next;  /* in an array or object */
    const char *key;    /* in an object */
    const char *string; /* JSON_STRING */
    double number;      /* JSON_NUMBER */
    struct json *items; /* JSON_ARRAY and JSON_OBJECT: the first one */
};

/* Everything lives in the arena. Returns NULL if the text is bad or memory is short. */
struct json *json_parse(const char *text, size_t size, struct arena *arena);
/* The member of an object, or NULL. */
const struct json *json_member(const struct json *object, const char *key);

struct buffer {
    char *bytes;
    size_t size;
    size_t capacity;
    int failed;
};

/* Numbers are written as integers in units of 1/1000. */
void json_write(const struct json *json, struct buffer *out);

/* Resolves escapes; returns a string in the arena, or NULL. */
const char *json_unescape(const char *raw, size_t size, struct arena *arena);
void json_write_string(const char *string, struct buffer *out);
void buffer_put(struct buffer *buffer, const char *bytes, size_t size);

/* Returns 0 if the number is malformed. */
int json_number(const char *text, size_t size, double *value);

#endif
