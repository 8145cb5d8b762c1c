#ifndef RESIDENT_H
#define RESIDENT_H

#include "check.h"

/* Resident memory, bytes. Counted page by page: the quick number of statm may be off by 128 KiB for each processor. */
static inline long resident_memory(void) {
    long kib = 0;
    char line[256];
    FILE *file = fopen("/proc/self/smaps_rollup", "r");
    CHECK(file != NULL);
    while (kib == 0 && fgets(line, sizeof line, file) != NULL) {
        (void)!sscanf(line, "Rss: %ld kB", &kib);
    }
    CHECK(kib > 0 && fclose(file) == 0);
    return kib * 1024;
}

#endif
