// The families of the op table: one file each, one line each here.
#pragma once
#include "ops/op.h"

namespace mg {

using Family = std::span<const Row>;
extern const Family arithmetic_family;
extern const Family division_family;
extern const Family comparison_family;
extern const Family function_family;
extern const Family activation_family;
extern const Family shape_family;
extern const Family index_family;
extern const Family along_family;
extern const Family order_family;
extern const Family reduce_family;
extern const Family softmax_family;
extern const Family batch_norm_family;
extern const Family layer_norm_family;
extern const Family loss_family;
extern const Family cross_entropy_family;
extern const Family optim_family;
extern const Family rescale_family;
extern const Family random_family;
extern const Family conv_family;
extern const Family pool_family;
extern const Family embedding_family;
extern const Family matmul_family;
extern const Family linear_family;
extern const Family hidden_family;
extern const Family resample_family;
extern const Family blend_family;
extern const Family boxes_family;

}  // namespace mg
