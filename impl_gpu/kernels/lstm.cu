// Takes the step of BasicLSTMCell and LSTMCell around its matrix products.
//
//   i, j, f, o = gates + b      f += w_f c, i += w_i c                       (with peepholes, the old c)
//   c' = sigmoid(f + forget_bias) c + sigmoid(i) tanh(j)                     then clipped, and rounded to STORE
//   o += w_o c'                                                              (with peepholes, the new c)
//   h' = sigmoid(o) tanh(c')                                                 with a projection: m = h', h' = clip(m P)
//
// Letters: B rows in the order by length, active of them with memory for gates, n units, p columns of a projection.
// Shared by the three kernels, each with an entry *_vec of 16-byte accesses:
// Inputs:   lengths  [B] steps of each row, or null: every step counts
//           order    [B] the caller's rows, or null: as they lie
// Clips:    cell_clip, proj_clip: limit to [-clip, clip]; negative: no limit
// Clock:    moved on where t0 < 0, but not by lstm_step_projected, which is followed by lstm_projection_masked
// Aliasing: none.  Scratch: none.
// Grid:     (rows / blockDim.y, columns / (blockDim.x V)); 128 threads
//
// lstm_step_masked
// Inputs:   gates     [active][4n] of ACC, i|j|f|o of [x; h] K; rows that are not alive are not read
//           bias      [4n] of STORE.  peepholes [3n] of STORE, w_f|w_i|w_o, or null
// In place: c, h      [B][n] of STORE; written where the row is alive, never elsewhere
// Outputs:  chunk_out [active][n] of STORE, rows alive; null: the caller's outputs by the clock, +0 for rows not alive
//           saved_c   [active][n] of STORE, the new c of rows alive; null: it is not saved
// Covers:   rows: B with the caller's outputs, active with chunk_out
// Fused:    bias, peepholes, gates, both states, clip, mask, copy-through, zeroing and placing of the output
// bytes lstm_step_masked: active*n*4*ACC + ((3 + saved)*active + rows + 4 + 3*peepholes)*n*STORE + (lengths*active + order*rows)*INT
// registers lstm_step_masked: float16 48, bfloat16 48, float32 48, float64 72
// registers lstm_step_masked_vec: float16 80, bfloat16 80, float32 64, float64 80
//
// lstm_step_projected
// Inputs:   gates, bias, peepholes as above; the h in the product was [active][p]
// In place: c         [B][n] of STORE; written where the row is alive
// Outputs:  m         [active][n] of STORE, what is to be projected; rows alive only.  saved_c as above
// Fused:    all of the above but h, the output and the clock
// bytes lstm_step_projected: active*n*4*ACC + ((3 + saved)*active + 4 + 3*peepholes)*n*STORE + lengths*active*INT
// registers lstm_step_projected: float16 40, bfloat16 40, float32 32, float64 48
// registers lstm_step_projected_vec: float16 80, bfloat16 80, float32 64, float64 72
//
// lstm_projection_masked
// Inputs:   projected [active][p] of ACC, m P; rows that are not alive are not read
// In place: h         [B][p] of STORE; written where the row is alive
// Outputs:  chunk_out [active][p], or the caller's outputs, as above
// Fused:    clip, mask, copy-through, zeroing and placing of the output
// bytes lstm_projection_masked: active*p*ACC + (active + rows)*p*STORE + (lengths*active + order*rows)*INT
// registers lstm_projection_masked: float16 24, bfloat16 24, float32 24, float64 24
// registers lstm_projection_masked_vec: float16 32, bfloat16 32, float32 32, float64 32

