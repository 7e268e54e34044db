/* SPDX-License-Identifier: Apache-2.0 */
/* Recursive-descent parser: pattern to syntax tree. */
#include <string.h>

#include "regex.h"

struct parser {
    const char *at;
    struct syntax *syntax;
    const char *error;
};

static int parse_choice(struct parser *p);

static int fail(struct parser *p, const char *message)
{
    if (!p->error)
        p->error = message;
    return 0;
}

static int new_node(struct parser *p, enum node_kind kind, int left, int right)
{
    if (p->syntax->node_count == MAX_NODES)
        return fail(p, "pattern too long");
    struct node *node = &p->syntax->nodes[p->syntax->node_count];
    *node = (struct node){.kind = kind, .left = left, .right = right};
    return p->syntax->node_count++;
}

static int new_set(struct parser *p, const struct charset *set)
{
    if (p->syntax->set_count == MAX_SETS)
        return fail(p, "too many sets");
    int n = new_node(p, NODE_SET, 0, 0);
    p->syntax->sets[p->syntax->set_count] = *set;
    p->syntax->nodes[n].set = p->syntax->set_count++;
    return n;
}

/* Adds what stands after a backslash. */
static void add_escape(struct charset *set, int c)
{
    switch (c) {
    case 'd':
        charset_add_range(set, '0', '9');
        break;
    case 'w':
        charset_add_range(set, '0', '9');
        charset_add_range(set, 'a', 'z');
        charset_add_range(set, 'A', 'Z');
        charset_add(set, '_');
        break;
    case 's':
        charset_add(set, ' ');
        charset_add_range(set, '\t', '\r');
        break;
    default:
        charset_add(set, c);
    }
}

static int parse_bracket(struct parser *p)
{
    struct charset set = {{0}};
    int inverted = *p->at == '^';

    p->at += inverted;
    do {
        int c = (unsigned char)*p->at++;
        if (c == '\0')
            return fail(p, "missing ]");
        if (c == '\\' && *p->at) {
            add_escape(&set, (unsigned char)*p->at++);
        } else if (p->at[0] == '-' && p->at[1] && p->at[1] != ']') {
            charset_add_range(&set, c, (unsigned char)p->at[1]);
            p->at += 2;
        } else {
            charset_add(&set, c);
        }
    } while (*p->at && *p->at != ']');
    if (*p->at != ']')
        return fail(p, "missing ]");
    p->at++;
    if (inverted)
        charset_invert(&set);
    return new_set(p, &set);
}

static int parse_atom(struct parser *p)
{
    struct charset set = {{0}};
    int c = (unsigned char)*p->at++;

    switch (c) {
    case '(': {
        int inner = parse_choice(p);
        if (*p->at != ')')
            return fail(p, "missing )");
        p->at++;
        return inner;
    }
    case '[':
        return parse_bracket(p);
    case '^':
        return new_node(p, NODE_START, 0, 0);
    case '$':
        return new_node(p, NODE_END, 0, 0);
    case '.':
        charset_add(&set, '\n');
        charset_invert(&set);
        return new_set(p, &set);
    case '*':
    case '+':
    case '?':
        return fail(p, "nothing to repeat");
    case '\\':
        if (!*p->at)
            return fail(p, "backslash at the end");
        add_escape(&set, (unsigned char)*p->at++);
        return new_set(p, &set);
    default:
        charset_add(&set, c);
        return new_set(p, &set);
    }
}

static int parse_repeat(struct parser *p)
{
    int atom = parse_atom(p);

    while (!p->error && *p->at && strchr("*+?", *p->at)) {
        int repeat = new_node(p, NODE_REPEAT, atom, 0);
        p->syntax->nodes[repeat].at_least_one = *p->at == '+';
        p->syntax->nodes[repeat].at_most_one = *p->at == '?';
        p->at++;
        atom = repeat;
    }
    return atom;
}

static int parse_concat(struct parser *p)
{
    if (*p->at == '\0' || *p->at == '|' || *p->at == ')')
        return new_node(p, NODE_EMPTY, 0, 0);
    int left = parse_repeat(p);
    while (!p->error && *p->at && *p->at != '|' && *p->at != ')')
        left = new_node(p, NODE_CONCAT, left, parse_repeat(p));
    return left;
}

static int parse_choice(struct parser *p)
{
    int left = parse_concat(p);
    while (!p->error && *p->at == '|') {
        p->at++;
        left = new_node(p, NODE_CHOICE, left, parse_concat(p));
    }
    return left;
}

const char *regex_parse(const char *pattern, struct syntax *syntax)
{
    struct parser p = {pattern, syntax, NULL};

    syntax->node_count = syntax->set_count = 0;
    syntax->root = parse_choice(&p);
    if (!p.error && *p.at)
        p.error = "unexpected )";
    return p.error;
}
