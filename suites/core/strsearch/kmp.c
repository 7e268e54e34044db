/* SPDX-License-Identifier: Apache-2.0 */
/* Knuth, Morris and Pratt: never looks back in the text. */
#include "search.h"

/* border[i]: length of the longest proper border of the first i letters. */
static void fill_borders(const char *pattern, size_t length, size_t border[PATTERN_MAX + 1])
{
    size_t k = 0;

    border[0] = border[1] = 0;
    for (size_t i = 1; i < length; i++) {
        while (k > 0 && pattern[i] != pattern[k])
            k = border[k];
        if (pattern[i] == pattern[k])
            k++;
        border[i + 1] = k;
    }
}

struct hits search_kmp(const char *text, size_t size, const char *pattern, size_t length)
{
    struct hits hits = {0, 0};
    size_t border[PATTERN_MAX + 1];
    size_t matched = 0;

    fill_borders(pattern, length, border);
    for (size_t at = 0; at < size; at++) {
        while (matched > 0 && (matched == length || text[at] != pattern[matched]))
            matched = border[matched];
        if (text[at] == pattern[matched])
            matched++;
        if (matched == length) {
            hits.count++;
            hits.last = at + 1 - length;
        }
    }
    return hits;
}
