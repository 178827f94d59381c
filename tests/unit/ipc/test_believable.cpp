#include "base/text.hpp"
#include "ipc/believable.hpp"

#include <doctest/doctest.h>

using namespace pgod;
using namespace pgod::ipc;

namespace {

const std::string commit(40, 'a');

WorkDone honest() {
    WorkDone done;
    done.exit_status = 0;
    done.running_commit = commit;
    done.containers = {"web running"};
    done.urls = {{"web.example.org", 8080, {}}};
    return done;
}

bool believed(WorkReport report) {
    return believable(report);
}
bool believed(GitReport report) {
    return believable(report);
}

std::string sentence_of(const std::string& message) {
    WorkDone done = honest();
    done.error = Error{Code::permanent, message};
    WorkReport report = done;
    REQUIRE(believable(report));
    return std::get<WorkDone>(report).error->message;
}

} // namespace

TEST_CASE("an honest report passes unchanged") {
    WorkReport report = honest();
    REQUIRE(believable(report));
    const auto& done = std::get<WorkDone>(report);
    CHECK(done.running_commit == commit);
    CHECK(done.containers == std::vector<std::string>{"web running"});
    CHECK(sentence_of("the image “web” is missing") == "the image “web” is missing");
}

TEST_CASE("an oversized sentence is shortened") {
    const auto shown = sentence_of(std::string(126 * 1024, 'x'));
    CHECK(shown.size() <= max_reported_sentence + 3);
    CHECK(shown.starts_with("xxx"));
    Surveyed seen;
    seen.problem = std::string(126 * 1024, 'x');
    WorkReport report = seen;
    REQUIRE(believable(report));
    CHECK(std::get<Surveyed>(report).problem.size() <= max_reported_sentence + 3);
    GitReport warned = Warned{std::string(126 * 1024, 'x')};
    REQUIRE(believable(warned));
    CHECK(std::get<Warned>(warned).text.size() <= max_reported_sentence + 3);
}

TEST_CASE("a sentence becomes one line of UTF-8 without control characters") {
    CHECK(sentence_of("one\ntwo\x1b[2J") == "one\\x0atwo\\x1b[2J");
    CHECK(sentence_of("a\xff\xc0\x80z") == "a???z");
    CHECK(sentence_of("a\xed\xa0\x80z") == "a???z"); // half of a surrogate pair
    CHECK(sentence_of("caf\xc3") == "caf?");
}

TEST_CASE("a report that no honest worker sends is a lie") {
    const auto lies = [](auto change) {
        WorkDone done = honest();
        change(done);
        return !believed(WorkReport(done));
    };
    CHECK(lies([](WorkDone& done) { done.running_commit = "zzz"; }));
    CHECK(lies([](WorkDone& done) { done.exit_status = -1; }));
    CHECK(lies([](WorkDone& done) { done.exit_status = 256; }));
    CHECK(lies([](WorkDone& done) { done.containers.resize(max_reported_containers + 1); }));
    CHECK(lies([](WorkDone& done) { done.notes.resize(max_reported_notes + 1); }));
    CHECK(lies([](WorkDone& done) { done.urls.resize(max_url_claims + 1, done.urls.front()); }));
    CHECK(lies([](WorkDone& done) { done.urls.front().name = "web.example.org {"; }));
    Surveyed seen;
    seen.running_commit = "zzz";
    CHECK_FALSE(believed(WorkReport(seen)));
    CHECK_FALSE(believed(WorkReport(Examined{})));
}

TEST_CASE("a report that no honest git job sends is a lie") {
    CHECK(believed(GitReport(Synced{commit, true, false, {}})));
    CHECK_FALSE(believed(GitReport(Synced{"zzz", true, false, {}})));
    CHECK_FALSE(believed(GitReport(Exported{"zzz", {}, {}})));
    CHECK_FALSE(believed(GitReport(Exported{commit, {}, {{"zzz", false, ""}}})));
    CHECK_FALSE(believed(GitReport(FoundKey{{"ssh-dss", "AAAA", "", {}}})));
    CHECK_FALSE(believed(GitReport(FoundKey{{"ssh-ed25519", "no base64", "", {}}})));
    CHECK(believed(GitReport(FoundKey{{"ssh-ed25519", "AAAA", "ann.pub", {}}})));
}
