// Moves rows as they are, whatever their dtype: under a mask, packed, or through a permutation.
//
// STORE is what one thread moves: 1, 2, 4, 8 or 16 bytes of any dtype, so -0.0 and the bits of NaN come through. The
// launch helpers take the widest that addresses, strides and rows allow; all sizes and strides here count such pieces.
//
// Letters: e = row_elements pieces of a row; strides *_row and *_t from one row and one step to the next.
// Aliasing: none, but dst may be other where the strides agree.  Scratch: none.  Grid: (rows / blockDim.y,
// e / blockDim.x, steps); 128 threads.  Fused: nothing, these are copies.
//
// masked_copy
// Inputs:   src     [rows][e]; read where t < lengths[row].  other [rows][e]; read elsewhere; null: zeros
//           lengths [rows] in the order of the rows, or null: all rows from src
// Outputs:  dst     [rows][e], every row
// bytes masked_copy: 2*rows*e*STORE + lengths*rows*INT
// registers masked_copy: bytes1 24, bytes2 24, bytes4 24, bytes8 24, bytes16 24
//
// pack_rows
// Inputs:   src     [T][rows][e] by src_t and src_row, in the caller's order.  order [rows], or null: as they lie
//           active  [chunks] rows taken at each step of a chunk.  base [chunks] the packed row of a chunk's first
//           chunk   steps in a chunk, the last one may have fewer
//           lengths [rows] in the order of the rows, or null: every step counts
// Outputs:  dst     [packed][e]: for each step of each chunk its first active rows of the order, without gaps; zeros
//                   where t >= lengths[row], whatever src has there
// bytes pack_rows: 2*packed*e*STORE + (lengths + order)*rows*INT + chunks*(INT + LONG)
// registers pack_rows: bytes1 32, bytes2 32, bytes4 32, bytes8 32, bytes16 32
//
// move_rows
// Inputs:   src     [rows][e].  order [rows], a permutation, or null: as they lie
// Outputs:  dst     [rows][e]: gather: dst[r] = src[order[r]]; else dst[order[r]] = src[r]
// bytes move_rows: 2*rows*e*STORE + order*rows*INT
// registers move_rows: bytes1 24, bytes2 24, bytes4 24, bytes8 24, bytes16 24

// The loops over pieces and steps take one turn, unless a row or a call is longer than the largest grid.
__device__ __forceinline__ long long first_piece() { return (long long)blockIdx.y * blockDim.x + threadIdx.x; }
__device__ __forceinline__ long long pieces_at_once() { return (long long)gridDim.y * blockDim.x; }

extern "C" __global__ void __launch_bounds__(THREADS) masked_copy(
    STORE* dst, const STORE* __restrict__ src, const STORE* other, const int* __restrict__ lengths, int t, int rows,
    long long row_elements, long long dst_row, long long src_row, long long other_row) {
    const int row = thread_row();
    if (row >= rows) return;
    const bool counts = alive_at(lengths, row, rows, t);
    // SEQ-4, SEQ-6: the old state of a row that does not count, of any dtype; SEQ-7: or zeros, where there is no other.
    const STORE* from = counts ? src + row * src_row : other == nullptr ? nullptr : other + row * other_row;
#pragma unroll 1
    for (long long e = first_piece(); e < row_elements; e += pieces_at_once()) {
        STORE value = {};
        if (from != nullptr) value = from[e];  // SEQ-23: moved, never computed with
        dst[row * dst_row + e] = value;
    }
}

extern "C" __global__ void __launch_bounds__(THREADS) pack_rows(
    STORE* __restrict__ dst, const STORE* __restrict__ src, const int* __restrict__ order,
    const int* __restrict__ active, const long long* __restrict__ base, const int* __restrict__ lengths, int chunk,
    int T, int rows, long long row_elements, long long src_t, long long src_row) {
    const int row = thread_row();
    if (row >= rows) return;
    const STORE* of_row = src + callers_row(order, row) * src_row;
#pragma unroll 1
    for (int t = blockIdx.z; t < T; t += gridDim.z) {
        const int part = t / chunk, alive = active[part];
        if (row >= alive) continue;
        // GRAD-12: with lengths, zeros for what lies past them.
        const STORE* from = alive_at(lengths, row, rows, t) ? of_row + t * src_t : nullptr;
        STORE* to = dst + (base[part] + (long long)(t - part * chunk) * alive + row) * row_elements;
#pragma unroll 1
        for (long long e = first_piece(); e < row_elements; e += pieces_at_once()) {
            STORE value = {};
            if (from != nullptr) value = from[e];
            to[e] = value;
        }
    }
}

extern "C" __global__ void __launch_bounds__(THREADS) move_rows(
    STORE* __restrict__ dst, const STORE* __restrict__ src, const int* __restrict__ order, int gather, int rows,
    long long row_elements, long long dst_row, long long src_row) {
    const int row = thread_row();
    if (row >= rows) return;
    const int named = callers_row(order, row);
    const STORE* from = src + (gather ? named : row) * src_row;
    STORE* to = dst + (gather ? row : named) * dst_row;
#pragma unroll 1
    for (long long e = first_piece(); e < row_elements; e += pieces_at_once()) to[e] = from[e];
}
