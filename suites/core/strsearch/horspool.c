/* SPDX-License-Identifier: Apache-2.0 */
/* Boyer, Moore and Horspool: skips by the last letter of the window. */
#include "search.h"

struct hits search_horspool(const char *text, size_t size, const char *pattern, size_t length)
{
    struct hits hits = {0, 0};
    size_t skip[256];

    for (int c = 0; c < 256; c++)
        skip[c] = length;
    for (size_t i = 0; i + 1 < length; i++)
        skip[(unsigned char)pattern[i]] = length - 1 - i;

    for (size_t at = 0; at + length <= size;) {
        size_t i = length;
        while (i > 0 && text[at + i - 1] == pattern[i - 1])
            i--;
        if (i == 0) {
            hits.count++;
            hits.last = at;
        }
        at += skip[(unsigned char)text[at + length - 1]];
    }
    return hits;
}
