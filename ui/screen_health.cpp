// The health page: what every hop counted, how well the clocks are known, who listens; and the events.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "daq/json_text.hpp"
#include "ui/plot.hpp"
#include "ui/screen.hpp"
#include "ui/words.hpp"

namespace strigil::ui {
namespace {

constexpr ImGuiTableFlags kTable =
    ImGuiTableFlags_RowBg | ImGuiTableFlags_BordersInnerV | ImGuiTableFlags_SizingStretchProp;

void cell(const std::string& words) {
  ImGui::TableNextColumn();
  ImGui::TextUnformatted(words.c_str());
}

void header(std::initializer_list<const char*> names) {
  for (const char* name : names) ImGui::TableSetupColumn(name);
  ImGui::TableHeadersRow();
}

}  // namespace

void Screen::health_flow(const ModelState& s) {
  ImGui::TextUnformatted("Streams");
  landmarks_.mark("streams");
  if (s.streams.empty()) ImGui::TextDisabled("none is published");
  if (!s.streams.empty() && ImGui::BeginTable("streams", 8, kTable)) {
    header({"stream", "rate Hz", "samples", "gaps", "unseen", "bound us", "clock", "range"});
    for (const auto& [name, v] : s.streams) {
      cell(name);
      cell(v.description.quantity == "setpoint" ? "as told" : fmt::format("{:.0f}", v.rate_Hz));
      cell(fmt::format("{}", v.samples));
      cell(fmt::format("{}", v.missing));
      cell(fmt::format("{}", v.unseen));
      cell(fmt::format("{:.0f}", v.bound_s * 1e6));
      cell(v.unlocked == 0 ? "locked" : fmt::format("{} not", v.unlocked));
      cell(v.saturated == 0 ? "in" : fmt::format("{} over", v.saturated));
    }
    ImGui::EndTable();
  }
  ImGui::TextDisabled("gaps: samples the rig did not get; unseen: messages this screen did not get");
  ImGui::Separator();
  ImGui::TextUnformatted("Subscribers with a name");
  if (s.subscribers.empty()) ImGui::TextDisabled("none");
  if (!s.subscribers.empty() && ImGui::BeginTable("subscribers", 5, kTable)) {
    header({"name", "alive", "behind s", "samples", "lost"});
    for (const auto& b : s.subscribers) {
      cell(b.name);
      cell(b.alive ? "yes" : "no");
      cell(fmt::format("{:.2f}", b.behind_s));
      cell(fmt::format("{}", b.received));
      cell(fmt::format("{}", b.lost));
    }
    ImGui::EndTable();
  }
  ImGui::Separator();
  ImGui::TextUnformatted("Ledger");
  const auto ledger = daq::parse_json(s.ledger_json);
  const bool any = ledger.is_object() && ledger.contains("rows") && ledger["rows"].is_array();
  if (!any) ImGui::TextDisabled("a run tells it once a second");
  if (any && ImGui::BeginTable("ledger", 4, kTable)) {
    header({"hop", "stream", "count", "lost"});
    for (const auto& row : ledger["rows"]) {
      if (!row.is_object()) continue;
      for (const char* key : {"hop", "stream", "count", "lost"}) {
        const auto at = row.find(key);
        cell(at == row.end() ? std::string("-") : at->is_string() ? at->get<std::string>() : at->dump());
      }
    }
    ImGui::EndTable();
  }
}

void Screen::health_rig(const ModelState& s) {
  const float em = ImGui::GetFontSize();
  const auto& st = s.status;
  const auto& h = s.health;
  ImGui::TextUnformatted(fmt::format("{:.0f} ticks, {:.0f} of them late", st.ticks, st.overruns).c_str());
  const bool disk = std::isfinite(st.disk_free_bytes);
  ImGui::TextUnformatted(
      (disk ? fmt::format("disk: {:.1f} GB free", st.disk_free_bytes / 1e9) : "disk: not told").c_str());
  ImGui::TextWrapped("publication: %s, run %s", st.publication_endpoint.c_str(), st.run.c_str());
  ImGui::TextUnformatted(fmt::format("messages that were none: {}", s.malformed).c_str());
  ImGui::Separator();
  ImGui::TextUnformatted("From tick to tick");
  landmarks_.mark("jitter");
  if (h.interval_counts.empty()) {
    ImGui::TextDisabled("the loop does not turn");
  } else {
    double all = 0;
    for (const float n : h.interval_counts) all += static_cast<double>(n);
    for (std::size_t i = 0; i < h.interval_counts.size(); ++i) {
      const double part = all > 0 ? static_cast<double>(h.interval_counts[i]) / all : 0;
      if (h.interval_counts[i] <= 0) continue;
      const bool last = i == h.interval_below_us.size();
      const float bound = h.interval_below_us[last ? i - 1 : i];
      const auto words = bound >= 1000 ? fmt::format("{} {:.3g} ms", last ? ">=" : "<", bound / 1000)
                                       : fmt::format("{} {:.0f} us", last ? ">=" : "<", bound);
      ImGui::TextUnformatted(words.c_str());
      ImGui::SameLine(em * 6);
      // A bar by decades: one late tick in a million is seen.
      const auto tall = static_cast<float>(part > 0 ? std::max(0.02, 1 + std::log10(part) / 7) : 0);
      ImGui::TextUnformatted(fmt::format("{:.0f}", h.interval_counts[i]).c_str());
      ImGui::SameLine(em * 11);
      ImGui::ProgressBar(tall, {-1, ImGui::GetTextLineHeight()}, "");
    }
    ImGui::TextDisabled("bars are by decades");
  }
  ImGui::Separator();
  ImGui::TextUnformatted("Rings between threads");
  if (h.rings.empty()) ImGui::TextDisabled("none now");
  // A bar with no more padding than text has: else the cells after it stand lower.
  ImGui::PushStyleVar(ImGuiStyleVar_FramePadding, {ImGui::GetStyle().FramePadding.x, 0});
  if (!h.rings.empty() && ImGui::BeginTable("rings", 4, kTable)) {
    header({"ring", "fill", "most", "dropped"});
    for (const auto& r : h.rings) {
      cell(r.name);
      ImGui::TableNextColumn();
      const double fill = r.capacity > 0 ? r.waiting / r.capacity : 0;
      ImGui::ProgressBar(static_cast<float>(fill), {-1, ImGui::GetTextLineHeight()},
                         fmt::format("{:.0f}", r.waiting).c_str());
      cell(fmt::format("{:.0f} of {:.0f}", r.most, r.capacity));
      cell(fmt::format("{:.0f}", r.dropped));
    }
    ImGui::EndTable();
  }
  ImGui::PopStyleVar();
}

void Screen::health_trust(const ModelState& s) {
  const auto& h = s.health;
  ImGui::TextUnformatted("Calibration of the force");
  landmarks_.mark("calibration");
  if (!h.calibration_record.empty()) {
    ImGui::TextWrapped("record %s, instrument %s, valid until %s", h.calibration_record.c_str(),
                       h.calibration_serial.empty() ? "-" : h.calibration_serial.c_str(),
                       h.calibration_valid_until.empty() ? "no given day" : h.calibration_valid_until.c_str());
    if (h.calibration_reasons.empty()) ImGui::TextColored(good_colour(settings_.tone), "may be believed");
  }
  for (const auto& reason : h.calibration_reasons) {
    ImGui::PushStyleColor(ImGuiCol_Text, warning_colour(settings_.tone));
    ImGui::TextWrapped("! %s", reason.c_str());
    ImGui::PopStyleColor();
  }
  ImGui::Separator();
  ImGui::TextUnformatted("Stop tests");
  if (!s.status.stop_test.empty()) ImGui::TextWrapped("%s", s.status.stop_test.c_str());
  stop_test_trend(h);
  ImGui::Separator();
  ImGui::TextUnformatted("Timing certificate of the last run");
  if (!h.certified) ImGui::TextDisabled("no run since the bench came up");
  if (h.certified && ImGui::BeginTable("timing", 5, kTable)) {
    header({"stream", "bound 95 % us", "delay us", "drift ppm", "unlocked"});
    for (const auto& t : h.timing) {
      cell(t.stream);
      cell(figure(t.bound_us, 0));
      cell(figure(t.delay_us, 0));
      cell(figure(t.drift_ppm, 2));
      cell(fmt::format("{:.0f}", t.unlocked));
    }
    ImGui::EndTable();
    ImGui::TextDisabled("%s", h.tapped ? "proved by taps" : "without taps: bounds are as the streams say");
  }
  for (const auto& t : h.timing) {
    for (const auto& problem : t.problems) ImGui::TextWrapped("! %s: %s", t.stream.c_str(), problem.c_str());
  }
}

void Screen::stop_test_trend(const Health& h) {
  if (h.stop_tests.empty()) {
    ImGui::TextDisabled("this bench has none on record");
    return;
  }
  std::vector<double> number;
  std::vector<float> trip_ms;
  std::vector<float> abort_ms;
  double most = 0;
  for (const auto& t : h.stop_tests) {
    number.push_back(static_cast<double>(number.size() + 1));
    trip_ms.push_back(static_cast<float>(t.trip_ms));
    abort_ms.push_back(static_cast<float>(t.abort_ms));
    for (const double ms : {t.trip_ms, t.abort_ms}) most = std::isfinite(ms) ? std::max(most, ms) : most;
  }
  const float em = ImGui::GetFontSize();
  {
    Plot plot("stop tests", {0, em * 9}, {0.5, number.back() + 0.5}, {0, std::max(1.0, most * 1.1)}, settings_.tone,
              "time to rest [ms]: force trip and, orange, abort", "test");
    plot.line(number, trip_ms, curve_colour(0));
    plot.line(number, abort_ms, curve_colour(1));
    for (std::size_t i = 0; i < number.size(); ++i) {
      const auto mark = [&](float ms, ImU32 colour) {
        if (std::isfinite(ms)) plot.dot(number[i], static_cast<double>(ms), colour);
      };
      mark(trip_ms[i], curve_colour(0));
      mark(abort_ms[i], curve_colour(1));
    }
  }
  const auto& last = h.stop_tests.back();
  ImGui::TextWrapped("%s %s: force trip %s ms, %s mm, peak %s N; abort %s ms, %s mm", last.at.substr(0, 16).c_str(),
                     last.passed ? "passed" : "FAILED", figure(last.trip_ms, 0).c_str(),
                     figure(last.trip_mm, 2).c_str(), figure(last.trip_N, 1).c_str(), figure(last.abort_ms, 0).c_str(),
                     figure(last.abort_mm, 2).c_str());
}

void Screen::health(const ModelState& s) {
  const float half = ImGui::GetContentRegionAvail().x * 0.58F;
  ImGui::BeginChild("figures", {half, 0}, true, kPanel);
  if (ImGui::BeginTabBar("health tabs")) {
    const auto tab = [&](const char* name, const char* landmark, void (Screen::*page)(const ModelState&)) {
      const bool open = ImGui::BeginTabItem(name);
      landmarks_.mark(landmark);
      if (!open) return;
      (this->*page)(s);
      ImGui::EndTabItem();
    };
    tab("Flow", "tab_flow", &Screen::health_flow);
    tab("Loop and rings", "tab_rig", &Screen::health_rig);
    tab("What may be believed", "tab_trust", &Screen::health_trust);
    ImGui::EndTabBar();
  }
  ImGui::EndChild();
  ImGui::SameLine();
  ImGui::BeginChild("events", {0, 0}, true, kPanel);
  ImGui::TextUnformatted(fmt::format("Events ({})", s.events.size()).c_str());
  if (s.events.empty()) ImGui::TextDisabled("none yet");
  for (auto e = s.events.rbegin(); e != s.events.rend(); ++e) {
    const char* mark = e->severity == daq::Severity::kFault     ? "!!"
                       : e->severity == daq::Severity::kWarning ? "! "
                                                                : "  ";
    if (e->severity == daq::Severity::kFault) ImGui::PushStyleColor(ImGuiCol_Text, fault_colour(settings_.tone));
    ImGui::TextWrapped("%s %.3f  %s", mark, e->at_s, e->words.c_str());
    if (e->severity == daq::Severity::kFault) ImGui::PopStyleColor();
    if (ImGui::IsItemClicked()) {
      settings_.live.show(e->at_s - settings_.live.span_s / 2, e->at_s + settings_.live.span_s / 2);
      settings_.page = Page::kLive;
    }
  }
  ImGui::EndChild();
}

}  // namespace strigil::ui
