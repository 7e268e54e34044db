// SPDX-License-Identifier: Apache-2.0
// Copyright The perfwright developers
//
// perfwright-run: run one program under limits, time it, report on standard output.
//
//   perfwright-run OPTION VALUE... -- NAME ARGUMENT...
//
// Options are carried out in order, each with one value (--link, --copy, --place: two):
//
//   --join FILE         write "0" to a cgroup.procs file: this process joins the group
//   --become FILE       execute FILE with the words after `--`, only the --env variables
//                       and no watching
//   --stdin FILE        what the program reads (default /dev/null)
//   --uid N             give up root for this user and group
//   --scratch DIR       go there; all relative paths below start there
//   --dir PATH          make a folder and its parents
//   --link TARGET PATH  make a symbolic link
//   --copy SOURCE PATH  copy a file or a folder, with modes and times
//   --place SOURCE PATH copy the program there, as new as can be, and tell whether it is still
//                       the same file at the end (`replaced`): a `make` may rebuild it
//   --cwd PATH          where the program starts
//   --program FILE      what is executed (default: NAME, searched in PATH)
//   --env NAME=VALUE    one variable of its environment, which is otherwise empty
//   --pad N             add a variable of N bytes: moves the stack
//   --pin CPU           one CPU only
//   --fixed-addresses 1 no address space randomisation
//   --wall S --cpu S    limits of elapsed and of CPU seconds
//   --memory B --file-size B --stack B --processes N    resource limits
//   --counters 1        count instructions and cycles, where the machine can
//   --keep B            report at most so many bytes of each stream after a failure
//   --output PATH       a file to report, relative to --cwd
//
// The report is one line of JSON and then, without separators, what the program left on
// standard output, standard error and in each --output file; `sizes` says how much of each
// (-1: there is no such file).  Times are seconds.  CPU time covers the program and all its
// descendants: this process is their reaper, and none of them outlives it.

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MAX_ENV = 1024, MAX_OUTPUTS = 64, SETUP_FAILED = 70 };

static struct {
    const char *become, *program, *env[MAX_ENV + 1], *outputs[MAX_OUTPUTS];
    size_t envs, outputs_count;
    long pin, cpu, processes;
    long long memory, file_size, stack, keep;
    double wall;
    bool fixed_addresses, counters, scratch;
    int input, placed_base;
    const char *placed_path;
    struct stat placed_facts;
} want = {.pin = -1, .wall = 3600, .keep = -1, .input = -1};

static _Noreturn void fail(const char *what, const char *name) {
    // Only names that we made up come here; still, no quote or backslash may break the JSON.
    char safe[512];
    snprintf(safe, sizeof safe, "%s %s: %s", what, name, strerror(errno));
    for (char *c = safe; *c; c++)
        if (*c == '"' || *c == '\\' || (unsigned char)*c < ' ') *c = '?';
    printf("{\"error\": \"%s\"}\n", safe);
    fflush(stdout);
    exit(SETUP_FAILED);
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static double seconds(struct timeval t) { return (double)t.tv_sec + (double)t.tv_usec * 1e-6; }

static void join_group(const char *path) {
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, "0", 1) != 1) fail("cannot join the control group", path);
    close(fd);
}

static void drop_to(uid_t id) {
    if (setgroups(0, NULL) != 0 || setresgid(id, id, id) != 0 || setresuid(id, id, id) != 0)
        fail("cannot give up root for", "another user");
}

