#include "bindings/call.h"

#include "bindings/interrupt.h"
#include "bindings/ndarray.h"

namespace mg {
namespace {

// numpy's spelling where torch's is the parameter's name.
const char* alias(const std::string& name) {
  if (name == "dim") return "axis";
  if (name == "keepdim") return "keepdims";
  return nullptr;
}

// One call's arguments, matched to the signature's parameters.
struct Matched {
  const Op& op;
  PyObject* value[max_params] = {};
  py::object holder;            // keeps gathered arguments, or those of a list, alive
  std::vector<PyObject*> rest;  // of a variadic parameter

  explicit Matched(const Op& o) : op(o) {}
  const char* name() const { return op.name().c_str(); }
  const std::vector<Param>& params() const { return op.signature_parsed.params; }

  void match(PyObject* const* args, size_t count, PyObject* keywords) {
    size_t at = 0, p = 0;
    if (op.signature_parsed.variadic) {
      if (count > 0 && (PyList_Check(args[0]) || PyTuple_Check(args[0]))) {
        take_all(args[0]);
        at = 1;
      } else {
        while (at < count && tensor_in(args[at])) rest.push_back(args[at++]);
      }
      p = 1;
    }
    for (; at < count; ++at, ++p) {
      if (p >= params().size())
        fail<TypeError>(op.signature, " takes ", params().size(), " arguments, got ", count);
      // x.reshape(2, 3): the only attribute is a list, and takes all integers that follow.
      if (params()[p].kind == Kind::list && op.signature_parsed.attrs == 1 && count - at > 1 &&
          is_integer(args[at])) {
        py::tuple all(count - at);
        for (size_t i = at; i < count; ++i)
          all[i - at] = py::reinterpret_borrow<py::object>(args[i]);
        holder = all;
        value[p] = all.ptr();
        break;
      }
      value[p] = args[at];
    }
    const Py_ssize_t n = keywords ? PyTuple_GET_SIZE(keywords) : 0;
    for (Py_ssize_t k = 0; k < n; ++k) place(PyTuple_GET_ITEM(keywords, k), args[count + k]);
  }

  // A copy of the list: converting other arguments may run code that changes it.
  void take_all(PyObject* list) {
    const auto items = py::reinterpret_steal<py::tuple>(PySequence_Tuple(list));
    if (!items) throw py::error_already_set();
    for (const py::handle item : items) rest.push_back(item.ptr());
    holder = items;
  }

