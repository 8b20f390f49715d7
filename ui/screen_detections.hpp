// What a map must know of the detections that are drawn on it.
#pragma once

#include "ui/detections.hpp"
#include "ui/model.hpp"

namespace strigil::ui {

/// Only the newest are drawn: this is the first of them.
std::size_t first_drawn(const Detections& d);
/// Says of those that are drawn where across the stage was, where its stream has come so far; nullptr: there is none.
void find_places(Detections& d, const StreamView* stage);
/// Height that Screen::detection_names takes.
float names_height(const Detections& d);

}  // namespace strigil::ui
