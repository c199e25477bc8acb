// The op graph of a step, from Python.
#pragma once

#include <pybind11/pybind11.h>

#include "report/flow.h"
#include "report/texts.h"

namespace ait {

/// Reads nodes (op_graph.OpNode) and tensors (op_graph.FlowTensor); texts are kept.
Flow read_flow(const pybind11::sequence& nodes, const pybind11::sequence& tensors, Texts& texts);

}  // namespace ait
