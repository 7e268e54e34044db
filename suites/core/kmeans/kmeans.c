/* SPDX-License-Identifier: Apache-2.0 */
/* Clusters generated points around random centres: kmeans SEED POINTS DIMENSIONS CLUSTERS ROUNDS */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

struct data {
    size_t points;
    size_t dimensions;
    double *values; /* point by point */
};

struct clusters {
    size_t count;
    double *centres; /* centre by centre */
    double *sums;
    size_t *sizes;
    uint32_t *label; /* by point */
};

static void *allocate(size_t count, size_t size)
{
    void *memory = calloc(count, size);
    if (!memory) {
        fprintf(stderr, "kmeans: out of memory\n");
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

static double random_unit(uint64_t *state)
{
    return (double)(next_random(state) >> 11) / (double)(1ull << 53);
}

/* Sum of four uniform numbers: a bell curve that needs no logarithms. */
static double random_bell(uint64_t *state)
{
    return random_unit(state) + random_unit(state) + random_unit(state) + random_unit(state) - 2.0;
}

static void fill(struct data *data, size_t groups, uint64_t *random)
{
    double *middle = allocate(groups * data->dimensions, sizeof *middle);

    for (size_t i = 0; i < groups * data->dimensions; i++)
        middle[i] = random_unit(random) * 20.0;
    for (size_t p = 0; p < data->points; p++) {
        const double *m = &middle[next_random(random) % groups * data->dimensions];
        for (size_t d = 0; d < data->dimensions; d++)
            data->values[p * data->dimensions + d] = m[d] + 7.0 * random_bell(random);
    }
    free(middle);
}

static double squared_distance(const double *a, const double *b, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        double d = a[i] - b[i];
        sum += d * d;
    }
    return sum;
}

static size_t nearest(const struct clusters *c, const double *point, size_t dimensions, double *distance)
{
    size_t best = 0;
    *distance = squared_distance(point, c->centres, dimensions);
    for (size_t k = 1; k < c->count; k++) {
        double d = squared_distance(point, &c->centres[k * dimensions], dimensions);
        if (d < *distance) {
            *distance = d;
            best = k;
        }
    }
    return best;
}

/* Points far apart from each other as first centres. */
static void choose_centres(struct clusters *c, const struct data *data)
{
    size_t n = data->dimensions, chosen = 0, total = c->count;

    for (c->count = 1; c->count <= total; c->count++) {
        for (size_t d = 0; d < n; d++)
            c->centres[(c->count - 1) * n + d] = data->values[chosen * n + d];
        double farthest = -1.0;
        for (size_t p = 0; p < data->points; p += 7) {
            double distance;
            nearest(c, &data->values[p * n], n, &distance);
            if (distance > farthest) {
                farthest = distance;
                chosen = p;
            }
        }
    }
    c->count = total;
}

/* Labels all points; returns how many labels changed. */
static size_t assign(struct clusters *c, const struct data *data, double *inertia)
{
    size_t changed = 0;
    *inertia = 0;
    for (size_t p = 0; p < data->points; p++) {
        double distance;
        uint32_t label = (uint32_t)nearest(c, &data->values[p * data->dimensions], data->dimensions, &distance);
        changed += label != c->label[p];
        c->label[p] = label;
        *inertia += distance;
    }
    return changed;
}

static void move_centres(struct clusters *c, const struct data *data)
{
    size_t n = data->dimensions;

    for (size_t i = 0; i < c->count * n; i++)
        c->sums[i] = 0;
    for (size_t k = 0; k < c->count; k++)
        c->sizes[k] = 0;
    for (size_t p = 0; p < data->points; p++) {
        uint32_t k = c->label[p];
        c->sizes[k]++;
        for (size_t d = 0; d < n; d++)
            c->sums[k * n + d] += data->values[p * n + d];
    }
    for (size_t k = 0; k < c->count; k++)
        for (size_t d = 0; d < n && c->sizes[k] > 0; d++)
            c->centres[k * n + d] = c->sums[k * n + d] / (double)c->sizes[k];
}

static void report(const struct clusters *c, const struct data *data, double inertia, int rounds)
{
    size_t smallest = data->points, largest = 0;
    double total = 0;

    for (size_t k = 0; k < c->count; k++) {
        if (c->sizes[k] < smallest)
            smallest = c->sizes[k];
        if (c->sizes[k] > largest)
            largest = c->sizes[k];
        total += sqrt(squared_distance(&c->centres[k * data->dimensions], c->centres, data->dimensions));
    }
    printf("clusters %zu rounds %d inertia %.10e spread %.10e sizes %zu to %zu\n", c->count, rounds, inertia, total,
           smallest, largest);
}

int main(int argc, char **argv)
{
    if (argc != 6) {
        fprintf(stderr, "usage: kmeans SEED POINTS DIMENSIONS CLUSTERS ROUNDS\n");
        return 2;
    }
    uint64_t random = strtoull(argv[1], NULL, 10);
    struct data data = {strtoul(argv[2], NULL, 10), strtoul(argv[3], NULL, 10), NULL};
    size_t most = strtoul(argv[4], NULL, 10);
    int limit = atoi(argv[5]);

    data.values = allocate(data.points * data.dimensions, sizeof *data.values);
    fill(&data, most, &random);
    for (size_t count = most / 2; count <= most; count += most / 4) {
        struct clusters c = {.count = count};
        c.centres = allocate(count * data.dimensions, sizeof *c.centres);
        c.sums = allocate(count * data.dimensions, sizeof *c.sums);
        c.sizes = allocate(count, sizeof *c.sizes);
        c.label = allocate(data.points, sizeof *c.label);
        choose_centres(&c, &data);
        double inertia = 0;
        int rounds = 0;
        while (rounds < limit && assign(&c, &data, &inertia) > 0) {
            move_centres(&c, &data);
            rounds++;
        }
        report(&c, &data, inertia, rounds);
        free(c.centres);
        free(c.sums);
        free(c.sizes);
        free(c.label);
    }
    free(data.values);
    return 0;
}
