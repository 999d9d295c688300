/* A cloud mask for programs in C, C++ and Fortran: load a model once, ask it often (chapter 15).
 *
 * Every function gives back a code and never ends the program. The text of the last error of this thread is in
 * cloud_mask_last_error(). A model serves one call at a time; several models may work side by side.
 */
#ifndef CLOUD_MASK_H
#define CLOUD_MASK_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct cloud_mask cloud_mask;

enum {
    CLOUD_MASK_OK = 0,
    CLOUD_MASK_BAD_ARGUMENT = 1,  /* a null pointer, a model that was freed, a number of threads below 1 */
    CLOUD_MASK_BAD_FILE = 2,      /* no such file, or no model that this interface can ask */
    CLOUD_MASK_BAD_SHAPE = 3,     /* not the shape that the model was made for */
    CLOUD_MASK_BAD_INPUT = 4,     /* NaN, or a number that is no reflectance */
    CLOUD_MASK_ENGINE = 5         /* the inference library failed, or gave what is no probability */
};

/* What a band may hold. Reflectance is 0 to a little above 1; bytes and percent are not. */
#define CLOUD_MASK_LOWEST (-0.1f)
#define CLOUD_MASK_HIGHEST 2.1f

/* Read an ONNX file and prepare it for `threads` threads. On failure *model is NULL. */
int cloud_mask_load(const char *path, int threads, cloud_mask **model);

/* Probabilities (N, H, W) of images (N, C, H, W), both contiguous with the last axis fastest.
 * On failure `prob` is left as it is. */
int cloud_mask_forward(cloud_mask *model, const int64_t image_shape[4], const float *image,
                       const int64_t prob_shape[3], float *prob);

/* Release a model and set *model to NULL; harmless where it is NULL already. */
void cloud_mask_free(cloud_mask **model);

/* What went wrong last in this thread; empty if nothing did. Valid until the next call. */
const char *cloud_mask_last_error(void);

#ifdef __cplusplus
}
#endif
#endif
