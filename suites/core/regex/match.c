/* SPDX-License-Identifier: Apache-2.0 */
/* Runs all states in parallel over the text. */
#include <string.h>

#include "regex.h"

/* A set of states that is cleared in no time: an index counts only if the list confirms it. */
struct state_set {
    int count;
    int items[MAX_STATES];
    int index[MAX_STATES];
};

struct input {
    const char *text;
    size_t size;
};

static int contains(const struct state_set *set, int state)
{
    int i = set->index[state];
    return i < set->count && set->items[i] == state;
}

static void insert(struct state_set *set, int state)
{
    set->index[state] = set->count;
    set->items[set->count++] = state;
}

/* Adds the state and all that it reaches without a letter; returns 1 if that includes the match. */
static int add_state(const struct regex *regex, struct state_set *set, int n, const struct input *in, size_t at)
{
    const struct state *state = &regex->states[n];

    if (contains(set, n))
        return 0;
    insert(set, n);
    switch (state->kind) {
    case STATE_MATCH:
        return 1;
    case STATE_SPLIT:
        return add_state(regex, set, state->next, in, at) | add_state(regex, set, state->other, in, at);
    case STATE_START:
        return (at == 0 || in->text[at - 1] == '\n') && add_state(regex, set, state->next, in, at);
    case STATE_END:
        return (at == in->size || in->text[at] == '\n') && add_state(regex, set, state->next, in, at);
    case STATE_SET:
        break;
    }
    return 0;
}

/* Length of the longest match that starts at `from`; returns 0 if there is none. */
static int match_at(const struct regex *regex, const struct input *in, size_t from, struct state_set sets[2],
                    size_t *end)
{
    struct state_set *now = &sets[0], *next = &sets[1];
    int found = 0;

    now->count = 0;
    if (add_state(regex, now, regex->start, in, from)) {
        found = 1;
        *end = from;
    }
    for (size_t at = from; at < in->size && now->count > 0; at++) {
        int c = (unsigned char)in->text[at];
        next->count = 0;
        int matched = 0;
        for (int i = 0; i < now->count; i++) {
            const struct state *state = &regex->states[now->items[i]];
            if (state->kind == STATE_SET && charset_has(&regex->sets[state->set], c))
                matched |= add_state(regex, next, state->next, in, at + 1);
        }
        if (matched) {
            found = 1;
            *end = at + 1;
        }
        struct state_set *t = now;
        now = next;
        next = t;
    }
    return found;
}

int regex_search(const struct regex *regex, const char *text, size_t size, size_t from, struct span *span)
{
    struct input in = {text, size};
    struct state_set sets[2];

    for (int i = 0; i < 2; i++)
        memset(sets[i].index, 0, (size_t)regex->state_count * sizeof sets[i].index[0]);
    for (size_t start = from; start <= size; start++) {
        if (match_at(regex, &in, start, sets, &span->end)) {
            span->start = start;
            return 1;
        }
    }
    return 0;
}
