// The same values in another shape: views wherever memory allows.
#include "ops/elementwise.h"
#include "ops/families.h"
#include "ops/strided.h"

namespace mg {
namespace {

// Fills in one -1, and checks that the number of elements stays.
Dims complete(const Dims& wanted, const Array& x, const char* what) {
  Dims shape = wanted;
  int64_t known = 1;
  int open = -1;
  for (int i = 0; i < shape.size(); ++i) {
    if (shape[i] == -1 && open < 0)
      open = i;
    else if (shape[i] < 0)
      fail<ValueError>(what, ": shape ", wanted, " may have one -1 and no other negative size");
    else
      known *= shape[i];
  }
  if (open >= 0 && known > 0 && x.numel() % known == 0) shape[open] = x.numel() / known;
  if ((open >= 0 && shape[open] < 0) || product(shape) != x.numel())
    fail<ValueError>(what, ": a tensor of shape ", x.shape, " (", x.numel(),
                     " elements) cannot have shape ", wanted);
  return shape;
}

void view_or_copy(const Call& c, const Dims& shape) {
  Dims strides;
  if (reshape_strides(c.in(0), shape, &strides))
    c.view(c.in(0).view(shape, strides));
  else
    c.make(c.in(0).dtype, shape);
}
void copy_elements(const Call& c) {
  const Array& x = c.in(0);
  copy(x, c.out().view(x.shape, contiguous_strides(x.shape)));
}
void restore_shape(Vjp& v) { v.set(0, call<"reshape">(v.grad(), v.in(0).shape())); }

void swap_dims(const Call& c) {
  const Array& x = c.in(0);
  const int a = normalize_dim(c.attrs.integer(0), x.rank(), c.name);
  const int b = normalize_dim(c.attrs.integer(1), x.rank(), c.name);
  Array out = x;
  std::swap(out.shape[a], out.shape[b]);
  std::swap(out.strides[a], out.strides[b]);
  c.view(out);
}

Dims checked_order(const Dims& dims, int rank, const char* what) {
  if (dims.size() != rank)
    fail<ValueError>(what, ": ", dims, " must name each of the ", rank, " dimensions once");
  Dims order;
  dim_set(dims, rank, what);
  for (int64_t d : dims) order.push_back(normalize_dim(d, rank, what));
  return order;
}

void infer_expand(const Call& c) {
  const Array& x = c.in(0);
  Dims shape = c.attrs.list(0);
  const int skip = shape.size() - x.rank();
  bool fits = skip >= 0;
  for (int i = 0; fits && i < shape.size(); ++i) {
    const int64_t size = i >= skip ? x.shape[i - skip] : 1;
    if (shape[i] == -1 && i >= skip) shape[i] = size;
    fits = shape[i] >= 0 && (size == shape[i] || size == 1);
  }
  if (!fits)
    fail<ValueError>(c.name, ": a tensor of shape ", x.shape, " cannot be repeated to ",
                     c.attrs.list(0), "; sizes, counted from the right, must be equal or 1");
  c.view(x.broadcast_to(shape));
}

void infer_squeeze(const Call& c) {
  const Array& x = c.in(0);
  std::array<bool, max_rank> drop{};
  if (c.attrs.is_none(0))
    for (int i = 0; i < x.rank(); ++i) drop[i] = true;
  for (int64_t d : c.attrs.is_none(0) ? Dims{} : c.attrs.list(0))
    drop[normalize_dim(d, x.rank(), c.name)] = true;
  Array out = x;
  for (int i = x.rank() - 1; i >= 0; --i)
    if (drop[i] && x.shape[i] == 1) {
      out.shape.erase(i);
      out.strides.erase(i);
    }
  c.view(out);
}

bool ready_cast(const Call& c, Pointwise* p) {
  p->run = [](const Pointwise& self, const Piece& a) {
    const Elementwise& k = kernels().elementwise;
    k.cast[index(self.from)][index(self.to)](a.in[0], a.out, a.step[0] ? a.n : 1);
    if (a.step[0] == 0) k.fill[index(self.to)](a.out, a.out, a.n);
  };
  p->streams = 1;
  p->from = c.in(0).dtype;
  p->to = c.out().dtype;
  return true;
}

const Row rows[] = {
    {"reshape(x, shape: ints)",
     [](const Call& c) { view_or_copy(c, complete(c.attrs.list(0), c.in(0), c.name)); },
     copy_elements, restore_shape,
     "The same elements in another shape; one size may be -1. A view where memory allows.\n\n"
     ">>> mg.arange(6).reshape(2, -1).tolist()\n"
     "[[0, 1, 2], [3, 4, 5]]"},

    {"flatten(x, start_dim: int = 0, end_dim: int = -1)",
     [](const Call& c) {
       const Array& x = c.in(0);
       if (x.rank() == 0) return view_or_copy(c, {1});
       const int a = normalize_dim(c.attrs.integer(0), x.rank(), c.name);
       const int b = normalize_dim(c.attrs.integer(1), x.rank(), c.name);
       if (a > b) fail<ValueError>(c.name, ": start_dim ", a, " comes after end_dim ", b);
       Dims shape;
       for (int i = 0; i < x.rank(); ++i) {
         if (i > a && i <= b)
           shape[a] *= x.shape[i];
         else
           shape.push_back(x.shape[i]);
       }
       view_or_copy(c, shape);
     },
     copy_elements, restore_shape,
     "Dimensions start_dim to end_dim as one.\n\n"
     ">>> mg.zeros(5, 2, 3).flatten(1).shape\n"
     "(5, 6)"},

    {"squeeze(x, dim: ints? = None)", infer_squeeze, nullptr, restore_shape,
     "Without the dimensions of size 1 (all of them, or those in dim).\n\n"
     ">>> mg.zeros(1, 3, 1).squeeze().shape, mg.zeros(1, 3, 1).squeeze(0).shape\n"
     "((3,), (3, 1))"},

    {"unsqueeze(x, dim: int)",
     [](const Call& c) {
       Array out = c.in(0);
       const int i = normalize_dim(c.attrs.integer(0), out.rank() + 1, c.name);
       out.shape.insert(i, 1);
       out.strides.insert(i, 1);
       c.view(out);
     },
     nullptr, restore_shape,
     "With a new dimension of size 1 at dim.\n\n"
     ">>> mg.zeros(3).unsqueeze(0).shape, mg.zeros(3).unsqueeze(-1).shape\n"
     "((1, 3), (3, 1))"},

    {"transpose(x, dim0: int = -2, dim1: int = -1)", swap_dims, nullptr,
     [](Vjp& v) { v.set(0, call<"transpose">(v.grad(), v.attrs.integer(0), v.attrs.integer(1))); },
     "Two dimensions exchanged; a view.\n\n"
     ">>> mg.zeros(2, 3, 4).transpose(0, 2).shape\n"
     "(4, 3, 2)"},

    {"permute(x, dims: ints)",
     [](const Call& c) {
       const Array& x = c.in(0);
       const Dims order = checked_order(c.attrs.list(0), x.rank(), c.name);
       Array out = x;
       for (int i = 0; i < x.rank(); ++i) {
         out.shape[i] = x.shape[order[i]];
         out.strides[i] = x.strides[order[i]];
       }
       c.view(out);
     },
     nullptr,
     [](Vjp& v) {
       const Dims order = checked_order(v.attrs.list(0), v.in(0).rank(), "permute");
       Dims inverse = order;
       for (int i = 0; i < order.size(); ++i) inverse[order[i]] = i;
       v.set(0, call<"permute">(v.grad(), inverse));
     },
     "Dimensions in the order dims; a view.\n\n"
     ">>> mg.zeros(2, 3, 4).permute(1, 2, 0).shape\n"
     "(3, 4, 2)"},

    {"expand(x, shape: ints)", infer_expand, nullptr,
     [](Vjp& v) { v.set(0, sum_to(v.grad(), v.in(0).shape())); },
     "Sizes of 1 repeated up to shape (-1 keeps a size), without copying.\n\n"
     ">>> mg.tensor([[1], [2]]).expand(2, 3).tolist()\n"
     "[[1, 1, 1], [2, 2, 2]]"},

    {"contiguous(x)",
     [](const Call& c) {
       if (c.in(0).contiguous())
         c.view(c.in(0));
       else
         c.make(c.in(0).dtype, c.in(0).shape);
     },
     copy_elements, [](Vjp& v) { v.set(0, v.grad()); },
     "The same values side by side in row-major order; x itself if it is so already.\n\n"
     ">>> mg.zeros(2, 3).transpose().contiguous().strides\n"
     "(2, 1)"},

    {"clone(x)", [](const Call& c) { c.make(c.in(0).dtype, c.in(0).shape); }, copy_elements,
     [](Vjp& v) { v.set(0, v.grad()); },
     "A copy with memory of its own.\n\n"
     ">>> x = mg.zeros(1)\n"
     ">>> _ = x.clone().fill_(3.0)\n"
     ">>> x.tolist()\n"
     "[0.0]"},

    {"detach(x)", [](const Call& c) { c.view(c.in(0)); }, nullptr, nullptr,
     "The same memory, cut off from the graph: no gradient flows back.\n\n"
     ">>> mg.ones(1, requires_grad=True).detach().requires_grad\n"
     "False"},

    inner(computed<ready_cast>(
        {"cast(x, dtype: int)",
         [](const Call& c) {
           const int64_t to = c.attrs.integer(0);
           if (to < 0 || to >= dtype_count)
             fail<ValueError>(c.name, ": dtype ", to,
                              " is none of 0 float32, 1 float64, 2 int64, 3 bool");
           c.make(static_cast<DType>(to), c.in(0).shape);
         },
         nullptr, [](Vjp& v) { v.set(0, call<"cast">(v.grad(), index(v.in(0).dtype()))); },
         "Converted to another dtype (0 float32, 1 float64, 2 int64, 3 bool).\n\n"
         ">>> _core.cast(mg.tensor([1.5, -0.5]), 2).tolist()\n"
         "[1, 0]"})),

    {"copy_(x!, source)",
     [](const Call& c) {
       if (c.in(0).dtype != c.in(1).dtype)
         fail<TypeError>(c.name, ": source is ", name(c.in(1).dtype), ", the tensor ",
                         name(c.in(0).dtype));
       if (c.in(1).rank() > c.in(0).rank() ||
           !(broadcast(c.in(0).shape, c.in(1).shape, c.name) == c.in(0).shape))
         fail<ValueError>(c.name, ": source of shape ", c.in(1).shape, " does not fit into shape ",
                          c.in(0).shape);
     },
     [](const Call& c) {
       // A source that shares memory with x is read in full before x is written.
       Array source = c.in(1).broadcast_to(c.in(0).shape);
       if (overlap(source, c.in(0))) {
         Array apart = Array::dense(source.dtype, source.shape);
         copy(source, apart);
         source = apart;
       }
       copy(source, c.in(0));
     },
     nullptr,
     "Writes source (broadcast) into x's memory.\n\n"
     ">>> x = mg.zeros(2, 2)\n"
     ">>> x.copy_(mg.tensor([1.0, 2.0]))\n"
     ">>> x.tolist()\n"
     "[[1.0, 2.0], [1.0, 2.0]]",
     Promote::none, 0},
};

}  // namespace

const Family shape_family(rows);

}  // namespace mg
