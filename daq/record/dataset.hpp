// A dataset of a file that may be hostile: opened only when its place, layout, type, rank and extent are what the
// format says (docs/run_file.md). Inside daq/record only; the thread that owns HDF5.
#pragma once

#include <hdf5.h>

#include "daq/record/rows.hpp"

namespace strigil::daq::record {

/// True when `name` is an object of this very file: a link out of it would read somebody else's.
bool own_object(hid_t parent, const char* name);

/// Rows of one dataset.
struct Source {
  Id dataset;
  hsize_t rows = 0;
  hsize_t columns = 0;  ///< 0: one-dimensional

  /// False when there is no such dataset or anything about it is not as wanted.
  bool open(hid_t parent, const char* name, hid_t type_wanted, hsize_t columns_wanted);
  /// Rows [first, first + n) as `memory_type`. False when they are not there or cannot be read.
  bool read(hid_t memory_type, hsize_t first, hsize_t n, void* out) const;

 private:
  bool measure();
  [[nodiscard]] bool believable(std::size_t value_size) const;
};

}  // namespace strigil::daq::record
