// Stands in for CUDA when the machine's C++ compiler builds a kernel source for the processor.
//
// CUDA threads are turns of a loop; where a kernel has barriers they are fibers (hostfibers.h), each of which runs
// ahead as far as a barrier lets it, with shared memory that starts as NaN.
//
// For kernel sources: HC_HOST is defined; hc_half_to_float and hc_float_to_half convert IEEE halves (round to nearest,
// ties to even); HC_CHECK_ALIGNED(p) before a 16-byte access reports an address that a GPU would refuse.
#pragma once
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <type_traits>
#include <utility>
#if defined(__SSE__)
#include <xmmintrin.h>
#endif

#define HC_HOST 1
#define __host__
#define __device__
#define __global__
#define __constant__
#define __forceinline__ inline __attribute__((always_inline))
#define __noinline__ __attribute__((noinline))
#define __launch_bounds__(...)
// All shared arrays lie in one section, so that each block finds them poisoned.
#define __shared__ static __attribute__((section("hc_shared")))
#define HC_VISIBLE __attribute__((visibility("default")))
#define HC_CHECK_ALIGNED(p) hc::check_aligned((p), 16)

extern "C" char __start_hc_shared[] __attribute__((weak, visibility("hidden")));
extern "C" char __stop_hc_shared[] __attribute__((weak, visibility("hidden")));

struct uint3 {
    unsigned x, y, z;
};
struct dim3 {
    unsigned x, y, z;
};
static uint3 threadIdx, blockIdx;
static dim3 blockDim, gridDim;
static const int warpSize = 32;

namespace hc {

enum Fault { NONE, DIVERGENT, MISALIGNED, WILD };

struct Geometry {
    unsigned grid[3], block[3], shared, seed, flush, unused;
};

struct Report {
    uint64_t address;
    unsigned block[3], thread[3];
};

static Report report;
static int fault;
static void* dynamic_shared;

inline void blame(int kind, const volatile void* address) {
    if (fault != NONE) return;  // the first one counts
    fault = kind;
    report = {(uint64_t)(uintptr_t)address, {blockIdx.x, blockIdx.y, blockIdx.z},
              {threadIdx.x, threadIdx.y, threadIdx.z}};
}

inline void check_aligned(const volatile void* address, unsigned bytes) {
    if ((uintptr_t)address % bytes) blame(MISALIGNED, address);
}

inline unsigned draw(unsigned& seed) { return (seed = seed * 747796405u + 2891336453u) >> 16; }

// Single precision flushes denormals to zero, as kernels compiled with -ftz=true do.
struct FlushDenormals {
#if defined(__SSE__)
    unsigned before;
    explicit FlushDenormals(bool on) : before(_mm_getcsr()) { _mm_setcsr(on ? before | 0x8040u : before & ~0x8040u); }
    ~FlushDenormals() { _mm_setcsr(before); }
#elif defined(__aarch64__)
    uint64_t before;
    explicit FlushDenormals(bool on) {
        asm volatile("mrs %0, fpcr" : "=r"(before));
        uint64_t wanted = on ? before | (1ull << 24) : before & ~(1ull << 24);
        asm volatile("msr fpcr, %0" ::"r"(wanted));
    }
    ~FlushDenormals() { asm volatile("msr fpcr, %0" ::"r"(before)); }
#else
#error "hostcuda.h: flushing of denormals is written for x86-64 and aarch64 only"
#endif
};

// An access to unmapped memory, or an integer division by zero, ends the launch, not the process.
// The address sanitizer says more about it than this can, so it is left to it.
static sigjmp_buf escape;

#if !defined(__SANITIZE_ADDRESS__)
static void caught(int, siginfo_t* info, void*) {
    blame(WILD, info->si_addr);
    siglongjmp(escape, 1);
}

struct Guard {
    static const int count = 3;
    struct sigaction before[count];
    static int number(int i) { return i == 0 ? SIGSEGV : i == 1 ? SIGBUS : SIGFPE; }
    Guard() {
        struct sigaction ours;
        memset(&ours, 0, sizeof ours);
        ours.sa_sigaction = caught;
        ours.sa_flags = SA_SIGINFO | SA_NODEFER;
        for (int i = 0; i < count; ++i) sigaction(number(i), &ours, &before[i]);
    }
    ~Guard() {
        for (int i = 0; i < count; ++i) sigaction(number(i), &before[i], nullptr);
    }
};
#else
struct Guard {
    Guard() {}
    ~Guard() {}
};
#endif

inline void poison_shared(const Geometry& g) {
    if (__start_hc_shared) memset(__start_hc_shared, 0xff, (size_t)(__stop_hc_shared - __start_hc_shared));
    if (g.shared) memset(dynamic_shared, 0xff, g.shared);
}

}  // namespace hc

#if defined(HC_BARRIERS)
#include "hostfibers.h"
#else
namespace hc {

// No thread waits for another: turns of a loop, forwards or backwards.
template <class F>
void run_block(F& kernel, const Geometry& g, unsigned& seed) {
    const bool backwards = draw(seed) & 1;
    for (unsigned z = 0; z < g.block[2]; ++z)
        for (unsigned y = 0; y < g.block[1]; ++y)
            for (unsigned x = 0; x < g.block[0]; ++x) {
                threadIdx = backwards ? uint3{g.block[0] - 1 - x, g.block[1] - 1 - y, g.block[2] - 1 - z} : uint3{x, y, z};
                kernel();
            }
}

struct Stacks {
    explicit Stacks(unsigned) {}
};

}  // namespace hc
#endif