static void make_folders(const char *path) {
    char part[4096];
    if (strlen(path) >= sizeof part) {
        errno = ENAMETOOLONG;
        fail("cannot make the folder", path);
    }
    strcpy(part, path);
    for (char *slash = strchr(part + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        if (mkdir(part, 0755) != 0 && errno != EEXIST) fail("cannot make the folder", part);
        *slash = '/';
    }
    if (mkdir(part, 0755) != 0 && errno != EEXIST) fail("cannot make the folder", part);
}

static void copy(const char *source, const char *path) {
    pid_t child = fork();
    if (child == 0) {
        dup2(open("/dev/null", O_WRONLY), STDOUT_FILENO);
        execlp("cp", "cp", "-RHpT", source, path, (char *)NULL);
        _exit(127);
    }
    int status = 1;
    if (child < 0 || waitpid(child, &status, 0) != child || status != 0) {
        errno = EIO;
        fail("cannot copy", source);
    }
}

static void place(const char *source, const char *path) {
    copy(source, path);
    want.placed_path = path;
    want.placed_base = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (utimensat(AT_FDCWD, path, NULL, 0) != 0 || stat(path, &want.placed_facts) != 0)
        fail("cannot place", path);
}

static bool replaced(void) {
    struct stat facts;
    const struct stat *was = &want.placed_facts;
    if (!want.placed_path) return false;
    return fstatat(want.placed_base, want.placed_path, &facts, 0) != 0 ||
           facts.st_ino != was->st_ino || facts.st_size != was->st_size ||
           facts.st_mtim.tv_sec != was->st_mtim.tv_sec ||
           facts.st_mtim.tv_nsec != was->st_mtim.tv_nsec;
}

static void pad_environment(size_t size) {
    static const char name[] = "PERFWRIGHT_PAD=";
    char *text = malloc(sizeof name + size);
    if (!text || want.envs == MAX_ENV) fail("cannot pad", "the environment");
    memcpy(text, name, sizeof name - 1);
    memset(text + sizeof name - 1, 'x', size);
    text[sizeof name - 1 + size] = 0;
    want.env[want.envs++] = text;
}

static char **environment(void) {
    want.env[want.envs] = NULL;
    return (char **)want.env;
}

// Carries out one option; returns how many words it used after its name.
static int option(const char *name, char **value) {
#define IS(text) (strcmp(name, text) == 0)
    bool two = IS("--link") || IS("--copy") || IS("--place");
    if (!value[0] || (two && !value[1])) {
        errno = EINVAL;
        fail("a value is missing after", name);
    }
    if (IS("--link")) {
        if (symlink(value[0], value[1]) != 0) fail("cannot link", value[1]);
        return 2;
    }
    if (two) {
        (IS("--copy") ? copy : place)(value[0], value[1]);
        return 2;
    }
    long long number = atoll(value[0]);
    if (IS("--join")) join_group(value[0]);
    else if (IS("--become")) want.become = value[0];
    else if (IS("--stdin")) {
        if ((want.input = open(value[0], O_RDONLY | O_CLOEXEC)) < 0) fail("cannot read", value[0]);
    } else if (IS("--uid")) drop_to((uid_t)number);
    else if (IS("--scratch") || IS("--cwd")) {
        want.scratch = true;
        if (chdir(value[0]) != 0) fail("cannot enter", value[0]);
    } else if (IS("--dir")) make_folders(value[0]);
    else if (IS("--program")) want.program = value[0];
    else if (IS("--env") && want.envs < MAX_ENV) want.env[want.envs++] = value[0];
    else if (IS("--pad")) pad_environment((size_t)number);
    else if (IS("--pin")) want.pin = (long)number;
    else if (IS("--fixed-addresses")) want.fixed_addresses = number != 0;
    else if (IS("--wall")) want.wall = atof(value[0]);
    else if (IS("--cpu")) want.cpu = (long)number;
    else if (IS("--memory")) want.memory = number;
    else if (IS("--file-size")) want.file_size = number;
    else if (IS("--stack")) want.stack = number;
    else if (IS("--processes")) want.processes = (long)number;
    else if (IS("--counters")) want.counters = number != 0;
    else if (IS("--keep")) want.keep = number;
    else if (IS("--output") && want.outputs_count < MAX_OUTPUTS)
        want.outputs[want.outputs_count++] = value[0];
    else {
        errno = EINVAL;
        fail("unknown option, or too many of", name);
    }
    return 1;
#undef IS
}

// A file without a name for one output stream: it needs no folder that the program could reach.
static int stream(const char *name) {
    int fd = memfd_create(name, MFD_CLOEXEC);
    if (fd < 0) fail("cannot make a file for", name);
    return fd;
}

static void limit(int resource, long long soft, long long hard) {
    if (soft <= 0) return;
    struct rlimit value = {(rlim_t)soft, (rlim_t)hard};
    struct rlimit present;
    getrlimit(resource, &present);
    if (value.rlim_max > present.rlim_max) value.rlim_max = present.rlim_max;
    if (value.rlim_cur > value.rlim_max) value.rlim_cur = value.rlim_max;
    setrlimit(resource, &value);
}

static void apply_limits(void) {
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    limit(RLIMIT_CPU, want.cpu, want.cpu + 1);
    limit(RLIMIT_FSIZE, want.file_size, want.file_size);
    limit(RLIMIT_STACK, want.stack, want.stack);
    limit(RLIMIT_NPROC, want.processes, want.processes);
    if (want.fixed_addresses) personality(ADDR_NO_RANDOMIZE);
    if (want.pin >= 0) {
        cpu_set_t set;
        CPU_ZERO(&set);
        CPU_SET((size_t)want.pin, &set);
        sched_setaffinity(0, sizeof set, &set);  // an absent CPU leaves the program unpinned
    }
    limit(RLIMIT_AS, want.memory, want.memory);
}

// The child: set everything up, wait for the word to go, become the program.
static _Noreturn void become_program(char **argv, int output, int errors, int go, int failed,
                                     pid_t parent, const sigset_t *mask) {
    setsid();
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(127);
    sigprocmask(SIG_SETMASK, mask, NULL);
    int input = want.input >= 0 ? want.input : open("/dev/null", O_RDONLY);
    dup2(input, STDIN_FILENO);
    dup2(output, STDOUT_FILENO);
    dup2(errors, STDERR_FILENO);
    apply_limits();
    char word;
    if (read(go, &word, 1) != 1) _exit(127);
    execvpe(want.program ? want.program : argv[0], argv, environment());
    int error = errno;
    if (write(failed, &error, sizeof error) < 0) _exit(126);
    _exit(127);
}

static int counter(pid_t pid, uint64_t event) {
    struct perf_event_attr attr = {
        .type = PERF_TYPE_HARDWARE,
        .size = sizeof attr,
        .config = event,
        .disabled = 1,
        .inherit = 1,
        .exclude_kernel = 1,
        .exclude_hv = 1,
        .enable_on_exec = 1,
    };
    return (int)syscall(SYS_perf_event_open, &attr, pid, -1, -1, PERF_FLAG_FD_CLOEXEC);
}

static long long counted(int fd) {
    uint64_t value;
    return fd >= 0 && read(fd, &value, sizeof value) == sizeof value ? (long long)value : -1;
}

// Kills what is left below this process and reaps it; returns how many there were.
static int stop_descendants(pid_t group) {
    int stopped = 0;
    for (double until = now() + 5; now() < until;) {
        kill(-group, SIGKILL);
        char path[64];
        snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
        FILE *children = fopen(path, "re");
        for (int child; children && fscanf(children, "%d", &child) == 1;) kill(child, SIGKILL);
        if (children) fclose(children);
        pid_t pid;
        while ((pid = waitpid(-1, NULL, WNOHANG)) > 0) stopped++;
        if (pid < 0) break;
        nanosleep(&(struct timespec){0, 500000}, NULL);
    }
    return stopped;
}

// Leftovers that are about to end by themselves are not worth a word.
static void await_descendants(double grace) {
    for (double until = now() + grace; now() < until;) {
        pid_t pid;
        while ((pid = waitpid(-1, NULL, WNOHANG)) > 0) continue;
        if (pid < 0) return;
        nanosleep(&(struct timespec){0, 500000}, NULL);
    }
}

// Waits for the program; true when the time was over first.
static bool timed_out(pid_t pid, double until, int *status, struct rusage *usage) {
    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    for (;;) {
        if (wait4(pid, status, WNOHANG, usage) == pid) return false;
        double left = until - now();
        if (left <= 0) {
            kill(-pid, SIGKILL);
            kill(pid, SIGKILL);
            wait4(pid, status, 0, usage);
            return true;
        }
        struct timespec rest = {(time_t)left, (long)((left - (double)(time_t)left) * 1e9)};
        sigtimedwait(&child, NULL, &rest);
    }
}

static long long size_of(int fd) {
    struct stat facts;
    return fd >= 0 && fstat(fd, &facts) == 0 && S_ISREG(facts.st_mode) ? (long long)facts.st_size
                                                                       : -1;
}

static void pass_on(int fd, long long size) {
    static char buffer[1 << 16];
    lseek(fd, 0, SEEK_SET);
    while (size > 0) {
        size_t part = size < (long long)sizeof buffer ? (size_t)size : sizeof buffer;
        ssize_t got = read(fd, buffer, part);
        if (got <= 0) {  // the file shrank meanwhile: what was announced must follow all the same
            memset(buffer, 0, part);
            got = (ssize_t)part;
        }
        fwrite(buffer, 1, (size_t)got, stdout);
        size -= got;
    }
}

static void report_streams(const int *fds, size_t count, bool cut) {
    long long sizes[MAX_OUTPUTS + 2];
    printf(", \"sizes\": [");
    for (size_t i = 0; i < count; i++) printf("%s%lld", i ? ", " : "", size_of(fds[i]));
    printf("], \"kept\": [");
    for (size_t i = 0; i < count; i++) {
        sizes[i] = size_of(fds[i]);
        if (cut && want.keep >= 0 && sizes[i] > want.keep) sizes[i] = want.keep;
        printf("%s%lld", i ? ", " : "", sizes[i] < 0 ? 0 : sizes[i]);
    }
    printf("]}\n");
    for (size_t i = 0; i < count; i++) pass_on(fds[i], sizes[i]);
}

static bool scratch_is_full(void) {
    struct statvfs facts;
    return want.scratch && statvfs(".", &facts) == 0 && facts.f_bavail == 0;
}

int main(int argc, char **argv) {
    int at = 1;
    while (at < argc && strcmp(argv[at], "--") != 0) at += 1 + option(argv[at], argv + at + 1);
    char **program = argv + at + 1;
    if (at + 1 >= argc) {
        errno = EINVAL;
        fail("no program after", "--");
    }
    if (want.become) {
        execve(want.become, program, environment());
        fail("cannot execute", want.become);
    }
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_DUMPABLE, 1);  // giving up root cleared it, and counters need it in the child
    sigset_t child, before;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child, &before);

    int fds[MAX_OUTPUTS + 2] = {stream("stdout"), stream("stderr")};
    int go[2], failed[2];
    if (pipe2(go, O_CLOEXEC) != 0 || pipe2(failed, O_CLOEXEC) != 0) fail("cannot make", "a pipe");
    struct rusage earlier, later, usage = {0};
    getrusage(RUSAGE_CHILDREN, &earlier);
    pid_t self = getpid(), pid = fork();
    if (pid < 0) fail("cannot start", program[0]);
    if (pid == 0) become_program(program, fds[0], fds[1], go[0], failed[1], self, &before);
    close(failed[1]);
    close(go[0]);
    int instructions = want.counters ? counter(pid, PERF_COUNT_HW_INSTRUCTIONS) : -1;
    int cycles = want.counters ? counter(pid, PERF_COUNT_HW_CPU_CYCLES) : -1;
    prctl(PR_SET_DUMPABLE, 0);  // from here on the program cannot look into its judge

    double started = now();
    int status = 0, error = 0;
    if (write(go[1], "g", 1) != 1) fail("cannot start", program[0]);
    bool late = timed_out(pid, started + want.wall, &status, &usage);
    double wall = now() - started;
    if (!late) await_descendants(0.02);
    int stopped = stop_descendants(pid);
    getrusage(RUSAGE_CHILDREN, &later);
    if (read(failed[0], &error, sizeof error) != sizeof error) error = 0;

    bool signalled = WIFSIGNALED(status);
    bool full = scratch_is_full();
    printf("{\"status\": %d, \"signal\": %d, \"exec_error\": %d, \"timed_out\": %s, "
           "\"disk_full\": %s, \"replaced\": %s, \"stopped\": %d, \"wall\": %.9f, \"user\": %.6f, \"sys\": %.6f, "
           "\"max_rss\": %lld, \"voluntary\": %ld, \"involuntary\": %ld, "
           "\"instructions\": %lld, \"cycles\": %lld",
           WIFEXITED(status) ? WEXITSTATUS(status) : -1, signalled ? WTERMSIG(status) : 0, error,
           late ? "true" : "false", full ? "true" : "false",
           replaced() ? "true" : "false", stopped, wall,
           seconds(later.ru_utime) - seconds(earlier.ru_utime),
           seconds(later.ru_stime) - seconds(earlier.ru_stime), usage.ru_maxrss * 1024LL,
           usage.ru_nvcsw, usage.ru_nivcsw, counted(instructions), counted(cycles));
    for (size_t i = 0; i < want.outputs_count; i++)
        fds[i + 2] = open(want.outputs[i], O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    report_streams(fds, want.outputs_count + 2, signalled || late || full || stopped > 0);
    return 0;
}
