/* From a camera's frame to a verdict: look at windows of the frame, score each, keep the highest.
 *
 * The camera writes into model_arena_frame, RGB565, row by row; inspect_frame() gives the score.
 * No heap, not reentrant. The frame stays as it is.
 */
#ifndef INSPECT_H
#define INSPECT_H

#include <stdint.h>

#include "inspect_config.h"

/* Named like an arena of the model, so that the proof puts canaries round it. */
extern uint16_t model_arena_frame[INSPECT_HEIGHT * INSPECT_WIDTH];

/* Write one window of the frame into the network's input; windows count from 0. */
void inspect_load(int32_t window);

/* The highest score of all windows: score of "defect" minus score of "no defect", as integers. */
int32_t inspect_frame(void);

/* Whether a score is a defect: 1 or 0. */
int32_t inspect_verdict(int32_t score);

#endif
