/* SPDX-License-Identifier: Apache-2.0 */
/* Solves the n queens problem by arrays, by bit masks, and with blocked squares: queens SIZE BLOCKED_SIZE SEED */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define MAX_SIZE 20

struct board {
    int size;
    int column_of[MAX_SIZE]; /* by row */
    char column_used[MAX_SIZE];
    char rising_used[2 * MAX_SIZE];
    char falling_used[2 * MAX_SIZE];
    char blocked[MAX_SIZE][MAX_SIZE];
    uint64_t solutions;
    uint64_t tried;
    uint64_t hash;
};

static int is_free(const struct board *b, int row, int column)
{
    return !b->blocked[row][column] && !b->column_used[column] && !b->rising_used[row + column] &&
           !b->falling_used[row - column + b->size];
}

static void place(struct board *b, int row, int column, char used)
{
    b->column_of[row] = column;
    b->column_used[column] = used;
    b->rising_used[row + column] = used;
    b->falling_used[row - column + b->size] = used;
}

static void record_solution(struct board *b)
{
    uint64_t h = 0;
    for (int row = 0; row < b->size; row++)
        h = h * 31 + (uint64_t)b->column_of[row];
    b->solutions++;
    b->hash += h * h;
}

static void solve_arrays(struct board *b, int row)
{
    if (row == b->size) {
        record_solution(b);
        return;
    }
    for (int column = 0; column < b->size; column++) {
        if (!is_free(b, row, column))
            continue;
        b->tried++;
        place(b, row, column, 1);
        solve_arrays(b, row + 1);
        place(b, row, column, 0);
    }
}

static uint64_t solve_masks(uint32_t all, uint32_t columns, uint32_t rising, uint32_t falling)
{
    uint64_t solutions = 0;

    if (columns == all)
        return 1;
    for (uint32_t open = all & ~(columns | rising | falling); open; open &= open - 1) {
        uint32_t bit = open & (0u - open);
        solutions += solve_masks(all, columns | bit, (rising | bit) << 1, (falling | bit) >> 1);
    }
    return solutions;
}

static void block_squares(struct board *b, uint32_t seed, int count)
{
    uint32_t x = seed * 2654435761u | 1;
    while (count-- > 0) {
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
        b->blocked[x % (uint32_t)b->size][(x >> 16) % (uint32_t)b->size] = 1;
    }
}

static void report(const char *label, const struct board *b)
{
    printf("%s %d: %llu solutions, %llu placements, hash %016llx\n", label, b->size,
           (unsigned long long)b->solutions, (unsigned long long)b->tried, (unsigned long long)b->hash);
}

static int parse_size(const char *text)
{
    int size = atoi(text);
    if (size < 1 || size > MAX_SIZE) {
        fprintf(stderr, "queens: sizes are 1..%d\n", MAX_SIZE);
        exit(2);
    }
    return size;
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: queens SIZE BLOCKED_SIZE SEED\n");
        return 2;
    }
    int size = parse_size(argv[1]), blocked_size = parse_size(argv[2]);
    uint32_t seed = (uint32_t)strtoul(argv[3], NULL, 10);

    struct board plain = {.size = size};
    solve_arrays(&plain, 0);
    report("arrays", &plain);

    struct board blocked = {.size = blocked_size};
    block_squares(&blocked, seed, blocked_size * 3 / 2);
    solve_arrays(&blocked, 0);
    report("blocked", &blocked);

    int larger = size < MAX_SIZE ? size + 1 : size;
    printf("masks %d: %llu solutions\n", larger, (unsigned long long)solve_masks((1u << larger) - 1, 0, 0, 0));
    return 0;
}
