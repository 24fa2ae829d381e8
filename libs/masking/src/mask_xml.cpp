#include <expat.h>

#include <algorithm>
#include <limits>

#include "mask_spans.hpp"

namespace cameleer {
namespace {

std::string_view local_name(std::string_view name) {
  const auto colon = name.rfind(':');
  return colon == std::string_view::npos ? name : name.substr(colon + 1);
}

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

class XmlSpans {
 public:
  XmlSpans(std::string_view text, const SensitiveKeys& keys)
      : text_(text), keys_(keys), parser_(XML_ParserCreate("UTF-8"), XML_ParserFree) {}

  bool run() {
    if (!parser_ || text_.size() > static_cast<std::size_t>(std::numeric_limits<int>::max())) return false;
    XML_SetUserData(parser_.get(), this);
    XML_SetElementHandler(parser_.get(), &XmlSpans::on_start, &XmlSpans::on_end);
    // A default handler keeps internal entities unexpanded: events then come from the text alone.
    XML_SetDefaultHandler(parser_.get(), [](void*, const XML_Char*, int) {});
    return XML_Parse(parser_.get(), text_.data(), static_cast<int>(text_.size()), 1) == XML_STATUS_OK;
  }

  std::vector<Span> spans;

 private:
  static void XMLCALL on_start(void* self, const XML_Char* name, const XML_Char** attributes) {
    static_cast<XmlSpans*>(self)->start(name, attributes);
  }
  static void XMLCALL on_end(void* self, const XML_Char*) { static_cast<XmlSpans*>(self)->end(); }

  [[nodiscard]] bool sensitive(std::string_view name) const {
    return keys_.matches(name) || keys_.matches(local_name(name));
  }

  void start(std::string_view name, const XML_Char** attributes) {
    if (inside_ > 0) {
      ++inside_;
      return;
    }
    const auto begin = static_cast<std::size_t>(XML_GetCurrentByteIndex(parser_.get()));
    const auto length = static_cast<std::size_t>(XML_GetCurrentByteCount(parser_.get()));
    for (; *attributes; attributes += 2) {
      if (sensitive(*attributes)) {
        mask_attributes(begin, begin + length);
        break;
      }
    }
    if (sensitive(name)) {
      inside_ = 1;
      content_ = begin + length;
    }
  }

  void end() {
    if (inside_ == 0 || --inside_ > 0) return;
    const auto index = static_cast<std::size_t>(XML_GetCurrentByteIndex(parser_.get()));
    if (index > content_) spans.push_back({content_, index});
  }

  // Expat does not say where an attribute is; the tag is well-formed, so a plain scan finds it.
  void mask_attributes(std::size_t at, std::size_t end) {
    end = std::min(end, text_.size());
    while (at < end && !is_space(text_[at])) ++at;
    while (at < end) {
      while (at < end && is_space(text_[at])) ++at;
      const auto name_begin = at;
      while (at < end && text_[at] != '=' && !is_space(text_[at])) ++at;
      const auto name = text_.substr(name_begin, at - name_begin);
      while (at < end && text_[at] != '"' && text_[at] != '\'') ++at;
      if (at >= end) return;
      const auto close = text_.find(text_[at], at + 1);
      if (close == std::string_view::npos || close >= end) return;
      if (sensitive(name)) spans.push_back({at + 1, close});
      at = close + 1;
    }
  }

  std::string_view text_;
  const SensitiveKeys& keys_;
  std::unique_ptr<XML_ParserStruct, void (*)(XML_Parser)> parser_;
  std::size_t inside_ = 0;  // elements open within the masked one, itself included
  std::size_t content_ = 0;
};

}  // namespace

std::optional<std::vector<Span>> find_xml_spans(std::string_view text, const SensitiveKeys& keys) {
  XmlSpans finder(text, keys);
  if (!finder.run()) return std::nullopt;
  return std::move(finder.spans);
}

}  // namespace cameleer
