/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of bytes. */
#include "regex.h"

void charset_add(struct charset *set, int c)
{
    set->bits[c >> 6] |= (uint64_t)1 << (c & 63);
}

void charset_add_range(struct charset *set, int low, int high)
{
    for (int c = low; c <= high; c++)
        charset_add(set, c);
}

void charset_invert(struct charset *set)
{
    for (int i = 0; i < 4; i++)
        set->bits[i] = ~set->bits[i];
}

int charset_has(const struct charset *set, int c)
{
    return (int)(set->bits[c >> 6] >> (c & 63) & 1);
}
