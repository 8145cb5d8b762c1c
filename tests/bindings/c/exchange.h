/* The lines of `gatepost test --through`: an exchange is a few lines of words up to `end`; what no word may hold is %XX. */
#ifndef EXCHANGE_H
#define EXCHANGE_H

#include <gatepost.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#define WORDS 3

/* One line: its words, decoded. `text` is the memory that they lie in. */
typedef struct {
    char* text;
    gatepost_str word[WORDS];
    size_t words;
} heard;

typedef struct {
    heard* lines;
    size_t count, room;
} exchange;

static inline void* or_die(void* memory) {
    if (memory == NULL) {
        fputs("cases: out of memory\n", stderr);
        exit(1);
    }
    return memory;
}

static inline int hex(char digit) {
    if (digit >= '0' && digit <= '9') {
        return digit - '0';
    }
    if (digit >= 'A' && digit <= 'F') {
        return digit - 'A' + 10;
    }
    return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

/* Decodes a word where it lies; 0 where it is none. */
static inline int decode(char* from, size_t len, gatepost_str* word) {
    char* to = from;
    word->ptr = from;
    for (size_t i = 0; i < len; i++) {
        if (from[i] != '%') {
            *to++ = from[i];
            continue;
        }
        int high = i + 2 < len ? hex(from[i + 1]) : -1, low = i + 2 < len ? hex(from[i + 2]) : -1;
        if (high < 0 || low < 0) {
            return 0;
        }
        *to++ = (char)(high * 16 + low);
        i += 2;
    }
    word->len = (size_t)(to - from);
    return 1;
}

/* Takes a line apart; words stays 0 where it cannot be read. */
static inline heard split(char* text, size_t len) {
    heard made = {text, {{NULL, 0}}, 0};
    char *word = text, *end = text + len;
    for (size_t words = 1; words <= WORDS; words++) {
        char* space = memchr(word, ' ', (size_t)(end - word));
        char* stop = space == NULL ? end : space;
        if (!decode(word, (size_t)(stop - word), &made.word[words - 1])) {
            return made;
        }
        if (space == NULL) {
            made.words = words;
            return made;
        }
        word = space + 1;
    }
    return made;
}

static inline void forget(exchange* these) {
    for (size_t i = 0; i < these->count; i++) {
        free(these->lines[i].text);
    }
    these->count = 0;
}

static inline int says(const heard* line, const char* word, size_t words) {
    return line->words == words && line->word[0].len == strlen(word) &&
           memcmp(line->word[0].ptr, word, strlen(word)) == 0;
}

/* Reads the next exchange, without its `end`; 0 at the end of the input. */
static inline int hear(FILE* from, exchange* these) {
    forget(these);
    for (;;) {
        char* text = NULL;
        size_t size = 0;
        ssize_t len = getline(&text, &size, from);
        if (len <= 0) {
            free(text);
            return 0;
        }
        heard made = split(text, (size_t)(text[len - 1] == '\n' ? len - 1 : len));
        if (says(&made, "end", 1)) {
            free(text);
            return 1;
        }
        if (these->count == these->room) {
            these->room = these->room * 2 + 16;
            these->lines = or_die(realloc(these->lines, these->room * sizeof these->lines[0]));
        }
        these->lines[these->count++] = made;
    }
}

static inline void say_word(gatepost_str word) {
    putchar(' ');
    for (size_t i = 0; i < word.len; i++) {
        unsigned char octet = (unsigned char)word.ptr[i];
        if (octet >= 0x21 && octet <= 0x7E && octet != '%') {
            putchar(octet);
        } else {
            printf("%%%02X", octet);
        }
    }
}

static inline void say(const char* what, gatepost_str word) {
    fputs(what, stdout);
    say_word(word);
    putchar('\n');
}

/* Ends an exchange: the runner waits for this. */
static inline void said(void) {
    puts("end");
    fflush(stdout);
}

static inline void say_error(const char* text) {
    say("error", (gatepost_str){text, strlen(text)});
    said();
}

#endif
