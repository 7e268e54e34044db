/* SPDX-License-Identifier: Apache-2.0 */
/* Natural numbers of any size, in limbs of 32 bits, low first, without leading zeros. */
#ifndef BIGINT_H
#define BIGINT_H

#include <stddef.h>
#include <stdint.h>

struct bigint {
    uint32_t *limbs;
    size_t count; /* 0: the number is zero */
    size_t capacity;
};

/* storage.c; running out of memory ends the program. */
void bigint_init(struct bigint *a);
void bigint_free(struct bigint *a);
void bigint_reserve(struct bigint *a, size_t limbs);
void bigint_trim(struct bigint *a);
void bigint_set(struct bigint *a, uint64_t value);
void bigint_copy(struct bigint *to, const struct bigint *from);
void bigint_swap(struct bigint *a, struct bigint *b);
int bigint_compare(const struct bigint *a, const struct bigint *b);
size_t bigint_bits(const struct bigint *a);
int bigint_bit(const struct bigint *a, size_t index);

/* arithmetic.c; the result may be an operand, except in products. */
void bigint_add(struct bigint *sum, const struct bigint *a, const struct bigint *b);
void bigint_subtract(struct bigint *difference, const struct bigint *a, const struct bigint *b); /* a >= b */
void bigint_multiply_small(struct bigint *a, uint32_t factor);
uint32_t bigint_divide_small(struct bigint *a, uint32_t divisor); /* returns the remainder */
void bigint_multiply(struct bigint *product, const struct bigint *a, const struct bigint *b);
void bigint_shift_left(struct bigint *a, unsigned bits); /* bits < 32 */
void bigint_shift_right(struct bigint *a, unsigned bits);

/* divide.c */
void bigint_divide(const struct bigint *a, const struct bigint *b, struct bigint *quotient, struct bigint *remainder);
void bigint_power_mod(struct bigint *result, const struct bigint *base, const struct bigint *exponent,
                      const struct bigint *modulus);

/* text.c; the caller frees the text. */
char *bigint_to_text(const struct bigint *a);

#endif
