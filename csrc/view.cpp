#include "view.h"

namespace ait {

View make_view(const Tensor& tensor, const std::vector<ViewStep>& steps) {
  View view{tensor, logical_shape(tensor), 0, "", ""};
  view.n_elements = element_count(view.shape).value_or(0);
  for (const ViewStep& step : steps) {
    if (step.kind != ViewStep::Kind::kReshape) view.problem = "view not supported";
    view.shape = step.dims;
  }
  return view;
}

}  // namespace ait
