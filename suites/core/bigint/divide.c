/* SPDX-License-Identifier: Apache-2.0 */
/* Long division (Knuth, volume 2, algorithm D) and powers modulo a number. */
#include "bigint.h"

/* One quotient limb: u has n + 1 limbs and is reduced by q * v, where v has n. */
static uint32_t divide_step(uint32_t *u, const uint32_t *v, size_t n)
{
    uint64_t top = (uint64_t)u[n] << 32 | u[n - 1];
    uint64_t q = top / v[n - 1], rest = top % v[n - 1];

    while (q >> 32 || q * v[n - 2] > (rest << 32 | u[n - 2])) {
        q--;
        rest += v[n - 1];
        if (rest >> 32)
            break;
    }
    uint64_t carry = 0;
    int64_t borrow = 0;
    for (size_t i = 0; i < n; i++) {
        carry += q * v[i];
        borrow += (int64_t)u[i] - (uint32_t)carry;
        u[i] = (uint32_t)borrow;
        borrow = borrow < 0 ? -1 : 0;
        carry >>= 32;
    }
    borrow += (int64_t)u[n] - (int64_t)carry;
    u[n] = (uint32_t)borrow;
    if (borrow < 0) { /* q was one too large: add v back */
        uint64_t sum = 0;
        q--;
        for (size_t i = 0; i < n; i++) {
            sum += (uint64_t)u[i] + v[i];
            u[i] = (uint32_t)sum;
            sum >>= 32;
        }
        u[n] += (uint32_t)sum;
    }
    return (uint32_t)q;
}

void bigint_divide(const struct bigint *a, const struct bigint *b, struct bigint *quotient, struct bigint *remainder)
{
    struct bigint divisor;
    size_t n = b->count;

    if (bigint_compare(a, b) < 0) {
        bigint_copy(remainder, a);
        quotient->count = 0;
        return;
    }
    if (n == 1) {
        bigint_copy(quotient, a);
        bigint_set(remainder, bigint_divide_small(quotient, b->limbs[0]));
        return;
    }
    unsigned shift = (unsigned)(n * 32 - bigint_bits(b)); /* makes the top bit of the divisor one */
    bigint_init(&divisor);
    bigint_copy(&divisor, b);
    bigint_shift_left(&divisor, shift);
    bigint_copy(remainder, a);
    bigint_reserve(remainder, a->count + 1);
    bigint_shift_left(remainder, shift);
    while (remainder->count <= a->count)
        remainder->limbs[remainder->count++] = 0;

    size_t steps = a->count - n + 1;
    bigint_reserve(quotient, steps);
    for (size_t j = steps; j-- > 0;)
        quotient->limbs[j] = divide_step(remainder->limbs + j, divisor.limbs, n);
    quotient->count = steps;
    bigint_trim(quotient);
    remainder->count = n;
    bigint_trim(remainder);
    bigint_shift_right(remainder, shift);
    bigint_free(&divisor);
}

void bigint_power_mod(struct bigint *result, const struct bigint *base, const struct bigint *exponent,
                      const struct bigint *modulus)
{
    struct bigint square, product, quotient;

    bigint_init(&square);
    bigint_init(&product);
    bigint_init(&quotient);
    bigint_divide(base, modulus, &quotient, &square);
    bigint_set(result, 1);
    for (size_t i = 0, bits = bigint_bits(exponent); i < bits; i++) {
        if (bigint_bit(exponent, i)) {
            bigint_multiply(&product, result, &square);
            bigint_divide(&product, modulus, &quotient, result);
        }
        bigint_multiply(&product, &square, &square);
        bigint_divide(&product, modulus, &quotient, &square);
    }
    bigint_free(&square);
    bigint_free(&product);
    bigint_free(&quotient);
}
