// How a product is gone about, laid down before it is run.
#pragma once
#include <stdint.h>

namespace mg {

// It depends on sizes, strides and what the epilogue has, not on where things lie: one plan serves
// all products of a batch.
struct GemmPlan {
  enum class Path : uint8_t { none, lanes, links, rows, pairs, narrow, small, blocks };
  enum class BForm : uint8_t {
    direct,  // tiles read B where it is
    copied,  // the first tile of a panel reads it there and leaves a packed copy to the others
    packed,  // panels are packed first
    wide,    // several panels are packed first, together
  };
  // How the work of Path::blocks is laid out; sizes are those of a block, of packed memory in
  // elements.
  struct Blocks {
    int64_t m, n, k;
    int64_t rows;  // of a tile, at most
    bool pack_a;
    BForm b;
    bool rows_outside;  // goes through C row by row of tiles, not panel by panel
    bool one_panel;     // a panel of B is used up before the next is packed
    bool fetch;         // the operands outgrow L2: fetch ahead of the tiles
    bool fetch_c;       // C does, and tiles do not fetch it themselves
    int64_t a_size, b_size;
  };

  int64_t scratch_bytes;
  Path path;
  bool turned;     // computes C^T = B^T A^T, so that vectors run along m ...
  bool via;        // ... into a scratch matrix
  int64_t d_size;  // elements of the scratch matrix
  Blocks blocks;
};

}  // namespace mg
