#include "daemon/ssh_input.hpp"

#include "ssh/server_session.hpp"

#include <unistd.h>

#include <cerrno>

namespace pgod::daemon {

void SshInput::open(Fd to, Kind kind) {
    to_ = std::move(to);
    kind_ = kind;
}

Status SshInput::move_from(ssh::ServerSession& session) {
    while (to_) {
        if (written_ == bytes_.size()) {
            if (session.unread() == 0) {
                if (kind_ == Kind::pipe && session.input_ended())
                    to_.reset();
                break;
            }
            bytes_ = TRY(session.take_input());
            written_ = 0;
            if (bytes_.empty())
                break;
        }
        const ssize_t size = ::write(to_.get(), bytes_.data() + written_, bytes_.size() - written_);
        if (size > 0)
            written_ += static_cast<std::size_t>(size);
        else if (errno == EAGAIN)
            break;
        else if (errno != EINTR)
            to_.reset();
    }
    return ok();
}

} // namespace pgod::daemon
