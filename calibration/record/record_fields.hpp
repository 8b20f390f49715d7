// The members of a record's file, said once for writing and for reading. Inside calibration/record only.
#pragma once

#include <nlohmann/json.hpp>
#include <stdexcept>
#include <type_traits>

#include "calibration/record/calendar.hpp"
#include "calibration/record/record.hpp"
#include "daq/json_text.hpp"

namespace strigil::calibration::record {

using nlohmann::ordered_json;

template <typename A, typename T>
void fields(A& a, T& v) {
  using V = std::remove_const_t<T>;
  if constexpr (std::is_same_v<V, Identity>) {
    a("make", v.make), a("model", v.model), a("serial", v.serial);
  } else if constexpr (std::is_same_v<V, Setting>) {
    a("gain", v.gain), a("filter", v.filter), a("mounting", v.mounting), a("rate_Hz", v.rate_Hz);
    a("counts_per_unit", v.counts_per_unit);
  } else if constexpr (std::is_same_v<V, Interval>) {
    a("low", v.low), a("high", v.high);
  } else if constexpr (std::is_same_v<V, Conditions>) {
    a("temperature_C", v.temperature_C), a("use_temperature_C", v.use_temperature_C);
    a("humidity_percent", v.humidity_percent), a("pressure_kPa", v.pressure_kPa), a("notes", v.notes);
  } else if constexpr (std::is_same_v<V, UncertaintyPoint>) {
    a("value", v.value), a("expanded", v.expanded);
  } else if constexpr (std::is_same_v<V, CalibratedQuantity>) {
    a("quantity", v.quantity), a("channel", v.channel), a("unit", v.unit), a("range", v.range);
    a("uncertainty", v.uncertainty);
  } else if constexpr (std::is_same_v<V, FitInput>) {
    a("channel", v.channel), a("unit", v.unit), a("per_count", v.per_count), a("zero_counts", v.zero_counts);
  } else if constexpr (std::is_same_v<V, Fit>) {
    a("kind", v.kind), a("inputs", v.inputs), a("names", v.names), a("coefficients", v.coefficients);
    a("covariance", v.covariance), a("residual_sd", v.residual_sd), a("degrees_of_freedom", v.degrees_of_freedom);
  } else if constexpr (std::is_same_v<V, BudgetLine>) {
    a("name", v.name), a("distribution", v.distribution), a("standard", v.standard), a("unit", v.unit);
    a("sensitivity", v.sensitivity), a("degrees_of_freedom", v.degrees_of_freedom);
  } else if constexpr (std::is_same_v<V, DataTable>) {
    a("name", v.name), a("columns", v.columns), a("units", v.units), a("rows", v.rows);
  } else if constexpr (std::is_same_v<V, Classification>) {
    a("standard", v.standard), a("edition", v.edition), a("basis", v.basis), a("result", v.result);
    a("limit_table", v.limit_table), a("limit_table_sha256", v.limit_table_sha256);
    a("decision_rule", v.decision_rule), a("conformity", v.conformity);
  } else if constexpr (std::is_same_v<V, Traceability>) {
    a("what", v.what), a("serial", v.serial), a("certificate", v.certificate);
    a("certificate_sha256", v.certificate_sha256), a("laboratory", v.laboratory), a("record", v.record);
    a("valid_until", v.valid_until), a("uncertainty", v.uncertainty);
  } else if constexpr (std::is_same_v<V, RawFile>) {
    a("file", v.file), a("sha256", v.sha256);
  } else {
    static_assert(std::is_same_v<V, Record>);
    a("kind", v.kind), a("id", v.id), a("number", v.number), a("previous", v.previous), a("created", v.created);
    a("software", v.software), a("instrument", v.instrument), a("setting", v.setting);
    a("quantities", v.quantities), a("coverage_factor", v.coverage_factor);
    a("coverage_probability", v.coverage_probability), a("conditions", v.conditions), a("fit", v.fit);
    a("budget", v.budget), a("tables", v.tables), a("classification", v.classification);
    a("traceability", v.traceability), a("procedure", v.procedure), a("operator", v.operator_name);
    a("adjustment", v.adjustment), a("performed_from", v.performed_from), a("performed_until", v.performed_until);
    a("issued", v.issued), a("valid_from", v.valid_from), a("valid_until", v.valid_until), a("raw", v.raw);
    a("supersedes", v.supersedes), a("revokes", v.revokes), a("reason", v.reason);
  }
}

/// Members into a JSON object, in the order of fields().
class Writer {
 public:
  template <typename T>
  void operator()(const char* key, const T& v) {
    out_[key] = write(v);
  }
  template <typename T>
  static ordered_json write(const T& v) {
    if constexpr (std::is_arithmetic_v<T> || std::is_same_v<T, std::string>) {
      return v;
    } else if constexpr (std::is_enum_v<T>) {
      return std::string(name_of(v));
    } else if constexpr (std::is_same_v<T, daq::WallTime>) {
      return daq::iso8601(v);
    } else {
      Writer w;
      fields(w, v);
      return std::move(w.out_);
    }
  }
  template <typename T>
  static ordered_json write(const std::optional<T>& v) {
    return v ? write(*v) : ordered_json(nullptr);
  }
  template <typename T>
  static ordered_json write(const std::vector<T>& v) {
    auto out = ordered_json::array();
    for (const auto& e : v) out.push_back(write(e));
    return out;
  }

 private:
  ordered_json out_ = ordered_json::object();
};

/// Members out of a JSON object. Throws std::runtime_error or nlohmann's exceptions, which parse_record() catches.
class Reader {
 public:
  explicit Reader(const ordered_json& in) : in_(in) {}
  template <typename T>
  void operator()(const char* key, T& v) {
    read(in_.at(key), v);
  }
  static void read(const ordered_json& j, double& v) {
    if (!j.is_number()) throw std::runtime_error("a number is none: " + daq::json_text(j).substr(0, 40));
    v = j.get<double>();
  }
  static void read(const ordered_json& j, std::int64_t& v) {
    if (!j.is_number_integer()) throw std::runtime_error("a whole number is none: " + daq::json_text(j).substr(0, 40));
    v = j.get<std::int64_t>();
  }
  static void read(const ordered_json& j, std::string& v) { v = j.get_ref<const std::string&>(); }
  static void read(const ordered_json& j, daq::WallTime& v) {
    const auto instant = parse_instant(j.get_ref<const std::string&>());
    if (!instant) throw std::runtime_error(instant.error().message);
    v = *instant;
  }
  template <typename T>
  static void read(const ordered_json& j, std::optional<T>& v) {
    if (j.is_null()) return v.reset();
    read(j, v.emplace());
  }
  template <typename T>
  static void read(const ordered_json& j, std::vector<T>& v) {
    if (!j.is_array()) throw std::runtime_error("a list is none: " + daq::json_text(j).substr(0, 40));
    v.clear();
    for (const auto& e : j) read(e, v.emplace_back());
  }
  template <typename T>
  static void read(const ordered_json& j, T& v) {
    if constexpr (std::is_enum_v<T>) {
      constexpr int kMostNames = 8;
      for (int i = 0; i < kMostNames && name_of(static_cast<T>(i)) != "?"; ++i) {
        if (name_of(static_cast<T>(i)) != j.get_ref<const std::string&>()) continue;
        v = static_cast<T>(i);
        return;
      }
      throw std::runtime_error("'" + j.get<std::string>().substr(0, 40) + "' is not known here");
    } else {
      Reader r(j);
      fields(r, v);
    }
  }

 private:
  const ordered_json& in_;
};

}  // namespace strigil::calibration::record
