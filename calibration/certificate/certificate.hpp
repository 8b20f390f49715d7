// Certificate: a calibration record with who issues it to whom, for people and for machines. Pure but where it says so.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "calibration/record/record.hpp"
#include "daq/result.hpp"

namespace strigil::calibration {

/// Somebody with an address.
struct Contact {
  std::string name;
  std::string street;
  std::string post_code;
  std::string city;
  std::string country_code;  ///< ISO 3166-1, two capital letters
  std::string email;
  std::string phone;
};

/// What a certificate says beside the record; from a TOML file that people write (docs/calibration_record.md).
struct CertificateHead {
  Contact laboratory;
  std::string accreditation;  ///< code; empty: none, and none is claimed
  Contact customer;
  std::string location =
      "laboratory";  ///< where it was done: laboratory, customer, laboratoryBranch, customerBranch, other
  std::string authorised_by;
  std::string authorised_role;
  std::optional<daq::WallTime> received;
  std::string item_condition;
  std::string deviations;         ///< additions to, deviations and exclusions from the method
  std::string external_provider;  ///< whose results are among these; empty: nobody's
  std::string opinions;
  bool recalibration_agreed = false;  ///< only then does the certificate say until when the record is valid
};
daq::Result<CertificateHead> parse_certificate_head(std::string_view text, const std::string& file);

struct Certificate {
  Record record;
  std::string record_hash;
  CertificateHead head;
};

/// A clause of ISO/IEC 17025:2017 that is not met, and what is missing. The clauses are those of metrology.md 7.2.
struct Omission {
  std::string clause;
  std::string text;
};
/// Empty: the certificate says all it has to. Who issues one looks first.
std::vector<Omission> omissions_of(const Certificate& certificate);

/// A page for people: self-contained, printable, with plots of fit, residuals and budget.
std::string to_html(const Certificate& certificate);
/// Everything as JSON: the record's file and the head.
std::string to_certificate_json(const Certificate& certificate);
/// A PTB Digital Calibration Certificate 3.3.0. Valid by its schema, and without findings of check_dcc().
std::string to_dcc(const Certificate& certificate);

/// "force, channel Fz": what a quantity is called on a certificate.
std::string title_of(const CalibratedQuantity& quantity);
/// "of k = 2", or that each result has its own.
std::string coverage_words_of(const Record& record);
/// The method with its standard, and "method based on" where that is said.
std::string method_of(const Record& record);
/// The statements that stand on every certificate, one each.
std::vector<std::string> statements_of(const Certificate& certificate);

}  // namespace strigil::calibration
