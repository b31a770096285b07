// Takes BasicRNNCell's step backwards, before its products: d = dh (1 - h'^2).
//
// Letters: B rows in the order by length, active of them with memory for gates, n units, t the step, steps T of the
// call.
// basic_rnn_step_back[_vec], the latter with LANES columns for each thread
// Inputs:   lengths  [B] steps of each row, or null: every step counts
//           h_new    [active][n] of STORE, h' after the step; rows that are not alive are not read
//           d_out    [active][n] of ACC, what the outputs' gradient is at this step, or null: none
//           d_next   [B][n] of ACC, what step t + 1 gives, read where the row has one
//           d_last   [B][n] of ACC, what the final state gives, read at a row's last step
// Outputs:  d_gates  [active][n] of STORE; +0 for rows not alive
// Aliasing: none.  Scratch: none.
// Grid:     (active / blockDim.y, n / (blockDim.x V)); 128 threads
// Fused:    where the gradient comes from, mask
// bytes basic_rnn_step_back: active*n*((1 + d_out)*ACC + 2*STORE) + lengths*active*INT
// registers basic_rnn_step_back: float16 16, bfloat16 16, float32 16, float64 24
// registers basic_rnn_step_back_vec: float16 24, bfloat16 24, float32 24, float64 24

template <int V>
__device__ __forceinline__ void basic_rnn_back(
    const int* lengths, const STORE* h_new, const ACC* d_out, const ACC* d_next, const ACC* d_last, STORE* d_gates,
    int n, int active, int t, int steps) {
    const int row = thread_row(), column = thread_column<V>();
    if (row >= active || column >= n) return;
    const long long place = (long long)row * n + column;
    Pack<STORE, V> d = zeros<V, STORE>();
    if (alive_at(lengths, row, active, t)) {
        const Pack<ACC, V> d_h = arriving<V>(lengths, d_out, d_next, d_last, n, row, column, t, steps);
        const Pack<STORE, V> h = load<V>(h_new + place);
#pragma unroll
        for (int k = 0; k < V; ++k)  // GRAD-4
            d.at[k] = narrow<STORE>(d_h.at[k] * (ACC(1) - wide(h.at[k]) * wide(h.at[k])));
    }
    store<V>(d_gates + place, d);
}

extern "C" __global__ void __launch_bounds__(THREADS) basic_rnn_step_back(
    const int* __restrict__ lengths, const STORE* __restrict__ h_new, const ACC* __restrict__ d_out,
    const ACC* __restrict__ d_next, const ACC* __restrict__ d_last, STORE* __restrict__ d_gates, int n, int active,
    int t, int steps) {
    basic_rnn_back<1>(lengths, h_new, d_out, d_next, d_last, d_gates, n, active, t, steps);
}

extern "C" __global__ void __launch_bounds__(THREADS) basic_rnn_step_back_vec(
    const int* __restrict__ lengths, const STORE* __restrict__ h_new, const ACC* __restrict__ d_out,
    const ACC* __restrict__ d_next, const ACC* __restrict__ d_last, STORE* __restrict__ d_gates, int n, int active,
    int t, int steps) {
    basic_rnn_back<LANES>(lengths, h_new, d_out, d_next, d_last, d_gates, n, active, t, steps);
}
