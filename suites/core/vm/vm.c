/* SPDX-License-Identifier: Apache-2.0 */
/* The interpreter: a checked stack machine with frames of local variables. */
#include "vm.h"

#include <string.h>

void vm_reset(struct vm *vm)
{
    memset(vm, 0, sizeof *vm);
    vm->printed = 14695981039346656037u;
}

const char *vm_status_text(enum vm_status status)
{
    switch (status) {
    case VM_OK: return "ok";
    case VM_STACK: return "stack overflow or underflow";
    case VM_MEMORY: return "bad address";
    case VM_DIVIDE: return "division by zero";
    case VM_BAD_CODE: return "bad instruction";
    }
    return "?";
}

static int push(struct vm *vm, int64_t value)
{
    if (vm->depth >= VM_STACK_SIZE)
        return 0;
    vm->stack[vm->depth++] = value;
    return 1;
}

static int pop(struct vm *vm, int64_t *value)
{
    if (vm->depth == 0)
        return 0;
    *value = vm->stack[--vm->depth];
    return 1;
}

/* Arithmetic wraps, as on the machine. */
static enum vm_status binary(enum opcode op, int64_t a, int64_t b, int64_t *result)
{
    uint64_t x = (uint64_t)a, y = (uint64_t)b;

    switch (op) {
    case OP_ADD: *result = (int64_t)(x + y); break;
    case OP_SUB: *result = (int64_t)(x - y); break;
    case OP_MUL: *result = (int64_t)(x * y); break;
    case OP_DIV:
    case OP_MOD:
        if (b == 0 || (b == -1 && a == INT64_MIN))
            return VM_DIVIDE;
        *result = op == OP_DIV ? a / b : a % b;
        break;
    case OP_AND: *result = (int64_t)(x & y); break;
    case OP_OR: *result = (int64_t)(x | y); break;
    case OP_XOR: *result = (int64_t)(x ^ y); break;
    case OP_SHL: *result = (int64_t)(x << (y & 63)); break;
    case OP_SHR: *result = (int64_t)(x >> (y & 63)); break;
    case OP_EQ: *result = a == b; break;
    case OP_LT: *result = a < b; break;
    default: return VM_BAD_CODE;
    }
    return VM_OK;
}

static void print_value(struct vm *vm, int64_t value)
{
    vm->printed = (vm->printed ^ (uint64_t)value) * 1099511628211u;
    vm->last = value;
}

enum vm_status vm_run(struct vm *vm, const struct code *code)
{
    size_t pc = 0;

    for (;;) {
        if (pc >= code->count)
            return VM_BAD_CODE;
        const struct instruction *in = &code->items[pc++];
        struct frame *frame = &vm->frames[vm->frame];
        int64_t a, b;
        vm->executed++;

        switch ((enum opcode)in->op) {
        case OP_HALT:
            return VM_OK;
        case OP_PUSH:
            if (!push(vm, in->operand))
                return VM_STACK;
            break;
        case OP_POP:
            if (!pop(vm, &a))
                return VM_STACK;
            break;
        case OP_DUP:
            if (!pop(vm, &a) || !push(vm, a) || !push(vm, a))
                return VM_STACK;
            break;
        case OP_SWAP:
            if (!pop(vm, &b) || !pop(vm, &a) || !push(vm, b) || !push(vm, a))
                return VM_STACK;
            break;
        case OP_NOT:
            if (!pop(vm, &a) || !push(vm, !a))
                return VM_STACK;
            break;
        case OP_JMP:
            pc = (size_t)in->operand;
            break;
        case OP_JZ:
            if (!pop(vm, &a))
                return VM_STACK;
            if (a == 0)
                pc = (size_t)in->operand;
            break;
        case OP_CALL:
            if (vm->frame + 1 >= VM_FRAMES)
                return VM_STACK;
            vm->frames[++vm->frame].return_to = pc;
            pc = (size_t)in->operand;
            break;
        case OP_RET:
            if (vm->frame == 0)
                return VM_STACK;
            pc = frame->return_to;
            vm->frame--;
            break;
        case OP_LOAD:
            if (in->operand < 0 || in->operand >= VM_LOCALS)
                return VM_MEMORY;
            if (!push(vm, frame->locals[in->operand]))
                return VM_STACK;
            break;
        case OP_STORE:
            if (in->operand < 0 || in->operand >= VM_LOCALS)
                return VM_MEMORY;
            if (!pop(vm, &frame->locals[in->operand]))
                return VM_STACK;
            break;
        case OP_FETCH:
            if (!pop(vm, &a))
                return VM_STACK;
            if (a < 0 || a >= VM_MEMORY_SIZE)
                return VM_MEMORY;
            if (!push(vm, vm->memory[a]))
                return VM_STACK;
            break;
        case OP_PUT:
            if (!pop(vm, &a) || !pop(vm, &b))
                return VM_STACK;
            if (a < 0 || a >= VM_MEMORY_SIZE)
                return VM_MEMORY;
            vm->memory[a] = b;
            break;
        case OP_PRINT:
            if (!pop(vm, &a))
                return VM_STACK;
            print_value(vm, a);
            break;
        default: {
            int64_t result;
            if (!pop(vm, &b) || !pop(vm, &a))
                return VM_STACK;
            enum vm_status status = binary((enum opcode)in->op, a, b, &result);
            if (status != VM_OK)
                return status;
            push(vm, result);
            break;
        }
        }
    }
}
