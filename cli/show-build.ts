/** How a build gets on, on the terminal. */
import type { BuildProgress } from '../pipeline/build/index.ts'
import type { Context } from './context.ts'

/** One line of progress for a step of a build. */
export function showBuild(context: Context, event: BuildProgress): void {
  if (event.step === 'plan') context.progress.update(`building ${event.modules} modules with ${event.toolchain}`)
  else if (event.step === 'kernel') context.progress.update(event.text)
  else {
    const { name, rung, repaired } = event.result
    if (repaired !== undefined) context.progress.note(`warning: ${name} was built again: ${repaired}`)
    context.progress.update(`${event.done} of ${event.of}: ${name} ${rung}`)
  }
}
