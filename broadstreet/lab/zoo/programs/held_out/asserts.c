/* Compiled with the sanitizer's checks, each of which ends in a trap. */

#include "cases.h"
#include <limits.h>

void quiet(void);
void quiet(void) { tick += 0; }

static int scores[12];

CASE(checked_sum) { int sum = INT_MAX; sum += (int)number(2); result = (uintptr_t)sum; }
CASE(checked_index) { scores[number(12)] = 3; }
CASE(checked_shift) { result = (uintptr_t)(1 << (int)number(40)); }
CASE(checked_null) { int *score = pointer(0); result = (uintptr_t)*score; }
CASE(checked_quotient) { result = (uintptr_t)((int)number(7) / (int)number(0)); }
