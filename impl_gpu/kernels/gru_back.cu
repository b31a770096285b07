// Takes GRUCell's step backwards in two halves, around its products.
//
//   c = tanh(gates + b)     d_c = dh (1 - u) (1 - c^2)     d_u = dh (h - c) u (1 - u)     dh u goes on to h
//   (gru_candidate_back; then the product d_reset = d_c Rc^T)
//   r = sigmoid(gates + b)  d_r = d_reset h r (1 - r)      d_reset r is added             reset = r h, once more
//   (gru_gates_back; then the product d_next += [d_r|d_u] Rg^T)
//
// Letters: B rows in the order by length, active of them with memory for gates, n units, t the step, steps T of the
// call. Shared by the two kernels, each with an entry *_vec, whose threads take LANES columns:
// Inputs:   gates    [active][3n] of ACC: r before its sigmoid, u after it, c before its tanh, as the forward pass
//                    leaves them; rows that are not alive are not read
//           bias     [3n] of STORE, r|u|c
//           h_old    [active][n] of STORE, before the step
//           lengths  [B] steps of each row, or null: every step counts
// In place: d_next   [B][n] of ACC, written where the row is alive, never elsewhere
// Aliasing: none.  Scratch: none.
// Grid:     (active / blockDim.y, n / (blockDim.x V)); 128 threads
//
// gru_candidate_back
// Inputs:   d_out    [active][n] of ACC, what the outputs' gradient is at this step, or null: none
//           d_last   [B][n] of ACC, what the final state gives, read at a row's last step
// In place: d_next   what step t + 1 gives, read where the row has one; becomes dh u
// Outputs:  d_gates  [active][3n] of STORE, its columns u and c; +0 for rows not alive
// Fused:    the candidate again, where the gradient comes from, mask
// bytes gru_candidate_back: active*n*((4 + d_out)*ACC + 3*STORE) + n*STORE + lengths*active*INT
// registers gru_candidate_back: float16 32, bfloat16 32, float32 32, float64 32
// registers gru_candidate_back_vec: float16 48, bfloat16 40, float32 48, float64 40
//
// gru_gates_back
// Inputs:   d_reset  [active][n] of ACC; rows that are not alive are not read
// In place: d_next   dh u; d_reset r is added
// Outputs:  d_gates  [active][3n] of STORE, its column r; +0 for rows not alive
//           reset    [active][n] of STORE, r h; +0 for rows not alive
// Fused:    r and reset again, mask
// bytes gru_gates_back: active*n*(4*ACC + 3*STORE) + n*STORE + lengths*active*INT
// registers gru_gates_back: float16 24, bfloat16 24, float32 24, float64 32
// registers gru_gates_back_vec: float16 40, bfloat16 40, float32 40, float64 40

template <int V>
__device__ __forceinline__ void candidate_back(
    const int* lengths, const ACC* gates, const STORE* bias, const STORE* h_old, const ACC* d_out, ACC* d_next,
    const ACC* d_last, STORE* d_gates, int n, int active, int t, int steps) {
    const int row = thread_row(), column = thread_column<V>();
    if (row >= active || column >= n) return;
    const long long place = (long long)row * n + column;
    STORE* d_gate = d_gates + (long long)row * 3 * n + column;
    if (!alive_at(lengths, row, active, t)) {
        store<V>(d_gate + n, zeros<V, STORE>());
        store<V>(d_gate + 2 * n, zeros<V, STORE>());
        return;
    }
    const ACC* gate = gates + (long long)row * 3 * n + column;
    const Pack<ACC, V> u = load<V>(gate + n), candidate = load<V>(gate + 2 * n);
    const Pack<ACC, V> d_h = arriving<V>(lengths, d_out, d_next, d_last, n, row, column, t, steps);
    const Pack<STORE, V> h = load<V>(h_old + place), b_c = load<V>(bias + 2 * n + column);
    Pack<ACC, V> kept;
    Pack<STORE, V> d_u, d_c;
#pragma unroll
    for (int k = 0; k < V; ++k) {
        const ACC c = hyperbolic(candidate.at[k] + wide(b_c.at[k])), renewed = ACC(1) - u.at[k];
        // GRAD-4: h' = u h + (1 - u) c, by u and by c
        d_u.at[k] = narrow<STORE>(d_h.at[k] * (wide(h.at[k]) - c) * (u.at[k] * renewed));
        d_c.at[k] = narrow<STORE>(d_h.at[k] * renewed * (ACC(1) - c * c));
        kept.at[k] = d_h.at[k] * u.at[k];
    }
    store<V>(d_gate + n, d_u);
    store<V>(d_gate + 2 * n, d_c);
    store<V>(d_next + place, kept);
}

