/* SPDX-License-Identifier: Apache-2.0 */
/* Compares gene-like sequences by dynamic programming: align SEED LENGTH PAIRS */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define LETTERS 20
#define GAP_OPEN 11
#define GAP_EXTEND 1

struct sequence {
    uint8_t *letters; /* 0..LETTERS-1 */
    int length;
};

static int8_t score_table[LETTERS][LETTERS];

static int larger(int a, int b)
{
    return a > b ? a : b;
}

static int smaller(int a, int b)
{
    return a < b ? a : b;
}

static void *allocate(size_t count, size_t size)
{
    void *memory = calloc(count, size);
    if (!memory) {
        fprintf(stderr, "align: out of memory\n");
        exit(1);
    }
    return memory;
}

static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

/* Equal letters score high, letters of the same group a little. */
static void fill_scores(void)
{
    for (int a = 0; a < LETTERS; a++)
        for (int b = 0; b < LETTERS; b++)
            score_table[a][b] = (int8_t)(a == b ? 5 + a % 4 : a / 4 == b / 4 ? 1 : -2 - (a + b) % 3);
}

/* Smith and Waterman with affine gaps (Gotoh): the best local score. */
static int local_score(const struct sequence *a, const struct sequence *b)
{
    int *best = allocate((size_t)b->length + 1, sizeof *best);
    int *gap = allocate((size_t)b->length + 1, sizeof *gap);
    int highest = 0;

    for (int j = 0; j <= b->length; j++)
        gap[j] = -GAP_OPEN;
    for (int i = 0; i < a->length; i++) {
        const int8_t *scores = score_table[a->letters[i]];
        int diagonal = 0, left = 0, gap_left = -GAP_OPEN;
        for (int j = 1; j <= b->length; j++) {
            gap_left = larger(gap_left - GAP_EXTEND, left - GAP_OPEN);
            gap[j] = larger(gap[j] - GAP_EXTEND, best[j] - GAP_OPEN);
            int score = larger(0, diagonal + scores[b->letters[j - 1]]);
            score = larger(score, larger(gap_left, gap[j]));
            diagonal = best[j];
            best[j] = left = score;
            highest = larger(highest, score);
        }
    }
    free(best);
    free(gap);
    return highest;
}

/* Levenshtein distance. */
static int edit_distance(const struct sequence *a, const struct sequence *b)
{
    int *row = allocate((size_t)b->length + 1, sizeof *row);

    for (int j = 0; j <= b->length; j++)
        row[j] = j;
    for (int i = 1; i <= a->length; i++) {
        int diagonal = row[0];
        row[0] = i;
        for (int j = 1; j <= b->length; j++) {
            int replace = diagonal + (a->letters[i - 1] != b->letters[j - 1]);
            diagonal = row[j];
            row[j] = smaller(replace, smaller(row[j], row[j - 1]) + 1);
        }
    }
    int distance = row[b->length];
    free(row);
    return distance;
}

/* Length of the longest common subsequence, with the whole table, and the path back through it. */
static int common_subsequence(const struct sequence *a, const struct sequence *b, uint32_t *path)
{
    size_t width = (size_t)b->length + 1;
    uint16_t *table = allocate(((size_t)a->length + 1) * width, sizeof *table);

    for (int i = 1; i <= a->length; i++) {
        const uint16_t *above = table + (size_t)(i - 1) * width;
        uint16_t *row = table + (size_t)i * width;
        for (int j = 1; j <= b->length; j++) {
            if (a->letters[i - 1] == b->letters[j - 1])
                row[j] = above[j - 1] + 1;
            else
                row[j] = above[j] > row[j - 1] ? above[j] : row[j - 1];
        }
    }
    int i = a->length, j = b->length;
    int length = table[(size_t)i * width + (size_t)j];
    while (i > 0 && j > 0) {
        if (a->letters[i - 1] == b->letters[j - 1]) {
            *path = *path * 31 + a->letters[i - 1];
            i--;
            j--;
        } else if (table[(size_t)(i - 1) * width + (size_t)j] >= table[(size_t)i * width + (size_t)(j - 1)]) {
            i--;
        } else {
            j--;
        }
    }
    free(table);
    return length;
}

static void fill(struct sequence *s, int length, uint64_t *random)
{
    for (int i = 0; i < length; i++)
        s->letters[i] = (uint8_t)(next_random(random) % LETTERS);
    s->length = length;
}

/* A copy with letters changed, lost and added; at most twice as long. */
static void mutate(const struct sequence *from, struct sequence *to, int percent, uint64_t *random)
{
    to->length = 0;
    for (int i = 0; i < from->length; i++) {
        uint64_t r = next_random(random);
        uint8_t other = (uint8_t)((r >> 32) % LETTERS);
        if ((int)(r % 100) >= percent) {
            to->letters[to->length++] = from->letters[i];
            continue;
        }
        switch (r >> 16 & 3) {
        case 0: /* lost */
            break;
        case 1: /* added */
            to->letters[to->length++] = from->letters[i];
            to->letters[to->length++] = other;
            break;
        default:
            to->letters[to->length++] = other;
        }
    }
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: align SEED LENGTH PAIRS\n");
        return 2;
    }
    uint64_t random = strtoull(argv[1], NULL, 10);
    int length = atoi(argv[2]), pairs = atoi(argv[3]);
    if (length < 1 || length > 30000) {
        fprintf(stderr, "align: LENGTH must be 1..30000\n");
        return 2;
    }
    struct sequence a = {allocate((size_t)length, 1), 0}, b = {allocate((size_t)length * 2, 1), 0};
    long scores = 0, distances = 0, common = 0;
    uint32_t path = 0, checksum = 0;

    fill_scores();
    for (int p = 0; p < pairs; p++) {
        fill(&a, length - p % 7, &random);
        mutate(&a, &b, 5 + p * 90 / pairs, &random);
        int score = local_score(&a, &b), distance = edit_distance(&a, &b);
        scores += score;
        distances += distance;
        common += common_subsequence(&a, &b, &path);
        checksum = checksum * 33 + (uint32_t)score * 7 + (uint32_t)distance;
    }
    printf("pairs %d scores %ld distances %ld common %ld\n", pairs, scores, distances, common);
    printf("checksum %08x path %08x\n", checksum, path);
    free(a.letters);
    free(b.letters);
    return 0;
}
