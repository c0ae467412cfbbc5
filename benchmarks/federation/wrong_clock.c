/* A wall clock that is wrong by the seconds in the file WRONG_CLOCK, for LD_PRELOAD.

   The monotonic clock stays right, as on a machine whose clock is set wrong; a wait until a time
   by the wrong clock lasts as long as it would there. (libfaketime 0.9.10 lets Python's waits with
   a timeout fail or hang.) Read at most once a second: a clock may jump. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <linux/futex.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>

#define SINCE_THE_EPOCH 1000000000 /* a smaller time is of the monotonic clock */

static int (*true_gettime)(clockid_t, struct timespec *);

static long shift(void) {
    static __thread long found;
    static __thread time_t read_at = -1;
    static __thread int busy;
    struct timespec now;
    if (!true_gettime) true_gettime = dlsym(RTLD_NEXT, "clock_gettime");
    true_gettime(CLOCK_MONOTONIC, &now);
    if (!busy && now.tv_sec != read_at) {
        busy = 1;
        const char *path = getenv("WRONG_CLOCK");
        FILE *file = path ? fopen(path, "r") : NULL;
        if (file) {
            if (fscanf(file, "%ld", &found) != 1) found = 0;
            fclose(file);
        }
        read_at = now.tv_sec;
        busy = 0;
    }
    return found;
}

static const struct timespec *until(const struct timespec *wrong, struct timespec *right) {
    if (!wrong || wrong->tv_sec < SINCE_THE_EPOCH) return wrong;
    *right = *wrong;
    right->tv_sec -= shift();
    return right;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    long wrong = shift();
    int failed = true_gettime(clock, now);
    if (!failed && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        now->tv_sec += wrong;
    return failed;
}

int gettimeofday(struct timeval *now, void *zone) {
    struct timespec found;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &found);
    now->tv_sec = found.tv_sec;
    now->tv_usec = found.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *also) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (also) *also = now.tv_sec;
    return now.tv_sec;
}

int pthread_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *mutex,
                           const struct timespec *wrong) {
    static int (*inner)(pthread_cond_t *, pthread_mutex_t *, const struct timespec *);
    struct timespec right;
    if (!inner) inner = dlvsym(RTLD_NEXT, "pthread_cond_timedwait", "GLIBC_2.3.2");
    return inner(cond, mutex, until(wrong, &right));
}

int sem_timedwait(sem_t *sem, const struct timespec *wrong) {
    static int (*inner)(sem_t *, const struct timespec *);
    struct timespec right;
    if (!inner) inner = dlsym(RTLD_NEXT, "sem_timedwait");
    return inner(sem, until(wrong, &right));
}

long syscall(long number, ...) {
    static long (*inner)(long, ...);
    struct timespec right;
    long a[6];
    va_list rest;
    va_start(rest, number);
    for (int i = 0; i < 6; i++) a[i] = va_arg(rest, long);
    va_end(rest);
    if (!inner) inner = dlsym(RTLD_NEXT, "syscall");
    if (number == SYS_futex && (a[1] & FUTEX_CLOCK_REALTIME))
        a[3] = (long)until((const struct timespec *)a[3], &right);
    return inner(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
