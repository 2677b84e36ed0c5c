// A short list: up to N items live inside it, and only a longer one asks for memory.
#pragma once
#include <array>
#include <iterator>
#include <utility>
#include <vector>

namespace mg {

template <class T, size_t N>
class Few {
 public:
  Few() = default;
  explicit Few(size_t n) { resize(n); }
  template <class It>
  Few(It first, It last) {
    for (; first != last; ++first) push_back(*first);
  }

  size_t size() const { return many_.empty() ? count_ : many_.size(); }
  T* data() { return many_.empty() ? few_.data() : many_.data(); }
  const T* data() const { return many_.empty() ? few_.data() : many_.data(); }
  T* begin() { return data(); }
  T* end() { return data() + size(); }
  const T* begin() const { return data(); }
  const T* end() const { return data() + size(); }
  T& operator[](size_t i) { return data()[i]; }
  const T& operator[](size_t i) const { return data()[i]; }

  void push_back(T item) {
    if (many_.empty() && count_ < N) {
      few_[count_++] = std::move(item);
      return;
    }
    spill();
    many_.push_back(std::move(item));
  }
  // Longer only: new items are as T{} leaves them.
  void resize(size_t n) {
    if (many_.empty() && n <= N) {
      count_ = n;
      return;
    }
    spill();
    many_.resize(n);
  }

 private:
  void spill() {
    if (many_.empty())
      many_.assign(std::make_move_iterator(few_.begin()),
                   std::make_move_iterator(few_.begin() + count_));
  }

  std::array<T, N> few_{};
  size_t count_ = 0;
  std::vector<T> many_;  // all items, once they are too many
};

}  // namespace mg
