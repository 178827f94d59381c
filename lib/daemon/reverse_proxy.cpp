#include "daemon/reverse_proxy.hpp"

#include "os/log.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace pgod::daemon {

namespace {

using namespace std::chrono_literals;

constexpr std::chrono::seconds first_retry{30};
constexpr unsigned most_doublings = 4; // eight minutes

} // namespace

void ReverseProxy::want(const ProxySettings& settings, std::vector<std::string> texts) {
    again_ = command_ != nullptr; // its round goes on with what it began with
    if (!files_ || files_->settings() != settings) {
        command_.reset();
        files_.emplace(settings, state_directory_);
    }
    wanted_ = std::move(texts);
    choice_ = 0;
    failures_ = 0;
    if (!command_)
        begin();
}

void ReverseProxy::leave_alone() {
    command_.reset();
    retry_.cancel();
    files_.reset();
    problem_.clear();
    choice_ = 0;
}

void ReverseProxy::begin() {
    again_ = false;
    retry_.cancel();
    if (const auto wait = pace_.wait(Pace::Clock::now()); wait > 0s) {
        retry_ = loop_.after(std::chrono::ceil<std::chrono::milliseconds>(wait), [this] { begin(); });
        return;
    }
    offered_ = wanted_;
    offer_ = 0;
    offer();
}

void ReverseProxy::offer() {
    auto present = files_->present();
    if (!present)
        return fail(fmt::format("proxy: {}", present.error().message));
    present_ = std::move(*present);
    if (next_proxy_step(trying(), present_, files_->loaded()) == ProxyStep::place)
        if (auto placed = place(); !placed)
            return fail(fmt::format("proxy: {} cannot be written: {}", files_->settings().file,
                                    placed.error().message));
    const auto step = next_proxy_step(trying(), present_, files_->loaded());
    if (step != ProxyStep::nothing && offer_ == 0)
        pace_.take(Pace::Clock::now());
    switch (step) {
    case ProxyStep::place: // done
    case ProxyStep::check:
        return start(files_->check_of(trying()), &ReverseProxy::on_checked);
    case ProxyStep::reload: // killed after it was replaced
        return reload();
    case ProxyStep::nothing:
        return succeed();
    }
}

// So that the main configuration can read it from now on, and the check has something to lay the candidate
// over.
Status ReverseProxy::place() {
    present_ = files_->loaded().value_or(render_proxy_file(files_->settings(), {}));
    return files_->write(*present_);
}

void ReverseProxy::start(Result<os::SpawnRequest> request, Judge judge) {
    auto command = request ? HostCommand::start(loop_, std::move(*request), files_->settings().timeout,
                                                [this, judge](const HostCommand::End& end) {
                                                    const auto ended = std::move(command_);
                                                    (this->*judge)(end);
                                                })
                           : Result<std::unique_ptr<HostCommand>>(std::move(request).error());
    if (!command)
        return fail(
            fmt::format("proxy: {} stays as it was: {}", files_->settings().file, command.error().message));
    command_ = std::move(*command);
}

std::string ReverseProxy::what_failed(const HostCommand::End& end) const {
    if (end.timed_out)
        return fmt::format("it did not end within {} s", files_->settings().timeout / 1s);
    const auto complaint = complaint_in(end.output);
    return complaint.empty() ? "it " + os::describe_wait_status(end.wait_status) : complaint;
}

void ReverseProxy::on_checked(const HostCommand::End& end) {
    const bool is_last = offer_ + 1 == offered_.size();
    const auto conflict =
        end.succeeded() && !is_last ? conflict_in(end.output, trying(), offered_.back()) : std::string();
    if (offer_ == 0)
        complaint_ = end.succeeded() ? conflict : what_failed(end);
    if ((!end.succeeded() && !end.timed_out && !is_last) || !conflict.empty()) {
        ++offer_;
        return offer();
    }
    if (!end.succeeded())
        return fail(fmt::format("proxy: {} stays as it was, {} did not accept the new one: {}",
                                files_->settings().file, fmt::join(files_->settings().check, " "),
                                complaint_));
    // A check that reads nothing of the file would take anything.
    start(files_->check_of(proxy_probe(files_->settings().kind)), &ReverseProxy::on_probed);
}

void ReverseProxy::on_probed(const HostCommand::End& end) {
    if (end.timed_out)
        return fail(fmt::format("proxy: {} stays as it was, {}: {}", files_->settings().file,
                                fmt::join(files_->settings().check, " "), what_failed(end)));
    if (end.succeeded())
        return fail(fmt::format("proxy: {} is not read by {}; run: {}", files_->settings().file,
                                files_->settings().main, command_to_include(files_->settings())));
    replace();
}

void ReverseProxy::replace() {
    if (auto written = files_->write(trying()); !written)
        return fail(
            fmt::format("proxy: {} stays as it was: {}", files_->settings().file, written.error().message));
    reload();
}

void ReverseProxy::reload() {
    start(files_->reload(), &ReverseProxy::on_reloaded);
}

// What the proxy would not load now it would not start with later either.
void ReverseProxy::on_reloaded(const HostCommand::End& end) {
    if (end.succeeded()) {
        if (auto noted = files_->note_loaded(trying()); !noted)
            os::log_warning("proxy: {}", noted.error().message);
        os::log_info("proxy: {} was written and loaded", files_->settings().file);
        return succeed();
    }
    const auto before = present_ != trying() ? present_ : files_->loaded();
    const bool back = before && files_->write(*before);
    fail(fmt::format("proxy: {} {}, {}: {}", files_->settings().file,
                     back ? "is back as it was" : "was written but not loaded",
                     fmt::join(files_->settings().reload, " "), what_failed(end)));
}

void ReverseProxy::succeed() {
    if (offer_ > 0 && !again_)
        os::log_warning(
            "proxy: {} is without some urls that repositories asked for lately, because {} did not accept "
            "it with them: {}",
            files_->settings().file, fmt::join(files_->settings().check, " "), complaint_);
    if (!again_)
        choice_ = offer_;
    if (!problem_.empty())
        os::log_info("proxy: {} is in order again", files_->settings().file);
    problem_.clear();
    failures_ = 0;
    end_round();
}

void ReverseProxy::fail(std::string sentence) {
    if (sentence != problem_)
        os::log_error("{}", sentence);
    problem_ = std::move(sentence);
    const auto wait = first_retry * (1U << std::min(failures_++, most_doublings));
    retry_ = loop_.after(wait, [this] { begin(); });
    end_round();
}

void ReverseProxy::end_round() {
    if (again_)
        begin();
}

} // namespace pgod::daemon
