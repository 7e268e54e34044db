/* SPDX-License-Identifier: Apache-2.0 */
/* Names and operands of the stack machine's instructions. */
#include "vm.h"

static const char *const names[OP_COUNT] = {
    [OP_HALT] = "halt", [OP_PUSH] = "push",   [OP_POP] = "pop",     [OP_DUP] = "dup",
    [OP_SWAP] = "swap", [OP_ADD] = "add",     [OP_SUB] = "sub",     [OP_MUL] = "mul",
    [OP_DIV] = "div",   [OP_MOD] = "mod",     [OP_AND] = "and",     [OP_OR] = "or",
    [OP_XOR] = "xor",   [OP_SHL] = "shl",     [OP_SHR] = "shr",     [OP_EQ] = "eq",
    [OP_LT] = "lt",     [OP_NOT] = "not",     [OP_JMP] = "jmp",     [OP_JZ] = "jz",
    [OP_CALL] = "call", [OP_RET] = "ret",     [OP_LOAD] = "load",   [OP_STORE] = "store",
    [OP_PUT] = "put",   [OP_FETCH] = "fetch", [OP_PRINT] = "print",
};

const char *opcode_name(enum opcode op)
{
    return names[op];
}

int opcode_has_operand(enum opcode op)
{
    switch (op) {
    case OP_PUSH:
    case OP_JMP:
    case OP_JZ:
    case OP_CALL:
    case OP_LOAD:
    case OP_STORE:
        return 1;
    default:
        return 0;
    }
}
