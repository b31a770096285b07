// Takes the step of BasicLSTMCell and LSTMCell backwards, around its matrix products.
//
//   i, j, f, o     as in lstm.cu, from the same gates, bias, peepholes and c; c the old, c' the new, rounded one
//   d_o = dh tanh(c') o (1 - o)                                                               before its sigmoid
//   d_c = dc' + dh o (1 - tanh(c')^2) + w_o d_o                                               0 where c' was clipped
//   d_i = d_c j i (1 - i)      d_j = d_c i (1 - j^2)      d_f = d_c c f (1 - f)               before sigmoid and tanh
//   dc  = d_c f + w_f d_f + w_i d_i                                                           (w: with peepholes)
//
// With a projection lstm_projection_back comes first, and the dh of lstm_step_back is d_projected P^T.
//
// Letters: B rows in the order by length, active of them with memory for gates, n units, p columns of a projection, t
// the step, steps T of the call. Shared by the two kernels, each with an entry *_vec, whose threads take LANES columns:
// Inputs:   lengths  [B] steps of each row, or null: every step counts
//           d_out    [active][columns] of ACC, what the outputs' gradient is at this step, or null: none
//           d_next   [B][columns] of ACC, what step t + 1 gives, read where the row has one; null: none
//           d_last   [B][columns] of ACC, what the final state gives, read at a row's last step; null: none
// Aliasing: none.  Scratch: none.
// Grid:     (active / blockDim.y, columns / (blockDim.x V)); 128 threads
//
// lstm_step_back
// Inputs:   gates    [active][4n] of ACC, i|j|f|o without bias; rows that are not alive are not read
//           bias     [4n] of STORE.  peepholes [3n] of STORE, w_f|w_i|w_o, or null
//           c_old    [active][n] of STORE, before the step.  c_new [active][n] after it
//           cell_clip limit of the forward pass; negative: none
// In place: dc       [B][n] of ACC, from dc' to dc; written where the row is alive, never elsewhere
// Outputs:  d_gates  [active][4n] of STORE; +0 for rows not alive
//           m        [active][n] of STORE, o tanh(c'), what was projected; +0 for rows not alive; null: not wanted
// Fused:    gates again, where the gradient comes from, clip, mask
// bytes lstm_step_back: active*n*((6 + d_out + carried)*ACC + (6 + m)*STORE) + (4 + 3*peepholes)*n*STORE + lengths*active*INT
// registers lstm_step_back: float16 40, bfloat16 40, float32 40, float64 80
// registers lstm_step_back_vec: float16 80, bfloat16 80, float32 80, float64 96
//
// lstm_projection_back
// Inputs:   projected [active][p] of ACC, m P before its clip, or null: there is none
//           proj_clip limit of the forward pass; negative: none
// Outputs:  d_projected [active][p] of STORE, 0 where the projection was clipped; +0 for rows not alive
// Fused:    where the gradient comes from, clip, mask
// bytes lstm_projection_back: active*p*((projected + d_out + carried)*ACC + STORE) + lengths*active*INT
// registers lstm_projection_back: float16 24, bfloat16 24, float32 24, float64 24
// registers lstm_projection_back_vec: float16 32, bfloat16 32, float32 32, float64 24

#define BLOCKS_BACK (sizeof(ACC) == 8 ? 5 : 6)  // on a multiprocessor: 96 registers for double, 80 else; none spills

