/* cloud_mask.h over the C interface of OpenVINO, which reads ONNX. */
#include "cloud_mask.h"

#include <fenv.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "openvino/c/openvino.h"

struct cloud_mask {
    ov_core_t *core;
    ov_compiled_model_t *compiled;
    ov_infer_request_t *request;
    int64_t lowest[4], highest[4]; /* of each axis of the input; highest is -1 where there is no limit */
};

static _Thread_local char last_error[512];

static int fail(int code, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    vsnprintf(last_error, sizeof last_error, format, values);
    va_end(values);
    return code;
}

static int engine(const char *what)
{
    const char *said = ov_get_last_err_msg();
    return fail(CLOUD_MASK_ENGINE, "OpenVINO could not %s: %.400s", what, said ? said : "no reason given");
}

/* Note the shape that a model wants; refuse what is no map from images to one probability a pixel. */
static int read_shape(cloud_mask *self, const ov_model_t *read, const char *path)
{
    ov_output_const_port_t *input = NULL, *output = NULL;
    ov_partial_shape_t in = {0}, out = {0};
    ov_element_type_e given = DYNAMIC, wanted = DYNAMIC;
    int code = CLOUD_MASK_OK;

    if (ov_model_const_input(read, &input) != OK || ov_model_const_output(read, &output) != OK ||
        ov_port_get_partial_shape(input, &in) != OK || ov_port_get_partial_shape(output, &out) != OK ||
        ov_port_get_element_type(input, &wanted) != OK || ov_port_get_element_type(output, &given) != OK)
        code = fail(CLOUD_MASK_BAD_FILE, "found in %s not one input and one output, expected image and prob", path);
    else if (in.rank.max != 4 || out.rank.max != 3 || wanted != F32 || given != F32)
        code = fail(CLOUD_MASK_BAD_FILE, "found in %s %lld axes in and %lld out, expected float32 (N, C, H, W) and "
                    "(N, H, W)", path, (long long)in.rank.max, (long long)out.rank.max);
    else
        for (int axis = 0; axis < 4; axis++) {
            self->lowest[axis] = in.dims[axis].min;
            self->highest[axis] = in.dims[axis].max;
        }
    ov_partial_shape_free(&in);
    ov_partial_shape_free(&out);
    ov_output_const_port_free(input);
    ov_output_const_port_free(output);
    return code;
}

static int load(cloud_mask *self, const char *path, const char *threads)
{
    ov_model_t *read = NULL;
    int code;

    if (ov_core_create(&self->core) != OK)
        return engine("start");
    if (ov_core_read_model(self->core, path, NULL, &read) != OK) {
        const char *said = ov_get_last_err_msg();
        return fail(CLOUD_MASK_BAD_FILE, "found no model in %s: %.300s", path, said ? said : "no reason given");
    }
    code = read_shape(self, read, path);
    /* float32, or a processor with units for bfloat16 would take it, with two to three digits;
       no thread bound to a core, or every rank would bind its first thread to the same one */
    if (code == CLOUD_MASK_OK &&
        (ov_core_compile_model(self->core, read, "CPU", 6, &self->compiled, ov_property_key_inference_num_threads,
                               threads, ov_property_key_hint_inference_precision, "f32",
                               ov_property_key_hint_enable_cpu_pinning, "NO") != OK ||
         ov_compiled_model_create_infer_request(self->compiled, &self->request) != OK))
        code = engine("prepare the model");
    ov_model_free(read);
    return code;
}

int cloud_mask_load(const char *path, int threads, cloud_mask **model)
{
    char text[16];
    fenv_t host;
    int code;

    last_error[0] = '\0';
    if (model != NULL)
        *model = NULL;
    if (path == NULL || model == NULL || threads < 1)
        return fail(CLOUD_MASK_BAD_ARGUMENT, "found %d threads, path %s; expected at least 1, a path and a place for "
                    "the model", threads, path ? path : "NULL");
    cloud_mask *self = calloc(1, sizeof *self);
    if (self == NULL)
        return fail(CLOUD_MASK_ENGINE, "found no memory for a model");
    snprintf(text, sizeof text, "%d", threads);
    feholdexcept(&host); /* the host's floating-point traps are not for the library */
    code = load(self, path, text);
    fesetenv(&host);
    if (code != CLOUD_MASK_OK)
        cloud_mask_free(&self);
    *model = self;
    return code;
}

