/* SPDX-License-Identifier: Apache-2.0 */
/* Regular expressions, matched by a set of states in linear time: no backtracking.
 *
 * Letters, . [a-z] [^a-z], the classes \d \w \s and other escapes, ( ) | * + ? and the anchors ^ $.
 */
#ifndef REGEX_H
#define REGEX_H

#include <stddef.h>
#include <stdint.h>

enum node_kind {
    NODE_EMPTY,
    NODE_SET,   /* one letter of a set */
    NODE_START, /* ^ */
    NODE_END,   /* $ */
    NODE_CONCAT,
    NODE_CHOICE,
    NODE_REPEAT
};

struct charset {
    uint64_t bits[4];
};

struct node {
    enum node_kind kind;
    int left, right;  /* children */
    int set;          /* NODE_SET */
    int at_least_one; /* NODE_REPEAT */
    int at_most_one;
};

#define MAX_NODES 256
#define MAX_SETS 128

struct syntax {
    struct node nodes[MAX_NODES];
    struct charset sets[MAX_SETS];
    int node_count;
    int set_count;
    int root;
};

enum state_kind { STATE_SET, STATE_SPLIT, STATE_START, STATE_END, STATE_MATCH };

struct state {
    enum state_kind kind;
    int set;
    int next;
    int other; /* STATE_SPLIT */
};

#define MAX_STATES 512

struct regex {
    struct state states[MAX_STATES];
    struct charset sets[MAX_SETS];
    int state_count;
    int start;
};

struct span {
    size_t start;
    size_t end;
};

void charset_add(struct charset *set, int c);
void charset_add_range(struct charset *set, int low, int high);
void charset_invert(struct charset *set);
int charset_has(const struct charset *set, int c);

/* Both return NULL, or what is wrong with the pattern. */
const char *regex_parse(const char *pattern, struct syntax *syntax);
const char *regex_compile(const char *pattern, struct regex *regex);

/* Finds the leftmost, longest match at or after `from`; returns 1 if there is one. */
int regex_search(const struct regex *regex, const char *text, size_t size, size_t from, struct span *span);

#endif
