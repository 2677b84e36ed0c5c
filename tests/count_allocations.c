/* Preloaded by test_allocation.py: counts what the program asks of the system's allocator. */
#include <stddef.h>

extern void* __libc_malloc(size_t);
extern void* __libc_calloc(size_t, size_t);
extern void* __libc_realloc(void*, size_t);
extern void* __libc_memalign(size_t, size_t);

static _Atomic long count;

long allocation_count(void) { return count; }

void* malloc(size_t n) {
  ++count;
  return __libc_malloc(n);
}
void* calloc(size_t n, size_t size) {
  ++count;
  return __libc_calloc(n, size);
}
void* realloc(void* p, size_t n) {
  ++count;
  return __libc_realloc(p, n);
}
void* aligned_alloc(size_t alignment, size_t n) {
  ++count;
  return __libc_memalign(alignment, n);
}
void* memalign(size_t alignment, size_t n) {
  ++count;
  return __libc_memalign(alignment, n);
}
