/* The natural logarithm.
 *
 *   y = ln x
 *
 * y may be x. The int8 form is a table, see table.h.
 */
#ifndef NSK_LOG_H
#define NSK_LOG_H

#include <stdint.h>

typedef struct {
    int32_t count;
} nsk_log_real;

void nsk_log_f32(const nsk_log_real *p, const float *x, float *y);

#endif
