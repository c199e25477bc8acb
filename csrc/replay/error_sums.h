// How far what an operator wrote is from what it should have written, in units of honest rounding.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace ait {

/// What one output may be off by. The unit of an element is roundoff * abs(reference) + floor, and
/// what is allowed beside that; infinite: the element is not judged.
struct ErrorUnit {
  double roundoff = 0;
  double floor = 0;  ///< Half the spacing of the smallest numbers of the dtype.
  /// Sizes from here on may be infinite on either side: saturation is no error.
  double saturation = std::numeric_limits<double>::infinity();
  double element_max = 16;  ///< Elements above so many units are counted.
};

/// Sums over elements in their order: the same bits whoever adds them, as nothing is added twice or
/// in another order. Elements that are not judged enter nothing.
class ErrorSums {
 public:
  explicit ErrorSums(const ErrorUnit& unit) : unit_(unit) {}

  /// Adds n elements. `extra`, what is allowed beside the roundoff, may be null.
  void add(const double* y, const double* reference, const double* extra, size_t n);

  uint64_t n_elements() const { return n_elements_; }
  uint64_t n_judged() const { return n_judged_; }
  uint64_t n_above() const { return n_above_; }
  uint64_t n_different() const { return n_different_; }
  uint64_t n_nonfinite() const {
    return n_nonfinite_;
  }  ///< of which one side alone is, or kinds differ
  uint64_t worst_index() const { return worst_index_; }  ///< of the first largest error in units
  double worst_units() const { return worst_units_; }

  /// Relative Euclidean distance from the reference.
  double own_error() const { return ratio(reference_); }
  /// That distance over the one that every element being off by its unit would give.
  double own_growth() const { return ratio(units_); }

  /// Mean error away from zero (negative: towards it) over the elements above the median size.
  struct Bias {
    double units = 0;   ///< in units
    double sigmas = 0;  ///< in standard deviations of itself; 0 if too few values are told apart
  };
  Bias bias() const;

 private:
  /// Elements of about one size.
  struct Bin {
    uint64_t n = 0;
    uint64_t seen = 0;  ///< one bit per hash of a reference: equal values have equal errors
    double sum = 0;
    double squares = 0;
  };

  double ratio(double squares) const;
  void add_finite(double y, double reference, double unit);

  ErrorUnit unit_;
  uint64_t n_elements_ = 0, n_judged_ = 0, n_above_ = 0, n_different_ = 0, n_nonfinite_ = 0;
  uint64_t worst_index_ = 0;
  double worst_units_ = 0;
  double errors_ = 0, reference_ = 0, units_ = 0;  ///< sums of squares
  std::vector<Bin> bins_;
};

}  // namespace ait
