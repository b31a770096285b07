// Sets the clock of captured graphs before a call replays them.
//
// set_clock       now = next = t of the first step to come; outputs and its strides, in elements of their dtype
// Output:         clock, one struct Clock (32 bytes)
// Grid:           one block of one thread
// bytes set_clock: CLOCK
// registers set_clock: any 16

extern "C" __global__ void set_clock(
    Clock* clock, int now, void* outputs, long long output_t, long long output_row) {
    clock->now = now;
    clock->next = now;
    clock->outputs = outputs;
    clock->output_t = output_t;
    clock->output_row = output_row;
}
