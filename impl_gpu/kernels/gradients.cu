// Brings gradients in and out, sums them over rows, and takes the drop backwards.
//
// Letters: n columns, B rows of the caller, of which `rows` or `active` are taken in the order by length; t = first + s
// is the time of step s of a chunk of len. Every kernel but add_partial_sums has an entry *_vec of LANES columns a
// thread, column_sums of VECTOR. Shared:
// Inputs:   lengths  [rows] steps of each row in the order, or null: every step counts
//           order    [rows] the caller's rows, or null: as they lie
// Aliasing: none.  Scratch: none but that of column_sums.  Grid: (rows / blockDim.y, n / (blockDim.x V), steps); 128
// threads.  Fused: masks, permutations, conversions.
//
// load_cotangent
// Inputs:   src      [T][B][n] of STORE by src_t and src_row, the gradient of the caller's outputs, or null: all +0
// Outputs:  dst      [len][active][n] of ACC; +0 where t >= lengths[row], whatever src has there
// bytes load_cotangent: len*active*n*(ACC + src*STORE) + (lengths + order)*active*INT
// registers load_cotangent: float16 24, bfloat16 24, float32 24, float64 24
// registers load_cotangent_vec: float16 32, bfloat16 32, float32 32, float64 32
//
// store_gradient
// Inputs:   src      [len][active][n] of ACC; rows that are not alive are not read
// Outputs:  dst      [T][B][n] of STORE by dst_t and dst_row, of all `rows`; +0 where the row is not alive
// bytes store_gradient: len*n*(active*ACC + rows*STORE) + (lengths*active + order*rows)*INT
// registers store_gradient: float16 24, bfloat16 24, float32 24, float64 24
// registers store_gradient_vec: float16 32, bfloat16 32, float32 32, float64 32
//
// load_state_cotangent
// Inputs:   src      [B][n] of STORE by src_row, the gradient of a leaf of the final state, or null: all +0
// Outputs:  dst      [rows][n] of ACC in the order
// bytes load_state_cotangent: rows*n*(ACC + src*STORE) + order*rows*INT
// registers load_state_cotangent: float16 16, bfloat16 16, float32 16, float64 16
// registers load_state_cotangent_vec: float16 16, bfloat16 24, float32 24, float64 16
//
// store_state_gradient
// Inputs:   carried  [rows][n] of ACC in the order; read for rows with steps: 0 < lengths[row], or 0 < steps
//           original [B][n] of STORE by original_row, the gradient of the final state, read for rows without steps, or
//                    null: +0 for them
// Outputs:  dst      [B][n] of STORE by dst_row: carried, rounded; the bits of original where there was no step
// bytes store_state_gradient: rows*n*(ACC + STORE) + (lengths + order)*rows*INT
// registers store_state_gradient: float16 24, bfloat16 16, float32 16, float64 16
// registers store_state_gradient_vec: float16 16, bfloat16 24, float32 24, float64 16
//
// drop_gradient
// Inputs:   uniform  [..][n] of STORE in [0, 1), the draws of drop_rows, by uniform_row; 0: one draw for all rows
// In place: d        [rows][n] of ACC: d / keep * floor(keep + uniform), what drop_rows kept
// bytes drop_gradient: rows*n*2*ACC + draws*n*STORE + order*rows*INT
// registers drop_gradient: float16 16, bfloat16 16, float32 16, float64 32
// registers drop_gradient_vec: float16 32, bfloat16 32, float32 32, float64 40
//
// column_sums
// Inputs:   values   [rows][n] of STORE by values_row.  other [rows][n] by other_row, a factor of each, or null: none
// Scratch:  partial  [strips][n] of ACC: strip q has the sum of rows q, q + strips, q + 2 strips ..., in this order
// Grid:     (strips / blockDim.y, n / (blockDim.x V)); the order of the sums is that of strips alone
// bytes column_sums: rows*n*(1 + other)*STORE + strips*n*ACC
// registers column_sums: float16 32, bfloat16 32, float32 32, float64 40
// registers column_sums_vec: float16 48, bfloat16 56, float32 48, float64 48
//
// add_partial_sums
// Inputs:   partial  [rows][n] of ACC.  In place: sums [n] of ACC; the rows are added, the first one first
// Grid:     n / 128; 128 threads
// bytes add_partial_sums: (rows + 2)*n*ACC
// registers add_partial_sums: float16 40, bfloat16 40, float32 40, float64 56
//
// narrow_values
// Inputs:   src      [count] of ACC.  Outputs: dst [count] of STORE, rounded
// Grid:     count / (128 V); the entry *_vec ends with single elements
// bytes narrow_values: count*(ACC + STORE)
// registers narrow_values: float16 16, bfloat16 16, float32 8, float64 8
// registers narrow_values_vec: float16 16, bfloat16 16, float32 16, float64 16

