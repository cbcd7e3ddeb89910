/**
 * How much the engine puts into one function of what it calls. A register access or a frame goes through a dozen small functions,
 * each in the part that knows about it; V8's own limit is reached halfway, and the rest are calls again.
 *
 * Loaded for its effect, before anything is hot. An engine that has no such flag says so and goes on.
 */
import { setFlagsFromString } from 'node:v8'

/** Bytes of bytecode; V8 has 920. */
setFlagsFromString('--max-inlined-bytecode-size-cumulative=3000')
