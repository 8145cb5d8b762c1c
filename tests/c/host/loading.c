/* A host that loads the library by hand and lets go of it, a thousand times, with threads that use it in between and end
 * after it was let go: nothing grows, and no thread ends in code that is gone. */
#define _GNU_SOURCE
#include "host.h"

#include <dlfcn.h>
#include <pthread.h>

#ifndef ROUNDS
#define ROUNDS 1000
#endif

#define FUNCTION(library, name) __extension__(__typeof__(name) *) dlsym((library), #name)

static pthread_barrier_t used, let_go;

static void use(void *library) {
    __typeof__(gatepost_engine_new) *make = FUNCTION(library, gatepost_engine_new);
    __typeof__(gatepost_engine_start) *start = FUNCTION(library, gatepost_engine_start);
    __typeof__(gatepost_decide) *decide = FUNCTION(library, gatepost_decide);
    __typeof__(gatepost_decision_free) *decision_free = FUNCTION(library, gatepost_decision_free);
    __typeof__(gatepost_engine_free) *engine_free = FUNCTION(library, gatepost_engine_free);
    CHECK(make != NULL && start != NULL && decide != NULL && decision_free != NULL && engine_free != NULL);
    gatepost_engine *engine = NULL;
    CHECK(make(text("[engine]\nstate = \":memory:\"\n[[route]]\npath = \"/public\"\naccess = \"public\"\n"), NOTHING,
               NULL, &engine, NULL) == GATEPOST_OK);
    CHECK(start(engine, NULL) == GATEPOST_OK);
    gatepost_request request = get("/public");
    gatepost_decision *decision = NULL;
    CHECK(decide(engine, &request, &decision, NULL) == GATEPOST_OK);
    decision_free(decision);
    engine_free(engine);
}

/* Uses the library, so that there is something of it in this thread's storage, and ends once the host has let go. */
static void *thread(void *library) {
    use(library);
    pthread_barrier_wait(&used);
    pthread_barrier_wait(&let_go);
    return NULL;
}

int main(int argc, char **argv) {
    CHECK(argc == 3);
    CHECK(pthread_barrier_init(&used, NULL, 2) == 0 && pthread_barrier_init(&let_go, NULL, 2) == 0);
    long memory = 0;
    int files = 0;
    for (int round = 0; round < ROUNDS; round++) {
        /* nginx loads with RTLD_GLOBAL, most others with RTLD_LOCAL. */
        void *library = dlopen(argv[2], RTLD_NOW | (round % 2 == 0 ? RTLD_GLOBAL : RTLD_LOCAL));
        if (library == NULL) {
            fprintf(stderr, "%s\n", dlerror());
            return 1;
        }
        pthread_t other;
        CHECK(pthread_create(&other, NULL, thread, library) == 0);
        pthread_barrier_wait(&used);
        use(library);
        CHECK(dlclose(library) == 0);
        pthread_barrier_wait(&let_go);
        CHECK(pthread_join(other, NULL) == 0);
        if (round == ROUNDS / 5) {
            memory = resident_memory();
            files = descriptors();
        }
    }
    CHECK(descriptors() == files);
    CHECK(one_thread_is_left());
    long grown = resident_memory() - memory;
    if (grown > 512 * 1024) {
        fprintf(stderr, "memory grew by %ld bytes\n", grown);
        return 1;
    }
    printf("%d rounds, %ld bytes more, %d descriptors\n", ROUNDS, grown, files);
    return 0;
}
