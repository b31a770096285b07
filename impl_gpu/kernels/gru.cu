// Takes GRUCell's step in two halves, one after each of its products.
//
//   r, u = sigmoid(gates + b)     reset = r h       (gru_gates; then the product of reset with the candidate's weights)
//   c = tanh(gates + b)           h' = u h + (1 - u) c                                        (gru_candidate_masked)
//
// Letters: B rows in the order by length, active of them with memory for gates, n units.
// Shared by the two kernels, each with an entry *_vec of 16-byte accesses:
// Inputs:   bias     [3n] of STORE, r|u|c
//           lengths  [B] steps of each row, or null: every step counts
//           order    [B] the caller's rows, or null: as they lie
// Aliasing: none.  Scratch: u, activated, stays in its columns of gates from the first kernel to the second.
// Grid:     (rows / blockDim.y, n / (blockDim.x V)); 128 threads
//
// gru_gates
// In place: gates    [active][3n] of ACC, r|u of x K + h R, and c, not touched; u becomes sigmoid(u), rows alive only
// Inputs:   h        [B][n] of STORE
// Outputs:  reset    [active][n] of STORE, rows alive only
// Fused:    bias, sigmoid, reset of the state; the clock is only read
// bytes gru_gates: active*n*3*ACC + (2*active + 2)*n*STORE + lengths*active*INT
// registers gru_gates: float16 24, bfloat16 24, float32 24, float64 32
// registers gru_gates_vec: float16 56, bfloat16 56, float32 40, float64 48
//
// gru_candidate_masked
// Inputs:   gates    [active][3n] of ACC: u as gru_gates left it, c = x K + reset R; rows not alive are not read
// In place: h        [B][n] of STORE; written where the row is alive, never elsewhere
// Outputs:  chunk_out [active][n] of STORE, rows alive; null: the caller's outputs by the clock, +0 for rows not alive
//           clock    moved on where t0 < 0 (see common.cuh)
// Covers:   rows: B with the caller's outputs, active with chunk_out
// Fused:    bias, tanh, the new state, mask, copy-through, zeroing and placing of the output
// bytes gru_candidate_masked: active*n*2*ACC + (2*active + rows + 1)*n*STORE + (lengths*active + order*rows)*INT
// registers gru_candidate_masked: float16 24, bfloat16 24, float32 24, float64 32
// registers gru_candidate_masked_vec: float16 56, bfloat16 56, float32 40, float64 40

template <int V>
__device__ __forceinline__ void gru_first_half(
    const Clock* clock, const int* lengths, ACC* gates, const STORE* bias, const STORE* h, STORE* reset, int n,
    int active, int t0, int step, int first) {
    const int row = thread_row(), column = thread_column<V>();
    if (column >= n || !alive_at(lengths, row, active, time_of(clock, t0, step, first))) return;
    ACC* gate = gates + (long long)row * 3 * n + column;
    const long long place = (long long)row * n + column;
    const Pack<ACC, V> r = load<V>(static_cast<const ACC*>(gate)), u = load<V>(static_cast<const ACC*>(gate + n));
    const Pack<STORE, V> h_old = load<V>(h + place);
    const Pack<STORE, V> b_r = load<V>(bias + column), b_u = load<V>(bias + n + column);
    Pack<ACC, V> u_new;
    Pack<STORE, V> reset_new;
#pragma unroll
    for (int k = 0; k < V; ++k) {
        u_new.at[k] = sigmoid(u.at[k] + wide(b_u.at[k]));
        reset_new.at[k] = narrow<STORE>(sigmoid(r.at[k] + wide(b_r.at[k])) * wide(h_old.at[k]));
    }
    store<V>(gate + n, u_new);
    store<V>(reset + place, reset_new);
}

template <int V>
__device__ __forceinline__ void gru_second_half(
    Clock* clock, const int* lengths, const int* order, const ACC* gates, const STORE* bias, STORE* h,
    STORE* chunk_out, int n, int active, int rows, int t0, int step, int first, int last, int chunk) {
    const int row = thread_row(), column = thread_column<V>();
    const int t = time_of(clock, t0, step, first);
    advance(clock, t0, first, last, chunk);
    if (row >= rows || column >= n) return;
    if (!alive_at(lengths, row, active, t)) {
        write_finished<V>(clock, order, chunk_out, row, t, column);
        return;
    }
    const ACC* gate = gates + (long long)row * 3 * n + column;
    STORE* state = h + (long long)row * n + column;
    const Pack<ACC, V> u = load<V>(gate + n), candidate = load<V>(gate + 2 * n);
    const Pack<STORE, V> h_old = load<V>(static_cast<const STORE*>(state)), b_c = load<V>(bias + 2 * n + column);
    Pack<STORE, V> h_new;
#pragma unroll
    for (int k = 0; k < V; ++k) {
        const ACC c = hyperbolic(candidate.at[k] + wide(b_c.at[k]));
        h_new.at[k] = narrow<STORE>(u.at[k] * wide(h_old.at[k]) + (ACC(1) - u.at[k]) * c);  // EQ-2
    }
    store<V>(state, h_new);
    write_result<V>(clock, order, chunk_out, n, row, t, column, h_new);
}

extern "C" __global__ void __launch_bounds__(THREADS) gru_gates(
    const Clock* clock, const int* __restrict__ lengths, ACC* __restrict__ gates, const STORE* __restrict__ bias,
    const STORE* __restrict__ h, STORE* __restrict__ reset, int n, int active, int t0, int step, int first) {
    gru_first_half<1>(clock, lengths, gates, bias, h, reset, n, active, t0, step, first);
}

extern "C" __global__ void __launch_bounds__(THREADS) gru_gates_vec(
    const Clock* clock, const int* __restrict__ lengths, ACC* __restrict__ gates, const STORE* __restrict__ bias,
    const STORE* __restrict__ h, STORE* __restrict__ reset, int n, int active, int t0, int step, int first) {
    gru_first_half<VECTOR>(clock, lengths, gates, bias, h, reset, n, active, t0, step, first);
}

extern "C" __global__ void __launch_bounds__(THREADS) gru_candidate_masked(
    Clock* clock, const int* __restrict__ lengths, const int* __restrict__ order, const ACC* __restrict__ gates,
    const STORE* __restrict__ bias, STORE* __restrict__ h, STORE* __restrict__ chunk_out, int n, int active, int rows,
    int t0, int step, int first, int last, int chunk) {
    gru_second_half<1>(clock, lengths, order, gates, bias, h, chunk_out, n, active, rows, t0, step, first, last, chunk);
}

extern "C" __global__ void __launch_bounds__(THREADS) gru_candidate_masked_vec(
    Clock* clock, const int* __restrict__ lengths, const int* __restrict__ order, const ACC* __restrict__ gates,
    const STORE* __restrict__ bias, STORE* __restrict__ h, STORE* __restrict__ chunk_out, int n, int active, int rows,
    int t0, int step, int first, int last, int chunk) {
    gru_second_half<VECTOR>(
        clock, lengths, order, gates, bias, h, chunk_out, n, active, rows, t0, step, first, last, chunk);
}
