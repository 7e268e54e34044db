// SPDX-License-Identifier: Apache-2.0
// A program that does what its first argument says; every way of going wrong is here once.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static volatile unsigned long sum;

static void *work(void *count) {
    for (long i = 0, n = *(long *)count; i < n; i++) sum += (unsigned long)i;
    return NULL;
}

static int told(const char *what, int failed) {
    printf("%s: %s\n", what, failed ? strerror(errno) : "done");
    return 0;
}

int main(int argc, char **argv) {
    const char *what = argc > 1 ? argv[1] : "nothing", *more = argc > 2 ? argv[2] : "";
    char block[4096];
    memset(block, 'x', sizeof block);
#define IS(text) (strcmp(what, text) == 0)
    if (IS("work")) {
        long count = atol(more);
        work(&count);
        printf("%lu\n", sum);
    } else if (IS("work-in-a-child")) {
        long count = atol(more);
        if (fork() == 0) {
            if (fork() == 0) return work(&count) != NULL;
            return 0;  // the worker is now an orphan, and nobody here waits for it
        }
        usleep(400000);
    } else if (IS("threads")) {
        long count = atol(more);
        pthread_t other[8];
        for (int i = 0; i < 8; i++) pthread_create(&other[i], NULL, work, &count);
        for (int i = 0; i < 8; i++) pthread_join(other[i], NULL);
        puts("threads done");
    } else if (IS("read")) {
        return told("read", open(more, O_RDONLY) < 0);
    } else if (IS("write")) {
        return told("write", open(more, O_WRONLY | O_CREAT, 0666) < 0);
    } else if (IS("copy-input")) {
        for (int c; (c = getchar()) != EOF;) putchar(c);
    } else if (IS("save")) {
        FILE *file = fopen(more, "w");
        if (!file) return told("save", 1) + 1;
        fputs("saved\n", file);
        fclose(file);
    } else if (IS("connect")) {
        struct sockaddr_in where = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(more))};
        where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        return told("connect", fd < 0 || connect(fd, (void *)&where, sizeof where) != 0);
    } else if (IS("fork")) {
        for (;;)
            if (fork() < 0) usleep(1000);
    } else if (IS("fill-disk")) {
        for (int i = 0;; i++) {
            snprintf(block, sizeof block, "file%d", i);
            int fd = open(block, O_WRONLY | O_CREAT, 0666);
            for (int k = 0; k < 16; k++)
                if (write(fd, block, sizeof block) < (ssize_t)sizeof block) return 1;
            close(fd);
        }
    } else if (IS("eat-memory")) {
        for (;;) {
            volatile char *part = malloc(1 << 20);
            if (!part) abort();
            for (int i = 0; i < 1 << 20; i += 4096) part[i] = 1;
        }
    } else if (IS("ignore-signals")) {
        for (int i = 1; i < 32; i++) signal(i, SIG_IGN);
        for (;;) pause();
    } else if (IS("endless-output")) {
        for (;;) fwrite(block, 1, sizeof block, stdout);
    } else if (IS("endless-output-regardless")) {
        signal(SIGXFSZ, SIG_IGN);
        for (;;) fwrite(block, 1, sizeof block, stdout);
    } else if (IS("sleep")) {
        for (;;) pause();
    } else if (IS("spin")) {
        for (;;) sum++;
    } else if (IS("crash")) {
        puts("the right answer");
        fflush(stdout);
        raise(SIGSEGV);
    } else if (IS("daemon")) {
        puts("the right answer");
        fflush(stdout);
        if (fork() == 0) {
            setsid();
            for (;;) pause();
        }
    } else if (IS("kill-everyone")) {
        kill(-1, SIGKILL);
        kill(getppid(), SIGKILL);
    } else if (IS("stack-address")) {
        printf("%p\n", (void *)block);
    } else if (IS("environment")) {
        for (char **name = environ; *name; name++) puts(*name);
    } else if (IS("exit")) {
        return atoi(more);
    }
    return 0;
}
