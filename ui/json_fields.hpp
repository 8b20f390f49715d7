// JSON fields: members of what a bench said, where anything may be missing or of another type. Pure.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace strigil::ui {

inline const nlohmann::json* member(const nlohmann::json& object, const char* key) {
  if (!object.is_object()) return nullptr;
  const auto at = object.find(key);
  return at == object.end() ? nullptr : &*at;
}

inline std::string text(const nlohmann::json& object, const char* key) {
  const auto* m = member(object, key);
  return m != nullptr && m->is_string() ? m->get<std::string>() : std::string();
}

inline double number(const nlohmann::json& object, const char* key, double otherwise) {
  const auto* m = member(object, key);
  return m != nullptr && m->is_number() ? m->get<double>() : otherwise;
}

inline bool truth(const nlohmann::json& object, const char* key) {
  const auto* m = member(object, key);
  return m != nullptr && m->is_boolean() && m->get<bool>();
}

/// The object of that name; an empty one where there is none.
inline const nlohmann::json& part(const nlohmann::json& object, const char* key) {
  static const nlohmann::json kNone = nlohmann::json::object();
  const auto* m = member(object, key);
  return m != nullptr && m->is_object() ? *m : kNone;
}

/// The array of that name; an empty one where there is none, or one that is longer than `most`.
inline const nlohmann::json& list(const nlohmann::json& object, const char* key, std::size_t most) {
  static const nlohmann::json kNone = nlohmann::json::array();
  const auto* m = member(object, key);
  return m != nullptr && m->is_array() && m->size() <= most ? *m : kNone;
}

inline std::vector<std::string> texts(const nlohmann::json& object, const char* key) {
  std::vector<std::string> out;
  constexpr std::size_t kMost = 10'000;
  for (const auto& entry : list(object, key, kMost)) {
    if (entry.is_string()) out.push_back(entry.get<std::string>());
  }
  return out;
}

/// Its numbers; what is none counts as 0.
inline std::vector<float> numbers(const nlohmann::json& object, const char* key, std::size_t most) {
  std::vector<float> out;
  for (const auto& entry : list(object, key, most)) out.push_back(entry.is_number() ? entry.get<float>() : 0.0F);
  return out;
}

}  // namespace strigil::ui
