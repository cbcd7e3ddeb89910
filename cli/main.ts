/** Entry of the command line, from the sources as they are. What `drvport` runs is start.ts, which takes less of a start. */
import './inlining.ts'

// With the flags that start.ts has set by then: what the engine keeps of a module fits an engine with the same flags only.
const { main } = await import('./command-line.ts')
await main(process.argv.slice(2))
