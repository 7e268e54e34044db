/* SPDX-License-Identifier: Apache-2.0 */
/* Syntax tree to states, from the end backwards, so that every state knows its successor. */
#include <string.h>

#include "regex.h"

static int new_state(struct regex *regex, enum state_kind kind, int next, int other)
{
    if (regex->state_count == MAX_STATES)
        return -1;
    regex->states[regex->state_count] = (struct state){.kind = kind, .next = next, .other = other};
    return regex->state_count++;
}

/* Returns the first state of the part, which goes on to `next`; -1 when there is no room. */
static int build(struct regex *regex, const struct syntax *syntax, int n, int next)
{
    const struct node *node = &syntax->nodes[n];
    int state, left;

    if (next < 0)
        return -1;
    switch (node->kind) {
    case NODE_EMPTY:
        return next;
    case NODE_SET:
        state = new_state(regex, STATE_SET, next, 0);
        if (state >= 0)
            regex->states[state].set = node->set;
        return state;
    case NODE_START:
        return new_state(regex, STATE_START, next, 0);
    case NODE_END:
        return new_state(regex, STATE_END, next, 0);
    case NODE_CONCAT:
        return build(regex, syntax, node->left, build(regex, syntax, node->right, next));
    case NODE_CHOICE:
        left = build(regex, syntax, node->left, next);
        state = build(regex, syntax, node->right, next);
        return left < 0 || state < 0 ? -1 : new_state(regex, STATE_SPLIT, left, state);
    case NODE_REPEAT:
        state = new_state(regex, STATE_SPLIT, next, next);
        if (state < 0)
            return -1;
        left = build(regex, syntax, node->left, node->at_most_one ? next : state);
        if (left < 0)
            return -1;
        regex->states[state].next = left;
        return node->at_least_one ? left : state;
    }
    return -1;
}

const char *regex_compile(const char *pattern, struct regex *regex)
{
    struct syntax syntax;
    const char *error = regex_parse(pattern, &syntax);

    if (error)
        return error;
    memcpy(regex->sets, syntax.sets, (size_t)syntax.set_count * sizeof *syntax.sets);
    regex->state_count = 0;
    regex->start = build(regex, &syntax, syntax.root, new_state(regex, STATE_MATCH, 0, 0));
    return regex->start < 0 ? "pattern too large" : NULL;
}
