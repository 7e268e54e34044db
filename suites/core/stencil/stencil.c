/* SPDX-License-Identifier: Apache-2.0 */
/* Heat flow on a plate and waves in a box by finite differences: stencil SEED SIZE STEPS DEPTH WAVE_STEPS */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static double random_unit(uint64_t *state)
{
    return (double)(next_random(state) >> 11) / (double)(1ull << 53);
}

static double *new_field(size_t cells)
{
    double *field = calloc(cells, sizeof *field);
    if (!field) {
        fprintf(stderr, "stencil: out of memory\n");
        exit(1);
    }
    return field;
}

static void swap(double **a, double **b)
{
    double *t = *a;
    *a = *b;
    *b = t;
}

/* ---- heat: a square plate, 5-point stencil, fixed borders, conductivity differing by place */

struct plate {
    size_t size;
    double *now;
    double *next;
    double *conductivity;
};

static void plate_step(struct plate *p)
{
    size_t n = p->size;
    for (size_t y = 1; y + 1 < n; y++) {
        for (size_t x = 1; x + 1 < n; x++) {
            size_t i = y * n + x;
            double around = p->now[i - n] + p->now[i - 1] + p->now[i + 1] + p->now[i + n];
            p->next[i] = p->now[i] + p->conductivity[i] * (around - 4.0 * p->now[i]);
        }
    }
    swap(&p->now, &p->next);
}

static double plate_change(const struct plate *p)
{
    double largest = 0;
    for (size_t i = 0; i < p->size * p->size; i++) {
        double d = fabs(p->now[i] - p->next[i]);
        if (d > largest)
            largest = d;
    }
    return largest;
}

static void run_plate(size_t size, int steps, uint64_t *random)
{
    struct plate p = {size, new_field(size * size), new_field(size * size), new_field(size * size)};

    for (size_t i = 0; i < size * size; i++)
        p.conductivity[i] = 0.05 + 0.15 * random_unit(random);
    for (size_t x = 0; x < size; x++) {
        p.now[x] = p.next[x] = 100.0;
        p.now[x * size] = p.next[x * size] = 50.0 * random_unit(random);
    }
    for (int s = 0; s < steps; s++) {
        plate_step(&p);
        if ((s + 1) % 500 == 0)
            printf("plate step %d: change %.10e\n", s + 1, plate_change(&p));
    }
    double total = 0;
    for (size_t i = 0; i < size * size; i++)
        total += p.now[i];
    printf("plate mean %.10e, middle %.10e\n", total / (double)(size * size), p.now[size / 8 * size + size / 2]);
    free(p.now);
    free(p.next);
    free(p.conductivity);
}

/* ---- waves: a cube, 7-point stencil, second order in time, reflecting walls */

struct box {
    int depth;
    double *before;
    double *now;
};

static size_t at(const struct box *b, int x, int y, int z)
{
    size_t n = (size_t)b->depth;
    return ((size_t)z * n + (size_t)y) * n + (size_t)x;
}

static double neighbours(const struct box *b, int x, int y, int z)
{
    const double *u = b->now;
    return u[at(b, x - 1, y, z)] + u[at(b, x + 1, y, z)] + u[at(b, x, y - 1, z)] + u[at(b, x, y + 1, z)] +
           u[at(b, x, y, z - 1)] + u[at(b, x, y, z + 1)];
}

static void box_step(struct box *b, double courant)
{
    int n = b->depth;
    for (int z = 1; z < n - 1; z++) {
        for (int y = 1; y < n - 1; y++) {
            for (int x = 1; x < n - 1; x++) {
                size_t i = at(b, x, y, z);
                double bend = neighbours(b, x, y, z) - 6.0 * b->now[i];
                b->before[i] = 2.0 * b->now[i] - b->before[i] + courant * bend;
            }
        }
    }
    swap(&b->before, &b->now);
}

static void run_box(int depth, int steps, uint64_t *random)
{
    size_t cells = (size_t)depth * (size_t)depth * (size_t)depth;
    struct box b = {depth, new_field(cells), new_field(cells)};

    for (int hit = 0; hit < 12; hit++) {
        int x = 1 + (int)(random_unit(random) * (depth - 2));
        int y = 1 + (int)(random_unit(random) * (depth - 2));
        int z = 1 + (int)(random_unit(random) * (depth - 2));
        b.now[at(&b, x, y, z)] = b.before[at(&b, x, y, z)] = random_unit(random) * 2.0 - 1.0;
    }
    for (int s = 0; s < steps; s++)
        box_step(&b, 0.2);
    double energy = 0, loudest = 0;
    for (size_t i = 0; i < cells; i++) {
        energy += b.now[i] * b.now[i];
        if (fabs(b.now[i]) > loudest)
            loudest = fabs(b.now[i]);
    }
    printf("box energy %.10e, loudest %.10e, middle %.10e\n", energy, loudest,
           b.now[at(&b, depth / 2, depth / 2, depth / 2)]);
    free(b.before);
    free(b.now);
}

int main(int argc, char **argv)
{
    if (argc != 6) {
        fprintf(stderr, "usage: stencil SEED SIZE STEPS DEPTH WAVE_STEPS\n");
        return 2;
    }
    uint64_t random = strtoull(argv[1], NULL, 10);
    run_plate(strtoul(argv[2], NULL, 10), atoi(argv[3]), &random);
    run_box(atoi(argv[4]), atoi(argv[5]), &random);
    return 0;
}
