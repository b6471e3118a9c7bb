/* Where glibc has the rseq area, from the thread pointer, and what it holds where the kernel has none: qemu has none. */

#include <stdio.h>
#include <sys/rseq.h>

int main(void) {
    unsigned *area = (unsigned *)((char *)__builtin_thread_pointer() + __rseq_offset);
    printf("%td %#x\n", __rseq_offset, area[1]);
    return 0;
}
