// What every kernel of the run loop knows of lanes: their state, rows of [lanes], and who they are.
const empty = 0u;     // no run
const running = 1u;
const ended = 2u;     // plus the number of the status (src/core/status.ts): waits to be delivered
const statusRow = 0u;
const stepsRow = 1u;
const entryRow = 2u;  // the run's place in the order of the queue
const outRow = 3u;    // where in the results the run that left goes, or none
const inRow = 4u;     // place in the queue of the run that enters, or none
const lowRow = 5u;    // start number: low and high word
const highRow = 6u;
const traceRow = 7u;  // rounds of this submit
const none = 0xffffffffu;

var<private> lane: u32;
var<private> lanes: u32;