template <int V>
__device__ __forceinline__ void lstm_back(
    const int* lengths, const ACC* gates, const STORE* bias, const STORE* peepholes, const STORE* c_old,
    const STORE* c_new, const ACC* d_out, const ACC* d_next, const ACC* d_last, ACC* dc, STORE* d_gates, STORE* m,
    int n, int active, int t, int steps, double forget_bias, double cell_clip) {
    const int row = thread_row(), column = thread_column<V>();
    if (row >= active || column >= n) return;
    const long long place = (long long)row * n + column;
    STORE* d_gate = d_gates + (long long)row * 4 * n + column;
    if (!alive_at(lengths, row, active, t)) {
#pragma unroll
        for (int part = 0; part < 4; ++part) store<V>(d_gate + part * n, zeros<V, STORE>());
        if (m != nullptr) store<V>(m + place, zeros<V, STORE>());
        return;
    }
    const ACC* gate = gates + (long long)row * 4 * n + column;
    Pack<ACC, V> i = load<V>(gate), j = load<V>(gate + n), f = load<V>(gate + 2 * n), o = load<V>(gate + 3 * n);
    const Pack<ACC, V> d_h = arriving<V>(lengths, d_out, d_next, d_last, n, row, column, t, steps);
    Pack<ACC, V> d_c = load<V>(static_cast<const ACC*>(dc + place));
    const Pack<STORE, V> old = load<V>(c_old + place), now = load<V>(c_new + place);
    const Pack<STORE, V> b_i = load<V>(bias + column), b_j = load<V>(bias + n + column);
    const Pack<STORE, V> b_f = load<V>(bias + 2 * n + column), b_o = load<V>(bias + 3 * n + column);
    const ACC forget = ACC(forget_bias), clip = ACC(cell_clip);
    Pack<STORE, V> w_f = zeros<V, STORE>(), w_i = w_f, w_o = w_f, d_i, d_j, d_f, d_o, projected;
#pragma unroll
    for (int k = 0; k < V; ++k) {
        i.at[k] += wide(b_i.at[k]);
        j.at[k] += wide(b_j.at[k]);
        f.at[k] += wide(b_f.at[k]);
        o.at[k] += wide(b_o.at[k]);
    }
    if (peepholes != nullptr) {
        w_f = load<V>(peepholes + column);
        w_i = load<V>(peepholes + n + column);
        w_o = load<V>(peepholes + 2 * n + column);
#pragma unroll
        for (int k = 0; k < V; ++k) {
            f.at[k] += wide(w_f.at[k]) * wide(old.at[k]);
            i.at[k] += wide(w_i.at[k]) * wide(old.at[k]);
            o.at[k] += wide(w_o.at[k]) * wide(now.at[k]);
        }
    }
#pragma unroll
    for (int k = 0; k < V; ++k) {
        const ACC c = wide(old.at[k]), tanh_c = hyperbolic(wide(now.at[k]));
        const ACC in = sigmoid(i.at[k]), new_input = hyperbolic(j.at[k]);
        const ACC keep = sigmoid(f.at[k] + forget), out = sigmoid(o.at[k]);
        const ACC to_out = d_h.at[k] * tanh_c * (out * (ACC(1) - out));
        ACC to_c = d_c.at[k] + d_h.at[k] * out * (ACC(1) - tanh_c * tanh_c);
        if (peepholes != nullptr) to_c += wide(w_o.at[k]) * to_out;
        to_c = unclipped(to_c, keep * c + in * new_input, clip);
        const ACC to_in = to_c * new_input * (in * (ACC(1) - in));
        const ACC to_keep = to_c * c * (keep * (ACC(1) - keep));
        d_c.at[k] = to_c * keep;
        if (peepholes != nullptr) d_c.at[k] += wide(w_f.at[k]) * to_keep + wide(w_i.at[k]) * to_in;
        d_i.at[k] = narrow<STORE>(to_in);
        d_j.at[k] = narrow<STORE>(to_c * in * (ACC(1) - new_input * new_input));
        d_f.at[k] = narrow<STORE>(to_keep);
        d_o.at[k] = narrow<STORE>(to_out);
        projected.at[k] = narrow<STORE>(out * tanh_c);
    }
    store<V>(dc + place, d_c);
    store<V>(d_gate, d_i);
    store<V>(d_gate + n, d_j);
    store<V>(d_gate + 2 * n, d_f);
    store<V>(d_gate + 3 * n, d_o);
    if (m != nullptr) store<V>(m + place, projected);
}