static int check(const cloud_mask *model, const int64_t shape[4], const float *image, const int64_t prob[3])
{
    for (int axis = 0; axis < 4; axis++)
        if (shape[axis] < 1 || shape[axis] < model->lowest[axis] ||
            (model->highest[axis] >= 0 && shape[axis] > model->highest[axis]))
            return fail(CLOUD_MASK_BAD_SHAPE, "found shape (%lld, %lld, %lld, %lld), expected (N, %lld, %lld, %lld); "
                        "a Fortran array of this shape is declared (W, H, C, N)",
                        (long long)shape[0], (long long)shape[1], (long long)shape[2], (long long)shape[3],
                        (long long)model->lowest[1], (long long)model->lowest[2], (long long)model->lowest[3]);
    if (prob[0] != shape[0] || prob[1] != shape[2] || prob[2] != shape[3])
        return fail(CLOUD_MASK_BAD_SHAPE, "found prob of shape (%lld, %lld, %lld), expected (%lld, %lld, %lld)",
                    (long long)prob[0], (long long)prob[1], (long long)prob[2],
                    (long long)shape[0], (long long)shape[2], (long long)shape[3]);
    const int64_t count = shape[0] * shape[1] * shape[2] * shape[3];
    for (int64_t place = 0; place < count; place++)
        if (!(image[place] >= CLOUD_MASK_LOWEST && image[place] <= CLOUD_MASK_HIGHEST)) /* NaN is neither */
            return fail(CLOUD_MASK_BAD_INPUT, "found %g at place %lld, expected reflectance from %g to %g; scale the "
                        "input, and put 0 where nothing was measured",
                        image[place], (long long)place, CLOUD_MASK_LOWEST, CLOUD_MASK_HIGHEST);
    return CLOUD_MASK_OK;
}

/* Copy an answer, if all of it are probabilities. */
static int take(const float *data, size_t count, float *prob)
{
    for (size_t place = 0; place < count; place++)
        if (!(data[place] >= 0 && data[place] <= 1))
            return fail(CLOUD_MASK_ENGINE, "found %g at place %zu, expected a probability; check the file with its "
                        "golden patch", data[place], place);
    memcpy(prob, data, count * sizeof *prob);
    return CLOUD_MASK_OK;
}

static int forward(cloud_mask *model, const int64_t shape[4], const float *image, float *prob)
{
    const size_t count = (size_t)(shape[0] * shape[2] * shape[3]);
    ov_tensor_t *input = NULL, *output = NULL;
    ov_shape_t wanted = {0};
    void *data = NULL;
    size_t size = 0;
    int code = CLOUD_MASK_OK;

    if (ov_shape_create(4, shape, &wanted) != OK ||
        ov_tensor_create_from_host_ptr(F32, wanted, (void *)image, &input) != OK || /* no copy; only read */
        ov_infer_request_set_input_tensor(model->request, input) != OK || ov_infer_request_infer(model->request) != OK ||
        ov_infer_request_get_output_tensor(model->request, &output) != OK ||
        ov_tensor_get_size(output, &size) != OK || ov_tensor_data(output, &data) != OK)
        code = engine("run the model");
    else if (size != count)
        code = fail(CLOUD_MASK_ENGINE, "found %zu probabilities, expected %zu", size, count);
    else
        code = take(data, count, prob);
    ov_tensor_free(output);
    ov_tensor_free(input);
    ov_shape_free(&wanted);
    return code;
}

int cloud_mask_forward(cloud_mask *model, const int64_t image_shape[4], const float *image,
                       const int64_t prob_shape[3], float *prob)
{
    fenv_t host;
    int code;

    last_error[0] = '\0';
    if (model == NULL || image_shape == NULL || image == NULL || prob_shape == NULL || prob == NULL)
        return fail(CLOUD_MASK_BAD_ARGUMENT, "found %s, expected a loaded model and two arrays with their shapes",
                    model == NULL ? "no model: not loaded, or freed" : "a null pointer");
    feholdexcept(&host);
    code = check(model, image_shape, image, prob_shape);
    if (code == CLOUD_MASK_OK)
        code = forward(model, image_shape, image, prob);
    fesetenv(&host);
    return code;
}

void cloud_mask_free(cloud_mask **model)
{
    if (model == NULL || *model == NULL)
        return;
    ov_infer_request_free((*model)->request);
    ov_compiled_model_free((*model)->compiled);
    ov_core_free((*model)->core);
    free(*model);
    *model = NULL;
}

const char *cloud_mask_last_error(void)
{
    return last_error;
}
