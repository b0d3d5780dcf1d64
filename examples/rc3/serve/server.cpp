#include "server.hpp"

#include <httplib.h>  // behind Eigen, whose parameters are called _res: a macro of <resolv.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <functional>
#include <iostream>
#include <mutex>
#include <stop_token>
#include <thread>
#include <type_traits>
#include <utility>

#include <rc3/core/error.hpp>

#include "rc3/serve/hosts.hpp"

namespace tool::serve {

namespace {

/// Whether this thread only refuses requests.
thread_local bool refusing = false;

/// Threads that serve connections, and two that refuse those which find no place: each is answered.
class Connections : public httplib::TaskQueue {
  using Enqueued = decltype(std::declval<httplib::TaskQueue&>().enqueue({}));  // void, in later versions bool

 public:
  Connections(int threads, int waiting) : most_waiting_(static_cast<std::size_t>(waiting)) {
    for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { work(served_, false); });
    for (int i = 0; i < 2; ++i) threads_.emplace_back([this] { work(refused_, true); });
    idle_ = threads;
  }

  Enqueued enqueue(std::function<void()> connection) override {
    {
      std::unique_lock lock(mutex_);
      // Full here too: the system's own queue of connections is next, until some are answered.
      changed_.wait(lock, [this] { return ended_ || !full() || refused_.size() < most_refused; });
      (full() ? refused_ : served_).push_back(std::move(connection));
    }
    changed_.notify_all();
    return Enqueued(true);
  }

  void shutdown() override {
    {
      const std::lock_guard lock(mutex_);
      ended_ = true;
    }
    changed_.notify_all();
    threads_.clear();  // each ends after its queue
  }

 private:
  static constexpr std::size_t most_refused = 256;

  bool full() const { return served_.size() >= most_waiting_ + static_cast<std::size_t>(idle_); }

  void work(std::deque<std::function<void()>>& queue, bool refuse) {
    refusing = refuse;
    for (;;) {
      std::function<void()> connection;
      {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return ended_ || !queue.empty(); });
        if (queue.empty()) return;
        connection = std::move(queue.front());
        queue.pop_front();
        if (!refuse) --idle_;
      }
      changed_.notify_all();
      connection();
      if (refuse) continue;
      const std::lock_guard lock(mutex_);
      ++idle_;
    }
  }

  std::size_t most_waiting_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> served_, refused_;
  int idle_ = 0;
  bool ended_ = false;
  std::vector<std::jthread> threads_;
};

/// Reason why nothing can listen on @p port of @p host.
std::string why_not(const std::string& host, int port) {
  addrinfo hints{}, *all = nullptr;
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  if (const int error = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &all); error != 0)
    return std::string(::gai_strerror(error)) + "; give an address of this machine with --host";
  std::string reason = "unknown";
  for (const addrinfo* one = all; one != nullptr; one = one->ai_next) {
    const int fd = ::socket(one->ai_family, one->ai_socktype, one->ai_protocol);
    if (fd < 0) continue;
    const int yes = 1;
    ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (::bind(fd, one->ai_addr, one->ai_addrlen) != 0 || ::listen(fd, 1) != 0)
      reason = errno == EADDRINUSE      ? "the port is in use; give another with --port, or 0 for any free one"
               : errno == EADDRNOTAVAIL ? "this machine has no such address; give one of its own with --host"
                                        : std::strerror(errno);
    ::close(fd);
  }
  ::freeaddrinfo(all);
  return reason;
}

void set(httplib::Response& to, Reply reply) {
  to.status = reply.status;
  to.set_header("Cache-Control", reply.cache);
  if (!reply.tag.empty()) to.set_header("ETag", '"' + reply.tag + '"');
  if (reply.retry_after > 0) to.set_header("Retry-After", std::to_string(reply.retry_after));
  if (reply.status != 304) to.set_content(std::move(reply.body), reply.type);
}

Request request_of(const httplib::Request& from, std::string body) {
  return {from.method == "HEAD" ? "GET" : from.method, from.path, from.params, std::move(body),
          from.get_header_value("If-None-Match")};
}

/// Reply to a request that has none of its own: httplib gave it only a status.
Reply reply_of_status(int status) {
  if (status == 414) return error_reply(400, "the address is longer than 8192 bytes; a text has at most 2048");
  if (status == 413) return error_reply(413, "the body is larger than the server allows");
  if (status == 404 || status == 405) return error_reply(status, "there is no such page");
  return error_reply(status == -1 ? 400 : status, "the request is incomplete or no valid HTTP");
}

}  // namespace