// One step of V units of one row: c in place and saved, and what h' is before any projection.
template <int V>
__device__ __forceinline__ Pack<STORE, V> lstm_units(
    const ACC* gates, const STORE* bias, const STORE* peepholes, STORE* c, STORE* saved_c, int n, int row, int column,
    double forget_bias, double cell_clip) {
    const ACC* gate = gates + (long long)row * 4 * n + column;
    STORE* cell = c + (long long)row * n + column;
    Pack<ACC, V> i = load<V>(gate), j = load<V>(gate + n), f = load<V>(gate + 2 * n), o = load<V>(gate + 3 * n);
    const Pack<STORE, V> c_old = load<V>(static_cast<const STORE*>(cell));
    const Pack<STORE, V> b_i = load<V>(bias + column), b_j = load<V>(bias + n + column);
    const Pack<STORE, V> b_f = load<V>(bias + 2 * n + column), b_o = load<V>(bias + 3 * n + column);
    const ACC forget = ACC(forget_bias), clip = ACC(cell_clip);
    Pack<STORE, V> c_new, h_new, w_o = zeros<V, STORE>();
#pragma unroll
    for (int k = 0; k < V; ++k) {
        i.at[k] += wide(b_i.at[k]);
        j.at[k] += wide(b_j.at[k]);
        f.at[k] += wide(b_f.at[k]);
        o.at[k] += wide(b_o.at[k]);
    }
    if (peepholes != nullptr) {
        const Pack<STORE, V> w_f = load<V>(peepholes + column), w_i = load<V>(peepholes + n + column);
        w_o = load<V>(peepholes + 2 * n + column);
#pragma unroll
        for (int k = 0; k < V; ++k) {
            f.at[k] += wide(w_f.at[k]) * wide(c_old.at[k]);
            i.at[k] += wide(w_i.at[k]) * wide(c_old.at[k]);
        }
    }
#pragma unroll
    for (int k = 0; k < V; ++k) {
        // EQ-3, EQ-4; EQ-14: the forget bias is not among the biases
        const ACC c_exact = sigmoid(f.at[k] + forget) * wide(c_old.at[k]) + sigmoid(i.at[k]) * hyperbolic(j.at[k]);
        c_new.at[k] = narrow<STORE>(clipped(c_exact, clip));  // EQ-6
        const ACC c_after = wide(c_new.at[k]);
        if (peepholes != nullptr) o.at[k] += wide(w_o.at[k]) * c_after;  // EQ-5
        h_new.at[k] = narrow<STORE>(sigmoid(o.at[k]) * hyperbolic(c_after));
    }
    store<V>(cell, c_new);
    if (saved_c != nullptr) store<V>(saved_c + (long long)row * n + column, c_new);
    return h_new;
}

template <int V>
__device__ __forceinline__ void lstm_step(
    Clock* clock, const int* lengths, const int* order, const ACC* gates, const STORE* bias, const STORE* peepholes,
    STORE* c, STORE* h, STORE* chunk_out, STORE* saved_c, int n, int active, int rows, int t0, int step, int first,
    int last, int chunk, double forget_bias, double cell_clip) {
    const int row = thread_row(), column = thread_column<V>();
    const int t = time_of(clock, t0, step, first);
    advance(clock, t0, first, last, chunk);
    if (row >= rows || column >= n) return;
    if (!alive_at(lengths, row, active, t)) {
        write_finished<V>(clock, order, chunk_out, row, t, column);
        return;
    }
    const Pack<STORE, V> h_new = lstm_units<V>(
        gates, bias, peepholes, c, saved_c, n, row, column, forget_bias, cell_clip);
    store<V>(h + (long long)row * n + column, h_new);
    write_result<V>(clock, order, chunk_out, n, row, t, column, h_new);
}

template <int V>
__device__ __forceinline__ void lstm_step_to_project(
    const Clock* clock, const int* lengths, const ACC* gates, const STORE* bias, const STORE* peepholes, STORE* c,
    STORE* m, STORE* saved_c, int n, int active, int t0, int step, int first, double forget_bias, double cell_clip) {
    const int row = thread_row(), column = thread_column<V>();
    if (column >= n || !alive_at(lengths, row, active, time_of(clock, t0, step, first))) return;
    const Pack<STORE, V> m_new = lstm_units<V>(
        gates, bias, peepholes, c, saved_c, n, row, column, forget_bias, cell_clip);
    store<V>(m + (long long)row * n + column, m_new);
}

template <int V>
__device__ __forceinline__ void lstm_projection(
    Clock* clock, const int* lengths, const int* order, const ACC* projected, STORE* h, STORE* chunk_out, int p,
    int active, int rows, int t0, int step, int first, int last, int chunk, double proj_clip) {
    const int row = thread_row(), column = thread_column<V>();
    const int t = time_of(clock, t0, step, first);
    advance(clock, t0, first, last, chunk);
    if (row >= rows || column >= p) return;
    if (!alive_at(lengths, row, active, t)) {
        write_finished<V>(clock, order, chunk_out, row, t, column);
        return;
    }
    const long long place = (long long)row * p + column;
    const Pack<ACC, V> product = load<V>(projected + place);
    const ACC clip = ACC(proj_clip);
    Pack<STORE, V> h_new;
#pragma unroll
    for (int k = 0; k < V; ++k) h_new.at[k] = narrow<STORE>(clipped(product.at[k], clip));  // EQ-7
    store<V>(h + place, h_new);
    write_result<V>(clock, order, chunk_out, p, row, t, column, h_new);
}

