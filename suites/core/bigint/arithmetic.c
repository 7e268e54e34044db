/* SPDX-License-Identifier: Apache-2.0 */
/* Sums, differences, products and shifts. */
#include <string.h>

#include "bigint.h"

void bigint_add(struct bigint *sum, const struct bigint *a, const struct bigint *b)
{
    if (a->count < b->count) {
        const struct bigint *t = a;
        a = b;
        b = t;
    }
    size_t longer = a->count, shorter = b->count;
    uint64_t carry = 0;

    bigint_reserve(sum, longer + 1);
    for (size_t i = 0; i < longer; i++) {
        carry += (uint64_t)a->limbs[i] + (i < shorter ? b->limbs[i] : 0);
        sum->limbs[i] = (uint32_t)carry;
        carry >>= 32;
    }
    sum->limbs[longer] = (uint32_t)carry;
    sum->count = longer + 1;
    bigint_trim(sum);
}

void bigint_subtract(struct bigint *difference, const struct bigint *a, const struct bigint *b)
{
    size_t longer = a->count, shorter = b->count;
    int64_t borrow = 0;

    bigint_reserve(difference, longer);
    for (size_t i = 0; i < longer; i++) {
        borrow += (int64_t)a->limbs[i] - (i < shorter ? b->limbs[i] : 0);
        difference->limbs[i] = (uint32_t)borrow;
        borrow = borrow < 0 ? -1 : 0;
    }
    difference->count = longer;
    bigint_trim(difference);
}

void bigint_multiply_small(struct bigint *a, uint32_t factor)
{
    uint64_t carry = 0;

    bigint_reserve(a, a->count + 1);
    for (size_t i = 0; i < a->count; i++) {
        carry += (uint64_t)a->limbs[i] * factor;
        a->limbs[i] = (uint32_t)carry;
        carry >>= 32;
    }
    a->limbs[a->count++] = (uint32_t)carry;
    bigint_trim(a);
}

uint32_t bigint_divide_small(struct bigint *a, uint32_t divisor)
{
    uint64_t remainder = 0;

    for (size_t i = a->count; i-- > 0;) {
        remainder = remainder << 32 | a->limbs[i];
        a->limbs[i] = (uint32_t)(remainder / divisor);
        remainder %= divisor;
    }
    bigint_trim(a);
    return (uint32_t)remainder;
}

/* Adds the product of n limbs with one limb; returns the carry. */
static uint32_t multiply_add(uint32_t *out, const uint32_t *in, size_t n, uint32_t factor)
{
    uint64_t carry = 0;
    for (size_t i = 0; i < n; i++) {
        carry += (uint64_t)in[i] * factor + out[i];
        out[i] = (uint32_t)carry;
        carry >>= 32;
    }
    return (uint32_t)carry;
}

void bigint_multiply(struct bigint *product, const struct bigint *a, const struct bigint *b)
{
    size_t count = a->count + b->count;

    if (a->count == 0 || b->count == 0) {
        product->count = 0;
        return;
    }
    bigint_reserve(product, count);
    memset(product->limbs, 0, count * sizeof *product->limbs);
    for (size_t i = 0; i < a->count; i++)
        product->limbs[i + b->count] = multiply_add(product->limbs + i, b->limbs, b->count, a->limbs[i]);
    product->count = count;
    bigint_trim(product);
}

void bigint_shift_left(struct bigint *a, unsigned bits)
{
    uint64_t carry = 0;

    bigint_reserve(a, a->count + 1);
    for (size_t i = 0; i < a->count; i++) {
        carry |= (uint64_t)a->limbs[i] << bits;
        a->limbs[i] = (uint32_t)carry;
        carry >>= 32;
    }
    a->limbs[a->count++] = (uint32_t)carry;
    bigint_trim(a);
}

void bigint_shift_right(struct bigint *a, unsigned bits)
{
    for (size_t i = 0; i < a->count; i++) {
        uint64_t pair = a->limbs[i] | (uint64_t)(i + 1 < a->count ? a->limbs[i + 1] : 0) << 32;
        a->limbs[i] = (uint32_t)(pair >> bits);
    }
    bigint_trim(a);
}
