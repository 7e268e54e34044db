/* SPDX-License-Identifier: Apache-2.0 */
/* Factorial, Fibonacci numbers, digits of pi and Fermat tests: bigint FACTORIAL FIBONACCI DIGITS MERSENNE_LIMIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bigint.h"

/* Prints the ends and the sum of the digits. */
static void report(const char *label, const struct bigint *a)
{
    char *text = bigint_to_text(a);
    unsigned sum = 0;

    if (!text)
        exit(1);
    size_t size = strlen(text);
    for (size_t i = 0; i < size; i++)
        sum += (unsigned)(text[i] - '0');
    printf("%-12s %zu digits, %.12s...%s, digit sum %u\n", label, size, text, size > 12 ? text + size - 12 : "", sum);
    free(text);
}

static void factorial(unsigned n)
{
    struct bigint product;

    bigint_init(&product);
    bigint_set(&product, 1);
    for (unsigned i = 2; i <= n; i++)
        bigint_multiply_small(&product, i);
    report("factorial", &product);
    bigint_free(&product);
}

static void fibonacci(unsigned n)
{
    struct bigint a, b;

    bigint_init(&a);
    bigint_init(&b);
    bigint_set(&a, 0);
    bigint_set(&b, 1);
    for (unsigned i = 0; i < n; i++) {
        bigint_add(&a, &a, &b);
        bigint_swap(&a, &b);
    }
    report("fibonacci", &a);
    bigint_free(&a);
    bigint_free(&b);
}

/* Adds or subtracts factor * atan(1 / x), all scaled by `one`. */
static void add_arctan(struct bigint *plus, struct bigint *minus, const struct bigint *one, uint32_t factor, uint32_t x,
                       int negative)
{
    struct bigint power, term;

    bigint_init(&power);
    bigint_init(&term);
    bigint_copy(&power, one);
    bigint_multiply_small(&power, factor);
    bigint_divide_small(&power, x);
    for (uint32_t n = 1; power.count > 0; n += 2) {
        bigint_copy(&term, &power);
        bigint_divide_small(&term, n);
        if ((n % 4 == 1) != negative)
            bigint_add(plus, plus, &term);
        else
            bigint_add(minus, minus, &term);
        bigint_divide_small(&power, x * x);
    }
    bigint_free(&power);
    bigint_free(&term);
}

/* Machin: pi = 16 atan(1/5) - 4 atan(1/239). */
static void pi(unsigned digits)
{
    struct bigint one, plus, minus;

    bigint_init(&one);
    bigint_init(&plus);
    bigint_init(&minus);
    bigint_set(&one, 1);
    for (unsigned i = 0; i < digits + 10; i++)
        bigint_multiply_small(&one, 10);
    add_arctan(&plus, &minus, &one, 16, 5, 0);
    add_arctan(&plus, &minus, &one, 4, 239, 1);
    bigint_subtract(&plus, &plus, &minus);
    for (unsigned i = 0; i < 10; i++)
        bigint_divide_small(&plus, 10);
    report("pi", &plus);
    bigint_free(&one);
    bigint_free(&plus);
    bigint_free(&minus);
}

/* Fermat's test with base 3 for the numbers 2^p - 1. */
static void mersenne(unsigned limit)
{
    struct bigint number, one, exponent, base, result;

    bigint_init(&number);
    bigint_init(&one);
    bigint_init(&exponent);
    bigint_init(&base);
    bigint_init(&result);
    bigint_set(&one, 1);
    bigint_set(&base, 3);
    printf("mersenne    ");
    for (unsigned p = 3; p <= limit; p += 2) {
        bigint_set(&number, 1);
        for (unsigned i = 0; i < p; i++)
            bigint_shift_left(&number, 1);
        bigint_subtract(&number, &number, &one);
        bigint_subtract(&exponent, &number, &one);
        bigint_power_mod(&result, &base, &exponent, &number);
        if (bigint_compare(&result, &one) == 0)
            printf(" %u", p);
    }
    putchar('\n');
    bigint_free(&number);
    bigint_free(&one);
    bigint_free(&exponent);
    bigint_free(&base);
    bigint_free(&result);
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        fprintf(stderr, "usage: bigint FACTORIAL FIBONACCI DIGITS MERSENNE_LIMIT\n");
        return 2;
    }
    factorial((unsigned)atoi(argv[1]));
    fibonacci((unsigned)atoi(argv[2]));
    pi((unsigned)atoi(argv[3]));
    mersenne((unsigned)atoi(argv[4]));
    return 0;
}
