// An HTML file on paper.
#pragma once

#include <string>

#include "daq/result.hpp"

namespace strigil::apps {

/// `html` as the new file `pdf`, by the first of weasyprint, chromium and wkhtmltopdf that this computer has.
/// Errors: none is, or it failed.
daq::Result<void> print_pdf(const std::string& html, const std::string& pdf);

}  // namespace strigil::apps
