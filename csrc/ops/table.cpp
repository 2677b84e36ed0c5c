#include <deque>
#include <unordered_map>

#include "ops/families.h"

namespace mg {
namespace {

struct Table {
  std::vector<Op> ops;
  std::unordered_map<std::string_view, const Op*> by_name;

  Table() {
    for (const Family& family :
         {arithmetic_family, division_family, comparison_family,    function_family,
          activation_family, shape_family,    index_family,         along_family,
          order_family,      reduce_family,   softmax_family,       batch_norm_family,
          layer_norm_family, loss_family,     cross_entropy_family, optim_family,
          rescale_family,    random_family,   conv_family,          pool_family,
          embedding_family,  matmul_family,   linear_family,        hidden_family,
          resample_family,   blend_family,    boxes_family})
      for (const Row& row : family)
        ops.push_back(Op{row, Signature::parse(row.signature), static_cast<int>(ops.size())});
    for (const Op& op : ops) {
      const Signature& s = op.signature_parsed;
      if (s.params.size() > max_params || s.tensors > max_tensors || op.outputs > max_outputs)
        fail<StateError>("op table: '", op.name(),
                         "' has more parameters, tensors or outputs than ",
                         "a call has room for (ops/op.h)");
      if (!by_name.emplace(op.name(), &op).second)
        fail<StateError>("op table: two rows are named '", op.name(), "'");
    }
  }
};

const Table& table() {
  static const Table& t = *new Table;
  return t;
}

}  // namespace

std::span<const Op> all_ops() { return table().ops; }

const Op& find_op(std::string_view name) {
  const auto it = table().by_name.find(name);
  if (it == table().by_name.end()) fail<StateError>("op table: there is no op '", name, "'");
  return *it->second;
}

namespace detail {

static Kind attr_kind(const Op& op, int i) {
  for (const Param& p : op.signature_parsed.params)
    if (p.kind != Kind::tensor && p.slot == i) return p.kind;
  fail<StateError>("op table: '", op.name(), "' has no attribute ", i);
}

void set_attr(const Op& op, Attrs& attrs, int i, double v) {
  switch (attr_kind(op, i)) {
    case Kind::real:
      return attrs.set_real(i, v);
    case Kind::list:
      return attrs.set_list(i, Dims{static_cast<int64_t>(v)});
    default:
      return attrs.set_integer(i, static_cast<int64_t>(v));
  }
}

void set_attr(const Op& op, Attrs& attrs, int i, const Dims& v) {
  if (attr_kind(op, i) != Kind::list)
    fail<StateError>("op table: attribute ", i, " of '", op.name(), "' is no list");
  attrs.set_list(i, v);
}

}  // namespace detail

Var operator+(const Var& a, const Var& b) { return call<"add">(a, b); }
Var operator-(const Var& a, const Var& b) { return call<"sub">(a, b); }
Var operator*(const Var& a, const Var& b) { return call<"mul">(a, b); }
Var operator/(const Var& a, const Var& b) { return call<"div">(a, b); }
Var operator-(const Var& a) { return call<"neg">(a); }
Var operator+(const Var& a, double b) { return a + constant(a.dtype(), b); }
Var operator*(const Var& a, double b) { return a * constant(a.dtype(), b); }

Var sum_to(const Var& g, const Dims& shape) {
  if (g.shape() == shape) return g;
  Dims dims;
  const int skip = g.rank() - shape.size();
  for (int i = 0; i < g.rank(); ++i)
    if (i < skip || (shape[i - skip] == 1 && g.shape()[i] != 1)) dims.push_back(i);
  Var s = dims.empty() ? g : call<"sum">(g, dims, true);
  return s.shape() == shape ? s : call<"reshape">(s, shape);
}

Var expand_to(const Var& g, const Dims& shape) {
  return g.shape() == shape ? g : call<"expand">(g, shape);
}

}  // namespace mg
