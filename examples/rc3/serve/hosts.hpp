#pragma once
/// Names by which a server is called. A page of another site whose name is made to resolve to this machine (DNS
/// rebinding) has that name in its Host header, and is refused.

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace tool::serve {

/// Host of a Host header, lower case, without port and brackets: "::1" for "[::1]:8080". Empty if there is none.
inline std::string host_of(std::string_view header) {
  std::string_view host = header;
  if (host.starts_with('[')) {
    const auto end = host.find(']');
    host = end == std::string_view::npos ? std::string_view() : host.substr(1, end - 1);
  } else {
    host = host.substr(0, host.find(':'));
  }
  std::string lower(host);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; });
  return lower;
}

/// Whether @p host is an IP address. A browser sends one only if the user gave it: it needs no name server.
inline bool is_address(std::string_view host) {
  if (host.find(':') != std::string_view::npos)
    return host.find_first_not_of("0123456789abcdef:.") == std::string_view::npos;
  return std::count(host.begin(), host.end(), '.') == 3 &&
         host.find_first_not_of("0123456789.") == std::string_view::npos;
}

/// Names that are ours: localhost, the address that the server listens on, and what its user added. A server that
/// listens beyond this machine has several addresses, so that it accepts every address.
/// The port is not compared, so that a forwarded one (ssh -L) works.
class Hosts {
 public:
  /// @param address  that the server listens on
  Hosts(const std::string& address, const std::vector<std::string>& names)
      : ours_{"localhost", "127.0.0.1", "::1", address},
        every_address_(address != "localhost" && address != "::1" && !address.starts_with("127.")) {
    ours_.insert(ours_.end(), names.begin(), names.end());
    for (auto& name : ours_) name = name.find(':') == std::string::npos ? host_of(name) : host_of('[' + name + ']');
  }
  /// @param header  value of the Host header; empty: there is none
  bool ours(std::string_view header) const {
    const std::string host = host_of(header);
    if (host.empty()) return false;
    return std::find(ours_.begin(), ours_.end(), host) != ours_.end() || (every_address_ && is_address(host));
  }

 private:
  std::vector<std::string> ours_;
  bool every_address_;
};

}  // namespace tool::serve
