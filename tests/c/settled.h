/* A fork beside threads, under the address sanitizer. Its allocator does not take its locks around fork, as that of libc
 * does: a thread that allocates at that moment leaves the child a lock that nobody opens. So there, and only there, the
 * other threads are let come to rest first. */
#ifndef SETTLED_H
#define SETTLED_H

/* A program in C++ has its own CHECK already. */
#ifndef __cplusplus
#include "check.h"
#endif

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#ifdef __SANITIZE_ADDRESS__
/* The state of a thread: the letter after its name, which ends with the last parenthesis. */
static inline char state_of(const char *thread) {
    char path[64], line[256] = {0};
    snprintf(path, sizeof path, "/proc/self/task/%.20s/stat", thread);
    FILE *file = fopen(path, "r");
    if (file == NULL) return 'X';
    size_t read = fread(line, 1, sizeof line - 1, file);
    fclose(file);
    const char *name_end = strrchr(line, ')');
    return read > 0 && name_end != NULL && name_end[1] == ' ' ? name_end[2] : '?';
}

static inline int all_others_sleep(void) {
    DIR *threads = opendir("/proc/self/task");
    CHECK(threads != NULL);
    int sleep = 1;
    for (struct dirent *each = readdir(threads); each != NULL; each = readdir(threads)) {
        if (each->d_name[0] == '.' || strtol(each->d_name, NULL, 10) == (long)getpid()) continue;
        char state = state_of(each->d_name);
        sleep &= state == 'S' || state == 'X';
    }
    closedir(threads);
    return sleep;
}

static inline void settle(void) {
    /* Often in a row: a thread that has just begun sleeps for a moment too. */
    for (int in_a_row = 0; in_a_row < 20;) {
        in_a_row = all_others_sleep() ? in_a_row + 1 : 0;
        const struct timespec moment = {0, 1000000};
        nanosleep(&moment, NULL);
    }
}
#else
static inline void settle(void) {}
#endif

#endif
