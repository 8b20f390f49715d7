#include "apps/svg.hpp"

#include <fmt/format.h>

#include "calibration/certificate/xml_text.hpp"

namespace strigil::apps {
namespace {

std::string points_of(std::span<const SvgPoint> points) {
  std::string out;
  for (const auto& p : points) out += fmt::format("{}{:.2f},{:.2f}", out.empty() ? "" : " ", p.x, p.y);
  return out;
}

}  // namespace

void Svg::line(SvgPoint from, SvgPoint to, std::string_view attributes) {
  body_ += fmt::format("<line x1=\"{:.2f}\" y1=\"{:.2f}\" x2=\"{:.2f}\" y2=\"{:.2f}\" {}/>\n", from.x, from.y, to.x,
                       to.y, attributes);
}

void Svg::polyline(std::span<const SvgPoint> points, std::string_view attributes) {
  body_ += fmt::format("<polyline points=\"{}\" {}/>\n", points_of(points), attributes);
}

void Svg::polygon(std::span<const SvgPoint> points, std::string_view attributes) {
  body_ += fmt::format("<polygon points=\"{}\" {}/>\n", points_of(points), attributes);
}

void Svg::rectangle(SvgPoint corner, double width, double height, std::string_view attributes) {
  body_ += fmt::format("<rect x=\"{:.2f}\" y=\"{:.2f}\" width=\"{:.2f}\" height=\"{:.2f}\" {}/>\n", corner.x, corner.y,
                       width, height, attributes);
}

void Svg::ellipse(SvgPoint centre, double half_x, double half_y, double turned_deg, std::string_view attributes) {
  body_ += fmt::format(
      "<ellipse cx=\"{0:.2f}\" cy=\"{1:.2f}\" rx=\"{2:.2f}\" ry=\"{3:.2f}\" "
      "transform=\"rotate({4:.2f} {0:.2f} {1:.2f})\" {5}/>\n",
      centre.x, centre.y, half_x, half_y, turned_deg, attributes);
}

void Svg::text(SvgPoint at, std::string_view text, std::string_view anchor, std::string_view attributes) {
  body_ += fmt::format("<text x=\"{:.2f}\" y=\"{:.2f}\" text-anchor=\"{}\" {}>{}</text>\n", at.x, at.y, anchor,
                       attributes, calibration::xml_escaped(text));
}

void Svg::begin_clip(SvgPoint corner, double width, double height) {
  ++clips_;
  body_ += fmt::format(
      "<clipPath id=\"clip{}\"><rect x=\"{:.2f}\" y=\"{:.2f}\" width=\"{:.2f}\" height=\"{:.2f}\"/>"
      "</clipPath>\n<g clip-path=\"url(#clip{})\">\n",
      clips_, corner.x, corner.y, width, height, clips_);
}

void Svg::end_clip() { body_ += "</g>\n"; }

std::string Svg::document(double width, double height) const {
  return fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0:.0f}\" height=\"{1:.0f}\" "
      "viewBox=\"0 0 {0:.0f} {1:.0f}\" font-family=\"DejaVu Sans, Arial, sans-serif\" font-size=\"12\">\n"
      "<rect width=\"{0:.0f}\" height=\"{1:.0f}\" fill=\"white\"/>\n{2}</svg>\n",
      width, height, body_);
}

}  // namespace strigil::apps
