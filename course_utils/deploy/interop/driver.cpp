// A host in C++: the same interface, and a destructor that frees the model (chapter 15).
// driver_cpp MODEL.onnx GOLDEN.bin
#include "cloud_mask.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <iostream>
#include <memory>
#include <vector>

struct Free {
    void operator()(cloud_mask *model) const { cloud_mask_free(&model); }
};

template <class T> bool take(std::ifstream &file, T *numbers, std::size_t count)
{
    return bool(file.read(reinterpret_cast<char *>(numbers), std::streamsize(count * sizeof(T))));
}

int main(int count, char **words)
{
    std::ifstream file(count == 3 ? words[2] : "", std::ios::binary);
    char letters[8];
    std::int32_t n[4];
    float tolerance;
    if (!take(file, letters, 8) || std::memcmp(letters, "GOLDEN01", 8) || !take(file, n, 4) ||
        !take(file, &tolerance, 1) || *std::min_element(n, n + 4) < 1) {
        std::cerr << "no golden patch; use: driver_cpp MODEL.onnx GOLDEN.bin\n";
        return 30;
    }
    const std::int64_t shape[4] = {n[0], n[1], n[2], n[3]}, prob_shape[3] = {n[0], n[2], n[3]};
    const std::size_t pixels = std::size_t(n[0]) * n[2] * n[3];
    std::vector<float> image(pixels * n[1]), expected(pixels), prob(pixels);
    if (!take(file, image.data(), image.size()) || !take(file, expected.data(), pixels)) {
        std::cerr << "the golden patch is cut off\n";
        return 30;
    }

    cloud_mask *loaded = nullptr;
    int code = cloud_mask_load(words[1], 1, &loaded);
    std::unique_ptr<cloud_mask, Free> model(loaded);
    if (code == CLOUD_MASK_OK)
        code = cloud_mask_forward(model.get(), shape, image.data(), prob_shape, prob.data());
    if (code != CLOUD_MASK_OK) {
        std::cerr << "code " << code << ": " << cloud_mask_last_error() << '\n';
        return 10;
    }
    float difference = 0;
    for (std::size_t place = 0; place < pixels; place++)
        difference = std::max(difference, std::abs(prob[place] - expected[place]));
    const bool same = difference <= tolerance; // forward has refused NaN
    std::cout << "golden patch: " << (same ? "the same" : "another answer") << '\n';
    return same ? 0 : 20;
}
