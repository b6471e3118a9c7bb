/* threads COUNT: that many threads wait at different depths; then the last one writes through null. */
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

static pthread_barrier_t everyone;
static long count;
static int *volatile nowhere;

__attribute__((noinline)) static long descend(long depth, long number) {
    volatile char room[64 + 16 * (depth & 3)];
    room[0] = (char)depth;
    if (depth > 0)
        return descend(depth - 1, number) + room[0];
    pthread_barrier_wait(&everyone);
    if (number == count - 1) {
        usleep(100000);
        *nowhere = 1;
    }
    for (;;)
        pause();
}

static void *start(void *number) { return (void *)descend(6 + (long)number % 12, (long)number); }

int main(int argc, char **argv) {
    count = atol(argv[argc - 1]);
    pthread_attr_t small;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 1 << 20);
    pthread_barrier_init(&everyone, NULL, count);
    for (long number = 0; number < count; number++) {
        pthread_t thread;
        if (pthread_create(&thread, &small, start, (void *)number))
            return 1;
    }
    for (;;)
        pause();
}
