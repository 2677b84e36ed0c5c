// The passes: each takes a program and gives an equivalent one, to the same bits.
#pragma once
#include "engine/program.h"

namespace mg {

// Without instructions whose results nobody reads and that change nothing.
Program drop_dead(Program p);
// Products with the relu and dropout that follow them, and their gradients, as one instruction.
Program take_epilogues(Program p);
// Hidden layers of many units between a few features and one output, as one instruction each way.
Program take_hidden_layers(Program p);
// With chains of elementwise ops as groups that walk through the cache together.
Program fuse(Program p);
// Products and convolutions with the elementwise ops that go over their results, as groups: what is
// stored is gone over while it is in the cache.
Program finish_products(Program p);
// With updates that store a parameter past the caches if several threads read all of it each.
Program stream_shared(Program p);
// Products whose result only an optimizer's update reads as one instruction with it.
Program update_at_once(Program p);
// Updates that follow each other as one instruction.
Program update_together(Program p);
// With an arena offset for every temporary; two share bytes only if they never live at once.
Program place(Program p);

}  // namespace mg