extern "C" __global__ void __launch_bounds__(THREADS, BLOCKS) lstm_step_masked(
    Clock* clock, const int* __restrict__ lengths, const int* __restrict__ order, const ACC* __restrict__ gates,
    const STORE* __restrict__ bias, const STORE* __restrict__ peepholes, STORE* __restrict__ c, STORE* __restrict__ h,
    STORE* __restrict__ chunk_out, STORE* __restrict__ saved_c, int n, int active, int rows, int t0, int step,
    int first, int last, int chunk, double forget_bias, double cell_clip) {
    lstm_step<1>(
        clock, lengths, order, gates, bias, peepholes, c, h, chunk_out, saved_c, n, active, rows, t0, step, first,
        last, chunk, forget_bias, cell_clip);
}

extern "C" __global__ void __launch_bounds__(THREADS, BLOCKS) lstm_step_masked_vec(
    Clock* clock, const int* __restrict__ lengths, const int* __restrict__ order, const ACC* __restrict__ gates,
    const STORE* __restrict__ bias, const STORE* __restrict__ peepholes, STORE* __restrict__ c, STORE* __restrict__ h,
    STORE* __restrict__ chunk_out, STORE* __restrict__ saved_c, int n, int active, int rows, int t0, int step,
    int first, int last, int chunk, double forget_bias, double cell_clip) {
    lstm_step<VECTOR>(
        clock, lengths, order, gates, bias, peepholes, c, h, chunk_out, saved_c, n, active, rows, t0, step, first,
        last, chunk, forget_bias, cell_clip);
}

extern "C" __global__ void __launch_bounds__(THREADS, BLOCKS) lstm_step_projected(
    const Clock* clock, const int* __restrict__ lengths, const ACC* __restrict__ gates, const STORE* __restrict__ bias,
    const STORE* __restrict__ peepholes, STORE* __restrict__ c, STORE* __restrict__ m, STORE* __restrict__ saved_c,
    int n, int active, int t0, int step, int first, double forget_bias, double cell_clip) {
    lstm_step_to_project<1>(
        clock, lengths, gates, bias, peepholes, c, m, saved_c, n, active, t0, step, first, forget_bias, cell_clip);
}

extern "C" __global__ void __launch_bounds__(THREADS, BLOCKS) lstm_step_projected_vec(
    const Clock* clock, const int* __restrict__ lengths, const ACC* __restrict__ gates, const STORE* __restrict__ bias,
    const STORE* __restrict__ peepholes, STORE* __restrict__ c, STORE* __restrict__ m, STORE* __restrict__ saved_c,
    int n, int active, int t0, int step, int first, double forget_bias, double cell_clip) {
    lstm_step_to_project<VECTOR>(
        clock, lengths, gates, bias, peepholes, c, m, saved_c, n, active, t0, step, first, forget_bias, cell_clip);
}

extern "C" __global__ void __launch_bounds__(THREADS) lstm_projection_masked(
    Clock* clock, const int* __restrict__ lengths, const int* __restrict__ order, const ACC* __restrict__ projected,
    STORE* __restrict__ h, STORE* __restrict__ chunk_out, int p, int active, int rows, int t0, int step, int first,
    int last, int chunk, double proj_clip) {
    lstm_projection<1>(
        clock, lengths, order, projected, h, chunk_out, p, active, rows, t0, step, first, last, chunk, proj_clip);
}

extern "C" __global__ void __launch_bounds__(THREADS) lstm_projection_masked_vec(
    Clock* clock, const int* __restrict__ lengths, const int* __restrict__ order, const ACC* __restrict__ projected,
    STORE* __restrict__ h, STORE* __restrict__ chunk_out, int p, int active, int rows, int t0, int step, int first,
    int last, int chunk, double proj_clip) {
    lstm_projection<VECTOR>(
        clock, lengths, order, projected, h, chunk_out, p, active, rows, t0, step, first, last, chunk, proj_clip);
}
