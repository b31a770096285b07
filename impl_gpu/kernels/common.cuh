// Gives every kernel file its types of storage, 16-byte accesses, clock, and test of which rows are in play.
//
// In front of this text come lines that define STORE, the type of what lies in memory, and ACC, the type of gates and
// arithmetic. It needs no header of CUDA's: NVRTC compiles it as it is, and the machine's C++ compiler does with the
// few names of impl_gpu/device/hostcuda.h, which defines HC_HOST.
//
// Letters: n columns of a row, t the step, row a position in the order by length (longest first).

#ifndef HC_HOST
#define HC_CHECK_ALIGNED(pointer)
#endif

#define THREADS 128                         // of every block
#define BLOCKS 6                            // of the LSTM steps on a multiprocessor: 80 registers, which spill nothing
#define VECTOR (16 / int(sizeof(STORE)))    // elements in 16 bytes, the columns of a thread in the entries *_vec
#define LANES (16 / int(sizeof(ACC)))       // the same of ACC: what most of a backward step reads and writes

// --- types of storage ----------------------------------------------------------------------------------------------

struct Half {
    unsigned short bits;
};
struct Bfloat {
    unsigned short bits;
};
struct alignas(16) Bytes16 {
    unsigned int words[4];
};

union FloatBits {
    unsigned int bits;
    float value;
};

#ifdef HC_HOST
inline float half_to_float(unsigned short half) { return hc_half_to_float(half); }
inline unsigned short float_to_half(float value) { return hc_float_to_half(value); }
inline float reciprocal(float x) { return 1.0f / x; }
inline double reciprocal(double x) { return 1.0 / x; }
#else
__device__ __forceinline__ float half_to_float(unsigned short half) {
    float value;
    asm("cvt.f32.f16 %0, %1;" : "=f"(value) : "h"(half));
    return value;
}
__device__ __forceinline__ unsigned short float_to_half(float value) {
    unsigned short half;
    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(half) : "f"(value));
    return half;
}
// For x of at least 1: within 2 ulp, and without the branches of an IEEE division; 0 for infinity, NaN for NaN.
__device__ __forceinline__ float reciprocal(float x) {
    float result;
    asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(result) : "f"(x));
    return result;
}
__device__ __forceinline__ double reciprocal(double x) {
    double result;
    asm("rcp.approx.ftz.f64 %0, %1;" : "=d"(result) : "d"(x));
    result = fma(result, fma(-x, result, 1.0), result);  // Newton: each doubles the 20 bits that are right
    result = fma(result, fma(-x, result, 1.0), result);
    return x > 1e300 ? 0.0 : result;  // where the steps would be infinity times 0
}
#endif

__device__ __forceinline__ float wide(Half x) { return half_to_float(x.bits); }
__device__ __forceinline__ float wide(Bfloat x) {
    FloatBits result;
    result.bits = (unsigned int)x.bits << 16;
    return result.value;
}
__device__ __forceinline__ float wide(float x) { return x; }
__device__ __forceinline__ double wide(double x) { return x; }

// wide(narrow<STORE>(x)) is x rounded to the nearest of STORE, ties to even; NaN stays NaN.
template <class T>
struct Narrow;
template <>
struct Narrow<Half> {
    static __device__ __forceinline__ Half of(float x) { return Half{float_to_half(x)}; }
};
template <>
struct Narrow<Bfloat> {
    static __device__ __forceinline__ Bfloat of(float x) {
        FloatBits in;
        in.value = x;
        const unsigned int nan = (in.bits & 0x7fffffffu) > 0x7f800000u;
        const unsigned int rounded = in.bits + 0x7fffu + ((in.bits >> 16) & 1u);
        return Bfloat{(unsigned short)((nan ? in.bits | 0x400000u : rounded) >> 16)};
    }
};
template <>
struct Narrow<float> {
    static __device__ __forceinline__ float of(float x) { return x; }
};
template <>
struct Narrow<double> {
    static __device__ __forceinline__ double of(double x) { return x; }
};
template <class T, class A>
__device__ __forceinline__ T narrow(A x) {
    return Narrow<T>::of(x);
}

// --- arithmetic ----------------------------------------------------------------------------------------------------

__device__ __forceinline__ float exponential(float x) { return expf(x); }
__device__ __forceinline__ double exponential(double x) { return exp(x); }
__device__ __forceinline__ float hyperbolic(float x) { return tanhf(x); }
__device__ __forceinline__ double hyperbolic(double x) { return tanh(x); }
__device__ __forceinline__ float whole(float x) { return floorf(x); }
__device__ __forceinline__ double whole(double x) { return floor(x); }

template <class A>
__device__ __forceinline__ A sigmoid(A x) {
    return reciprocal(A(1) + exponential(-x));
}

// x within [-bound, bound]; a negative bound limits nothing; NaN stays NaN.
template <class A>
__device__ __forceinline__ A clipped(A x, A bound) {
    if (bound < A(0)) return x;
    return x > bound ? bound : x < -bound ? -bound : x;
}

// --- memory --------------------------------------------------------------------------------------------------------

// N neighbours, read and written in as few accesses as 16 bytes each allow.
template <class T, int N>
struct alignas(sizeof(T) * N < 16 ? sizeof(T) * N : 16) Pack {
    T at[N];
};

template <int N, class T>
__device__ __forceinline__ Pack<T, N> load(const T* from) {
    if (sizeof(T) * N >= 16) HC_CHECK_ALIGNED(from);
    return *reinterpret_cast<const Pack<T, N>*>(from);
}

