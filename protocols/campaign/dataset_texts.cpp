#include "protocols/campaign/dataset_texts.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "daq/json_text.hpp"

namespace strigil::protocols {
namespace {

using nlohmann::ordered_json;

std::string dump(const ordered_json& j) { return daq::json_text(j, 1) + "\n"; }

/// A field of CSV (RFC 4180).
std::string field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + "\"";
}

std::string title_of(const DatasetFacts& f) {
  if (!f.suite.dataset.title.empty()) return f.suite.dataset.title;
  return f.suite.title.empty() ? f.suite.name : f.suite.title;
}

std::string description_of(const DatasetFacts& f) {
  if (!f.suite.dataset.description.empty()) return f.suite.dataset.description;
  if (!f.suite.description.empty()) return f.suite.description;
  return fmt::format(
      "{} runs of instruments stroked over tissue phantoms: force and vibration with their ground truth.",
      f.runs.size());
}

std::string licence_url(const std::string& spdx) { return "https://spdx.org/licenses/" + spdx; }

/// Text in YAML's double quotes, which are JSON's.
std::string quoted(const std::string& text) { return daq::json_text(ordered_json(text)); }

struct Person {
  std::string family;
  std::string given;  ///< empty: an organisation, or one name alone
};
Person person_of(const std::string& creator) {
  const auto comma = creator.find(',');
  if (comma == std::string::npos) return {creator, ""};
  const auto given = creator.find_first_not_of(' ', comma + 1);
  return {creator.substr(0, comma), given == std::string::npos ? "" : creator.substr(given)};
}

struct Column {
  const char* name;
  const char* unit;
  const char* meaning;
};
constexpr Column kColumns[] = {
    {"trial", "", "identifier of the trial: of what was set and nothing else"},
    {"file", "", "run file (HDF5), relative to this folder"},
    {"sha256", "", "of the run file"},
    {"bytes", "B", "size of the run file"},
    {"judgement", "", "PASS, FAIL, or INVALID: something needed for trust was missing, so the run is in no split"},
    {"strokes", "", "strokes that were measured"},
    {"duration_s", "s", "of the run, in the bench's time"},
    {"phantom", "", "what lay under the instrument, of the ground truth"},
    {"condition", "", "what a clinician would call it, of the ground truth"},
    {"split", "", "train, validation or test; all runs on one phantom are in the same one"},
    {"ground_truth", "", "JSON file of layers, inclusions and confounders, relative to this folder"},
};

std::vector<std::string> cells(const DatasetRun& r) {
  return {r.trial,
          r.file,
          r.sha256,
          std::to_string(r.bytes),
          r.judgement,
          std::to_string(r.strokes),
          fmt::format("{:.3f}", r.duration_s),
          r.phantom,
          r.condition,
          r.split,
          r.ground_truth};
}

}  // namespace

std::string contents_csv(const DatasetFacts& f) {
  std::string out;
  for (const auto& c : kColumns) out += (out.empty() ? "" : ",") + std::string(c.name);
  for (const auto& factor : f.suite.design.factors) out += "," + field("factor_" + factor.name);
  out += '\n';
  for (const auto& run : f.runs) {
    std::string line;
    for (const auto& cell : cells(run)) line += (line.empty() ? "" : ",") + field(cell);
    for (const auto& [name, level] : run.factors) line += "," + field(level);
    out += line + "\n";
  }
  return out;
}

std::string contents_json(const DatasetFacts& f) {
  auto runs = ordered_json::array();
  for (const auto& r : f.runs) {
    ordered_json factors = ordered_json::object();
    for (const auto& [name, level] : r.factors) factors[name] = level;
    runs.push_back({{"trial", r.trial},
                    {"file", r.file},
                    {"sha256", r.sha256},
                    {"bytes", r.bytes},
                    {"judgement", r.judgement},
                    {"strokes", r.strokes},
                    {"duration_s", r.duration_s},
                    {"phantom", r.phantom},
                    {"condition", r.condition},
                    {"split", r.split},
                    {"ground_truth", r.ground_truth},
                    {"factors", factors}});
  }
  return dump({{"format", "strigil-dataset"},
               {"format_version", 1},
               {"suite", f.suite.name},
               {"software", f.software},
               {"date", f.date},
               {"runs", runs}});
}

