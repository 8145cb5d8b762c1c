/* The three ways in which servers make processes: a master that reads everything as root and never decides (nginx), one
 * whose children come and go (Apache's prefork), and one that was at work itself before it forked (gunicorn, preload). */
#define _GNU_SOURCE
#include "host.h"

#include <grp.h>
#include <signal.h>
#include <sys/stat.h>

#define NOBODY 65534
/* All processes count together, and each of them is wrong on purpose. */
#define OFTEN " = { failures = 100000, per = \"15m\" }\n"
#define WRONG_OFTEN "[throttle]\naccount" OFTEN "address" OFTEN "prefix" OFTEN "pair" OFTEN
#define WORKERS 4
#define IDS 50
#define ID 64

static char ids[(WORKERS * 3 + 8) * IDS][ID];
static int drawn;

/* Decides often enough to see ids repeat, and hands the ids on. */
static void draw_ids(const gatepost_engine *engine, int to) {
    for (int i = 0; i < IDS; i++) {
        char id[ID] = {0};
        gatepost_request request = get("/public");
        gatepost_decision *decision = NULL;
        CHECK_STATUS(GATEPOST_OK, gatepost_decide(engine, &request, &decision, NULL));
        CHECK(gatepost_decision_id(decision).len < sizeof id);
        memcpy(id, gatepost_decision_id(decision).ptr, gatepost_decision_id(decision).len);
        gatepost_decision_free(decision);
        CHECK(write(to, id, sizeof id) == (ssize_t)sizeof id);
    }
}

static void take_ids(int from) {
    for (int i = 0; i < IDS; i++, drawn++) {
        CHECK((size_t)drawn < sizeof ids / sizeof *ids);
        size_t have = 0;
        while (have < ID) {
            ssize_t got = read(from, ids[drawn] + have, ID - have);
            CHECK(got > 0);
            have += (size_t)got;
        }
    }
}

static void not_started(gatepost_engine *engine) {
    gatepost_request request = get("/public");
    gatepost_decision *decision = NULL;
    gatepost_job *job = NULL;
    CHECK_STATUS(GATEPOST_ERR_NOT_STARTED, gatepost_decide(engine, &request, &decision, NULL));
    CHECK_STATUS(GATEPOST_ERR_NOT_STARTED, gatepost_decide(engine, &request, &decision, &job));
    CHECK_STATUS(GATEPOST_ERR_NOT_STARTED, gatepost_engine_poll(engine, NULL, &job));
    CHECK(decision == NULL && job == NULL);
}

static void copy(const char *from, const char *to) {
    char buffer[4096];
    int in = open(from, O_RDONLY), out = open(to, O_WRONLY | O_CREAT | O_EXCL, 0600);
    CHECK(in >= 0 && out >= 0);
    for (ssize_t got; (got = read(in, buffer, sizeof buffer)) > 0;) {
        CHECK(write(out, buffer, (size_t)got) == got);
    }
    CHECK(close(in) == 0 && close(out) == 0);
}

static void write_file(const char *path, const char *content, mode_t mode) {
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);
    CHECK(file >= 0);
    CHECK(write(file, content, strlen(content)) == (ssize_t)strlen(content));
    CHECK(close(file) == 0);
}

static void drop_rights(void) {
    if (geteuid() == 0) {
        CHECK(setgroups(0, NULL) == 0 && setgid(NOBODY) == 0 && setuid(NOBODY) == 0);
    }
}

