// x[...]: numpy's indexing in terms of ops. Integers, slices, None and ... give views; one integer
// or bool array (or several integer arrays side by side) gathers.
#include "bindings/convert.h"
#include "bindings/ndarray.h"
#include "bindings/tensor.h"
#include "engine/record.h"
#include "engine/tensor.h"
#include "ops/strided.h"

namespace mg {
namespace {

struct Index {
  Dims starts, steps, sizes;  // of the slice over every dimension of x
  Dims shape;                 // of the sliced view: integers dropped, None added
  struct Gather {
    Var key, index;
    int dims;  // of the view, taken as one
  };
  std::vector<Gather> gathers;  // for neighbouring dimensions of the view
  int gather_dim = -1, gather_end = -1;
};

Var indices_from(PyObject* key) {
  Var v = from_array_like(key, true);
  if (v.dtype() != DType::i64 && v.dtype() != DType::b8) {
    if (v.array().numel() == 0) return call<"cast">(v, index(DType::i64));
    fail<TypeError>("an index array must be int64 or bool, got ", name(v.dtype()));
  }
  return v;
}

// The positions of the true elements, counted over all dimensions.
Var positions(const Var& mask) {
  check_readable("a mask");
  const Array m = dense(mask.array());
  const uint8_t* is = m.data<uint8_t>();
  const int64_t n = m.numel();
  int64_t count = 0;
  for (int64_t i = 0; i < n; ++i) count += is[i] != 0;
  Array found = Array::dense(DType::i64, {count + 1});  // what is written last may not count
  int64_t* to = found.data<int64_t>();
  for (int64_t i = 0, k = 0; i < n && k <= count; ++i) {
    to[k] = i;
    k += is[i] != 0;
  }
  return make_tensor(found.view({count}, {1}));
}

bool is_array_key(PyObject* k) {
  if (PyBool_Check(k)) fail<TypeError>("True and False are no index; use a mask or None");
  Tensor* t = tensor_in(k);
  if (t) return t->array.rank() > 0 || t->array.dtype != DType::i64;
  return PyList_Check(k) || (py::isinstance<py::array>(k) && !is_integer(k));
}

// What stands between the brackets, with index arrays as tensors.
struct Keys {
  std::vector<PyObject*> items;
  std::vector<Var> arrays;  // null for all other items
  int used = 0;             // dimensions of x that the items stand for
};

Keys keys_of(const Array& x, PyObject* key) {
  Keys keys;
  if (PyTuple_Check(key))
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(key); ++i)
      keys.items.push_back(PyTuple_GET_ITEM(key, i));
  else
    keys.items.push_back(key);

  int ellipses = 0;
  for (PyObject* k : keys.items) {
    Var& array = keys.arrays.emplace_back();
    if (k == Py_Ellipsis) {
      ++ellipses;
    } else if (k != Py_None) {
      if (is_array_key(k)) array = indices_from(k);
      keys.used += array && array.dtype() == DType::b8 ? array.rank() : 1;
    }
  }
  if (ellipses > 1) fail<IndexError>("an index may have one ... only");
  if (keys.used > x.rank())
    fail<IndexError>("too many indices: ", keys.used, " for a tensor of shape ", x.shape);
  if (ellipses == 0) keys.items.push_back(Py_Ellipsis), keys.arrays.emplace_back();
  return keys;
}

// Puts an Index together, one key after the other.
class Parser {
 public:
  explicit Parser(const Array& x) : x_(x) {}

  void whole() { keep(0, 1, size()); }
  void new_axis() { index_.shape.push_back(1); }

  void array(const Var& v) {
    if (index_.gather_dim < 0) index_.gather_dim = index_.shape.size();
    if (!index_.gathers.empty() && index_.gather_end != index_.shape.size())
      fail<IndexError>("index arrays must stand side by side");
    const bool mask = v.dtype() == DType::b8;
    if (mask)
      for (int d = 0; d < v.rank(); ++d)
        if (v.shape()[d] != x_.shape[dim_ + d])
          fail<IndexError>("a mask of shape ", v.shape(), " does not fit a tensor of shape ",
                           x_.shape, " at dimension ", dim_);
    const int dims = mask ? v.rank() : 1;
    index_.gathers.push_back({v, mask ? positions(v) : v, dims});
    for (int d = 0; d < dims; ++d) whole();
    index_.gather_end = index_.shape.size();
  }

  void slice(PyObject* k) {
    Py_ssize_t start, stop, step;
    if (PySlice_Unpack(k, &start, &stop, &step) < 0) throw py::error_already_set();
    const Py_ssize_t n = PySlice_AdjustIndices(size(), &start, &stop, step);
    keep(n ? start : 0, step, n);
  }

