"""The registers of the crash itself, where a handler stood between it and the core dump: real programs."""

import os
from itertools import product
from pathlib import Path

import pytest

from broadstreet.pipeline.reading import case_at
from broadstreet.records.case import Case
from broadstreet.sources.binaries import Binaries
from tests.kernel_cores import compiled, dumped, skipped_without

MARK, ADDRESS = 0x1122_3344_5566_7788, 0x7654_3210
SIGABRT, SIGSEGV = 6, 11
MAPERR = 1

SOURCE = r"""
#define _GNU_SOURCE
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#define NOINLINE __attribute__((noinline, noclone))
static const char *how;
NOINLINE static void fault(void) {
    __asm__ volatile("mov $0x76543210, %%rax\n mov $0x1122334455667788, %%r12\n mov (%%rax), %%rax"
                     ::: "rax", "r12", "memory");
}
static void judged(int number) {
    volatile char room[600];
    memset((void *)room, 0x5a, sizeof room);
    if (!strcmp(how, "aborts")) { signal(SIGABRT, SIG_DFL); abort(); }
    signal(number, SIG_DFL);
    if (!strcmp(how, "raises")) raise(number);
    if (!strcmp(how, "raises-alive")) {
        sigset_t set; sigemptyset(&set); sigaddset(&set, number);
        sigprocmask(SIG_UNBLOCK, &set, 0);
        raise(number);
    }
}
static void plain(int number) { judged(number); }
static void informed(int number, siginfo_t *info, void *context) { judged(number); }
int main(int count, char **words) {
    how = words[1];
    struct sigaction action = {0};
    if (!strcmp(words[3], "siginfo")) { action.sa_sigaction = informed; action.sa_flags = SA_SIGINFO; }
    else action.sa_handler = plain;
    if (!strcmp(words[2], "alternate")) {
        stack_t stack = {.ss_sp = malloc(65536), .ss_size = 65536};
        sigaltstack(&stack, 0);
        action.sa_flags |= SA_ONSTACK;
    }
    if (!strcmp(how, "sent")) {
        int status;
        pid_t child = fork();
        if (child == 0) for (;;) pause();
        kill(child, SIGSEGV);
        return waitpid(child, &status, 0) == child;
    }
    if (!strcmp(how, "raises-itself")) raise(SIGSEGV);
    if (strcmp(how, "plain")) sigaction(SIGSEGV, &action, 0);
    fault();
    return 0;
}
"""
STACKS, HANDLERS = ("same", "alternate"), ("siginfo", "plain")
EVERY = pytest.mark.parametrize(("stack", "handler"), list(product(STACKS, HANDLERS)))


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with skipped_without():
        return compiled(tmp_path_factory.mktemp("context"), SOURCE, "-O1")


def crashed(program: Path, *words: str) -> Case:
    with skipped_without():
        return case_at(str(dumped(program.parent, str(program), *words)), Binaries())


def assert_it_is_the_fault(case: Case) -> None:
    assert (case.signal, case.si_code, case.fault_address) == (SIGSEGV, MAPERR, ADDRESS)
    assert (case.registers["rax"], case.registers["r12"]) == (ADDRESS, MARK)
    assert [frame.function for frame in case.frames[:2]] == ["fault", "main"]
    assert case.pc == case.frames[0].pc
    assert case.sp == case.registers["rsp"]


def test_without_a_handler_the_notes_are_the_crash(program: Path) -> None:
    case = crashed(program, "plain", "same", "plain")
    assert case.context == "notes"
    assert_it_is_the_fault(case)


@EVERY
def test_a_signal_raised_again_by_a_handler_that_returned_is_recovered(program: Path, stack: str, handler: str) -> None:
    case = crashed(program, "raises", stack, handler)
    assert case.context == "recovered"
    assert_it_is_the_fault(case)
    assert case.features["raised_signal"] == SIGSEGV
    assert "re_raised" in {finding.label for finding in case.findings if finding.state == "holds"}


@EVERY
def test_a_handler_that_aborts_leaves_its_frame_alive(program: Path, stack: str, handler: str) -> None:
    case = crashed(program, "aborts", stack, handler)
    assert case.context == "signal_frame"
    assert_it_is_the_fault(case)
    assert case.features["raised_signal"] == SIGABRT
    assert "abort" in [frame.function for frame in case.handler_frames]


@EVERY
def test_a_signal_raised_again_inside_of_the_handler_leaves_its_frame_alive(
    program: Path, stack: str, handler: str
) -> None:
    case = crashed(program, "raises-alive", stack, handler)
    assert case.context == "signal_frame"
    assert_it_is_the_fault(case)


@EVERY
def test_a_handler_that_only_resets_gives_the_crash_again(program: Path, stack: str, handler: str) -> None:
    case = crashed(program, "returns", stack, handler)
    assert case.context == "notes"
    assert_it_is_the_fault(case)


def test_a_signal_from_another_process_has_no_earlier_context(program: Path) -> None:
    with skipped_without():
        dump = dumped(program.parent, str(program), "sent", "same", "plain")
    case = case_at(str(dump), Binaries())
    assert (case.context, case.signal, case.si_code, case.fault_address) == ("notes", SIGSEGV, 0, None)
    assert case.features["origin"] == "other_process"
    assert case.features["sender_pid"] not in (None, case.circumstances.pid, os.getpid())


def test_a_signal_that_a_process_raised_without_a_fault_has_no_earlier_context(program: Path) -> None:
    case = crashed(program, "raises-itself", "same", "plain")
    assert (case.context, case.signal, case.fault_address) == ("notes", SIGSEGV, None)
    assert case.features["origin"] == "self"
    assert "main" in [frame.function for frame in case.frames]
