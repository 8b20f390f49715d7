#include "daq/record/rows.hpp"

#include <cstddef>

namespace strigil::daq::record {
namespace {

Id fixed_string(std::size_t size) {
  Id type(H5Tcopy(H5T_C_S1));
  H5Tset_size(type.get(), size);
  H5Tset_strpad(type.get(), H5T_STR_NULLTERM);
  return type;
}

}  // namespace

Id& Id::operator=(Id&& other) noexcept {
  if (this != &other) {
    close();
    id_ = other.id_;
    other.id_ = -1;
  }
  return *this;
}

Id::~Id() { close(); }

void Id::close() {
  if (id_ < 0) return;
  switch (H5Iget_type(id_)) {
    case H5I_FILE:
      H5Fclose(id_);
      break;
    case H5I_GROUP:
      H5Gclose(id_);
      break;
    case H5I_DATATYPE:
      H5Tclose(id_);
      break;
    case H5I_DATASPACE:
      H5Sclose(id_);
      break;
    case H5I_DATASET:
      H5Dclose(id_);
      break;
    case H5I_ATTR:
      H5Aclose(id_);
      break;
    case H5I_GENPROP_LST:
      H5Pclose(id_);
      break;
    default:
      H5Idec_ref(id_);
      break;
  }
  id_ = -1;
}

void begin_hdf5() {
  H5dont_atexit();
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
}

Id packed(const Id& type) {
  Id tight(H5Tcopy(type.get()));
  if (H5Tget_class(tight.get()) == H5T_COMPOUND) H5Tpack(tight.get());
  return tight;
}

Id block_row_type() {
  Id t(H5Tcreate(H5T_COMPOUND, sizeof(BlockRow)));
  H5Tinsert(t.get(), "first_row", offsetof(BlockRow, first_row), H5T_NATIVE_UINT64);
  H5Tinsert(t.get(), "first_sample", offsetof(BlockRow, first_sample), H5T_NATIVE_UINT64);
  H5Tinsert(t.get(), "ticks", offsetof(BlockRow, ticks), H5T_NATIVE_UINT64);
  H5Tinsert(t.get(), "received_ns", offsetof(BlockRow, received_ns), H5T_NATIVE_INT64);
  H5Tinsert(t.get(), "t0_ns", offsetof(BlockRow, t0_ns), H5T_NATIVE_INT64);
  H5Tinsert(t.get(), "bound_ns", offsetof(BlockRow, bound_ns), H5T_NATIVE_INT64);
  H5Tinsert(t.get(), "period_ns", offsetof(BlockRow, period_ns), H5T_NATIVE_DOUBLE);
  H5Tinsert(t.get(), "samples", offsetof(BlockRow, samples), H5T_NATIVE_UINT32);
  H5Tinsert(t.get(), "flags", offsetof(BlockRow, flags), H5T_NATIVE_UINT32);
  H5Tinsert(t.get(), "gap", offsetof(BlockRow, gap), H5T_NATIVE_UINT32);
  return t;
}

Id event_row_type() {
  constexpr hsize_t kArguments = 4;
  Id t(H5Tcreate(H5T_COMPOUND, sizeof(EventRow)));
  const Id arguments(H5Tarray_create2(H5T_NATIVE_DOUBLE, 1, &kArguments));
  const Id detail = fixed_string(kDetailSize);
  H5Tinsert(t.get(), "at_ns", offsetof(EventRow, at_ns), H5T_NATIVE_INT64);
  H5Tinsert(t.get(), "code", offsetof(EventRow, code), H5T_NATIVE_UINT16);
  H5Tinsert(t.get(), "severity", offsetof(EventRow, severity), H5T_NATIVE_UINT8);
  H5Tinsert(t.get(), "source", offsetof(EventRow, source), H5T_NATIVE_UINT16);
  H5Tinsert(t.get(), "arguments", offsetof(EventRow, arguments), arguments.get());
  H5Tinsert(t.get(), "detail", offsetof(EventRow, detail), detail.get());
  return t;
}

Id ledger_row_type() {
  Id t(H5Tcreate(H5T_COMPOUND, sizeof(LedgerTableRow)));
  const Id name = fixed_string(kNameSize);
  H5Tinsert(t.get(), "hop", offsetof(LedgerTableRow, hop), name.get());
  H5Tinsert(t.get(), "stream", offsetof(LedgerTableRow, stream), name.get());
  H5Tinsert(t.get(), "count", offsetof(LedgerTableRow, count), H5T_NATIVE_UINT64);
  H5Tinsert(t.get(), "lost", offsetof(LedgerTableRow, lost), H5T_NATIVE_UINT64);
  return t;
}

}  // namespace strigil::daq::record