template <int V>
__device__ __forceinline__ Pack<ACC, V> widened(const Pack<STORE, V>& values) {
    Pack<ACC, V> result;
#pragma unroll
    for (int k = 0; k < V; ++k) result.at[k] = wide(values.at[k]);
    return result;
}

template <int V>
__device__ __forceinline__ Pack<STORE, V> narrowed(const Pack<ACC, V>& values) {
    Pack<STORE, V> result;
#pragma unroll
    for (int k = 0; k < V; ++k) result.at[k] = narrow<STORE>(values.at[k]);
    return result;
}

template <int V>
__device__ __forceinline__ void load_outputs_gradient(
    ACC* dst, const STORE* src, const int* order, const int* lengths, int n, int active, int first, int len,
    long long src_t, long long src_row) {
    const int row = thread_row(), column = thread_column<V>();
    if (row >= active || column >= n) return;
    const STORE* of_row = src + callers_row(order, row) * src_row + column;
#pragma unroll 1
    for (int step = blockIdx.z; step < len; step += gridDim.z) {  // one turn, unless len is beyond the largest grid
        const int t = first + step;
        Pack<STORE, V> value = zeros<V, STORE>();
        // GRAD-8
        if (src != nullptr && alive_at(lengths, row, active, t)) value = load<V>(of_row + t * src_t);
        store<V>(dst + ((long long)step * active + row) * n + column, widened<V>(value));
    }
}

template <int V>
__device__ __forceinline__ void store_inputs_gradient(
    STORE* dst, const ACC* src, const int* order, const int* lengths, int n, int active, int rows, int first, int len,
    long long dst_t, long long dst_row) {
    const int row = thread_row(), column = thread_column<V>();
    if (row >= rows || column >= n) return;
    STORE* of_row = dst + callers_row(order, row) * dst_row + column;
#pragma unroll 1
    for (int step = blockIdx.z; step < len; step += gridDim.z) {
        const int t = first + step;
        Pack<ACC, V> value = zeros<V, ACC>();
        // GRAD-7
        if (alive_at(lengths, row, active, t)) value = load<V>(src + ((long long)step * active + row) * n + column);
        store<V>(of_row + t * dst_t, narrowed<V>(value));
    }
}

template <int V>
__device__ __forceinline__ void load_state_gradient(
    ACC* dst, const STORE* src, const int* order, int rows, int n, long long src_row) {
    const int row = thread_row(), column = thread_column<V>();
    if (row >= rows || column >= n) return;
    Pack<STORE, V> value = zeros<V, STORE>();
    if (src != nullptr) value = load<V>(src + callers_row(order, row) * src_row + column);
    store<V>(dst + (long long)row * n + column, widened<V>(value));
}

template <int V>
__device__ __forceinline__ void store_carried(
    STORE* dst, const ACC* carried, const STORE* original, const int* order, const int* lengths, int rows, int n,
    int steps, long long dst_row, long long original_row) {
    const int row = thread_row(), column = thread_column<V>();
    if (row >= rows || column >= n) return;
    const long long mine = callers_row(order, row);
    Pack<STORE, V> value = zeros<V, STORE>();
    // GRAD-10, GRAD-22: what came for the final state of a row without a step goes on bit for bit.
    if (0 < (lengths == nullptr ? steps : lengths[row]))
        value = narrowed<V>(load<V>(carried + (long long)row * n + column));
    else if (original != nullptr)
        value = load<V>(original + mine * original_row + column);
    store<V>(dst + mine * dst_row + column, value);
}

