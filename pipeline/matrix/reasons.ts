/**
 * What each reason means and what a reader can do about it. Reports and the page show these texts; `Reason` is the key.
 */

import type { Reason } from './types.ts'

export interface ReasonText {
  /** A few words, for tables. */
  readonly title: string
  /** One sentence or two, for people who meet it first. */
  readonly means: string
  readonly todo: string
}

export const REASON_TEXTS: Readonly<Record<Reason, ReasonText>> = {
  excluded: {
    title: 'not for this kernel',
    means: 'Its own dkms.conf leaves this kernel out.',
    todo: 'nothing to do, unless the line in `detail` is out of date',
  },
  'makefile-error': {
    title: 'its makefile cannot be followed',
    means: 'Its own makefile or dkms.conf stops, or builds another module than it names.',
    todo: 'see `detail`: what was said, and where',
  },
  'no-source': {
    title: 'source not found',
    means: 'A C file of the module is not there and nothing generates it.',
    todo: 'see the file in `detail`: a generator may be missing on this computer (`drvport doctor`)',
  },
  'not-c': {
    title: 'not all of it is C',
    means: 'A part of it is in Rust or assembler, or comes as an object without a source: none of that becomes wasm.',
    todo: 'see the file in `detail`; an option of the driver that leaves it out can be set: CONFIG_ACME_ASM=n drvport ...',
  },
  'missing-header': {
    title: 'a header is missing',
    means: 'It includes a header that this tree has not, or has where no -I leads to.',
    todo: '`drvport explain MODULE --tree A,B` tells whether another version has it; a folder needs an -I for its own',
  },
  'needs-x86': {
    title: 'is for x86',
    means: 'It uses a header or a function that only the x86 architecture has.',
    todo: 'nothing to do: the driver says so itself, or should, with `depends on X86`',
  },
  'needs-architecture': {
    title: 'is for another architecture',
    means: 'It uses a header or a function that only the architectures in `detail` have.',
    todo: 'nothing to do: the driver is for machines of those architectures',
  },
  'needs-64-bit': {
    title: 'needs 64 bits',
    means: 'It uses what the tree has for 64-bit kernels only; wasm32 is a 32-bit one.',
    todo: 'for readq() and writeq(), include linux/io-64-nonatomic-lo-hi.h or -hi-lo.h; else the driver is for 64 bits',
  },
  'needs-option': {
    title: 'needs an option that is off',
    means: 'It uses what the tree has only with an option that drvport does not configure, such as ACPI.',
    todo: 'see `detail`; on a kernel that has the option nothing is said against it',
  },
  'compile-error': {
    title: 'does not compile',
    means: 'The compiler read the source, headers included, and refused it for wasm32.',
    todo: 'see the diagnostics: file, line and message; usually something of the architecture that the overlay lacks',
  },
  'api-removed': {
    title: 'the kernel no longer has it',
    means: 'It uses a function, field, macro, type or header that other kernels here have and this one has not.',
    todo: '`drvport explain MODULE --tree A,B` shows both versions, and what is used instead',
  },
  'api-changed': {
    title: 'the kernel changed it',
    means: 'It uses a function, field or macro whose type or parameters are others in this kernel.',
    todo: '`drvport explain MODULE --tree A,B` shows both versions, and how drivers of the tree changed',
  },
  'api-added': {
    title: 'this kernel does not have it yet',
    means: 'It uses a function, field, macro, type or header that only newer kernels here have.',
    todo: 'a version test, or a definition of its own, lets it build on this one too',
  },
  'not-exported': {
    title: 'not exported',
    means: 'It uses a function of the kernel that modules of this version may not use.',
    todo: '`drvport explain MODULE --tree A,B` shows where it was exported',
  },
  'gpl-only': {
    title: 'for GPL modules only',
    means: 'It uses a symbol that this kernel exports to GPL-compatible modules only, and its licence is another.',
    todo: 'see `gplOnly` and `licenses` of the row',
  },
  'not-imported': {
    title: 'its namespace is not imported',
    means: 'It uses a symbol that this kernel exports in a namespace, and does not import that; modpost refuses it.',
    todo: 'MODULE_IMPORT_NS with the name that `detail` says; a text since 6.13, a bare name before',
  },
  'compiler-crash': {
    title: 'the compiler crashed',
    means: 'The compiler ended abnormally on this source.',
    todo: 'try another --toolchain, and report the file to its makers',
  },
  'dependency-failed': {
    title: 'needs a module that fails',
    means: 'All that it lacks is exported by other modules of the tree, which do not compile themselves.',
    todo: 'see the row of the module that `detail` names',
  },
  'unresolved-symbol': {
    title: 'symbols missing',
    means: 'It compiles, but live code of it uses kernel symbols that nobody provides yet.',
    todo: 'see `missing`; `--report missing=FILE` ranks symbols by how many modules each would unblock',
  },
  'link-error': {
    title: 'does not link',
    means: 'The linker refused the objects for another reason than a missing symbol.',
    todo: 'see the linker message in `detail`',
  },
  refused: {
    title: 'refused by the verifier',
    means: 'It links, but the verifier could not prove that the binary keeps to the driver ABI.',
    todo: 'see `detail`: which function or import breaks which rule (pipeline/verify/problem.ts)',
  },
  'load-error': {
    title: 'does not load',
    means: 'The engine refused the verified module, or its start failed before any code of the driver ran.',
    todo: 'see `detail`; `drvport run MODULE` repeats it',
  },
  'init-failed': {
    title: 'its init fails',
    means: 'module_init returned an error.',
    todo: 'see the error number in `detail`; `drvport run MODULE` shows the log',
  },
  'no-hardware': {
    title: 'says that its hardware is not there',
    means: 'module_init returned -ENODEV or -ENXIO, as it would on a computer without what it drives.',
    todo: 'see `detail`: if that is not what Linux answers without the hardware, it is a mistake of drvport',
  },
  fault: {
    title: 'faulted',
    means: 'The driver faulted: a trap, a NULL dereference, a BUG, a call of a function that is only a trap.',
    todo: 'see `detail`: the fault and the C function it happened in; `drvport run MODULE` repeats it',
  },
  'no-device-model': {
    title: 'no device to drive',
    means: 'It starts, but no device model has an id that it binds to: nothing more can be shown.',
    todo: 'docs/devices.md lists the models; hw/devices is where one is added',
  },
  'not-bound': {
    title: 'did not bind',
    means: 'A matching device was there and probe refused it.',
    todo: 'see the error number in `detail`; `drvport run MODULE` shows the log',
  },
  'check-failed': {
    title: 'a check failed',
    means: 'It runs, but something that the rung demands (contents, counters, recovery) was not as it must be.',
    todo: 'see which check in `detail`; `drvport run MODULE` repeats it',
  },
  timeout: {
    title: 'took too long',
    means: 'A step was ended because it exceeded its time limit.',
    todo: 'see which step in `detail`',
  },
  'out-of-memory': {
    title: 'took too much memory',
    means: 'A step was ended because it exceeded its memory limit.',
    todo: 'see which step in `detail`; fewer --jobs leave more for each',
  },
  'wrong-output': {
    title: 'a tool wrote nonsense',
    means: 'A tool reported success, but what it wrote is not what it was asked for.',
    todo: 'see `detail`; try another --toolchain',
  },
  interrupted: {
    title: 'not finished',
    means: 'The run was interrupted before this module was finished; nothing is known of it.',
    todo: 'give the same command again: it goes on from here',
  },
  'internal-error': {
    title: 'an error of drvport',
    means: 'drvport itself failed on this module. This is a bug of ours.',
    todo: 'report it with `detail`',
  },
}
