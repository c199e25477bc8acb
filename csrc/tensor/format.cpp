// Index maps: GE's format_transfers and transfer_shape_utils. Block sizes are always those of the
// storage shape, because C0 depends on chip and dtype.
#include "tensor/format.h"

#include <algorithm>
#include <initializer_list>
#include <iterator>
#include <numeric>

namespace ait {
namespace {

// What is not yet known to fit is multiplied with saturation, and then fits nothing.
int64_t times(int64_t a, int64_t b) {
  int64_t product = 0;
  return __builtin_mul_overflow(a, b, &product) ? INT64_MAX : product;
}

int64_t product_of(const Dims& dims) {
  return std::accumulate(dims.begin(), dims.end(), int64_t{1}, times);
}

int64_t ceil_div(int64_t a, int64_t b) { return a / b + (a % b != 0); }

uint64_t size(int64_t dim) { return static_cast<uint64_t>(dim); }

/// How one named dimension enters the offset.
struct Role {
  char letter;
  int64_t block;  ///< 0: linear with stride `outer`
  int64_t outer;
  int64_t inner;
};

/// Adds the loops in the order of the logical dimensions.
void add_roles(std::string_view letters, const Dims& logical, std::initializer_list<Role> roles,
               IndexMap* map) {
  for (size_t i = 0; i < letters.size(); ++i) {
    const auto role = std::find_if(roles.begin(), roles.end(),
                                   [&](const Role& r) { return r.letter == letters[i]; });
    if (role == roles.end())
      map->add_linear(size(logical[i]), 0);  // has one step only
    else if (role->block == 0)
      map->add_linear(size(logical[i]), role->outer);
    else
      map->add_blocked(size(logical[i]), size(role->block), role->outer, role->inner);
  }
}

// ---- FRACTAL_NZ and FRACTAL_ZZ: matrices in blocks --------------------------------------------

/// Storage [B..., W1, H1, H0, C0], a vector being a column (H) or a row (W) of a matrix.
bool fit_fractal_nz(const Dims& logical, const Dims& storage, uint64_t, Layout* layout) {
  const size_t rank = storage.size();
  if (rank < 4) return false;
  const int64_t w1 = storage[rank - 4], h1 = storage[rank - 3], h0 = storage[rank - 2],
                c0 = storage[rank - 1];
  const int64_t matrix = times(times(w1, h1), times(h0, c0));
  const Dims leading(storage.begin(), storage.end() - 4);
  if (logical.size() == 1) {
    const int64_t n = logical[0];
    const bool is_column = w1 == 1 && h1 == ceil_div(n, h0);
    const bool is_row = h1 == 1 && w1 == ceil_div(n, c0);
    if (product_of(leading) != 1 || (!is_column && !is_row)) return false;
    if (is_column && is_row && n > 1)
      layout->note = "FRACTAL_NZ of a vector fits as a row and as a column: read as a row";
    if (is_row)
      layout->map.add_blocked(size(n), size(c0), times(h0, c0), 1);
    else
      layout->map.add_linear(size(n), c0);
    return true;
  }
  if (logical.size() < 2) return false;
  const int64_t h = logical[logical.size() - 2], w = logical.back();
  const int64_t batch = product_of(Dims(logical.begin(), logical.end() - 2));
  if (w1 != ceil_div(w, c0) || h1 != ceil_div(h, h0) || batch != product_of(leading)) return false;
  layout->map.add_linear(size(batch), matrix);
  layout->map.add_linear(size(h), c0);
  layout->map.add_blocked(size(w), size(c0), times(times(h1, h0), c0), 1);
  return true;
}

/// Storage [B..., H1, W1, H0, W0].
bool fit_fractal_zz(const Dims& logical, const Dims& storage, uint64_t, Layout* layout) {
  const size_t rank = storage.size();
  if (rank < 4 || logical.size() < 2) return false;
  const int64_t h1 = storage[rank - 4], w1 = storage[rank - 3], h0 = storage[rank - 2],
                w0 = storage[rank - 1];
  const int64_t h = logical[logical.size() - 2], w = logical.back();
  const int64_t batch = product_of(Dims(logical.begin(), logical.end() - 2));
  if (w1 != ceil_div(w, w0) || h1 != ceil_div(h, h0) ||
      batch != product_of(Dims(storage.begin(), storage.end() - 4)))
    return false;
  layout->map.add_linear(size(batch), times(times(h1, w1), times(h0, w0)));
  layout->map.add_blocked(size(h), size(h0), times(times(w1, h0), w0), w0);
  layout->map.add_blocked(size(w), size(w0), times(h0, w0), 1);
  return true;
}

// ---- Filters --------------------------------------------------------------------------------

// The dump does not store the order of the original dimensions: the first that fits is taken.
constexpr std::string_view kFilterOrders[] = {"NCHW", "HWCN", "NHWC"};
constexpr std::string_view kFilterOrders3d[] = {"NCDHW", "DHWCN", "NDHWC"};

/// Storage [D*C1*H*W, N1, N0, C0].
bool fit_filter(std::string_view order, const Dims& logical, const Dims& storage, Layout* layout) {
  const NamedDims dim(order, logical);
  const int64_t n0 = storage[2], c0 = storage[3], hw = times(dim['H'], dim['W']);
  const int64_t c1 = ceil_div(dim['C'], c0), n1 = ceil_div(dim['N'], n0);
  if (storage[0] != times(times(dim['D'], c1), hw) || storage[1] != n1) return false;
  const int64_t fractal = times(times(n1, n0), c0);
  add_roles(order, logical,
            {{'D', 0, c1 * hw * fractal, 0},
             {'H', 0, dim['W'] * fractal, 0},
             {'W', 0, fractal, 0},
             {'N', 0, c0, 0},
             {'C', c0, hw * fractal, 1}},
            &layout->map);
  return true;
}

/// Storage [ceil(G,E)*D*c1*H*W, cout_opt/N0, N0, C0]: E groups share a row of blocks, so that few
/// elements are padding. N counts the outputs of all groups, C the inputs of one.
bool fit_grouped_filter(std::string_view order, const Dims& logical, const Dims& storage,
                        int64_t groups, Layout* layout) {
  const NamedDims dim(order, logical);
  const int64_t n0 = storage[2], c0 = storage[3], hw = times(dim['H'], dim['W']);
  if (dim['N'] % groups != 0) return false;
  const int64_t cin = dim['C'], cout = dim['N'] / groups;
  // lcm(cin, C0) / cin = C0 / gcd(cin, C0).
  const int64_t in_shared = c0 / std::gcd(cin, c0), out_shared = n0 / std::gcd(cout, n0);
  const int64_t e =
      std::min(times(in_shared / std::gcd(in_shared, out_shared), out_shared), groups);
  const int64_t c1 = ceil_div(times(e, cin), c0), n1 = ceil_div(times(e, cout), n0);
  if (storage[0] != times(times(times(ceil_div(groups, e), dim['D']), c1), hw) || storage[1] != n1)
    return false;
  const int64_t fractal = times(times(n1, n0), c0);
  const uint64_t shared = size(e * cin);
  // u = g*cin + c: u % (E*cin) = (g % E)*cin + c is the input within a row of blocks.
  Term inputs{{{0, shared, dim['D'] * c1 * hw * fractal},
               {shared, size(cin), cout * c0},
               {shared, size(c0), hw * fractal - c0},
               {shared, 1, 1}}};
  IndexMap& map = layout->map;
  map.terms.push_back(inputs);
  for (size_t i = 0; i < order.size(); ++i) {
    switch (order[i]) {
      case 'N':
        map.axes.push_back({size(groups), cin, 0});
        map.add_linear(size(cout), c0);
        break;
      case 'C':
        map.axes.push_back({size(cin), 1, 0});
        break;
      case 'D':
        map.add_linear(size(dim['D']), c1 * hw * fractal);
        break;
      case 'H':
        map.add_linear(size(dim['H']), dim['W'] * fractal);
        break;
      default:
        map.add_linear(size(dim['W']), fractal);
    }
  }
  return true;
}

template <size_t kOrders>
bool fit_filter_orders(const std::string_view (&orders)[kOrders], const Dims& logical,
                       const Dims& storage, uint64_t groups, Layout* layout) {
  for (const std::string_view order : orders) {
    if (logical.size() != order.size()) continue;
    const bool fits = groups > 1 ? fit_grouped_filter(order, logical, storage,
                                                      static_cast<int64_t>(groups), layout)
                                 : fit_filter(order, logical, storage, layout);
    if (fits) return true;
  }
  return false;
}

bool fit_fractal_z(const Dims& logical, const Dims& storage, uint64_t groups, Layout* layout) {
  if (storage.size() != 4) return false;
  // A matrix [R, S] is a filter of R inputs and S outputs.
  if (logical.size() == 2) return groups <= 1 && fit_filter("CN", logical, storage, layout);
  return fit_filter_orders(kFilterOrders, logical, storage, groups, layout);
}

bool fit_fractal_z_3d(const Dims& logical, const Dims& storage, uint64_t groups, Layout* layout) {
  return storage.size() == 4 &&
         fit_filter_orders(kFilterOrders3d, logical, storage, groups, layout);
}

/// As FRACTAL_Z_3D with N and C exchanged: storage [D*ceil(N,C0)*H*W, ceil(C,16), 16, C0].
bool fit_fractal_z_3d_transpose(const Dims& logical, const Dims& storage, uint64_t groups,
                                Layout* layout) {
  return groups <= 1 && storage.size() == 4 && logical.size() == 5 &&
         fit_filter("DHWCN", logical, storage, layout);  // the order is DHWNC
}

/// Up to 4 channels padded to 4: storage [ceil(4*H*W,C0), N1, N0, C0], k = (h*W + w)*4 + c.
bool fit_fractal_z_c04(const Dims& logical, const Dims& storage, uint64_t groups, Layout* layout) {
  if (groups > 1 || storage.size() != 4 || logical.size() != 4) return false;
  constexpr int64_t kChannels = 4;
  const int64_t n0 = storage[2], c0 = storage[3];
  for (const std::string_view order : kFilterOrders) {
    const NamedDims dim(order, logical);
    const int64_t n1 = ceil_div(dim['N'], n0);
    if (dim['C'] > kChannels || storage[1] != n1 ||
        storage[0] != ceil_div(times(kChannels, times(dim['H'], dim['W'])), c0))
      continue;
    const int64_t row = times(times(n1, n0), c0);
    layout->map.terms.push_back({{{0, size(c0), row - c0}, {0, 1, 1}}});
    for (size_t i = 0; i < order.size(); ++i) {
      const uint64_t n = size(logical[i]);
      if (order[i] == 'N')
        layout->map.add_linear(n, c0);
      else
        layout->map.axes.push_back({n,
                                    order[i] == 'C'   ? 1
                                    : order[i] == 'W' ? kChannels
                                                      : kChannels * dim['W'],
                                    0});
    }
    return true;
  }
  return false;
}

/// Storage [C1,H,W,N,C0,C0]; a value sits on the diagonal of the last two. GE writes N or
/// ceil(N,16) for the N dimension: what is stored gives the strides, and must hold all N.
bool fit_c1hwncoc0(const Dims& logical, const Dims& storage, uint64_t, Layout* layout) {
  if (storage.size() != 6 || logical.size() != 4 || storage[4] != storage[5]) return false;
  const int64_t c0 = storage[5], square = times(c0, c0);
  for (const bool is_exact : {true, false}) {
    for (const std::string_view order : kFilterOrders) {
      const NamedDims dim(order, logical);
      if (storage[0] != ceil_div(dim['C'], c0) || storage[1] != dim['H'] ||
          storage[2] != dim['W'] || (is_exact ? storage[3] != dim['N'] : storage[3] < dim['N']))
        continue;
      const int64_t column = times(storage[3], square);
      add_roles(order, logical,
                {{'H', 0, dim['W'] * column, 0},
                 {'W', 0, column, 0},
                 {'N', 0, square, 0},
                 {'C', c0, dim['H'] * dim['W'] * column, c0 + 1}},
                &layout->map);
      return true;
    }
  }
  return false;
}

// ---- Feature maps ---------------------------------------------------------------------------

/// Storage [N,D,C1,H,W,C0]; without D for NC1HWC0.
bool fit_feature_map(std::string_view order, const Dims& logical, const Dims& storage,
                     Layout* layout) {
  const NamedDims dim(order, logical);
  const int64_t c0 = storage.back(), c1 = ceil_div(dim['C'], c0);
  const Dims expected = storage.size() == 6 ? Dims{dim['N'], dim['D'], c1, dim['H'], dim['W'], c0}
                                            : Dims{dim['N'], c1, dim['H'], dim['W'], c0};
  if (storage != expected) return false;
  const int64_t row = times(dim['W'], c0), image = times(dim['H'], row), depth = times(c1, image);
  add_roles(order, logical,
            {{'N', 0, times(dim['D'], depth), 0},
             {'D', 0, depth, 0},
             {'H', 0, row, 0},
             {'W', 0, c0, 0},
             {'C', c0, image, 1}},
            &layout->map);
  return true;
}

bool fit_feature_map_orders(std::initializer_list<std::string_view> orders, const Dims& logical,
                            const Dims& storage, Layout* layout) {
  for (const std::string_view order : orders)
    if (order.size() == logical.size() && fit_feature_map(order, logical, storage, layout))
      return true;
  return false;
}

bool fit_nc1hwc0(const Dims& logical, const Dims& storage, uint64_t, Layout* layout) {
  // Fewer than four dimensions: a bias [C], [N,C] or one image [C,H,W].
  return storage.size() == 5 &&
         fit_feature_map_orders({"NCHW", "NHWC", "CHW", "NC", "C"}, logical, storage, layout);
}

bool fit_ndc1hwc0(const Dims& logical, const Dims& storage, uint64_t, Layout* layout) {
  return storage.size() == 6 &&
         fit_feature_map_orders({"NCDHW", "NDHWC", "NCHW", "NHWC"}, logical, storage, layout);
}

/// Storage [ceil(N,C0),H,W,C0]; the one channel has no block.
bool fit_c1hwc0(const Dims& logical, const Dims& storage, uint64_t, Layout* layout) {
  if (storage.size() != 4) return false;
  for (const std::string_view order : {"NCHW", "NHWC", "NHW"}) {
    if (logical.size() != order.size()) continue;
    const NamedDims dim(order, logical);
    const int64_t c0 = storage[3];
    if (dim['C'] != 1 || storage != Dims{ceil_div(dim['N'], c0), dim['H'], dim['W'], c0}) continue;
    const int64_t row = times(dim['W'], c0);
    add_roles(order, logical,
              {{'N', c0, times(dim['H'], row), 1}, {'H', 0, row, 0}, {'W', 0, c0, 0}},
              &layout->map);
    return true;
  }
  return false;
}

constexpr Format kFormats[] = {
    {0, "NCHW", "NCHW", nullptr},
    {1, "NHWC", "NHWC", nullptr},
    {2, "ND", "", nullptr},
    {3, "NC1HWC0", nullptr, fit_nc1hwc0},
    {4, "FRACTAL_Z", nullptr, fit_fractal_z},
    {5, "NC1C0HWPAD", nullptr, nullptr},
    {6, "NHWC1C0", nullptr, nullptr},
    {7, "FSR_NCHW", nullptr, nullptr},
    {8, "FRACTAL_DECONV", nullptr, nullptr},
    {9, "C1HWNC0", nullptr, nullptr},
    {10, "FRACTAL_DECONV_TRANSPOSE", nullptr, nullptr},
    {11, "FRACTAL_DECONV_SP_STRIDE_TRANS", nullptr, nullptr},
    {12, "NC1HWC0_C04", nullptr, fit_nc1hwc0},
    {13, "FRACTAL_Z_C04", nullptr, fit_fractal_z_c04},
    {14, "CHWN", "CHWN", nullptr},
    {15, "FRACTAL_DECONV_SP_STRIDE8_TRANS", nullptr, nullptr},
    {16, "HWCN", "HWCN", nullptr},
    {17, "NC1KHKWHWC0", nullptr, nullptr},
    {18, "BN_WEIGHT", nullptr, nullptr},
    {19, "FILTER_HWCK", nullptr, nullptr},
    {20, "HASHTABLE_LOOKUP_LOOKUPS", nullptr, nullptr},
    {21, "HASHTABLE_LOOKUP_KEYS", nullptr, nullptr},
    {22, "HASHTABLE_LOOKUP_VALUE", nullptr, nullptr},
    {23, "HASHTABLE_LOOKUP_OUTPUT", nullptr, nullptr},
    {24, "HASHTABLE_LOOKUP_HITS", nullptr, nullptr},
    {25, "C1HWNCoC0", nullptr, fit_c1hwncoc0},
    {26, "MD", "", nullptr},
    {27, "NDHWC", "NDHWC", nullptr},
    {28, "FRACTAL_ZZ", nullptr, fit_fractal_zz},
    {29, "FRACTAL_NZ", nullptr, fit_fractal_nz},
    {30, "NCDHW", "NCDHW", nullptr},
    {31, "DHWCN", "DHWCN", nullptr},
    {32, "NDC1HWC0", nullptr, fit_ndc1hwc0},
    {33, "FRACTAL_Z_3D", nullptr, fit_fractal_z_3d},
    {34, "CN", "CN", nullptr},
    {35, "NC", "NC", nullptr},
    {36, "DHWNC", "DHWNC", nullptr},
    {37, "FRACTAL_Z_3D_TRANSPOSE", nullptr, fit_fractal_z_3d_transpose},
    {38, "FRACTAL_ZN_LSTM", nullptr, nullptr},
    {39, "FRACTAL_Z_G", nullptr, fit_fractal_z},
    {40, "RESERVED", "", nullptr},
    {41, "ALL", "", nullptr},
    {42, "NULL", "", nullptr},
    {43, "ND_RNN_BIAS", nullptr, nullptr},
    {44, "FRACTAL_ZN_RNN", nullptr, nullptr},
    {45, "YUV", nullptr, nullptr},
    {46, "YUV_A", nullptr, nullptr},
    {47, "NCL", "NCL", nullptr},
    {48, "FRACTAL_Z_WINO", nullptr, nullptr},
    {49, "C1HWC0", nullptr, fit_c1hwc0},
    {50, "FRACTAL_NZ_C0_16", nullptr, fit_fractal_nz},
    {51, "FRACTAL_NZ_C0_32", nullptr, fit_fractal_nz},
    {52, "FRACTAL_NZ_C0_2", nullptr, fit_fractal_nz},
    {53, "FRACTAL_NZ_C0_4", nullptr, fit_fractal_nz},
    {54, "FRACTAL_NZ_C0_8", nullptr, fit_fractal_nz},
};

constexpr bool formats_are_in_order() {
  for (size_t i = 0; i < std::size(kFormats); ++i)
    if (kFormats[i].number != i) return false;
  return true;
}
static_assert(formats_are_in_order(), "formats are looked up by number");

}  // namespace

std::span<const Format> all_formats() { return kFormats; }

const Format* find_format(uint32_t number) {
  return number < std::size(kFormats) ? &kFormats[number] : nullptr;
}

}  // namespace ait