  void place(PyObject* keyword, PyObject* v) {
    for (size_t p = 0; p < params().size(); ++p) {
      const std::string& known = params()[p].name;
      const char* other = alias(known);
      if (PyUnicode_CompareWithASCIIString(keyword, known.c_str()) != 0 &&
          (!other || PyUnicode_CompareWithASCIIString(keyword, other) != 0))
        continue;
      if (value[p] || (params()[p].variadic && !rest.empty()))
        fail<TypeError>(name(), ": '", known, "' is given twice");
      if (params()[p].variadic) return take_all(v);
      value[p] = v;
      return;
    }
    fail<TypeError>(op.signature, " has no argument ", py::repr(keyword).cast<std::string>());
  }
};

void set_attr(const Matched& m, const Param& p, PyObject* v, Attrs& attrs) {
  const char* op = m.name();
  if (v == Py_None) {
    if (!p.nullable) fail<TypeError>(op, ": ", p.name, " may not be None");
    return attrs.set_none(p.slot);
  }
  switch (p.kind) {
    case Kind::flag: {
      const int truth = PyObject_IsTrue(v);
      if (truth < 0) throw py::error_already_set();
      return attrs.set_integer(p.slot, truth);
    }
    case Kind::real: {
      const double d = PyFloat_AsDouble(v);
      if (d == -1 && PyErr_Occurred()) {
        PyErr_Clear();
        fail<TypeError>(op, ": ", p.name, " must be a number, got ",
                        py::repr(v).cast<std::string>());
      }
      return attrs.set_real(p.slot, d);
    }
    case Kind::integer: {
      if (!is_integer(v))
        fail<TypeError>(op, ": ", p.name, " must be an integer, got ",
                        py::repr(v).cast<std::string>());
      return attrs.set_integer(p.slot, integer_from(v));
    }
    default:
      return attrs.set_list(p.slot, dims_from(v, op, p.name.c_str()));
  }
}

// Tensors as they are; numbers in the dtype of the tensors beside them; arrays copied.
void read_tensors(const Op& op, std::span<PyObject* const> objects, std::span<Var> in) {
  DType like = DType::b8;
  bool numbers = false;
  for (size_t i = 0; i < objects.size(); ++i) {
    if (!objects[i] || objects[i] == Py_None) continue;
    if (Tensor* t = tensor_in(objects[i])) {
      in[i] = var_of(t);
      if (static_cast<int>(i) >= op.promote_from) like = promote(like, t->array.dtype);
    } else if (is_number(objects[i])) {
      numbers = true;
    } else if (py::isinstance<py::array>(objects[i])) {
      in[i] = from_array_like(objects[i], true);
      like = promote(like, in[i].dtype());
    } else {
      fail<TypeError>(op.name(), ": expected a Tensor, a number or a numpy array, got ",
                      type_name(objects[i]), "; mg.tensor(x) makes a Tensor of any array");
    }
  }
  if (!numbers) return;
  for (size_t i = 0; i < objects.size(); ++i)
    if (objects[i] && objects[i] != Py_None && !in[i]) in[i] = from_number(objects[i], like);
}

PyObject* result(std::span<const Var> out) {
  if (out.empty()) return py::none().release().ptr();
  if (out.size() == 1) return to_python(out[0]);
  py::tuple all(out.size());
  for (size_t i = 0; i < out.size(); ++i)
    all[i] = py::reinterpret_steal<py::object>(to_python(out[i]));
  return all.release().ptr();
}

}  // namespace

PyObject* call_op(const Op& op, PyObject* const* args, size_t count, PyObject* keywords) {
  const Signature& s = op.signature_parsed;
  Matched m(op);
  m.match(args, count, keywords);

  Var own_in[max_tensors];
  std::vector<Var> many;
  PyObject* own_objects[max_tensors] = {};
  std::span<Var> in(own_in, s.tensors);
  std::span<PyObject* const> objects(own_objects, s.tensors);
  Attrs attrs = s.defaults;
  for (size_t p = 0; p < s.params.size(); ++p) {
    const Param& param = s.params[p];
    PyObject* v = m.value[p];
    if (param.variadic) continue;
    if (!v) {
      if (!param.has_default) fail<TypeError>(op.signature, ": '", param.name, "' is missing");
      continue;
    }
    if (param.kind != Kind::tensor) {
      set_attr(m, param, v, attrs);
      continue;
    }
    if (v == Py_None && !param.nullable)
      fail<TypeError>(op.name(), ": '", param.name, "' may not be None");
    own_objects[param.slot] = v;
  }
  if (s.variadic) {
    if (m.rest.empty()) fail<ValueError>(op.name(), ": needs at least one tensor");
    many.resize(m.rest.size());
    in = many;
    objects = m.rest;
  }
  read_tensors(op, objects, in);

  int64_t elements = 0;
  for (const Var& v : in) elements += v ? v.array().numel() : 0;
  Var out[max_outputs];
  const std::span<Var> outputs(out, op.outputs);
  work_over(elements, [&] { apply(op, in, attrs, outputs); });
  return result(outputs.first(op.outputs - op.hidden));
}

const Op& op_in(PyObject* capsule) {
  return *static_cast<const Op*>(PyCapsule_GetPointer(capsule, nullptr));
}

// Method definitions must outlive the functions: they live as long as the process.
py::object function(const Op& op, Entry entry) {
  auto* doc = new std::string(std::string(op.signature) + "\n--\n\n" + op.doc);
  auto* def = new PyMethodDef{op.name().c_str(),
                              reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(entry)),
                              METH_FASTCALL | METH_KEYWORDS, doc->c_str()};
  const py::capsule self(static_cast<const void*>(&op));
  return py::reinterpret_steal<py::object>(PyCFunction_NewEx(def, self.ptr(), nullptr));
}
py::object method(const py::object& f) {
  return py::reinterpret_steal<py::object>(PyInstanceMethod_New(f.ptr()));
}

}  // namespace mg