template <int V>
__device__ __forceinline__ void gates_back(
    const int* lengths, const ACC* gates, const STORE* bias, const STORE* h_old, const ACC* d_reset, STORE* d_gates,
    ACC* d_next, STORE* reset, int n, int active, int t) {
    const int row = thread_row(), column = thread_column<V>();
    if (row >= active || column >= n) return;
    const long long place = (long long)row * n + column;
    STORE* d_gate = d_gates + (long long)row * 3 * n + column;
    if (!alive_at(lengths, row, active, t)) {
        store<V>(d_gate, zeros<V, STORE>());
        store<V>(reset + place, zeros<V, STORE>());
        return;
    }
    const Pack<ACC, V> gate = load<V>(gates + (long long)row * 3 * n + column), d = load<V>(d_reset + place);
    const Pack<STORE, V> h = load<V>(h_old + place), b_r = load<V>(bias + column);
    Pack<ACC, V> to_h = load<V>(static_cast<const ACC*>(d_next + place));
    Pack<STORE, V> d_r, reset_again;
#pragma unroll
    for (int k = 0; k < V; ++k) {
        const ACC r = sigmoid(gate.at[k] + wide(b_r.at[k]));
        d_r.at[k] = narrow<STORE>(d.at[k] * wide(h.at[k]) * (r * (ACC(1) - r)));
        reset_again.at[k] = narrow<STORE>(r * wide(h.at[k]));
        to_h.at[k] += d.at[k] * r;
    }
    store<V>(d_gate, d_r);
    store<V>(reset + place, reset_again);
    store<V>(d_next + place, to_h);
}

// d_next is read through a pointer of its own in arriving, and written afterwards by the same thread.
extern "C" __global__ void __launch_bounds__(THREADS) gru_candidate_back(
    const int* __restrict__ lengths, const ACC* __restrict__ gates, const STORE* __restrict__ bias,
    const STORE* __restrict__ h_old, const ACC* __restrict__ d_out, ACC* d_next, const ACC* __restrict__ d_last,
    STORE* __restrict__ d_gates, int n, int active, int t, int steps) {
    candidate_back<1>(lengths, gates, bias, h_old, d_out, d_next, d_last, d_gates, n, active, t, steps);
}

extern "C" __global__ void __launch_bounds__(THREADS) gru_candidate_back_vec(
    const int* __restrict__ lengths, const ACC* __restrict__ gates, const STORE* __restrict__ bias,
    const STORE* __restrict__ h_old, const ACC* __restrict__ d_out, ACC* d_next, const ACC* __restrict__ d_last,
    STORE* __restrict__ d_gates, int n, int active, int t, int steps) {
    candidate_back<LANES>(lengths, gates, bias, h_old, d_out, d_next, d_last, d_gates, n, active, t, steps);
}

extern "C" __global__ void __launch_bounds__(THREADS) gru_gates_back(
    const int* __restrict__ lengths, const ACC* __restrict__ gates, const STORE* __restrict__ bias,
    const STORE* __restrict__ h_old, const ACC* __restrict__ d_reset, STORE* __restrict__ d_gates,
    ACC* __restrict__ d_next, STORE* __restrict__ reset, int n, int active, int t) {
    gates_back<1>(lengths, gates, bias, h_old, d_reset, d_gates, d_next, reset, n, active, t);
}

extern "C" __global__ void __launch_bounds__(THREADS) gru_gates_back_vec(
    const int* __restrict__ lengths, const ACC* __restrict__ gates, const STORE* __restrict__ bias,
    const STORE* __restrict__ h_old, const ACC* __restrict__ d_reset, STORE* __restrict__ d_gates,
    ACC* __restrict__ d_next, STORE* __restrict__ reset, int n, int active, int t) {
    gates_back<LANES>(lengths, gates, bias, h_old, d_reset, d_gates, d_next, reset, n, active, t);
}
