/* SPDX-License-Identifier: Apache-2.0 */
/* Fast Fourier transforms in double, convolution and a spectrum: fft SEED LOG2_SIZE ROUNDS */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

struct complex {
    double re;
    double im;
};

struct plan {
    size_t size; /* a power of two */
    struct complex *roots; /* e^(-2 pi i k / size), k < size / 2 */
    uint32_t *reversed;
};

static struct complex add(struct complex a, struct complex b)
{
    return (struct complex){a.re + b.re, a.im + b.im};
}

static struct complex subtract(struct complex a, struct complex b)
{
    return (struct complex){a.re - b.re, a.im - b.im};
}

static struct complex multiply(struct complex a, struct complex b)
{
    return (struct complex){a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}

static void *allocate(size_t count, size_t size)
{
    void *memory = calloc(count, size);
    if (!memory) {
        fprintf(stderr, "fft: out of memory\n");
        exit(1);
    }
    return memory;
}

static struct plan plan_new(int log2_size)
{
    struct plan plan;
    const double pi = 3.14159265358979323846;

    plan.size = (size_t)1 << log2_size;
    plan.roots = allocate(plan.size / 2 + 1, sizeof *plan.roots);
    plan.reversed = allocate(plan.size, sizeof *plan.reversed);
    for (size_t k = 0; k < plan.size / 2; k++) {
        double angle = -2.0 * pi * (double)k / (double)plan.size;
        plan.roots[k] = (struct complex){cos(angle), sin(angle)};
    }
    for (size_t i = 1; i < plan.size; i++)
        plan.reversed[i] = plan.reversed[i / 2] / 2 | (uint32_t)(i & 1) << (log2_size - 1);
    return plan;
}

static void plan_free(struct plan *plan)
{
    free(plan->roots);
    free(plan->reversed);
}

/* In place, radix 2, decimation in time. */
static void forward(const struct plan *plan, struct complex *data)
{
    size_t n = plan->size;

    for (size_t i = 0; i < n; i++) {
        size_t j = plan->reversed[i];
        if (i < j) {
            struct complex t = data[i];
            data[i] = data[j];
            data[j] = t;
        }
    }
    for (size_t half = 1; half < n; half *= 2) {
        size_t stride = n / (2 * half);
        for (size_t start = 0; start < n; start += 2 * half) {
            for (size_t k = 0; k < half; k++) {
                struct complex *a = &data[start + k], *b = a + half;
                struct complex turned = multiply(*b, plan->roots[k * stride]);
                *b = subtract(*a, turned);
                *a = add(*a, turned);
            }
        }
    }
}

/* The inverse by conjugation. */
static void inverse(const struct plan *plan, struct complex *data)
{
    double scale = 1.0 / (double)plan->size;

    for (size_t i = 0; i < plan->size; i++)
        data[i].im = -data[i].im;
    forward(plan, data);
    for (size_t i = 0; i < plan->size; i++) {
        data[i].re *= scale;
        data[i].im *= -scale;
    }
}

static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

/* Two tones in noise; returns the frequency of the louder one. */
static size_t fill_signal(struct complex *data, size_t size, uint64_t *random)
{
    size_t loud = 1 + next_random(random) % (size / 2 - 1), soft = 1 + next_random(random) % (size / 2 - 1);
    const double step = 2.0 * 3.14159265358979323846 / (double)size;

    for (size_t i = 0; i < size; i++) {
        double noise = (double)(next_random(random) >> 11) / (double)(1ull << 53) - 0.5;
        double t = step * (double)i;
        data[i].re = sin(t * (double)loud) + 0.5 * cos(t * (double)soft) + 0.25 * noise;
        data[i].im = 0.0;
    }
    return loud;
}

static size_t loudest(const struct complex *data, size_t size, double *power)
{
    size_t best = 0;
    *power = -1.0;
    for (size_t i = 0; i < size / 2; i++) {
        double p = data[i].re * data[i].re + data[i].im * data[i].im;
        if (p > *power) {
            *power = p;
            best = i;
        }
    }
    return best;
}

/* Convolves with a short smoothing kernel by multiplication of the spectra. */
static void smooth(const struct plan *plan, struct complex *spectrum, struct complex *kernel)
{
    for (size_t i = 0; i < plan->size; i++)
        kernel[i] = (struct complex){i < 8 ? 0.125 : 0.0, 0.0};
    forward(plan, kernel);
    for (size_t i = 0; i < plan->size; i++)
        spectrum[i] = multiply(spectrum[i], kernel[i]);
}

static double energy(const struct complex *data, size_t size)
{
    double sum = 0;
    for (size_t i = 0; i < size; i++)
        sum += data[i].re * data[i].re + data[i].im * data[i].im;
    return sum;
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: fft SEED LOG2_SIZE ROUNDS\n");
        return 2;
    }
    uint64_t random = strtoull(argv[1], NULL, 10);
    int log2_size = atoi(argv[2]);
    int rounds = atoi(argv[3]);
    if (log2_size < 3 || log2_size > 22) {
        fprintf(stderr, "fft: LOG2_SIZE must be 3..22\n");
        return 2;
    }
    struct plan plan = plan_new(log2_size);
    struct complex *signal = allocate(plan.size, sizeof *signal);
    struct complex *data = allocate(plan.size, sizeof *data);
    struct complex *kernel = allocate(plan.size, sizeof *kernel);
    double worst = 0, total = 0, smoothed = 0, peak = 0;
    int found = 0;

    size_t tone = fill_signal(signal, plan.size, &random);
    for (int round = 0; round < rounds; round++) {
        for (size_t i = 0; i < plan.size; i++)
            data[i] = signal[i];
        forward(&plan, data);
        found += loudest(data, plan.size, &peak) == tone;
        total += energy(data, plan.size) / (double)plan.size;
        inverse(&plan, data);
        for (size_t i = 0; i < plan.size; i++)
            worst = fmax(worst, fabs(data[i].re - signal[i].re) + fabs(data[i].im - signal[i].im));

        forward(&plan, data);
        smooth(&plan, data, kernel);
        inverse(&plan, data);
        smoothed += energy(data, plan.size);
        signal[(size_t)round * 37 % plan.size].re += 1.0;
    }
    printf("size %zu rounds %d\n", plan.size, rounds);
    printf("tone %zu found %d times, power %.10e\n", tone, found, peak);
    printf("energy %.10e smoothed %.10e\n", total, smoothed);
    printf("round trip %s\n", worst < 1e-9 ? "exact" : "WRONG");
    plan_free(&plan);
    free(signal);
    free(data);
    free(kernel);
    return worst < 1e-9 ? 0 : 1;
}
