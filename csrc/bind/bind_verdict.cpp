// The verdict on the rows of a step for Python: the op graph in, what diverges out.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "bind/convert.h"
#include "bind/flow.h"
#include "bind/module.h"
#include "report/step_rows.h"
#include "report/verdict.h"

namespace py = pybind11;
using namespace pybind11::literals;

namespace ait {
namespace {

// What Python gets. Numbers of rows and nodes are those of the step.
struct PyDivergence {
  size_t row, node;
  std::string kind;
  Number given_red, given_block;
  double limit;
  size_t n_outside_after;
  std::vector<uint32_t> candidates, unknown_inputs;
};
struct PySuspect {
  size_t row, node;
  std::string why;
};
struct PySource {
  size_t row, node;
  bool is_state;
  std::string why;
  uint64_t figures;
};
struct PyFindings {
  std::vector<PyDivergence> divergences;
  std::vector<PySuspect> suspects;
  std::vector<PySource> sources;
  std::vector<size_t> unproven;
  size_t n_outside;
};

using AreAlike = std::unordered_map<size_t, bool>;
using PyProofs = std::unordered_map<uint32_t, std::pair<std::string, size_t>>;

Evidence evidence_of(const AreAlike& alike, const Edges& edges, const PyProofs& proofs) {
  Evidence evidence{{}, edges, {}};
  for (const auto& [row, is_alike] : alike)
    evidence.answers[row] = is_alike ? Answer::kAlike : Answer::kApart;
  for (const auto& [node, told] : proofs) {
    const auto* const name = std::find(kProofNames.begin(), kProofNames.end(), told.first);
    if (name == kProofNames.end()) throw py::value_error("no proof is called " + told.first);
    evidence.proofs[node] = {static_cast<Proof>(name - kProofNames.begin()), told.second};
  }
  return evidence;
}

/// Rows and ops that a step has.
void check(const StepVerdict& verdict, const Edges& edges, const PyProofs& proofs) {
  for (const auto& [row, is_equal] : edges)
    if (row >= verdict.n_rows()) throw py::index_error("no row of this number");
  for (const auto& [node, told] : proofs)
    if (node >= verdict.n_nodes() || told.second >= verdict.n_rows())
      throw py::index_error("no op or row of this number");
}

std::vector<PySuspect> told(const std::vector<Suspect>& suspects) {
  std::vector<PySuspect> all;
  for (const Suspect& suspect : suspects)
    all.push_back({suspect.row, suspect.node, std::string(suspect.why)});
  return all;
}

PyFindings told(const Findings& found) {
  PyFindings all{{}, told(found.suspects), {}, found.unproven, found.n_outside};
  for (const ToldDivergence& one : found.divergences)
    all.divergences.push_back({one.divergence.row, one.divergence.node,
                               std::string(kKindNames[static_cast<size_t>(one.divergence.kind)]),
                               one.given_red, one.given_block, one.limit, one.n_outside_after,
                               one.candidates, one.unknown_inputs});
  for (const DifferingSource& source : found.sources)
    all.sources.push_back(
        {source.row, source.node, source.is_state, std::string(source.why), source.figures});
  return all;
}

Rules rules_without(const std::vector<std::string>& names) {
  Rules rules;
  for (const std::string& name : names)
    if (!rules.leave_out(name)) throw py::value_error("no rule of the verdict is called " + name);
  return rules;
}

void bind_findings(py::module_& m) {
  py::class_<PyDivergence>(m, "StepDivergence", "An op that computes something else.")
      .def_readonly("row", &PyDivergence::row, "The row that shows it most.")
      .def_readonly("node", &PyDivergence::node)
      .def_readonly("kind", &PyDivergence::kind)
      .def_readonly("given_red", &PyDivergence::given_red)
      .def_readonly("given_block", &PyDivergence::given_block)
      .def_readonly("limit", &PyDivergence::limit, "The limit that was passed.")
      .def_readonly("n_outside_after", &PyDivergence::n_outside_after)
      .def_readonly("candidates", &PyDivergence::candidates, "Nodes, the op itself first.")
      .def_readonly("unknown_inputs", &PyDivergence::unknown_inputs);
  py::class_<PySuspect>(m, "StepSuspect", "An op that its replay should judge.")
      .def_readonly("row", &PySuspect::row)
      .def_readonly("node", &PySuspect::node)
      .def_readonly("why", &PySuspect::why);
  py::class_<PySource>(m, "StepSource", "A graph input that is not the same on both sides.")
      .def_readonly("row", &PySource::row)
      .def_readonly("node", &PySource::node)
      .def_readonly("is_state", &PySource::is_state, "It differs as runs before may make it.")
      .def_readonly("why", &PySource::why)
      .def_readonly("figures", &PySource::figures,
                    "What an earlier step would have written, as `VerdictHistory.written` has it; "
                    "0: nobody can have.");
  py::class_<PyFindings>(m, "StepFindings", "What judging a step found.")
      .def_readonly("divergences", &PyFindings::divergences)
      .def_readonly("suspects", &PyFindings::suspects)
      .def_readonly("sources", &PyFindings::sources)
      .def_readonly("unproven", &PyFindings::unproven,
                    "Rows that fail though nothing says that their op is wrong.")
      .def_readonly("n_outside", &PyFindings::n_outside, "Rows that are inherited or fail.");
  py::class_<Question>(m, "StepQuestion", "What only the values of a row can tell.")
      .def_readonly("row", &Question::row)
      .def_readonly("is_choice", &Question::is_choice)
      .def_readonly("tolerance", &Question::tolerance);
}

}  // namespace

void bind_verdict(py::module_& m) {
  bind_findings(m);
  py::class_<VerdictHistory>(m, "VerdictHistory", "What steps of a rank leave to those after them.")
      .def(py::init<size_t, const std::vector<uint64_t>&>(), "n_steps_before"_a = 0,
           "written_before"_a = std::vector<uint64_t>(),
           "Of a graph alone: steps of the graphs before it, and what they wrote.")
      .def(
          "written",
          [](const VerdictHistory& history) {
            std::vector<uint64_t> found(history.written().begin(), history.written().end());
            std::sort(found.begin(), found.end());
            return found;
          },
          "A number of 64 bits for all that the judged steps wrote.");
  py::class_<StepVerdict>(m, "StepVerdict", "A step being judged.")
      .def(py::init([](StepRows& rows, const VerdictHistory& history, double cosine_min,
                       double red_max, double growth_max, double block_growth_max,
                       const std::vector<std::string>& without) {
             const Limits limits{cosine_min, red_max, growth_max, block_growth_max};
             return rows.verdict(limits, rules_without(without), history);
           }),
           "rows"_a, "history"_a, "cosine_min"_a, "red_max"_a, "growth_max"_a, "block_growth_max"_a,
           "without"_a = std::vector<std::string>(), py::keep_alive<1, 2>(),
           "Fills in how errors grow.")
      .def("questions", &StepVerdict::questions)
      .def(
          "open_edges",
          [](const StepVerdict& verdict) {
            std::vector<std::pair<size_t, size_t>> found;
            for (const OpenEdge& edge : verdict.open_edges())
              found.emplace_back(edge.read, edge.written);
            return found;
          },
          "Rows of inputs and of the outputs that they must equal, where the rows do not tell.")
      .def(
          "preview",
          [](const StepVerdict& verdict, const AreAlike& are_alike, const Edges& edges) {
            check(verdict, edges, {});
            return told(verdict.preview(evidence_of(are_alike, edges, {})));
          },
          "are_alike"_a, "edges"_a, "What diverges, and suspects: what replay is asked about.")
      .def(
          "finish",
          [](StepVerdict& verdict, const AreAlike& are_alike, VerdictHistory& history,
             const Edges& edges, const PyProofs& proofs) {
            check(verdict, edges, proofs);
            return told(verdict.finish(evidence_of(are_alike, edges, proofs), history));
          },
          "are_alike"_a, "history"_a, "edges"_a = Edges(), "proofs"_a = PyProofs(),
          "Fill in verdicts. `are_alike` answers questions: row -> whether the values agree; "
          "`edges`: row of an input -> whether its bytes are those that were written; `proofs`: "
          "op -> what its replay says, and the row that shows it.");
  m.def(
      "verdict_rules",
      [] { return std::vector<std::string>(kRuleNames.begin(), kRuleNames.end()); },
      "Names of the rules of the verdict that a measurement can leave out.");
  m.def("roundoff_of", &roundoff_of, "dtype"_a,
        "Unit roundoff of a dtype as a report names it, never finer than that of matrix units.");
  m.def(
      "is_within",
      [](uint64_t n_mismatch, Number max_absolute_error, Number cosine_similarity,
         Number relative_euclidean_distance, double cosine_min, double red_max) {
        return is_within(n_mismatch, max_absolute_error, cosine_similarity,
                         relative_euclidean_distance, {cosine_min, red_max, 0, 0});
      },
      "n_mismatch"_a, "max_absolute_error"_a, "cosine_similarity"_a,
      "relative_euclidean_distance"_a, "cosine_min"_a, "red_max"_a,
      "Whether a compared pair is within the limits.");
}

namespace {

/// Numbers of tensors that exist and that ops before this one wrote.
void check_reads(const Flow& flow) {
  for (size_t node = 0; node < flow.nodes.size(); ++node) {
    for (const uint32_t tensor : flow.nodes[node].outputs)
      if (tensor >= flow.tensors.size()) throw py::index_error("no tensor of this number");
    for (const uint32_t tensor : flow.nodes[node].reads)
      if (tensor >= flow.tensors.size() || flow.tensors[tensor].node >= node)
        throw py::index_error("an op reads tensors of ops before it");
  }
}

}  // namespace

/// Reads nodes (op_graph.OpNode) and tensors (op_graph.FlowTensor); texts are kept.
Flow read_flow(const py::sequence& nodes, const py::sequence& tensors, Texts& texts) {
  const auto keep = [&texts](const py::handle& text) { return texts.keep(bytes_of(text)); };
  const auto number = [](const py::handle& value) {
    const auto given = py::cast<int64_t>(value);
    return given < 0 ? kNoFlow : static_cast<uint32_t>(given);
  };
  Flow flow;
  for (const py::handle given : nodes) {
    const py::object op = py::reinterpret_borrow<py::object>(given);
    FlowNode& node = flow.nodes.emplace_back();
    node.name = keep(op.attr("name"));
    node.type = keep(op.attr("type"));
    const py::object reads = op.attr("reads");
    node.knows_reads = !reads.is_none();
    if (node.knows_reads) node.reads = py::cast<std::vector<uint32_t>>(reads);
    node.outputs = py::cast<std::vector<uint32_t>>(op.attr("outputs"));
    read_type(node);
    for (const py::handle part : py::tuple(op.attr("fused"))) {
      FlowMember member{keep(part.attr("type")), number(part.attr("first_input")), {}};
      for (const py::handle dtype : py::tuple(part.attr("dtypes")))
        member.dtypes.push_back(keep(dtype));
      add_member(node, member);
    }
  }
  for (const py::handle tensor : tensors)
    flow.tensors.push_back({number(tensor.attr("node")), py::cast<bool>(tensor.attr("is_read")),
                            number(tensor.attr("becomes")),
                            report_dtype(bytes_of(tensor.attr("dtype")))});
  check_reads(flow);
  return flow;
}

}  // namespace ait