  void integer(PyObject* k) {
    if (!PyIndex_Check(k))
      fail<TypeError>("an index must be an integer, a slice, None, ..., or an array, got ",
                      Py_TYPE(k)->tp_name);
    const int64_t at = PyNumber_AsSsize_t(k, PyExc_IndexError);
    if (at == -1 && PyErr_Occurred()) throw py::error_already_set();
    const int64_t n = size();
    if (at < -n || at >= n)
      fail<IndexError>("index ", at, " is out of range for dimension ", dim_, " of shape ",
                       x_.shape);
    cut(at < 0 ? at + n : at, 1, 1);
  }

  Index take() { return std::move(index_); }

 private:
  int64_t size() const { return x_.shape[dim_]; }
  // The next dimension of x, which stays in the view or vanishes from it.
  void keep(int64_t start, int64_t step, int64_t n) {
    index_.shape.push_back(n);
    cut(start, step, n);
  }
  void cut(int64_t start, int64_t step, int64_t n) {
    index_.starts.push_back(start);
    index_.steps.push_back(step);
    index_.sizes.push_back(n);
    ++dim_;
  }

  const Array& x_;
  Index index_;
  int dim_ = 0;
};

Index parse(const Array& x, PyObject* key) {
  const Keys keys = keys_of(x, key);
  Parser parser(x);
  for (size_t i = 0; i < keys.items.size(); ++i) {
    PyObject* k = keys.items[i];
    if (k == Py_None) {
      parser.new_axis();
    } else if (k == Py_Ellipsis) {
      for (int rest = x.rank() - keys.used; rest > 0; --rest) parser.whole();
    } else if (keys.arrays[i]) {
      parser.array(keys.arrays[i]);
    } else if (PySlice_Check(k)) {
      parser.slice(k);
    } else {
      parser.integer(k);
    }
  }
  return parser.take();
}

Var sliced(const Var& x, const Index& p) {
  Var v = p.sizes == x.shape() && p.steps == Dims::filled(x.rank(), 1)
              ? x
              : call<"slice">(x, p.starts, p.sizes, p.steps);
  return p.shape == v.shape() ? v : call<"reshape">(v, p.shape);
}

// Several index arrays as one, over their dimensions taken as one.
Var gathered(Var v, const Index& p) {
  if (p.gathers.empty()) return v;
  const Dims shape = v.shape();
  Var index;
  int64_t size = 1;  // of the dimensions so far
  int d = p.gather_dim;
  for (const Index::Gather& g : p.gathers) {
    int64_t n = 1;
    for (const int end = d + g.dims; d < end; ++d) n *= shape[d];
    size *= n;
    if (p.gathers.size() == 1) {
      index = g.index;
      break;
    }
    const Var at = call<"check_indices">(g.index, static_cast<double>(n));
    index = index ? index * static_cast<double>(n) + at : at;
  }
  Dims merged;
  for (int i = 0; i < p.gather_dim; ++i) merged.push_back(shape[i]);
  merged.push_back(size);
  for (int i = d; i < shape.size(); ++i) merged.push_back(shape[i]);
  if (!(merged == shape)) v = call<"reshape">(v, merged);
  return call<"take">(v, index, static_cast<double>(p.gather_dim));
}

// No element of v, in the same memory and the same graph.
Var nothing_of(const Var& v) {
  const Var some = v.rank() ? v : call<"unsqueeze">(v, 0);
  const Dims none = Dims::filled(some.rank(), 0), steps = Dims::filled(some.rank(), 1);
  return call<"reshape">(call<"slice">(some, none, none, steps), Dims{0});
}

}  // namespace

Var get_item(const Var& x, PyObject* key) {
  const Index p = parse(x.array(), key);
  return gathered(sliced(x, p), p);
}

void set_item(const Var& x, PyObject* key, PyObject* value) {
  const Index p = parse(x.array(), key);
  Tensor* tensor = tensor_in(value);
  Var v = tensor             ? var_of(tensor)
          : is_number(value) ? from_number(value, x.dtype())
                             : from_array_like(value, true);
  if (v.dtype() != x.dtype()) v = call<"cast">(v, index(x.dtype()));
  if (p.gathers.empty()) {
    call_all<"copy_", 0>(sliced(x, p), v);
    return;
  }
  // numpy writes through the shared memory, into what the keys before the arrays leave of x. It
  // gets arrays, as it would take a tensor of one element for an integer. The empty copy checks and
  // marks the change.
  const Var part = sliced(call<"detach">(x), p);
  py::object target = to_numpy(py::reinterpret_steal<py::object>(to_python(part)));
  py::list places;
  for (int i = 0; i < p.gather_dim; ++i)
    places.append(py::slice(py::none(), py::none(), py::none()));
  for (const Index::Gather& g : p.gathers)
    places.append(to_numpy(py::reinterpret_steal<py::object>(to_python(g.key))));
  const py::object given = to_numpy(py::reinterpret_steal<py::object>(to_python(v)));
  call_all<"copy_", 0>(nothing_of(x), nothing_of(v));
  if (PyObject_SetItem(target.ptr(), py::tuple(places).ptr(), given.ptr()) < 0)
    throw py::error_already_set();
}

}  // namespace mg
