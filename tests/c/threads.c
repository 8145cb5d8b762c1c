/* Two threads decide while a third reloads: each decision is made by one whole policy, and memory stays flat. */
#include "check.h"
#include "resident.h"

#include <pthread.h>
#include <stdatomic.h>

#ifndef RELOADS
#define RELOADS 1000
#endif

static atomic_int stop;

static void *decide(void *data) {
    const gatepost_engine *engine = data;
    uint64_t last = 0;
    unsigned count = 0;
    while (!atomic_load(&stop) || count == 0) {
        /* Under odd generations /a is public and /b is not; under even ones it is the other way round. */
        gatepost_request request = get(count % 2 == 0 ? "/a" : "/b");
        gatepost_decision *decision = NULL;
        gatepost_view view = {.struct_size = sizeof view};
        CHECK_STATUS(GATEPOST_OK, gatepost_decide_into(engine, &request, &decision, &view));
        int open = (view.generation % 2 == 1) == (count % 2 == 0);
        CHECK(view.action == (open ? GATEPOST_ALLOW : GATEPOST_DENY));
        CHECK(view.status == (open ? 200u : 401u));
        CHECK(view.generation >= last);
        last = view.generation;
        gatepost_decision_free(decision);
        count++;
    }
    return NULL;
}

static void write_policy(const char *path, int generation) {
    static const char *form = "[engine]\nstate = \":memory:\"\nschemes = [\"basic\"]\n"
                              "[[route]]\npath = \"/%s\"\naccess = \"public\"\n[[route]]\npath = \"/%s\"\n";
    FILE *file = fopen(path, "w");
    CHECK(file != NULL);
    CHECK(fprintf(file, form, generation % 2 == 1 ? "a" : "b", generation % 2 == 1 ? "b" : "a") > 0);
    CHECK(fclose(file) == 0);
}

int main(int argc, char **argv) {
    CHECK(argc == 2);
    char *path = in_folder(argv[1], "reloaded.toml");
    gatepost_engine *engine = NULL;
    gatepost_error *error = NULL;
    pthread_t threads[2];
    write_policy(path, 1);
    must(gatepost_engine_open(text(path), NULL, &engine, &error), error, "gatepost_engine_open");
    must(gatepost_engine_start(engine, &error), error, "gatepost_engine_start");
    for (int i = 0; i < 2; i++) {
        CHECK(pthread_create(&threads[i], NULL, decide, engine) == 0);
    }
#ifdef MEASURE
    long before = 0;
#endif
    for (int generation = 2; generation < RELOADS; generation++) {
        write_policy(path, generation);
        must(gatepost_engine_reload(engine, &error), error, "gatepost_engine_reload");
        CHECK(gatepost_engine_generation(engine) == (uint64_t)generation);
#ifdef MEASURE
        if (generation == RELOADS / 5) {
            before = resident_memory();
        }
    }
    /* 800 policies later; one that stayed would be several KiB. */
    CHECK(before > 0 && resident_memory() - before < 2 * 1024 * 1024);
#else
    }
#endif
    atomic_store(&stop, 1);
    for (int i = 0; i < 2; i++) {
        CHECK(pthread_join(threads[i], NULL) == 0);
    }
    gatepost_engine_free(engine);
    CHECK(remove(path) == 0);
    free(path);
    return 0;
}
