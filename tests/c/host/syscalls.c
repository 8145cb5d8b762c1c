/* What a process that has started may be confined to: the system calls below and no others, for deciding, hashing and
 * housekeeping on the calling thread. docs/EMBEDDING.md shows the list; a test holds the two together. */
#define _GNU_SOURCE
#include "host.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

/* LIST BEGINS */
#define ALLOWED(call)                                                                                                  \
    call(brk) call(clock_gettime) call(close) call(exit_group) call(fcntl) call(fdatasync) call(fstat) call(fsync)     \
    call(ftruncate) call(futex) call(getpid) call(getrandom) call(madvise) call(mmap) call(mprotect) call(mremap)      \
    call(munmap) call(newfstatat) call(openat) call(pread64) call(pwrite64) call(rt_sigprocmask) call(rt_sigreturn)    \
    call(sched_yield) call(statx) call(unlink)
/* LIST ENDS */

#define PERMIT(name) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##name, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),

static void confine(void) {
    struct sock_filter rules[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        ALLOWED(PERMIT)
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS)};
    struct sock_fprog program = {sizeof rules / sizeof *rules, rules};
    CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
}

int main(int argc, char **argv) {
    CHECK(argc == 3);
    pid_t child = fork();
    if (child == 0) {
        gatepost_engine *engine = started(argv[1]);
        confine();
        for (int i = 0; i < 20; i++) {
            works(engine);
            CHECK(ask(engine, "/key", argv[2]) == 200);
            /* Writes when the key was last used. */
            must(gatepost_engine_poll(engine, NULL, NULL), NULL, "housekeeping");
        }
        _exit(0);
    }
    must_end_well(child);
    /* The filter bites. */
    child = fork();
    if (child == 0) {
        confine();
        (void)!chdir("/");
        _exit(0);
    }
    int status = 0;
    CHECK(waitpid(child, &status, 0) == child && WIFSIGNALED(status));
    return 0;
}
