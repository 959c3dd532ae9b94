/* The loop over the rows of a linear model, for one type of features. See linear_model.h. */
#ifndef NSK_LINEAR_MODEL_ROWS_H
#define NSK_LINEAR_MODEL_ROWS_H

#include "linear_model.h"
#include "nsk_avr.h"

#define NSK_LINEAR_MODEL_SCORES(name, type, stored, sum, dot, bias)                                \
    void name(const nsk_linear_model *p, const type *x, const int8_t *w, const stored *b,          \
              stored *s)                                                                           \
    {                                                                                              \
        uint8_t k = nsk_param(p->units);                                                           \
        do {                                                                                       \
            *s++ = dot(&w, x, nsk_param(p->depth), (sum)bias(b++));                                \
        } while (--k);                                                                             \
    }

#define NSK_LINEAR_MODEL_CLASS(name, type, stored, sum, dot, bias, lowest)                         \
    void name(const nsk_linear_model *p, const type *x, const int8_t *w, const stored *b,          \
              uint8_t *y)                                                                          \
    {                                                                                              \
        uint8_t best = 0, k = 0;                                                                   \
        sum highest = lowest;                                                                      \
        do {                                                                                       \
            const sum score = dot(&w, x, nsk_param(p->depth), (sum)bias(b++));                     \
            if (score > highest) {                                                                 \
                highest = score;                                                                   \
                best = k;                                                                          \
            }                                                                                      \
        } while (++k < nsk_param(p->units));                                                       \
        *y = nsk_param(p->units) == 1 ? highest > 0 : best;                                        \
    }

#define NSK_LINEAR_MODEL(suffix, type)                                                             \
    NSK_LINEAR_MODEL_SCORES(nsk_linear_model_##suffix, type, int32_t, nsk_int24,                   \
                            nsk_dot24_##suffix, nsk_flash_i32)                                     \
    NSK_LINEAR_MODEL_SCORES(nsk_linear_model_##suffix##_narrow, type, int16_t, int16_t,            \
                            nsk_dot16_##suffix, nsk_flash_i16)                                     \
    NSK_LINEAR_MODEL_CLASS(nsk_linear_model_##suffix##_class, type, int32_t, nsk_int24,            \
                           nsk_dot24_##suffix, nsk_flash_i32, -8388607 - 1)                        \
    NSK_LINEAR_MODEL_CLASS(nsk_linear_model_##suffix##_class_narrow, type, int16_t, int16_t,       \
                           nsk_dot16_##suffix, nsk_flash_i16, -32767 - 1)

#endif
