// Thread-local variables of a few bytes that every op reads.
#pragma once
#include <cstdlib>

// Glibc keeps room for those of libraries loaded late, so that reading one needs no call; elsewhere
// (musl refuses to load such a library) they are as any other.
#ifdef __GLIBC__
#define MG_THREAD_LOCAL [[gnu::tls_model("initial-exec")]] thread_local
#else
#define MG_THREAD_LOCAL thread_local
#endif
