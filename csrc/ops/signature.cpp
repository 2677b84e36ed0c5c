#include "ops/signature.h"

#include <cstdlib>
#include <limits>
#include <string_view>

namespace mg {
namespace {

std::string_view trim(std::string_view s) {
  while (!s.empty() && s.front() == ' ') s.remove_prefix(1);
  while (!s.empty() && s.back() == ' ') s.remove_suffix(1);
  return s;
}

bool take_suffix(std::string_view& s, char c) {
  if (s.empty() || s.back() != c) return false;
  s.remove_suffix(1);
  return true;
}

Kind kind_of(std::string_view type, const std::string& text) {
  if (type == "int") return Kind::integer;
  if (type == "float") return Kind::real;
  if (type == "bool") return Kind::flag;
  if (type == "ints") return Kind::list;
  fail<StateError>("op table: unknown type '", type, "' in '", text, "'");
}

void set_default(Attrs& attrs, const Param& p, std::string_view value) {
  const std::string v(value);
  if (v == "None") return attrs.set_none(p.slot);
  switch (p.kind) {
    case Kind::flag:
      return attrs.set_integer(p.slot, v == "True");
    case Kind::real:
      return attrs.set_real(p.slot, std::strtod(v.c_str(), nullptr));
    case Kind::list:
      return attrs.set_list(p.slot, v == "()" ? Dims{} : Dims{std::atoll(v.c_str())});
    default:
      return attrs.set_integer(p.slot, std::atoll(v.c_str()));
  }
}

}  // namespace

Signature Signature::parse(const std::string& text) {
  Signature s;
  const size_t open = text.find('('), close = text.rfind(')');
  if (open == std::string::npos || close == std::string::npos)
    fail<StateError>("op table: no parentheses in '", text, "'");
  s.name = text.substr(0, open);
  std::string_view rest(text);
  rest = rest.substr(open + 1, close - open - 1);
  int lists = 0;
  while (!trim(rest).empty()) {
    const size_t comma = rest.find(", ");
    std::string_view item = trim(rest.substr(0, comma));
    rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 2);

    Param p;
    std::string_view value;
    if (const size_t eq = item.find(" = "); eq != std::string_view::npos) {
      value = trim(item.substr(eq + 3));
      item = trim(item.substr(0, eq));
      p.has_default = true;
    }
    if (const size_t colon = item.find(": "); colon != std::string_view::npos) {
      std::string_view type = trim(item.substr(colon + 2));
      p.nullable = take_suffix(type, '?');
      p.kind = kind_of(type, text);
      p.slot = s.attrs++;
      item = item.substr(0, colon);
      if (p.kind == Kind::list) s.defaults.reserve_list(p.slot, lists++);
      if (s.attrs > Attrs::max_count || lists > Attrs::max_lists)
        fail<StateError>("op table: too many attributes in '", text, "'");
    } else {
      p.nullable = p.has_default = take_suffix(item, '?');
      p.mutated = take_suffix(item, '!');
      s.mutates = s.mutates || p.mutated;
      if (item.front() == '*') {
        item.remove_prefix(1);
        p.variadic = s.variadic = true;
      }
      p.slot = s.tensors++;
    }
    p.name = item;
    if (!value.empty()) set_default(s.defaults, p, value);
    s.params.push_back(std::move(p));
  }
  return s;
}

}  // namespace mg