namespace hc {

template <class F>
int launch(F kernel, const Geometry& g) {
    FlushDenormals flush(g.flush);
    Guard guard;
    Stacks stacks(g.block[0] * g.block[1] * g.block[2]);
    fault = NONE;
    gridDim = {g.grid[0], g.grid[1], g.grid[2]};
    blockDim = {g.block[0], g.block[1], g.block[2]};
    dynamic_shared = g.shared ? malloc(g.shared) : nullptr;
    unsigned seed = g.seed;
    const bool backwards = draw(seed) & 1;
    if (!sigsetjmp(escape, 0)) {
        for (unsigned z = 0; z < g.grid[2] && fault == NONE; ++z)
            for (unsigned y = 0; y < g.grid[1] && fault == NONE; ++y)
                for (unsigned x = 0; x < g.grid[0] && fault == NONE; ++x) {
                    blockIdx = backwards ? uint3{g.grid[0] - 1 - x, g.grid[1] - 1 - y, g.grid[2] - 1 - z} : uint3{x, y, z};
                    poison_shared(g);
                    run_block(kernel, g, seed);
                }
    }
    free(dynamic_shared);
    return fault;
}

// Each argument fills the low bytes of a slot of eight.
template <class... A, size_t... I>
int call(void (*kernel)(A...), const uint64_t* slots, const Geometry& g, std::index_sequence<I...>) {
    return launch([=] { kernel(*reinterpret_cast<const std::remove_cv_t<A>*>(slots + I)...); }, g);
}

template <class... A>
int call(void (*kernel)(A...), const uint64_t* slots, const Geometry& g) {
    return call(kernel, slots, g, std::index_sequence_for<A...>{});
}

template <class T>
struct Alignment {
    static const int of_pointed = 1;
};
template <class T>
struct Alignment<T*> {
    static const int of_pointed = alignof(T);
};
template <>
struct Alignment<void*> {
    static const int of_pointed = 1;
};
template <>
struct Alignment<const void*> {
    static const int of_pointed = 1;
};

// Three bytes for each parameter: pointer, integer, floating or other; its size; the alignment of what it points to.
template <class... A>
void describe(void (*)(A...), char* text) {
    ((*text++ = std::is_pointer_v<A> ? 'p' : std::is_integral_v<A> ? 'i' : std::is_floating_point_v<A> ? 'f' : '?',
      *text++ = (char)(sizeof(A) < 127 ? sizeof(A) : 127), *text++ = (char)Alignment<A>::of_pointed),
     ...);
    *text = 0;
}

}  // namespace hc

#define HC_EXPORT(kernel)                                                                            \
    extern "C" HC_VISIBLE int hc_run_##kernel(const uint64_t* slots, const hc::Geometry* g) {        \
        return hc::call(kernel, slots, *g);                                                          \
    }                                                                                                \
    extern "C" HC_VISIBLE void hc_describe_##kernel(char* text) { hc::describe(kernel, text); }

extern "C" HC_VISIBLE const hc::Report* hc_report() { return &hc::report; }

// Of CUDA's own functions, those that kernels here use.
template <class T>
T __ldg(const T* p) {
    return *p;
}
template <class T>
T atomicAdd(T* p, T value) {
    T before = *p;
    *p = before + value;
    return before;
}
template <class T>
T min(T a, T b) {
    return b < a ? b : a;
}
template <class T>
T max(T a, T b) {
    return a < b ? b : a;
}
inline uint32_t __float_as_uint(float value) {
    uint32_t bits;
    memcpy(&bits, &value, 4);
    return bits;
}
inline float __uint_as_float(uint32_t bits) {
    float value;
    memcpy(&value, &bits, 4);
    return value;
}

inline float hc_half_to_float(unsigned short half) {
    const uint32_t sign = (uint32_t)(half & 0x8000u) << 16, exponent = (half >> 10) & 31u, fraction = half & 1023u;
    if (exponent == 31) return __uint_as_float(sign | 0x7f800000u | fraction << 13);
    if (exponent) return __uint_as_float(sign | (exponent + 112) << 23 | fraction << 13);
    const float tiny = (float)fraction * 5.9604644775390625e-8f;  // 2^-24
    return sign ? -tiny : tiny;
}

inline unsigned short hc_float_to_half(float value) {
    const uint32_t bits = __float_as_uint(value), sign = (bits >> 16) & 0x8000u, magnitude = bits & 0x7fffffffu;
    if (magnitude > 0x7f800000u) return (unsigned short)(sign | 0x7fffu);  // NaN, as cvt.rn.f16.f32 makes it
    if (magnitude >= 0x477ff000u) return (unsigned short)(sign | 0x7c00u);  // rounds past the largest half
    // Below 2^-14 the half is denormal: fewer bits of the fraction stay.
    const bool denormal = magnitude < 0x38800000u;
    if (denormal && magnitude < 0x33000000u) return (unsigned short)sign;  // below half of 2^-24
    const uint32_t fraction = denormal ? (magnitude & 0x7fffffu) | 0x800000u : magnitude - 0x38000000u;
    const unsigned dropped = denormal ? 126u - (magnitude >> 23) : 13u;
    const uint32_t kept = fraction >> dropped, rest = fraction & ((1u << dropped) - 1), tie = 1u << (dropped - 1);
    return (unsigned short)(sign | (kept + (rest > tie || (rest == tie && (kept & 1u)))));
}
