/* The same tokens before libjwt 1: signature, exp, nbf, iss and aud, as its documentation does it. It has no EdDSA.
 *
 * with_libjwt FOLDER SECONDS */
#include <jwt.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROUNDS = 11 };

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static size_t read_file(const char *folder, const char *name, const char *kind, char *into, size_t room) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s.%s", folder, name, kind);
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        fprintf(stderr, "with_libjwt: no %s\n", path);
        exit(1);
    }
    size_t length = fread(into, 1, room - 1, file);
    into[length] = '\0';
    fclose(file);
    return length;
}

static void verify(const char *token, const char *key, size_t length, jwt_alg_t algorithm, const char *issuer) {
    jwt_t *jwt = NULL;
    if (jwt_decode(&jwt, token, (const unsigned char *)key, (int)length) != 0 || jwt_get_alg(jwt) != algorithm) {
        fprintf(stderr, "with_libjwt: not verified\n");
        exit(1);
    }
    /* What it leaves to its caller. */
    long at = (long)time(NULL);
    const char *iss = jwt_get_grant(jwt, "iss"), *aud = jwt_get_grant(jwt, "aud");
    if (iss == NULL || strcmp(iss, issuer) != 0 || aud == NULL || strcmp(aud, "orders") != 0 ||
        jwt_get_grant_int(jwt, "exp") <= at || jwt_get_grant_int(jwt, "nbf") > at) {
        fprintf(stderr, "with_libjwt: not valid\n");
        exit(1);
    }
    jwt_free(jwt);
}

int main(int argc, char **argv) {
    if (argc < 4) {
        return 2;
    }
    double seconds = strtod(argv[2], NULL) / ROUNDS;
    for (int each = 3; each < argc; each++) {
        const char *name = argv[each];
        jwt_alg_t algorithm = jwt_str_alg(name);
        if (algorithm >= JWT_ALG_TERM) {
            continue;
        }
        char token[16384], key[8192], issuer[256];
        read_file(argv[1], name, "token", token, sizeof token);
        size_t length = read_file(argv[1], name, name[0] == 'H' ? "key" : "pem", key, sizeof key);
        snprintf(issuer, sizeof issuer, "https://accounts.example.com/%s", name);
        double rounds[ROUNDS];
        for (int round = 0; round < ROUNDS; round++) {
            double begun = now(), passed;
            unsigned count = 0;
            do {
                verify(token, key, length, algorithm, issuer);
                count++;
                passed = now() - begun;
            } while (passed < seconds);
            rounds[round] = passed * 1e9 / count;
        }
        qsort(rounds, ROUNDS, sizeof rounds[0], ascending);
        printf("libjwt %s %.0f\n", name, rounds[ROUNDS / 2]);
    }
    return 0;
}
