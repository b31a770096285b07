// Does what wrappers do to values that a step has made: sums, drops, and the way of a chunk to the caller.
//
// Letters: n columns, rows in the order by length. Every operation is rounded to STORE, as NumPy has it, so that a
// draw is kept on a device exactly where NumPy keeps it. Each kernel has an entry *_vec of 16-byte accesses.
//
// residual_add
// Inputs:   a, b     [count] of STORE.  Outputs: out [count], a + b.  Aliasing: out may be a or b.  Scratch: none
// Grid:     count / (128 V); 128 threads; the entry *_vec ends with single elements.  Fused: nothing
// bytes residual_add: 3*count*STORE
// registers residual_add: float16 16, bfloat16 16, float32 16, float64 16
// registers residual_add_vec: float16 32, bfloat16 32, float32 24, float64 16
//
// drop_rows
// Inputs:   v        [rows][n] of STORE.  lengths [rows] or null; rows with t >= lengths[row] are left as they are
//           uniform  [..][n] of STORE in [0, 1), by uniform_row; the caller's rows; uniform_row 0: one draw for all
//           order    [rows] the caller's rows, or null: as they lie
// Outputs:  out      [rows][n], v / keep * floor(keep + uniform).  Aliasing: out may be v.  Scratch: none
// Grid:     (rows / blockDim.y, n / (blockDim.x V)); 128 threads.  Fused: mask, permutation, the drop
// bytes drop_rows: 2*rows*n*STORE + draws*n*STORE + (lengths + order)*rows*INT
// registers drop_rows: float16 24, bfloat16 24, float32 24, float64 32
// registers drop_rows_vec: float16 32, bfloat16 32, float32 32, float64 40
//
// write_chunk
// Inputs:   chunk    [len][active][n] of STORE: a chunk's outputs, whose step 0 is t0; rows not alive are not read
//           lengths  [rows] or null; order [rows] or null
// Outputs:  the caller's outputs by the clock, for t0 .. t0 + len - 1: all rows, +0 for rows not alive
// Aliasing: none.  Scratch: none.  Grid: (rows / blockDim.y, n / (blockDim.x V), steps); 128 threads
// Fused:    mask, permutation, zeroing, placing
// bytes write_chunk: len*n*STORE*(active + rows) + (lengths*active + order*rows)*INT
// registers write_chunk: float16 32, bfloat16 32, float32 32, float64 32
// registers write_chunk_vec: float16 32, bfloat16 32, float32 32, float64 32

template <int V>
__device__ __forceinline__ void add(STORE* out, const STORE* a, const STORE* b, long long from) {
    const Pack<STORE, V> x = load<V>(a + from), y = load<V>(b + from);
    Pack<STORE, V> sum;
#pragma unroll
    for (int k = 0; k < V; ++k) sum.at[k] = narrow<STORE>(wide(x.at[k]) + wide(y.at[k]));  // EQ-11
    store<V>(out + from, sum);
}

template <int V>
__device__ __forceinline__ void drop(
    STORE* out, const STORE* v, const STORE* uniform, const int* order, const int* lengths, double keep, int t,
    int rows, int n, long long uniform_row) {
    const int row = thread_row(), column = thread_column<V>();
    if (column >= n || !alive_at(lengths, row, rows, t)) return;
    const long long place = (long long)row * n + column;
    const Pack<STORE, V> value = load<V>(v + place);
    const Pack<STORE, V> draw = load<V>(uniform + callers_row(order, row) * uniform_row + column);
    const ACC kept = wide(narrow<STORE>(ACC(keep)));
    Pack<STORE, V> result;
#pragma unroll
    for (int k = 0; k < V; ++k) {
        const ACC scaled = wide(narrow<STORE>(wide(value.at[k]) / kept));
        const ACC stays = whole(wide(narrow<STORE>(kept + wide(draw.at[k]))));
        result.at[k] = narrow<STORE>(scaled * stays);  // EQ-9
    }
    store<V>(out + place, result);
}

template <int V>
__device__ __forceinline__ void write_steps(
    const Clock* clock, const int* lengths, const int* order, const STORE* chunk, int n, int active, int rows, int t0,
    int len) {
    const int row = thread_row(), column = thread_column<V>();
    if (row >= rows || column >= n) return;
#pragma unroll 1
    for (int step = blockIdx.z; step < len; step += gridDim.z) {  // one turn, unless len is beyond the largest grid
        const int t = t0 + step;
        Pack<STORE, V> value = zeros<V, STORE>();
        // SEQ-5
        if (alive_at(lengths, row, active, t)) value = load<V>(chunk + ((long long)step * active + row) * n + column);
        write_output<V>(clock, order, row, t, column, value);
    }
}

// out may be a or b, so none of the three is restricted.
extern "C" __global__ void __launch_bounds__(THREADS) residual_add(
    STORE* out, const STORE* a, const STORE* b, long long count) {
    const long long from = (long long)blockIdx.x * THREADS + threadIdx.x;
    if (from < count) add<1>(out, a, b, from);
}

extern "C" __global__ void __launch_bounds__(THREADS) residual_add_vec(
    STORE* out, const STORE* a, const STORE* b, long long count) {
    const long long from = ((long long)blockIdx.x * THREADS + threadIdx.x) * VECTOR;
    if (from + VECTOR <= count) {
        add<VECTOR>(out, a, b, from);
        return;
    }
#pragma unroll 1
    for (long long one = from; one < count; ++one) add<1>(out, a, b, one);
}

extern "C" __global__ void __launch_bounds__(THREADS) drop_rows(
    STORE* out, const STORE* v, const STORE* __restrict__ uniform, const int* __restrict__ order,
    const int* __restrict__ lengths, double keep, int t, int rows, int n, long long uniform_row) {
    drop<1>(out, v, uniform, order, lengths, keep, t, rows, n, uniform_row);
}

extern "C" __global__ void __launch_bounds__(THREADS) drop_rows_vec(
    STORE* out, const STORE* v, const STORE* __restrict__ uniform, const int* __restrict__ order,
    const int* __restrict__ lengths, double keep, int t, int rows, int n, long long uniform_row) {
    drop<VECTOR>(out, v, uniform, order, lengths, keep, t, rows, n, uniform_row);
}

extern "C" __global__ void __launch_bounds__(THREADS) write_chunk(
    const Clock* clock, const int* __restrict__ lengths, const int* __restrict__ order,
    const STORE* __restrict__ chunk, int n, int active, int rows, int t0, int len) {
    write_steps<1>(clock, lengths, order, chunk, n, active, rows, t0, len);
}

extern "C" __global__ void __launch_bounds__(THREADS) write_chunk_vec(
    const Clock* clock, const int* __restrict__ lengths, const int* __restrict__ order,
    const STORE* __restrict__ chunk, int n, int active, int rows, int t0, int len) {
    write_steps<VECTOR>(clock, lengths, order, chunk, n, active, rows, t0, len);
}
