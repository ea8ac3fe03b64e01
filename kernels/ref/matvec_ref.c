#include "kernels/ref/ref.h"

#include <string.h>

void erx_ref_matvec(const int8_t *weights, uint32_t rows, uint32_t columns, const int8_t *input,
                    void *output)
{
    for (uint32_t i = 0; i < rows; i++) {
        const int8_t *row = weights + (size_t)i * columns;
        int32_t sum = 0;
        for (uint32_t j = 0; j < columns; j++)
            sum += row[j] * input[j];
        memcpy((uint8_t *)output + i * sizeof sum, &sum, sizeof sum);
    }
}