template <int N, class T>
__device__ __forceinline__ void store(T* to, const Pack<T, N>& values) {
    if (sizeof(T) * N >= 16) HC_CHECK_ALIGNED(to);
    *reinterpret_cast<Pack<T, N>*>(to) = values;
}

template <int N, class T>
__device__ __forceinline__ Pack<T, N> zeros() {
    Pack<T, N> result;
#pragma unroll
    for (int k = 0; k < N; ++k) result.at[k] = T{};
    return result;
}

// --- where a thread is ---------------------------------------------------------------------------------------------

// A block is blockDim.x groups of V columns by blockDim.y rows; rows of blocks along grid.x, columns along grid.y.
__device__ __forceinline__ int thread_row() { return int(blockIdx.x * blockDim.y + threadIdx.y); }
template <int V>
__device__ __forceinline__ int thread_column() {
    return int(blockIdx.y * blockDim.x + threadIdx.x) * V;
}

// --- the clock -----------------------------------------------------------------------------------------------------

// What a captured graph reads instead of frozen values: the time, and where the caller's outputs lie.
struct Clock {
    int now;              // t of the current chunk's step 0, for all but the first step kernel of a chunk
    int next;             // the same for the next chunk: what the first step kernel of a chunk reads
    void* outputs;        // of STORE
    long long output_t;   // elements from one step to the next
    long long output_row; // elements from one row to the next
};
static_assert(sizeof(Clock) == 32, "kernels.CLOCK_BYTES says 32");

// t of a step: t0 >= 0 is the t of step 0; t0 < 0 leaves it to the clock.
__device__ __forceinline__ int time_of(const Clock* clock, int t0, int step, int first) {
    return (t0 >= 0 ? t0 : first ? clock->next : clock->now) + step;
}

// One thread moves the clock on, only when t0 < 0. The first step writes what the others of its chunk read, the last
// what the first reads: none writes what another block of its own launch reads, so a chunk has at least two steps.
__device__ __forceinline__ void advance(Clock* clock, int t0, int first, int last, int chunk) {
    if (t0 >= 0 || (blockIdx.x | blockIdx.y | threadIdx.x | threadIdx.y)) return;
    if (first) clock->now = clock->next;
    if (last) clock->next = clock->now + chunk;
}

// --- rows in play --------------------------------------------------------------------------------------------------

// Whether a row's step t counts: up to its length [SEQ-8], so none of length 0 [SEQ-9] and all of length T [SEQ-20];
// rows from `active` on have none, and null lengths make every step count [SEQ-1].
__device__ __forceinline__ bool alive_at(const int* lengths, int row, int active, int t) {
    return row < active && (lengths == nullptr || t < lengths[row]);
}

// The caller's row at a position in the order by length [SEQ-22].
__device__ __forceinline__ int callers_row(const int* order, int row) { return order == nullptr ? row : order[row]; }

// To the caller's outputs, which may lie anywhere: by 16 bytes where that place allows it.
template <int V>
__device__ __forceinline__ void write_output(
    const Clock* clock, const int* order, int row, int t, int column, const Pack<STORE, V>& values) {
    STORE* to = static_cast<STORE*>(clock->outputs) + callers_row(order, row) * clock->output_row +
                t * clock->output_t + column;
    if (V == 1 || reinterpret_cast<unsigned long long>(to) % sizeof(Pack<STORE, V>) == 0) {
        store<V>(to, values);
        return;
    }
#pragma unroll
    for (int k = 0; k < V; ++k) to[k] = values.at[k];
}

// Where a step's result goes: to the next layer's input `chunk_out` ([active][n], rows alive only), or, where that is
// null, to the caller's outputs, which get +0 for finished rows.
template <int V>
__device__ __forceinline__ void write_result(
    const Clock* clock, const int* order, STORE* chunk_out, int n, int row, int t, int column,
    const Pack<STORE, V>& values) {
    if (chunk_out == nullptr)
        write_output<V>(clock, order, row, t, column, values);
    else
        store<V>(chunk_out + (long long)row * n + column, values);
}

// The output of a row that is finished: +0 [SEQ-5, SEQ-13]; its state is left as it is.
template <int V>
__device__ __forceinline__ void write_finished(
    const Clock* clock, const int* order, const STORE* chunk_out, int row, int t, int column) {
    if (chunk_out == nullptr) write_output<V>(clock, order, row, t, column, zeros<V, STORE>());
}

// --- backward ------------------------------------------------------------------------------------------------------

// The gradient that reaches a row's h at step t: from its output (d_out [active][n]), and from step t + 1 (d_next
// [B][n]) or, where t is the row's last step, from its final state (d_last [B][n]); each may be null: none.
template <int V>
__device__ __forceinline__ Pack<ACC, V> arriving(
    const int* lengths, const ACC* d_out, const ACC* d_next, const ACC* d_last, int n, int row, int column, int t,
    int steps) {
    const long long place = (long long)row * n + column;
    const bool goes_on = t + 1 < (lengths == nullptr ? steps : lengths[row]);
    const ACC* carried = goes_on ? d_next : d_last;  // GRAD-9
    Pack<ACC, V> d = zeros<V, ACC>();
    if (d_out != nullptr) d = load<V>(d_out + place);
    if (carried != nullptr) {
        const Pack<ACC, V> more = load<V>(carried + place);
#pragma unroll
        for (int k = 0; k < V; ++k) d.at[k] += more.at[k];
    }
    return d;
}

// What a limit lets through of a gradient: nothing where x was beyond it [GRAD-11].
template <class A>
__device__ __forceinline__ A unclipped(A d, A x, A bound) {
    return bound >= A(0) && (x > bound || x < -bound) ? A(0) : d;
}
