/* A linear model on int8 features. See linear_model.h. */
#include "linear_model_rows.h"

NSK_LINEAR_MODEL(s8, int8_t)
