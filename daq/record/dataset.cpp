#include "daq/record/dataset.hpp"

#include <algorithm>

namespace strigil::daq::record {
namespace {

/// Bytes out of one stored byte, at best, when somebody has compressed the file.
constexpr hsize_t kBestCompression = 1100;

/// True when `found` is what `wanted` says: the same numbers, or a compound with (at least) the same members.
bool same_kind(hid_t found, hid_t wanted) {
  const auto type_class = H5Tget_class(wanted);
  if (H5Tget_class(found) != type_class) return false;
  if (type_class == H5T_INTEGER) {
    return H5Tget_size(found) == H5Tget_size(wanted) && H5Tget_sign(found) == H5Tget_sign(wanted);
  }
  if (type_class == H5T_STRING) return H5Tis_variable_str(found) == 0;
  if (type_class == H5T_ARRAY) {
    hsize_t size = 0;
    hsize_t size_wanted = 0;
    return H5Tget_array_ndims(found) == 1 && H5Tget_array_dims2(found, &size) >= 0 &&
           H5Tget_array_dims2(wanted, &size_wanted) >= 0 && size == size_wanted;
  }
  if (type_class != H5T_COMPOUND) return true;
  for (unsigned i = 0; i < static_cast<unsigned>(H5Tget_nmembers(wanted)); ++i) {
    char* const name = H5Tget_member_name(wanted, i);
    const int at = H5Tget_member_index(found, name);
    H5free_memory(name);
    if (at < 0) return false;
    const Id member(H5Tget_member_type(found, static_cast<unsigned>(at)));
    const Id member_wanted(H5Tget_member_type(wanted, i));
    if (!same_kind(member.get(), member_wanted.get())) return false;
  }
  return true;
}

}  // namespace

bool own_object(hid_t parent, const char* name) {
  H5L_info_t info{};
  return H5Lexists(parent, name, H5P_DEFAULT) > 0 && H5Lget_info(parent, name, &info, H5P_DEFAULT) >= 0 &&
         info.type == H5L_TYPE_HARD;
}

bool Source::open(hid_t parent, const char* name, hid_t type_wanted, hsize_t columns_wanted) {
  if (!own_object(parent, name)) return false;
  dataset = Id(H5Dopen2(parent, name, H5P_DEFAULT));
  if (!dataset.ok()) return false;
  const Id type(H5Dget_type(dataset.get()));
  columns = columns_wanted;
  // Chunked is what the format says; other layouts can point into other files.
  const Id properties(H5Dget_create_plist(dataset.get()));
  return same_kind(type.get(), type_wanted) && H5Pget_layout(properties.get()) == H5D_CHUNKED && measure() &&
         believable(H5Tget_size(type.get()));
}

/// An extent is only a number in the file: it must fit what is stored.
bool Source::believable(std::size_t value_size) const {
  const auto row_size = value_size * std::max<hsize_t>(columns, 1);
  const auto stored = H5Dget_storage_size(dataset.get());
  return rows <= stored / row_size || rows / kBestCompression <= stored / row_size + 1;
}

bool Source::measure() {
  const Id space(H5Dget_space(dataset.get()));
  const int rank = columns == 0 ? 1 : 2;
  hsize_t size[2] = {0, 0};
  if (H5Sget_simple_extent_ndims(space.get()) != rank || H5Sget_simple_extent_dims(space.get(), size, nullptr) < 0) {
    return false;
  }
  rows = size[0];
  return columns == 0 || size[1] == columns;
}

bool Source::read(hid_t memory_type, hsize_t first, hsize_t n, void* out) const {
  if (first > rows || n > rows - first) return false;
  if (n == 0) return true;
  const int rank = columns == 0 ? 1 : 2;
  const Id space(H5Dget_space(dataset.get()));
  const hsize_t start[2] = {first, 0};
  const hsize_t count[2] = {n, columns};
  if (H5Sselect_hyperslab(space.get(), H5S_SELECT_SET, start, nullptr, count, nullptr) < 0) return false;
  const Id memory(H5Screate_simple(rank, count, nullptr));
  return H5Dread(dataset.get(), memory_type, memory.get(), space.get(), H5P_DEFAULT, out) >= 0;
}

}  // namespace strigil::daq::record
