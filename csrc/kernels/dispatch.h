// What there is to choose from. (Kernels themselves include kernels.h only: no STL there.)
#pragma once
#include <string>
#include <vector>

namespace mg {

// The ISAs of this build that this CPU can run, best first.
std::vector<std::string> isa_names();

}  // namespace mg
