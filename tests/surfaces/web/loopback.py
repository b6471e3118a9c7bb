"""In a new network, where even the loopback interface is down: bring it up, then become a command."""

import fcntl
import os
import socket
import struct
import sys

SIOCSIFFLAGS, IFF_UP = 0x8914, 0x1  # include/uapi/linux/sockios.h, if.h

with socket.socket() as any_socket:
    fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sH22x", b"lo", IFF_UP))
os.execvp(sys.argv[1], sys.argv[1:])
