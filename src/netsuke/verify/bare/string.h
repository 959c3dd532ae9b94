/* The memory functions that kernels may call, for targets without a C library. */
#ifndef NSK_BARE_STRING_H
#define NSK_BARE_STRING_H

#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *to, int value, size_t size);
int memcmp(const void *a, const void *b, size_t size);

#endif
