/**
 * One interface over the compilers: what a build asks of a toolchain, and what `drvport doctor` says of it.
 *
 * A toolchain turns C into wasm32 objects, archives them and links them. It takes the same arguments whichever it is
 * (clang's driver for compile, wasm-ld for link); what must differ per toolchain is in build/flags.ts. It knows
 * nothing of kernels, trees or modules.
 */

export type ToolchainName = 'clang' | 'emcc' | 'yowasp'

export const TOOLCHAINS: readonly ToolchainName[] = ['clang', 'emcc', 'yowasp']

/** How a tool ended that neither succeeded nor refused its input. */
export interface ToolDeath {
  readonly reason: 'compiler-crash' | 'timeout' | 'out-of-memory'
  /** For people: one line. */
  readonly how: string
}

export interface ToolRun {
  readonly ok: boolean
  readonly death?: ToolDeath
  /** What the tool said: diagnostics, warnings, errors. */
  readonly output: string
  readonly ms: number
}

/** What one compile may take. Those that a platform cannot hold a process to are not enforced there. */
export interface CompileLimits {
  readonly cpuSeconds: number
  readonly wallSeconds: number
  /** Of address space. */
  readonly memoryBytes: number
}

export interface RunOptions {
  readonly limits?: CompileLimits
  readonly cwd: string
  readonly signal?: AbortSignal
}

export interface Toolchain {
  readonly name: ToolchainName
  /** Of the compiler itself, as in `19.1.7`; for emcc its own version and its clang's, `3.1.6+clang14.0.6`. */
  readonly version: string
  /** LLVM's major version. */
  readonly llvmMajor: number
  /** Where it was found, and why it was chosen: for people. */
  readonly how: string
  /** Equal ids give equal objects from equal inputs. */
  readonly id: string
  /** Makes precompiled headers, and is the quicker for it. */
  readonly precompiles?: boolean
  /**
   * Run the compiler driver with these arguments: at most `width` at once, more wait. Throws only when the
   * compiler cannot run at all.
   */
  compile(args: readonly string[], options: RunOptions): Promise<ToolRun>
  /** Make a static archive from objects, without times or owners. */
  archive(output: string, objects: readonly string[], options: RunOptions): Promise<ToolRun>
  /** Run wasm-ld with these arguments. */
  link(args: readonly string[], options: RunOptions): Promise<ToolRun>
  /** How many compiles it is worth running at once. */
  readonly width: number
  close(): Promise<void>
}

/** What was found out about one toolchain without using it. */
export interface Probe {
  readonly name: ToolchainName
  readonly found: boolean
  readonly version?: string
  readonly path?: string
  /** What is missing or wrong, when not found. */
  readonly problem?: string
  /** How to get it. */
  readonly todo?: string
}
