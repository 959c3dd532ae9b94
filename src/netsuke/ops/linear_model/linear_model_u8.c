/* A linear model on uint8 features. See linear_model.h. */
#include "linear_model_rows.h"

NSK_LINEAR_MODEL(u8, uint8_t)
