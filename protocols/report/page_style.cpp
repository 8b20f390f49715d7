#include "protocols/report/page_style.hpp"

#include <fmt/format.h>

#include "calibration/certificate/svg_plot.hpp"
#include "calibration/certificate/xml_text.hpp"

namespace strigil::protocols {
namespace {

// Blue and vermilion (Okabe & Ito) with a sign each; contrast of text at least 4.5 to 1 on both grounds.
constexpr const char* kStyle = R"(
:root { color-scheme: light dark; --ground: #fff; --panel: #f5f7f9; --ink: #1b1f24; --soft: #55606b; --rule: #d3d9df;
  --plot-grid: #e4e8ec; --link: #0b5c94; --pass: #0b5c94; --fail: #a84300; --invalid: #55606b; --on: #fff; }
@media (prefers-color-scheme: dark) { :root { --ground: #14181c; --panel: #1d2329; --ink: #e6eaee; --soft: #a3aeb9;
  --rule: #3a444e; --plot-grid: #2b333b; --link: #7cc4f2; --pass: #7cc4f2; --fail: #ff9d5c; --invalid: #b4bec8; --on: #14181c; --plot-0: #4aa8e0; --plot-1: #f0803c; --plot-2: #2fbf93; } }
* { box-sizing: border-box; }
html { scroll-padding-top: 12px; }
body { font: 14px/1.42 "Source Sans 3", "Noto Sans", "DejaVu Sans", Helvetica, Arial, sans-serif; color: var(--ink);
  background: var(--ground); max-width: 1240px; margin: 0 auto; padding: 14px 20px 40px; }
h1 { font-size: 21px; line-height: 1.2; margin: 0; overflow-wrap: anywhere; } h2 { font-size: 16.5px; margin: 22px 0 6px; border-bottom: 1px solid var(--rule); padding-bottom: 3px; break-after: avoid; }
h3 { font-size: 14.5px; margin: 14px 0 4px; overflow-wrap: anywhere; break-after: avoid; }
p { margin: 0 0 6px; max-width: 100ch; overflow-wrap: anywhere; }
a { color: var(--link); text-decoration: none; } a:hover, a:focus { text-decoration: underline; }
.soft { color: var(--soft); } .small { font-size: 12.5px; }
.top { display: flex; justify-content: space-between; gap: 20px; align-items: flex-start; margin-bottom: 10px; }
.top > div { min-width: 0; }
.meta { text-align: right; flex: 0 0 auto; max-width: 45%; overflow-wrap: anywhere; }
.badge { display: inline-block; font-weight: 700; border-radius: 4px; padding: 1px 8px; white-space: nowrap; color: var(--on); }
.badge.pass { background: var(--pass); } .badge.fail { background: var(--fail); } .badge.invalid { background: var(--invalid); }
.big .badge { font-size: 20px; padding: 4px 14px; }
.summary { display: grid; grid-template-columns: minmax(0, 1fr) auto; gap: 18px; background: var(--panel); border: 1px solid var(--rule); border-radius: 6px; padding: 10px 14px; }
.summary ol { margin: 6px 0 0; padding-left: 20px; overflow-wrap: anywhere; }
.counts { display: flex; gap: 14px; } .counts div { text-align: right; } .counts b { display: block; font-size: 20px; font-variant-numeric: tabular-nums; }
.flags { border-left: 4px solid var(--fail); padding: 2px 0 2px 12px; margin: 10px 0 0; overflow-wrap: anywhere; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; margin: 2px 0 6px; }
th { text-align: left; font-weight: 600; border-bottom: 1px solid var(--ink); padding: 2px 10px 2px 0; vertical-align: bottom; }
td { border-bottom: 1px solid var(--rule); padding: 2px 10px 2px 0; vertical-align: top; overflow-wrap: anywhere; }
th .small, td .small { font-weight: 400; display: block; white-space: nowrap; }
td.words { min-width: 16em; } td.nowrap { white-space: nowrap; }
.met { color: var(--pass); } .missed { color: var(--fail); font-weight: 600; } .open { color: var(--soft); }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(430px, 1fr)); gap: 10px 18px; }
svg.plot { width: 100%; height: auto; max-width: 760px; }
details { margin: 4px 0; } summary { cursor: pointer; overflow-wrap: anywhere; } :target { outline: 2px solid var(--link); outline-offset: 3px; }
.hash { font-family: "DejaVu Sans Mono", monospace; font-size: 11.5px; overflow-wrap: anywhere; }
tr, svg, li { break-inside: avoid; }
@page { size: A4 landscape; margin: 12mm; }
@media print { :root { color-scheme: light; --ground: #fff; --panel: #f5f7f9; --ink: #1b1f24; --soft: #55606b; --rule: #d3d9df; --plot-grid: #e4e8ec; --link: #0b5c94; --pass: #0b5c94; --fail: #a84300; --invalid: #55606b; --on: #fff;
  --plot-0: #0072b2; --plot-1: #d55e00; --plot-2: #009e73; }
  body { max-width: none; padding: 0; font-size: 10pt; } .badge { print-color-adjust: exact; -webkit-print-color-adjust: exact; } .wide { overflow: visible; }
  details::details-content { content-visibility: visible; } }
)";

}  // namespace

std::string html_page(std::string_view title, std::string_view body) {
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
      "content=\"width=device-width, initial-scale=1\">\n<meta http-equiv=\"Content-Security-Policy\" "
      "content=\"default-src 'none'; style-src 'unsafe-inline'\">\n<title>{}</title>\n<style>{}{}</style></head>\n"
      "<body>\n{}</body></html>\n",
      calibration::xml_escaped(title), kStyle, calibration::svg_style(), body);
}

std::string verdict_badge(Judgement judgement) {
  const auto name = name_of(judgement);
  switch (judgement) {
    case Judgement::kPass:
      return fmt::format("<span class=\"badge pass\">\u2713 {}</span>", name);
    case Judgement::kFail:
      return fmt::format("<span class=\"badge fail\">\u2717 {}</span>", name);
    case Judgement::kInvalid:
      return fmt::format("<span class=\"badge invalid\">? {}</span>", name);
  }
  return "";
}

std::string address_of(std::string_view path) {
  if (path.empty() || path.front() == '/' || path.find("..") != std::string_view::npos) return "";
  std::string out = "./";  // whatever comes is a path, never a scheme
  for (const char c : path) {
    const auto u = static_cast<unsigned char>(c);
    const bool plain = (u >= 'a' && u <= 'z') || (u >= 'A' && u <= 'Z') || (u >= '0' && u <= '9') ||
                       std::string_view("-_./").find(c) != std::string_view::npos;
    out += plain ? std::string(1, c) : fmt::format("%{:02X}", u);
  }
  return out;
}

}  // namespace strigil::protocols