template <int V>
__device__ __forceinline__ void drop_back(
    ACC* d, const STORE* uniform, const int* order, double keep, int rows, int n, long long uniform_row) {
    const int row = thread_row(), column = thread_column<V>();
    if (row >= rows || column >= n) return;
    ACC* place = d + (long long)row * n + column;
    Pack<ACC, V> value = load<V>(static_cast<const ACC*>(place));
    const Pack<STORE, V> draw = load<V>(uniform + callers_row(order, row) * uniform_row + column);
    const ACC kept = wide(narrow<STORE>(ACC(keep)));
#pragma unroll
    for (int k = 0; k < V; ++k) {
        const ACC stays = whole(wide(narrow<STORE>(kept + wide(draw.at[k]))));  // as drop_rows has it, to the bit
        value.at[k] = value.at[k] / kept * stays;  // GRAD-17
    }
    store<V>(place, value);
}

template <int V>
__device__ __forceinline__ void sum_strip(
    const STORE* values, const STORE* other, ACC* partial, int rows, int strips, int n, long long values_row,
    long long other_row) {
    const int strip = thread_row(), column = thread_column<V>();
    if (strip >= strips || column >= n) return;
    const STORE* value_at = values + strip * values_row + column;
    Pack<ACC, V> sum = zeros<V, ACC>();
    if (other == nullptr) {
#pragma unroll 4
        for (int row = strip; row < rows; row += strips, value_at += strips * values_row) {
            const Pack<STORE, V> value = load<V>(value_at);
#pragma unroll
            for (int k = 0; k < V; ++k) sum.at[k] += wide(value.at[k]);
        }
    } else {
        const STORE* factor_at = other + strip * other_row + column;
#pragma unroll 2
        for (int row = strip; row < rows; row += strips) {
            const Pack<STORE, V> value = load<V>(value_at), factor = load<V>(factor_at);
#pragma unroll
            for (int k = 0; k < V; ++k) sum.at[k] += wide(value.at[k]) * wide(factor.at[k]);
            value_at += strips * values_row;
            factor_at += strips * other_row;
        }
    }
    store<V>(partial + (long long)strip * n + column, sum);
}

template <int V>
__device__ __forceinline__ void narrow_some(STORE* dst, const ACC* src, long long from) {
    store<V>(dst + from, narrowed<V>(load<V>(src + from)));
}

extern "C" __global__ void __launch_bounds__(THREADS) load_cotangent(
    ACC* __restrict__ dst, const STORE* __restrict__ src, const int* __restrict__ order,
    const int* __restrict__ lengths, int n, int active, int first, int length, long long src_t, long long src_row) {
    load_outputs_gradient<1>(dst, src, order, lengths, n, active, first, length, src_t, src_row);
}

extern "C" __global__ void __launch_bounds__(THREADS) load_cotangent_vec(
    ACC* __restrict__ dst, const STORE* __restrict__ src, const int* __restrict__ order,
    const int* __restrict__ lengths, int n, int active, int first, int length, long long src_t, long long src_row) {
    load_outputs_gradient<LANES>(dst, src, order, lengths, n, active, first, length, src_t, src_row);
}

extern "C" __global__ void __launch_bounds__(THREADS) store_gradient(
    STORE* __restrict__ dst, const ACC* __restrict__ src, const int* __restrict__ order,
    const int* __restrict__ lengths, int n, int active, int rows, int first, int length, long long dst_t,
    long long dst_row) {
    store_inputs_gradient<1>(dst, src, order, lengths, n, active, rows, first, length, dst_t, dst_row);
}

extern "C" __global__ void __launch_bounds__(THREADS) store_gradient_vec(
    STORE* __restrict__ dst, const ACC* __restrict__ src, const int* __restrict__ order,
    const int* __restrict__ lengths, int n, int active, int rows, int first, int length, long long dst_t,
    long long dst_row) {
    store_inputs_gradient<LANES>(dst, src, order, lengths, n, active, rows, first, length, dst_t, dst_row);
}

