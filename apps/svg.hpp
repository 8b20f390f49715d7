// Svg: a picture written shape by shape. Pixels, y down.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace strigil::apps {

struct SvgPoint {
  double x = 0;
  double y = 0;
};

/// Attributes as SVG has them, e.g. "fill=\"none\" stroke=\"#333\"".
class Svg {
 public:
  void line(SvgPoint from, SvgPoint to, std::string_view attributes);
  void polyline(std::span<const SvgPoint> points, std::string_view attributes);
  void polygon(std::span<const SvgPoint> points, std::string_view attributes);
  void rectangle(SvgPoint corner, double width, double height, std::string_view attributes);
  /// Turned clockwise about its centre.
  void ellipse(SvgPoint centre, double half_x, double half_y, double turned_deg, std::string_view attributes);
  /// `text` may hold anything. `anchor`: "start", "middle", "end". The default size is 12 pixels.
  void text(SvgPoint at, std::string_view text, std::string_view anchor = "start", std::string_view attributes = "");
  /// What is drawn until end_clip() is seen inside this rectangle only.
  void begin_clip(SvgPoint corner, double width, double height);
  void end_clip();
  /// The whole document.
  [[nodiscard]] std::string document(double width, double height) const;

 private:
  std::string body_;
  int clips_ = 0;
};

}  // namespace strigil::apps
