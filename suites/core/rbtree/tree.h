/* SPDX-License-Identifier: Apache-2.0 */
/* A red-black tree (left-leaning variant) ordered by a comparison callback. */
#ifndef TREE_H
#define TREE_H

#include <stddef.h>

#include "pool.h"

typedef int (*tree_compare)(const void *a, const void *b);

struct tree_node {
    struct tree_node *left;
    struct tree_node *right;
    const void *item;
    int is_red; /* the link from the parent */
};

struct tree {
    struct tree_node *root;
    size_t count;
    tree_compare compare;
    struct pool nodes;
};

void tree_init(struct tree *tree, tree_compare compare);
void tree_free(struct tree *tree);
/* Returns the equal item that was there before, or NULL. The item must outlive the tree. */
const void *tree_insert(struct tree *tree, const void *item);
const void *tree_find(const struct tree *tree, const void *key);
/* The smallest item that is not below the key, or NULL. */
const void *tree_ceiling(const struct tree *tree, const void *key);
/* Removes the smallest item and returns it, or NULL. */
const void *tree_pop(struct tree *tree);

typedef void (*tree_visit)(const void *item, void *context);
void tree_walk(const struct tree *tree, tree_visit visit, void *context);
/* Checks order, colours and balance; returns the black height, or -1. */
int tree_check(const struct tree *tree);

#endif