std::string splits_json(const Splits& s) {
  return dump({{"by", "phantom"}, {"train", s.train}, {"validation", s.validation}, {"test", s.test}});
}

std::string data_dictionary(const DatasetFacts& f, const daq::RunHeader& header) {
  auto columns = ordered_json::array();
  for (const auto& c : kColumns) columns.push_back({{"name", c.name}, {"unit", c.unit}, {"meaning", c.meaning}});
  for (const auto& factor : f.suite.design.factors)
    columns.push_back({{"name", "factor_" + factor.name},
                       {"unit", ""},
                       {"meaning", "what was set in the trial; the unit is in the name"}});
  auto streams = ordered_json::array();
  for (const auto& s : header.streams) {
    auto channels = ordered_json::array();
    for (const auto& c : s.channels)
      channels.push_back({{"name", c.name}, {"unit", c.unit}, {"scale", c.scale}, {"offset", c.offset}});
    streams.push_back({{"name", s.name},
                       {"quantity", s.quantity},
                       {"rate_Hz", s.rate_Hz},
                       {"dataset", "/streams/" + s.name + "/counts"},
                       {"value", "scale * counts + offset, in the channel's unit"},
                       {"times", "/streams/" + s.name + "/blocks: t0_ns + i * period_ns, host time in ns"},
                       {"channels", channels}});
  }
  return dump(
      {{"contents.csv", columns},
       {"streams_of_a_run_file", streams},
       {"config_of_a_run_file",
        {{"bench.toml", "the bench as it was read"},
         {"protocol.toml", "the protocol as it was read"},
         {"plan.json", "the protocol expanded and checked: steps and conditions"},
         {"phantom.toml", "the phantom as it was read"},
         {"ground_truth.json", "layers, inclusions and confounders in mm, stage frame: x along the strokes, z up"}}},
       {"events_of_a_run_file", "/events: what happened when; step_began and step_ended bound each stroke"},
       {"end_of_a_run_file", "/end: JSON with the verdict, stroke by stroke"}});
}

std::string licence_text(const DatasetFacts& f) {
  return fmt::format("SPDX-License-Identifier: {0}\n\nThis data set is licensed under {0}. The licence's text: {1}\n",
                     f.suite.dataset.licence, licence_url(f.suite.dataset.licence));
}

std::string citation_cff(const DatasetFacts& f) {
  std::string out =
      "cff-version: 1.2.0\nmessage: \"If you use this data set, please cite it as below.\"\ntype: dataset\n";
  out += fmt::format("title: {}\nabstract: {}\nauthors:\n", quoted(title_of(f)), quoted(description_of(f)));
  for (const auto& creator : f.suite.dataset.creators) {
    const auto p = person_of(creator);
    out += p.given.empty()
               ? fmt::format("  - name: {}\n", quoted(p.family))
               : fmt::format("  - family-names: {}\n    given-names: {}\n", quoted(p.family), quoted(p.given));
  }
  // The key is required: who collected without saying who it was is the suite itself.
  if (f.suite.dataset.creators.empty())
    out += fmt::format("  - name: {}\n", quoted("Authors of the suite " + f.suite.name));
  if (!f.suite.dataset.keywords.empty()) {
    out += "keywords:\n";
    for (const auto& k : f.suite.dataset.keywords) out += fmt::format("  - {}\n", quoted(k));
  }
  if (!f.suite.version.empty()) out += fmt::format("version: {}\n", quoted(f.suite.version));
  out += fmt::format("license: {}\ndate-released: \"{}\"\n", f.suite.dataset.licence, f.date.substr(0, 10));
  return out;
}