/* Secrets only for root, state only for the workers: opened as root, started without its rights. */
static void nginx(const char *folder) {
    char place[] = "/tmp/gatepost-workers-XXXXXX";
    CHECK(mkdtemp(place) != NULL && chmod(place, 0755) == 0);
    char *policy = in_folder(place, "policy.toml"), *secret = in_folder(place, "secret"),
         *state = in_folder(place, "state"), *from = in_folder(folder, "gatepost.db"),
         *database = in_folder(state, "gatepost.db");
    write_file(policy,
               "[engine]\nstate = \"state/gatepost.db\"\nschemes = [\"basic\", \"bearer\"]\n"
               "[password]\nmemory_kib = 1024\niterations = 1\n" WRONG_OFTEN
               "[[issuer]]\nname = \"a\"\nissuer = \"https://a.example\"\naudience = [\"b\"]\nalgorithms = [\"HS256\"]\n"
               "keys = { secret_file = \"secret\" }\n[[role]]\nname = \"clerk\"\n[[role]]\nname = \"admin\"\n"
               "[[route]]\npath = \"/public\"\naccess = \"public\"\n[[route]]\npath = \"/private\"\n"
               "[[route]]\npath = \"/admin\"\nrequire = { role = \"admin\" }\n",
               0600);
    write_file(secret, "Zk3vQ9xT1mB7wRfY5cLdN8pHsGjUaE2K4oX6iVtPq0y", 0600);
    CHECK(mkdir(state, 0700) == 0);
    copy(from, database);
    if (geteuid() == 0) {
        CHECK(chown(state, NOBODY, NOBODY) == 0 && chown(database, NOBODY, NOBODY) == 0);
    }

    gatepost_engine *engine = NULL;
    gatepost_error *error = NULL;
    must(gatepost_engine_open(text(policy), NULL, &engine, &error), error, "open as root");
    /* A change of the policy: the master reads it anew and makes new workers. */
    for (int round = 0; round < 2; round++) {
        pid_t workers[WORKERS];
        for (int i = 0; i < WORKERS; i++) {
            workers[i] = fork();
            if (workers[i] == 0) {
                not_started(engine);
                drop_rights();
                must(gatepost_engine_start(engine, &error), error, "start without rights");
                works(engine);
                CHECK(gatepost_engine_generation(engine) == (uint64_t)round + 1);
                if (geteuid() == NOBODY) {
                    /* What only root may read cannot be read again; what was read stays in force. */
                    CHECK(gatepost_engine_reload(engine, NULL) != GATEPOST_OK);
                    works(engine);
                }
                gatepost_engine_free(engine);
                exit(0);
            }
        }
        for (int i = 0; i < WORKERS; i++) {
            must_end_well(workers[i]);
        }
        not_started(engine);
        must(gatepost_engine_reload(engine, &error), error, "reload in the master");
    }
    struct stat facts;
    CHECK(stat(database, &facts) == 0 && (geteuid() != 0 || facts.st_uid == NOBODY) && (facts.st_mode & 0777) == 0600);
    gatepost_engine_free(engine);

    /* A worker that is locked up in a folder: what start opens is looked up there. */
    if (geteuid() == 0) {
        char *jailed = in_folder(place, "jailed.toml");
        write_file(jailed,
                   "[engine]\nstate = \"/gatepost.db\"\nschemes = [\"basic\"]\n[password]\nmemory_kib = 1024\n"
                   "iterations = 1\n" WRONG_OFTEN "[[role]]\nname = \"clerk\"\n[[role]]\nname = \"admin\"\n"
                   "[[route]]\npath = \"/public\"\naccess = \"public\"\n[[route]]\npath = \"/private\"\n"
                   "[[route]]\npath = \"/admin\"\nrequire = { role = \"admin\" }\n",
                   0600);
        must(gatepost_engine_open(text(jailed), NULL, &engine, &error), error, "open before chroot");
        pid_t worker = fork();
        if (worker == 0) {
            CHECK(chroot(state) == 0 && chdir("/") == 0);
            drop_rights();
            must(gatepost_engine_start(engine, &error), error, "start after chroot");
            works(engine);
            gatepost_engine_free(engine);
            exit(0);
        }
        must_end_well(worker);
        gatepost_engine_free(engine);
        CHECK(unlink(jailed) == 0);
        free(jailed);
    }

    const char *left[] = {"gatepost.db",          "gatepost.db-epoch", "gatepost.db-proofs",
                          "gatepost.db-throttle", "gatepost.db-wal",   "gatepost.db-shm"};
    for (size_t i = 0; i < sizeof left / sizeof *left; i++) {
        char *path = in_folder(state, left[i]);
        (void)unlink(path);
        free(path);
    }
    CHECK(rmdir(state) == 0 && unlink(policy) == 0 && unlink(secret) == 0 && rmdir(place) == 0);
    free(policy), free(secret), free(state), free(from), free(database);
}

