/* A linear model on int16 features. See linear_model.h. */
#include "linear_model_rows.h"

NSK_LINEAR_MODEL(s16, int16_t)
