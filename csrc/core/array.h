// An n-dimensional strided view of a buffer. No gradients here: values only.
#pragma once
#include "core/buffer.h"
#include "core/dtype.h"
#include "core/shape.h"

namespace mg {

struct Array {
  Ref<Buffer> buffer;
  Dims shape;
  Dims strides;        // in elements; 0 repeats
  int64_t offset = 0;  // in elements
  DType dtype = DType::f32;

  int rank() const { return shape.size(); }
  int64_t numel() const { return product(shape); }
  int64_t bytes() const {
    int64_t n;
    if (__builtin_mul_overflow(numel(), item_size(dtype), &n))
      fail<ValueError>("a tensor of shape ", shape, " takes more bytes than can be counted");
    return n;
  }

  void* raw() const { return static_cast<char*>(buffer->data()) + offset * item_size(dtype); }
  template <class T>
  T* data() const {
    return static_cast<T*>(raw());
  }

  // Dense in row-major order (axes of size 1 and empty arrays never matter).
  bool contiguous() const {
    int64_t expected = 1;
    bool dense = true;
    for (int i = rank() - 1; i >= 0; --i) {
      if (shape[i] == 0) return true;
      dense = dense && (shape[i] == 1 || strides[i] == expected);
      expected *= shape[i];
    }
    return dense;
  }

  // A new dense array with memory of its own, not initialised.
  static Array dense(DType dtype, const Dims& shape) {
    Array a;
    a.dtype = dtype;
    a.shape = shape;
    a.strides = contiguous_strides(shape);
    a.buffer = Ref<Buffer>(new Buffer(static_cast<size_t>(a.bytes())));
    return a;
  }
  Array view(const Dims& new_shape, const Dims& new_strides, int64_t extra_offset = 0) const {
    Array a = *this;
    a.shape = new_shape;
    a.strides = new_strides;
    a.offset += extra_offset;
    return a;
  }
  // The same values seen with `to`'s shape; the caller has checked that it broadcasts.
  Array broadcast_to(const Dims& to) const {
    Dims s = Dims::filled(to.size(), 0);
    const int skip = to.size() - rank();
    for (int i = 0; i < rank(); ++i) s[i + skip] = shape[i] == 1 ? 0 : strides[i];
    return view(to, s);
  }
};

// Do the memories from the first to the last element have bytes in common? They may be of different
// buffers, such as those of two arrays of numpy's.
bool overlap(const Array& a, const Array& b);

// Strides for `shape` over the same elements, or false if only a copy can have that shape.
bool reshape_strides(const Array& a, const Dims& shape, Dims* strides);

}  // namespace mg
