/* SPDX-License-Identifier: Apache-2.0 */
/* Recursive-descent parser. */
#include <string.h>

#include "json.h"

#define MAX_DEPTH 200

struct parser {
    struct scanner scanner;
    struct token token; /* the next one */
    struct arena *arena;
    int depth;
};

static struct json *parse_value(struct parser *p);

static void advance(struct parser *p)
{
    p->token = scan(&p->scanner);
}

static int is_punctuation(const struct parser *p, char c)
{
    return p->token.kind == TOKEN_PUNCTUATION && *p->token.start == c;
}

static int accept(struct parser *p, char c)
{
    if (!is_punctuation(p, c))
        return 0;
    advance(p);
    return 1;
}

static struct json *new_value(struct parser *p, enum json_kind kind)
{
    struct json *value = arena_alloc(p->arena, sizeof *value);
    if (value)
        *value = (struct json){.kind = kind};
    return value;
}

static const char *parse_key(struct parser *p)
{
    if (p->token.kind != TOKEN_STRING)
        return NULL;
    const char *key = json_unescape(p->token.start, p->token.size, p->arena);
    advance(p);
    return accept(p, ':') ? key : NULL;
}

/* After the opening bracket. */
static struct json *parse_items(struct parser *p, enum json_kind kind, char close)
{
    struct json *value = new_value(p, kind);
    if (!value)
        return NULL;
    struct json **tail = &value->items;

    if (accept(p, close))
        return value;
    do {
        const char *key = NULL;
        if (kind == JSON_OBJECT && !(key = parse_key(p)))
            return NULL;
        struct json *item = parse_value(p);
        if (!item)
            return NULL;
        item->key = key;
        *tail = item;
        tail = &item->next;
    } while (accept(p, ','));
    return accept(p, close) ? value : NULL;
}

static struct json *parse_nested(struct parser *p)
{
    struct json *value = NULL;

    if (++p->depth > MAX_DEPTH)
        return NULL;
    if (accept(p, '{'))
        value = parse_items(p, JSON_OBJECT, '}');
    else if (accept(p, '['))
        value = parse_items(p, JSON_ARRAY, ']');
    p->depth--;
    return value;
}

static struct json *parse_value(struct parser *p)
{
    struct token token = p->token;
    struct json *value = NULL;

    switch (token.kind) {
    case TOKEN_PUNCTUATION:
        return parse_nested(p);
    case TOKEN_STRING:
        value = new_value(p, JSON_STRING);
        if (!value || !(value->string = json_unescape(token.start, token.size, p->arena)))
            return NULL;
        break;
    case TOKEN_NUMBER:
        value = new_value(p, JSON_NUMBER);
        if (!value || !json_number(token.start, token.size, &value->number))
            return NULL;
        break;
    case TOKEN_TRUE:
        value = new_value(p, JSON_TRUE);
        break;
    case TOKEN_FALSE:
        value = new_value(p, JSON_FALSE);
        break;
    case TOKEN_NULL:
        value = new_value(p, JSON_NULL);
        break;
    case TOKEN_END:
    case TOKEN_BAD:
        return NULL;
    }
    advance(p);
    return value;
}

struct json *json_parse(const char *text, size_t size, struct arena *arena)
{
    struct parser p = {.scanner = {text, text + size}, .arena = arena};

    advance(&p);
    struct json *value = parse_value(&p);
    return value && p.token.kind == TOKEN_END ? value : NULL;
}

const struct json *json_member(const struct json *object, const char *key)
{
    if (object->kind != JSON_OBJECT)
        return NULL;
    for (const struct json *item = object->items; item; item = item->next)
        if (strcmp(item->key, key) == 0)
            return item;
    return NULL;
}