template <int V>
__device__ __forceinline__ void projection_back(
    const int* lengths, const ACC* projected, const ACC* d_out, const ACC* d_next, const ACC* d_last,
    STORE* d_projected, int p, int active, int t, int steps, double proj_clip) {
    const int row = thread_row(), column = thread_column<V>();
    if (row >= active || column >= p) return;
    const long long place = (long long)row * p + column;
    Pack<STORE, V> result = zeros<V, STORE>();
    if (alive_at(lengths, row, active, t)) {
        const Pack<ACC, V> d_h = arriving<V>(lengths, d_out, d_next, d_last, p, row, column, t, steps);
        const ACC clip = ACC(proj_clip);
        Pack<ACC, V> product = zeros<V, ACC>();
        if (projected != nullptr) product = load<V>(projected + place);
#pragma unroll
        for (int k = 0; k < V; ++k) result.at[k] = narrow<STORE>(unclipped(d_h.at[k], product.at[k], clip));
    }
    store<V>(d_projected + place, result);
}

extern "C" __global__ void __launch_bounds__(THREADS, BLOCKS_BACK) lstm_step_back(
    const int* __restrict__ lengths, const ACC* __restrict__ gates, const STORE* __restrict__ bias,
    const STORE* __restrict__ peepholes, const STORE* __restrict__ c_old, const STORE* __restrict__ c_new,
    const ACC* __restrict__ d_out, const ACC* __restrict__ d_next, const ACC* __restrict__ d_last,
    ACC* __restrict__ dc, STORE* __restrict__ d_gates, STORE* __restrict__ m, int n, int active, int t, int steps,
    double forget_bias, double cell_clip) {
    lstm_back<1>(
        lengths, gates, bias, peepholes, c_old, c_new, d_out, d_next, d_last, dc, d_gates, m, n, active, t, steps,
        forget_bias, cell_clip);
}

extern "C" __global__ void __launch_bounds__(THREADS, BLOCKS_BACK) lstm_step_back_vec(
    const int* __restrict__ lengths, const ACC* __restrict__ gates, const STORE* __restrict__ bias,
    const STORE* __restrict__ peepholes, const STORE* __restrict__ c_old, const STORE* __restrict__ c_new,
    const ACC* __restrict__ d_out, const ACC* __restrict__ d_next, const ACC* __restrict__ d_last,
    ACC* __restrict__ dc, STORE* __restrict__ d_gates, STORE* __restrict__ m, int n, int active, int t, int steps,
    double forget_bias, double cell_clip) {
    lstm_back<LANES>(
        lengths, gates, bias, peepholes, c_old, c_new, d_out, d_next, d_last, dc, d_gates, m, n, active, t, steps,
        forget_bias, cell_clip);
}

extern "C" __global__ void __launch_bounds__(THREADS) lstm_projection_back(
    const int* __restrict__ lengths, const ACC* __restrict__ projected, const ACC* __restrict__ d_out,
    const ACC* __restrict__ d_next, const ACC* __restrict__ d_last, STORE* __restrict__ d_projected, int p, int active,
    int t, int steps, double proj_clip) {
    projection_back<1>(lengths, projected, d_out, d_next, d_last, d_projected, p, active, t, steps, proj_clip);
}

extern "C" __global__ void __launch_bounds__(THREADS) lstm_projection_back_vec(
    const int* __restrict__ lengths, const ACC* __restrict__ projected, const ACC* __restrict__ d_out,
    const ACC* __restrict__ d_next, const ACC* __restrict__ d_last, STORE* __restrict__ d_projected, int p, int active,
    int t, int steps, double proj_clip) {
    projection_back<LANES>(lengths, projected, d_out, d_next, d_last, d_projected, p, active, t, steps, proj_clip);
}
