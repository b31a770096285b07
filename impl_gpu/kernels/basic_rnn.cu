// Takes BasicRNNCell's step after its matrix products: h' = tanh(gates + b).
//
// Letters: B rows in the order by length, active of them with memory for gates, n units.
// basic_rnn_step_masked[_vec]
// Inputs:   gates    [active][n] of ACC, x K + h R of this step; rows that are not alive are not read
//           bias     [n] of STORE
//           lengths  [B] steps of each row, or null: every step counts
//           order    [B] the caller's rows, or null: as they lie
// In place: h        [B][n] of STORE; written where the row is alive, never elsewhere
// Outputs:  chunk_out [active][n] of STORE, rows alive; null: the caller's outputs by the clock, +0 for rows not alive
//           clock    moved on where t0 < 0 (see common.cuh)
// Aliasing: none.  Scratch: none.  Covers: rows, which are B with the caller's outputs, active with chunk_out.
// Grid:     (rows / blockDim.y, n / (blockDim.x V)); 128 threads
// Fused:    bias, tanh, mask, copy-through of the state, zeroing and placing of the output
// bytes basic_rnn_step_masked: active*n*ACC + (active + rows + 1)*n*STORE + (lengths*active + order*rows)*INT
// registers basic_rnn_step_masked: float16 24, bfloat16 24, float32 24, float64 32
// registers basic_rnn_step_masked_vec: float16 40, bfloat16 40, float32 32, float64 32

template <int V>
__device__ __forceinline__ void basic_rnn_step(
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
    const long long place = (long long)row * n + column;
    const Pack<ACC, V> gate = load<V>(gates + place);
    const Pack<STORE, V> b = load<V>(bias + column);
    Pack<STORE, V> h_new;
#pragma unroll
    for (int k = 0; k < V; ++k) h_new.at[k] = narrow<STORE>(hyperbolic(gate.at[k] + wide(b.at[k])));  // EQ-1
    store<V>(h + place, h_new);
    write_result<V>(clock, order, chunk_out, n, row, t, column, h_new);
}

extern "C" __global__ void __launch_bounds__(THREADS) basic_rnn_step_masked(
    Clock* clock, const int* __restrict__ lengths, const int* __restrict__ order, const ACC* __restrict__ gates,
    const STORE* __restrict__ bias, STORE* __restrict__ h, STORE* __restrict__ chunk_out, int n, int active, int rows,
    int t0, int step, int first, int last, int chunk) {
    basic_rnn_step<1>(clock, lengths, order, gates, bias, h, chunk_out, n, active, rows, t0, step, first, last, chunk);
}

extern "C" __global__ void __launch_bounds__(THREADS) basic_rnn_step_masked_vec(
    Clock* clock, const int* __restrict__ lengths, const int* __restrict__ order, const ACC* __restrict__ gates,
    const STORE* __restrict__ bias, STORE* __restrict__ h, STORE* __restrict__ chunk_out, int n, int active, int rows,
    int t0, int step, int first, int last, int chunk) {
    basic_rnn_step<VECTOR>(
        clock, lengths, order, gates, bias, h, chunk_out, n, active, rows, t0, step, first, last, chunk);
}
