// One row per op: what it is called and takes, which shape it gives, how it is computed, and the
// gradients of its inputs. Everything else (bindings, tape, plans, stubs, tests) loops over rows.
#pragma once
#include <array>
#include <span>
#include <string_view>
#include <vector>

#include "core/array.h"
#include "core/few.h"
#include "kernels/sink.h"
#include "ops/attrs.h"
#include "ops/signature.h"
#include "ops/var.h"

namespace mg {

// One call, as infer and run see it: arrays and attributes.
struct Call {
  std::span<const Array* const> inputs;  // null where an optional input is None
  const Attrs& attrs;
  std::span<Array> outputs;
  const char* name;

  const Array& in(int i) const { return *inputs[i]; }
  bool has(int i) const { return inputs[i] != nullptr; }
  Array& out(int i = 0) const { return outputs[i]; }
  int count() const { return static_cast<int>(inputs.size()); }

  // For infer: output i will be a new dense array (run fills it), or a view of an input (no run).
  void make(int i, DType dtype, const Dims& shape) const {
    for (int64_t n : shape)
      if (n < 0) fail<ValueError>(name, ": sizes must not be negative, got shape ", shape);
    outputs[i].dtype = dtype;
    outputs[i].shape = shape;
    outputs[i].strides = contiguous_strides(shape);
  }
  void make(DType dtype, const Dims& shape) const { make(0, dtype, shape); }
  void view(const Array& of) const { outputs[0] = of; }
  // For infer: input i holds indices.
  void require_indices(int i) const {
    if (in(i).dtype != DType::i64)
      fail<TypeError>(name, ": indices must be int64, got ", mg::name(in(i).dtype));
  }
};

// One call seen backwards: gradients of the outputs come in, gradients of the inputs go out.
class Vjp {
 public:
  virtual const Var& in(int i) = 0;        // the value of an input
  virtual Var out(int i = 0) = 0;          // the value of an output
  virtual const Var& grad(int i = 0) = 0;  // null if output i took no part in the loss
  virtual bool needs(int i) const = 0;     // is the gradient of input i wanted?
  virtual void set(int i, Var g) = 0;      // the gradient of input i, in its shape
  virtual int count() const = 0;           // how many inputs
  const Attrs& attrs;

 protected:
  explicit Vjp(const Attrs& a) : attrs(a) {}
  ~Vjp() = default;
};

// What happens to inputs of mixed dtypes before infer.
enum class Promote : uint8_t {
  none,      // infer checks them itself
  any,       // all to the highest of them: bool < int64 < float32 < float64
  number,    // likewise, and bool to int64
  floating,  // likewise, and integers to float32
};

struct Pointwise;
struct Folding;
struct Update;

struct Row {
  const char* signature;
  void (*infer)(const Call&);
  void (*run)(const Call&) = nullptr;  // null if every output is a view
  void (*vjp)(Vjp&) = nullptr;         // null if no gradient flows
  const char* doc = "";
  Promote promote = Promote::none;
  int outputs = 1;
  int promote_from = 0;  // inputs before it keep their dtype (`where`'s condition)
  int hidden = 0;        // outputs at the end that are there for the gradient only
  // Floating-point operations of a call, for people who read plans; null: one for each element of
  // the largest operand.
  double (*flops)(const Call&) = nullptr;
  // Of an op that goes element by element: makes a call ready to be run in pieces
  // (ops/pointwise.h), or gives false if this one must be run whole. Reads no data.
  bool (*pointwise)(const Call&, Pointwise*) = nullptr;
  // Likewise of an op that folds all elements of its input into one number.
  bool (*folding)(const Call&, Folding*) = nullptr;
  // Of an op whose output 0 is a product: runs a call on matrices, but hands that output over
  // instead of storing it.
  void (*run_to)(const Call&, const Sink&) = nullptr;
  // Of an optimizer's update, whose inputs 0 and 1 are parameter and gradient, and whose attribute
  // 0 is `stream`: makes a call with dense inputs ready to use up the gradient in pieces
  // (ops/update.h).
  void (*update)(const Call&, Update*) = nullptr;
  // Of a product or a convolution, of one output: runs a call, and hands over what it has stored
  // while that is in the cache.
  void (*run_then)(const Call&, const Sink&) = nullptr;
  // What gradients, plans and the package's Python are made of: in minigrad._core alone, no method
  // of Tensor.
  bool inner = false;
};

// The row of an inner op.
constexpr Row inner(Row row) {
  row.inner = true;
  return row;
}

// The row of an op that can hand over what it has stored.
template <void (*RunThen)(const Call&, const Sink&)>
constexpr Row then(Row row) {
  row.run_then = RunThen;
  return row;
}

// What a call of any op from Python has room for.
inline constexpr int max_params = 16, max_tensors = 8, max_outputs = 4;

struct Op : Row {
  Signature signature_parsed;
  int id;
  const std::string& name() const { return signature_parsed.name; }
};

// Every op there is, in the order of the families (ops/families.h).
std::span<const Op> all_ops();
const Op& find_op(std::string_view name);  // a StateError if there is none

// ---- Calling ops from gradients: call<"sum">(g, Dims{0}, true) ---------------------------------

template <size_t N>
struct OpName {
  char text[N];
  consteval OpName(const char (&s)[N]) {
    for (size_t i = 0; i < N; ++i) text[i] = s[i];
  }
};

namespace detail {
void set_attr(const Op& op, Attrs& attrs, int i, double v);
void set_attr(const Op& op, Attrs& attrs, int i, const Dims& v);

struct Arguments {
  const Op& op;
  Attrs attrs;
  Few<Var, 4> in;
  int next = 0;

  explicit Arguments(const Op& o) : op(o), attrs(o.signature_parsed.defaults) {}
  void add(const Var& v) { in.push_back(v); }
  void add(const std::vector<Var>& v) {
    for (const Var& item : v) in.push_back(item);
  }
  void add(const Dims& v) { set_attr(op, attrs, next++, v); }
  void add(double v) { set_attr(op, attrs, next++, v); }
};
}  // namespace detail

// Inputs and attributes in the order of the signature (inputs first; Var{} for None).
template <OpName N, int Outputs, class... Args>
std::array<Var, Outputs> call_all(const Args&... args) {
  static const Op& op = find_op(N.text);
  detail::Arguments a(op);
  (a.add(args), ...);
  if (!op.signature_parsed.variadic) a.in.resize(op.signature_parsed.tensors);
  std::array<Var, Outputs> out;
  apply(op, {a.in.data(), a.in.size()}, a.attrs, out);
  return out;
}
template <OpName N, class... Args>
Var call(const Args&... args) {
  return call_all<N, 1>(args...)[0];
}

Var operator+(const Var& a, const Var& b);
Var operator-(const Var& a, const Var& b);
Var operator*(const Var& a, const Var& b);
Var operator/(const Var& a, const Var& b);
Var operator-(const Var& a);
Var operator+(const Var& a, double b);
Var operator*(const Var& a, double b);
inline Var operator+(double a, const Var& b) { return b + a; }
inline Var operator*(double a, const Var& b) { return b * a; }
inline Var operator-(const Var& a, double b) { return a + (-b); }
inline Var operator-(double a, const Var& b) { return -b + a; }

// Undoes broadcasting: sums g over what was repeated, so that it has `shape` again.
Var sum_to(const Var& g, const Dims& shape);
// Repeats g to `shape`, without copying.
Var expand_to(const Var& g, const Dims& shape);

}  // namespace mg