std::string readme_text(const DatasetFacts& f) {
  std::uint64_t strokes = 0;
  for (const auto& r : f.runs) strokes += r.strokes;
  return fmt::format(
      "# {}\n\n{}\n\n{} runs with {} strokes, made by Strigil {} from the suite in `suite.toml`.\n\n"
      "- `contents.csv`, `contents.json`: one row a run; what each column is, is in `data_dictionary.json`\n"
      "- `runs/`: HDF5, raw counts with scale, unit and time\n"
      "- `ground_truth/`: what lay under the instrument. **It is also inside each run file**: do not feed it to what "
      "you "
      "judge\n"
      "- `splits.json`: {} phantoms for training, {} for validation, {} for test. All runs on one phantom, with and "
      "without\n  its targets, are in the same split: nothing learned on a phantom is asked about it\n"
      "- `load_dataset.py`: an example (Python, h5py, numpy): `python3 load_dataset.py`\n"
      "- `SHA256SUMS`: `sha256sum -c SHA256SUMS`\n"
      "- `ro-crate-metadata.json`: RO-Crate 1.1; `CITATION.cff`; `LICENSE` ({})\n",
      title_of(f), description_of(f), f.runs.size(), strokes, f.software, f.splits.train.size(),
      f.splits.validation.size(), f.splits.test.size(), f.suite.dataset.licence);
}

std::string loader_example() {
  return R"py(#!/usr/bin/env python3
"""Reads this data set: run by run, force in newtons and vibration over time, with the ground truth beside it.

    python3 load_dataset.py             checks the splits and prints a line for each run
    from load_dataset import runs       for run in runs("train"): run.stream("force") ...
"""
import csv
import json
import os
import sys

import h5py
import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))


class Run:
    def __init__(self, row):
        self.row = row  # of contents.csv

    def truth(self):
        """Layers, inclusions and confounders, in mm; None where nothing is known."""
        if not self.row["ground_truth"]:
            return None
        with open(os.path.join(HERE, self.row["ground_truth"])) as file:
            return json.load(file)

    def stream(self, name):
        """(t_s, values, channels): values is (samples, channels) in the channels' units."""
        with h5py.File(os.path.join(HERE, self.row["file"]), "r") as file:
            group = file["streams"][name]
            values = group["counts"][:] * group.attrs["scale"] + group.attrs["offset"]
            blocks = group["blocks"][:]
            channels = [c.decode() if isinstance(c, bytes) else c for c in np.atleast_1d(group.attrs["channels"])]
        t_ns = np.concatenate([b["t0_ns"] + b["period_ns"] * np.arange(b["samples"]) for b in blocks]) if len(blocks) else np.empty(0)
        return t_ns * 1e-9, values, channels

    def verdict(self):
        with h5py.File(os.path.join(HERE, self.row["file"]), "r") as file:
            return json.loads(bytes(file["end"][:]).decode())["verdict"]


def runs(split=None):
    """All runs, or those of "train", "validation" or "test"."""
    with open(os.path.join(HERE, "contents.csv"), newline="") as file:
        for row in csv.DictReader(file):
            if split is None or row["split"] == split:
                yield Run(row)


def main():
    phantoms = {s: {r.row["phantom"] for r in runs(s)} for s in ("train", "validation", "test")}
    for a in phantoms:
        for b in phantoms:
            if a != b and phantoms[a] & phantoms[b]:
                sys.exit(f"{a} and {b} share phantoms: {phantoms[a] & phantoms[b]}")
    for run in runs():
        t_s, values, channels = run.stream("force")
        truth = run.truth()
        targets = [i["name"] for i in truth["inclusions"] if i["target"] and i["differs"]] if truth else []
        print(f'{run.row["trial"]} {run.row["split"] or "-":<10} {run.row["phantom"] or "-":<24} '
              f'{len(t_s)} force samples over {t_s[-1] - t_s[0]:.2f} s, greatest {np.abs(values[:, 2]).max():.2f} '
              f'{channels[2]}; {len(targets)} targets; {run.verdict()["judgement"]}')


