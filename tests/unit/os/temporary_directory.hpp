// A fresh directory for one test, removed afterwards.
#pragma once

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <string>

struct TemporaryDirectory {
    TemporaryDirectory() {
        char pattern[] = "/tmp/pgod-test-XXXXXX";
        path = ::mkdtemp(pattern);
        fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    }
    ~TemporaryDirectory() {
        ::close(fd);
        std::filesystem::remove_all(path);
    }
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

    std::string path;
    int fd = -1;
};
