/* Requests a second of places on one machine that take turns in short windows.
 *
 * windows CONNECTIONS MILLISECONDS ROUNDS FIELD PORT/PATH…
 *
 * Each place is asked in windows of MILLISECONDS, over CONNECTIONS that stay open, one request in flight on each; FIELD
 * is a header field that all requests have. Printed is for each place, in a line: its name, what a tenth of its windows were
 * faster than, in requests a second, and the ratio of that to the first place's. A machine that others use as well is quiet for moments only: wrk, which
 * measures seconds, always meets both. Every answer must be 200 and as long as the first. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MOST 64

typedef struct {
    const char *name;
    char request[4096];
    size_t length; /* of the request */
    size_t answer; /* octets of an answer */
    int epoll;
    int sockets[MOST];
    size_t read[MOST]; /* of the answer that is coming */
    double *rates;
} place;

static void fail(const char *what, const char *where) {
    fprintf(stderr, "windows: %s: %s\n", where, what);
    exit(1);
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static void ask(const place *at, int connection) {
    if (send(at->sockets[connection], at->request, at->length, MSG_NOSIGNAL) != (ssize_t)at->length) {
        fail("the server has closed a connection, or takes no request whole", at->name);
    }
}

/* What has come on a connection; fails for anything but a 200. */
static size_t hear(const place *at, int connection) {
    char answer[65536];
    ssize_t got = read(at->sockets[connection], answer, sizeof answer);
    if (got <= 0) {
        fail(got == 0 ? "the server has closed a connection" : strerror(errno), at->name);
    }
    if (at->read[connection] == 0 && (got < 12 || memcmp(answer + 8, " 200", 4) != 0)) {
        fail("a request is not answered with 200", at->name);
    }
    return (size_t)got;
}

static void open_place(place *at, const char *name, const char *field, int connections) {
    char *path;
    long port = strtol(name, &path, 10);
    if (*path != '/' || port < 1 || port > 65535) {
        fail("not PORT/PATH", name);
    }
    at->name = name;
    int length = snprintf(at->request, sizeof at->request, "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%ld\r\n%s\r\n\r\n", path, port, field);
    if (length < 0 || (size_t)length >= sizeof at->request) {
        fail("too long a request", name);
    }
    at->length = (size_t)length;
    at->epoll = epoll_create1(0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    for (int i = 0; i < connections; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)i};
        int one = 1;
        at->sockets[i] = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(at->sockets[i], (struct sockaddr *)&address, sizeof address) != 0) {
            fail(strerror(errno), name);
        }
        setsockopt(at->sockets[i], IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        epoll_ctl(at->epoll, EPOLL_CTL_ADD, at->sockets[i], &event);
    }
    /* How long an answer is: what comes until nothing has come for a while. A first answer may take its time. */
    struct epoll_event event;
    ask(at, 0);
    for (int wait = 10000; epoll_wait(at->epoll, &event, 1, wait) == 1; wait = 100) {
        at->answer += at->read[0] = hear(at, 0);
    }
    at->read[0] = 0;
    if (at->answer == 0) {
        fail("no answer", name);
    }
}

/* Requests a second over one window. */
static double window(place *at, int connections, double seconds) {
    double begun = now(), ended = begun;
    long answered = 0;
    int waiting = connections, over = 0;
    for (int i = 0; i < connections; i++) {
        ask(at, i);
    }
    while (waiting > 0) {
        struct epoll_event events[MOST];
        int count = epoll_wait(at->epoll, events, MOST, 10000);
        if (count <= 0) {
            fail("no answer, or one that is shorter than the first", at->name);
        }
        /* What has come when the window ends is still its own. */
        int counted = !over;
        if (!over && (ended = now()) >= begun + seconds) {
            over = 1;
        }
        for (int i = 0; i < count; i++) {
            int connection = (int)events[i].data.u32;
            at->read[connection] += hear(at, connection);
            if (at->read[connection] > at->answer) {
                fail("an answer is longer than the first", at->name);
            }
            if (at->read[connection] < at->answer) {
                continue;
            }
            at->read[connection] = 0;
            answered += counted;
            if (over) {
                waiting--;
            } else {
                ask(at, connection);
            }
        }
    }
    return (double)answered / (ended - begun);
}

static int descending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x < y) - (x > y);
}

int main(int argc, char **argv) {
    int connections = argc > 5 ? atoi(argv[1]) : 0, rounds = argc > 5 ? atoi(argv[3]) : 0;
    double seconds = argc > 5 ? atof(argv[2]) / 1000 : 0;
    if (connections < 1 || connections > MOST || rounds < 1 || seconds <= 0) {
        fail("windows CONNECTIONS MILLISECONDS ROUNDS FIELD PORT/PATH…", "usage");
    }
    int places = argc - 5;
    place *all = calloc((size_t)places, sizeof *all);
    for (int i = 0; i < places; i++) {
        open_place(&all[i], argv[5 + i], argv[4], connections);
        all[i].rates = calloc((size_t)rounds, sizeof *all[i].rates);
        window(&all[i], connections, seconds);
    }
    for (int round = 0; round < rounds; round++) {
        for (int i = 0; i < places; i++) {
            /* Who goes first changes. */
            place *at = &all[round % 2 == 0 ? i : places - 1 - i];
            at->rates[round] = window(at, connections, seconds);
        }
    }
    for (int i = 0; i < places; i++) {
        qsort(all[i].rates, (size_t)rounds, sizeof(double), descending);
        double quick = all[i].rates[rounds / 10];
        printf("%s\t%.0f\t%.3f\n", all[i].name, quick, quick / all[0].rates[rounds / 10]);
    }
    return 0;
}
