/* SPDX-License-Identifier: Apache-2.0 */
/* Decimal output. */
#include <stdlib.h>
#include <string.h>

#include "bigint.h"

#define CHUNK 1000000000u
#define CHUNK_DIGITS 9

char *bigint_to_text(const struct bigint *a)
{
    size_t room = a->count * 10 + 2; /* 32 bits are less than 10 digits */
    char *text = malloc(room);
    struct bigint rest;

    if (!text)
        return NULL;
    char *p = text + room;
    *--p = '\0';
    bigint_init(&rest);
    bigint_copy(&rest, a);
    while (rest.count > 0) {
        uint32_t chunk = bigint_divide_small(&rest, CHUNK);
        for (int i = 0; i < CHUNK_DIGITS && (rest.count > 0 || chunk > 0); i++) {
            *--p = (char)('0' + chunk % 10);
            chunk /= 10;
        }
    }
    if (*p == '\0')
        *--p = '0';
    bigint_free(&rest);
    memmove(text, p, strlen(p) + 1);
    return text;
}
