// The health page: what every hop counted, how well the clocks are known, who listens; and the events.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "ui/screen.hpp"

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

void Screen::health(const ModelState& s) {
  const auto& st = s.status;
  const float half = ImGui::GetContentRegionAvail().x * 0.58F;
  ImGui::BeginChild("figures", {half, 0}, true);
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
  ImGui::TextUnformatted("Rig");
  ImGui::TextUnformatted(fmt::format("{:.0f} ticks, {:.0f} of them late", st.ticks, st.overruns).c_str());
  ImGui::TextUnformatted(fmt::format("disk: {:.1f} GB free", st.disk_free_bytes / 1e9).c_str());
  ImGui::TextUnformatted(
      fmt::format("stop test: {}", st.stop_test.empty() ? "none since it came up" : st.stop_test).c_str());
  ImGui::TextUnformatted(fmt::format("publication: {}, run {}", st.publication_endpoint, st.run).c_str());
  ImGui::TextUnformatted(fmt::format("messages that were none: {}", s.malformed).c_str());
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
  const auto ledger = nlohmann::json::parse(s.ledger_json, nullptr, false);
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
  ImGui::EndChild();
  ImGui::SameLine();
  ImGui::BeginChild("events", {0, 0}, true);
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