struct Server::Parts {
  Parts(std::shared_ptr<const Encoder> encoder, const std::filesystem::path& index, ServerOptions given)
      : options(std::move(given)),
        photos(std::make_shared<LivePhotos>(index, encoder->model(), options.threads)),
        api(std::move(encoder), photos, options.captions, options.api),
        hosts(options.host, options.names) {
    const auto& o = options;
    rc3::require(o.port >= 0 && o.port <= 65535, "rc3 serve: --port must be in [0, 65535], is ", o.port);
    rc3::require(o.connections > 0 && o.waiting >= 0 && o.max_body > 0 && o.threads > 0,
                 "rc3 serve: connections, max_body and threads must be above 0, waiting not below");
    http.new_task_queue = [this] { return new Connections(options.connections, options.waiting); };
    http.set_payload_max_length(o.max_body);
    http.set_keep_alive_max_count(1000);
    http.set_keep_alive_timeout(2);  // an idle connection has a thread to itself
    http.set_read_timeout(o.patience);
    http.set_write_timeout(o.patience);
    http.set_tcp_nodelay(true);
    http.set_default_headers({{"Content-Security-Policy",
                               "default-src 'self'; img-src 'self' blob:; object-src 'none'; base-uri 'none'; "
                               "form-action 'self'; frame-ancestors 'none'"},
                              {"X-Content-Type-Options", "nosniff"},
                              {"X-Frame-Options", "DENY"},
                              {"Referrer-Policy", "no-referrer"},
                              {"Cross-Origin-Resource-Policy", "same-origin"},
                              {"Cross-Origin-Opener-Policy", "same-origin"}});
    // httplib would set SO_REUSEPORT: a second server would take half of the connections without an error.
    int listening = -1;
    http.set_socket_options([&listening](int socket) {
      const int yes = 1;
      ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
      listening = socket;
    });
    route();
    port = o.port;
    bool bound = false;
    if (o.port == 0) {
      port = http.bind_to_any_port(o.host);
      bound = port > 0;
    } else {
      bound = http.bind_to_port(o.host, o.port);
    }
    if (!bound) rc3::fail("rc3 serve: cannot listen on port ", o.port, " of ", o.host, ": ", why_not(o.host, o.port));
    ::listen(listening, 1024);  // httplib's queue of 5 loses connections that come at once
    listener = std::jthread([this] { http.listen_after_bind(); });
    while (!http.is_running()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    watcher = std::jthread([this](const std::stop_token& stop) { watch(stop); });
  }

  ~Parts() {
    watcher.request_stop();
    changed.notify_all();
    http.stop();
  }

  void route() {
    using Handled = httplib::Server::HandlerResponse;
    http.set_pre_routing_handler([this](const httplib::Request& request, httplib::Response& response) {
      if (request.method == "POST") return Handled::Unhandled;  // its body must be read before the reply
      set(response, request.method == "GET" || request.method == "HEAD"
                        ? reply(request, {})
                        : error_reply(405, "the methods are GET, HEAD and POST"));
      return Handled::Handled;
    });
    http.Post(".*", [this](const httplib::Request& request, httplib::Response& response,
                           const httplib::ContentReader& read) { post(request, response, read); });
    http.set_error_handler(httplib::Server::Handler([](const httplib::Request&, httplib::Response& response) {
      if (response.body.empty()) set(response, reply_of_status(response.status));
    }));
  }

  Reply reply(const httplib::Request& request, std::string body) {
    if (!hosts.ours(request.get_header_value("Host")) || request.get_header_value_count("Host") != 1)
      return error_reply(403, "the Host header is not a name of this server; allow a name with --name");
    if (refusing) return busy_reply();
    return api(request_of(request, std::move(body)));
  }

  void post(const httplib::Request& request, httplib::Response& response, const httplib::ContentReader& read) {
    std::string body;
    bool too_large = false;
    const auto end = std::chrono::steady_clock::now() + options.longest_body;
    if (request.is_multipart_form_data()) {
      read([](const httplib::MultipartFormData&) { return true; }, [](const char*, std::size_t) { return true; });
      return set(response, error_reply(415,
                                       "send the bytes of the image file as the body, not a form: curl "
                                       "--data-binary @photo.jpg"));
    }
    const bool complete = read([&](const char* bytes, std::size_t size) {
      too_large = too_large || body.size() + size > options.max_body;
      if (!too_large) body.append(bytes, size);  // the rest is read too: else it would be taken for a request
      return std::chrono::steady_clock::now() < end;
    });
    if (complete && !too_large) return set(response, reply(request, std::move(body)));
    if (too_large || response.status == 413)
      set(response, error_reply(413, rc3::join("the body has more than the allowed ", options.max_body, " bytes")));
    else
      set(response, error_reply(400, "the body ended early, or came too slowly"));
  }

  void watch(const std::stop_token& stop) {
    std::string told;
    std::unique_lock lock(mutex);
    while (!changed.wait_for(lock, stop, options.refresh, [&] { return stop.stop_requested(); })) {
      if (photos->refresh()) std::cerr << "rc3: the index changed: " << photos->now()->size() << " images\n";
      const auto problem = photos->problem();
      if (!problem.empty() && problem != told)
        std::cerr << "rc3: the index changed and is not used: " << problem << '\n';
      told = problem;
    }
  }

  ServerOptions options;
  std::shared_ptr<LivePhotos> photos;
  Api api;
  Hosts hosts;
  httplib::Server http;
  int port = 0;
  std::mutex mutex;
  std::condition_variable_any changed;
  std::jthread listener, watcher;
};

Server::Server(std::shared_ptr<const Encoder> encoder, const std::filesystem::path& index, ServerOptions options)
    : parts_(std::make_unique<Parts>(std::move(encoder), index, std::move(options))) {}

Server::~Server() = default;

int Server::port() const { return parts_->port; }

std::string Server::url() const {
  const std::string& host = parts_->options.host;
  const std::string shown = host == "0.0.0.0" || host == "::"     ? "localhost"
                            : host.find(':') == std::string::npos ? host
                                                                  : '[' + host + ']';
  return rc3::join("http://", shown, ':', port(), '/');
}

const LivePhotos& Server::photos() const { return *parts_->photos; }

}  // namespace tool::serve
