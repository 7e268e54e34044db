/* SPDX-License-Identifier: Apache-2.0 */
/* Left-leaning red-black tree (Sedgewick, 2008): red links lean left, no two in a row. */
#include "tree.h"

void tree_init(struct tree *tree, tree_compare compare)
{
    tree->root = NULL;
    tree->count = 0;
    tree->compare = compare;
    pool_init(&tree->nodes, sizeof(struct tree_node));
}

void tree_free(struct tree *tree)
{
    pool_destroy(&tree->nodes);
    tree->root = NULL;
    tree->count = 0;
}

static int is_red(const struct tree_node *node)
{
    return node && node->is_red;
}

static struct tree_node *rotate_left(struct tree_node *node)
{
    struct tree_node *up = node->right;
    node->right = up->left;
    up->left = node;
    up->is_red = node->is_red;
    node->is_red = 1;
    return up;
}

static struct tree_node *rotate_right(struct tree_node *node)
{
    struct tree_node *up = node->left;
    node->left = up->right;
    up->right = node;
    up->is_red = node->is_red;
    node->is_red = 1;
    return up;
}

static void flip_colours(struct tree_node *node)
{
    node->is_red = !node->is_red;
    node->left->is_red = !node->left->is_red;
    node->right->is_red = !node->right->is_red;
}

static struct tree_node *repair(struct tree_node *node)
{
    if (is_red(node->right) && !is_red(node->left))
        node = rotate_left(node);
    if (is_red(node->left) && is_red(node->left->left))
        node = rotate_right(node);
    if (is_red(node->left) && is_red(node->right))
        flip_colours(node);
    return node;
}

static struct tree_node *insert(struct tree *tree, struct tree_node *node, const void *item, const void **before)
{
    if (!node) {
        node = pool_take(&tree->nodes);
        *node = (struct tree_node){.item = item, .is_red = 1};
        tree->count++;
        return node;
    }
    int order = tree->compare(item, node->item);
    if (order < 0) {
        node->left = insert(tree, node->left, item, before);
    } else if (order > 0) {
        node->right = insert(tree, node->right, item, before);
    } else {
        *before = node->item;
        return node;
    }
    return repair(node);
}

const void *tree_insert(struct tree *tree, const void *item)
{
    const void *before = NULL;
    tree->root = insert(tree, tree->root, item, &before);
    tree->root->is_red = 0;
    return before;
}

const void *tree_find(const struct tree *tree, const void *key)
{
    const struct tree_node *node = tree->root;
    while (node) {
        int order = tree->compare(key, node->item);
        if (order == 0)
            return node->item;
        node = order < 0 ? node->left : node->right;
    }
    return NULL;
}

const void *tree_ceiling(const struct tree *tree, const void *key)
{
    const struct tree_node *node = tree->root;
    const void *best = NULL;
    while (node) {
        if (tree->compare(key, node->item) <= 0) {
            best = node->item;
            node = node->left;
        } else {
            node = node->right;
        }
    }
    return best;
}

/* Makes the left child, or a child of it, red. */
static struct tree_node *move_red_left(struct tree_node *node)
{
    flip_colours(node);
    if (is_red(node->right->left)) {
        node->right = rotate_right(node->right);
        node = rotate_left(node);
        flip_colours(node);
    }
    return node;
}

static struct tree_node *remove_smallest(struct tree *tree, struct tree_node *node, const void **item)
{
    if (!node->left) {
        *item = node->item;
        pool_give(&tree->nodes, node);
        return NULL;
    }
    if (!is_red(node->left) && !is_red(node->left->left))
        node = move_red_left(node);
    node->left = remove_smallest(tree, node->left, item);
    return repair(node);
}

const void *tree_pop(struct tree *tree)
{
    const void *item = NULL;
    if (!tree->root)
        return NULL;
    if (!is_red(tree->root->left) && !is_red(tree->root->right))
        tree->root->is_red = 1;
    tree->root = remove_smallest(tree, tree->root, &item);
    if (tree->root)
        tree->root->is_red = 0;
    tree->count--;
    return item;
}

static void walk(const struct tree_node *node, tree_visit visit, void *context)
{
    if (!node)
        return;
    walk(node->left, visit, context);
    visit(node->item, context);
    walk(node->right, visit, context);
}

void tree_walk(const struct tree *tree, tree_visit visit, void *context)
{
    walk(tree->root, visit, context);
}

static int check(const struct tree *tree, const struct tree_node *node)
{
    if (!node)
        return 0;
    if (is_red(node->right) || (is_red(node) && is_red(node->left)))
        return -1;
    if ((node->left && tree->compare(node->left->item, node->item) >= 0) ||
        (node->right && tree->compare(node->right->item, node->item) <= 0))
        return -1;
    int left = check(tree, node->left), right = check(tree, node->right);
    if (left < 0 || left != right)
        return -1;
    return left + !node->is_red;
}

int tree_check(const struct tree *tree)
{
    return check(tree, tree->root);
}
