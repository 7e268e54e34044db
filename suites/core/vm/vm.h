/* SPDX-License-Identifier: Apache-2.0 */
/* A small stack machine: instruction set, assembler and interpreter. */
#ifndef VM_H
#define VM_H

#include <stddef.h>
#include <stdint.h>

enum opcode {
    OP_HALT,
    OP_PUSH, /* operand: value */
    OP_POP,
    OP_DUP,
    OP_SWAP,
    OP_ADD,
    OP_SUB,
    OP_MUL,
    OP_DIV,
    OP_MOD,
    OP_AND,
    OP_OR,
    OP_XOR,
    OP_SHL,
    OP_SHR,
    OP_EQ,
    OP_LT,
    OP_NOT,
    OP_JMP, /* operand: target */
    OP_JZ,  /* operand: target */
    OP_CALL, /* operand: target */
    OP_RET,
    OP_LOAD,  /* operand: local slot */
    OP_STORE, /* operand: local slot */
    OP_FETCH, /* address -> value */
    OP_PUT,   /* value address -> */
    OP_PRINT,
    OP_COUNT
};

struct instruction {
    uint8_t op;
    int32_t operand;
};

struct code {
    struct instruction *items;
    size_t count;
    size_t capacity;
};

enum vm_status { VM_OK, VM_STACK, VM_MEMORY, VM_DIVIDE, VM_BAD_CODE };

#define VM_STACK_SIZE 4096
#define VM_FRAMES 1024
#define VM_LOCALS 8
#define VM_MEMORY_SIZE 65536

struct frame {
    size_t return_to;
    int64_t locals[VM_LOCALS];
};

struct vm {
    int64_t stack[VM_STACK_SIZE];
    struct frame frames[VM_FRAMES];
    int64_t memory[VM_MEMORY_SIZE];
    size_t depth;      /* values on the stack */
    size_t frame;      /* current frame */
    uint64_t executed; /* instructions so far */
    uint64_t printed;  /* hash of all printed values */
    int64_t last;      /* last printed value */
};

/* Returns 0, or the number of the first bad line. */
int assemble(const char *text, struct code *code);
void code_free(struct code *code);
const char *opcode_name(enum opcode op);
int opcode_has_operand(enum opcode op);

void vm_reset(struct vm *vm);
enum vm_status vm_run(struct vm *vm, const struct code *code);
const char *vm_status_text(enum vm_status status);

#endif
