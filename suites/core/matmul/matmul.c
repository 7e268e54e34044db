/* SPDX-License-Identifier: Apache-2.0 */
/* Dense matrix products in double: straight, transposed and blocked, and an LU solve: matmul SEED SIZE ROUNDS */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define TILE 32

struct matrix {
    size_t rows;
    size_t columns;
    double *at;
};

static struct matrix matrix_new(size_t rows, size_t columns)
{
    struct matrix m = {rows, columns, calloc(rows * columns, sizeof(double))};
    if (!m.at) {
        fprintf(stderr, "matmul: out of memory\n");
        exit(1);
    }
    return m;
}

static void matrix_free(struct matrix *m)
{
    free(m->at);
    m->at = NULL;
}

static double get(const struct matrix *m, size_t row, size_t column)
{
    return m->at[row * m->columns + column];
}

static double *cell(struct matrix *m, size_t row, size_t column)
{
    return &m->at[row * m->columns + column];
}

static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static void fill(struct matrix *m, uint64_t *random)
{
    for (size_t i = 0; i < m->rows * m->columns; i++)
        m->at[i] = (double)(next_random(random) >> 12) / (double)(1ull << 51) - 1.0;
}

static void multiply_straight(const struct matrix *a, const struct matrix *b, struct matrix *c)
{
    for (size_t i = 0; i < a->rows; i++) {
        for (size_t j = 0; j < b->columns; j++) {
            double sum = 0;
            for (size_t k = 0; k < a->columns; k++)
                sum += get(a, i, k) * get(b, k, j);
            *cell(c, i, j) = sum;
        }
    }
}

static void transpose(const struct matrix *m, struct matrix *out)
{
    for (size_t i = 0; i < m->rows; i++)
        for (size_t j = 0; j < m->columns; j++)
            *cell(out, j, i) = get(m, i, j);
}

static double dot(const double *x, const double *y, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += x[i] * y[i];
    return sum;
}

static void multiply_transposed(const struct matrix *a, const struct matrix *b, struct matrix *c)
{
    struct matrix t = matrix_new(b->columns, b->rows);
    transpose(b, &t);
    for (size_t i = 0; i < a->rows; i++)
        for (size_t j = 0; j < b->columns; j++)
            *cell(c, i, j) = dot(&a->at[i * a->columns], &t.at[j * t.columns], a->columns);
    matrix_free(&t);
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static void multiply_tile(const struct matrix *a, const struct matrix *b, struct matrix *c, size_t i0, size_t j0,
                          size_t k0)
{
    size_t i1 = smaller(i0 + TILE, a->rows);
    size_t j1 = smaller(j0 + TILE, b->columns);
    size_t k1 = smaller(k0 + TILE, a->columns);

    for (size_t i = i0; i < i1; i++)
        for (size_t k = k0; k < k1; k++)
            for (size_t j = j0; j < j1; j++)
                *cell(c, i, j) += get(a, i, k) * get(b, k, j);
}

static void multiply_blocked(const struct matrix *a, const struct matrix *b, struct matrix *c)
{
    for (size_t i = 0; i < c->rows * c->columns; i++)
        c->at[i] = 0;
    for (size_t i = 0; i < a->rows; i += TILE)
        for (size_t k = 0; k < a->columns; k += TILE)
            for (size_t j = 0; j < b->columns; j += TILE)
                multiply_tile(a, b, c, i, j, k);
}

/* Gaussian elimination with row pivoting; a is destroyed, x starts as the right-hand side. */
static int solve(struct matrix *a, double *x)
{
    size_t n = a->rows;

    for (size_t k = 0; k < n; k++) {
        size_t pivot = k;
        for (size_t i = k + 1; i < n; i++)
            if (fabs(get(a, i, k)) > fabs(get(a, pivot, k)))
                pivot = i;
        if (get(a, pivot, k) == 0)
            return -1;
        for (size_t j = k; j < n && pivot != k; j++) {
            double t = get(a, k, j);
            *cell(a, k, j) = get(a, pivot, j);
            *cell(a, pivot, j) = t;
        }
        double t = x[k];
        x[k] = x[pivot];
        x[pivot] = t;
        for (size_t i = k + 1; i < n; i++) {
            double factor = get(a, i, k) / get(a, k, k);
            for (size_t j = k; j < n; j++)
                *cell(a, i, j) -= factor * get(a, k, j);
            x[i] -= factor * x[k];
        }
    }
    for (size_t i = n; i-- > 0;) {
        for (size_t j = i + 1; j < n; j++)
            x[i] -= get(a, i, j) * x[j];
        x[i] /= get(a, i, i);
    }
    return 0;
}

static void report(const char *name, const struct matrix *m)
{
    double sum = 0, squares = 0, trace = 0;
    for (size_t i = 0; i < m->rows * m->columns; i++) {
        sum += m->at[i];
        squares += m->at[i] * m->at[i];
    }
    for (size_t i = 0; i < smaller(m->rows, m->columns); i++)
        trace += get(m, i, i);
    printf("%-10s sum %.12e norm %.12e trace %.12e\n", name, sum, sqrt(squares), trace);
}

typedef void (*multiply_fn)(const struct matrix *, const struct matrix *, struct matrix *);

static const struct {
    const char *name;
    multiply_fn multiply;
} methods[] = {
    {"straight", multiply_straight},
    {"transposed", multiply_transposed},
    {"blocked", multiply_blocked},
};

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: matmul SEED SIZE ROUNDS\n");
        return 2;
    }
    uint64_t random = strtoull(argv[1], NULL, 10);
    size_t size = strtoul(argv[2], NULL, 10);
    int rounds = atoi(argv[3]);
    struct matrix a = matrix_new(size, size + 5), b = matrix_new(size + 5, size), c = matrix_new(size, size);
    struct matrix system = matrix_new(size, size);
    double *x = calloc(size, sizeof *x);
    if (!x)
        return 1;

    for (int round = 0; round < rounds; round++) {
        fill(&a, &random);
        fill(&b, &random);
        for (size_t m = 0; m < sizeof methods / sizeof methods[0]; m++) {
            methods[m].multiply(&a, &b, &c);
            report(methods[m].name, &c);
        }
        fill(&system, &random);
        for (size_t i = 0; i < size; i++) {
            *cell(&system, i, i) += (double)size;
            x[i] = get(&c, i, i % 7);
        }
        if (solve(&system, x) != 0)
            return 1;
        printf("solution %.12e\n", dot(x, x, size));
    }
    free(x);
    matrix_free(&a);
    matrix_free(&b);
    matrix_free(&c);
    matrix_free(&system);
    return 0;
}
