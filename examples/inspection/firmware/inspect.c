/* A window is SIDE x SIDE values a channel, each the mean of SHRINK x SHRINK pixels:
 *
 *     level = (sum + SHRINK * SHRINK / 2) / (SHRINK * SHRINK)
 *     input = inspect_levels[channel][level]
 *
 * with colours of 8 bits: red = r5 << 3 | r5 >> 2, green = g6 << 2 | g6 >> 4, blue like red. The
 * tables hold normalisation and quantization, so that the integers equal the meaning in Python.
 */
#define INSPECT_TABLES
#include "inspect.h"

#include "model.h"

#define AREA ((uint32_t)INSPECT_SHRINK * INSPECT_SHRINK)

uint16_t model_arena_frame[INSPECT_HEIGHT * INSPECT_WIDTH];

static inline uint32_t red_of(uint32_t word)
{
    return ((word >> 11) << 3) | (word >> 13);
}

static inline uint32_t green_of(uint32_t word)
{
    return ((word >> 3) & 0xFCu) | ((word >> 9) & 3u);
}

static inline uint32_t blue_of(uint32_t word)
{
    return ((word << 3) & 0xF8u) | ((word >> 2) & 7u);
}

void inspect_load(int32_t window)
{
    const uint16_t *corner = model_arena_frame + inspect_corners[window];
    model_input_0_t *to = model_input(0);
    for (int32_t row = 0; row < INSPECT_SIDE; row++) {
        for (int32_t column = 0; column < INSPECT_SIDE; column++) {
            const uint16_t *from =
                corner + row * INSPECT_SHRINK * INSPECT_WIDTH + column * INSPECT_SHRINK;
            uint32_t red = AREA / 2, green = AREA / 2, blue = AREA / 2;
            for (int32_t y = 0; y < INSPECT_SHRINK; y++) {
                for (int32_t x = 0; x < INSPECT_SHRINK; x++) {
                    const uint32_t word = from[y * INSPECT_WIDTH + x];
                    red += red_of(word);
                    green += green_of(word);
                    blue += blue_of(word);
                }
            }
            to[0] = inspect_levels[0][red / AREA];
            to[INSPECT_NEXT_CHANNEL] = inspect_levels[1][green / AREA];
            to[2 * INSPECT_NEXT_CHANNEL] = inspect_levels[2][blue / AREA];
            to += INSPECT_NEXT_PIXEL;
        }
    }
}

static int32_t score(void)
{
    const model_output_0_t *scores = model_output(0);
    return (int32_t)scores[1] - (int32_t)scores[0];
}

int32_t inspect_frame(void)
{
    int32_t highest = INT32_MIN;
    for (int32_t window = 0; window < INSPECT_WINDOWS; window++) {
        inspect_load(window);
        model_invoke();
        const int32_t now = score();
        if (now > highest) {
            highest = now;
        }
    }
    return highest;
}

int32_t inspect_verdict(int32_t highest)
{
    return highest >= INSPECT_THRESHOLD;
}
