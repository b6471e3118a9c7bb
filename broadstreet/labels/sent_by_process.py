"""Sent by another process: kill, a supervisor's watchdog, a user.

si_code is 0 or below and the sender is not the process itself. The registers show where the thread happened to be.

Known confusion: a sender in another pid namespace is shown as pid 0, and a supervisor that kills a hung process hides
the cause of the hang.
"""

from broadstreet.labels.rule import Rule

RULE = Rule(
    label="sent_by_process",
    summary="Another process sent the signal.",
    only_if={"origin": ("other_process",)},
    shows={"raised_signal": "the signal that was sent", "sender_pid": "the process that sent it"},
)
