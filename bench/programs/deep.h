// What the shared library offers: each level of a call tree as a function of its own.
#pragma once
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

struct Request {
    std::string name;
    std::vector<std::unique_ptr<char[]>> pages;
    int *result = nullptr;
};

int answer(Request &request);
