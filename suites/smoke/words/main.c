/* SPDX-License-Identifier: Apache-2.0 */
/* Counts the words of generated texts; a small program for tests: words SEED KILOBYTES TEXTS */
#include <stdio.h>
#include <stdlib.h>

#include "words.h"

int main(int argc, char **argv)
{
    struct statistics statistics = {0, 0, 0, 0, 0};

    if (argc != 4) {
        fprintf(stderr, "usage: words SEED KILOBYTES TEXTS\n");
        return 2;
    }
    uint64_t seed = strtoull(argv[1], NULL, 10);
    size_t size = strtoul(argv[2], NULL, 10) * 1024;
    char *text = size > 0 ? malloc(size) : NULL;
    if (!text) {
        fprintf(stderr, "words: cannot make a text of %zu bytes\n", size);
        return 1;
    }
    for (int i = 0; i < atoi(argv[3]); i++) {
        text_fill(text, size, seed + (uint64_t)i);
        count_words(text, &statistics);
    }
    printf("words %zu vowels %zu palindromes %zu longest %zu\n", statistics.words, statistics.vowels,
           statistics.palindromes, statistics.longest);
    printf("checksum %08x\n", statistics.checksum);
    free(text);
    return 0;
}
