/** The commands, in the order --help shows them. */
import type { Command } from '../context.ts'
import { test } from './test.ts'

export const commands: readonly Command[] = [test]
