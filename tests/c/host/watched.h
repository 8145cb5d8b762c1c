/* Put in front of other programs, with the header's functions as macros around themselves: a host that uses unusual
 * settings of everything that a process or a thread has, and that looks after each call whether they are as they were. */
#ifndef WATCHED_H
#define WATCHED_H

#define _GNU_SOURCE
#include <errno.h>
#include <fenv.h>
#include <locale.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define WATCHED_ERRNO 4711

extern char **environ;

struct watched {
    sigset_t mask;
    void (*handlers[65])(int);
    int flags[65];
    char folder[4096], locale[1024], thread[16];
    locale_t thread_locale;
    uint64_t environment;
    mode_t umask;
    int rounding, traps, priority, cancel_state, cancel_type, dumpable;
};

static void watched_read(struct watched *all) {
    memset(all, 0, sizeof *all);
    pthread_sigmask(SIG_SETMASK, NULL, &all->mask);
    for (int signal = 1; signal < 65; signal++) {
        struct sigaction action;
        memset(&action, 0, sizeof action);
        sigaction(signal, NULL, &action);
        all->handlers[signal] = action.sa_handler;
        all->flags[signal] = action.sa_flags;
    }
    if (getcwd(all->folder, sizeof all->folder) == NULL) {
        abort();
    }
    snprintf(all->locale, sizeof all->locale, "%s", setlocale(LC_ALL, NULL));
    pthread_getname_np(pthread_self(), all->thread, sizeof all->thread);
    all->thread_locale = uselocale((locale_t)0);
    all->environment = (uintptr_t)environ;
    for (char **entry = environ; *entry != NULL; entry++) {
        all->environment = all->environment * 31 + (uintptr_t)*entry;
        for (const char *letter = *entry; *letter != '\0'; letter++) {
            all->environment = all->environment * 31 + (unsigned char)*letter;
        }
    }
    all->umask = umask(0);
    umask(all->umask);
    all->rounding = fegetround();
    all->traps = fegetexcept();
    all->priority = getpriority(PRIO_PROCESS, 0);
    pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &all->cancel_state);
    pthread_setcancelstate(all->cancel_state, NULL);
    pthread_setcanceltype(PTHREAD_CANCEL_DEFERRED, &all->cancel_type);
    pthread_setcanceltype(all->cancel_type, NULL);
    all->dumpable = prctl(PR_GET_DUMPABLE);
}

static void watched_handler(int signal) { (void)signal; }

__attribute__((constructor)) static void watched_begin(void) {
    if (setlocale(LC_ALL, "C.UTF-8") == NULL || setenv("GATEPOST_WATCHED", "1", 1) != 0 || chdir("/") != 0) {
        abort();
    }
    umask(0);
    sigset_t some;
    sigemptyset(&some);
    sigaddset(&some, SIGUSR1);
    sigaddset(&some, SIGRTMIN + 3);
    pthread_sigmask(SIG_BLOCK, &some, NULL);
    signal(SIGUSR2, watched_handler);
    signal(SIGWINCH, watched_handler);
    pthread_setname_np(pthread_self(), "watched");
    fesetround(FE_UPWARD);
    feenableexcept(FE_DIVBYZERO | FE_INVALID | FE_OVERFLOW);
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
}

struct watched_call {
    const char *name;
    struct watched before;
};

static inline struct watched_call watched_before(const char *name) {
    struct watched_call call = {.name = name};
    watched_read(&call.before);
    errno = WATCHED_ERRNO;
    return call;
}

static inline void watched_after(struct watched_call *call) {
    int code = errno;
    struct watched after;
    watched_read(&after);
    if (code != WATCHED_ERRNO || memcmp(&call->before, &after, sizeof after) != 0) {
        size_t at = 0;
        const unsigned char *one = (const unsigned char *)&call->before, *other = (const unsigned char *)&after;
        while (at < sizeof after && one[at] == other[at]) {
            at++;
        }
        fprintf(stderr, "%s changed something of its host's: errno %d, byte %zu of struct watched (folder: %zu, "
                "environment: %zu)\n",
                call->name, code, at, offsetof(struct watched, folder), offsetof(struct watched, environment));
        abort();
    }
    /* For a call around this one, which had this as an argument. */
    errno = WATCHED_ERRNO;
}

#define WATCHED(name, ...)                                                                                             \
    __extension__({                                                                                                    \
        __attribute__((cleanup(watched_after), unused)) struct watched_call watched_call_ = watched_before(#name);     \
        name(__VA_ARGS__);                                                                                             \
    })

#endif
