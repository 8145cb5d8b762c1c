#ifndef DIRECT_H
#define DIRECT_H
#include <gatepost.h>

#include <stdint.h>

/* Opens and starts an engine; NULL where it fails. */
void *direct_open(const char *policy);
/* Nanoseconds that one of so many decisions takes, with its view and its end; -1 where one came out otherwise. */
double direct_decide(void *engine, const char *target, const char *const *fields, int count, int times, uint32_t status);
/* The request of all of them: with so many fields, name and value in turn, for which there is room in the headers. */
void direct_request(
    gatepost_request *request, gatepost_header *headers, const char *target, const char *const *fields, int count);
#endif