if __name__ == "__main__":
    main()
)py";
}

std::string ro_crate(const DatasetFacts& f, const std::vector<CrateFile>& files) {
  const auto format_of = [](const std::string& name) {
    if (name.ends_with(".h5")) return "application/x-hdf5";
    if (name.ends_with(".json")) return "application/json";
    if (name.ends_with(".csv")) return "text/csv";
    if (name.ends_with(".md")) return "text/markdown";
    if (name.ends_with(".py")) return "text/x-python";
    if (name.ends_with(".toml")) return "application/toml";
    if (name.ends_with(".cff")) return "application/yaml";
    return "text/plain";
  };
  auto parts = ordered_json::array();
  auto graph = ordered_json::array();
  auto authors = ordered_json::array();
  const auto url = licence_url(f.suite.dataset.licence);
  for (const auto& file : files) parts.push_back({{"@id", file.name}});
  graph.push_back({{"@id", "ro-crate-metadata.json"},
                   {"@type", "CreativeWork"},
                   {"conformsTo", {{"@id", "https://w3id.org/ro/crate/1.1"}}},
                   {"about", {{"@id", "./"}}}});
  auto people = ordered_json::array();
  for (std::size_t i = 0; i < f.suite.dataset.creators.size(); ++i) {
    const auto p = person_of(f.suite.dataset.creators[i]);
    const auto id = fmt::format("#creator-{}", i + 1);
    authors.push_back({{"@id", id}});
    if (p.given.empty()) {
      people.push_back({{"@id", id}, {"@type", "Organization"}, {"name", p.family}});
    } else {
      people.push_back({{"@id", id},
                        {"@type", "Person"},
                        {"name", p.given + " " + p.family},
                        {"familyName", p.family},
                        {"givenName", p.given}});
    }
  }
  ordered_json root{{"@id", "./"},
                    {"@type", "Dataset"},
                    {"name", title_of(f)},
                    {"description", description_of(f)},
                    {"datePublished", f.date.substr(0, 10)},
                    {"license", {{"@id", url}}},
                    {"hasPart", parts},
                    {"mentions", {{{"@id", "#made"}}}}};
  if (!authors.empty()) root["author"] = authors;
  if (!f.suite.dataset.keywords.empty()) root["keywords"] = f.suite.dataset.keywords;
  if (!f.suite.version.empty()) root["version"] = f.suite.version;
  graph.push_back(root);
  graph.push_back({{"@id", url},
                   {"@type", "CreativeWork"},
                   {"name", f.suite.dataset.licence},
                   {"description", "The licence of this data set, by its SPDX identifier"}});
  graph.push_back(
      {{"@id", "#strigil"}, {"@type", "SoftwareApplication"}, {"name", "Strigil"}, {"version", f.software}});
  graph.push_back({{"@id", "#made"},
                   {"@type", "CreateAction"},
                   {"name", "The campaign of the suite " + f.suite.name},
                   {"instrument", {{"@id", "#strigil"}}},
                   {"object", {{"@id", "suite.toml"}}},
                   {"result", {{"@id", "./"}}}});
  for (const auto& person : people) graph.push_back(person);
  for (const auto& file : files)
    graph.push_back({{"@id", file.name},
                     {"@type", "File"},
                     {"name", file.name},
                     {"encodingFormat", format_of(file.name)},
                     {"contentSize", std::to_string(file.bytes)},
                     {"sha256", file.sha256}});
  return dump({{"@context", "https://w3id.org/ro/crate/1.1/context"}, {"@graph", graph}});
}

}  // namespace strigil::protocols
