/* SPDX-License-Identifier: Apache-2.0 */
/* Conway's game of life on a torus, cell by cell and 64 cells at a time: life SEED WIDTH HEIGHT STEPS */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct world {
    int width; /* a multiple of 64 */
    int height;
    uint8_t *cells;
    uint8_t *next;
};

struct bit_world {
    int words; /* per row */
    int height;
    uint64_t *rows;
    uint64_t *next;
};

static void *allocate(size_t count, size_t size)
{
    void *memory = calloc(count, size);
    if (!memory) {
        fprintf(stderr, "life: out of memory\n");
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

/* ---- one byte per cell */

static int wrap(int i, int limit)
{
    if (i < 0)
        return i + limit;
    return i < limit ? i : i - limit;
}

static int alive(const struct world *w, int x, int y)
{
    return w->cells[wrap(y, w->height) * w->width + wrap(x, w->width)];
}

static int count_neighbours(const struct world *w, int x, int y)
{
    int count = 0;
    for (int dy = -1; dy <= 1; dy++)
        for (int dx = -1; dx <= 1; dx++)
            if (dx != 0 || dy != 0)
                count += alive(w, x + dx, y + dy);
    return count;
}

static void world_step(struct world *w)
{
    for (int y = 0; y < w->height; y++) {
        for (int x = 0; x < w->width; x++) {
            int count = count_neighbours(w, x, y);
            w->next[y * w->width + x] = count == 3 || (count == 2 && alive(w, x, y));
        }
    }
    uint8_t *t = w->cells;
    w->cells = w->next;
    w->next = t;
}

static unsigned world_population(const struct world *w)
{
    unsigned count = 0;
    for (int i = 0; i < w->width * w->height; i++)
        count += w->cells[i];
    return count;
}

/* ---- one bit per cell; bit 0 is the leftmost cell of a word */

/* The three cells above each other, counted in two bits. */
struct column_sum {
    uint64_t ones;
    uint64_t twos;
};

static struct column_sum add3(uint64_t a, uint64_t b, uint64_t c)
{
    return (struct column_sum){a ^ b ^ c, (a & b) | (c & (a ^ b))};
}

static uint64_t left_of(const uint64_t *row, int word, int words)
{
    uint64_t before = row[word > 0 ? word - 1 : words - 1];
    return row[word] << 1 | before >> 63;
}

static uint64_t right_of(const uint64_t *row, int word, int words)
{
    uint64_t after = row[word + 1 < words ? word + 1 : 0];
    return row[word] >> 1 | after << 63;
}

static uint64_t next_word(const uint64_t *above, const uint64_t *row, const uint64_t *below, int i, int words)
{
    struct column_sum left =
        add3(left_of(above, i, words), left_of(row, i, words), left_of(below, i, words));
    struct column_sum right =
        add3(right_of(above, i, words), right_of(row, i, words), right_of(below, i, words));
    uint64_t middle_one = above[i] ^ below[i], middle_two = above[i] & below[i];

    struct column_sum ones = add3(left.ones, right.ones, middle_one);
    struct column_sum twos = add3(left.twos, right.twos, middle_two);
    uint64_t two = twos.ones ^ ones.twos;
    uint64_t four_or_more = twos.twos | (twos.ones & ones.twos);
    return two & ~four_or_more & (ones.ones | row[i]);
}

static void bit_world_step(struct bit_world *w)
{
    for (int y = 0; y < w->height; y++) {
        const uint64_t *row = w->rows + y * w->words;
        const uint64_t *above = w->rows + wrap(y - 1, w->height) * w->words;
        const uint64_t *below = w->rows + wrap(y + 1, w->height) * w->words;
        for (int i = 0; i < w->words; i++)
            w->next[y * w->words + i] = next_word(above, row, below, i, w->words);
    }
    uint64_t *t = w->rows;
    w->rows = w->next;
    w->next = t;
}

static unsigned bit_world_population(const struct bit_world *w)
{
    unsigned count = 0;
    for (int i = 0; i < w->words * w->height; i++)
        for (uint64_t word = w->rows[i]; word; word &= word - 1)
            count++;
    return count;
}

static void pack(const struct world *from, struct bit_world *to)
{
    memset(to->rows, 0, (size_t)to->words * (size_t)to->height * sizeof *to->rows);
    for (int i = 0; i < from->width * from->height; i++)
        to->rows[i / 64] |= (uint64_t)from->cells[i] << i % 64;
}

static uint64_t checksum(const uint64_t *words, int count)
{
    uint64_t hash = 14695981039346656037u;
    for (int i = 0; i < count; i++)
        hash = (hash ^ words[i]) * 1099511628211u;
    return hash;
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        fprintf(stderr, "usage: life SEED WIDTH HEIGHT STEPS\n");
        return 2;
    }
    uint64_t random = strtoull(argv[1], NULL, 10);
    int width = atoi(argv[2]) / 64 * 64, height = atoi(argv[3]), steps = atoi(argv[4]);
    if (width < 64 || height < 3 || width > 8192 || height > 8192) {
        fprintf(stderr, "life: the world must be at least 64 x 3\n");
        return 2;
    }
    size_t cells = (size_t)width * (size_t)height;
    struct world world = {width, height, allocate(cells, 1), allocate(cells, 1)};
    struct bit_world fast = {width / 64, height, allocate(cells / 64, 8), allocate(cells / 64, 8)};
    struct bit_world packed = {width / 64, height, allocate(cells / 64, 8), NULL};

    for (size_t i = 0; i < cells; i++)
        world.cells[i] = next_random(&random) % 3 == 0;
    pack(&world, &fast);
    for (int s = 0; s < steps; s++)
        world_step(&world);
    for (int s = 0; s < steps; s++)
        bit_world_step(&fast);
    pack(&world, &packed);
    int words = fast.words * height;
    printf("cells: population %u checksum %016llx\n", world_population(&world),
           (unsigned long long)checksum(packed.rows, words));
    printf("words: population %u checksum %016llx\n", bit_world_population(&fast),
           (unsigned long long)checksum(fast.rows, words));
    for (int s = 0; s < 20 * steps; s++)
        bit_world_step(&fast);
    printf("after %d steps: population %u checksum %016llx\n", 21 * steps, bit_world_population(&fast),
           (unsigned long long)checksum(fast.rows, words));
    free(world.cells);
    free(world.next);
    free(fast.rows);
    free(fast.next);
    free(packed.rows);
    return 0;
}
