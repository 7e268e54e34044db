/* SPDX-License-Identifier: Apache-2.0 */
/* Two-pass assembler: one instruction or "label:" per line, ';' starts a comment. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "vm.h"

#define MAX_LABELS 64
#define MAX_WORD 32

struct label {
    char name[MAX_WORD];
    int32_t address;
};

struct labels {
    struct label items[MAX_LABELS];
    int count;
};

/* Copies the next word of the line; returns the position after it. */
static const char *next_word(const char *p, char *word)
{
    size_t n = 0;
    while (*p == ' ' || *p == '\t')
        p++;
    while (*p && *p != ';' && !isspace((unsigned char)*p)) {
        if (n + 1 < MAX_WORD)
            word[n++] = *p;
        p++;
    }
    word[n] = '\0';
    return p;
}

static const char *next_line(const char *p)
{
    p += strcspn(p, "\n");
    return *p ? p + 1 : p;
}

static int find_opcode(const char *word)
{
    for (int op = 0; op < OP_COUNT; op++)
        if (strcmp(word, opcode_name((enum opcode)op)) == 0)
            return op;
    return -1;
}

static int is_label(const char *word)
{
    size_t n = strlen(word);
    return n > 1 && word[n - 1] == ':';
}

static void collect_labels(const char *text, struct labels *labels)
{
    char word[MAX_WORD];
    int32_t address = 0;

    labels->count = 0;
    for (const char *p = text; *p; p = next_line(p)) {
        next_word(p, word);
        if (is_label(word) && labels->count < MAX_LABELS) {
            struct label *label = &labels->items[labels->count++];
            strcpy(label->name, word);
            label->name[strlen(word) - 1] = '\0';
            label->address = address;
        } else if (word[0]) {
            address++;
        }
    }
}

static int parse_operand(const char *word, const struct labels *labels, int32_t *value)
{
    char *end;
    for (int i = 0; i < labels->count; i++) {
        if (strcmp(labels->items[i].name, word) == 0) {
            *value = labels->items[i].address;
            return 1;
        }
    }
    *value = (int32_t)strtol(word, &end, 0);
    return word[0] && *end == '\0';
}

static int append(struct code *code, int op, int32_t operand)
{
    if (code->count == code->capacity) {
        size_t capacity = code->capacity ? code->capacity * 2 : 32;
        struct instruction *items = realloc(code->items, capacity * sizeof *items);
        if (!items)
            return 0;
        code->items = items;
        code->capacity = capacity;
    }
    code->items[code->count].op = (uint8_t)op;
    code->items[code->count].operand = operand;
    code->count++;
    return 1;
}

int assemble(const char *text, struct code *code)
{
    struct labels labels;
    char word[MAX_WORD];
    int line = 0;

    memset(code, 0, sizeof *code);
    collect_labels(text, &labels);
    for (const char *p = text; *p; p = next_line(p)) {
        const char *rest = next_word(p, word);
        int32_t operand = 0;
        line++;
        if (!word[0] || is_label(word))
            continue;
        int op = find_opcode(word);
        if (op < 0)
            return line;
        if (opcode_has_operand((enum opcode)op)) {
            next_word(rest, word);
            if (!parse_operand(word, &labels, &operand))
                return line;
        }
        if (!append(code, op, operand))
            return line;
    }
    return 0;
}

void code_free(struct code *code)
{
    free(code->items);
    memset(code, 0, sizeof *code);
}