extern "C" __global__ void __launch_bounds__(THREADS) load_state_cotangent(
    ACC* __restrict__ dst, const STORE* __restrict__ src, const int* __restrict__ order, int rows, int n,
    long long src_row) {
    load_state_gradient<1>(dst, src, order, rows, n, src_row);
}

extern "C" __global__ void __launch_bounds__(THREADS) load_state_cotangent_vec(
    ACC* __restrict__ dst, const STORE* __restrict__ src, const int* __restrict__ order, int rows, int n,
    long long src_row) {
    load_state_gradient<LANES>(dst, src, order, rows, n, src_row);
}

extern "C" __global__ void __launch_bounds__(THREADS) store_state_gradient(
    STORE* __restrict__ dst, const ACC* __restrict__ carried, const STORE* __restrict__ original,
    const int* __restrict__ order, const int* __restrict__ lengths, int rows, int n, int steps, long long dst_row,
    long long original_row) {
    store_carried<1>(dst, carried, original, order, lengths, rows, n, steps, dst_row, original_row);
}

extern "C" __global__ void __launch_bounds__(THREADS) store_state_gradient_vec(
    STORE* __restrict__ dst, const ACC* __restrict__ carried, const STORE* __restrict__ original,
    const int* __restrict__ order, const int* __restrict__ lengths, int rows, int n, int steps, long long dst_row,
    long long original_row) {
    store_carried<LANES>(dst, carried, original, order, lengths, rows, n, steps, dst_row, original_row);
}

extern "C" __global__ void __launch_bounds__(THREADS) drop_gradient(
    ACC* __restrict__ d, const STORE* __restrict__ uniform, const int* __restrict__ order, double keep, int rows, int n,
    long long uniform_row) {
    drop_back<1>(d, uniform, order, keep, rows, n, uniform_row);
}

extern "C" __global__ void __launch_bounds__(THREADS) drop_gradient_vec(
    ACC* __restrict__ d, const STORE* __restrict__ uniform, const int* __restrict__ order, double keep, int rows, int n,
    long long uniform_row) {
    drop_back<LANES>(d, uniform, order, keep, rows, n, uniform_row);
}

extern "C" __global__ void __launch_bounds__(THREADS) column_sums(
    const STORE* __restrict__ values, const STORE* __restrict__ other, ACC* __restrict__ partial, int rows, int strips,
    int n, long long values_row, long long other_row) {
    sum_strip<1>(values, other, partial, rows, strips, n, values_row, other_row);
}

extern "C" __global__ void __launch_bounds__(THREADS) column_sums_vec(
    const STORE* __restrict__ values, const STORE* __restrict__ other, ACC* __restrict__ partial, int rows, int strips,
    int n, long long values_row, long long other_row) {
    sum_strip<VECTOR>(values, other, partial, rows, strips, n, values_row, other_row);
}

extern "C" __global__ void __launch_bounds__(THREADS) add_partial_sums(
    ACC* __restrict__ sums, const ACC* __restrict__ partial, int rows, int n) {
    const int column = int(blockIdx.x * blockDim.x + threadIdx.x);
    if (column >= n) return;
    ACC sum = partial[column];
#pragma unroll 16
    for (int row = 1; row < rows; ++row) sum += partial[(long long)row * n + column];
    sums[column] += sum;
}

extern "C" __global__ void __launch_bounds__(THREADS) narrow_values(
    STORE* __restrict__ dst, const ACC* __restrict__ src, long long count) {
    const long long from = (long long)blockIdx.x * THREADS + threadIdx.x;
    if (from < count) narrow_some<1>(dst, src, from);
}

extern "C" __global__ void __launch_bounds__(THREADS) narrow_values_vec(
    STORE* __restrict__ dst, const ACC* __restrict__ src, long long count) {
    const long long from = ((long long)blockIdx.x * THREADS + threadIdx.x) * LANES;
    if (from + LANES <= count) {
        narrow_some<LANES>(dst, src, from);
        return;
    }
#pragma unroll 1
    for (long long one = from; one < count; ++one) narrow_some<1>(dst, src, one);
}
