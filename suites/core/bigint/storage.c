/* SPDX-License-Identifier: Apache-2.0 */
/* Storage and inspection of big numbers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bigint.h"

void bigint_init(struct bigint *a)
{
    memset(a, 0, sizeof *a);
}

void bigint_free(struct bigint *a)
{
    free(a->limbs);
    bigint_init(a);
}

void bigint_reserve(struct bigint *a, size_t limbs)
{
    if (limbs <= a->capacity)
        return;
    size_t capacity = limbs + limbs / 2 + 4;
    uint32_t *larger = realloc(a->limbs, capacity * sizeof *larger);
    if (!larger) {
        fprintf(stderr, "bigint: out of memory\n");
        exit(1);
    }
    a->limbs = larger;
    a->capacity = capacity;
}

void bigint_trim(struct bigint *a)
{
    while (a->count > 0 && a->limbs[a->count - 1] == 0)
        a->count--;
}

void bigint_set(struct bigint *a, uint64_t value)
{
    bigint_reserve(a, 2);
    a->limbs[0] = (uint32_t)value;
    a->limbs[1] = (uint32_t)(value >> 32);
    a->count = 2;
    bigint_trim(a);
}

void bigint_copy(struct bigint *to, const struct bigint *from)
{
    if (to == from)
        return;
    bigint_reserve(to, from->count);
    if (from->count > 0)
        memcpy(to->limbs, from->limbs, from->count * sizeof *from->limbs);
    to->count = from->count;
}

void bigint_swap(struct bigint *a, struct bigint *b)
{
    struct bigint t = *a;
    *a = *b;
    *b = t;
}

int bigint_compare(const struct bigint *a, const struct bigint *b)
{
    if (a->count != b->count)
        return a->count < b->count ? -1 : 1;
    for (size_t i = a->count; i-- > 0;)
        if (a->limbs[i] != b->limbs[i])
            return a->limbs[i] < b->limbs[i] ? -1 : 1;
    return 0;
}

size_t bigint_bits(const struct bigint *a)
{
    if (a->count == 0)
        return 0;
    size_t bits = (a->count - 1) * 32;
    for (uint32_t top = a->limbs[a->count - 1]; top; top >>= 1)
        bits++;
    return bits;
}

int bigint_bit(const struct bigint *a, size_t index)
{
    return index / 32 < a->count ? (int)(a->limbs[index / 32] >> index % 32 & 1) : 0;
}
