/* A linear model that takes its features one by one. See linear_model.h. */
#include "linear_model.h"
#include "nsk_flash.h"

static void nsk_linear_model_start(const nsk_linear_model *p, const int32_t *b,
                                   nsk_linear_model_sums *state)
{
    int32_t *sum = state->sum;
    state->place = 0;
    for (uint8_t k = nsk_param(p->units); k; k--) {
        *sum++ = nsk_flash_i32(b++);
    }
}

static inline void nsk_linear_model_add(const nsk_linear_model *p, int16_t x, const int8_t *w,
                                        nsk_linear_model_sums *state)
{
    int32_t *sum = state->sum;
    w += state->place;
    state->place = (uint16_t)(state->place + nsk_param(p->units));
    for (uint8_t k = nsk_param(p->units); k; k--) {
        *sum++ += (int32_t)x * nsk_flash_i8(w++);
    }
}

static uint8_t nsk_linear_model_best(const nsk_linear_model *p, const int32_t *sum)
{
    const uint8_t units = nsk_param(p->units);
    uint8_t best = 0;
    if (units == 1) {
        return sum[0] > 0;
    }
    for (uint8_t k = 1; k < units; k++) {
        if (sum[k] > sum[best]) {
            best = k;
        }
    }
    return best;
}

#define NSK_LINEAR_MODEL_STREAM(name, type, output, finish)                                        \
    void name##_begin(const nsk_linear_model *p, const int8_t *w, const int32_t *b, output *y,     \
                      void *sums)                                                                  \
    {                                                                                              \
        (void)w;                                                                                   \
        (void)y;                                                                                   \
        nsk_linear_model_start(p, b, (nsk_linear_model_sums *)sums);                               \
    }                                                                                              \
    void name##_push(const nsk_linear_model *p, type x, const int8_t *w, const int32_t *b,         \
                     output *y, void *sums)                                                        \
    {                                                                                              \
        (void)b;                                                                                   \
        (void)y;                                                                                   \
        nsk_linear_model_add(p, x, w, (nsk_linear_model_sums *)sums);                              \
    }                                                                                              \
    void name##_end(const nsk_linear_model *p, const int8_t *w, const int32_t *b, output *y,       \
                    void *sums)                                                                    \
    {                                                                                              \
        const int32_t *sum = ((nsk_linear_model_sums *)sums)->sum;                                 \
        (void)w;                                                                                   \
        (void)b;                                                                                   \
        finish                                                                                     \
    }

#define NSK_LINEAR_MODEL_COPY                                                                      \
    for (uint8_t k = nsk_param(p->units); k; k--) {                                                \
        *y++ = *sum++;                                                                             \
    }
#define NSK_LINEAR_MODEL_DECIDE *y = nsk_linear_model_best(p, sum);

NSK_LINEAR_MODEL_STREAM(nsk_linear_model_s8_stream, int8_t, int32_t, NSK_LINEAR_MODEL_COPY)
NSK_LINEAR_MODEL_STREAM(nsk_linear_model_u8_stream, uint8_t, int32_t, NSK_LINEAR_MODEL_COPY)
NSK_LINEAR_MODEL_STREAM(nsk_linear_model_s16_stream, int16_t, int32_t, NSK_LINEAR_MODEL_COPY)
NSK_LINEAR_MODEL_STREAM(nsk_linear_model_s8_class_stream, int8_t, uint8_t, NSK_LINEAR_MODEL_DECIDE)
NSK_LINEAR_MODEL_STREAM(nsk_linear_model_u8_class_stream, uint8_t, uint8_t, NSK_LINEAR_MODEL_DECIDE)
NSK_LINEAR_MODEL_STREAM(nsk_linear_model_s16_class_stream, int16_t, uint8_t,
                        NSK_LINEAR_MODEL_DECIDE)
