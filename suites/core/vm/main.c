/* SPDX-License-Identifier: Apache-2.0 */
/* Assembles and runs the sample programs: vm SCALE REPEATS (SCALE at most 45000) */
#include <stdio.h>
#include <stdlib.h>

#include "programs.h"
#include "vm.h"

static int run_sample(struct vm *vm, const struct sample *sample, int scale, int repeats)
{
    struct code code;
    int bad = assemble(sample->text, &code);
    if (bad) {
        fprintf(stderr, "vm: %s: error in line %d\n", sample->name, bad);
        code_free(&code);
        return 0;
    }
    uint64_t executed = 0, printed = 0;
    enum vm_status status = VM_OK;
    for (int i = 0; i < repeats && status == VM_OK; i++) {
        vm_reset(vm);
        vm->memory[0] = scale / sample->divisor + sample->offset + i;
        status = vm_run(vm, &code);
        executed += vm->executed;
        printed = printed * 31 + vm->printed;
    }
    printf("%-10s %s: last %lld, output %016llx, %llu instructions\n", sample->name,
           vm_status_text(status), (long long)vm->last, (unsigned long long)printed,
           (unsigned long long)executed);
    code_free(&code);
    return status == VM_OK;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: vm SCALE REPEATS\n");
        return 2;
    }
    int scale = atoi(argv[1]), repeats = atoi(argv[2]);
    struct vm *vm = malloc(sizeof *vm);
    if (!vm) {
        fprintf(stderr, "vm: out of memory\n");
        return 1;
    }
    int good = 1;
    for (int i = 0; i < sample_count; i++)
        good &= run_sample(vm, &samples[i], scale, repeats);
    free(vm);
    return good ? 0 : 1;
}