/* Children come and go, some of them by force and in the middle of a hash. */
static void prefork(const char *folder) {
    gatepost_engine *engine = service(folder);
    for (int generation = 0; generation < 3; generation++) {
        int ends[2];
        CHECK(pipe(ends) == 0);
        pid_t children[WORKERS];
        for (int i = 0; i < WORKERS; i++) {
            children[i] = fork();
            if (children[i] == 0) {
                must(gatepost_engine_start(engine, NULL), NULL, "start in a child");
                works(engine);
                if (i == 0) {
                    draw_ids(engine, ends[1]);
                }
                if (i == WORKERS - 1) {
                    /* Never ends by itself. */
                    for (;;) {
                        CHECK(ask(engine, "/private", WRONG) == 401);
                    }
                }
                exit(0);
            }
        }
        take_ids(ends[0]);
        for (int i = 0; i < WORKERS - 1; i++) {
            must_end_well(children[i]);
        }
        int status = 0;
        CHECK(kill(children[WORKERS - 1], SIGKILL) == 0);
        CHECK(waitpid(children[WORKERS - 1], &status, 0) == children[WORKERS - 1] && WIFSIGNALED(status));
        CHECK(close(ends[0]) == 0 && close(ends[1]) == 0);
    }
    not_started(engine);
    gatepost_engine_free(engine);
}

/* The parent has decided before it forks, goes on, and writes to the state after its children have gone. */
static void preload(const char *folder) {
    gatepost_engine *engine = started(folder);
    works(engine);
    int ends[2];
    CHECK(pipe(ends) == 0);
    draw_ids(engine, ends[1]);
    take_ids(ends[0]);
    for (int i = 0; i < WORKERS; i++) {
        pid_t child = fork();
        if (child == 0) {
            not_started(engine);
            if (i == 0) {
                /* A child may also let go without ever having started. */
                gatepost_engine_free(engine);
                exit(0);
            }
            must(gatepost_engine_start(engine, NULL), NULL, "start in a child");
            works(engine);
            pid_t grandchild = fork();
            if (grandchild == 0) {
                not_started(engine);
                must(gatepost_engine_start(engine, NULL), NULL, "start in a grandchild");
                works(engine);
                draw_ids(engine, ends[1]);
                exit(0);
            }
            must_end_well(grandchild);
            works(engine);
            draw_ids(engine, ends[1]);
            gatepost_engine_free(engine);
            exit(0);
        }
        for (int left = i == 0 ? 0 : 2; left > 0; left--) {
            take_ids(ends[0]);
        }
        must_end_well(child);
        works(engine);
        must(gatepost_engine_poll(engine, NULL, NULL), NULL, "housekeeping in the parent");
    }
    /* The parent's log is still there: a child that closed it would have moved it into the database and deleted it. */
    char *log = in_folder(folder, "gatepost.db-wal");
    CHECK(access(log, F_OK) == 0);
    free(log);
    gatepost_engine_free(engine);
    CHECK(close(ends[0]) == 0 && close(ends[1]) == 0);
}

static int order(const void *one, const void *other) { return memcmp(one, other, ID); }

int main(int argc, char **argv) {
    CHECK(argc == 2);
    nginx(argv[1]);
    prefork(argv[1]);
    preload(argv[1]);
    CHECK(drawn == (3 + 1 + (WORKERS - 1) * 2) * IDS);
    qsort(ids, (size_t)drawn, ID, order);
    for (int i = 1; i < drawn; i++) {
        CHECK(ids[i][0] != '\0' && memcmp(ids[i - 1], ids[i], ID) != 0);
    }
    return 0;
}
