// Event words: what an event says, for a person. Its time and severity stand elsewhere.
#pragma once

#include <string>

#include "daq/event.hpp"

namespace strigil::ui {

/// "stage: from Idle to Run"; numbers that have no name keep their number. Pure; hostile arguments are no error.
std::string words_of(const daq::Event& event);

}  // namespace strigil::ui
