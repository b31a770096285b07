// Runs the threads of a block as fibers, for kernels with barriers: each runs ahead as far as a barrier lets it, warps
// and lanes in random order. This file is a part of hostcuda.h, which includes it.
#pragma once
#include <ucontext.h>
#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#endif

namespace hc {

enum State { READY, AT_WARP, AT_BLOCK, ENDED };

struct Fiber {
    ucontext_t context;
    int state;
    uint3 thread;
    uint64_t offered;  // to the other lanes of the warp
    char* stack;
    void* shadow;  // of the address sanitizer
};

const size_t STACK = 128 * 1024;
static ucontext_t home;
static void* home_shadow;
static const void* home_stack;
static size_t home_size;
static Fiber* fibers;
static Fiber* running;
static void (*body)(void*);
static void* body_argument;

inline void arrive_on_fiber() {
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_finish_switch_fiber(running->shadow, &home_stack, &home_size);
#endif
}

inline void leave(bool for_good) {
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_start_switch_fiber(for_good ? nullptr : &running->shadow, home_stack, home_size);
#endif
    swapcontext(&running->context, &home);
    arrive_on_fiber();
}

static void fiber_main() {
    arrive_on_fiber();
    body(body_argument);
    running->state = ENDED;
    leave(true);
}

inline void resume(Fiber& fiber) {
    running = &fiber;
    threadIdx = fiber.thread;
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_start_switch_fiber(&home_shadow, fiber.stack, STACK);
#endif
    swapcontext(&home, &fiber.context);
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_finish_switch_fiber(home_shadow, nullptr, nullptr);
#endif
}

inline void wait_at(State barrier) {
    running->state = barrier;
    leave(false);
}

// Lets fibers first..last go on if all of them that have not ended stand at this barrier.
inline bool release(unsigned first, unsigned last, State barrier) {
    unsigned standing = 0;
    for (unsigned i = first; i < last; ++i) {
        if (fibers[i].state == barrier) ++standing;
        else if (fibers[i].state != ENDED) return false;
    }
    if (!standing) return false;
    for (unsigned i = first; i < last; ++i)
        if (fibers[i].state == barrier) fibers[i].state = READY;
    return true;
}

inline void run_warp(unsigned first, unsigned last, bool backwards) {
    do {
        for (unsigned i = first; i < last; ++i) {
            Fiber& fiber = fibers[backwards ? first + last - 1 - i : i];
            if (fiber.state == READY) resume(fiber);
        }
    } while (release(first, last, AT_WARP));
}

// Each warp runs ahead to its barrier, in random order; false when some threads can never go on.
inline bool run_fibers(unsigned threads, unsigned& seed) {
    const unsigned warps = (threads + 31) / 32;
    unsigned order[32];
    for (;;) {
        for (unsigned w = 0; w < warps; ++w) order[w] = w;
        for (unsigned w = warps; w > 1; --w) std::swap(order[w - 1], order[draw(seed) % w]);
        for (unsigned w = 0; w < warps; ++w) {
            unsigned first = order[w] * 32, last = first + 32 < threads ? first + 32 : threads;
            run_warp(first, last, draw(seed) & 1);
        }
        bool ended = true;
        for (unsigned i = 0; i < threads; ++i) ended = ended && fibers[i].state == ENDED;
        if (ended) return true;
        if (!release(0, threads, AT_BLOCK)) return false;
    }
}

template <class T>
T exchange(T value, unsigned lane) {
    static_assert(sizeof(T) <= 8, "a warp exchanges at most 8 bytes a lane");
    Fiber* self = running;
    memcpy(&self->offered, &value, sizeof value);
    wait_at(AT_WARP);
    T taken;
    memcpy(&taken, &fibers[(self - fibers) / 32 * 32 + lane % 32].offered, sizeof taken);
    wait_at(AT_WARP);  // nobody offers anew before all have taken
    return taken;
}

inline unsigned lane() { return (unsigned)(running - fibers) % 32; }

template <class F>
void run_block(F& kernel, const Geometry& g, unsigned& seed) {
    const unsigned threads = g.block[0] * g.block[1] * g.block[2];
    body = [](void* f) { (*static_cast<F*>(f))(); };
    body_argument = &kernel;
    for (unsigned i = 0; i < threads; ++i) {
        Fiber& fiber = fibers[i];
        fiber.state = READY;
        fiber.shadow = nullptr;
        fiber.thread = {i % g.block[0], i / g.block[0] % g.block[1], i / g.block[0] / g.block[1]};
        getcontext(&fiber.context);
        fiber.context.uc_stack.ss_sp = fiber.stack;
        fiber.context.uc_stack.ss_size = STACK;
        fiber.context.uc_link = nullptr;
        makecontext(&fiber.context, fiber_main, 0);
    }
    if (!run_fibers(threads, seed)) blame(DIVERGENT, nullptr);
}

struct Stacks {
    char* memory;
    explicit Stacks(unsigned threads) : memory(static_cast<char*>(malloc(threads * STACK))) {
        fibers = new Fiber[threads];
        for (unsigned i = 0; i < threads; ++i) fibers[i].stack = memory + i * STACK;
    }
    ~Stacks() {
        delete[] fibers;
        free(memory);
    }
};

}  // namespace hc

inline void __syncthreads() { hc::wait_at(hc::AT_BLOCK); }
inline void __syncwarp(unsigned = ~0u) { hc::wait_at(hc::AT_WARP); }
template <class T>
T __shfl_sync(unsigned, T value, int lane, int = 32) {
    return hc::exchange(value, (unsigned)lane);
}
template <class T>
T __shfl_xor_sync(unsigned, T value, int mask, int = 32) {
    return hc::exchange(value, hc::lane() ^ (unsigned)mask);
}
template <class T>
T __shfl_down_sync(unsigned, T value, unsigned by, int = 32) {
    unsigned lane = hc::lane();
    return hc::exchange(value, lane + by < 32 ? lane + by : lane);
}
